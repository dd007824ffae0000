"""The bureau's pace, folded from entries: what counts, what is censored, what is forgotten."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom.core.journal import Entry, Json
from autocom.core.pace import PRIOR_HANDLING, PRIOR_PATIENCE, PRIOR_WEIGHT, WINDOW, Pace


def fold(*entries: Entry) -> Pace:
    pace = Pace()
    for entry in entries:
        pace = pace.after(entry)
    return pace


def at(instant: float, kind: str, call: str | None = "c1", **fields: Json) -> Entry:
    return Entry(instant, kind, call, fields)


def served(call: str, start: float, wait: float, talk: float, who: str = "lea") -> list[Entry]:
    """One call: waits, is offered three seconds before she picks up, talks, is wrapped up in ten."""
    bridged, over = start + wait, start + wait + talk
    return [
        at(start, "queued", call),
        at(bridged - 3, "offered", call, secretary=who),
        at(bridged, "bridged", call, secretary=who),
        at(over, "talk_ended", call, secretary=who, by="caller"),
        at(over, "wrap_up_started", call, secretary=who),
        at(over, "ended", call, outcome="served"),
        at(over + 10, "wrap_up_ended", call, secretary=who, by="time"),
    ]


def test_without_entries_the_priors_stand() -> None:
    assert (Pace().handling, Pace().patience) == (PRIOR_HANDLING, PRIOR_PATIENCE)


def test_a_call_takes_of_a_secretary_its_ringing_its_talk_and_its_wrap_up() -> None:
    pace = fold(*served("c1", 0.0, 20.0, 100.0))
    assert (pace.handled, pace.calls) == (113.0, 1.0)
    assert pace.handling == pytest.approx((PRIOR_WEIGHT * PRIOR_HANDLING + 113) / (PRIOR_WEIGHT + 1))


def test_who_is_served_counts_as_patience_not_as_an_abandon() -> None:
    pace = fold(*served("c1", 0.0, 20.0, 100.0))
    assert (pace.waited, pace.abandons) == (20.0, 0.0)


def test_who_gives_up_counts_with_his_time() -> None:
    pace = fold(at(0, "queued"), at(30, "ended", outcome="abandoned"))
    assert (pace.waited, pace.abandons) == (30.0, 1.0)
    assert pace.patience == pytest.approx((PRIOR_WEIGHT * PRIOR_PATIENCE + 30) / (PRIOR_WEIGHT + 1))


@pytest.mark.parametrize("why", ["timeout", "closed", "key"])
def test_who_is_sent_away_by_rule_is_censored_and_his_end_is_no_abandon(why: str) -> None:
    pace = fold(at(0, "queued"), at(40, "dequeued", why=why), at(60, "ended", outcome="abandoned"))
    assert (pace.waited, pace.abandons) == (40.0, 0.0)


def test_the_hours_that_somebody_waits_to_be_called_back_are_no_patience() -> None:
    pace = fold(
        at(0, "queued"),
        at(30, "callback_promised"),
        at(3600, "offered", secretary="lea"),
        at(3610, "bridged", secretary="lea"),
    )
    assert pace.waited == 30.0


def test_patience_is_found_again_from_exponential_waits() -> None:
    # everybody who waits longer than 60 s is served then: a fit that left them out would say 40 s
    import random

    draws = random.Random(4)
    pace = Pace()
    for number in range(3000):
        patience = draws.expovariate(1 / 90)
        call, start = f"c{number}", number * 1000.0
        pace = pace.after(at(start, "queued", call))
        if patience < 60:
            pace = pace.after(at(start + patience, "ended", call, outcome="abandoned"))
        else:
            pace = pace.after(at(start + 60, "bridged", call, secretary="lea"))
            pace = pace.after(at(start + 90, "talk_ended", call, secretary="lea"))
            pace = pace.after(at(start + 90, "ended", call, outcome="served"))
    assert pace.patience == pytest.approx(90, rel=0.25)
    assert not pace.courses


def test_old_days_fade() -> None:
    entries = [entry for n in range(2000) for entry in served(f"c{n}", n * 500.0, 5.0, 50.0)]
    slow = fold(*entries)
    for n in range(2000, 2600):
        for entry in served(f"c{n}", n * 500.0, 5.0, 200.0):
            slow = slow.after(entry)
    assert slow.handling == pytest.approx(213, rel=0.1)


def test_beginnings_of_the_last_minutes_are_counted_by_secretary() -> None:
    entries = [
        entry
        for n in range(40)
        for entry in served(f"c{n}", n * 20.0, 1.0, 5.0, who="lea" if n % 2 else "ines")
    ]
    pace, now = fold(*entries), 40 * 20.0
    assert pace.gap({"lea", "ines"}, now) == pytest.approx(20.0, rel=0.1)
    assert pace.gap({"lea"}, now, least=10) == pytest.approx(40.0, rel=0.1)
    assert pace.gap({"lea"}, now, least=30) is None
    assert pace.gap({"lea", "ines"}, now + 2 * WINDOW) is None


def test_an_entry_written_twice_by_the_process_that_adopted_the_call_counts_once() -> None:
    once = fold(*served("c1", 0.0, 20.0, 100.0))
    doubled = fold(*(entry for entry in served("c1", 0.0, 20.0, 100.0) for _ in range(2)))
    assert doubled == once


KINDS = (
    "queued",
    "offered",
    "bridged",
    "talk_ended",
    "wrap_up_started",
    "wrap_up_ended",
    "dequeued",
    "ended",
)


@given(
    st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(["c1", "c2"]), st.floats(0, 500)), max_size=40)
)
def test_any_order_of_entries_keeps_the_figures_sane(drawn: list[tuple[str, str, float]]) -> None:
    pace, now = Pace(), 0.0
    for kind, call, later in drawn:
        now += later
        pace = pace.after(at(now, kind, call, secretary="lea", outcome="abandoned"))
    assert pace.handling > 0
    assert pace.patience > 0
    assert pace.calls >= 0
    assert pace.abandons >= 0
