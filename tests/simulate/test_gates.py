"""The simulator against queueing theory: the real floor must be the textbook's queue where it should be one.

Twenty batches give the error. One family of gates holds some thirty figures, so each may be off by one and a
half times its 95 % interval (3 standard errors) and not by more. `make simulate-validate` runs the same with
hundreds of thousands of calls, where figures of large groups must also be within a point, or within the 95 %
interval where that is wider.
"""

from __future__ import annotations

import pytest

from autocom.core.erlang import impatient, patient
from autocom.simulate.chance import Exponential, Fixed
from autocom.simulate.confidence import Estimate, batches, ratio_of
from autocom.simulate.figures import BUSY
from autocom.simulate.presence import Habits
from tests.simulate.queues import DAY, HANDLING, Kind, in_order, in_time, pool, run

BATCHES = 20
FAMILY = 1.5
MANY = 200_000


def agrees(
    what: str, estimate: Estimate, truth: float, calls: int = 0, *, points: float | None = None
) -> bool:
    """Whether theory holds; `pytest -rP` shows the table of all figures."""
    assert estimate.value is not None
    assert estimate.error is not None
    off = abs(estimate.value - truth)
    print(f"{what:<22} theory {truth:9.4f}   simulated {estimate.value:9.4f} ± {estimate.error:.4f}")
    # nine tenths busy and nobody leaving, chance alone moves 200,000 calls by three points
    near = points is None or calls < MANY or off <= max(points, estimate.error)
    return near and off <= FAMILY * estimate.error + 1e-9


def measured(course, what, of=lambda _: 1.0):
    return ratio_of(batches(in_order(course), BATCHES, warm_up=0.02), what, of)


@pytest.mark.parametrize(("servers", "load"), [(3, 2.0), (7, 5.0), (22, 20.0), (55, 50.0)])
def test_patient_callers_wait_as_erlang_c_says(servers, load, calls):
    rate = load / HANDLING
    expected = patient(rate, HANDLING, servers, 20)
    course = run({"lilas": Kind(rate)}, pool(servers), calls, seed=3)
    assert agrees("service level", measured(course, in_time), expected.service_level, calls, points=0.01)
    assert agrees("mean wait, s", measured(course, lambda p: p.wait), expected.asa)
    assert agrees("waits", measured(course, lambda p: p.wait > 0.001), expected.waits)


@pytest.mark.parametrize(("servers", "load"), [(1, 0.8), (5, 5.0), (20, 20.0), (50, 50.0)])
def test_impatient_callers_wait_and_leave_as_erlang_a_says(servers, load, calls):
    rate, patience = load / HANDLING, 90.0
    expected = impatient(rate, HANDLING, patience, servers, 20)
    course = run({"lilas": Kind(rate, patience=Exponential(patience))}, pool(servers), calls, seed=4)
    assert agrees("service level", measured(course, in_time), expected.service_level, calls, points=0.01)
    left = measured(course, lambda p: p.outcome == "abandoned")
    assert agrees("abandons", left, expected.abandons, calls, points=0.01)
    assert agrees("mean wait, s", measured(course, lambda p: p.wait), expected.asa)


def test_who_leaves_is_what_patience_and_the_queue_say(calls):
    """P(abandon) = θ E[Q] / λ: the share that left is the mean wait of all in parts of the mean patience."""
    rate, patience = 5.5 / HANDLING, 60.0
    course = run({"lilas": Kind(rate, patience=Exponential(patience))}, pool(5), calls, seed=5)
    law = measured(course, lambda p: (p.outcome == "abandoned") - p.wait / patience)
    assert agrees("abandons - wait / patience", law, 0.0)


def test_secretaries_are_as_busy_as_littles_law_says(calls):
    """Busy seconds come from the floor's own entries, the flow and the talking from the callers."""
    rate = 4.0 / HANDLING
    course = run({"lilas": Kind(rate, patience=Exponential(90.0))}, pool(5), calls, seed=6)
    served = [p for p in course.calls if p.outcome == "served"]
    busy = sum(s.end - s.start for s in course.stints if s.state in BUSY)
    assert busy == pytest.approx(sum(p.talk for p in served), rel=1e-6)
    there = sum(s.end - s.start for s in course.stints if s.state in BUSY | {"free"})
    span = max(p.at for p in course.calls) - DAY.start
    # L = λ W for the places: five of them, each there for the whole time
    assert there == pytest.approx(5 * span, rel=0.02)
    expected = impatient(rate, HANDLING, 90, 5, 20).occupancy
    print(f"occupancy: theory {expected:.4f}, simulated {busy / there:.4f}")
    assert busy / there == pytest.approx(expected, abs=0.03)


def test_another_secretary_never_lowers_the_service_level(calls):
    levels = []
    for servers in (4, 5, 6, 8, 12):
        course = run(
            {"lilas": Kind(5 / HANDLING, patience=Exponential(90.0))}, pool(servers), calls // 4, seed=7
        )
        levels.append(measured(course, in_time).value)
    assert levels == sorted(levels)
    assert levels[-1] > 0.99


def test_two_closed_teams_are_twice_one_with_half_the_callers(calls):
    rate = 4 / HANDLING
    two = {"lilas": Kind(rate, team="a"), "roux": Kind(rate, team="b")}
    staff = {**{f"a{n}": {"a": 1} for n in range(5)}, **{f"b{n}": {"b": 1} for n in range(5)}}
    course = run(two, staff, calls, seed=8)
    for name in two:
        alone = patient(rate, HANDLING, 5, 20)
        mine = [p for p in in_order(course) if p.client == name]
        parts = batches(mine, BATCHES, warm_up=0.02)
        assert agrees("service level, " + name, ratio_of(parts, in_time, lambda _: 1.0), alone.service_level)
    pooled = patient(2 * rate, HANDLING, 10, 20)
    assert pooled.service_level > patient(rate, HANDLING, 5, 20).service_level
    one = run({"lilas": Kind(2 * rate)}, pool(10), calls, seed=8)
    assert agrees("service level, pooled", measured(one, in_time), pooled.service_level)


def product_form(only: float, both: float, served: float) -> tuple[float, float, float, float]:
    """Two skills under first come first served and longest idle, exactly.

    Callers of kind a can be taken by the first secretary only, those of kind b by both; rates `only` and
    `both`, service rate `served` each. By Adan and Weiss (A skill based parallel service system under
    FCFS-ALIS, Stochastic Systems 4, 2014) a state lists the busy secretaries in the order of the calls they
    hold, with the callers who wait between them, then the idle ones from the longest idle; its weight is

        Π over busy prefixes S_j:  λ(U_j)^n_j / μ(S_j)^(n_j+1)   ·   Π over idle suffixes:  1 / λ(C_j)

    where U_j are the kinds that only secretaries of the prefix can take, C_j those that the suffix can.
    With λ = only + both there are six families of states:

        both idle                     1/λ · 1/λ  +  1/λ · 1/both     (the last of the list is the first or second)
        first busy, n a's wait        only^n / μ^(n+1) · 1/both
        second busy                   1/μ · 1/λ
        first then second, n a's between them, m of any kind behind:   only^n/μ^(n+1) · λ^m/(2μ)^(m+1)
        second then first, m behind:  1/μ · λ^m/(2μ)^(m+1)

    Summed: returns P(a waits), P(b waits), E[a's wait], E[b's wait], the waits by Little's law."""
    whole = only + both
    alone, behind = 1 / (served - only), 1 / (2 * served - whole)
    idle = 1 / whole**2 + 1 / (whole * both)
    first, second = alone / both, 1 / (served * whole)
    first_second, second_first = alone * behind, behind / served
    total = idle + first + second + first_second + second_first
    between, after = only / (served - only), whole / (2 * served - whole)  # mean numbers of n and m
    queue_a = (
        first * between
        + first_second * (between + after * only / whole)
        + second_first * after * only / whole
    )
    queue_b = (first_second + second_first) * after * both / whole
    return (
        (first + first_second + second_first) / total,
        (first_second + second_first) / total,
        queue_a / total / only,
        queue_b / total / both,
    )


def test_the_product_form_balances():
    """As many enter "both busy" as leave it, and "both idle": the flows between the families of states."""
    only, both, served = 0.3, 0.5, 0.7
    whole = only + both
    alone = 1 / (served - only)
    idle = 1 / whole**2 + 1 / (whole * both)
    assert idle * whole == pytest.approx(served * (1 / (served * both)) + served * (1 / (served * whole)))
    entering = (alone / both) * both + 1 / (served * whole) * whole
    # the second ends and finds only a's behind: each of m is one with chance only / whole
    only_a_behind = 1 / (2 * served - only)
    second_ends = (alone + 1 / served) * only_a_behind
    first_ends = 2 * (1 / served) * (1 / (2 * served))  # and nobody waits
    assert entering == pytest.approx(served * (second_ends + first_ends))


@pytest.mark.parametrize(("only", "both"), [(0.35, 0.9), (0.6, 0.6), (0.1, 1.4)])
def test_two_skills_wait_as_the_product_form_says(only, both, calls):
    served = 1 / HANDLING
    kinds = {"alpha": Kind(only * served, team="a"), "beta": Kind(both * served, team="b")}
    staff = {"first": {"a": 1, "b": 1}, "second": {"b": 1}}
    waits_a, waits_b, mean_a, mean_b = product_form(only * served, both * served, served)
    course = run(kinds, staff, calls, seed=9)
    parts = batches(in_order(course), BATCHES, warm_up=0.02)
    for name, waits, mean in (("alpha", waits_a, mean_a), ("beta", waits_b, mean_b)):
        mine = [[p for p in part if p.client == name] for part in parts]
        assert agrees("waits, " + name, ratio_of(mine, lambda p: p.wait > 0.001, lambda _: 1.0), waits)
        assert agrees("mean wait, " + name, ratio_of(mine, lambda p: p.wait, lambda _: 1.0), mean)


def test_callers_who_are_alike_are_served_in_the_order_of_their_calls(calls):
    course = run({"lilas": Kind(4.5 / HANDLING), "roux": Kind(0.3 / HANDLING)}, pool(5), calls // 4, seed=10)
    began = [p.at + p.wait for p in in_order(course)]
    assert began == sorted(began)


def test_picking_up_is_waiting_for_the_caller_and_work_for_the_secretary(calls):
    rate = 3 / (HANDLING + 6)
    course = run({"lilas": Kind(rate)}, pool(5), calls, seed=11, habits=Habits(pick_up=Fixed(6.0)))
    assert min(p.wait for p in course.calls) == pytest.approx(6.0, abs=0.001)
    busy = sum(s.end - s.start for s in course.stints if s.state in BUSY)
    assert busy == pytest.approx(sum(p.talk + 6.0 for p in course.calls), rel=1e-6)
