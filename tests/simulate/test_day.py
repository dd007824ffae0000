"""A simulated day obeys the client's own rules and hours, and the floor's."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time

import pytest

from autocom.core.ingress import Identity
from autocom.core.model import (
    Audio,
    Enqueue,
    Forward,
    Hangup,
    HangupKind,
    Hours,
    Menu,
    Mode,
    Play,
    Ringback,
    Rule,
    Team,
    TimeRange,
    Voicemail,
    When,
    Widening,
)
from autocom.simulate.arrivals import Arrival
from autocom.simulate.calendar import Day
from autocom.simulate.chance import Fixed
from autocom.simulate.day import simulate
from autocom.simulate.presence import Habits, Shift
from tests.simulate.queues import DAY, client, house

TEN = DAY.at(time(10))
MESSAGE = Audio("bonjour", "bonjour", 8.0)
PICKS_UP = Habits(pick_up=Fixed(3.0))


def caller(
    after: float = 0.0, *, name: str = "lilas", talk: float = 60.0, patience: float = 600.0
) -> Arrival:
    identity = Identity(name, "+33199001001", "", "+33639980101", "", anonymous=False)
    return Arrival(TEN + after, name, talk, patience, identity)


def at_work(*who: str, until: float = DAY.end) -> dict[str, Shift]:
    return {name: Shift(((DAY.start, until),)) for name in who}


def day(configuration, *arrivals, presence=None, habits=PICKS_UP):
    presence = at_work(*configuration.secretaries) if presence is None else presence
    return simulate(configuration, arrivals, presence, habits, start=DAY.start)


def outcomes(course):
    return [passed.outcome for passed in sorted(course.calls, key=lambda p: p.at)]


QUEUE = Enqueue("medical", ring_for=12.0)
LEA = {"lea": {"medical": 1}}


def test_a_caller_waits_for_the_pick_up_and_talks_as_long_as_he_has_to_say():
    course = day(house([client("lilas", QUEUE)], LEA), caller())
    (passed,) = course.calls
    assert (passed.outcome, passed.secretary, passed.team, passed.offers) == ("served", "lea", "medical", 1)
    assert passed.wait == pytest.approx(3.0, abs=0.01)
    assert passed.talk == pytest.approx(60.0, abs=0.01)
    states = [(s.state, round(s.end - s.start)) for s in course.stints if s.start >= TEN]
    assert states[:2] == [("ringing", 3), ("talking", 60)]


def test_a_closed_client_is_counted_as_closed_and_rings_nobody():
    hours = Hours("Europe/Paris", {1: (TimeRange(time(8), time(9, 30)),)})
    rules = (
        Rule("closed", When(open=False), (Play(MESSAGE, Mode.ANSWERED), Hangup())),
        Rule("open", None, (QUEUE,)),
    )
    made = replace(client("lilas"), hours=hours, rules=rules)
    course = day(house([made], LEA), caller(-3600.0), caller(), caller(60.0, patience=2.0))
    assert outcomes(course) == ["served", "closed", "closed"]
    closed = [p for p in course.calls if p.outcome == "closed"]
    assert [p.offers for p in closed] == [0, 0]
    assert [round(p.wait) for p in sorted(closed, key=lambda p: p.at)] == [8, 2]


def test_who_waits_when_the_client_closes_is_sent_away():
    hours = Hours("Europe/Paris", {1: (TimeRange(time(8), time(10, 5)),)})
    rules = (Rule("closed", When(open=False), (Hangup(),)), Rule("open", None, (QUEUE,)))
    made = replace(client("lilas"), hours=hours, rules=rules)
    course = day(house([made], LEA), caller(talk=3600.0), caller(10.0, patience=3600.0))
    assert outcomes(course) == ["served", "closed"]
    late = course.calls[0]
    assert late.at + late.wait == pytest.approx(TEN + 300, abs=0.1)


def test_a_caller_without_patience_hangs_up_and_the_phone_stops():
    course = day(house([client("lilas", QUEUE)], LEA), caller(patience=2.0), caller(30.0))
    assert outcomes(course) == ["abandoned", "served"]
    assert [round(p.wait) for p in sorted(course.calls, key=lambda p: p.at)] == [2, 3]


def test_a_message_that_must_be_heard_is_heard_before_the_two_are_joined():
    steps = (Play(MESSAGE, Mode.ANSWERED, must_hear=True), QUEUE)
    (passed,) = day(house([client("lilas", *steps)], LEA), caller()).calls
    assert passed.wait == pytest.approx(8.0, abs=0.01)


@pytest.mark.parametrize(("seconds", "heard"), [(1.5, 1.5), (8.0, 5.0)])
def test_what_the_queue_says_to_who_is_answered_is_waited_for(seconds, heard):
    greeting = Audio("vous-voici", "vous-voici", seconds)
    made = house([client("lilas", replace(QUEUE, on_answer=greeting))], LEA)
    (passed,) = day(made, caller()).calls
    assert passed.wait == pytest.approx(3.0 + heard)


def test_a_message_that_need_not_be_heard_costs_no_time():
    (passed,) = day(house([client("lilas", Play(MESSAGE), QUEUE)], LEA), caller()).calls
    assert passed.wait == pytest.approx(3.0, abs=0.01)


def test_menus_and_ringing_cost_their_time():
    steps = (Ringback(5.0), Menu(MESSAGE, {"9": (Hangup(),), "1": (QUEUE,)}, otherwise=(Hangup(),)))
    (passed,) = day(house([client("lilas", *steps)], LEA), caller()).calls
    assert passed.outcome == "served"
    assert passed.wait == pytest.approx(5 + 8 + 2 + 3, abs=0.01)


@pytest.mark.parametrize(
    ("step", "outcome"),
    [
        (Forward("+33639981011"), "forwarded"),
        (Voicemail(), "voicemail"),
        (Hangup(HangupKind.BUSY), "rejected"),
    ],
)
def test_a_call_that_never_waits_ends_as_its_rule_says(step, outcome):
    (passed,) = day(house([client("lilas", step)], LEA), caller()).calls
    assert (passed.outcome, passed.team, passed.offers) == (outcome, None, 0)


def test_the_longest_wait_ends_in_the_way_out():
    queue = Enqueue("medical", max_wait=20.0, on_timeout=(Voicemail(),))
    course = day(house([client("lilas", queue)], LEA), caller(talk=600.0), caller(10.0))
    assert outcomes(course) == ["served", "voicemail"]
    without = day(
        house([client("lilas", replace(queue, on_timeout=()))], LEA), caller(talk=600.0), caller(10.0)
    )
    assert outcomes(without) == ["served", "timeout"]


def test_one_call_more_than_the_client_bought_is_full():
    made = house([client("lilas", QUEUE, max_calls=1)], LEA)
    assert outcomes(day(made, caller(), caller(10.0), caller(120.0))) == ["served", "full", "served"]


def test_an_empty_floor_sends_him_where_the_queue_says():
    queue = replace(QUEUE, on_nobody=(Hangup(),))
    course = day(house([client("lilas", queue)], LEA), caller(), presence={})
    assert outcomes(course) == ["nobody"]


def test_a_shift_ends_after_the_call_and_begins_on_time():
    made = house([client("lilas", QUEUE)], LEA)
    course = day(
        made, caller(talk=120.0), caller(30.0, patience=90.0), presence=at_work("lea", until=TEN + 20)
    )
    assert outcomes(course) == ["served", "abandoned"]
    early = {"lea": Shift(((TEN + 40, DAY.end),))}
    (passed,) = day(made, caller(), presence=early).calls
    assert passed.wait == pytest.approx(43.0, abs=0.01)


def test_a_break_is_taken_and_ends():
    presence = {"lea": Shift(((DAY.start, DAY.end),), ((TEN - 60, TEN + 100),))}
    (passed,) = day(house([client("lilas", QUEUE)], LEA), caller(), presence=presence).calls
    assert passed.wait == pytest.approx(103.0, abs=0.01)


def test_who_lets_it_ring_is_skipped_and_paused_and_comes_back():
    silent = Habits(pick_up=Fixed(3.0), no_answer=1.0, back_after=100.0)
    made = house([client("lilas", QUEUE)], LEA)
    made = replace(made, bureau=replace(made.bureau, pause_after=2))
    course = day(made, caller(patience=200.0), habits=silent)
    (passed,) = course.calls
    assert (passed.outcome, passed.offers) == ("abandoned", 4)
    paused = [s for s in course.stints if s.state == "paused"]
    assert round(paused[0].end - paused[0].start) == 100


def test_wrap_up_takes_what_the_client_allows_or_what_she_needs():
    made = house([client("lilas", QUEUE, wrap_up_max=20.0)], LEA)
    course = day(made, caller(), caller(5.0))
    assert [round(p.wait) for p in course.calls] == [3, 3 + 60 + 20 + 3 - 5]
    quick = day(made, caller(), caller(5.0), habits=Habits(pick_up=Fixed(3.0), wrap_up=Fixed(6.0)))
    assert [round(p.wait) for p in quick.calls] == [3, 3 + 60 + 6 + 3 - 5]


def test_a_team_widens_at_its_time_to_the_tenth_of_a_second():
    wide = Team("medical", (Widening(20.0, "general"),))
    made = house([client("lilas", QUEUE)], {"zoe": {"general": 1}}, wide)
    (passed,) = day(made, caller(0.123456)).calls
    assert (passed.secretary, passed.own) == ("zoe", False)
    assert passed.wait == pytest.approx(23.0, abs=0.01)


def test_the_caller_of_a_client_who_is_not_there_is_unknown():
    made = house([client("accueil", QUEUE)], LEA)
    (passed,) = day(made, caller(name="gone")).calls
    assert (passed.client, passed.outcome) == ("accueil", "served")


def test_the_same_seed_is_the_same_day():
    made = house([client("lilas", QUEUE)], {"lea": {"medical": 1}, "ines": {"medical": 1}})
    arrivals = [caller(7.0 * n, talk=20.0 + n, patience=40.0) for n in range(200)]
    habits = Habits(no_answer=0.1)
    presence = at_work("lea", "ines")
    days = [simulate(made, arrivals, presence, habits, start=DAY.start, seed=seed) for seed in (1, 1, 2)]
    assert days[0] == days[1]
    assert days[0].calls != days[2].calls


def test_what_could_be_foretold_is_compared_with_what_came():
    """Three others are ahead of him and the only secretary: he waits for four calls of a minute each."""
    made = house([client("lilas", QUEUE)], LEA)
    arrivals = [caller(0.0), *(caller(1.0 + n, talk=60.0) for n in range(4))]
    course = simulate(made, arrivals, at_work("lea"), PICKS_UP, start=DAY.start, foretelling=True)
    first, *_, last = sorted(course.calls, key=lambda p: p.at)
    assert first.misjudged is None, "her phone rang at once"
    assert last.misjudged is not None
    assert abs(last.misjudged) < 0.5 * last.wait
    plain = simulate(made, arrivals, at_work("lea"), PICKS_UP, start=DAY.start)
    assert all(passed.misjudged is None for passed in plain.calls)
    assert [p.wait for p in plain.calls] == [p.wait for p in course.calls], "telling changes nothing"


def test_nobody_is_lost():
    made = house([client("lilas", QUEUE)], LEA)
    course = day(made, *(caller(3.0 * n, talk=30.0, patience=25.0) for n in range(300)))
    assert len(course.calls) == 300
    assert set(outcomes(course)) == {"served", "abandoned"}


# --- the day itself --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("date_", "hours", "labels"),
    [
        (date(2026, 11, 23), 24, ["00:00", "02:30", "03:00"]),
        (date(2026, 3, 29), 23, ["00:00", "03:30", "04:00"]),
        (date(2026, 10, 25), 25, ["00:00", "02:30", "02:00"]),
    ],
)
def test_a_day_has_the_half_hours_that_its_clock_shows(date_, hours, labels):
    found = Day.of(date_, "Europe/Paris")
    assert (found.end - found.start) / 3600 == hours
    assert found.slots == 2 * hours
    assert [found.label(n) for n in (0, 5, 6)] == labels
    assert [found.slot(found.begins(n)) for n in range(found.slots)] == list(range(found.slots))
    assert (found.slot(found.start - 5), found.slot(found.end + 5)) == (0, found.slots - 1)
    assert found.at(time(), ends=True) == found.end
