"""A day of the journal once more: what is known is kept, what is not is drawn, and its figures come out again."""

from __future__ import annotations

from datetime import time
from functools import cache

import pytest

from autocom.core.floor_words import Outcome
from autocom.core.journal import Entry
from autocom.core.model import Enqueue
from autocom.journal.history import PastCall, PastDay, PastState
from autocom.simulate import history
from autocom.simulate.arrivals import Load, Profile, draw, identity_of, spread
from autocom.simulate.chance import Exponential, Lognormal, Observed
from autocom.simulate.course import Course
from autocom.simulate.day import Bureau, simulate
from autocom.simulate.figures import figures
from autocom.simulate.presence import Habits, usual
from tests.simulate.queues import DAY, client, house

TEN = DAY.at(time(10))
STAFF = {f"s{n}": {"medical": 1} for n in range(6)}
BUREAU = house(
    [
        client("lilas", Enqueue("medical"), number=1, wrap_up_max=10.0),
        client("roux", Enqueue("medical"), number=2, target=10.0),
    ],
    STAFF,
)
HABITS = Habits(pick_up=Lognormal(4.0, 0.4), no_answer=0.05, wrap_up=Exponential(6.0))


class Remembering(Bureau):
    """Keeps what the floor writes down, as the journal does."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.entries: list[Entry] = []

    def _states(self, outcome: Outcome) -> None:
        self.entries += outcome.entries
        super()._states(outcome)


@cache
def a_day(seed: int, calls: float = 500.0) -> tuple[Course, PastDay]:
    """What really happened (shifts with breaks, exponential patience, lognormal talk), and what
    `journal.history` reads of it."""
    loads = {
        made.id: Load(spread(made, DAY, calls / 2), Lognormal(120.0), Exponential(70.0), identity_of(made))
        for made in BUREAU.clients.values()
    }
    bureau = Remembering(BUREAU, usual(STAFF, DAY), HABITS, seed)
    course = bureau.run(draw(Profile(loads), DAY, seed), DAY.start)
    return course, as_journal(course, bureau.entries)


def as_journal(course: Course, entries: list[Entry]) -> PastDay:
    calls = tuple(
        PastCall(
            f"c{n}", p.at, p.client, f"+3319900100{n % 2}", None, False, None, None, p.outcome,
            p.team is not None, round(p.wait, 3), round(p.talk, 3),
        )
        for n, p in enumerate(sorted(course.calls, key=lambda p: p.at))
    )  # fmt: skip
    states = tuple(
        PastState(e.at, str(e.fields["secretary"]), str(e.fields["state"]), e.fields.get("reason"))  # type: ignore[arg-type]
        for e in entries
        if e.kind == "secretary_state"
    )
    began = {e.fields["leg"]: e.at for e in entries if e.kind == "offered"}
    ends = [e for e in entries if e.kind == "offer_ended"]
    picked = tuple(e.at - began[e.fields["leg"]] for e in ends if e.fields["result"] == "answered")
    wraps = tuple(s.end - s.start for s in course.stints if s.state == "wrap_up")
    return PastDay(calls, picked, sum(e.fields["result"] == "no_answer" for e in ends), wraps, states)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_replayed_day_has_the_service_level_that_the_journal_shows(seed):
    course, past = a_day(seed)
    logged = figures([course], BUREAU, DAY)
    laws = history.laws(past, BUREAU)
    presence, habits = history.presence(past, DAY), history.habits(past)
    days = [
        simulate(BUREAU, history.replay(past, laws, n), presence, habits, start=DAY.start, seed=n)
        for n in range(1, 6)
    ]
    again = figures(days, BUREAU, DAY).total
    assert again.calls == logged.total.calls
    for figure in ("service_level", "abandons", "asa"):
        found, truth = getattr(again, figure), getattr(logged.total, figure).value
        # nine figures: each may be off by one and a half times its interval, as the other gates
        assert abs(found.value - truth) <= 1.5 * found.error, (figure, truth, found)


def test_days_like_that_one_have_its_figures_on_average():
    course, past = a_day(4)
    laws = history.laws(past, BUREAU)
    like = history.profile(past, laws, DAY)
    assert like.calls == len(past.calls)
    days = [
        simulate(
            BUREAU,
            draw(like, DAY, n),
            history.presence(past, DAY),
            history.habits(past),
            start=DAY.start,
            seed=n,
        )
        for n in range(1, 7)
    ]
    again, logged = figures(days, BUREAU, DAY), figures([course], BUREAU, DAY)
    assert again.total.calls == pytest.approx(logged.total.calls, rel=0.06)
    assert again.total.service_level.value == pytest.approx(logged.total.service_level.value, abs=0.06)
    assert again.work.handling == pytest.approx(logged.work.handling, rel=0.06)


def call(
    number: int, outcome: str, wait: float, talk: float = 0.0, client_: str = "lilas", **more: object
) -> PastCall:
    fields: dict[str, object] = {"did": "+33199001001", "caller": "+33639980101", "anonymous": False}
    fields |= {
        "forwarded_from": "+33261912010",
        "forward_reason": "no-answer",
        "queued": outcome != "closed",
        **more,
    }
    return PastCall(
        id=f"c{number}", at=TEN + number, client=client_, outcome=outcome, wait=wait, talk=talk, **fields
    )  # type: ignore[arg-type]


def past_of(*calls: PastCall, states: tuple[PastState, ...] = ()) -> PastDay:
    return PastDay(calls, (), 0, (), states)


def test_what_the_journal_knows_of_a_caller_is_kept():
    past = past_of(call(0, "served", 5.0, 42.0), call(1, "abandoned", 17.0), call(2, "closed", 4.0))
    laws = history.laws(past, BUREAU)
    for seed in range(20):
        served, gone, closed = history.replay(past, laws, seed)
        assert (served.talk, gone.patience) == (42.0, 17.0)
        assert served.patience >= 5.0
        assert gone.talk == 42.0  # the only conversation there is to draw
        assert closed.patience >= 4.0
    assert [a.at for a in (served, gone, closed)] == [TEN, TEN + 1, TEN + 2]
    who = served.identity
    assert (who.did, who.caller, who.forwarded_from) == ("+33199001001", "+33639980101", "+33261912010")
    assert who.forward_reason is not None
    assert who.forward_reason.value == "no-answer"


def test_a_client_with_few_calls_borrows_the_houses_laws():
    many = [call(n, "served", 5.0, 30.0) for n in range(25)]
    few = [call(100 + n, "served", 5.0, 300.0, "roux") for n in range(5)]
    laws = history.laws(past_of(*many, *few), BUREAU)
    assert laws.talk_of("lilas").mean == 30.0
    assert laws.talk_of("roux") == laws.talk[""]
    assert laws.talk[""].mean == pytest.approx((25 * 30 + 5 * 300) / 30)
    gone = [call(n, "abandoned", 10.0 + n) for n in range(25)]
    laws = history.laws(past_of(*gone, call(50, "served", 90.0, 1.0, "roux")), BUREAU)
    assert laws.patience_of("lilas") != laws.patience_of("roux")


def test_a_day_without_conversations_takes_the_usual_laws():
    past = past_of(call(0, "closed", 4.0))
    laws = history.laws(past, BUREAU)
    assert laws.talk_of("lilas").mean == pytest.approx(100.0)
    assert history.mean_patience(laws) == 90.0
    assert history.habits(past) == Habits()


def test_how_phones_were_picked_up_is_measured():
    habits = history.habits(PastDay((), (2.0, 4.0, 6.0), 1, (5.0, 15.0), ()))
    assert habits.pick_up == Observed((2.0, 4.0, 6.0))
    assert habits.no_answer == 0.25
    assert habits.wrap_up == Observed((5.0, 15.0))


def test_shifts_and_breaks_are_read_off_the_states():
    states = (
        PastState(DAY.start, "lea", "logged_out", None),
        PastState(DAY.start, "zoe", "free", None),  # since yesterday
        PastState(TEN - 3600, "lea", "free", None),
        PastState(TEN, "lea", "talking", None),
        PastState(TEN + 60, "lea", "paused", "break"),
        PastState(TEN + 660, "lea", "free", None),
        PastState(TEN + 700, "lea", "paused", "no_answer"),  # that one was ours
        PastState(TEN + 800, "lea", "free", None),
        PastState(TEN + 7200, "lea", "offline", None),
        PastState(TEN + 9000, "ines", "logged_out", None),
    )
    found = history.presence(past_of(states=states), DAY)
    assert set(found) == {"lea", "zoe"}
    assert found["lea"].works == ((TEN - 3600, TEN + 7200),)
    assert found["lea"].breaks == ((TEN + 60, TEN + 660),)
    assert found["lea"].available(TEN, TEN + 1000) == pytest.approx(400.0)
    assert found["zoe"].works == ((DAY.start, DAY.end),)
