"""Races and outages that no plot of the crash test happens to meet, each at its own instant."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from autocom.calls.ports import Outbound, TelephoneDown, always
from autocom.core.model import Enqueue, Mode, Play
from autocom.core.telephony import MusicEnded
from tests.support.exchange_in_memory import CALM, WELCOME, Bench, client, configuration, heard
from tests.support.fake_telephone import FakeTelephone, Habit
from tests.support.virtual import run

MUST_HEAR = (Play(WELCOME, Mode.ANSWERED, must_hear=True), Enqueue("medical", CALM))


async def opened(*steps: object) -> Bench:
    """A bench with lea at work."""
    bench = Bench(configuration(client("lilas", "+33199001001", *steps)))
    bench.start()
    await bench.pass_time(0.01)
    await bench.at_work("lea")
    return bench


def test_killed_while_she_waits_for_the_end_of_the_message_the_two_are_joined_after_the_restart() -> None:
    async def story() -> None:
        bench = await opened(*MUST_HEAR)
        bench.telephone.habits["lea"] = Habit(answers=1.0)
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(2.0)
        assert bench.state("lea") == "talking"
        await bench.kill()
        await bench.pass_time(0.5)
        bench.start()
        await bench.pass_time(6.0)
        assert bench.telephone.joined == [("chan-1", "ring-c1-1-lea")]
        assert bench.failure() is None
        await bench.kill()

    run(story())


def test_a_secretary_who_left_in_the_outage_gives_the_caller_back_to_the_queue() -> None:
    async def story() -> None:
        bench = await opened(*MUST_HEAR)
        bench.telephone.habits["lea"] = Habit(answers=1.0)
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(2.0)
        await bench.kill()
        bench.telephone.phone_hangs_up("ring-c1-1-lea")
        bench.start()
        await bench.pass_time(8.0)
        assert bench.telephone.joined == [("chan-1", "ring-c1-2-lea")]
        await bench.kill()

    run(story())


class SlowToRing(FakeTelephone):
    """An Asterisk that takes its time to create a leg."""

    rang: bool | None = None

    async def ring(self, leg: Outbound, wanted: Callable[[], bool] = always) -> None:
        await asyncio.sleep(0.2)
        await super().ring(leg, wanted)
        self.rang = leg.channel in self.channels


def test_a_caller_who_leaves_while_her_leg_is_being_made_leaves_no_phone_ringing() -> None:
    async def story() -> None:
        bench = Bench(configuration(client("lilas", "+33199001001")))
        bench.telephone = SlowToRing(bench.clock, bench.telephone.lengths)
        bench.start()
        await bench.pass_time(0.01)
        await bench.at_work("lea")
        bench.telephone.habits["lea"] = Habit(answers=None)
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(0.1)
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(1.0)
        assert not bench.telephone.channels
        assert bench.telephone.rang is False, "her phone rang for nobody"
        assert bench.state("lea") == "free"
        await bench.kill()

    run(story())


@pytest.mark.parametrize("what", ["answer", "play", "start_music", "connect", "stop_music"])
def test_a_command_that_gets_no_answer_is_run_again_and_the_call_is_served(what: str) -> None:
    async def story() -> None:
        bench = await opened(Play(WELCOME), Enqueue("medical", CALM))
        bench.telephone.habits["lea"] = Habit(answers=6.0)

        def down_once(effect: str) -> None:
            if effect == what:
                bench.telephone.before = lambda _: None
                raise TelephoneDown("no answer")

        bench.telephone.before = down_once
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(12.0)
        assert bench.telephone.joined == [("chan-1", "ring-c1-1-lea")]
        assert "crashed" not in bench.kinds()
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(0.5)
        assert bench.record().outcome == "served"
        assert bench.state("lea") == "free"
        await bench.kill()

    run(story())


def test_commands_without_answer_at_the_early_limit_do_not_end_the_call() -> None:
    async def story() -> None:
        bench = Bench(configuration(client("lilas", "+33199001001", early_limit=2.0)))
        bench.start()
        await bench.pass_time(0.01)
        fails = 3

        def down(effect: str) -> None:
            nonlocal fails
            if effect == "answer" and fails:
                fails -= 1
                raise TelephoneDown("no answer")

        bench.telephone.before = down
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(10.0)
        assert bench.telephone.channels["chan-1"].up
        assert "crashed" not in bench.kinds()
        await bench.kill()

    run(story())


def test_music_that_dies_with_an_answer_that_failed_does_not_end_the_call_and_is_begun_anew() -> None:
    async def story() -> None:
        bench = Bench(
            configuration(client("lilas", "+33199001001", Enqueue("medical", CALM), early_limit=6.0))
        )
        bench.start()
        await bench.pass_time(0.01)
        loop, down_until = asyncio.get_running_loop(), 0.0

        def answered(effect: str) -> None:
            nonlocal down_until
            if effect == "answer" and not down_until:
                # taken, which stops the music; what was to begin it anew fails, and the watch tells its end
                down_until = loop.time() + 1.5
                bench.telephone.channels["chan-1"].heard.append((bench.clock.now(), "silence"))
                ended = MusicEnded("chan-1", "music-calm", at_once=False)
                loop.call_later(0.2, lambda: bench.telephone._tell(ended))
                raise TelephoneDown("500")

        def down(effect: str) -> None:
            if effect == "start_music" and loop.time() < down_until:
                raise TelephoneDown("500")

        bench.telephone.after, bench.telephone.before = answered, down
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(10.0)
        assert "crashed" not in bench.kinds()
        assert bench.telephone.handed_back == []
        assert heard(bench) == ["music:music-calm", "silence", "music:music-calm"]
        assert bench.switchboard is not None
        assert list(bench.switchboard.dispatcher.floor.waiters) == ["c1"], "he kept his place"
        await bench.kill()

    run(story())


def test_a_crash_in_ringing_one_phone_costs_only_that_offer() -> None:
    async def story() -> None:
        bench = await opened(Enqueue("medical", CALM))
        await bench.at_work("ines")

        def once(effect: str) -> None:
            if effect == "ring":
                bench.telephone.before = lambda _: None
                raise ZeroDivisionError("a bug")

        bench.telephone.before = once
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(5.0)
        assert bench.failure() is None
        assert bench.telephone.joined == [("chan-1", "ring-c1-2-ines")]
        await bench.kill()

    run(story())


def test_events_lost_in_a_gap_are_made_up_for_when_the_telephone_is_back() -> None:
    async def story() -> None:
        bench = await opened(Enqueue("medical", CALM))
        bench.telephone.habits["lea"] = Habit(answers=1.0)
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(3.0)
        assert bench.state("lea") == "talking"
        with bench.telephone.deaf():
            bench.telephone.phone_hangs_up("ring-c1-1-lea")
            await bench.pass_time(1.0)
        await bench.pass_time(1.0)
        assert bench.record().outcome == "served"
        assert bench.state("lea") == "free"
        assert not bench.telephone.channels
        assert not bench.telephone.bridges
        await bench.kill()

    run(story())


def test_killed_between_the_bridge_and_the_floor_hearing_of_it_he_is_not_offered_again() -> None:
    async def story() -> None:
        bench = await opened(Enqueue("medical", CALM))
        bench.telephone.habits["lea"] = Habit(answers=1.0)
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(0.5)
        waiter = dict(bench.journal.floor)["waiter:c1"]
        assert isinstance(waiter, dict)
        await bench.pass_time(2.0)
        await bench.kill()
        # the last save of the floor did not happen
        bench.journal.floor["waiter:c1"] = {**waiter, "held": "lea", "ringing": []}
        bench.start()
        await bench.pass_time(1.0)
        assert bench.switchboard is not None
        assert not bench.switchboard.dispatcher.floor.waiters
        bench.telephone.phone_hangs_up("ring-c1-1-lea")
        await bench.pass_time(1.0)
        assert bench.record().offers == 1
        assert bench.record().outcome == "served"
        await bench.kill()

    run(story())


def test_a_pick_up_that_was_not_heard_of_counts_even_if_her_turn_ended_meanwhile() -> None:
    async def story() -> None:
        bench = await opened(Enqueue("medical", CALM, ring_for=5.0))
        bench.telephone.habits["lea"] = Habit(answers=4.0)
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(3.0)
        with bench.telephone.deaf():
            await bench.pass_time(6.0)
        await bench.pass_time(1.0)
        assert bench.telephone.joined == [("chan-1", "ring-c1-1-lea")]
        assert bench.record().offers == 1
        await bench.kill()

    run(story())


def test_an_asterisk_that_answers_nothing_pauses_nobody() -> None:
    async def story() -> None:
        bench = await opened(Enqueue("medical", CALM))

        def dead(effect: str) -> None:
            if effect == "ring":
                raise TelephoneDown("frozen")

        bench.telephone.before = dead
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(60.0)
        assert bench.state("lea") in {"free", "ringing"}
        bench.telephone.before = lambda _: None
        await bench.pass_time(20.0)
        assert len(bench.telephone.joined) == 1
        await bench.kill()

    run(story())


def test_a_crashed_story_reaches_the_fallback_even_if_the_first_requests_get_no_answer() -> None:
    async def story() -> None:
        bench = await opened(Enqueue("medical", CALM))
        failures = 2

        def trouble(effect: str) -> None:
            nonlocal failures
            if effect == "to_fallback" and failures:
                failures -= 1
                raise TelephoneDown("no answer")
            if effect == "start_music":
                raise ZeroDivisionError("a bug")

        bench.telephone.before = trouble
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(5.0)
        assert bench.telephone.past["chan-1"].heard[-1][1] == "fallback"
        await bench.kill()

    run(story())


def test_a_newcomer_is_asked_for_until_he_is_known() -> None:
    async def story() -> None:
        bench = await opened(Enqueue("medical", CALM))
        await bench.kill()
        bench.telephone.call_in("chan-1", "0199001001")
        failures = 2

        def trouble(effect: str) -> None:
            nonlocal failures
            if effect == "ingress" and failures:
                failures -= 1
                raise TelephoneDown("no answer")

        bench.telephone.before = trouble
        bench.start()
        await bench.pass_time(5.0)
        assert bench.telephone.channels["chan-1"].music == "music-calm" or bench.telephone.joined
        await bench.kill()

    run(story())


def test_a_secretary_who_is_new_is_known_by_the_phone_that_was_told_of_before() -> None:
    async def story() -> None:
        bench = Bench(configuration(client("lilas", "+33199001001"), lea={"medical": 1}))
        bench.start()
        await bench.pass_time(0.01)
        bench.telephone.register("zoe")
        await bench.pass_time(0.1)
        assert bench.switchboard is not None
        bench.switchboard.use(
            configuration(client("lilas", "+33199001001"), lea={"medical": 1}, zoe={"medical": 1})
        )
        assert bench.state("zoe") == "logged_out"
        await bench.kill()

    run(story())


def test_a_floor_row_that_cannot_be_read_costs_no_start() -> None:
    async def story() -> None:
        bench = await opened(Enqueue("medical", CALM))
        bench.telephone.habits["lea"] = Habit(answers=None)
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(1.0)
        await bench.kill()
        bench.journal.floor["post:lea"] = {"_": "Unheard", "of": 1}
        bench.start()
        await bench.pass_time(1.0)
        assert bench.failure() is None
        assert bench.state("lea") == "logged_out"
        await bench.kill()

    run(story())


def test_a_wait_that_ran_out_while_away_sends_him_out_of_that_queue_and_no_other() -> None:
    async def story() -> None:
        over = Enqueue("medical", CALM, max_wait=5.0, on_timeout=(Enqueue("medical", CALM, max_wait=30.0),))
        bench = Bench(configuration(client("lilas", "+33199001001", over)))
        bench.start()
        await bench.pass_time(0.01)
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(1.0)
        await bench.kill()
        await bench.pass_time(10.0)
        bench.start()
        await bench.pass_time(5.0)
        assert "ended" not in bench.kinds()
        assert [e.kind for e in bench.of("c1") if e.kind in ("queued", "dequeued")] == [
            "queued",
            "dequeued",
            "queued",
        ]
        await bench.kill()

    run(story())
