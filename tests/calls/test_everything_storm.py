"""Everything at once, at any instant, on any call: nobody is lost, nobody hears nothing, nothing is left behind."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.calls.everything_storm import EverythingStorm
from tests.support.virtual import run


@pytest.mark.parametrize("seed", range(10))
def test_whatever_callers_and_secretaries_do_at_any_instant_everything_ends_well(seed: int) -> None:
    assert run(EverythingStorm(seed, violent=False, acts=80).run()).faults == []


@pytest.mark.parametrize("seed", range(10))
def test_kills_gaps_and_unanswered_commands_change_nothing_of_that(seed: int) -> None:
    assert run(EverythingStorm(seed, acts=60).run()).faults == []


def test_the_storms_reach_what_they_are_about() -> None:
    kinds: Counter[str] = Counter()
    for seed in range(8):
        storm = run(EverythingStorm(seed, violent=False, acts=80).run())
        kinds.update(entry.kind for entry in storm.bench.journal.entries)
    reached = (
        "bridged",
        "patched",
        "held",
        "consult_answered",
        "transferred",
        "parked",
        "room_joined",
        "returned",
    )
    assert min((kinds[kind], kind) for kind in (*reached, "supervision_started", "recording_started")) > (
        2,
        "",
    )
