"""A kept configuration is what a reading would give, or is not there: whatever has changed since, it is read anew."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom.config import AudioShelf, Loaded, SayCommand, kept

from .conftest import Desk, load, tone

YEAR = 2026


@dataclass
class Memory:
    """A desk, a shelf over it, and the file in which its configuration is kept."""

    desk: Desk
    shelf: AudioShelf
    file: Path
    environment: dict[str, str]

    def look(self, year: int = YEAR) -> kept.Sources:
        return kept.look(self.desk.folder, self.shelf, year, self.environment)

    def read(self) -> Loaded:
        """Read and keep."""
        loaded = load(self.desk.folder, self.shelf, YEAR, environment=self.environment)
        kept.keep(self.file, self.look(), loaded, self.shelf)
        return loaded

    def recall(self, year: int = YEAR) -> Loaded | None:
        return kept.recall(self.file, self.look(year))


@pytest.fixture
def memory(desk: Desk, tmp_path: Path) -> Memory:
    tone(desk.folder / "sounds" / "accueil.wav")
    desk.client(
        rules="[{name: open, do: [{play: {sound: accueil, mode: early}}, {queue: {team: general, music: calme-2}}]}]",
        holidays="FR-57",
        card='"${CARD:-https://agenda.example/a}"',
    )
    shelf = AudioShelf(tmp_path / "audio", desk.folder / "sounds", desk.stock, SayCommand())
    return Memory(desk, shelf, tmp_path / kept.NAME, {})


def test_what_was_kept_equals_what_was_read_but_for_its_notes(memory: Memory) -> None:
    loaded = memory.read()
    assert memory.recall() == replace(loaded, notes=())


def test_it_is_for_its_owner_alone_since_it_holds_the_passwords(memory: Memory) -> None:
    memory.read()
    assert stat.S_IMODE(memory.file.stat().st_mode) == 0o600
    memory.file.chmod(0o660)
    assert memory.recall() is None


@pytest.mark.parametrize("value", ["https://agenda.example/geheim", "http://a"])
def test_what_the_environment_alone_has_is_in_no_file_and_comes_back(memory: Memory, value: str) -> None:
    memory.environment["CARD"] = value
    loaded = memory.read()
    assert memory.recall() == replace(loaded, notes=())
    assert "geheim" not in memory.file.read_text()


@given(
    st.dictionaries(st.sampled_from(["A", "B1"]), st.text("aA1\ue000", min_size=1, max_size=3)),
    st.text("aAB1\ue000"),
)
def test_every_text_comes_back_whatever_the_variables_are(variables: dict[str, str], text: str) -> None:
    veiled = kept._veil(variables)(text)
    assert kept._unveil(variables)(veiled) == text


def later(path: Path) -> None:
    """The same content, written anew."""
    found = path.stat()
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns + 1))


CHANGES: dict[str, Callable[[Memory], object]] = {
    "a byte of a client": lambda m: m.desk.write("clients/accueil.yaml", "# \n" + "id: accueil\n"),
    "a client more": lambda m: m.desk.write("clients/b.yaml", "id: b\n"),
    "a client less": lambda m: (m.desk.folder / "clients" / "cab-lilas.yaml").unlink(),
    "a file that would be ignored": lambda m: m.desk.write("clients/b.yml", ""),
    "the house": lambda m: m.desk.write("bureau.yaml", "bureau: {}\n"),
    "a variable that was not set": lambda m: m.environment.update(CARD="https://other.example/"),
    "a sound": lambda m: tone(m.desk.folder / "sounds" / "accueil.wav", 0.4),
    "a sound's time": lambda m: later(m.desk.folder / "sounds" / "accueil.wav"),
    "a sound more": lambda m: tone(m.desk.folder / "sounds" / "calme-2.wav"),
    "a converted sound is gone": lambda m: next(iter(m.shelf.given)).unlink(),
    "a converted sound was cut": lambda m: next(iter(m.shelf.given)).write_bytes(b""),
    "a byte of what was kept": lambda m: m.file.write_bytes(m.file.read_bytes().replace(b"Lilas", b"Litas")),
    "half of what was kept": lambda m: m.file.write_bytes(m.file.read_bytes()[:-100]),
    "nothing was kept": lambda m: m.file.unlink(),
    "who speaks": lambda m: setattr(m.shelf, "_say", SayCommand("say {text} {out}")),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_has_changed_it_is_read_anew(memory: Memory, change: Callable[[Memory], object]) -> None:
    memory.read()
    change(memory)
    assert memory.recall() is None


def test_the_next_year_has_holidays_of_its_own(memory: Memory) -> None:
    memory.read()
    assert memory.recall(YEAR + 1) is None


def test_a_newer_version_of_the_program_reads_anew(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    memory.read()
    monkeypatch.setattr(kept, "_LIBRARIES", ("holidays",))
    assert memory.recall() is None


def test_a_link_that_leads_nowhere_is_no_reason_to_read_anew_every_time(memory: Memory) -> None:
    link = memory.desk.folder / "sounds" / "old.wav"
    link.symlink_to("/nowhere/old.wav")
    memory.read()
    assert memory.recall() is not None


def test_a_disk_that_refuses_keeps_nothing_and_stops_nothing(memory: Memory) -> None:
    memory.file.mkdir()
    memory.read()
    assert memory.recall() is None
