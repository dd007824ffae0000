"""When the clock alone may make another rule hold: exact, complete, never early."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autocom.core.model import Client, Closure, Enqueue, Hours, Line, Rule, TimeRange, When
from autocom.core.routing import Circumstances, choose, next_change

PARIS = ZoneInfo("Europe/Paris")
DAY = TimeRange(time(8), time(19))
NIGHT = TimeRange(time(22), time(6))


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).timestamp()


def client(*whens: When, hours: Hours | None = None, absences: tuple[Closure, ...] = ()) -> Client:
    rules = [Rule(f"r{n}", when, (Enqueue("medical"),)) for n, when in enumerate(whens)]
    return Client(
        "lilas", "L", "L", "general", (Line("+33199001001"),), hours or Hours("Europe/Paris", {}),
        (*rules, Rule("else", None, (Enqueue("medical"),))), absences=absences,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("when", "asked", "changes"),
    [
        (When(time=(DAY,)), "2026-11-23 10:00", "2026-11-23 19:00"),
        (When(time=(DAY,)), "2026-11-23 19:00", "2026-11-24 08:00"),
        (When(days=(2,)), "2026-11-23 10:00", "2026-11-24 00:00"),
        (When(days=(2,)), "2026-11-24 10:00", "2026-11-25 00:00"),
        (When(days=(5,), time=(NIGHT,)), "2026-11-27 12:00", "2026-11-27 22:00"),
        (When(days=(5,), time=(NIGHT,)), "2026-11-27 23:00", "2026-11-28 06:00"),
        (When(dates=((date(2026, 12, 24), date(2026, 12, 26)),)), "2026-11-23 10:00", "2026-12-24 00:00"),
        (When(dates=((date(2026, 12, 24), date(2026, 12, 26)),)), "2026-12-24 10:00", "2026-12-27 00:00"),
        (
            When(dates=((date(2026, 12, 24), date(2026, 12, 26)),), time=(NIGHT,)),
            "2026-12-26 23:00",
            "2026-12-27 06:00",
        ),
        (
            When(dates=((date(2027, 6, 1), date(2027, 9, 30)),), days=(7,)),
            "2026-11-23 10:00",
            "2027-06-06 00:00",
        ),
        (When(dates=((date(2020, 1, 1), date(2020, 1, 2)),)), "2026-11-23 10:00", None),
        (When(dates=((date(2020, 1, 1), date.max),)), "2026-11-23 10:00", None),
        (When(waiting_over=3), "2026-11-23 10:00", None),
    ],
)
def test_days_dates_and_times_of_rules_are_boundaries(when: When, asked: str, changes: str | None) -> None:
    assert next_change(client(when), at(asked)) == (None if changes is None else at(changes))


def test_the_hour_that_comes_twice_is_judged_alike_and_the_one_left_out_ends_at_the_jump() -> None:
    until_half_past_two = client(When(time=(TimeRange(time(20), time(2, 30)),)))
    october = datetime(2026, 10, 25, 0, tzinfo=PARIS).timestamp()
    first = next_change(until_half_past_two, october)
    assert first == october + 2.5 * 3600
    assert first is not None
    again = next_change(until_half_past_two, first)
    assert again == october + 3 * 3600, "02:00 comes again, and with it the range"
    assert again is not None
    assert next_change(until_half_past_two, again) == october + 3.5 * 3600
    march = datetime(2027, 3, 28, 0, tzinfo=PARIS).timestamp()
    assert next_change(until_half_past_two, march) == march + 2 * 3600


times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30]))
spans = st.builds(TimeRange, times, times)
days = st.dates(date(2026, 10, 1), date(2027, 4, 30))
pairs = st.tuples(days, st.integers(0, 40)).map(lambda p: (p[0], p[0] + timedelta(days=p[1])))
whens = st.builds(
    When,
    days=st.lists(st.integers(1, 7), max_size=3, unique=True).map(tuple),
    dates=st.lists(pairs, max_size=2).map(tuple),
    time=st.lists(spans, max_size=2).map(tuple),
)
weeks = st.dictionaries(st.integers(1, 7), st.lists(spans, max_size=2).map(tuple), max_size=7)


@settings(max_examples=60, deadline=None)
@given(st.lists(whens, min_size=1, max_size=3), weeks, days, st.integers(0, 86399))
def test_no_rule_changes_before_the_instant_and_some_answer_changes_at_it(
    asked: list[When], week: dict[int, tuple[TimeRange, ...]], day: date, second: int
) -> None:
    made = client(*asked, hours=Hours("Europe/Paris", week))
    start = datetime.combine(day, time(), PARIS).timestamp() + second

    def answers(moment: float) -> object:
        choice = choose(made, Circumstances(moment))
        each = [choose(client(when), Circumstances(moment)).rule.name for when in asked]
        return choice.rule.name, choice.open, each

    found = next_change(made, start)
    horizon = start + 20 * 86400 if found is None else found
    step = max(600.0, (horizon - start) / 60)
    moment = start
    while moment < horizon:
        assert answers(moment) == answers(start)
        moment += step
    if found is not None:
        assert answers(found - 0.001) == answers(start)
        assert answers(found) != answers(start)
