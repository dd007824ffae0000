"""The wall clock jumps, in virtual time: opening hours follow it at once, no timer and no duration does.

The stories' own clock goes on evenly; `wall_clock` is what `same_clock.watch` says. An hour forward and back, the next
day over midnight, and both nights in which the hour changes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest

from autocom.core.model import Client, Enqueue, Hangup, Hours, Mode, Play, Rule, TimeRange, When
from autocom.core.overrides import Override
from tests.support.exchange_in_memory import CALM, CLOSED, WELCOME, Bench, client, configuration, sounds
from tests.support.fake_telephone import Habit
from tests.support.virtual import EPOCH, run

pytestmark = pytest.mark.fault("F33")
PARIS = ZoneInfo("Europe/Paris")
HOUR, DAY = 3600.0, 86400.0
CLOSES = datetime(2026, 9, 21, 16, 20, tzinfo=PARIS).timestamp() - EPOCH
"""Virtual time begins at 16:13:20 there."""
UNTIL_TWENTY_PAST = Hours("Europe/Paris", {1: (TimeRange(time(8), time(16, 20)),)})
CLOSED_RULE = Rule("closed", When(open=False), (Play(CLOSED, Mode.ANSWERED), Hangup()))


def practice(**of_the_queue: object) -> Client:
    steps = (Play(WELCOME), Enqueue("medical", CALM, **of_the_queue))  # type: ignore[arg-type]
    return client(
        "lilas", "+33199001001", rules=(CLOSED_RULE, Rule("open", None, steps)), hours=UNTIL_TWENTY_PAST
    )


def play(
    scenario: Callable[[Bench], Awaitable[None]], lilas: Client, starts: float = 0.0, **habit: object
) -> Bench:
    async def whole() -> Bench:
        bench = Bench(configuration(lilas, lea={"medical": 1}))
        bench.telephone.habits["lea"] = Habit(**{"answers": None, **habit})  # type: ignore[arg-type]
        await bench.pass_time(starts)
        bench.start()
        await bench.at_work("lea")
        await scenario(bench)
        assert bench.failure() is None
        await bench.kill()
        return bench

    return run(whole())


def jump(bench: Bench, ahead: float) -> float:
    """The wall clock is so far ahead of ours from now on; the instant, in virtual time."""
    assert bench.switchboard is not None
    bench.switchboard.wall_clock(ahead)
    return bench.clock.now() - EPOCH


def at_of(bench: Bench, kind: str, call: str = "c1") -> float:
    return next(e.at for e in bench.of(call) if e.kind == kind) - EPOCH


async def rule_of_the_next(bench: Bench, call: str) -> str | None:
    bench.telephone.call_in(f"chan-{call}", "0199001001")
    await bench.pass_time(0.5)
    return bench.record(call).rule


@pytest.mark.parametrize("ahead", [HOUR, DAY - 7 * HOUR], ids=["an hour", "to the next day"])
def test_who_waits_hears_that_it_is_closed_as_soon_as_the_clock_has_jumped_past_closing(ahead: float) -> None:
    jumped: list[float] = []

    async def scenario(bench: Bench) -> None:
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(30)
        jumped.append(jump(bench, ahead))
        await bench.pass_time(5)
        assert await rule_of_the_next(bench, "c2") == "closed"

    bench = play(scenario, practice())
    assert at_of(bench, "rule_changed") == pytest.approx(jumped[0], abs=0.1)
    assert (bench.record().outcome, sounds(bench)[-2:]) == ("closed", ["closed", "end"])


def test_set_back_an_hour_it_is_open_again_at_once_and_closes_by_the_wall() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.pass_time(CLOSES + 60)
        assert await rule_of_the_next(bench, "c1") == "closed"
        jump(bench, -HOUR)
        assert await rule_of_the_next(bench, "c2") == "open"
        await bench.pass_time(HOUR)

    bench = play(scenario, practice())
    assert at_of(bench, "rule_changed", "c2") == pytest.approx(CLOSES + HOUR, abs=0.1)


def test_a_clock_that_was_wrong_and_is_put_right_leaves_nothing_behind() -> None:
    async def scenario(bench: Bench) -> None:
        jump(bench, HOUR)
        jump(bench, 0.0)
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(CLOSES + 10)

    bench = play(scenario, practice())
    assert at_of(bench, "rule_changed") == pytest.approx(CLOSES, abs=0.1)


@pytest.mark.parametrize("ahead", [HOUR, -HOUR, DAY])
def test_a_ringing_phone_and_the_longest_wait_end_after_their_seconds_whatever_the_clock_says(
    ahead: float,
) -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(5)
        jump(bench, ahead)
        await bench.pass_time(60)

    way_out = (Play(CLOSED, Mode.ANSWERED), Hangup())
    hours = Hours("Europe/Paris", dict.fromkeys(range(1, 8), (TimeRange(time(0), time(0)),)))
    lilas = replace(practice(ring_for=12.0, max_wait=40.0, on_timeout=way_out), hours=hours)
    bench = play(scenario, lilas)
    assert at_of(bench, "offer_ended") - at_of(bench, "ringing") == pytest.approx(12, abs=0.1)
    assert at_of(bench, "dequeued") - at_of(bench, "queued") == pytest.approx(40, abs=0.1)
    instants = [entry.at for entry in bench.of("c1")]
    assert instants == sorted(instants)


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
def test_a_conversation_is_as_long_as_it_was(ahead: float) -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(30)
        jump(bench, ahead)
        await bench.pass_time(30)

    bench = play(scenario, practice(), answers=2.0, talks=40.0)
    record = bench.record()
    assert (record.outcome, record.talk_ms) == ("served", pytest.approx(40_000, abs=100))


def test_an_override_ends_by_the_wall_clock() -> None:
    async def scenario(bench: Bench) -> None:
        assert bench.switchboard is not None
        now = bench.clock.now()
        bench.switchboard.overrides.set(Override("lilas", "closed", now + HOUR, "chef", since=now))
        assert await rule_of_the_next(bench, "c1") == "closed"
        jump(bench, HOUR - 300)
        assert await rule_of_the_next(bench, "c2") == "closed"
        jump(bench, HOUR + 1 - 2 * HOUR)  # 15:13 and something: the override ends in nearly two hours
        assert await rule_of_the_next(bench, "c3") == "closed"
        jump(bench, HOUR + 1)
        await bench.pass_time(0.1)
        assert bench.switchboard.overrides.all() == ()

    play(scenario, practice())


@pytest.mark.parametrize(
    "change",
    [datetime(2026, 10, 25, 3, tzinfo=PARIS), datetime(2027, 3, 28, 3, tzinfo=PARIS)],
    ids=["the hour that comes twice", "the hour that is left out"],
)
def test_a_call_over_the_change_of_the_hour_lasts_as_long_as_it_lasts(change: datetime) -> None:
    instant = change.timestamp() - EPOCH

    async def scenario(bench: Bench) -> None:
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(120)

    night = Hours("Europe/Paris", {7: (TimeRange(time(0), time(6)),)})
    lilas = replace(practice(ring_for=30.0), hours=night)
    bench = play(scenario, lilas, starts=instant - 20, answers=15.0, talks=40.0)
    record = bench.record()
    assert (record.outcome, record.rule) == ("served", "open")
    assert record.talk_ms == pytest.approx(40_000, abs=100)
    assert record.wait_ms == pytest.approx(15_000, abs=1500)
