"""Recordings at rest: nobody reads one without its key, and none is lost when a newer key comes."""

from __future__ import annotations

import base64
import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom.tapes.keys import KeyFault, KeyRing, add_key, key_id, made_keys, parse_keys, read_keys
from autocom.tapes.vault import MAGIC, Vault

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
NAME = "tape-c1-1"
VOICE = b"RIFF" + b"a voice that is nobody's business " * 40


def made(folder: Path, *keys: bytes) -> Vault:
    return Vault(folder / "recordings", lambda: KeyRing(keys or (OLD,)))


def test_what_is_put_away_comes_out_the_same_and_is_not_there_in_clear(tmp_path: Path) -> None:
    vault = made(tmp_path)
    assert vault.put(NAME, VOICE) == key_id(OLD)
    assert vault.open(NAME) == VOICE
    raw = vault.path(NAME).read_bytes()
    assert raw.startswith(MAGIC)
    assert b"voice" not in raw
    assert OLD not in raw
    assert vault.path(NAME).stat().st_mode & 0o777 == 0o600
    assert vault.folder.stat().st_mode & 0o777 == 0o700
    assert set(vault.all()) == {NAME}


def test_an_hour_of_sound_is_put_away_in_pieces_without_being_held_twice(tmp_path: Path) -> None:
    vault, hour = made(tmp_path), os.urandom(1 << 20) * 20 + b"and its end"
    tracemalloc.start()
    try:
        vault.put(NAME, hour)
        assert tracemalloc.get_traced_memory()[1] < len(hour) / 2
    finally:
        tracemalloc.stop()
    assert vault.open(NAME) == hour


def test_two_recordings_of_the_same_words_look_nothing_alike(tmp_path: Path) -> None:
    vault = made(tmp_path)
    vault.put(NAME, VOICE)
    vault.put("tape-c1-2", VOICE)
    one, other = (vault.path(n).read_bytes().partition(b"}\n")[2] for n in (NAME, "tape-c1-2"))
    assert len(one) == len(other)
    assert one != other


def test_with_another_key_it_stays_shut_and_the_message_names_no_key(tmp_path: Path) -> None:
    made(tmp_path).put(NAME, VOICE)
    with pytest.raises(KeyFault, match=f"key {key_id(OLD)} is not here") as fault:
        made(tmp_path, NEW).open(NAME)
    for secret in (OLD, NEW):
        assert base64.b64encode(secret).decode() not in str(fault.value)


@given(at=st.integers(min_value=0, max_value=10_000), bit=st.integers(min_value=0, max_value=7))
def test_a_flipped_bit_anywhere_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, at: int, bit: int
) -> None:
    vault = made(tmp_path_factory.mktemp("vault"))
    vault.put(NAME, VOICE)
    raw = bytearray(vault.path(NAME).read_bytes())
    raw[at % len(raw)] ^= 1 << bit
    vault.path(NAME).write_bytes(raw)
    try:
        assert vault.open(NAME) == VOICE, "a flipped bit that nobody noticed"
    except KeyFault:
        return


def test_a_recording_that_was_given_anothers_name_is_not_believed(tmp_path: Path) -> None:
    vault = made(tmp_path)
    vault.put(NAME, VOICE)
    vault.path(NAME).rename(vault.path("tape-c2-1"))
    with pytest.raises(KeyFault, match="damaged"):
        vault.open("tape-c2-1")


def test_a_newer_key_takes_over_without_touching_the_sound_and_the_old_one_can_go(tmp_path: Path) -> None:
    made(tmp_path).put(NAME, VOICE)
    both = made(tmp_path, NEW, OLD)
    assert both.open(NAME) == VOICE
    sound = both.path(NAME).read_bytes().partition(b"}\n")[2]
    assert both.rewrap(NAME) == key_id(NEW)
    assert both.path(NAME).read_bytes().partition(b"}\n")[2] == sound
    assert made(tmp_path, NEW).open(NAME) == VOICE
    assert both.rewrap(NAME) == key_id(NEW), "once more changes nothing"


def test_what_a_dead_process_wrote_half_is_removed_and_the_whole_stays(tmp_path: Path) -> None:
    vault = made(tmp_path)
    vault.put(NAME, VOICE)
    (vault.folder / "tape-c1-2.new").write_bytes(VOICE[:50])
    vault.tidy()
    assert [path.name for path in vault.folder.iterdir()] == [f"{NAME}.tape"]
    vault.erase(NAME)
    vault.erase(NAME)
    assert not vault.has(NAME)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "tape-c1-1/../x", "voice-c1-1", "tape-c1", "", "tape-c1-1\n"]
)
def test_names_are_those_of_recordings_and_never_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no name of a recording"):
        made(tmp_path).path(name)


def test_the_first_key_is_made_for_us_alone_and_stays_the_same(tmp_path: Path) -> None:
    file = tmp_path / "state" / "recording.key"
    with pytest.raises(KeyFault, match="put it back"):  # who only reads makes none
        read_keys(None, file)
    assert not file.exists()
    first = made_keys(None, file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert read_keys(None, file) == first
    ring = add_key(file)
    assert ring.newest != first.newest
    assert ring.ids[1:] == first.ids
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["recording.key"]


def test_the_setting_comes_before_the_file_and_makes_none(tmp_path: Path) -> None:
    text = ", ".join(base64.b64encode(key).decode() for key in (NEW, OLD))
    ring = made_keys(text, tmp_path / "none")
    assert ring.ids == (key_id(NEW), key_id(OLD))
    assert not (tmp_path / "none").exists()
    assert NEW.hex() not in repr(ring)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no key"),
        ("not base64!", "key 1 is not base64"),
        (base64.b64encode(OLD).decode() + " AAAA", "key 2 has 3 bytes"),
    ],
)
def test_keys_that_cannot_be_used_are_named_by_their_place(text: str, words: str) -> None:
    with pytest.raises(KeyFault, match=words):
        parse_keys(text)


def test_a_full_disk_leaves_nothing_behind_and_the_former_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = made(tmp_path)
    vault.put(NAME, VOICE)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        vault.put(NAME, VOICE + b"more")
    assert vault.open(NAME) == VOICE
    assert not list(vault.folder.glob("*.new"))
