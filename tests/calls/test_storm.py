"""Anything may happen to calls in every stage at once, at any instant: see `storm`. Each seed is one storm."""

from __future__ import annotations

import pytest

from tests.calls.storm import Storm
from tests.support.virtual import run


@pytest.mark.parametrize("seed", range(8))
def test_whatever_people_do_every_call_ends_once_with_its_word_and_nobody_hears_nothing(seed: int) -> None:
    assert run(Storm(seed, violent=False, acts=40).run()).faults == []


# the first ones found something once: each of them a bug of another kind
@pytest.mark.parametrize("seed", [9, 22, 33, 152, 1087, 1099, 50262, 50300, *range(2)])
def test_kills_gaps_and_unanswered_commands_change_nothing_of_that(seed: int) -> None:
    assert run(Storm(seed, acts=40 if seed > 50000 else 30).run()).faults == []
