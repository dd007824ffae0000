"""Who listens to whom, seen from the house: supervisions begin here, and are told when a conversation changes.

A supervision is a call of the team lead's (`supervising` is its story); she dials it, or a program has her phone
rung. Whenever a call comes to another stage, or is over, the supervisions read anew what there is to hear. Must not
touch the conversation that is heard. Invariant: nothing begins that `core.supervision` does not allow.
"""

from __future__ import annotations

from collections.abc import Callable

from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.notes import ReadAgain
from autocom.calls.ports import Clock
from autocom.core.journal import Json
from autocom.core.naming import leg_id
from autocom.core.stages import Refused, Supervising, Talking
from autocom.core.story import Story
from autocom.core.supervision import KEYS, Denied, allowed, conversation, refused
from autocom.core.targets import by_extension
from autocom.core.telephony import DigitPressed, PhoneDialled

RING_FOR = 20.0
"""Seconds that a lead's phone rings who asked by a program."""
KEY_OF = {mode: key for key, mode in KEYS.items()}

Open = Callable[[PhoneDialled, Supervising, str], None]
"""Opens the lead's call: what is as if she had dialled it, its stage, its id."""


class Overseers:
    """`house` and `open_call` are set before anything happens. Each call is told of when it begins and when it is over
    (`calls.living`): stages change all the time, supervisions are few."""

    house: House
    open_call: Open

    def __init__(self, clock: Clock, new_id: Callable[[], str]) -> None:
        self._clock, self._new_id = clock, new_id
        self._supervisions: dict[str, Line] = {}

    # --- what happens in the house

    def begun(self, line: Line) -> None:
        """A call runs from now on; a supervision is one from its first stage."""
        if isinstance(line.story.stage, Supervising):
            self._supervisions[line.id] = line

    def over(self, line: Line) -> None:
        """A call is over."""
        self._supervisions.pop(line.id, None)
        self.look_again()

    def restaged(self, story: Story) -> None:
        """A call has come to another stage: supervisions of whoever is in it look again."""
        if not isinstance(story.stage, Supervising):
            self.look_again()

    def look_again(self) -> None:
        """Every supervision reads anew whom it may hear, and where."""
        for line in self._supervisions.values():
            if not line.awaits(ReadAgain):
                line.post(ReadAgain())

    # --- beginnings

    def dialled(self, lead: str, extension: str) -> Supervising | Refused:
        """What `*3201` leads to."""
        person = by_extension(extension, self.house.in_force)
        if person is None:
            return Refused("unknown")
        why = self._denied(lead, person.id)
        return Refused("supervision") if why is not None else Supervising(lead, person.id)

    def begin(self, lead: str, secretary: str, mode: str) -> dict[str, Json]:
        """A program asks: the lead's phone rings. LookupError for whoever is unknown, ValueError for what is not
        allowed."""
        configuration = self.house.in_force
        for who in (lead, secretary):
            if who not in configuration.secretaries:
                raise LookupError(f"there is no secretary {who!r}")
        if mode not in KEY_OF:
            raise ValueError(f"unknown mode {mode!r}: use {', '.join(KEY_OF)}")
        why = self._denied(lead, secretary, mode)
        if why is not None:
            raise ValueError(refused(why, self.house.language))
        running = self._of(lead)
        if running is not None:
            raise ValueError(f"{lead} supervises already: {running.id}")
        now, call = self._clock.now(), self._new_id()
        fact = PhoneDialled(
            leg_id(call, 1, lead), now, lead, f"*3{configuration.secretaries[secretary].extension}"
        )
        self.open_call(fact, Supervising(lead, secretary, mode, ringing=now + RING_FOR), call)
        return {"call": call, "lead": lead, "secretary": secretary, "mode": mode}

    def switch(self, lead: str, mode: str) -> dict[str, Json]:
        """As if she had pressed the key. LookupError where she supervises nobody."""
        line = self._of(lead)
        if line is None:
            raise LookupError(f"{lead} supervises nobody")
        if mode not in KEY_OF:
            raise ValueError(f"unknown mode {mode!r}: use {', '.join(KEY_OF)}")
        line.post(DigitPressed(line.channel, KEY_OF[mode]))
        return {"call": line.id, "lead": lead, "mode": mode}

    # --- what there is

    def rows(self) -> list[Json]:
        """Every supervision."""
        found: list[Json] = []
        for line in self._supervisions.values():
            stage = line.story.stage
            if isinstance(stage, Supervising):
                found.append(
                    {
                        "id": line.id,
                        "lead": stage.lead,
                        "secretary": stage.secretary,
                        "mode": stage.mode,
                        "call": stage.of,
                    }
                )
        return found

    def of_secretary(self, secretary: str) -> list[Json]:
        """Who hears her now, and how: she may know at any time."""
        stages = (line.story.stage for line in self._supervisions.values())
        return [
            {"lead": stage.lead, "mode": stage.mode}
            for stage in stages
            if isinstance(stage, Supervising) and stage.secretary == secretary and stage.of is not None
        ]

    def taped(self, secretary: str) -> bool:
        """Whether her conversation is recorded at this moment."""
        story = conversation(self.house.stories, secretary)
        taped = None if story is None or not isinstance(story.stage, Talking) else story.taped
        return taped is not None and not (taped.paused or taped.aside)

    def _of(self, lead: str) -> Line | None:
        for line in self._supervisions.values():
            if isinstance(line.story.stage, Supervising) and line.story.stage.lead == lead:
                return line
        return None

    def _denied(self, lead: str, secretary: str, mode: str = "listen") -> str | None:
        """Why she may not hear her now; whose conversation it is counts as well."""
        story = conversation(self.house.stories, secretary)
        call = None if story is None else story.call
        may = allowed(self.house.in_force, lead, secretary, call, self.house.wall(self._clock.now()))
        if isinstance(may, Denied):
            return may.why
        return None if mode in may.modes or (mode == "listen" and may.modes) else "mode"
