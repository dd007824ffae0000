"""A conference room is ended: also for who is just entering it, and for whom a crash cut off on his way out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autocom.calls.inviting import invite
from autocom.core.model import Audio, Configuration, Enqueue, Trunk
from tests.support.exchange_in_memory import CALM, Bench, client, configuration
from tests.support.fake_telephone import Habit
from tests.support.killing import Death
from tests.support.virtual import run

ENTERING = Audio("room-entering", "room-entering", 2.0)


def bureau() -> Configuration:
    made = configuration(
        client("lilas", "+33199001001", Enqueue("medical", CALM)), lea={"medical": 1}, ines={"medical": 2}
    )
    return replace(
        made,
        stock=replace(made.stock, notices={"room_entering": ENTERING}),
        trunks={"operator": Trunk("operator", ("127.0.0.1",), host="operator.test")},
    )


async def opened() -> Bench:
    """Lea is in room 801."""
    bench = Bench(bureau())
    bench.telephone.lengths |= {ENTERING.media: ENTERING.seconds}
    bench.start()
    await bench.pass_time(0.01)
    await bench.at_work("lea", "ines")
    bench.telephone.dials("lea", "801")
    await bench.pass_time(5.0)
    return bench


def check(bench: Bench) -> None:
    assert not bench.telephone.channels
    assert not bench.telephone.bridges
    assert not bench.journal.calls
    assert "crashed" not in [entry.kind for entry in bench.journal.entries]
    left = [e.fields["secretary"] for e in bench.journal.entries if e.kind == "room_left"]
    assert len(left) == len(set(left)), "she left twice"


@pytest.mark.parametrize(("digits", "muted"), [("*0", None), ("*1", True)])
def test_what_is_said_to_all_reaches_who_is_entering_at_that_moment(digits: str, muted: bool | None) -> None:
    async def story() -> None:
        bench = await opened()
        ines = bench.telephone.dials("ines", "801")
        await bench.pass_time(1.0)  # she hears that she is let in
        bench.telephone.presses("phone-lea-1", digits)
        await bench.pass_time(4.0)
        assert (ines.id in bench.telephone.channels) == (muted is not None)
        assert muted is None or ines.muted == muted
        for channel in list(bench.telephone.channels):
            bench.telephone.phone_hangs_up(channel)
        await bench.pass_time(3.0)
        assert bench.failure() is None
        check(bench)
        await bench.kill()

    run(story())


async def ended(kill_at: int | None, when: str, outage: float) -> tuple[Bench, int]:
    """Two in a room, which one of them ends; nobody hangs up. Killed around an effect of that."""
    bench = await opened()
    bench.telephone.dials("ines", "801")
    await bench.pass_time(5.0)
    death = Death(bench, kill_at, outage, when)
    death.lurk()
    bench.telephone.presses("phone-lea-1", "*0")
    for _ in range(60):
        await bench.pass_time(0.1)
        await death.start_again()
    await bench.pass_time(10.0)
    assert bench.failure() is None
    return bench, death.effects


@pytest.mark.parametrize("outage", [0.0, 20.0])
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_while_a_room_ends_nobody_is_left_in_it(when: str, outage: float) -> None:
    _, effects = run(ended(None, when, 0.0))
    assert effects > 1
    for kill_at in range(effects):
        bench, _ = run(ended(kill_at, when, outage))
        try:
            check(bench)
        except AssertionError as error:
            raise AssertionError(f"killed {when} effect {kill_at}: {error}") from error


@pytest.mark.parametrize("answers", [None, 1.0], ids=["rings", "hears what to press"])
@pytest.mark.parametrize("dead", [False, True], ids=["told", "restarted"])
def test_nobody_is_rung_any_longer_for_a_room_that_is_empty(answers: float | None, *, dead: bool) -> None:
    async def story() -> None:
        bench = await opened()
        bench.telephone.habits["+33639981099"] = Habit(answers)
        assert bench.switchboard is not None
        invite(bench.switchboard.desk, "801", "0639981099", "lea")
        await bench.pass_time(3.0)
        if dead:
            await bench.kill()
        bench.telephone.phone_hangs_up("phone-lea-1")
        if dead:
            bench.start()
        await bench.pass_time(3.0)
        assert bench.failure() is None
        check(bench)
        ended = next(e for e in bench.of("c2") if e.kind == "forward_ended")
        assert ended.fields["result"] == "withdrawn"
        assert bench.record("c2").outcome == "timeout"
        await bench.kill()

    run(story())
