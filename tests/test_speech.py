"""What the commands say to people: in the bureau's language and time zone, one not told as several."""

from __future__ import annotations

import json
import shutil
import string
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from autocom.cli import main
from autocom.commands import (
    configuration,
    exchange,
    journal,
    overrides,
    pauses,
    phone,
    texts,
    versions,
    voicemail,
)
from autocom.core.pause_report import PauseLine
from autocom.speech import COUNTED, Sentences, Speech, counted
from autocom.state import Card, write_card
from autocom.versions import Versions

ROOT = Path(__file__).resolve().parents[1]
PARIS = ZoneInfo("Europe/Paris")
AT = "2026-11-24T09:00:00.250Z"
MODULES = (configuration, exchange, journal, overrides, pauses, phone, texts, versions, voicemail)


def places(sentence: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("sentences", [m.SENTENCES for m in MODULES], ids=[m.__name__ for m in MODULES])
def test_every_sentence_is_there_in_both_languages_with_the_same_places(sentences: Sentences) -> None:
    for key, (french, english) in sentences.items():
        assert french, key
        assert english, key
        assert places(french) == places(english), key


@pytest.mark.parametrize(
    ("number", "french", "english"),
    [(0, "0 appel", "0 calls"), (1, "1 appel", "1 call"), (2, "2 appels", "2 calls")],
)
def test_one_is_not_counted_as_several(number: int, french: str, english: str) -> None:
    assert counted(number, "call", "fr") == french
    assert counted(number, "call", "en") == english
    assert all(
        len(both) == 2 and all(len(each.split("|")) == 2 for each in both) for both in COUNTED.values()
    )


def status(**changes: Any) -> dict[str, Any]:
    lea = {"id": "lea", "state": "paused", "since": AT, "reason": "lunch", "call": None, "over_quota": True}
    override = {
        "client": "lilas", "override": "closed", "team": None, "since": AT, "until": "2026-11-24T17:00:00.000Z",
        "author": "chef", "reason": "panne",
    }  # fmt: skip
    return {
        "asterisk": {"state": "up"},
        "database": {"state": "down", "behind": 1},
        "calls": 1,
        "config_version": "v1",
        "trunks": [{"id": "operator", "calls": 1}],
        "secretaries": [lea],
        "overrides": [override],
        "waiting": [{"call": "c1", "client": "lilas", "caller": None, "since": AT, "callback": True}],
        "mail": {"waiting": 2, "failed": 0},
    } | changes


def test_the_status_is_told_in_french_and_in_the_bureaus_time() -> None:
    assert list(exchange.told(status(), Speech(exchange.SENTENCES, "fr"), PARIS)) == [
        "Asterisk en marche, base de données absente (1 fait de retard), 1 appel, configuration v1",
        "ligne opérateur operator     1 appel",
        "lea          en pause    depuis 2026-11-24 10:00:00  lunch, plus que permis",
        "courrier : 2 à envoyer, 0 abandonnés cette semaine",
        "consigne lilas : fermé jusqu'au 2026-11-24 18:00, par chef (panne)",
        "attend c1  lilas                masqué  depuis 2026-11-24 10:00:00  sera rappelé",
    ]


def test_the_status_is_told_in_english_too() -> None:
    assert list(exchange.told(status(), Speech(exchange.SENTENCES, "en"), PARIS)) == [
        "Asterisk up, database down (1 fact behind), 1 call, configuration v1",
        "trunk operator     1 call",
        "lea          paused      since 2026-11-24 10:00:00  lunch, over its quota",
        "mail 2 waiting, 0 given up in the last week",
        "override lilas: closed until 2026-11-24 18:00, by chef (panne)",
        "waiting c1  lilas                withheld  since 2026-11-24 10:00:00  to be called back",
    ]


@pytest.mark.parametrize(
    ("number", "french", "english"),
    [
        (0, "lilas : 0 consigne terminée", "lilas: 0 overrides ended"),
        (1, "lilas : 1 consigne terminée", "lilas: 1 override ended"),
        (2, "lilas : 2 consignes terminées", "lilas: 2 overrides ended"),
    ],
)
def test_how_many_overrides_were_ended(number: int, french: str, english: str) -> None:
    answer = {"client": "lilas", "cleared": number}
    assert overrides.ended(answer, Speech(overrides.SENTENCES, "fr")) == french
    assert overrides.ended(answer, Speech(overrides.SENTENCES, "en")) == english


def test_a_call_has_its_line_in_the_bureaus_time() -> None:
    row = {
        "id": "c1", "client": "lilas", "caller": None, "anonymous": True, "outcome": "abandoned", "wait_ms": 1500,
        "cause": "during_music", "secretary": None, "arrived_at": AT,
    }  # fmt: skip
    french = journal.call_line(row, PARIS, "fr")
    assert french.startswith("2026-11-24 10:00:00  c1  lilas ")
    assert french.split()[4:] == [
        "masqué",
        "abandonné",
        "pendant",
        "la",
        "musique",
        "a",
        "attendu",
        "1.5",
        "s",
    ]
    running = row | {"outcome": None, "cause": None, "wait_ms": None}
    assert journal.call_line(running, PARIS, "en").split()[4:] == ["withheld", "open"]


def test_a_line_of_the_pauses_counts_as_people_do() -> None:
    once = PauseLine("lea", "lunch", 1, 600.0, 600.0, over_longest=1)
    english = " ".join(pauses.text(once, "en").split())
    assert english == "lea lunch 1 time 0:10:00 in all longest 0:10:00 over its quota 1 time"
    french = " ".join(pauses.text(once, "fr").split())
    assert (
        french
        == "lea lunch 1 fois 0:10:00 en tout la plus longue 0:10:00 au-delà de ce qui est permis 1 fois"
    )


def test_a_message_whose_sound_is_gone_says_so() -> None:
    row = {
        "id": "voice-c1-1", "reference": "4F7K", "at": AT, "client": "lilas", "caller": None, "seconds": 12.0,
        "kept": False, "heard_at": None,
    }  # fmt: skip
    french, english = (voicemail.line(row, PARIS, language) for language in ("fr", "en"))
    assert french.startswith("2026-11-24 10:00  4F7K  voice-c1-1 ")
    assert french.endswith("12 s  (le son n'est plus là)")
    assert english.endswith("12 s  (no sound any more)")


# --- whose language it is ---------------------------------------------------------------------


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder whose exchange, now away, was that of a French bureau."""
    monkeypatch.delenv("AUTOCOM_LANGUAGE", raising=False)
    monkeypatch.setenv("AUTOCOM_CONFIG", str(ROOT / "config"))
    monkeypatch.setenv("AUTOCOM_STATE", str(tmp_path))
    write_card(tmp_path, Card(1, "http://127.0.0.1:1", "x", None, "Europe/Paris", "fr"))
    kept = Versions(tmp_path)
    for at, version in enumerate(("first", "second", "first")):
        kept.note(version, "chef", 1_795_510_800.0 + at, {})
    kept.note("third", "chef", 1_795_510_800.0 + 9, {}, kept=True)
    return tmp_path


def said(*words: str) -> list[str]:
    found = CliRunner().invoke(main, list(words))
    assert found.exit_code == 0, found.output
    return found.stdout.splitlines()


def test_the_versions_speak_the_bureaus_language_unless_another_is_set(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = said("versions")
    assert [line.split(maxsplit=4)[4:] for line in lines] == [["mise de côté"], ["en vigueur"], [], []]
    assert lines[1].startswith("2026-11-24 10:00:02  first ")
    monkeypatch.setenv("AUTOCOM_LANGUAGE", "en")
    shutil.rmtree(state / "versions" / "first")
    assert said("versions")[1].endswith("in force, files no longer kept")
    assert json.loads("".join(said("versions", "--json")))[1]["at"] == "2026-11-24T09:00:02.000Z"


def test_check_sums_up_in_the_language_of_the_bureau_or_the_one_that_is_set(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert said("check")[-1].endswith(" : bon")
    monkeypatch.setenv("AUTOCOM_LANGUAGE", "en")
    assert said("check")[-1].endswith(": good")
