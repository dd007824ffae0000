"""What `check` says in French and English: nothing is left out, and the field names agree."""

from __future__ import annotations

import ast
import gettext
import string
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from autocom.config import Fault
from autocom.config.faults import Place
from autocom.config.wording import CATALOGUES, DOMAIN, told, translated

from .conftest import BUREAU, CLIENT

SOURCE = Path(__file__).resolve().parents[2] / "src" / "autocom" / "config"
COMPILED = gettext.translation(DOMAIN, CATALOGUES, ["fr"])


def templates() -> dict[str, str]:
    """Every template that `told` is given anywhere in the room, with its place."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "told":
                template = node.args[0]
                assert isinstance(template, ast.Constant), (
                    f"{path.name}:{node.lineno}: write the template there"
                )
                found[template.value] = f"{path.name}:{node.lineno}"
    return found


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


TEMPLATES = templates()


def test_the_source_has_templates():
    assert len(TEMPLATES) > 150


@pytest.mark.parametrize("template", TEMPLATES, ids=TEMPLATES.values())
def test_every_template_has_its_french_with_the_same_fields(template):
    french = COMPILED.gettext(template)
    assert french != template, "no French: `make words`, then write it into the catalogue"
    assert fields(french) == fields(template)


def test_the_compiled_catalogue_is_that_of_the_written_one():
    with (CATALOGUES / "fr/LC_MESSAGES/autocom.po").open("rb") as source:
        written = {message.id: message.string for message in read_po(source) if message.id}
    assert set(written) == set(TEMPLATES), "`make words` brings templates in and takes old ones out"
    assert {template: COMPILED.gettext(template) for template in written} == written


def test_no_fault_is_made_of_a_text_without_a_template():
    """A message that `told` did not make would stay English."""
    for path in sorted(SOURCE.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in {"fault", "ValueError", "AudioRefused", "NotAudio", "UnknownCalendar"}:
                plain = isinstance(node.args[0], ast.JoinedStr | ast.Constant)
                assert not plain, f"{path.name}:{node.lineno}"


def test_a_message_is_english_to_whoever_does_not_ask_and_its_fields_are_translated_with_it():
    near = told(": did you mean `{word}`?", word="play")
    message = told("unknown key `{word}`{near}", word="paly", near=near)
    assert message == "unknown key `paly`: did you mean `play`?"
    assert translated(message, "en") == message
    assert translated(message, "fr") == "clé inconnue `paly` : vouliez-vous dire `play` ?"
    assert translated("text of somebody else", "fr") == "text of somebody else"


def test_braces_of_what_the_admin_wrote_are_no_fields():
    message = told("`{text}` is no id: 1 to 32 of a-z, 0-9 and -", text="{near}{0}")
    assert translated(message, "fr").startswith("`{near}{0}` n'est pas un identifiant")


def test_a_fault_keeps_its_place_in_every_language():
    fault = Place("bureau.yaml", 3, 7).fault(told("must not be empty"))
    assert fault.in_language("fr") == Fault("bureau.yaml", 3, 7, "ne doit pas être vide")


@pytest.mark.parametrize(
    ("asked", "bureau", "word"),
    [
        ("en", "fr", "unknown key `nam`"),
        ("fr", "en", "clé inconnue `nam`"),
        (None, "fr", "clé inconnue `nam`"),
        (None, "en", "unknown key `nam`"),
        (None, "de", "clé inconnue `nam`"),
    ],
)
def test_faults_are_said_in_the_language_asked_for_or_else_in_the_bureaus(desk, asked, bureau, word):
    desk.language = asked
    desk.write("bureau.yaml", BUREAU.replace("language: fr", f"language: {bureau}"))
    desk.write("clients/cab-lilas.yaml", CLIENT + "nam: x\n")
    assert any(word in fault for fault in desk.refused())


def test_notes_are_said_in_the_language_too(desk):
    desk.language = "fr"
    desk.write("bureau.yaml", BUREAU.replace("  general: {}", "  general: {}\n  empty: {}"))
    assert [note.message for note in desk.load().notes] == [
        "personne n'est dans l'équipe `empty` ni là où elle s'élargit"
    ]


@pytest.mark.parametrize(
    ("text", "french"),
    [
        ("a: [1\n", "un crochet ou une accolade jamais refermés"),
        ('a: "x\n', "un guillemet jamais refermé"),
        ("a:\n  b: 1\n c: 2\n", "mauvaise indentation"),
        ("a: @x\n", "un texte qui commence ainsi se met entre guillemets"),
        ("a: - b\n", "un `- ` là où une liste ne peut pas commencer"),
        ("a: b: c\n", "un `: ` dans un texte sans guillemets"),
        ("\ta: 1\n", "une tabulation"),
        ("a: 08:00\n", "`08:00` sans guillemets est un nombre en base 60"),
        ("a: +33199001001\n", "perd son + ou ses zéros"),
        ("on: 1\n", "`on` sans guillemets est un vrai ou faux"),
    ],
)
def test_what_yaml_itself_refuses_is_said_in_french(desk, text, french):
    desk.language = "fr"
    desk.write("clients/broken.yaml", text)
    assert any(french in fault for fault in desk.refused())
