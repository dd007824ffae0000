"""The commands over an empty journal: that there is nothing is said, and only to people."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner

from autocom.cli import main

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("command", "french", "english"),
    [
        ("pauses", "aucune pause depuis le 20", "no pause since 20"),
        ("voicemail", "aucun message", "no message"),
        ("calls", "aucun appel", "no call"),
    ],
)
async def test_nothing_is_said_to_be_nothing(
    command: str, french: str, english: str, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOCOM_DATABASE_URL", url)
    monkeypatch.setenv("AUTOCOM_STATE", str(tmp_path))
    monkeypatch.setenv("AUTOCOM_CONFIG", str(ROOT / "config"))
    for language, sentence in (("fr", french), ("en", english)):
        monkeypatch.setenv("AUTOCOM_LANGUAGE", language)
        # the command has a loop of its own
        found = await asyncio.to_thread(CliRunner().invoke, main, [command])
        assert (found.exit_code, len(found.stdout.splitlines())) == (0, 1), found.output
        assert found.stdout.startswith(sentence)
    silent = await asyncio.to_thread(CliRunner().invoke, main, [command, "--json"])
    assert (silent.exit_code, silent.stdout) == (0, "")
