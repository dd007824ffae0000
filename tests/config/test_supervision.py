"""`leads` and `supervision` of a team: what an admin may write, and what the exchange reads."""

from __future__ import annotations

from datetime import time

import pytest

from autocom.core.model import MODES, TimeRange
from tests.config.conftest import BUREAU

WINDOW = "supervision: {hours: {mon-fri: '09:00-18:00'}, modes: [barge, listen], notice: beep}"


def with_team(desk, text: str) -> None:
    """The first team of the bureau, with these keys."""
    assert "  general: {}\n" in BUREAU
    desk.write("bureau.yaml", BUREAU.replace("  general: {}\n", f"  general: {{{text}}}\n"))


def test_a_window_is_read_as_it_is_written(desk):
    with_team(desk, f"leads: lea, {WINDOW}")
    team = desk.load().configuration.teams["general"]
    assert team.leads == ("lea",)
    assert team.supervision is not None
    assert team.supervision.week == {day: (TimeRange(time(9), time(18)),) for day in range(1, 6)}
    assert team.supervision.modes == ("listen", "barge")
    assert (team.supervision.beep, team.supervision.confidential) == (True, False)


def test_without_a_word_every_mode_is_meant_and_secrets_are_not(desk):
    with_team(desk, "leads: [lea], supervision: {hours: {mon: ['09:00-12:00']}, confidential: true}")
    window = desk.load().configuration.teams["general"].supervision
    assert window is not None
    assert (window.modes, window.beep, window.confidential) == (MODES, False, True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("leads: [§leo]", "there is no secretary `leo`"),
        ("§supervision: {hours: {mon: '09:00-12:00'}}", "nobody may use it: the team has no `leads`"),
        ("leads: [lea], supervision: {hours: §{}}", "must not be empty"),
        ("leads: [lea], supervision: {hours: {mon: '09:00-12:00'}, modes: [§spy]}", "is not one of listen"),
        ("leads: [lea], supervision: {hours: {mon: '09:00-12:00'}, §secret: true}", "unknown key `secret`"),
    ],
)
def test_what_nobody_could_use_is_refused_at_its_place(desk, text, words):
    with_team(desk, text)
    desk.refuses(words)
