"""What a secretary reads about a caller who comes back to her, or whom she could not send on."""

from __future__ import annotations

import pytest

from autocom.core.presentation import invitation
from autocom.core.sending import coming_back, reason, staying
from tests.core.test_presentation import CALL

WHY = [
    "no_answer",
    "refused",
    "unreachable",
    "not_accepted",
    "loop",
    "barred",
    "limit",
    "no_line",
    "self",
    "unknown",
    "own",
    "room",
    "room_locked",
    "room_full",
]


@pytest.mark.parametrize("why", WHY)
def test_every_reason_has_words_of_its_own_in_both_languages(why: str) -> None:
    french, english = reason("fr", why, "Inès"), reason("en", why, "Inès")
    assert french != english
    assert "Inès" in french
    assert "Inès" in english
    assert french != reason("fr", "no such reason", "Inès")


def test_a_reason_that_has_none_and_a_language_that_has_none_are_said_all_the_same() -> None:
    assert reason("fr", "no such reason", "201") == "201 : transfert impossible"
    assert reason("xx", "no_answer", "201") == "201 did not answer"
    assert reason("fr", "premium", "0899") == reason("fr", "barred", "0899")


def test_the_texts_say_first_what_happens_to_him() -> None:
    assert coming_back("fr", "no_answer", "Inès") == "Retour : Inès n'a pas répondu"
    assert staying("fr", "unreachable", "Inès") == "Transfert refusé : Inès n'est pas joignable"


def test_her_phone_shows_that_he_returns_and_why() -> None:
    shown = invitation(CALL, returned='201 a dit "non"')
    assert shown.display.startswith("Retour ")
    assert shown.headers["X-Autocom-Returned"] == "1"
    assert shown.headers["X-Autocom-Note"] == '"201 a dit \\"non\\""'
    assert "X-Autocom-Note" not in invitation(CALL, returned="").headers
    assert "X-Autocom-Returned" not in invitation(CALL).headers
