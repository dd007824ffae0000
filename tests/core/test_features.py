"""Codes and verbs of secretaries."""

from __future__ import annotations

import pytest

from autocom.core import features
from autocom.core.codes import Says, code
from autocom.core.floor_words import LoggedIn, LoggedOut, PausedBy, Resumed


@pytest.mark.parametrize(
    ("dialled", "fact", "prompt"),
    [
        ("*45", LoggedIn("lea"), "logged-in"),
        ("*46", LoggedOut("lea"), "logged-out"),
        ("*47", PausedBy("lea", "other"), "paused"),
        ("*471", PausedBy("lea", "break"), "paused"),
        ("*472", PausedBy("lea", "lunch"), "paused"),
        ("*473", PausedBy("lea", "training"), "paused"),
        ("*474", PausedBy("lea", "other"), "paused"),
        ("*48", Resumed("lea"), "resumed"),
    ],
)
def test_every_code_of_the_contract_has_its_meaning_and_its_confirmation(
    dialled: str, fact: features.SecretaryFact, prompt: str
) -> None:
    says = code(dialled)
    assert isinstance(says, Says)
    assert features.by_verb("lea", says.verb, says.reason) == fact
    assert features.confirmation(fact) == prompt


@pytest.mark.parametrize(
    ("verb", "reason", "fact"),
    [
        ("login", None, LoggedIn("lea")),
        ("logout", None, LoggedOut("lea")),
        ("pause", None, PausedBy("lea", "other")),
        ("pause", "2", PausedBy("lea", "lunch")),
        ("pause", "training", PausedBy("lea", "training")),
        ("resume", None, Resumed("lea")),
        ("done", None, Resumed("lea")),
    ],
)
def test_every_verb_of_the_command_has_its_meaning(
    verb: str, reason: str | None, fact: features.SecretaryFact
) -> None:
    assert features.by_verb("lea", verb, reason) == fact


def test_a_wrong_word_is_answered_with_the_right_ones() -> None:
    with pytest.raises(ValueError, match="break, lunch, training, other"):
        features.by_verb("lea", "pause", "coffee")
    with pytest.raises(ValueError, match="login, logout, pause, resume, done"):
        features.by_verb("lea", "sleep")
