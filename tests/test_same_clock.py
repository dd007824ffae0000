"""Clocks that jump: the wall clock set back or forward, within a process and between two of them."""

from __future__ import annotations

import asyncio
import uuid
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom import same_clock
from autocom.asterisk.clock import SteadyClock
from autocom.core.journal import Entry
from autocom.core.record import project, segments
from autocom.journal import queries
from autocom.journal.log import LocalLog
from autocom.journal.rows import mended
from tests.support.shipping import shipping

HOUR = 3600.0


def jumped(by: float) -> SteadyClock:
    """As a process begins that finds the wall clock so much further."""
    return SteadyClock(SteadyClock().offset + by)


@pytest.mark.parametrize("by", [HOUR, -HOUR])
def test_a_process_that_takes_calls_over_counts_on_though_the_wall_clock_jumped(log, by):
    first = same_clock.carried_on(log)
    log.save(calls={"c1": {"stage": "waiting"}})
    before = first.now()
    second = same_clock.carried_on(log, jumped(by))
    third = same_clock.carried_on(log, jumped(by))

    assert 0 <= second.now() - before < 1
    assert 0 <= third.now() - before < 1
    assert third.wall() - third.now() == pytest.approx(0, abs=1)
    assert second.skew() == pytest.approx(0, abs=1)


@pytest.mark.parametrize("by", [HOUR, -HOUR])
def test_a_process_that_counts_on_reads_calendars_by_the_wall_clock(log, by):
    before = SteadyClock(
        SteadyClock().offset + by
    )  # as the last process had it, before the wall clock jumped
    same_clock.carried_on(log, before)
    log.save(calls={"c1": {"stage": "waiting"}})
    second = same_clock.carried_on(log)
    assert second.now() - before.now() == pytest.approx(0, abs=1)
    assert second.wall() - SteadyClock().now() == pytest.approx(0, abs=1)


@pytest.mark.parametrize("by", [HOUR, -HOUR])
def test_with_no_call_open_or_on_a_machine_started_anew_the_wall_clock_is_right(log, by, tmp_path: Path):
    first = same_clock.carried_on(log)
    free = same_clock.carried_on(log, jumped(by))
    assert free.now() - first.now() == pytest.approx(by, abs=1)

    log.save(calls={"c1": {"stage": "waiting"}})
    (tmp_path / "boot").write_text("another\n")
    rebooted = same_clock.carried_on(log, jumped(2 * by), tmp_path / "boot")
    assert rebooted.now() - first.now() == pytest.approx(2 * by, abs=1)


async def test_a_jump_while_we_run_moves_no_instant_and_is_told_once():
    clock = SteadyClock()
    told: list[tuple[str, str]] = []
    moved: list[float] = []
    before = clock.now()
    clock.offset -= HOUR  # the wall clock is an hour further than ours
    after = clock.now()
    clock.until = lambda _: asyncio.sleep(0)  # type: ignore[method-assign]
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(same_clock.watch(clock, lambda *words: told.append(words), moved.append))
        for _ in range(20):
            await asyncio.sleep(0)
        watching.cancel()
    assert told == [("clock_jumped", "+3600 s")]
    assert moved == [pytest.approx(HOUR, abs=1)]
    assert clock.wall() - after == pytest.approx(HOUR, abs=1)
    assert before - after == pytest.approx(HOUR, abs=1)


CALL = (
    (0.0, "arrived", {"trunk": "operator"}),
    (0.1, "queued", {"team": "medical"}),
    (5.0, "ringing", {"secretary": "lea"}),
    (8.0, "bridged", {"secretary": "lea"}),
    (68.0, "talk_ended", {"secretary": "lea"}),
    (68.0, "ended", {"outcome": "served"}),
)


async def test_a_call_over_two_runs_and_a_clock_set_back_is_told_in_order_with_no_time_below_zero(
    engine, tmp_path: Path
):
    path = tmp_path / "log.sqlite"
    for part, shift in ((CALL[:4], 0.0), (CALL[4:], -HOUR)):
        log = LocalLog(path)
        log.save([Entry(1_790_000_000.0 + at + shift, kind, "c1", dict(f)) for at, kind, f in part])
        async with shipping(log, engine) as shipper:
            assert await shipper.flush(10)
        assert log.refused() == []
        log.close()
    call = await queries.call(engine, "c1")

    assert call is not None
    assert [e["kind"] for e in call["events"]] == [kind for _, kind, _ in CALL]
    assert (call["outcome"], call["wait_ms"]) == ("served", 8000)
    assert call["talk_ms"] >= 0
    assert call["ended_at"] >= call["bridged_at"] >= call["arrived_at"]


runs = st.lists(st.tuples(st.integers(-7200, 7200), st.integers(1, 4)), min_size=1, max_size=4)


@given(runs)
def test_whatever_the_clock_did_between_runs_every_segment_goes_forward(shifts):
    kinds = [(k, f) for _, k, f in CALL] * 3
    facts, at = [], 1_790_000_000.0
    for shift, most in shifts:
        run = uuid.UUID(int=len(facts))
        for _ in range(most):
            at += 2
            kind, fields = kinds[len(facts)]
            facts.append((run, len(facts) + 1, Entry(at + shift, kind, "c1", fields)))
    told = mended(facts)

    assert [e.kind for e in told] == [e.kind for _, _, e in facts]
    assert all(b.at >= a.at - 1.0 for a, b in pairwise(told))
    assert all(s.end is None or s.end >= s.start for s in segments(told))
    record = project("c1", told)
    assert record.wait_ms is None or record.wait_ms >= 0


A, B = uuid.UUID(int=1), uuid.UUID(int=2)


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        pytest.param(
            [*((A, n, n) for n in range(1, 7)), (B, 4, 64), (B, 5, 65)],
            [1, 2, 3, 4, 5, 6, 64, 65],
            id="a power cut took the end of a run, and its numbers came again",
        ),
        pytest.param(
            [(A, 1, 1), (A, 3, 3), (A, 5, 5), (B, 2, 62), (B, 4, 64)],
            [1, 3, 5, 62, 64],
            id="of the numbers that came again this call has others",
        ),
        pytest.param(
            [(A, 1, 1), (A, 2, 2), (B, 3, 63), (A, 4, 64), (B, 5, 65)],
            [1, 2, 63, 64, 65],
            id="a predecessor that was frozen went on",
        ),
    ],
)
def test_numbers_that_came_again_are_told_run_by_run(
    facts: list[tuple[uuid.UUID, int, int]], told: list[int]
) -> None:
    by_number = sorted(facts, key=lambda fact: fact[1:])
    entries = [(log, seq, Entry(float(at), "step", "c1", {})) for log, seq, at in by_number]
    assert [entry.at for entry in mended(entries)] == told
