"""A fax machine among the callers: recognised after the answer, away from whoever it was for, never to a
secretary from then on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from autocom.calls.ports import TelephoneDown
from autocom.core.model import Answer, Enqueue, Hangup, HangupKind, Menu, Mode, Play, Ringing, Step, Voicemail
from autocom.core.telephony import Cause, FaxHeard
from tests.support.exchange_in_memory import CALM, CLOSED, NOBODY, WELCOME, Bench, client, configuration
from tests.support.fake_telephone import FakeChannel, Habit
from tests.support.killing import Killed
from tests.support.virtual import run

pytestmark = pytest.mark.timeout(30)
CALLER = "pj-1"
QUEUE = Enqueue("medical", CALM)


@asynccontextmanager
async def bench_with(*do: Step, **changes: object) -> AsyncIterator[Bench]:
    bench = Bench(configuration(client("lilas", "+33199001001", *do, **changes)))
    bench.start()
    await bench.pass_time(0.01)
    yield bench
    assert bench.failure() is None
    await bench.kill()


def kinds(bench: Bench) -> list[str]:
    return bench.kinds()


def test_a_fax_in_the_queue_is_taken_out_and_the_phone_that_rang_shows_no_missed_call() -> None:
    async def story() -> None:
        async with bench_with(Play(WELCOME, Mode.ANSWERED), QUEUE) as bench:
            bench.telephone.habits["lea"] = Habit(answers=None)
            await bench.at_work("lea")
            bench.telephone.call_in(CALLER, "0199001001")
            await bench.pass_time(2)
            leg = bench.telephone.leg_of("lea")
            assert leg is not None
            assert bench.telephone.sends_cng(CALLER)
            await bench.pass_time(0.1)
            assert bench.telephone.past[leg.id].ended_with == Cause.ANSWERED_ELSEWHERE
            assert bench.telephone.past[CALLER].ended_with == Cause.NORMAL
            assert bench.record().outcome == "rejected"
            assert bench.record().flags == ("fax",)
            assert bench.state("lea") == "free"
            assert [e.fields["why"] for e in bench.of("c1") if e.kind == "dequeued"] == ["fax"]

    run(story())


def test_the_client_says_what_becomes_of_faxes() -> None:
    async def story() -> None:
        async with bench_with(
            Play(WELCOME, Mode.ANSWERED),
            QUEUE,
            on_fax=(Play(CLOSED, Mode.ANSWERED), Hangup(HangupKind.BUSY)),
        ) as bench:
            caller = bench.telephone.call_in(CALLER, "0199001001")
            await bench.pass_time(6)
            assert bench.telephone.sends_cng(CALLER)
            await bench.pass_time(5)
            assert [what for _, what in caller.heard][-3:] == ["closed", "silence", "end"]
            assert caller.ended_with == Cause.BUSY
            assert bench.record().outcome == "rejected"

    run(story())


@pytest.mark.parametrize(
    "do",
    [
        (Play(WELCOME, Mode.ANSWERED), Hangup()),
        (Menu(WELCOME, {"1": (QUEUE,)}, otherwise=(QUEUE,)),),
        (Voicemail(WELCOME),),
    ],
    ids=["message", "menu", "voicemail"],
)
def test_a_fax_leaves_a_message_a_menu_or_a_voicemail(do: tuple[Step, ...]) -> None:
    async def story() -> None:
        async with bench_with(Answer(), *do) as bench:
            await bench.at_work("lea")
            bench.telephone.call_in(CALLER, "0199001001")
            await bench.pass_time(1)
            assert bench.telephone.sends_cng(CALLER)
            await bench.pass_time(0.2)
            assert CALLER in bench.telephone.past
            assert bench.record().flags == ("fax",)
            assert "offered" not in kinds(bench)

    run(story())


def test_before_the_answer_and_for_clients_who_want_it_so_nobody_listens_for_a_fax() -> None:
    async def story(*do: Step, fax: bool) -> None:
        async with bench_with(*do, fax=fax) as bench:
            bench.telephone.call_in(CALLER, "0199001001")
            await bench.pass_time(2)
            assert not bench.telephone.sends_cng(CALLER)
            await bench.pass_time(1)
            assert CALLER in bench.telephone.channels

    run(story(Play(WELCOME), QUEUE, fax=True))
    run(story(Play(WELCOME, Mode.ANSWERED), QUEUE, fax=False))


def test_a_tone_in_a_conversation_is_none_of_ours() -> None:
    async def story() -> None:
        async with bench_with(Play(WELCOME, Mode.ANSWERED), QUEUE) as bench:
            bench.telephone.habits["lea"] = Habit(answers=1.0)
            await bench.at_work("lea")
            bench.telephone.call_in(CALLER, "0199001001")
            await bench.pass_time(3)
            assert bench.state("lea") == "talking"
            assert not bench.telephone.sends_cng(CALLER)
            await bench.pass_time(1)
            assert bench.state("lea") == "talking"

    run(story())


def test_a_fax_that_was_heard_stays_one_after_a_crash_and_is_rung_to_nobody() -> None:
    async def story() -> None:
        async with bench_with(
            Play(WELCOME, Mode.ANSWERED), QUEUE, on_fax=(Play(NOBODY, Mode.ANSWERED), Hangup())
        ) as bench:
            caller = bench.telephone.call_in(CALLER, "0199001001")
            await bench.pass_time(1)
            bench.telephone.sends_cng(CALLER)
            await bench.pass_time(0.5)
            await bench.kill()
            bench.start()
            await bench.at_work("lea")
            await bench.pass_time(6)
            assert "offered" not in kinds(bench)
            assert kinds(bench).count("fax_heard") == 1
            assert caller.ended_with == Cause.NORMAL
            assert bench.record().outcome == "rejected"

    run(story())


def test_all_the_phones_of_a_ring_all_queue_stop_at_once() -> None:
    async def story() -> None:
        async with bench_with(
            Play(WELCOME, Mode.ANSWERED), Enqueue("medical", CALM, ring=Ringing.ALL)
        ) as bench:
            for who in ("lea", "ines"):
                bench.telephone.habits[who] = Habit(answers=None)
            await bench.at_work("lea", "ines")
            bench.telephone.call_in(CALLER, "0199001001")
            await bench.pass_time(1)
            bench.telephone.sends_cng(CALLER)
            await bench.pass_time(0.1)
            assert (bench.state("lea"), bench.state("ines")) == ("free", "free")

    run(story())


def test_a_fax_whose_story_is_over_is_hung_up_and_one_that_is_told_twice_changes_nothing() -> None:
    async def story() -> None:
        async with bench_with(
            Play(WELCOME, Mode.ANSWERED), QUEUE, on_fax=(Play(CLOSED, Mode.ANSWERED), Hangup())
        ) as bench:
            stray = bench.telephone.channels["stray"] = FakeChannel("stray", up=True)
            bench.telephone._tell(FaxHeard("stray"))
            caller = bench.telephone.call_in(CALLER, "0199001001")
            await bench.pass_time(1)
            bench.telephone.sends_cng(CALLER)
            await bench.pass_time(1)
            bench.telephone._tell(FaxHeard(CALLER))
            await bench.pass_time(4)
            assert stray.ended_with == Cause.NORMAL
            assert [what for _, what in caller.heard].count("closed") == 1
            assert kinds(bench).count("fax_heard") == 1

    run(story())


def test_a_fax_that_is_heard_while_asterisk_does_not_answer_is_dealt_with_when_it_does() -> None:
    async def story() -> None:
        async with bench_with(Play(WELCOME, Mode.ANSWERED), QUEUE) as bench:
            failures = iter((True, True))

            def refuse(effect: str) -> None:
                if effect == "start_music" and next(failures, False):
                    raise TelephoneDown("busy")

            bench.telephone.before = refuse
            caller = bench.telephone.call_in(CALLER, "0199001001")
            await bench.pass_time(4.5)
            bench.telephone.sends_cng(CALLER)
            await bench.pass_time(4)
            assert caller.ended_with == Cause.NORMAL
            assert bench.record().flags == ("fax",)

    run(story())


async def killed_at(effect: int, outage: float, *, when: str) -> tuple[Bench, int]:
    """A fax machine calls, Léa's phone rings for it, the tone comes at 2 s, and the exchange dies at its
    n-th effect from then on. Returns the effects that there were."""
    count = 0

    def around(_: str) -> None:
        nonlocal count
        count += 1
        if count >= effect + 1:
            raise Killed

    bench = Bench(
        configuration(
            client(
                "lilas",
                "+33199001001",
                Play(WELCOME, Mode.ANSWERED),
                QUEUE,
                on_fax=(Play(CLOSED, Mode.ANSWERED), Hangup()),
            )
        )
    )
    bench.start()
    await bench.pass_time(0.01)
    bench.telephone.habits["lea"] = Habit(answers=None)
    await bench.at_work("lea")
    bench.telephone.call_in(CALLER, "0199001001")
    await bench.pass_time(2)
    setattr(bench.telephone, when, around)
    assert bench.telephone.sends_cng(CALLER)
    for _ in range(80):
        await bench.pass_time(0.1)
        if bench.over():
            setattr(bench.telephone, when, lambda _: None)
            await bench.kill()
            await bench.pass_time(outage)
            bench.start()
    return bench, count


@pytest.mark.parametrize("outage", [0.0, 1.0, 20.0])
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_every_effect_a_fax_is_dealt_with_once_and_rings_nobody(when: str, outage: float) -> None:
    _, effects = run(killed_at(1000, 0.0, when=when))
    assert effects > 3
    for effect in range(effects):
        bench, _ = run(killed_at(effect, outage, when=when))
        assert not bench.telephone.channels, f"killed {when} effect {effect}"
        assert bench.telephone.past[CALLER].ended_with == Cause.NORMAL
        assert (bench.record().outcome, bench.record().flags) == ("rejected", ("fax",))
        after = kinds(bench)[kinds(bench).index("fax_heard") :]
        assert "offered" not in after
        assert after.count("fax_heard") == 1
        assert bench.state("lea") == "free"
