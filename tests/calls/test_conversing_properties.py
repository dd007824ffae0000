"""Random orders, keys and hang-ups at random instants: who hears whom is always what the stage says, nobody is left
in silence or behind, and every millisecond of the caller's time is in one part.
"""

from __future__ import annotations

import asyncio
import itertools

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autocom.core.conversation import arrangement
from autocom.core.orders import Consult, Drop, Hold, Join, Leave, Resume
from autocom.core.stages import Talking
from autocom.core.targets import Colleague, Outside
from tests.calls.test_conversing import DOCTOR, LEG, Table
from tests.support.fake_telephone import Habit
from tests.support.virtual import run

ACTS = st.sampled_from(
    ["hold", "resume", "consult", "colleague", "join", "drop", "*5", "*0", "*3", "*11#", "*1999#", "third ends", "phone holds", "phone resumes"]
)  # fmt: skip
ENDS = st.sampled_from(["caller", "secretary", "third", "vanish", "leave", "*4"])
HABITS = st.sampled_from(
    [Habit(answers=0.5), Habit(answers=2.0), Habit(answers=None), Habit(refuses=17), Habit(offline=True)]
)
PAUSES = st.sampled_from([0.0, 0.001, 0.003, 0.01, 0.3, 2.1, 7.0, 61.0])
ORDERS = {
    "hold": Hold(),
    "resume": Resume(),
    "consult": Consult(Outside(DOCTOR)),
    "colleague": Consult(Colleague("ines")),
    "join": Join(),
    "drop": Drop(),
    "leave": Leave(),
}
PARTS = ("talk", "hold", "conference", "patch")


class Play:
    """One conversation to its end."""

    def __init__(self, table: Table) -> None:
        self.table = table

    @property
    def stage(self) -> object | None:
        board = self.table.bench.switchboard
        assert board is not None
        line = board.lines.get("c1")
        return None if line is None else line.story.stage

    @property
    def caller(self) -> str | None:
        board = self.table.bench.switchboard
        assert board is not None
        line = board.lines.get("c1")
        return None if line is None else line.channel

    def act(self, what: str) -> None:
        telephone, board = self.table.telephone, self.table.bench.switchboard
        assert board is not None
        stage = self.stage
        third = stage.third.leg if isinstance(stage, Talking) and stage.third is not None else ""
        if what in ORDERS:
            board.desk.order("lea", ORDERS[what])
        elif what.startswith("*"):
            if LEG in telephone.channels:
                telephone.presses(LEG, what)
        elif what in {"third ends", "third"}:
            telephone.vanishes(third, 16)
        elif what.startswith("phone"):
            if LEG in telephone.channels and telephone.channels[LEG].bridge:
                telephone.holds(LEG, held=what == "phone holds")
        elif what == "caller":
            telephone.caller_hangs_up("chan-1")
        else:
            telephone.vanishes(LEG, 44 if what == "vanish" else 16)

    def as_the_stage_says(self) -> None:
        stage, telephone = self.stage, self.table.telephone
        if not isinstance(stage, Talking) or stage.joined_at is None or self.caller is None:
            return
        wanted = arrangement(stage, self.caller)
        bridge = f"talk-c1-{stage.attempt}"
        assert telephone.bridges.get(bridge, set()) == set(wanted.inside)
        for channel in wanted.aside:
            assert telephone.channels[channel].heard[-1][1].startswith("music:")
        heard = telephone.channels[self.caller].heard[-1][1]
        assert heard != "silence"

    async def to_the_end(self) -> None:
        """Everybody puts down, and nothing is left."""
        telephone = self.table.telephone
        for _ in range(6):
            for channel in list(telephone.channels):
                telephone.vanishes(channel, 16)
            await asyncio.sleep(3.0)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(ACTS, PAUSES), max_size=8), ENDS, HABITS, HABITS)
def test_whatever_she_does_everybody_hears_what_the_stage_says_and_all_is_counted(
    acts: list[tuple[str, float]], end: str, doctors: Habit, ines: Habit
) -> None:
    async def story() -> None:
        table = await Table.laid()
        table.telephone.habits |= {DOCTOR: doctors, "ines": ines}
        table.telephone.register("ines")
        play = Play(table)
        for what, pause in acts:
            play.act(what)
            await asyncio.sleep(pause)
            if pause >= 0.3:
                play.as_the_stage_says()
        await asyncio.sleep(0.3)
        play.as_the_stage_says()
        play.act(end)
        await asyncio.sleep(0.3)
        play.as_the_stage_says()
        await play.to_the_end()
        assert table.bench.failure() is None
        assert not table.telephone.channels
        assert not table.telephone.bridges
        assert not table.bench.journal.calls
        kinds = table.bench.kinds()
        assert kinds.count("ended") == 1
        assert "crashed" not in kinds
        _counted(table)
        await table.bench.kill()

    run(story())


def _counted(table: Table) -> None:
    """No overlap, and where he neither waited nor was rung for again no gap; the sum is the talk time."""
    entries = table.bench.of("c1")
    cut = [s for s in table.bench.segments() if s.kind in PARTS]
    assert all(s.end is not None for s in cut)
    again = sum(e.kind == "queued" for e in entries) > 1 or any(
        e.kind in {"returned", "forward_ended"}
        or (e.kind == "consult_ended" and e.fields["result"] in {"dropped", "joined"})
        for e in entries
    )
    for one, other in itertools.pairwise(cut):
        assert one.end is not None
        assert one.end <= other.start
        assert again or one.end == other.start, [(s.kind, s.start, s.end) for s in cut]
    spoken = sum(round((s.end or 0.0) * 1000) - round(s.start * 1000) for s in cut if s.kind != "hold")
    record = table.bench.record()
    assert record.talk_ms == spoken
    assert record.outcome == "served"
