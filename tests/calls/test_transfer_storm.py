"""The storm with phones that dial and press their transfer buttons, at any instant, also on calls that are over.

What `storm` demands holds all the same: every call ends once, nobody hears nothing, no leg is nobody's.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import pytest

from autocom.core.naming import call_of_outside, leg_of
from autocom.core.stages import InRoom, Reaching, Talking
from autocom.core.story import Story
from tests.calls.storm import Storm
from tests.calls.storm_bureau import OUTSIDE, STAFF
from tests.support.fake_telephone import FakeChannel
from tests.support.virtual import run

WANTED = ("200", "201", "202", "600", "601", "801", "999", "0899123456", "*72", "15", "*5", "*5")
CODES = ("*8", "*51", "*51", "*52")
"""What she dials to take a caller who rings elsewhere, or is parked."""


def of_a_phone(channel: str) -> bool:
    return channel.startswith("phone-")


@dataclass
class TransferStorm(Storm):
    """A storm of transfers."""

    def __post_init__(self) -> None:
        super().__post_init__()
        made = self.bench.configuration
        numbers = dict(zip(sorted(made.teams), ("600", "601", "602"), strict=False))
        teams = {name: replace(team, extension=numbers.get(name)) for name, team in made.teams.items()}
        self.bench.configuration = replace(made, teams=teams)

    @staticmethod
    def _is_leg(channel: str) -> bool:
        return leg_of(channel) is not None or call_of_outside(channel) is not None or of_a_phone(channel)

    def number(self) -> str:
        return self.chance.choice((*WANTED, *("0" + number[3:] for number in OUTSIDE)))

    def talks(self) -> list[Talking]:
        return [
            story.stage
            for story in self._stories().values()
            if isinstance(story.stage, Talking) and story.stage.leg in self.bench.telephone.channels
        ]

    def calls_of(self, secretary: str) -> list[str]:
        """The channels at her phone."""
        mine = [
            c.id
            for c in self.bench.telephone.channels.values()
            if c.dialled is not None and c.dialled[0] == secretary
        ]
        return [*mine, *(talk.leg for talk in self.talks() if talk.secretary == secretary)]

    def dials(self) -> None:
        who = self.chance.choice(STAFF)
        if len(self.calls_of(who)) < 2:
            self.bench.telephone.dials(who, self.chance.choice((self.number(), *CODES)))

    def blind(self) -> None:
        if found := self.talks():
            self.bench.telephone.refers(self.chance.choice(found).leg, self.number())

    def attended(self) -> None:
        """Of any two calls of hers, or of somebody else's."""
        who = self.chance.choice(STAFF)
        mine = self.calls_of(who)
        if len(mine) >= 2:
            one, other = self.chance.sample(mine, 2)
            self.bench.telephone.refers(one, self.number(), replaces=other)
            if self.chance.random() < 0.3:
                for channel in (one, other):
                    self.bench.telephone.caller_hangs_up(channel)

    def consults(self) -> None:
        """She who talks holds him and dials; a moment later she joins the two."""
        if found := self.talks():
            talk = self.chance.choice(found)
            if len(self.calls_of(talk.secretary)) < 2:
                self.bench.telephone.dials(talk.secretary, self.chance.choice((self.number(), *CODES)))

    def puts_down(self) -> None:
        if found := [c for c in self.bench.telephone.channels if of_a_phone(c)]:
            self.bench.telephone.caller_hangs_up(self.chance.choice(found))

    async def act(self) -> None:
        for _ in range(2):
            deed = self.chance.choice(
                (
                    self.dials,
                    self.blind,
                    self.blind,
                    self.attended,
                    self.attended,
                    self.consults,
                    self.puts_down,
                )
            )
            self.told.append(f"{self.bench.clock.now():.3f} {deed.__name__}")
            deed()
        await super().act()

    def _look_at_leg(self, leg: FakeChannel, stories: dict[str, Story], now: float, *, calm: bool) -> None:
        """Channels change calls here: whoever is of any story is somebody's."""
        assert self.bench.switchboard is not None
        posts = self.bench.switchboard.dispatcher.floor.posts.values()
        waits = any(getattr(post.engaged, "leg", None) == leg.id for post in posts)
        if not calm or waits or any(leg.id in parts(story) for story in stories.values()):
            self.orphaned.pop(leg.id, None)
            return
        super()._look_at_leg(leg, stories, now, calm=calm)

    def _look_at_caller(self, caller: FakeChannel, story: Story | None, now: float, *, calm: bool) -> None:
        """Alone in a conference room he hears music in its bridge."""
        alone = (caller.bridge or "").startswith("room-") and caller.music is not None
        super()._look_at_caller(caller, story, now, calm=calm and not alone)

    def _fault(self, what: str) -> None:
        """A room has as many members as come."""
        if not what.startswith("room-"):
            super()._fault(what)

    def _judge_call(self, call: str, kinds: Counter[tuple[str | None, str]]) -> None:
        """Calls that a phone dialled have words of their own (docs/journal.md)."""
        if not kinds[call, "dialled"]:
            super()._judge_call(call, kinds)
        elif kinds[call, "ended"] != 1:
            self._fault(f"{call} ended {kinds[call, 'ended']} times")


def parts(story: Story) -> set[str]:
    found = {story.channel, story.call.channel, *story.foreign}
    if story.released is not None:
        found |= {story.released.leg, *story.released.legs}
    parked = getattr(story.stage, "leg", None)
    if isinstance(parked, str):
        found.add(parked)
    match story.stage:
        case Reaching(leg=str() as leg) | Talking(leg=leg):
            found.add(leg)
        case InRoom():
            pass
        case _:
            pass
    return found


@pytest.mark.parametrize("seed", range(6))
def test_transfers_at_any_instant_lose_nobody(seed: int) -> None:
    assert run(TransferStorm(seed, violent=False, acts=40).run()).faults == []


@pytest.mark.parametrize("seed", range(6))
def test_transfers_with_kills_gaps_and_unanswered_commands_lose_nobody(seed: int) -> None:
    assert run(TransferStorm(seed, acts=30).run()).faults == []
