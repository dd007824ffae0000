"""Erlang's formulas against published and independently computed values, and their own laws."""

from __future__ import annotations

import math
from fractions import Fraction

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from autocom.core.erlang import erlang_b, erlang_c, impatient, needed, patient


@pytest.mark.parametrize(
    ("load", "servers", "chance"),
    [
        (1, 2, 1 / 3),
        (5, 7, 0.32415),
        (10, 12, 0.44939),
        (20, 22, 0.56792),
        (50, 55, 0.38455),
        (100, 110, 0.23701),
    ],
)
def test_the_chance_to_wait_is_the_published_one(load, servers, chance):
    assert erlang_c(load, servers) == pytest.approx(chance, abs=5e-6)


@pytest.mark.parametrize(
    ("load", "servers", "lost"), [(10, 12, 0.11974), (25, 30, 0.0526), (0, 3, 0.0), (2, 0, 1.0)]
)
def test_the_share_of_lost_calls_is_the_published_one(load, servers, lost):
    assert erlang_b(load, servers) == pytest.approx(lost, abs=5e-6)


@settings(deadline=None)
@given(st.integers(1, 60), st.integers(1, 60))
def test_erlang_b_is_the_sum_over_factorials_exactly(load, servers):
    terms = [Fraction(load**k, math.factorial(k)) for k in range(servers + 1)]
    assert erlang_b(load, servers) == pytest.approx(float(terms[-1] / sum(terms)), rel=1e-12)


def test_fifty_secretaries_at_the_published_load():
    """Garnett, Mandelbaum and Reiman's example: 48 calls a minute of one minute, two minutes of patience."""
    c, a = patient(0.8, 60, 50, 20), impatient(0.8, 60, 120, 50, 20)
    assert (round(c.asa, 1), round(c.queue, 1), round(c.occupancy, 2)) == (20.8, 16.7, 0.96)
    assert (round(a.asa, 1), round(a.queue, 1), round(a.occupancy, 2)) == (3.7, 3.0, 0.93)
    assert round(100 * a.abandons, 1) == 3.1


@pytest.mark.parametrize(("servers", "level", "abandons"), [(5, 0.6072, 0.1839), (20, 0.7647, None)])
def test_impatient_callers_at_full_load(servers, level, abandons):
    found = impatient(servers / 110, 110, 90, servers, 20)
    assert found.service_level == pytest.approx(level, abs=5e-5)
    assert abandons is None or found.abandons == pytest.approx(abandons, abs=5e-5)


@pytest.mark.parametrize(
    ("servers", "load", "level", "wait"),
    [(7, 5, 0.7747, 17.83), (22, 20, 0.605, None), (55, 50, 0.845, None)],
)
def test_patient_callers_at_the_loads_of_the_simulations(servers, load, level, wait):
    found = patient(load / 110, 110, servers, 20)
    assert found.service_level == pytest.approx(level, abs=6e-4)
    assert wait is None or found.asa == pytest.approx(wait, abs=5e-3)


@pytest.mark.parametrize(
    ("calls", "seconds", "secretaries"),
    [
        (20, 120, (2, 3, 3)),
        (60, 120, (4, 5, 5)),
        (60, 180, (5, 6, 7)),
        (150, 120, (8, 9, 9)),
        (200, 180, (14, 15, 16)),
        (300, 120, (13, 15, 16)),
    ],
)
def test_the_trades_sizing_table(calls, seconds, secretaries):
    goals = ((20, 0.8), (15, 0.9), (15, 0.95))
    assert tuple(needed(calls / 3600, seconds, target, goal) for target, goal in goals) == secretaries


@pytest.mark.parametrize(
    ("calls", "secretaries", "busy"), [(60, 4, 0.46), (1200, 41, 0.89), (3000, 97, 0.95)]
)
def test_a_large_pool_needs_fewer_secretaries_for_each_call(calls, secretaries, busy):
    assert needed(calls / 3600, 110, 20) == secretaries
    assert patient(calls / 3600, 110, secretaries, 20).occupancy == pytest.approx(busy, abs=0.006)


def _step_by_step(
    rate: float, handling: float, patience: float, servers: int, target: float
) -> tuple[float, float]:
    """Service level and abandonment without closed forms: the chain's balance in plain numbers, and the time
    of "j ahead of me" by uniformisation."""
    weights = [1.0]
    for k in range(1, 400):
        leaving = min(k, servers) / handling + max(0, k - servers) / patience
        weights.append(weights[-1] * rate / leaving)
    chances = [w / sum(weights) for w in weights]
    level = sum(chances[:servers])
    for ahead in range(60):
        level += chances[servers + ahead] * _served_within(ahead, servers / handling, 1 / patience, target)
    waiting = sum((k - servers) * p for k, p in enumerate(chances) if k > servers)
    return level, waiting / (patience * rate)


def _served_within(ahead: int, served: float, leaving: float, target: float) -> float:
    """States: j ahead of him (ahead … 0), served, gone; served within the target is what is summed."""
    fastest = served + (ahead + 1) * leaving
    state = [0.0] * ahead + [1.0]
    done, steps, found = 0.0, 0, 0.0
    poisson = total = math.exp(-fastest * target)
    while total < 1 - 1e-13:
        after = [0.0] * (ahead + 1)
        for j, chance in enumerate(state):
            forward = (served + j * leaving) / fastest if j else served / fastest
            if j:
                after[j - 1] += chance * forward
            else:
                done += chance * forward
            after[j] += chance * (1 - forward - leaving / fastest)
        state = after
        steps += 1
        poisson *= fastest * target / steps
        total += poisson
        found += poisson * done
    return found


@pytest.mark.parametrize(
    ("rate", "handling", "patience", "servers", "target"),
    [
        (0.05, 110, 90, 5, 20),
        (0.2, 60, 30, 10, 15),
        (0.01, 200, 300, 1, 40),
        (0.5, 50, 120, 24, 5),
        (0.1, 100, 60, 6, 0),
    ],
)
def test_the_closed_form_is_what_uniformisation_gives(rate, handling, patience, servers, target):
    level, abandons = _step_by_step(rate, handling, patience, servers, target)
    found = impatient(rate, handling, patience, servers, target)
    assert found.service_level == pytest.approx(level, abs=1e-9)
    assert found.abandons == pytest.approx(abandons, abs=1e-9)


loads = st.tuples(
    st.floats(0.001, 5), st.floats(5, 600), st.floats(1, 900), st.integers(0, 120), st.floats(0, 120)
)


@settings(deadline=None)
@given(loads)
def test_shares_are_shares_and_flows_balance(load):
    rate, handling, patience, servers, target = load
    found = impatient(rate, handling, patience, servers, target)
    for share in (found.waits, found.abandons, found.service_level, found.occupancy):
        assert -1e-9 <= share <= 1 + 1e-9
    assert found.queue == pytest.approx(rate * found.asa)
    # who does not hang up is served: work in is work done
    assert servers * found.occupancy == pytest.approx(
        rate * (1 - found.abandons) * handling, rel=1e-6, abs=1e-9
    )
    assert found.service_level + found.abandons <= 1 + 1e-9


@settings(deadline=None)
@given(loads)
def test_one_secretary_more_never_hurts(load):
    rate, handling, patience, servers, target = load
    fewer = impatient(rate, handling, patience, servers, target)
    more = impatient(rate, handling, patience, servers + 1, target)
    assert more.service_level >= fewer.service_level - 1e-9
    assert more.abandons <= fewer.abandons + 1e-9


@settings(deadline=None)
@given(st.floats(0.01, 0.9), st.integers(1, 40), st.floats(0, 60))
def test_callers_of_endless_patience_are_erlang_cs(occupancy, servers, target):
    rate = occupancy * servers / 100
    a, c = impatient(rate, 100, 1e9, servers, target), patient(rate, 100, servers, target)
    assert impatient(rate, 100, math.inf, servers, target) == c
    assert a.service_level == pytest.approx(c.service_level, abs=1e-5)
    assert a.asa == pytest.approx(c.asa, rel=1e-3, abs=1e-6)


def test_two_thousand_secretaries_are_no_trouble():
    a, c = impatient(19.9, 100, 90, 2000, 20), patient(19.9, 100, 2000, 20)
    assert 2000 * a.occupancy == pytest.approx(19.9 * (1 - a.abandons) * 100, rel=1e-9)
    assert 0.99 < a.service_level < 1
    assert c.service_level == pytest.approx(1 - c.waits * math.exp(-10 * 20 / 100))
    overloaded = impatient(25.0, 100, 90, 2000, 20)
    assert overloaded.abandons == pytest.approx(0.2, abs=0.001)  # a fluid: what is too much leaves


def test_an_overload_without_abandonment_grows_for_ever():
    found = patient(1.0, 100, 90, 20)
    assert (found.waits, found.service_level, found.occupancy) == (1.0, 0.0, 1.0)
    assert math.isinf(found.asa)


def test_needed_is_the_fewest_that_do():
    for patience in (60, math.inf):
        servers = needed(0.2, 110, 20, 0.8, patience)
        assert impatient(0.2, 110, patience, servers, 20).service_level >= 0.8
        assert impatient(0.2, 110, patience, servers - 1, 20).service_level < 0.8
    assert needed(0.2, 110, 20, 0.8, 60) < needed(0.2, 110, 20, 0.8)


def test_nobody_is_needed_where_nobody_calls():
    assert needed(0.0, 110, 20) == 0
    assert impatient(0.0, 110, 90, 3, 20).service_level == 1.0


@pytest.mark.parametrize(
    "wrong",
    [(-1, 110, 90, 3, 20), (1, 0, 90, 3, 20), (1, 110, 0, 3, 20), (1, 110, 90, -3, 20), (1, 110, 90, 3, -1)],
)
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match="not negative"):
        impatient(*wrong)
    with pytest.raises(ValueError, match="not negative"):
        erlang_b(-1, 2)
