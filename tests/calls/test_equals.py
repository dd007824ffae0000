"""Two colleagues in a call of theirs are equal: whoever was called can do with it what the one who dialled can."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autocom.calls.ports import Fares
from autocom.core.model import Configuration
from autocom.core.orders import NotPossible
from autocom.core.stages import Talking
from autocom.ordering import conversation, order
from tests.calls.transfer_bureau import (
    CALLER,
    CELL,
    at_phone,
    bureau,
    dialled,
    fields,
    opened,
    outside,
    rung,
    talking,
    with_whom,
)
from tests.support.exchange_in_memory import Bench, nothing_left, over
from tests.support.fake_telephone import FakeChannel, Habit
from tests.support.virtual import run


async def two(bench: Bench) -> tuple[FakeChannel, FakeChannel]:
    """Léa has called Inès, and they talk: the channels of both."""
    await opened(bench)
    lea = await dialled(bench, "lea", "201")
    ines = rung(bench, "ines")
    assert with_whom(bench, lea.id) == {ines.id}
    return lea, ines


def says(bench: Bench, who: str, verb: str, argument: str = "") -> object:
    assert bench.switchboard is not None
    return order(bench.switchboard, who, verb, argument)


def test_she_who_was_called_puts_her_colleague_on_hold_and_takes_her_back() -> None:
    async def story() -> None:
        bench = bureau()
        lea, ines = await two(bench)
        assert says(bench, "ines", "hold") == {"id": "ines", "verb": "hold", "call": "c1"}
        await bench.pass_time(1.0)
        assert with_whom(bench, ines.id) == set()
        assert lea.heard[-1][1].startswith("music:")
        assert bench.switchboard is not None
        assert conversation(bench.switchboard, "lea")["held_by"] == "order"
        with pytest.raises(NotPossible, match="her colleague"):
            says(bench, "lea", "transfer", "202")
        says(bench, "ines", "resume")
        await bench.pass_time(1.0)
        assert with_whom(bench, ines.id) == {lea.id}
        says(bench, "lea", "hold")
        await bench.pass_time(1.0)
        assert ines.heard[-1][1].startswith("music:"), "and the other way round"
        await over(bench)
        assert [(f["secretary"], f["of"]) for f in fields(bench, "turned")] == [
            ("ines", "lea"),
            ("lea", "ines"),
        ]
        assert bench.record().secretary == "lea", "who dialled"
        parts = [s for s in bench.segments() if s.kind in {"talk", "hold"}]
        assert [(s.kind, s.secretary) for s in parts] == [
            ("talk", "lea"),
            ("hold", "ines"),
            ("talk", "ines"),
            ("hold", "lea"),
        ]

    run(story())


@pytest.mark.parametrize("how", ["refer", "code", "api"])
def test_she_who_was_called_sends_her_colleague_to_a_third_one(how: str) -> None:
    async def story() -> None:
        bench = bureau()
        lea, ines = await two(bench)
        if how == "refer":
            bench.telephone.refers(ines.id, "202")
        elif how == "code":
            bench.telephone.presses(ines.id, "*2202#")
        else:
            says(bench, "ines", "transfer", "202")
        await bench.pass_time(0.5)
        zoe = rung(bench, "zoe")
        assert zoe.order is not None
        assert (zoe.order.display, zoe.order.number) == ("lea", "200"), "her phone shows who comes"
        assert ines.id not in bench.telephone.channels
        await bench.pass_time(3.0)
        assert with_whom(bench, lea.id) == {zoe.id}
        bench.telephone.refers(lea.id, "0639981021")  # she has been equal all the time
        await bench.pass_time(3.0)
        cell = outside(bench)
        assert cell is not None
        assert with_whom(bench, zoe.id) == {cell.id}
        await over(bench)

    run(story())


def test_a_colleague_who_is_sent_on_is_shown_by_her_own_name() -> None:
    async def story() -> None:
        bench = bureau()
        lea, ines = await two(bench)
        bench.telephone.refers(lea.id, "202")
        await bench.pass_time(0.5)
        zoe = rung(bench, "zoe")
        assert zoe.order is not None
        assert (zoe.order.display, zoe.order.number) == ("ines", "201")
        await bench.pass_time(3.0)
        assert with_whom(bench, ines.id) == {zoe.id}
        await over(bench)

    run(story())


def test_whom_a_colleague_consults_sees_the_colleague() -> None:
    async def story() -> None:
        bench = bureau()
        _, ines = await two(bench)
        bench.telephone.presses(ines.id, "*1202#")
        await bench.pass_time(0.5)
        zoe = rung(bench, "zoe")
        assert zoe.order is not None
        assert (zoe.order.display, zoe.order.number) == ("ines", "201")
        await bench.pass_time(3.0)
        assert with_whom(bench, ines.id) == {zoe.id}
        bench.telephone.presses(ines.id, "*4")
        await bench.pass_time(1.0)
        assert ines.id not in bench.telephone.channels
        await over(bench)

    run(story())


@pytest.mark.parametrize("where", ["the first call", "the second call"])
def test_she_who_was_called_joins_her_colleague_with_one_whom_she_dialled(where: str) -> None:
    async def story() -> None:
        bench = bureau()
        lea, ines = await two(bench)
        bench.telephone.holds(ines.id)
        hers = await dialled(bench, "ines", "0639981021")
        cell = outside(bench)
        assert cell is not None
        asked, other = (ines, hers) if where == "the first call" else (hers, ines)
        bench.telephone.refers(asked.id, "", replaces=other.id)
        await bench.pass_time(0.5)
        assert with_whom(bench, lea.id) == {cell.id}
        assert not {ines.id, hers.id} & set(bench.telephone.channels)
        assert bench.telephone.fares[-1][1] is Fares.DONE
        await over(bench)

    run(story())


def test_a_caller_is_left_with_the_colleague_who_had_rung_her() -> None:
    async def story() -> None:
        bench = bureau()
        await opened(bench)
        ines = await dialled(bench, "ines", "200")
        hers = rung(bench, "lea")
        bench.telephone.call_in(CALLER, "0199001001")
        await bench.pass_time(2.0)
        leg = bench.telephone.leg_of("lea")
        assert leg is not None
        assert with_whom(bench) == {leg.id}, "she takes a second call"
        bench.telephone.refers(leg.id, "", replaces=hers.id)
        await bench.pass_time(0.5)
        assert with_whom(bench) == {ines.id}
        assert not {leg.id, hers.id} & set(bench.telephone.channels)
        assert bench.record("c1").outcome == "served"
        assert bench.state("ines") == "talking"
        bench.telephone.refers(ines.id, "202")
        await bench.pass_time(3.0)
        zoe = rung(bench, "zoe")
        assert with_whom(bench) == {zoe.id}
        await over(bench)

    run(story())


def test_while_her_colleague_is_aside_or_brings_somebody_in_it_is_not_hers() -> None:
    async def story() -> None:
        bench = bureau()
        lea, ines = await two(bench)
        bench.telephone.presses(lea.id, "*1202#")
        await bench.pass_time(3.0)
        bench.telephone.refers(ines.id, "202")
        bench.telephone.presses(ines.id, "*5")
        await bench.pass_time(1.0)
        assert bench.telephone.fares == [(ines.id, Fares.REFUSED)]
        zoe = rung(bench, "zoe")
        assert with_whom(bench, lea.id) == {zoe.id}
        with pytest.raises(NotPossible):
            says(bench, "ines", "hold")
        await over(bench)

    run(story())


def test_sent_to_the_very_colleague_she_talks_to_she_stays() -> None:
    async def story() -> None:
        bench = bureau()
        lea, ines = await two(bench)
        bench.telephone.refers(ines.id, "200")
        await bench.pass_time(1.0)
        assert with_whom(bench, lea.id) == {ines.id}
        assert fields(bench, "transfer_failed")[0]["why"] == "refused"
        await over(bench)

    run(story())


@pytest.mark.parametrize("first", ["lea", "ines"])
def test_whoever_hangs_up_after_the_parts_changed_ends_it_for_both(first: str) -> None:
    async def story() -> None:
        bench = bureau()
        lea, ines = await two(bench)
        bench.telephone.presses(ines.id, "*5")
        await bench.pass_time(1.0)
        bench.telephone.presses(ines.id, "*5")
        await bench.pass_time(1.0)
        bench.telephone.phone_hangs_up((lea if first == "lea" else ines).id)
        await bench.pass_time(1.0)
        assert bench.record().outcome == "served"
        assert bench.record().direction == "internal"
        nothing_left(bench)

    run(story())


def test_her_phones_own_hold_shows_as_hers_and_her_colleague_hears_music() -> None:
    async def story() -> None:
        bench = bureau()
        lea, ines = await two(bench)
        bench.telephone.holds(ines.id)
        await bench.pass_time(1.0)
        assert lea.heard[-1][1] == "music:music-stock"
        assert fields(bench, "held")[0]["secretary"] == "ines"
        bench.telephone.holds(ines.id, held=False)
        await bench.pass_time(1.0)
        assert fields(bench, "resumed")[0]["secretary"] == "ines"
        assert with_whom(bench, lea.id) == {ines.id}
        await over(bench)

    run(story())


def test_the_one_who_is_left_when_the_caller_hangs_up_is_her_equal_as_well() -> None:
    async def story() -> None:
        bench = bureau()
        leg = await talking(bench)
        bench.telephone.presses(leg.id, "*1201#")
        await bench.pass_time(3.0)
        ines = rung(bench, "ines")
        bench.telephone.caller_hangs_up(CALLER)
        await bench.pass_time(1.0)
        assert with_whom(bench, leg.id) == {ines.id}
        bench.telephone.refers(ines.id, "202")
        await bench.pass_time(0.5)
        zoe = rung(bench, "zoe")
        assert zoe.order is not None
        assert zoe.order.display == "lea", "not the caller, who is gone"
        await bench.pass_time(3.0)
        assert with_whom(bench, leg.id) == {zoe.id}
        await over(bench)

    run(story())


def test_after_a_restart_the_parts_are_as_they_were() -> None:
    async def story() -> None:
        bench = bureau()
        lea, ines = await two(bench)
        bench.telephone.presses(ines.id, "*5")
        await bench.pass_time(1.0)
        await bench.kill()
        bench.start()
        await bench.pass_time(1.0)
        assert bench.switchboard is not None
        stage = bench.switchboard.lines["c1"].story.stage
        assert isinstance(stage, Talking)
        assert (stage.secretary, stage.leg) == ("ines", ines.id)
        assert lea.heard[-1][1].startswith("music:")
        bench.telephone.presses(ines.id, "*5")
        await bench.pass_time(1.0)
        assert with_whom(bench, lea.id) == {ines.id}
        await over(bench)

    run(story())


# --- countries


def abroad(*who: str) -> Bench:
    """The client may be served from France only; these sit elsewhere."""
    bench = bureau()
    made = bench.configuration
    staff = {s.id: replace(s, country="TN") if s.id in who else s for s in made.secretaries.values()}
    clients = {c.id: replace(c, countries=("FR",), code="12") for c in made.clients.values()}
    changed: Configuration = replace(made, secretaries=staff, clients=clients)
    bench.configuration = changed
    return bench


@pytest.mark.parametrize("how", ["transfer", "patch", "consult", "code", "refer"])
def test_a_colleague_who_may_not_serve_the_client_does_not_get_its_caller(how: str) -> None:
    async def story() -> None:
        bench = abroad("ines")
        leg = await talking(bench)
        if how == "refer":
            bench.telephone.refers(leg.id, "201")
        elif how == "code":
            bench.telephone.presses(leg.id, "*2201#")
        else:
            with pytest.raises(NotPossible, match="may not serve this client"):
                says(bench, "lea", how, "201")
        await bench.pass_time(5.0)
        assert at_phone(bench, "ines") is None
        assert with_whom(bench) == {leg.id}
        kind = "call_refused" if how == "consult" else "transfer_failed"
        assert fields(bench, kind)[0]["why"] == "not_allowed_here"
        says(bench, "lea", "transfer", "202")
        await bench.pass_time(3.0)
        zoe = rung(bench, "zoe")
        assert with_whom(bench) == {zoe.id}
        await over(bench)

    run(story())


def test_a_forward_does_not_lead_to_one_who_may_not_serve_the_client() -> None:
    async def story() -> None:
        bench = abroad("ines")
        leg = await talking(bench)
        assert bench.switchboard is not None
        bench.switchboard.house.forwards.set("zoe", "always", "201")
        bench.telephone.refers(leg.id, "202")
        await bench.pass_time(3.0)
        assert at_phone(bench, "ines") is None
        assert fields(bench, "transfer_failed")[0]["why"] == "not_allowed_here"
        assert with_whom(bench), "he is back at her"
        await over(bench)

    run(story())


@pytest.mark.parametrize("code", ["*8", "*8202", "*51"])
def test_who_may_not_serve_the_client_neither_picks_up_nor_takes_back(code: str) -> None:
    async def story() -> None:
        bench = abroad("ines")
        leg = await talking(bench)
        if code == "*51":
            says(bench, "lea", "park")
        else:
            bench.telephone.habits["zoe"] = bench.telephone.habits["lea"] = Habit(None)
            bench.telephone.refers(leg.id, "202")
            await bench.pass_time(0.5)
        if code == "*8":  # of her own team: Léa, at whom he rings again
            await bench.pass_time(26.0)
        await bench.pass_time(0.5)
        hers = bench.telephone.dials("ines", code)
        await bench.pass_time(5.0)
        assert hers.id not in with_whom(bench)
        assert [f["why"] for f in fields(bench, "call_refused", "c2")] == ["not_allowed_here"]
        await over(bench)

    run(story())


def test_who_may_not_serve_the_client_does_not_call_for_it_either() -> None:
    async def story() -> None:
        bench = abroad("ines")
        await opened(bench)
        bench.telephone.dials("ines", "*912*0639981021")
        bench.telephone.dials("ines", "*4912")
        await bench.pass_time(2.0)
        assert outside(bench) is None
        for call in ("c1", "c2"):
            assert fields(bench, "call_refused", call)[0]["why"] == "not_allowed_here"
            assert bench.record(call).outcome == "rejected"
        bench.telephone.dials("ines", "0639981021")  # for the bureau
        await bench.pass_time(3.0)
        assert outside(bench) is not None
        await over(bench)

    run(story())


def test_an_attended_transfer_to_one_who_may_not_serve_the_client_leaves_both_calls_as_they_are() -> None:
    async def story() -> None:
        bench = abroad("ines")
        leg = await talking(bench)
        bench.telephone.holds(leg.id)
        hers = await dialled(bench, "lea", "201")
        ines = rung(bench, "ines")
        bench.telephone.refers(leg.id, "201", replaces=hers.id)
        await bench.pass_time(2.0)
        assert with_whom(bench) == {leg.id}
        assert with_whom(bench, hers.id) == {ines.id}
        assert bench.telephone.fares[-1][1] is Fares.UNREACHABLE
        assert fields(bench, "transfer_failed")[0]["why"] == "not_allowed_here"
        await over(bench)

    run(story())


# --- the digit


@pytest.mark.parametrize("early", [None, 0.5])
def test_a_digit_before_the_answer_takes_no_call(early: float | None) -> None:
    async def story() -> None:
        bench = bureau()
        bench.telephone.habits[CELL] = Habit(4.0, early=early)
        leg = await talking(bench)
        says(bench, "lea", "patch", "0639981021")
        await bench.pass_time(1.5)
        cell = outside(bench)
        assert cell is not None
        bench.telephone.presses(cell.id, "1")
        await bench.pass_time(1.0)
        assert not fields(bench, "forward_accepted")
        assert not bench.telephone.channels[CALLER].bridge
        await bench.pass_time(3.0)
        assert not bench.telephone.channels[CALLER].bridge, "answered is not enough either"
        bench.telephone.presses(cell.id, "1")
        await bench.pass_time(1.0)
        assert with_whom(bench) == {cell.id}
        assert leg.id not in bench.telephone.channels
        await over(bench)

    run(story())
