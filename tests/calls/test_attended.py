"""Attended transfers by a phone's own button: REFER with Replaces joins two calls of one secretary."""

from __future__ import annotations

import pytest

from autocom.calls.notes import Asked
from autocom.calls.ports import Fares
from autocom.core.orders import Park
from tests.calls.transfer_bureau import (
    CALLER,
    CELL,
    at_phone,
    bureau,
    dialled,
    fields,
    kept,
    opened,
    outside,
    rung,
    talking,
    with_whom,
)
from tests.support.exchange_in_memory import Bench, nothing_left, over
from tests.support.fake_telephone import FakeChannel, Habit
from tests.support.virtual import run

OTHER = "+33639981022"


async def consults(bench: Bench, number: str) -> tuple[FakeChannel, FakeChannel]:
    """She talks with the caller, puts him on hold with her phone's button and dials: her two channels."""
    leg = await talking(bench)
    bench.telephone.holds(leg.id)
    hers = await dialled(bench, "lea", number)
    return leg, hers


BUTTONS = ["the caller's call", "her own call"]


def refer(bench: Bench, leg: FakeChannel, hers: FakeChannel, where: str) -> str:
    """Her phone asks on one of its two calls; which one."""
    asked, other = (leg, hers) if where == "the caller's call" else (hers, leg)
    bench.telephone.refers(asked.id, "201", replaces=other.id)
    return asked.id


@pytest.mark.parametrize("where", BUTTONS)
def test_a_colleague_who_was_consulted_takes_him_over(where: str) -> None:
    async def story() -> None:
        bench = bureau()
        leg, hers = await consults(bench, "201")
        ines = rung(bench, "ines")
        asked = refer(bench, leg, hers, where)
        await bench.pass_time(0.5)
        assert with_whom(bench) == {ines.id}
        assert leg.id not in bench.telephone.channels
        assert hers.id not in bench.telephone.channels
        assert bench.telephone.fares == [(asked, Fares.UNDER_WAY), (asked, Fares.DONE)]
        assert bench.state("ines") == "talking"
        assert not kept(bench, "lea")
        assert bench.record("c2").outcome == "served"
        [transferred] = fields(bench, "transferred")
        assert transferred == {
            "secretary": "lea",
            "to": "201",
            "way": "attended",
            "how": "refer",
            "call": "c2",
        }
        assert fields(bench, "transferred", "c2")[0]["call"] == "c1"
        # from here on Inès can do with him what any secretary can
        bench.telephone.refers(ines.id, "202")
        await bench.pass_time(3.0)
        zoe = rung(bench, "zoe")
        assert with_whom(bench) == {zoe.id}
        await over(bench)
        assert [s.secretary for s in bench.segments() if s.kind == "talk"] == ["lea", "ines", "zoe"]

    run(story())


@pytest.mark.parametrize("where", BUTTONS)
def test_a_number_that_was_consulted_stays_with_him(where: str) -> None:
    async def story() -> None:
        bench = bureau()
        leg, hers = await consults(bench, "0639981021")
        cell = outside(bench)
        assert cell is not None
        refer(bench, leg, hers, where)
        await bench.pass_time(0.5)
        assert with_whom(bench) == {cell.id}
        assert bench.kinds()[-3:] == ["talk_ended", "transferred", "patched"]
        await bench.pass_time(5.0)
        bench.telephone.caller_hangs_up(cell.id)
        await bench.pass_time(0.5)
        assert CALLER not in bench.telephone.channels
        assert bench.record().outcome == "served"
        patches = [s for s in bench.segments() if s.kind == "patch"]
        assert [round((s.end or 0) - s.start, 1) for s in patches] == [5.5]
        nothing_left(bench)

    run(story())


def test_one_who_still_rings_is_waited_for_and_unanswered_he_is_hers_again() -> None:
    async def story() -> None:
        bench = bureau()
        bench.telephone.habits[CELL] = Habit(None)
        leg = await talking(bench)
        hers = bench.telephone.dials("lea", "0639981021")
        await bench.pass_time(3.0)
        cell = outside(bench)
        assert cell is not None
        bench.telephone.refers(leg.id, "", replaces=hers.id)
        await bench.pass_time(0.5)
        assert outside(bench) is cell, "it rings on"
        assert hers.id not in bench.telephone.channels
        assert leg.id not in bench.telephone.channels
        assert kept(bench, "lea")
        assert bench.record("c2").outcome == "forwarded"
        await bench.pass_time(25.5)
        again = rung(bench, "lea")
        assert outside(bench) is None
        await bench.pass_time(2.0)
        assert with_whom(bench) == {again.id}
        await over(bench)

    run(story())


@pytest.mark.parametrize("number", ["0639981021", "201"])
def test_one_who_still_rings_and_answers_is_joined_with_him(number: str) -> None:
    async def story() -> None:
        bench = bureau()
        bench.telephone.habits[CELL] = bench.telephone.habits["ines"] = Habit(8.0)
        leg = await talking(bench)
        hers = bench.telephone.dials("lea", number)
        await bench.pass_time(3.0)
        there = outside(bench) or at_phone(bench, "ines")
        assert there is not None
        bench.telephone.refers(leg.id, "", replaces=hers.id)
        await bench.pass_time(6.0)
        assert with_whom(bench) == {there.id}
        assert not kept(bench, "lea")
        await over(bench)

    run(story())


def test_two_callers_of_hers_are_joined() -> None:
    async def story() -> None:
        bench = bureau()
        leg = await talking(bench)
        bench.telephone.call_in("chan-2", "0199001001", caller="0639980102")
        await bench.pass_time(4.0)
        assert bench.switchboard is not None
        bench.switchboard.lines["c2"].post(Asked(Park(), "ines"))
        await bench.pass_time(1.0)
        bench.telephone.holds(leg.id)
        second = await dialled(bench, "lea", "*51")
        assert with_whom(bench, "chan-2") == {second.id}
        bench.telephone.refers(leg.id, "", replaces=second.id)
        await bench.pass_time(0.5)
        assert with_whom(bench) == {"chan-2"}
        bench.telephone.caller_hangs_up("chan-2")
        await bench.pass_time(0.5)
        assert CALLER not in bench.telephone.channels
        await over(bench)
        assert bench.record("c1").outcome == bench.record("c2").outcome == "served"

    run(story())


def test_a_room_that_she_is_in_takes_him_in_and_she_leaves_it() -> None:
    async def story() -> None:
        bench = bureau()
        ines = None
        leg = await talking(bench)
        ines = await dialled(bench, "ines", "801")
        hers = await dialled(bench, "lea", "801")
        bench.telephone.refers(leg.id, "801", replaces=hers.id)
        await bench.pass_time(5.0)
        assert with_whom(bench) == {ines.id}
        assert hers.id not in bench.telephone.channels
        await over(bench)

    run(story())


def test_alone_in_the_room_she_leaves_him_the_room_itself() -> None:
    async def story() -> None:
        bench = bureau()
        leg = await talking(bench)
        hers = await dialled(bench, "lea", "801")
        bench.telephone.refers(leg.id, "801", replaces=hers.id)
        await bench.pass_time(5.0)
        assert bench.telephone.channels[CALLER].bridge == "room-801"
        assert hers.id not in bench.telephone.channels
        await over(bench)

    run(story())


def test_two_whom_she_dialled_are_joined() -> None:
    async def story() -> None:
        bench = bureau()
        bench.telephone.habits[OTHER] = Habit(1.0)
        await opened(bench)
        first = await dialled(bench, "lea", "0639981021")
        bench.telephone.holds(first.id)
        second = await dialled(bench, "lea", "0639981022")
        cell, other = outside(bench), outside(bench, OTHER)
        assert cell is not None
        assert other is not None
        bench.telephone.refers(first.id, "", replaces=second.id)
        await bench.pass_time(0.5)
        assert with_whom(bench, cell.id) == {other.id}
        assert not {first.id, second.id} & set(bench.telephone.channels)
        await over(bench)

    run(story())


def test_a_colleague_and_a_number_that_she_dialled_are_joined_and_the_colleague_may_go_on() -> None:
    async def story() -> None:
        bench = bureau()
        await opened(bench)
        first = await dialled(bench, "lea", "201")
        ines = at_phone(bench, "ines")
        second = await dialled(bench, "lea", "0639981021")
        cell = outside(bench)
        assert cell is not None
        assert ines is not None
        bench.telephone.refers(first.id, "", replaces=second.id)
        await bench.pass_time(0.5)
        assert with_whom(bench, cell.id) == {ines.id}
        bench.telephone.refers(ines.id, "202")
        await bench.pass_time(3.0)
        zoe = rung(bench, "zoe")
        assert with_whom(bench, cell.id) == {zoe.id}
        await over(bench)

    run(story())


@pytest.mark.parametrize("number", ["201", "0639981021"])
@pytest.mark.parametrize("order", [1, -1])
def test_a33_a_phone_that_hangs_up_both_calls_right_after_its_refer_loses_nobody(
    order: int, number: str
) -> None:
    async def story() -> None:
        bench = bureau()
        leg, hers = await consults(bench, number)
        there = outside(bench) or at_phone(bench, "ines")
        assert there is not None
        bench.telephone.refers(leg.id, number, replaces=hers.id)
        for channel in (leg, hers)[::order]:
            bench.telephone.phone_hangs_up(channel.id)
        await bench.pass_time(0.5)
        assert with_whom(bench) == {there.id}
        await over(bench)

    run(story())


def test_both_buttons_at_once_join_them_once() -> None:
    async def story() -> None:
        bench = bureau()
        leg, hers = await consults(bench, "201")
        ines = rung(bench, "ines")
        bench.telephone.refers(leg.id, "201", replaces=hers.id)
        bench.telephone.refers(hers.id, "", replaces=leg.id)
        await bench.pass_time(0.5)
        assert with_whom(bench) == {ines.id}
        assert len(fields(bench, "transferred")) == 1
        await over(bench)

    run(story())


@pytest.mark.parametrize("number", ["201", "0639981021"])
@pytest.mark.parametrize("before", [True, False])
def test_the_consulted_one_hangs_up_in_that_instant_the_caller_is_hers_again(
    number: str, before: bool
) -> None:
    async def story() -> None:
        bench = bureau()
        leg, hers = await consults(bench, number)
        there = outside(bench) or at_phone(bench, "ines")
        assert there is not None
        if before:
            bench.telephone.caller_hangs_up(there.id)
        bench.telephone.refers(leg.id, number, replaces=hers.id)
        if not before:
            bench.telephone.caller_hangs_up(there.id)
        await bench.pass_time(0.1)
        still = with_whom(bench)
        assert CALLER in bench.telephone.channels
        if still != {leg.id}:
            await bench.pass_time(3.0)
            if "ended" not in bench.kinds():
                again = rung(bench, "lea")
                assert with_whom(bench) == {again.id}
        await over(bench)

    run(story())


def test_the_caller_hangs_up_in_that_instant_and_she_is_left_with_the_other() -> None:
    async def story() -> None:
        bench = bureau()
        leg, hers = await consults(bench, "0639981021")
        cell = outside(bench)
        assert cell is not None
        bench.telephone.caller_hangs_up(CALLER)
        bench.telephone.refers(leg.id, "", replaces=hers.id)
        await bench.pass_time(0.5)
        assert with_whom(bench, cell.id) == {hers.id}
        assert bench.telephone.fares[-1][1] in {Fares.REFUSED, Fares.UNREACHABLE}
        await over(bench)

    run(story())


def test_a_call_of_somebody_else_cannot_be_taken_by_naming_it() -> None:
    async def story() -> None:
        bench = bureau()
        leg = await talking(bench)
        zoe = await dialled(bench, "zoe", "0639981021")
        cell = outside(bench)
        assert cell is not None
        bench.telephone.refers(leg.id, "202", replaces=zoe.id)
        bench.telephone.refers(leg.id, "202", replaces=cell.id)
        bench.telephone.refers(leg.id, "202", replaces=CALLER)
        bench.telephone.refers(leg.id, "202", replaces=leg.id)
        bench.telephone.refers(leg.id, "202", replaces="nothing")
        await bench.pass_time(1.0)
        assert {fares for _, fares in bench.telephone.fares} == {Fares.REFUSED}
        assert with_whom(bench) == {leg.id}
        assert with_whom(bench, cell.id) == {zoe.id}
        await over(bench)

    run(story())


def test_a_caller_whom_she_took_over_is_joined_with_another_one_as_the_caller_he_is() -> None:
    async def story() -> None:
        bench = bureau()
        leg = await talking(bench)
        bench.telephone.refers(leg.id, "201")
        await bench.pass_time(3.0)
        first = rung(bench, "ines")
        assert with_whom(bench) == {first.id}
        bench.telephone.call_in("chan-2", "0199001001", caller="0639980102")
        await bench.pass_time(3.0)
        assert bench.switchboard is not None
        bench.switchboard.lines["c2"].post(Asked(Park(), "lea"))
        await bench.pass_time(1.0)
        bench.telephone.holds(first.id)
        second = await dialled(bench, "ines", "*51")
        bench.telephone.refers(second.id, "", replaces=first.id)
        await bench.pass_time(0.5)
        assert with_whom(bench) == {"chan-2"}
        assert "patched" in bench.kinds("c1") + bench.kinds("c2")
        await over(bench)

    run(story())
