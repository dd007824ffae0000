"""Distributions, and patience from waits that were cut short."""

from __future__ import annotations

from random import Random

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from autocom.simulate.chance import Exponential, Fixed, Lognormal, Observed, survival
from autocom.simulate.confidence import Estimate, batches, mean, quantile, ratio, student


@pytest.mark.parametrize(
    "times",
    [Fixed(7.0), Exponential(90.0), Lognormal(110.0, 0.86), Lognormal(4.0, 0.5), Observed((2.0, 4.0, 9.0))],
)
def test_what_is_drawn_has_the_mean_it_says(times):
    chance = Random(1)
    drawn = [times.draw(chance) for _ in range(40_000)]
    assert min(drawn) >= 0
    assert sum(drawn) / len(drawn) == pytest.approx(times.mean, rel=0.03)


@pytest.mark.parametrize(
    "times", [Fixed(7.0), Exponential(90.0), Lognormal(0.0), Lognormal(110.0), Observed((2.0,))]
)
def test_every_drawing_takes_exactly_one_number(times):
    drawn, counted = Random(5), Random(5)
    times.draw(drawn)
    counted.random()
    assert drawn.random() == counted.random()


def test_nothing_observed_is_refused():
    with pytest.raises(ValueError, match="nothing was observed"):
        Observed.of([])


def test_patience_is_kaplan_and_meiers_curve():
    """Seven callers, the textbook's way: at each hang-up the share that stays of those still at risk."""
    seen = [(2.0, True), (3.0, False), (5.0, True), (5.0, True), (5.0, False), (8.0, False), (9.0, True)]
    found = survival(seen, 90.0)
    assert found.times == (2.0, 5.0, 9.0)
    assert found.left == pytest.approx((6 / 7, 6 / 7 * 3 / 5, 0.0))
    assert found.mean == pytest.approx(37 / 4)


def test_patience_is_recovered_from_waits_that_answers_cut_short():
    chance, waits = Random(2), []
    for _ in range(20_000):
        patience, answered = Exponential(90.0).draw(chance), Exponential(30.0).draw(chance)
        waits.append((min(patience, answered), patience < answered))
    found = survival(waits, 1.0)
    assert found.mean == pytest.approx(90.0, rel=0.03)
    # the mean of those who gave up would say 22.5 s
    drawn = [found.draw(chance) for _ in range(20_000)]
    assert sum(patience > 60 for patience in drawn) / len(drawn) == pytest.approx(0.513, abs=0.02)
    assert sum(drawn) / len(drawn) == pytest.approx(90.0, rel=0.06)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.1, 300), st.booleans()), max_size=40),
    st.floats(0, 400),
    st.integers(0, 1000),
)
def test_who_is_known_to_have_waited_has_at_least_that_patience(seen, waited, seed):
    assert survival(seen, 90.0).draw_beyond(waited, Random(seed)) >= waited


def test_without_a_single_hang_up_patience_is_what_is_usual():
    found = survival([(10.0, False), (20.0, False)], 90.0)
    chance = Random(3)
    assert sum(found.draw(chance) for _ in range(20_000)) / 20_000 == pytest.approx(90.0 + 0.0, rel=0.05)


# --- confidence ------------------------------------------------------------------------------


def test_an_interval_holds_the_truth_nineteen_times_in_twenty():
    chance, held = Random(4), 0
    for _ in range(2000):
        parts = []
        for _ in range(10):
            calls = chance.randint(0, 40)
            parts.append((float(sum(chance.random() < 0.8 for _ in range(calls))), float(calls)))
        held += ratio(parts).covers(0.8)
    assert held / 2000 == pytest.approx(0.95, abs=0.03)


def test_a_ratio_weighs_parts_by_their_calls():
    assert ratio([(1.0, 1.0), (0.0, 9.0)]).value == pytest.approx(0.1)
    assert ratio([(0.0, 0.0), (0.0, 0.0)]) == Estimate(None)
    assert ratio([(3.0, 4.0)]) == Estimate(0.75, None)
    assert not Estimate(0.75, None).covers(0.75)


def test_a_mean_has_students_error():
    found = mean([1.0, 2.0, 3.0])
    assert found.value == pytest.approx(2.0)
    assert found.error == pytest.approx(4.303 / 3**0.5)
    assert student(2) == pytest.approx(12.706)
    assert student(1000) == pytest.approx(1.96, abs=0.01)


def test_a_quantile_is_of_all_values_together():
    assert quantile([[1.0, 2.0], [3.0, 4.0, 5.0]], 0.9) == Estimate(5.0)
    assert quantile([[], []], 0.9) == Estimate(None)
    long = [[float(n % 100) for n in range(k, k + 300)] for k in range(5)]
    found = quantile(long, 0.5)
    assert found.value == pytest.approx(49.0, abs=1)
    assert found.error is not None


def test_batches_are_equal_parts_after_the_warm_up():
    assert [list(part) for part in batches(range(12), 2, warm_up=0.5)] == [[6, 7, 8], [9, 10, 11]]
