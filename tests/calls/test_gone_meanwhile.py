"""Callers who hang up while nobody watches: nobody is rung for them afterwards, and the journal has each once."""

from __future__ import annotations

import pytest

from autocom.calls.living import LEFT
from autocom.core.model import Enqueue
from autocom.core.naming import leg_id
from tests.support.exchange_in_memory import CALM, Bench, client, configuration, nothing_left, over
from tests.support.fake_telephone import FakeChannel, Habit
from tests.support.killing import Killed
from tests.support.virtual import run

DID = "0199001001"


async def opened() -> Bench:
    bench = Bench(configuration(client("lilas", "+33199001001", Enqueue("medical", CALM))))
    bench.telephone.habits = {"lea": Habit(answers=None)}
    bench.start()
    await bench.pass_time(0.01)
    await bench.at_work("lea")
    return bench


@pytest.mark.parametrize("rings", [True, False], ids=["his-phone-rings", "he-waits"])
@pytest.mark.fault("F3")
def test_no_phone_rings_for_a_caller_who_left_while_we_were_away(rings: bool) -> None:
    async def story() -> None:
        bench = await opened()
        if not rings:
            bench.telephone.call_in("chan-0", DID, "0639980102")
        bench.telephone.call_in("chan-1", DID)
        await bench.pass_time(1.0)
        await bench.kill()
        for channel in list(bench.telephone.channels):
            if channel.startswith("chan-"):
                bench.telephone.caller_hangs_up(channel)
        await bench.pass_time(2.0)
        offers = sum(entry.kind == "offered" for entry in bench.journal.entries)
        bench.start()
        await bench.pass_time(5.0)
        assert sum(entry.kind == "offered" for entry in bench.journal.entries) == offers
        assert bench.record().outcome == "abandoned"
        assert bench.state("lea") == "free"
        nothing_left(bench)
        await bench.kill()

    run(story())


@pytest.mark.fault("F3")
def test_nobody_who_has_rested_meanwhile_is_rung_for_a_caller_who_left() -> None:
    async def story() -> None:
        bench = await opened()
        bench.telephone.habits = {"lea": Habit(refuses=17)}
        bench.telephone.call_in("chan-1", DID)
        await bench.pass_time(1.0)
        await bench.kill()
        bench.telephone.caller_hangs_up("chan-1")
        bench.telephone.habits = {}
        await bench.pass_time(10.0)
        bench.start()
        await bench.pass_time(5.0)
        assert bench.kinds().count("offered") == 1, "the one that she refused"
        nothing_left(bench)
        await bench.kill()

    run(story())


def test_the_dialplan_is_told_of_each_caller_who_is_written_down_and_needs_no_mark() -> None:
    async def story() -> None:
        bench = await opened()
        bench.telephone.call_in("chan-1", DID)
        await bench.pass_time(1.0)
        assert bench.telephone.taken_down == ["chan-1"]
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(1.0)
        assert not bench.journal.rows(LEFT)
        await bench.kill()

    run(story())


def test_who_left_before_the_dialplan_was_told_has_a_mark_that_he_is_in_the_journal() -> None:
    async def story() -> None:
        bench = await opened()
        bench.telephone.call_in("chan-1", DID)
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(1.0)
        assert bench.kinds()[0] == "arrived"
        assert bench.journal.rows(LEFT) == {f"{LEFT}chan-1": "c1"}
        await bench.kill()

    run(story())


@pytest.mark.fault("F4")
def test_a_conversation_that_could_not_be_written_down_any_more_was_one() -> None:
    async def story() -> None:
        bench = await opened()
        bench.telephone.habits = {"lea": Habit(answers=2.0)}

        def die(what: str) -> None:
            if what == "connect":
                raise Killed

        bench.telephone.after = die
        bench.telephone.call_in("chan-1", DID)
        while not bench.over():
            await bench.pass_time(0.1)
        await bench.kill()
        assert "bridged" not in bench.kinds()
        bench.telephone.after = lambda _: None
        await bench.pass_time(3.0)
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(1.0)
        bench.start()
        await bench.pass_time(5.0)
        assert bench.kinds().count("bridged") == 1
        assert bench.record().outcome == "served"
        assert bench.record().talk_ms >= 3000
        await bench.pass_time(120.0)
        nothing_left(bench)
        await bench.kill()

    run(story())


@pytest.mark.fault("F3")
def test_a_leg_that_belongs_to_nothing_ends_before_its_phone_is_rung() -> None:
    async def story() -> None:
        bench = await opened()
        bench.telephone.habits = {"lea": Habit(refuses=17)}
        bench.telephone.call_in("chan-1", DID)
        await bench.pass_time(1.0)
        await bench.kill()
        old = leg_id("c0", 1, "lea")
        bench.telephone.channels[old] = FakeChannel(old, up=True)
        bench.telephone.habits = {}
        await bench.pass_time(10.0)  # she has rested: she is rung as soon as anybody is there
        done: list[str] = []
        bench.telephone.before = done.append
        bench.start()
        await bench.pass_time(5.0)
        assert old not in bench.telephone.channels
        assert done.index("hang_up") < done.index("ring")
        await over(bench)
        await bench.kill()

    run(story())
