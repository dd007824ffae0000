"""The storm of `storm`, in which secretaries also dial: each other, numbers outside, what is refused."""

from __future__ import annotations

from collections import Counter

import pytest

from autocom.core.record import OUTCOMES
from autocom.core.stages import Talking
from autocom.core.story import Story
from tests.calls.storm import Storm
from tests.calls.storm_bureau import OUTSIDE, STAFF
from tests.support.fake_telephone import FakeChannel
from tests.support.virtual import run

REFUSED = ("0899123456", "15", "299", "*999*0639981021", "+41221234567")


class DiallingStorm(Storm):
    """One act in four is a phone that dials."""

    async def act(self) -> None:
        if self.chance.random() < 0.25 and len(self.callers()) < 6:
            self.dials()
        else:
            await super().act()

    def dials(self) -> None:
        numbers = [f"0{number[3:]}" for number in OUTSIDE]
        who = self.chance.choice([name for name in STAFF if name in self.bench.telephone.registered] or STAFF)
        dialled = self.chance.choice(("200", "201", "202", *numbers, *numbers, *REFUSED))
        self.told.append(f"{self.bench.clock.now():.3f} {who} dials {dialled}")
        self.bench.telephone.dials(who, dialled)

    def _look_at_caller(self, caller: FakeChannel, story: Story | None, now: float, *, calm: bool) -> None:
        stages = (other.stage for other in self._stories().values())
        if story is None and any(isinstance(s, Talking) and s.leg == caller.id for s in stages):
            self.silent.pop(
                caller.id, None
            )  # hers, in the secretary's part: alone in the bridge while she consults
            return
        super()._look_at_caller(caller, story, now, calm=calm)

    def _judge_call(self, call: str, kinds: Counter[tuple[str | None, str]]) -> None:
        record = self.bench.record(call)
        if record.direction == "in":
            super()._judge_call(call, kinds)
            return
        if kinds[call, "ended"] != 1 or record.outcome not in OUTCOMES:
            self._fault(f"{call} ended {kinds[call, 'ended']} times as {record.outcome}")
        if record.outcome == "served" and not kinds[call, "bridged"]:
            self._fault(f"{call} is served without anybody")


@pytest.mark.parametrize("seed", range(6))
def test_whatever_they_dial_every_call_ends_once_and_nobody_hears_nothing(seed: int) -> None:
    assert run(DiallingStorm(seed, violent=False, acts=40).run()).faults == []


@pytest.mark.parametrize("seed", range(6))
def test_kills_and_gaps_change_nothing_of_that(seed: int) -> None:
    assert run(DiallingStorm(seed, acts=30).run()).faults == []
