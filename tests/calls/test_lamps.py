"""The lamps follow the floor, in virtual time: differences only, soon, never too often, anew after every gap."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise

from autocom.calls.lamps import COUNT_AGAIN, LEAST, RETRY, SLOWLY, Lamps
from autocom.calls.ports import TelephoneDown
from autocom.core.floor_words import LoggedOut, PausedBy, Resumed
from autocom.core.journal import Entry
from autocom.core.letters import VOICE, Voice, row_of, voices
from autocom.core.model import Configuration, Enqueue, Secretary, Voicemail
from autocom.core.presence import Lamp
from tests.support.exchange_in_memory import CALM, Bench, client, configuration
from tests.support.fake_telephone import Habit
from tests.support.virtual import EPOCH, run

SOON = 0.1


def bureau() -> Configuration:
    """One client with a queue and a box; lea and ines."""
    lilas = client(
        "lilas", "+33199001001", Enqueue("medical", CALM, ring_for=12.0), wrap_up_min=0.0, wrap_up_max=5.0
    )
    box = client("box", "+33199001002", Voicemail(max_seconds=30.0))
    return configuration(lilas, box)


@asynccontextmanager
async def followed(bench: Bench) -> AsyncIterator[Lamps]:
    """The exchange of the moment with its lamps."""
    board = bench.switchboard
    assert board is not None
    lamps = Lamps(bench.telephone, bench.clock, board.dispatcher, bench.journal, lambda: board.configuration)
    following = asyncio.ensure_future(lamps.run())
    try:
        yield lamps
    finally:
        following.cancel()
        await asyncio.wait([following])


def play(scenario: Callable[[Bench], Awaitable[None]], made: Configuration | None = None) -> Bench:
    """Run a scenario on an exchange whose lamps are followed; the exchange must be alive after it."""

    async def whole() -> Bench:
        bench = Bench(made or bureau())
        bench.start()
        async with followed(bench):
            await scenario(bench)
            assert not bench.over(), bench.failure()
        await bench.kill()
        return bench

    return run(whole())


def shown(bench: Bench) -> dict[str, Lamp | None]:
    """What the phones show now."""
    return {name: lamp for _, name, lamp in bench.telephone.lamps}


def history(bench: Bench, name: str) -> list[Lamp | None]:
    return [lamp for _, known, lamp in bench.telephone.lamps if known == name]


def boxes(bench: Bench) -> list[tuple[str, int, int]]:
    return [(box, new, old) for _, box, new, old in bench.telephone.boxes]


def test_at_the_start_everything_is_told_once() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.pass_time(SOON)
        assert shown(bench) == {
            "post-lea": Lamp.SILENT,
            "post-ines": Lamp.SILENT,
            "team-medical": Lamp.BUSY,
            "client-lilas": Lamp.IDLE,
            "client-box": Lamp.IDLE,
            "box-box": Lamp.IDLE,
        }
        assert boxes(bench) == [("box", 0, 0)]
        sent = len(bench.telephone.lamps)
        await bench.pass_time(3600)
        assert len(bench.telephone.lamps) == sent

    play(scenario)


def test_a_queued_call_from_ring_to_wrap_up_as_a_colleague_sees_it() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.habits["lea"] = Habit(answers=4.0, talks=10.0)
        await bench.pass_time(SOON)
        await bench.at_work("lea")
        await bench.pass_time(1)
        assert shown(bench)["post-lea"] is Lamp.SILENT
        assert shown(bench)["team-medical"] is Lamp.IDLE
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(1)
        assert shown(bench)["team-medical"] is shown(bench)["client-lilas"] is Lamp.RINGING
        assert shown(bench)["post-lea"] is Lamp.SILENT, "her phone itself says that it rings"
        await bench.pass_time(5)
        assert bench.state("lea") == "talking"
        assert shown(bench)["team-medical"] is shown(bench)["client-lilas"] is Lamp.IDLE
        assert shown(bench)["post-lea"] is Lamp.BUSY, "she will wrap up, and is not free for a moment before"
        await bench.pass_time(9)
        assert bench.state("lea") == "wrap_up"
        assert shown(bench)["post-lea"] is Lamp.BUSY
        await bench.pass_time(5)
        assert shown(bench)["post-lea"] is Lamp.SILENT

    bench = play(scenario)
    assert history(bench, "post-lea") == [Lamp.SILENT, Lamp.BUSY, Lamp.SILENT]
    assert history(bench, "team-medical") == [Lamp.BUSY, Lamp.IDLE, Lamp.RINGING, Lamp.IDLE]


def test_pause_logout_and_a_phone_that_is_lost() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        assert bench.switchboard is not None
        submit = bench.switchboard.dispatcher.submit
        await bench.pass_time(1)
        submit(PausedBy("lea", "lunch"))
        await bench.pass_time(1)
        assert shown(bench)["post-lea"] is Lamp.HELD
        submit(Resumed("lea"))
        await bench.pass_time(1)
        assert shown(bench)["post-lea"] is Lamp.SILENT
        submit(LoggedOut("lea"))
        await bench.pass_time(1)
        assert shown(bench)["post-lea"] is Lamp.HELD
        assert shown(bench)["team-medical"] is Lamp.BUSY
        bench.telephone.register("lea", reachable=False)
        await bench.pass_time(1)
        assert shown(bench)["post-lea"] is Lamp.SILENT

    play(scenario)


def test_a_queue_turns_busy_when_the_target_is_over_though_nothing_happens() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.habits["lea"] = Habit(answers=None)
        await bench.at_work("lea")
        await bench.pass_time(1)
        assert bench.switchboard is not None
        bench.switchboard.dispatcher.submit(PausedBy("lea", "lunch"))
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(19)
        assert shown(bench)["team-medical"] is Lamp.RINGING
        await bench.pass_time(2)
        assert shown(bench)["team-medical"] is shown(bench)["client-lilas"] is Lamp.BUSY

    play(scenario)


def test_a_state_that_flaps_is_sent_twice_a_second_at_most_and_its_last_one_always() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        assert bench.switchboard is not None
        submit = bench.switchboard.dispatcher.submit
        await bench.pass_time(1)
        for turn in range(100):
            submit(Resumed("lea") if turn % 2 else PausedBy("lea", "other"))
            await bench.pass_time(0.07)
        submit(PausedBy("lea", "other"))
        await bench.pass_time(1)

    bench = play(scenario)
    sent = [at for at, name, _ in bench.telephone.lamps if name == "post-lea"]
    assert 5 < len(sent) < 20
    assert all(b - a >= LEAST - 0.001 for a, b in pairwise(sent))
    assert history(bench, "post-lea")[-1] is Lamp.HELD


def test_a_storm_of_callers_costs_a_few_messages() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.pass_time(1)
        before = len(bench.telephone.lamps)
        for number in range(200):
            bench.telephone.call_in(f"chan-{number}", "0199001001")
            await bench.pass_time(0.01)
        await bench.pass_time(1)
        assert len(bench.telephone.lamps) - before <= 3

    play(scenario)


def test_after_a_gap_everything_is_told_again() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        await bench.pass_time(1)
        before = shown(bench)
        bench.telephone.lamps.clear()
        bench.telephone.boxes.clear()
        with bench.telephone.deaf():
            await bench.pass_time(5)
            assert bench.telephone.lamps == []
        await bench.pass_time(1)
        assert shown(bench) == before
        assert boxes(bench) == [("box", 0, 0)]

    play(scenario)


def test_a_gap_that_is_over_before_anybody_looks_is_a_gap_all_the_same() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.pass_time(1)
        bench.telephone.lamps.clear()
        with bench.telephone.deaf():
            pass
        await bench.pass_time(1)
        assert len(shown(bench)) == 6

    play(scenario)


def test_after_kill_9_the_next_process_tells_what_is_so_by_then() -> None:
    async def whole() -> None:
        bench = Bench(bureau())
        bench.start()
        async with followed(bench):
            await bench.at_work("lea")
            assert bench.switchboard is not None
            bench.switchboard.dispatcher.submit(PausedBy("lea", "lunch"))
            await bench.pass_time(1)
            await bench.kill()
        bench.telephone.lamps.clear()
        bench.start()
        async with followed(bench):
            await bench.pass_time(SOON)
            assert shown(bench)["post-lea"] is Lamp.HELD
            assert len(shown(bench)) == 6
            await bench.kill()

    run(whole())


def test_asterisk_that_does_not_answer_is_asked_again_and_calls_notice_nothing() -> None:
    async def scenario(bench: Bench) -> None:
        refuse, asked = True, 0

        def away(what: str) -> None:
            nonlocal asked
            if refuse and what in {"show_state", "show_mailbox"}:
                asked += 1
                raise TelephoneDown("away for the test")

        bench.telephone.before = away
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(5)
        assert bench.state("lea") == "talking"
        assert shown(bench) == {}
        assert asked <= 3, "not at every fact of a call"
        refuse = False
        await bench.pass_time(4 * RETRY)
        assert shown(bench)["post-lea"] is Lamp.BUSY
        assert boxes(bench) == [("box", 0, 0)]

    play(scenario)


def test_a_slow_asterisk_holds_up_no_call() -> None:
    async def scenario(bench: Bench) -> None:
        slow = bench.telephone.show_state

        async def very_slow(name: str, state: Lamp | None) -> None:
            await asyncio.sleep(2.0)
            await slow(name, state)

        bench.telephone.show_state = very_slow  # type: ignore[method-assign]
        bench.telephone.habits["lea"] = Habit(answers=1.0)
        await bench.at_work("lea")
        await bench.pass_time(0.5)
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(1.5)
        assert bench.state("lea") == "talking"
        offered = next(e for e in bench.of("c1") if e.kind == "offered")
        arrived = next(e for e in bench.of("c1") if e.kind == "arrived")
        assert offered.at - arrived.at < 0.1

    play(scenario)


def test_a_target_that_is_over_while_lamps_are_being_sent_is_not_missed() -> None:
    made = bureau()
    hasty = replace(made, clients={**made.clients, "lilas": replace(made.clients["lilas"], target=2.0)})

    async def scenario(bench: Bench) -> None:
        quick = bench.telephone.show_state

        async def slow(name: str, state: Lamp | None) -> None:
            await asyncio.sleep(1.2)
            await quick(name, state)

        await bench.at_work("lea")
        await bench.pass_time(1)
        assert bench.switchboard is not None
        bench.switchboard.dispatcher.submit(PausedBy("lea", "lunch"))
        await bench.pass_time(1)
        bench.telephone.show_state = slow  # type: ignore[method-assign]
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(8)
        assert shown(bench)["team-medical"] is shown(bench)["client-lilas"] is Lamp.BUSY

    play(scenario, hasty)


def test_a_new_configuration_brings_its_lamps_and_takes_the_others_away() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        await bench.pass_time(1)
        assert bench.switchboard is not None
        old = bureau()
        people = {
            "lea": old.secretaries["lea"],
            "marc": Secretary("marc", "Marc", "209", "x", {"medical": 1}),
        }
        one = {"lilas": old.clients["lilas"]}
        bench.switchboard.use(replace(old, version="v2", secretaries=people, clients=one))
        await bench.pass_time(1)
        now = shown(bench)
        assert now["post-marc"] is Lamp.SILENT
        assert now["post-lea"] is Lamp.SILENT
        assert now["post-ines"] is now["box-box"] is now["client-box"] is None
        assert boxes(bench)[-1] == ("box", 0, 0)

    play(scenario)


def test_hundreds_of_empty_boxes_are_told_slowly_and_a_full_one_at_once() -> None:
    names = [f"box{number:03}" for number in range(100)]
    many = [client(name, f"+331990{n:05}", Voicemail()) for n, name in enumerate(names)]

    async def scenario(bench: Bench) -> None:
        voice = Voice("voice-c9-1", "c9", "box077", EPOCH, EPOCH + 1e6, kept=True)
        bench.journal.save((), floor=row_of(voice))
        await bench.pass_time(1)
        assert boxes(bench) == [("box000", 0, 0), ("box077", 1, 0)]
        await bench.pass_time(10)
        assert len(boxes(bench)) <= 12
        await bench.pass_time(100 * SLOWLY)
        assert sorted(boxes(bench)) == [(name, int(name == "box077"), 0) for name in names]

    play(scenario, configuration(*many))


def test_after_a_new_configuration_the_counts_are_told_again_once_asterisk_has_read_it() -> None:
    async def scenario(bench: Bench) -> None:
        voice = Voice("voice-c9-1", "c9", "box", EPOCH, EPOCH + 1e6, kept=True)
        bench.journal.save((), floor=row_of(voice))
        await bench.pass_time(1)
        assert boxes(bench) == [("box", 1, 0)]
        assert bench.switchboard is not None
        at = bench.clock.now()
        bench.switchboard.use(replace(bureau(), version="v2"))
        await bench.pass_time(1)
        assert boxes(bench) == [("box", 1, 0)] * 2
        assert bench.telephone.boxes[-1][0] - at >= LEAST

    play(scenario)


def test_messages_are_counted_as_they_come_are_listened_to_and_go() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.pass_time(1)
        bench.telephone.says["chan-1"] = 3.0
        bench.telephone.call_in("chan-1", "0199001002")
        await bench.pass_time(20)
        assert boxes(bench) == [("box", 0, 0), ("box", 1, 0)]
        assert shown(bench)["box-box"] is Lamp.BUSY
        (voice,) = voices(bench.journal.rows(VOICE))[0]
        heard = replace(voice, heard=bench.clock.now())
        bench.journal.save([Entry(bench.clock.now(), "voicemail_heard")], floor=row_of(heard))
        await bench.pass_time(SOON)
        assert boxes(bench)[-1] == ("box", 0, 1)
        assert shown(bench)["box-box"] is Lamp.IDLE
        # its time is over: nobody says so
        bench.journal.save((), floor={VOICE + voice.recording: None})
        await bench.pass_time(COUNT_AGAIN + 1)
        assert boxes(bench)[-1] == ("box", 0, 0)
        assert len(boxes(bench)) == 4

    play(scenario)
