"""Blind transfers: a colleague, a number, a queue, a room; what may not be; and the way back to her who sent him."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autocom.calls.notes import Asked
from autocom.calls.ports import Fares
from autocom.core.model import Enqueue
from autocom.core.orders import PutThrough
from autocom.core.targets import Outside
from autocom.core.telephony import Cause
from tests.calls.transfer_bureau import (
    CALLER,
    CELL,
    LILAS,
    at_phone,
    bureau,
    dialled,
    fields,
    kept,
    outside,
    rung,
    talking,
    with_whom,
)
from tests.support.exchange_in_memory import CALM, Bench, client, heard, nothing_left, over
from tests.support.fake_telephone import Habit
from tests.support.virtual import run


def ask(bench: Bench, order: object, secretary: str = "lea", call: str = "c1") -> None:
    """By keys or API."""
    assert bench.switchboard is not None
    bench.switchboard.lines[call].post(Asked(order, secretary))  # type: ignore[arg-type]


def test_a_blind_transfer_to_an_extension_lets_her_go_at_once_and_joins_him_with_the_colleague() -> None:
    async def story() -> None:
        bench = bureau()
        leg = await talking(bench)
        bench.telephone.refers(leg.id, "201")
        await bench.pass_time(0.5)
        assert leg.id not in bench.telephone.channels
        assert bench.telephone.fares == [(leg.id, Fares.UNDER_WAY), (leg.id, Fares.DONE)]
        assert heard(bench)[-1] == "music:music-hold"
        assert kept(bench, "lea"), "he may come back to her"
        hers = rung(bench, "ines")
        assert hers.order is not None
        assert hers.order.display.startswith("Lilas · ")
        assert hers.order.headers["X-Autocom-Client"] == "lilas"
        assert hers.order.phone
        await bench.pass_time(3.0)
        assert with_whom(bench) == {hers.id}
        assert bench.state("ines") == "talking"
        assert bench.state("lea") == "free"
        [transferred] = fields(bench, "transferred")
        assert transferred == {"secretary": "lea", "to": "201", "way": "blind", "how": "refer"}
        await bench.pass_time(4.0)
        await over(bench)
        record = bench.record()
        assert (record.outcome, record.secretary) == ("served", "ines")
        talks = [s for s in bench.segments() if s.kind == "talk"]
        assert [s.secretary for s in talks] == ["lea", "ines"]
        assert record.talk_ms == sum(round(((s.end or 0) - s.start) * 1000) for s in talks)

    run(story())


def test_unanswered_he_is_back_at_her_phone_before_anybody_else_and_it_shows_why() -> None:
    async def story() -> None:
        bench = bureau()
        bench.telephone.habits["ines"] = Habit(None)
        leg = await talking(bench)
        bench.telephone.refers(leg.id, "201")
        await bench.pass_time(25.5)
        hers = at_phone(bench, "lea")
        assert hers is not None, "she rings again"
        assert at_phone(bench, "ines") is None
        assert hers.order is not None
        assert hers.order.display.startswith("Retour Lilas · ")
        assert hers.order.headers["X-Autocom-Returned"] == "1"
        assert hers.order.headers["X-Autocom-Note"] == '"ines n\'a pas répondu"'
        assert ("lea", "Retour : ines n'a pas répondu") in bench.telephone.told
        await bench.pass_time(2.0)
        assert with_whom(bench) == {hers.id}
        assert fields(bench, "transfer_failed") == [{"secretary": "lea", "to": "201", "why": "no_answer"}]
        assert fields(bench, "returned") == [{"secretary": "lea", "why": "no_answer"}]
        await over(bench)
        assert [s.secretary for s in bench.segments() if s.kind == "talk"] == ["lea", "lea"]

    run(story())


@pytest.mark.parametrize("cause", [Cause.BUSY, Cause.REJECTED, Cause.NO_RESPONSE])
def test_a_colleague_who_is_busy_or_declines_sends_him_back_at_once(cause: Cause) -> None:
    async def story() -> None:
        bench = bureau()
        bench.telephone.habits["ines"] = Habit(refuses=cause)
        leg = await talking(bench)
        bench.telephone.refers(leg.id, "201")
        await bench.pass_time(0.5)
        hers = rung(bench, "lea")
        assert hers.id != leg.id
        await over(bench)

    run(story())


def test_she_alone_is_asked_for_twelve_seconds_then_the_whole_team() -> None:
    async def story() -> None:
        bench = bureau()
        bench.telephone.habits["ines"] = Habit(None)
        leg = await talking(bench)
        bench.telephone.habits["lea"] = Habit(None)
        bench.telephone.refers(leg.id, "201")
        await bench.pass_time(26.0)
        assert at_phone(bench, "lea") is not None
        await bench.pass_time(10.0)
        assert at_phone(bench, "ines") is None
        await bench.pass_time(2.5)
        assert at_phone(bench, "ines") is not None
        await over(bench)

    run(story())


def test_where_she_has_gone_meanwhile_whoever_is_free_is_asked_first_of_all_callers() -> None:
    async def story() -> None:
        bench = bureau()
        bench.telephone.habits["ines"] = Habit(None)
        leg = await talking(bench)
        bench.telephone.refers(leg.id, "201")
        await bench.pass_time(20.0)
        bench.telephone.register("lea", reachable=False)
        await bench.pass_time(6.0)
        hers = rung(bench, "ines")
        assert hers.order is not None
        assert "X-Autocom-Returned" not in hers.order.headers
        await over(bench)

    run(story())


def test_nothing_else_is_offered_to_her_while_he_may_come_back_to_her() -> None:
    async def story() -> None:
        bench = bureau()
        bench.telephone.habits["ines"] = Habit(None)
        leg = await talking(bench)
        bench.telephone.refers(leg.id, "201")
        await bench.pass_time(1.0)
        bench.telephone.call_in("chan-2", "0199001001")
        await bench.pass_time(15.0)
        assert at_phone(bench, "lea") is None
        await bench.pass_time(10.0)
        hers = rung(bench, "lea")
        assert hers.order is not None
        assert hers.order.headers["X-Autocom-Returned"] == "1"
        await over(bench)

    run(story())


def test_a_caller_who_hangs_up_on_the_way_leaves_nothing_behind_and_frees_her() -> None:
    async def story() -> None:
        bench = bureau()
        bench.telephone.habits["ines"] = Habit(None)
        leg = await talking(bench)
        bench.telephone.refers(leg.id, "201")
        await bench.pass_time(3.0)
        bench.telephone.caller_hangs_up(CALLER)
        await bench.pass_time(1.0)
        assert bench.state("lea") == "free"
        assert at_phone(bench, "ines") is None
        assert bench.record().outcome == "served"
        nothing_left(bench)

    run(story())


def test_a_blind_transfer_to_a_number_joins_him_with_it_and_shows_the_numbers_that_may_be_shown() -> None:
    async def story() -> None:
        bench = bureau()
        leg = await talking(bench)
        bench.telephone.refers(leg.id, "0639981021")
        await bench.pass_time(1.0)
        cell = outside(bench)
        assert cell is not None
        assert cell.order is not None
        assert cell.order.number == "+33199001000", "the client's number was not verified"
        await bench.pass_time(2.0)
        assert with_whom(bench) == {cell.id}
        assert bench.state("lea") == "free"
        bench.telephone.caller_hangs_up(cell.id)
        await bench.pass_time(1.0)
        assert bench.record().outcome == "served"
        assert [s.kind for s in bench.segments() if s.kind in {"talk", "patch"}] == ["talk", "patch"]
        nothing_left(bench)

    run(story())


def test_an_unattended_patch_is_taken_by_the_key_alone() -> None:
    async def story() -> None:
        bench = bureau()
        bench.telephone.habits[CELL] = Habit(1.0, presses=((4.0, "1"),))
        leg = await talking(bench)
        ask(bench, PutThrough(Outside(CELL), "code"))
        await bench.pass_time(3.0)
        assert leg.id not in bench.telephone.channels
        cell = outside(bench)
        assert cell is not None
        assert "patch-ask" in [what for _, what in cell.heard]
        assert with_whom(bench) == set()
        await bench.pass_time(3.0)
        assert with_whom(bench) == {cell.id}
        [transferred] = fields(bench, "transferred")
        assert (transferred["way"], transferred["how"]) == ("patch", "code")
        await over(bench)

    run(story())


def test_s17_a_voicemail_that_answers_does_not_swallow_him_he_is_back_within_twelve_seconds() -> None:
    async def story() -> None:
        bench = bureau()
        bench.telephone.habits[CELL] = Habit(1.0)
        await talking(bench)
        ask(bench, PutThrough(Outside(CELL)))
        await bench.pass_time(1.5)
        answered = bench.clock.now()
        while at_phone(bench, "lea") is None or at_phone(bench, "lea").up:  # type: ignore[union-attr]
            await bench.pass_time(0.1)
        assert bench.clock.now() - answered <= 12.0
        assert fields(bench, "returned") == [{"secretary": "lea", "why": "not_accepted"}]
        await over(bench)

    run(story())


def test_s18_a_mobile_that_sends_him_back_to_us_is_a_loop_she_is_told_and_he_is_hers_again() -> None:
    async def story() -> None:
        bench = bureau()
        bench.telephone.habits[CELL] = Habit(returns_to="0199001001")
        await talking(bench)
        ask(bench, PutThrough(Outside(CELL)))
        await bench.pass_time(1.0)
        rung(bench, "lea")
        assert fields(bench, "returned") == [{"secretary": "lea", "why": "loop"}]
        assert any("renvoie ses appels chez nous" in text for _, text in bench.telephone.told)
        looped = next(e.call for e in bench.journal.entries if e.kind == "identified" and e.call != "c1")
        assert bench.record(looped or "").outcome == "rejected"
        await over(bench)

    run(story())


def test_another_queue_keeps_his_waiting_time_and_says_no_welcome_again() -> None:
    async def story() -> None:
        bench = bureau()
        leg = await talking(bench)
        await bench.pass_time(30.0)
        bench.telephone.refers(leg.id, "601")
        await bench.pass_time(1.0)
        assert at_phone(bench, "zoe") is not None
        assert at_phone(bench, "ines") is None
        [offer] = [e for e in bench.of("c1") if e.kind == "offered" and e.fields["secretary"] == "zoe"]
        waited = offer.fields["why"]["waited_ms"]  # type: ignore[index,call-overload]
        assert 900 <= waited <= 1500, "what he waited for Léa counts, the conversation does not"
        assert "welcome" not in heard(bench)
        assert not kept(bench, "lea")
        [transferred] = fields(bench, "transferred")
        assert (transferred["way"], transferred["to"]) == ("team", "general")
        await bench.pass_time(3.0)
        zoe = rung(bench, "zoe")
        assert with_whom(bench) == {zoe.id}
        await over(bench)
        assert bench.record().secretary == "zoe"

    run(story())


def test_another_queue_does_not_ask_her_first_who_sent_him_there() -> None:
    async def story() -> None:
        bench = bureau()
        made = bench.configuration
        hers = replace(made.secretaries["lea"], teams={"medical": 1, "general": 2})
        bench.configuration = replace(made, secretaries={**made.secretaries, "lea": hers})
        leg = await talking(bench)
        bench.telephone.refers(leg.id, "601")
        await bench.pass_time(1.0)
        assert at_phone(bench, "zoe") is not None, "of level 1 there"
        assert at_phone(bench, "lea") is None
        await over(bench)

    run(story())


def test_a_room_takes_him_in() -> None:
    async def story() -> None:
        bench = bureau()
        leg = await talking(bench)
        ines = bench.telephone.dials("ines", "801")
        await bench.pass_time(5.0)
        bench.telephone.refers(leg.id, "801")
        await bench.pass_time(5.0)
        assert with_whom(bench) == {ines.id}
        assert leg.id not in bench.telephone.channels
        await over(bench)

    run(story())


REFUSED = [
    "0033899123456",
    "0899123456",
    "+881612345678",
    "+870776543210",
    "*72",
    "*21*0639981021",
    "",
    "1" * 300,
    "15",
    "112",
    "003315",
    "+3317",
    "999",
    "3114",
    "+19005550123",
    "00",
    "203",
    "0199001001",
    "0639980101",  # the caller himself
    "200",
]


@pytest.mark.parametrize("wanted", REFUSED)
def test_what_may_not_be_dialled_may_not_be_transferred_to_she_stays_with_him(wanted: str) -> None:
    async def story() -> None:
        bench = bureau()
        leg = await talking(bench)
        bench.telephone.refers(leg.id, wanted)
        await bench.pass_time(1.0)
        assert with_whom(bench) == {leg.id}
        assert bench.telephone.fares[-1] == (leg.id, Fares.REFUSED)
        rung = [c for c in bench.telephone.channels.values() if c.order is not None and c.id != leg.id]
        assert rung == []
        await bench.pass_time(1.0)
        assert bench.state("lea") == "talking"
        await over(bench)

    run(story())


def test_a_number_too_many_is_refused_like_one_that_she_dials() -> None:
    async def story() -> None:
        bench = bureau()
        limits = replace(bench.configuration.bureau.outgoing.per_secretary, per_hour=1)
        outgoing = replace(bench.configuration.bureau.outgoing, per_secretary=limits)
        bench.configuration = replace(
            bench.configuration, bureau=replace(bench.configuration.bureau, outgoing=outgoing)
        )
        leg = await talking(bench)
        hers = await dialled(bench, "lea", "0639981021")
        bench.telephone.caller_hangs_up(hers.id)
        await bench.pass_time(1.0)
        bench.telephone.refers(leg.id, "0639981021")
        await bench.pass_time(1.0)
        assert with_whom(bench) == {leg.id}
        assert fields(bench, "transfer_failed")[-1]["why"] == "limit"
        await over(bench)

    run(story())


def test_a_caller_or_somebody_outside_may_not_transfer_anybody() -> None:
    async def story() -> None:
        bench = bureau()
        leg = await talking(bench)
        bench.telephone.refers(CALLER, "201")
        await bench.pass_time(1.0)
        assert with_whom(bench) == {leg.id}
        assert bench.telephone.fares == [(CALLER, Fares.REFUSED)]
        await over(bench)

    run(story())


def test_a_phone_that_hangs_up_right_after_its_refer_does_not_lose_him() -> None:
    async def story() -> None:
        bench = bureau()
        leg = await talking(bench)
        bench.telephone.refers(leg.id, "201")
        bench.telephone.phone_hangs_up(leg.id)
        await bench.pass_time(4.0)
        hers = rung(bench, "ines")
        assert with_whom(bench) == {hers.id}
        await over(bench)

    run(story())


def test_a_colleague_whose_phone_is_nowhere_is_refused_and_she_stays_with_him() -> None:
    async def story() -> None:
        bench = bureau()
        leg = await talking(bench, "zoe")
        bench.telephone.refers(leg.id, "201")
        await bench.pass_time(1.0)
        assert with_whom(bench) == {leg.id}
        assert fields(bench, "transfer_failed") == [
            {"secretary": "lea", "to": "201", "why": "unreachable", "stays": True}
        ]
        assert any("Transfert refusé" in text for _, text in bench.telephone.told)
        await over(bench)

    run(story())


def test_a_colleague_who_is_away_and_forwards_her_phone_can_be_transferred_to() -> None:
    async def story() -> None:
        bench = bureau()
        leg = await talking(bench, "zoe")
        assert bench.switchboard is not None
        bench.switchboard.house.forwards.set("ines", "always", "202")
        bench.telephone.refers(leg.id, "201")
        await bench.pass_time(3.0)
        zoe = rung(bench, "zoe")
        assert with_whom(bench) == {zoe.id}
        await over(bench)

    run(story())


def test_the_colleague_sends_him_on_in_turn_and_he_comes_back_to_her() -> None:
    async def story() -> None:
        bench = bureau()
        bench.telephone.habits["ines"] = Habit(None)
        leg = await talking(bench)
        bench.telephone.refers(leg.id, "202")
        await bench.pass_time(3.0)
        zoe = rung(bench, "zoe")
        assert with_whom(bench) == {zoe.id}
        bench.telephone.refers(zoe.id, "201")
        await bench.pass_time(26.0)
        hers = at_phone(bench, "zoe")
        assert hers is not None, "back to Zoé, though she is of another team"
        assert at_phone(bench, "lea") is None
        await bench.pass_time(2.0)
        assert with_whom(bench) == {hers.id}
        await over(bench)
        assert [s.secretary for s in bench.segments() if s.kind == "talk"] == ["lea", "zoe", "zoe"]

    run(story())


def test_somebody_whom_she_dialled_is_transferred_like_a_caller_and_comes_back_to_her() -> None:
    async def story() -> None:
        bench = bureau()
        bench.telephone.habits["ines"] = Habit(None)
        bench.start()
        await bench.pass_time(0.01)
        await bench.at_work("lea", "ines", "zoe")
        channel = await dialled(bench, "lea", "0639981021")
        cell = outside(bench)
        assert cell is not None
        bench.telephone.refers(channel.id, "201")
        await bench.pass_time(1.0)
        assert channel.id not in bench.telephone.channels
        assert at_phone(bench, "ines") is not None
        await bench.pass_time(26.0)
        hers = rung(bench, "lea")
        await bench.pass_time(2.0)
        assert with_whom(bench, cell.id) == {hers.id}
        await over(bench)
        assert bench.record().outcome == "served"

    run(story())


def test_his_phone_hold_ends_with_the_transfer() -> None:
    async def story() -> None:
        bench = bureau(client("lilas", "+33199001001", Enqueue("medical", CALM), hold_music=LILAS.hold_music))
        leg = await talking(bench)
        bench.telephone.holds(leg.id)
        await bench.pass_time(3.0)
        bench.telephone.refers(leg.id, "201")
        await bench.pass_time(4.0)
        hers = rung(bench, "ines")
        assert with_whom(bench) == {hers.id}
        await bench.pass_time(2.0)
        await over(bench)
        kinds = [s.kind for s in bench.segments()]
        assert kinds.count("hold") == 1
        assert kinds.count("talk") == 2

    run(story())
