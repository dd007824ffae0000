"""Who may be told what is recorded, and what is written down before a sound is handed out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from autocom.core.references import reference
from autocom.core.tapes import Tape, row_of
from autocom.tape_room import Recorded
from autocom.tapes.keys import KeyRing
from autocom.tapes.vault import Vault
from tests.support.exchange_in_memory import MemoryJournal
from tests.support.virtual import EPOCH, VirtualClock

ONE, OTHER = "tape-c1-1", "tape-c2-1"


def room(folder: Path) -> tuple[Recorded, MemoryJournal]:
    vault, journal = Vault(folder, lambda: KeyRing((bytes(32),))), MemoryJournal()
    vault.put(ONE, b"RIFF")
    tape = Tape(ONE, "c1", "lilas", "lea", EPOCH, 60.0, ended=EPOCH + 9, seconds=9.0, kept=True, key="k")
    journal.save((), floor=row_of(replace(tape, erase_at=EPOCH + 69)))
    journal.save((), floor=row_of(Tape(OTHER, "c2", "azur", "ines", EPOCH + 1, 60.0)))
    return Recorded(journal, VirtualClock(), vault), journal


def test_what_there_is_is_told_newest_first_and_by_client(tmp_path: Path) -> None:
    recorded, _ = room(tmp_path)
    rows = [row for row in recorded.kept(None) if isinstance(row, dict)]
    assert [(row["id"], row["state"]) for row in rows] == [(OTHER, "recording"), (ONE, "kept")]
    (row,) = [row for row in recorded.kept("lilas") if isinstance(row, dict)]
    assert row["reference"] == reference(ONE)
    assert "caller" not in row


@pytest.mark.parametrize("wanted", [ONE, reference(ONE), reference(ONE).lower(), f" {reference(ONE)} "])
async def test_who_asked_is_written_down_and_of_no_call_that_could_be_forgotten(
    tmp_path: Path, wanted: str
) -> None:
    recorded, journal = room(tmp_path)
    assert await recorded.sound(wanted, "awa") == (ONE, b"RIFF")
    (entry,) = journal.entries
    assert (entry.kind, entry.call) == ("recording_played", None)
    assert dict(entry.fields) == {"recording": ONE, "client": "lilas", "of": "c1", "by": "awa"}


@pytest.mark.parametrize(
    ("wanted", "words"), [("ZZZZ", "no recording 'ZZZZ'"), (OTHER, "still being recorded")]
)
async def test_what_is_not_here_is_said_and_nobody_has_heard_it(
    tmp_path: Path, wanted: str, words: str
) -> None:
    recorded, journal = room(tmp_path)
    with pytest.raises(LookupError, match=words):
        await recorded.sound(wanted, "awa")
    assert not journal.entries


@pytest.mark.parametrize("damage", [b"", b"autocom recording 1\n{}\n", b"RIFF in clear"])
async def test_a_damaged_file_is_said_and_nobody_has_heard_it(tmp_path: Path, damage: bytes) -> None:
    recorded, journal = room(tmp_path)
    (tmp_path / f"{ONE}.tape").write_bytes(damage)
    with pytest.raises(LookupError, match="cannot be opened"):
        await recorded.sound(ONE, "awa")
    (tmp_path / f"{ONE}.tape").unlink()
    with pytest.raises(LookupError, match="is not here"):
        await recorded.sound(ONE, "awa")
    assert not journal.entries
