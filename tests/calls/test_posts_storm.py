"""The storm of `storm.py` with the phones of the house in it: they call each other, park, pick up, confer, forward and
transfer, and hang up at any instant, while the exchange is killed, deaf or without an answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from autocom.calls.diverting import forward
from autocom.calls.inviting import ask_in
from autocom.calls.rooms import command
from autocom.core.model import Audio
from autocom.core.orders import Park, SendTo
from autocom.core.record import OUTCOMES
from autocom.core.rooms import VERBS
from autocom.core.stages import InRoom, Invited, Parked, Talking
from autocom.core.story import Story
from autocom.core.targets import Colleague, ToRoom
from tests.calls.storm import Storm
from tests.calls.storm_bureau import OUTSIDE, STAFF
from tests.support.fake_telephone import FakeChannel
from tests.support.virtual import run

DIALLED = ("200", "201", "202", "801", "801", "*8", "*8", "*8200", "*8201", "*51", "*52", "*51", "299")
NOTICES = {name: Audio(name, name, 0.7) for name in ("parked_1", "room_joined", "room_left", "room_entering")}


class PostsStorm(Storm):
    """A storm with phones that dial."""

    def __post_init__(self) -> None:
        super().__post_init__()
        made = self.bench.configuration
        self.bench.configuration = replace(
            made,
            bureau=replace(made.bureau, parking_return=4.0, forwarding_outside=True),
            stock=replace(made.stock, notices=NOTICES),
        )
        self.bench.telephone.lengths |= {audio.media: audio.seconds for audio in NOTICES.values()}

    # --- more acts

    @property
    def mine(self) -> list[str]:
        return [c for c in self.bench.telephone.channels if c.startswith("phone-")]

    def callers(self) -> list[str]:
        return [c for c in super().callers() if not c.startswith("phone-")]

    def dials(self) -> None:
        if len(self.mine) < 4:
            self.bench.telephone.dials(self.chance.choice(STAFF), self.chance.choice(DIALLED))

    def dials_outside(self) -> None:
        if len(self.mine) < 4:
            self.bench.telephone.dials(self.chance.choice(STAFF), self.chance.choice(OUTSIDE))

    def puts_down(self) -> None:
        if found := self.mine:
            self.bench.telephone.caller_hangs_up(self.chance.choice(found))

    def keys(self) -> None:
        channels = self.bench.telephone.channels.values()
        if found := [c.id for c in channels if c.up and not c.id.startswith("chan-")]:
            digits = self.chance.choice(("*6", "*1", "*2", "*0", "*4", "*5", "*5", "*6"))
            self.bench.telephone.presses(self.chance.choice(found), digits)

    def orders(self) -> None:
        board = self.bench.switchboard
        if board is not None and not self.bench.over():
            to = self.chance.choice((Colleague(self.chance.choice(STAFF)), ToRoom("801")))
            order = self.chance.choice((Park("note"), Park(), SendTo(to)))
            board.desk.order(self.chance.choice(STAFF), order)

    def room(self) -> None:
        board = self.bench.switchboard
        if board is None or self.bench.over():
            return
        if self.chance.random() < 0.5:
            ask_in(board.desk, "801", self.chance.choice((*OUTSIDE, "200", "202")), self.chance.choice(STAFF))
        else:
            try:
                command(board.house, "801", self.chance.choice(VERBS), "lead")
            except LookupError:
                return

    def forwards(self) -> None:
        board = self.bench.switchboard
        if board is not None and not self.bench.over():
            when = self.chance.choice(("always", "busy", "no_answer"))
            to = self.chance.choice((None, None, "200", "201", "202", OUTSIDE[0]))
            forward(board.house, self.chance.choice(STAFF), when, to)

    async def act(self) -> None:
        if self.chance.random() < 0.5:
            await super().act()
            return
        more: tuple[Callable[[], None], ...] = (
            *[self.dials] * 6,
            self.dials_outside,
            *[self.puts_down] * 2,
            *[self.keys] * 3,
            *[self.orders] * 4,
            self.room,
            self.forwards,
        )
        choice = self.chance.choice(more)
        self.told.append(f"{self.bench.clock.now():.3f} {choice.__name__}")
        choice()

    def reloads(self) -> None:
        """The bureau stays as it is: the sounds and the parking are of this storm."""

    async def _calm(self) -> None:
        await super()._calm()
        for channel in [c for c in self.bench.telephone.channels if c.startswith(("chan-", "phone-"))]:
            self.bench.telephone.caller_hangs_up(channel)  # who was put on hold, and forgotten
        await self.bench.pass_time(10.0)

    # --- the oracle

    def _fault(self, what: str) -> None:
        # a room has more than two by right, and who was on hold is joined again
        if not what.startswith("room-") and ",) joined " not in what:
            super()._fault(what)

    def _look_at_leg(self, leg: FakeChannel, stories: dict[str, Story], now: float, *, calm: bool) -> None:
        told = any(isinstance(s.stage, Parked) and s.stage.leg == leg.id for s in stories.values())
        super()._look_at_leg(leg, stories, now, calm=calm and not told)

    def _look_at_caller(self, caller: FakeChannel, story: Story | None, now: float, *, calm: bool) -> None:
        stage = story.stage if story is not None else None
        alone = caller.bridge is not None and caller.bridge.startswith("room-") and caller.music is not None
        # while somebody enters he hears that somebody does: told to the bridge, not to him
        entering = isinstance(stage, InRoom) and any(
            isinstance(other.stage, InRoom) and other.stage.joined_at is None
            for other in self._stories().values()
        )
        holds = any(
            isinstance(other.stage, Talking) and other.stage.leg == caller.id
            for other in self._stories().values()
        )
        by_right = isinstance(stage, Invited) or alone or entering or holds
        super()._look_at_caller(caller, story, now, calm=calm and not by_right)

    def _judge_call(self, call: str, kinds: Counter[tuple[str | None, str]]) -> None:
        if not kinds[call, "dialled"]:
            super()._judge_call(call, kinds)
        elif kinds[call, "ended"] != 1 or self.bench.record(call).outcome not in OUTCOMES:
            self._fault(f"{call} ended {kinds[call, 'ended']} times, {self.bench.record(call).outcome}")


@pytest.mark.parametrize("seed", range(12))
def test_phones_that_dial_at_any_instant_leave_nobody_in_silence_and_nothing_behind(seed: int) -> None:
    assert run(PostsStorm(seed, violent=False, acts=60).run()).faults == []


@pytest.mark.parametrize("seed", range(12))
def test_kills_gaps_and_unanswered_commands_change_nothing_of_that(seed: int) -> None:
    assert run(PostsStorm(seed, acts=50).run()).faults == []
