"""An operator that puts no call through: the next one is tried, then the steps behind; never a loop. In virtual time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autocom.core.model import Contact, Forward, Hangup, HangupKind, OnCall, Play, Roster, Shift, Trunk
from autocom.core.telephony import Cause
from tests.support.exchange_in_memory import CLOSED, Bench, client, configuration, nothing_left, sounds
from tests.support.fake_telephone import Habit
from tests.support.virtual import run

pytestmark = pytest.mark.fault("F36")
DID, CELL, SECOND = "0199001001", "+33639981021", "+33639981022"
TO_CELL = Forward(CELL, ring_for=20.0)
TWO = ("operator", "other")
LONG = 60.0


def tried(steps: tuple[object, ...], habits: dict[str, Habit], trunks: tuple[str, ...] = TWO) -> Bench:
    """A caller who comes by the first trunk, until all is over."""

    async def story() -> Bench:
        made = configuration(client("lilas", "+33199001001", *steps), lea={"medical": 1})
        shifts = (Shift((Contact("First", CELL), Contact("Second", SECOND))),)
        bench = Bench(
            replace(
                made,
                trunks={name: Trunk(name, ("127.0.0.1",), host=f"{name}.test") for name in trunks},
                rosters={"duty": Roster("duty", shifts, ring_for=10.0, rounds=1)},
            )
        )
        bench.telephone.habits.update(habits)
        bench.start()
        await bench.pass_time(0.01)
        bench.telephone.call_in("chan-1", DID)
        await bench.pass_time(LONG)
        for channel in list(bench.telephone.channels):
            bench.telephone.caller_hangs_up(channel)
        await bench.pass_time(10)
        nothing_left(bench)
        await bench.kill()
        return bench

    return run(story())


def by(trunk: str, number: str = CELL) -> str:
    return f"{number}@trunk-{trunk}"


def ends(bench: Bench) -> list[object]:
    return [e.fields["result"] for e in bench.of("c1") if e.kind == "forward_ended"]


def legs(bench: Bench) -> int:
    return len([e for e in bench.of("c1") if e.kind == "forward_started"])


OUT = Habit(refuses=Cause.CONGESTION)
BEHIND = (Play(CLOSED), Hangup(HangupKind.BUSY))


@pytest.mark.parametrize("cause", [Cause.CONGESTION, Cause.FAILURE, 41, 42, 27, 3])
def test_what_the_first_operator_refuses_goes_by_the_second(cause: int) -> None:
    bench = tried((TO_CELL, *BEHIND), {by("operator"): Habit(refuses=cause), by("other"): Habit(1.0)})
    assert ends(bench) == ["unreachable"]
    assert bench.telephone.joined == [("chan-1", "out-c1-2")]
    assert bench.record().outcome == "forwarded"


def test_where_both_are_out_the_steps_behind_follow_after_two_tries() -> None:
    bench = tried((TO_CELL, *BEHIND), {CELL: OUT})
    assert (ends(bench), legs(bench)) == (["unreachable", "unreachable"], 2)
    assert sounds(bench)[-2:] == ["closed", "end"]


def test_with_one_operator_alone_there_is_one_try() -> None:
    bench = tried((TO_CELL, *BEHIND), {CELL: OUT}, trunks=("operator",))
    assert (ends(bench), legs(bench)) == (["unreachable"], 1)


def test_what_the_called_side_says_is_believed_and_not_asked_again_by_another_operator() -> None:
    bench = tried((TO_CELL, *BEHIND), {CELL: Habit(refuses=Cause.BUSY)})
    assert (ends(bench), legs(bench)) == (["refused"], 1)


def test_everybody_of_a_roster_has_both_ways() -> None:
    bench = tried(
        (OnCall("duty"), *BEHIND),
        {CELL: OUT, by("operator", SECOND): OUT, by("other", SECOND): Habit(1.0, presses=((1.0, "1"),))},
    )
    assert ends(bench) == ["unreachable"] * 3
    assert bench.telephone.joined == [("chan-1", "out-c1-4")]
