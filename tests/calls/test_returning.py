"""A caller who hung up and calls again: his place, his secretary, for how long, and over a restart."""

from __future__ import annotations

import pytest

from autocom.core.model import Configuration, Enqueue
from tests.support.exchange_in_memory import CALM, Bench, client, configuration
from tests.support.fake_telephone import Habit
from tests.support.virtual import run

MINUTE = 60.0
DID = "0199001001"


def bureau(within: float = 10 * MINUTE) -> Configuration:
    return configuration(client("lilas", "+33199001001", Enqueue("medical", CALM), returning_within=within))


async def opened(made: Configuration, *at_work: str) -> Bench:
    bench = Bench(made)
    bench.start()
    await bench.pass_time(0.01)
    await bench.at_work(*at_work)
    return bench


def waited(bench: Bench, call: str) -> float:
    assert bench.switchboard is not None
    return bench.clock.now() - bench.switchboard.dispatcher.floor.waiters[call].joined


async def gives_up(bench: Bench, channel: str, after: float, **headers: str) -> None:
    bench.telephone.call_in(channel, DID, **headers)
    await bench.pass_time(after)
    bench.telephone.caller_hangs_up(channel)
    await bench.pass_time(0.1)


def test_who_calls_again_in_time_has_the_place_he_had() -> None:
    async def story() -> None:
        bench = await opened(bureau())
        await gives_up(bench, "chan-1", 90.0)
        bench.telephone.call_in("chan-2", DID, "0639980102")
        await bench.pass_time(60.0)
        bench.telephone.call_in("chan-3", DID)
        await bench.pass_time(1.0)
        assert waited(bench, "c3") == pytest.approx(91.0, abs=0.2)
        await bench.at_work("lea")
        await bench.pass_time(3.0)
        assert bench.telephone.joined == [("chan-3", "ring-c3-1-lea")], "before who came meanwhile"
        assert "returning" in bench.record("c3").flags
        entry = next(e for e in bench.of("c3") if e.kind == "returning")
        assert entry.fields["waited_ms"] == pytest.approx(90_000, abs=200)
        assert entry.fields["left_ms_ago"] == pytest.approx(60_000, abs=200)
        assert "returning" not in bench.kinds("c2")
        await bench.kill()

    run(story())


@pytest.mark.parametrize(("within", "pause"), [(10 * MINUTE, 601.0), (0.0, 1.0)])
def test_too_late_or_where_the_client_does_not_want_it_he_is_like_anybody(
    within: float, pause: float
) -> None:
    async def story() -> None:
        bench = await opened(bureau(within))
        await gives_up(bench, "chan-1", 90.0)
        await bench.pass_time(pause)
        bench.telephone.call_in("chan-2", DID)
        await bench.pass_time(1.0)
        assert waited(bench, "c2") < 1.5
        assert bench.record("c2").flags == ()
        await bench.kill()

    run(story())


def test_a_place_is_given_back_once_and_grows_with_every_wait() -> None:
    async def story() -> None:
        bench = await opened(bureau())
        await gives_up(bench, "chan-1", 30.0)
        await gives_up(bench, "chan-2", 40.0)
        bench.telephone.call_in("chan-3", DID)
        await bench.pass_time(0.1)
        assert waited(bench, "c3") == pytest.approx(70.0, abs=0.5)
        bench.telephone.call_in("chan-4", DID)
        await bench.pass_time(0.1)
        assert waited(bench, "c4") < 1.0
        await bench.kill()

    run(story())


def test_who_withholds_his_number_is_nobody() -> None:
    async def story() -> None:
        bench = await opened(bureau())
        await gives_up(bench, "chan-1", 90.0, privacy="id")
        bench.telephone.call_in("chan-2", DID, privacy="id")
        await bench.pass_time(0.1)
        assert waited(bench, "c2") < 1.0
        assert not [key for key in bench.journal.floor if key.startswith("returning:")]
        await bench.kill()

    run(story())


def test_the_place_survives_a_restart() -> None:
    async def story() -> None:
        bench = await opened(bureau())
        await gives_up(bench, "chan-1", 90.0)
        await bench.kill()
        bench.start()
        await bench.pass_time(1.0)
        bench.telephone.call_in("chan-2", DID)
        await bench.pass_time(0.1)
        assert waited(bench, "c2") == pytest.approx(90.0, abs=0.5)
        assert not [key for key in bench.journal.floor if key.startswith("returning:")]
        await bench.kill()

    run(story())


def test_r78_who_was_cut_off_has_his_place_for_ten_minutes_whatever_the_client_says() -> None:
    async def story() -> None:
        bench = await opened(bureau(0.0))
        bench.telephone.call_in("chan-1", DID)
        await bench.pass_time(90.0)
        with bench.telephone.deaf():
            bench.telephone.caller_hangs_up("chan-1")  # with the Asterisk that died
            await bench.pass_time(1.0)
        await bench.pass_time(500.0)
        bench.telephone.call_in("chan-2", DID)
        await bench.pass_time(0.1)
        assert waited(bench, "c2") == pytest.approx(91.0, abs=0.5)
        entry = next(e for e in bench.of("c2") if e.kind == "returning")
        assert entry.fields["cut"] is True
        await bench.kill()

    run(story())


def test_r76_the_secretary_he_talked_to_is_asked_first_if_she_is_free() -> None:
    async def story() -> None:
        bench = await opened(bureau(), "ines")
        bench.telephone.call_in("chan-1", DID)
        await bench.pass_time(20.0)
        bench.telephone.caller_hangs_up("chan-1")
        await bench.at_work("lea")  # of a better level
        await bench.pass_time(60.0)
        bench.telephone.call_in("chan-2", DID)
        await bench.pass_time(3.0)
        assert bench.telephone.joined[-1] == ("chan-2", "ring-c2-1-ines")
        assert bench.record("c2").flags == (), "he has no place to get back, only an acquaintance"
        bench.telephone.call_in("chan-3", DID)
        await bench.pass_time(3.0)
        assert bench.telephone.joined[-1] == ("chan-3", "ring-c3-1-lea"), "she is busy: whoever is free"
        await bench.kill()

    run(story())


def test_who_was_served_has_no_place_to_get_back() -> None:
    async def story() -> None:
        bench = await opened(bureau(), "lea")
        bench.telephone.habits["lea"] = Habit(answers=8.0)
        bench.telephone.call_in("chan-1", DID)
        await bench.pass_time(60.0)
        bench.telephone.phone_hangs_up("ring-c1-1-lea")
        await bench.pass_time(5.0)
        bench.telephone.call_in("chan-2", DID)
        await bench.pass_time(1.0)
        assert waited(bench, "c2") < 1.5
        await bench.kill()

    run(story())


def test_what_counts_no_longer_is_forgotten_and_what_cannot_be_read_is_no_obstacle() -> None:
    async def story() -> None:
        bench = await opened(bureau())
        await gives_up(bench, "chan-1", 90.0)
        bench.journal.floor["returning:lilas:+33639980109"] = {"_": "Visit", "waited": "long"}
        await bench.kill()
        bench.start()
        await bench.pass_time(700.0)
        await gives_up(bench, "chan-2", 20.0, caller="0639980102")
        kept = [key for key in bench.journal.floor if key.startswith("returning:")]
        assert "returning:lilas:+33639980101" not in kept
        assert "returning:lilas:+33639980102" in kept
        assert bench.failure() is None
        await bench.kill()

    run(story())


def test_r78_whose_line_died_was_cut_off_too() -> None:
    async def story() -> None:
        bench = await opened(bureau(0.0))
        bench.telephone.call_in("chan-1", DID)
        await bench.pass_time(90.0)
        bench.telephone.vanishes("chan-1")
        await bench.pass_time(60.0)
        bench.telephone.call_in("chan-2", DID)
        await bench.pass_time(0.1)
        assert waited(bench, "c2") == pytest.approx(90.0, abs=0.5)
        await bench.kill()

    run(story())
