"""The watch over the sound of conversations: a side from which nothing comes is told to the secretary at once.

Both legs' packet counters are read 3 s after the two were joined, 4 s later, and then every 15 s; `core.flows` says
whether a side is silent that ought not to be. Once per conversation: the secretary reads on her phone what is the
case and what to do, and the fault is written down; again when the sound comes back. While somebody is on hold or a
third one is there, nobody is judged. Must not touch the conversation. What is not heard by the other side for want
of a way *from* us cannot be seen here: no counter tells it (docs/doctor.md).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import structlog

from autocom.calls.containment import contained
from autocom.calls.inspection import Sight
from autocom.calls.line import Line
from autocom.calls.ports import Gone, TelephoneDown
from autocom.calls.switchboard import Switchboard
from autocom.core.faults import fault
from autocom.core.flows import LEAST, Side, heard, is_silent, speaks
from autocom.core.stages import Talking
from autocom.core.telephony import Flow

log = structlog.get_logger()

FIRST = 3.0
"""Seconds from the bridge to the first look: media of both sides runs by then, also through a slow network."""
EVERY = 15.0
"""Seconds between looks later on: eight requests a minute for each conversation."""
TICK = 1.0
"""Seconds between two thoughts about whose look is due."""
AT_ONCE = 8
"""Requests at one time: a quarter of the connections to Asterisk, so that a ring never waits for a statistic."""

CALLER, SECRETARY = "caller", "secretary"


@dataclass(slots=True)
class _Watched:
    """A conversation that is watched. `leg`: hers, by which a new conversation of the call is known; `due`: the next
    look; `silent`: the side from which nothing comes, once it was told."""

    leg: str
    due: float
    caller: Side | None = None
    hers: Side | None = None
    looks: int = 0
    silent: str | None = None
    told: bool = False


class Quality:
    """One per exchange."""

    def __init__(self, switchboard: Switchboard, sight: Sight) -> None:
        self._board, self._sight = switchboard, sight
        self._clock = switchboard.ports.clock
        self._watched: dict[str, _Watched] = {}
        self._few = asyncio.Semaphore(AT_ONCE)

    def silent_side(self, call: str | None) -> str | None:
        """The side of this call's conversation from which no sound comes now: caller, secretary, or None."""
        watched = self._watched.get(call or "")
        return watched.silent if watched is not None else None

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._clock.until(self._clock.now() + TICK)
            with contained("sound not watched", lambda _: None):
                await self.listen()

    async def listen(self) -> None:
        """Look at every conversation whose look is due."""
        if not self._board.connected:
            return
        async with asyncio.TaskGroup() as looks:
            for line, stage in self._watch():
                watched = self._watched[line.id]
                if watched.due <= self._clock.now():
                    looks.create_task(self._look(line, stage, watched))

    def _watch(self) -> list[tuple[Line, Talking]]:
        """The conversations of two that run now; the others are forgotten, and judged anew if they are such again."""
        now, found = self._clock.now(), []
        lines = self._board.lines
        for call in [call for call in self._watched if call not in lines]:
            self._forget(call)
        for line in lines.values():
            stage = line.story.stage
            if not isinstance(stage, Talking) or stage.joined_at is None:
                self._forget(line.id)
                continue
            watched = self._watched.get(line.id)
            if watched is None or watched.leg != stage.leg:
                watched = self._watched[line.id] = _Watched(stage.leg, max(now, stage.joined_at + FIRST))
            if self._disturbed(line, stage):
                watched.caller = watched.hers = None
                watched.looks, watched.due = 0, now + FIRST
                continue
            found.append((line, stage))
        return found

    def _disturbed(self, line: Line, stage: Talking) -> bool:
        """Whether somebody is on hold, by whomever, or is not alone with the other one: a phone that holds sends
        nothing."""
        held = not self._board.hearing.on_hold.isdisjoint((line.channel, stage.leg))
        return held or (stage.held, stage.third, stage.back_at) != (None, None, None)

    def _forget(self, call: str) -> None:
        self._watched.pop(call, None)

    async def _look(self, line: Line, stage: Talking, watched: _Watched) -> None:
        with contained("look at the sound crashed", lambda _: None, call=line.id):
            async with self._few:
                try:
                    caller, hers = await self._sight.flow(line.channel), await self._sight.flow(stage.leg)
                except (Gone, TelephoneDown):
                    watched.due = self._clock.now() + LEAST
                    return
            now = self._clock.now()
            watched.looks += 1
            watched.due = now + (LEAST if watched.looks == 1 else EVERY)
            if line.story.stage is stage and line.at_rest:
                self._judge(line, stage, watched, (caller, hers))
            watched.caller = heard(watched.caller, caller, now)
            watched.hers = heard(watched.hers, hers, now)

    def _judge(self, line: Line, stage: Talking, watched: _Watched, flows: tuple[Flow, Flow]) -> None:
        before, now = (watched.caller, watched.hers), self._clock.now()
        if before[0] is None or before[1] is None:
            return
        sides = {CALLER: (before[0], flows[0]), SECRETARY: (before[1], flows[1])}
        if watched.silent is not None:
            if speaks(*sides[watched.silent]):
                self._write(line, stage, watched.silent, over=True)
                watched.silent = None
            return
        if watched.told:
            return
        for side, other in ((CALLER, SECRETARY), (SECRETARY, CALLER)):
            if is_silent(*sides[side], now) and speaks(*sides[other]):
                watched.silent, watched.told = side, True
                self._write(line, stage, side, over=False)
                house = self._board.house
                house.text(stage.secretary, TEXTS[side][house.language == "en"])

    def _write(self, line: Line, stage: Talking, side: str, *, over: bool) -> None:
        detail = f"{'sound again' if over else 'no sound'} from the {side}"
        entry = fault(self._clock.now(), "one_way_audio", stage.secretary, detail, over=over)
        log.warning("one-way audio", call=line.id, secretary=stage.secretary, silent=side, over=over)
        line.ports.journal.save([replace(entry, call=line.id)])


TEXTS = {
    CALLER: (
        "Vous n'entendez pas votre correspondant : aucun son n'arrive de chez lui. Rappelez-le.",
        "You cannot hear your caller: no sound comes from his side. Call him back.",
    ),
    SECRETARY: (
        "Votre correspondant ne vous entend pas : rien n'arrive de votre micro. Vérifiez-le, ou rappelez.",
        "Your caller cannot hear you: nothing comes from your microphone. Check it, or call back.",
    ),
}
"""What she reads, in French and in English, by the side from which nothing comes."""
