"""What people mistype at the commands: one line that says how to write it, exit 1, never a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from autocom.cli import main
from autocom.versions import Versions

ROOT = Path(__file__).resolve().parents[1]
PARIS_NIGHT = "2026-10-25"  # its hour from two to three comes twice


@pytest.fixture(autouse=True)
def _nothing_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AUTOCOM_CONFIG", str(ROOT / "config"))
    monkeypatch.setenv("AUTOCOM_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("AUTOCOM_LANGUAGE", "en")
    monkeypatch.setenv("AUTOCOM_LANGUAGE", "en")


def typed(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


@pytest.mark.parametrize(
    "words",
    [
        ("--did", "abc"),
        ("--did", ""),
        ("--did", "0199001001", "--from", "xyz"),
        ("--did", "0199001001", "--from", "15"),
        ("--did", "0199001001", "--forwarded-from", "zzz"),
        ("--did", "0199001001", "--at", "soon"),
        ("--did", "0199001001", "--at", "2026-02-30 10:00"),
        ("--did", "0199001001", "--at", "0001-01-01 00:00"),
        ("--did", "0199001001", "--at", "9999-12-31 23:59"),
    ],
)
def test_explain_refuses_what_is_no_number_and_no_moment(words: tuple[str, ...]) -> None:
    found = typed("explain", *words)
    assert (found.exit_code, found.stdout) == (1, "")
    assert len(found.stderr.splitlines()) == 1, found.stderr
    assert repr(words[-1]) in found.stderr


def test_explain_takes_a_withheld_caller_and_a_moment_of_another_zone() -> None:
    word = ("explain", "--did", "0199001001", "--from", "anonymous", "--json", "--at")
    first, second = (typed(*word, f"{PARIS_NIGHT} 02:30{zone}") for zone in ("+02:00", "+01:00"))
    assert '"at": "2026-10-25T00:30:00Z"' in first.stdout
    assert '"at": "2026-10-25T01:30:00Z"' in second.stdout


@pytest.mark.parametrize("since", ["abc", "1.2.3s", "2026-13-01"])
@pytest.mark.parametrize("command", ["calls", "pauses"])
def test_a_since_that_is_no_moment_says_how_to_write_one(command: str, since: str) -> None:
    found = typed(command, "--since", since)
    assert found.exit_code == 1
    assert found.stderr.startswith(f"autocom: --since {since!r}: write ")
    assert len(found.stderr.splitlines()) == 1


@pytest.mark.parametrize("since", ["99999999d", "0001-01-01"])
@pytest.mark.parametrize("command", ["calls", "pauses"])
def test_a_since_before_everything_is_the_beginning(command: str, since: str) -> None:
    found = typed(command, "--since", since)
    assert "no autocom runs" in found.stderr, "it got as far as asking the journal"


def test_a_version_that_was_gone_back_to_is_in_force_once(tmp_path: Path) -> None:
    kept = Versions(tmp_path / "state")
    for at, version in enumerate(("first", "second", "first")):
        kept.note(version, "chef", float(at), {})
    lines = typed("versions").stdout.splitlines()
    assert [line.split()[2] for line in lines] == ["first", "second", "first"]
    assert [line.endswith("in force") for line in lines] == [True, False, False]
    assert [row["in_force"] for row in json.loads(typed("versions", "--json").stdout)] == [True, False, False]
