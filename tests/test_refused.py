"""What a person at the terminal reads where an order cannot be: in the bureau's language."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from autocom import calling, ordering, posts
from autocom.core import conversation
from autocom.refused import FRENCH, in_french
from autocom.texts.office import WHY


def sentences(module: object) -> set[str]:
    """Every text of a module that reads like a sentence a refusal says: in a `return`, or in a `NotPossible`."""
    tree = ast.parse(Path(str(module.__file__)).read_text())  # type: ignore[attr-defined]
    said = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Return)
        or (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "NotPossible")
    ]
    return {
        text.value
        for node in said
        for text in ast.walk(node)
        if isinstance(text, ast.Constant) and isinstance(text.value, str) and text.value.count(" ") > 1
    } - {" min", "fr"}


def test_every_refusal_of_an_order_has_its_french_sentence() -> None:
    words = sentences(ordering) | sentences(calling) | set(posts.WHY.values()) | set(calling.REFUSED.values())
    words |= {text for text in sentences(conversation) if not text.startswith((",", "autocom", " :"))}
    missing = {text for text in words if text not in FRENCH and "{" not in text and "*5" not in text}
    assert len(words) > 30
    assert not missing


@pytest.mark.parametrize("words", sorted(FRENCH))
def test_a_french_refusal_is_one_line_without_the_machines_words(words: str) -> None:
    french = in_french(words)
    assert french != words
    assert "\n" not in french
    assert not french.endswith(".")


def test_what_has_no_french_sentence_is_said_as_it_is() -> None:
    assert in_french("unknown verb 'x'") == "unknown verb 'x'"


@pytest.mark.parametrize(
    ("words", "french"),
    [
        ("there is no secretary 'zoé'", "il n'y a pas de secrétaire 'zoé'"),
        (
            "there is no secretary 'x'; there are: lea, ines",
            "il n'y a pas de secrétaire 'x' ; il y a : lea, ines",
        ),
        ("there is no client 'x'", "il n'y a pas de client 'x'"),
        ("nobody is in room 801", "personne n'est dans la salle 801"),
        (
            "Transfer refused: +33899123456: not allowed",
            "Transfert refusé : +33899123456 : numéro non autorisé",
        ),
        ("Transfer refused: 202 cannot be reached", "Transfert refusé : 202 n'est pas joignable"),
    ],
)
def test_a_refusal_that_names_somebody_is_french_around_the_name(words: str, french: str) -> None:
    assert in_french(words) == french


def test_why_a_text_is_not_sent_has_its_french_sentence() -> None:
    missing = {words for word, words in WHY.items() if word != "too_long" and words not in FRENCH}
    assert not missing
