"""What the exchange and the rescuer write for one another: beats, marks, the diary, the card and the lock."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom.rescue import beat, card
from autocom.rescue.beat import BeatFile
from autocom.rescue.card import Card
from autocom.rescue.diary import FOLDER, Deed, Diary, untold

CARD = Card("http://127.0.0.1:8088", "rescue", "secret-a", "127.0.0.1", 5038, "rescue", "secret-b")


def test_each_beat_is_another_one_and_says_who_and_what(tmp_path: Path) -> None:
    file = BeatFile(tmp_path)
    assert beat.read(tmp_path) is None
    file.say(beat.SERVING)
    first = beat.read(tmp_path)
    file.say(beat.DRAINING)
    second = beat.read(tmp_path)
    file.close()
    assert first == beat.Beat(os.getpid(), 1, beat.SERVING)
    assert second == beat.Beat(os.getpid(), 2, beat.DRAINING)
    assert (tmp_path / beat.NAME).stat().st_size == 64
    assert stat.S_IMODE((tmp_path / beat.NAME).stat().st_mode) == 0o600


@given(st.binary(max_size=100))
def test_whatever_stands_in_the_file_is_a_beat_or_nothing(content: bytes) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        (Path(folder) / beat.NAME).write_bytes(content)
        found = beat.read(Path(folder))
        assert found is None or found.word in beat.WORDS


def test_marks_are_made_seen_and_taken_back_and_are_never_a_path(tmp_path: Path) -> None:
    diary = Diary(tmp_path)
    diary.make()
    diary.mark("1795374403.12")
    assert diary.is_marked("1795374403.12")
    diary.unmark("1795374403.12")
    assert not diary.is_marked("1795374403.12")
    for odd in ("../card.json", ".", "", "a/b", "x" * 200, "a\nb"):
        assert not diary.is_marked(odd)
        with pytest.raises(ValueError, match="no id of a channel"):
            diary.mark(odd)


def test_a_mark_of_yesterday_is_forgotten_at_the_start(tmp_path: Path) -> None:
    diary = Diary(tmp_path)
    diary.make()
    for name in ("1.1", "1.2"):
        diary.mark(name)
    os.utime(tmp_path / FOLDER / "taken" / "1.1", (1, 1))
    (tmp_path / FOLDER / "taken" / "1.3").symlink_to("gone")  # the exchange took it away in this very moment
    diary.make()
    assert not diary.is_marked("1.1")
    assert diary.is_marked("1.2")


def test_the_diary_is_read_once_it_was_noted_and_again_after_a_crash(tmp_path: Path) -> None:
    diary = Diary(tmp_path)
    diary.make()
    first, second = Deed(1.0, "gate_closed", 1, "silent"), Deed(2.0, "handed_over", 3, "away")
    assert diary.read() == []
    diary.write(first)
    assert diary.read() == [first]
    diary.write(second)
    assert diary.read() == [first], "not noted yet: the same again"
    diary.forget()
    assert diary.read() == [second]
    diary.forget()
    assert diary.read() == []


@pytest.mark.parametrize("read_before", [False, True])
def test_a_deed_that_is_written_while_the_exchange_takes_the_diary_away_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_before: bool
) -> None:
    diary = Diary(tmp_path)
    diary.make()
    diary.write(Deed(1.0, "gate_closed", 1, "silent"))
    told: list[Deed] = []
    write = os.write

    def late(file: int, line: bytes) -> int:
        monkeypatch.setattr(os, "write", write)
        if read_before:  # and taken away: he writes into a file without a name
            told.extend(diary.read())
            diary.forget()
            return write(file, line)
        done = write(file, line)
        told.extend(diary.read())
        diary.forget()
        return done

    monkeypatch.setattr(os, "write", late)
    diary.write(Deed(2.0, "handed_over", 3, "away"))
    told += untold(diary.read(), told[-1].at)
    assert [deed.at for deed in told] == [1.0, 2.0]


def test_what_was_told_already_is_known_by_the_instant_of_the_last() -> None:
    deeds = [Deed(at, "freed", 1, "x") for at in (5.0, 1.0, 2.0)]  # the clock was set back
    assert untold(deeds, None) == untold(deeds, 7.0) == deeds
    assert untold(deeds, 5.0) == deeds[1:]
    assert untold(deeds, 2.0) == []


def test_a_line_that_was_cut_short_costs_only_itself(tmp_path: Path) -> None:
    diary = Diary(tmp_path)
    diary.make()
    diary.write(Deed(1.0, "freed", 2, "x"))
    with (tmp_path / FOLDER / "diary.jsonl").open("a") as file:
        file.write('{"at": 2.0, "what": "han\n')
    assert [deed.what for deed in diary.read()] == ["freed"]


def test_the_card_is_the_owners_alone_and_its_secrets_are_not_printed(tmp_path: Path) -> None:
    assert card.read(tmp_path) is None
    card.write(tmp_path, CARD)
    assert card.read(tmp_path) == CARD
    assert stat.S_IMODE((tmp_path / FOLDER / card.NAME).stat().st_mode) == 0o600
    assert "secret" not in repr(CARD)
    (tmp_path / FOLDER / card.NAME).write_text('{"ari_url": 1}')
    assert card.read(tmp_path) is None


def test_one_folder_has_one_rescuer_and_a_pid_of_another_program_is_none(tmp_path: Path) -> None:
    held = card.lock(tmp_path, "1.0")
    assert held is not None
    with held:
        assert card.lock(tmp_path, "1.0") is None
        assert card.running(tmp_path) is None, "that is this test, and no rescuer"
    size = (tmp_path / FOLDER / card.LOCK).stat().st_size
    again = card.lock(tmp_path, "1.1.dev20261122")
    assert again is not None
    again.close()
    said = (tmp_path / FOLDER / card.LOCK).read_text()
    assert said.split() == [str(os.getpid()), "1.1.dev20261122"]
    assert len(said) == size, "overwritten in place: a full disk has room for it"


def test_a_folder_that_cannot_be_written_stops_no_rescue(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("where the folder should be")
    Diary(tmp_path).make()
