from __future__ import annotations

import time

import pytest

from autocom.asterisk.clock import SteadyClock


def test_it_shows_utc_and_ignores_a_step_of_the_systems_clock(monkeypatch):
    clock = SteadyClock()
    assert abs(clock.now() - time.time()) < 0.5
    before = clock.now()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert 0 <= clock.now() - before < 5


@pytest.mark.parametrize("ahead", [-100.0, 0.0, 0.05])
async def test_until_returns_at_the_instant_and_never_before(ahead):
    clock = SteadyClock()
    instant = clock.now() + ahead
    await clock.until(instant)
    assert instant <= clock.now() < instant + max(1.0, 101.0 if ahead < 0 else 1.0)
