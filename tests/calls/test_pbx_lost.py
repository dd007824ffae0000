"""Asterisk died under its calls: who is told what, who is free, and who finds which place when he calls again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autocom.calls.reconcile import lost
from autocom.core.model import Callback, Configuration, Enqueue
from autocom.core.stages import Promised, Talking, Waiting
from autocom.core.story import Story
from autocom.core.telephony import Seen, SeenChannel
from tests.core.test_presentation import CALL
from tests.support.exchange_in_memory import CALM, Bench, client, configuration, nothing_left
from tests.support.fake_telephone import Habit
from tests.support.virtual import run

DID = "0199001001"
FIRST, SECOND, THIRD, OTHER = "0639980101", "0639980102", "0639980103", "0639980104"


def bureau(**changes: object) -> Configuration:
    return configuration(client("lilas", "+33199001001", Enqueue("medical", CALM), **changes))


async def opened(made: Configuration, *at_work: str) -> Bench:
    bench = Bench(made)
    bench.start()
    await bench.pass_time(0.01)
    await bench.at_work(*at_work)
    return bench


async def dies(bench: Bench, away: float = 2.0) -> None:
    """Asterisk is killed; the next one answers so much later."""
    with bench.telephone.deaf():
        await bench.pass_time(away)
        bench.telephone.dies()


def waiters(bench: Bench) -> list[str]:
    assert bench.switchboard is not None
    return list(bench.switchboard.dispatcher.floor.waiters)


def test_every_call_of_it_ends_as_lost_and_nobody_is_said_to_have_given_up() -> None:
    async def story() -> None:
        bench = await opened(bureau(wrap_up_min=5.0, wrap_up_max=30.0), "lea", "ines")
        bench.telephone.habits["ines"] = Habit(answers=None)
        bench.telephone.call_in("chan-1", DID, FIRST)
        await bench.pass_time(20.0)
        bench.telephone.call_in("chan-2", DID, SECOND)
        await bench.pass_time(5.0)
        assert (bench.state("lea"), bench.state("ines")) == ("talking", "ringing")
        await dies(bench)
        await bench.pass_time(0.01)
        assert (bench.state("lea"), bench.state("ines")) == ("free", "free"), "at once, and without wrap-up"
        await bench.pass_time(1.0)
        assert (bench.record("c1").outcome, bench.record("c1").cause) == ("served", None)
        assert (bench.record("c2").outcome, bench.record("c2").cause) == ("failed", None)
        assert [e.fields["stage"] for e in bench.journal.entries if e.kind == "pbx_lost"] == [
            "Talking",
            "Waiting",
        ]
        ended = next(e for e in bench.of("c1") if e.kind == "talk_ended")
        assert ended.fields["by"] == "pbx"
        offers = [e.fields["result"] for e in bench.of("c2") if e.kind == "offer_ended"]
        assert offers == ["withdrawn"], "she missed nothing"
        nothing_left(bench)
        await bench.kill()

    run(story())


def test_who_calls_again_is_in_the_order_in_which_he_first_came() -> None:
    async def story() -> None:
        bench = await opened(bureau())
        for channel, caller in (("chan-1", FIRST), ("chan-2", SECOND)):
            bench.telephone.call_in(channel, DID, caller)
            await bench.pass_time(10.0)
        await dies(bench)
        bench.telephone.call_in("chan-3", DID, OTHER)
        await bench.pass_time(5.0)
        bench.telephone.call_in("chan-4", DID, SECOND)
        await bench.pass_time(300.0)
        bench.telephone.call_in("chan-5", DID, FIRST)  # so much later, and yet before him
        await bench.pass_time(1.0)
        bench.telephone.habits["lea"] = Habit(answers=1.0)
        await bench.at_work("lea")
        order = []
        for _ in range(3):
            await bench.pass_time(5.0)
            order.append(bench.telephone.joined[-1][0])
            bench.telephone.caller_hangs_up(order[-1])
        assert order == ["chan-5", "chan-4", "chan-3"]
        returning = next(e for e in bench.of("c5") if e.kind == "returning")
        assert returning.fields["lost"] is True
        assert returning.fields["talked"] is False
        assert "returning" in bench.record("c5").flags
        await bench.kill()

    run(story())


def test_who_was_talking_comes_before_everybody_and_she_who_had_him_is_asked_first() -> None:
    async def story() -> None:
        bench = await opened(bureau(), "ines")
        bench.telephone.call_in("chan-1", DID, FIRST)
        await bench.pass_time(200.0)
        bench.telephone.call_in("chan-2", DID, SECOND)
        await bench.pass_time(60.0)
        await dies(bench)
        await bench.pass_time(1.0)
        bench.telephone.habits["ines"] = Habit(answers=None)
        bench.telephone.call_in("chan-3", DID, SECOND)  # takes ines
        await bench.pass_time(1.0)
        bench.telephone.call_in("chan-4", DID, THIRD)
        await bench.pass_time(30.0)
        bench.telephone.call_in("chan-5", DID, FIRST)
        await bench.pass_time(0.5)
        bench.telephone.habits["lea"] = Habit(answers=1.0)
        await bench.at_work("lea")
        await bench.pass_time(4.0)
        assert bench.telephone.joined[-1][0] == "chan-5", "he had been talking"
        returning = next(e for e in bench.of("c5") if e.kind == "returning")
        assert (returning.fields["talked"], returning.fields["secretary"]) == (True, "ines")
        await bench.kill()

        # and where both are free, not the better one but her whom he knows
        bench = await opened(bureau(), "ines")
        bench.telephone.call_in("chan-1", DID, FIRST)
        await bench.pass_time(20.0)
        await bench.at_work("lea")
        await dies(bench)
        bench.telephone.call_in("chan-2", DID, FIRST)
        await bench.pass_time(4.0)
        assert bench.telephone.joined[-1] == ("chan-2", "ring-c2-1-ines")
        await bench.kill()

    run(story())


def test_who_calls_again_in_the_same_instant_finds_his_place_and_a_free_secretary() -> None:
    async def story() -> None:
        bench = await opened(bureau(wrap_up_max=30.0), "lea")
        bench.telephone.call_in("chan-1", DID, FIRST)
        await bench.pass_time(20.0)
        with bench.telephone.deaf():
            bench.telephone.dies()
        bench.telephone.call_in("chan-2", DID, FIRST)  # no story has run yet
        await bench.pass_time(5.0)
        assert "returning" in bench.kinds("c2")
        assert bench.telephone.joined[-1] == ("chan-2", "ring-c2-1-lea")
        await bench.kill()

    run(story())


def test_it_is_known_over_a_restart_once_and_for_ten_minutes() -> None:
    async def story() -> None:
        bench = await opened(bureau())
        bench.telephone.call_in("chan-1", DID, FIRST)
        bench.telephone.call_in("chan-2", DID, SECOND)
        await bench.pass_time(30.0)
        # both die; the exchange learns of Asterisk's death when it is back itself
        await bench.kill()
        bench.telephone.dies()
        await bench.pass_time(5.0)
        bench.start()
        await bench.pass_time(1.0)
        assert bench.kinds("c1").count("pbx_lost") == 1
        await bench.kill()
        bench.start()
        await bench.pass_time(1.0)
        for channel in ("chan-3", "chan-4"):
            bench.telephone.call_in(channel, DID, FIRST)
            await bench.pass_time(1.0)
        assert ["returning" in bench.kinds(call) for call in ("c3", "c4")] == [True, False]
        assert bench.record("c1").outcome == "failed"
        await bench.pass_time(600.0)
        bench.telephone.call_in("chan-5", DID, SECOND)
        await bench.pass_time(1.0)
        assert "returning" not in bench.kinds("c5")
        await bench.kill()

    run(story())


def test_who_withholds_his_number_and_who_calls_another_client_begins_anew() -> None:
    async def story() -> None:
        one, other = bureau().clients["lilas"], client("roses", "+33199001002", Enqueue("medical", CALM))
        bench = await opened(configuration(one, other))
        bench.telephone.call_in("chan-1", DID, FIRST, privacy="id")
        bench.telephone.call_in("chan-2", DID, SECOND)
        await bench.pass_time(30.0)
        await dies(bench)
        bench.telephone.call_in("chan-3", DID, FIRST, privacy="id")
        bench.telephone.call_in("chan-4", "0199001002", SECOND)
        await bench.pass_time(1.0)
        assert "returning" not in bench.kinds("c3") + bench.kinds("c4")
        await bench.kill()

    run(story())


@pytest.mark.parametrize("again", [False, True])
def test_who_loses_his_place_twice_has_it_twice_until_he_has_talked(again: bool) -> None:
    async def story() -> None:
        bench = await opened(bureau(), "lea")
        bench.telephone.call_in("chan-1", DID, FIRST)
        await bench.pass_time(20.0)
        await dies(bench)
        assert bench.switchboard is not None
        bench.telephone.habits["lea"] = Habit(answers=None)
        bench.telephone.call_in("chan-2", DID, FIRST)
        await bench.pass_time(1.0)
        if again:
            await dies(bench)
            bench.telephone.call_in("chan-3", DID, FIRST)
            await bench.pass_time(1.0)
        floor = bench.switchboard.dispatcher.floor
        (call,) = waiters(bench)
        assert floor.waiters[call].head
        await bench.kill()

    run(story())


def test_a_caller_who_hung_up_in_a_mere_gap_is_not_lost() -> None:
    async def story() -> None:
        bench = await opened(bureau())
        bench.telephone.begun = bench.clock.now() - 100.0
        bench.telephone.call_in("chan-1", DID, FIRST)
        await bench.pass_time(30.0)
        with bench.telephone.deaf():
            bench.telephone.caller_hangs_up("chan-1")
            await bench.pass_time(1.0)
        await bench.pass_time(1.0)
        assert "pbx_lost" not in bench.kinds("c1")
        assert bench.record("c1").outcome == "abandoned"
        await bench.kill()

    run(story())


def test_lost_is_what_began_before_this_asterisk_and_is_not_in_it() -> None:
    waiting = Story(CALL, Waiting(Enqueue("medical"), (), 0.0, None))
    after, before = CALL.arrived_at + 1.0, CALL.arrived_at - 1.0
    assert lost(waiting, Seen({}, {}, after))
    assert not lost(waiting, Seen({}, {}, before))
    assert not lost(waiting, Seen({}, {}))
    there = SeenChannel(CALL.channel, up=True, ours=True, created_at=0.0)
    assert not lost(waiting, Seen({CALL.channel: there}, {}, after))
    # called back by the new one, and gone from it unseen
    joined = Talking("lea", "ring-c1-1-lea", 1, None, joined_at=after + 1.0)
    assert not lost(replace(waiting, stage=joined, called_back="out-c1-1"), Seen({}, {}, after))
    assert not lost(replace(waiting, called_back="out-c1-1"), Seen({}, {}, after)), (
        "he was put back to the queue"
    )
    dialled = replace(waiting, call=replace(CALL, direction="out"), called_back="out-c1-1")
    assert lost(dialled, Seen({}, {}, after))
    promised = Promised(Waiting(Enqueue("medical"), (), 0.0, None), Callback(), FIRST, (), 0.0, gone=True)
    assert not lost(replace(waiting, stage=promised), Seen({}, {}, after)), (
        "he keeps his place without a channel"
    )
