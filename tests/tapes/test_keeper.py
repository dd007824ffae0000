"""From Asterisk's store to the vault, and out of it when its time is over; killed at every effect on the way."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from autocom.core.journal import Entry, Json
from autocom.core.letters import wav_seconds
from autocom.core.tapes import ALL, Tape, row_of, tapes
from autocom.tapes.keeper import STRAYS, TapeKeeper
from autocom.tapes.keys import KeyFault, KeyRing, key_id
from autocom.tapes.vault import Vault
from tests.support.exchange_in_memory import MemoryJournal
from tests.support.fake_telephone import FakeRecording, FakeTelephone
from tests.support.killing import Killed
from tests.support.virtual import EPOCH, VirtualClock, run

KEY, NEWER = bytes(range(32)), bytes(range(1, 33))
NAME = "tape-c1-1"
DAY = 86400.0


async def at_once(act: Callable[[], object]) -> object:
    return act()


class Room:
    """A keeper over a folder, and everything it needs; `open` are the calls there are."""

    def __init__(self, folder: Path) -> None:
        self.clock = VirtualClock()
        self.telephone = FakeTelephone(self.clock)
        self.journal = MemoryJournal()
        self.keys: tuple[bytes, ...] = (KEY,)
        self.vault = Vault(folder / "recordings", lambda: KeyRing(self.keys))
        self.open: set[str] = set()
        self.start()

    def start(self) -> None:
        """A process of its own."""
        self.keeper = TapeKeeper(
            self.journal, self.clock, self.telephone, self.vault, lambda: self.open, at_once
        )

    def begins(self, name: str = NAME, call: str = "c1", *, seconds: float | None = 10.0) -> Tape:
        """A conversation is recorded; `seconds`: it is over, None: Asterisk is still writing."""
        tape = Tape(name, call, "lilas", "lea", EPOCH, 30 * DAY)
        self.journal.save((), floor=row_of(tape))
        ended = None if seconds is None else EPOCH + seconds
        self.telephone.recordings[name] = FakeRecording("talk-c1-1", EPOCH, ended, seconds)
        return tape

    def ends(self, tape: Tape) -> Tape:
        ended = replace(tape, ended=EPOCH + 10.0, seconds=9.9, erase_at=EPOCH + 10.0 + tape.keep_for)
        self.journal.save((), floor=row_of(ended))
        return ended

    @property
    def rows(self) -> list[Tape]:
        return tapes(self.journal.rows(ALL))[0]

    def kinds(self) -> list[str]:
        return [entry.kind for entry in self.journal.entries]


def test_an_ended_recording_is_encrypted_and_its_plain_file_is_gone_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        room = Room(tmp_path)
        room.ends(room.begins())
        assert await room.keeper.look() is False
        assert room.telephone.recordings == {}
        (row,) = room.rows
        assert (row.kept, row.key, row.seconds) == (True, key_id(KEY), 10.0)
        assert wav_seconds(room.vault.open(NAME)) == 10.0

    run(story())


def test_a_recording_of_an_open_call_is_left_alone_and_of_one_that_is_gone_it_is_not(tmp_path: Path) -> None:
    async def story() -> None:
        room = Room(tmp_path)
        room.begins()
        room.open = {"c1"}
        assert await room.keeper.look() is False
        assert set(room.telephone.recordings) == {NAME}
        room.open = set()
        await room.keeper.look()
        (row,) = room.rows
        assert row.kept
        assert row.ended is not None
        assert row.erase_at == row.ended + 30 * DAY

    run(story())


def test_one_that_asterisk_still_writes_is_stopped_first_and_fetched_then(tmp_path: Path) -> None:
    async def story() -> None:
        room = Room(tmp_path)
        room.ends(room.begins(seconds=None))
        await asyncio.sleep(4.0)
        assert await room.keeper.look() is True
        assert not room.rows[0].kept
        assert await room.keeper.look() is False
        assert room.rows[0].kept
        assert room.rows[0].seconds == pytest.approx(4.0, abs=0.1)

    run(story())


@pytest.mark.parametrize("seconds", [0.0, None])
def test_where_nothing_was_written_that_is_said_and_nothing_is_kept(
    tmp_path: Path, seconds: float | None
) -> None:
    async def story() -> None:
        room = Room(tmp_path)
        room.ends(room.begins(seconds=0.0))
        if seconds is None:
            room.telephone.recordings.clear()
        await room.keeper.look()
        assert room.rows == []
        assert room.kinds() == ["recording_lost"]
        assert not room.vault.has(NAME)
        assert not room.telephone.recordings

    run(story())


def test_files_that_nobody_knows_of_are_taken_in_and_erased_in_time(tmp_path: Path) -> None:
    async def story() -> None:
        room = Room(tmp_path)
        room.telephone.recordings[NAME] = FakeRecording("talk-c1-1", EPOCH, EPOCH + 5.0, 5.0)
        room.telephone.recordings["voice-c9-1"] = FakeRecording("chan-1", EPOCH, EPOCH + 5.0, 5.0)
        await room.keeper.look()
        (row,) = room.rows
        assert (row.recording, row.kept, row.client) == (NAME, True, "")
        assert set(room.telephone.recordings) == {"voice-c9-1"}, "a caller's message is somebody else's"
        os.utime(room.vault.path(NAME), (EPOCH, EPOCH))  # the file's own time is that of this machine
        room.journal.floor.clear()
        room.start()
        await room.keeper.look()
        (row,) = room.rows
        assert row.kept
        assert row.erase_at is not None
        await asyncio.sleep(STRAYS + 1.0)
        await room.keeper.look()
        assert room.rows == []
        assert not room.vault.has(NAME)

    run(story())


def test_when_its_time_is_over_it_is_erased_and_evidence_stays_without_a_voice(tmp_path: Path) -> None:
    async def story() -> None:
        room = Room(tmp_path)
        room.ends(room.begins())
        room.ends(room.begins("tape-c2-1", "c2"))
        await room.keeper.look()
        await asyncio.sleep(29 * DAY)
        await room.keeper.look()
        assert len(room.rows) == 2
        await asyncio.sleep(2 * DAY)
        await room.keeper.look()
        assert room.rows == []
        assert room.vault.all() == {}
        (forgotten,) = room.journal.entries
        assert (forgotten.kind, dict(forgotten.fields)) == ("forgotten", {"client": "lilas", "recordings": 2})
        assert forgotten.call is None

    run(story())


def test_without_any_key_what_is_over_is_erased_all_the_same(tmp_path: Path) -> None:
    async def story() -> None:
        room = Room(tmp_path)
        room.ends(room.begins())
        await room.keeper.look()
        await asyncio.sleep(31 * DAY)

        def lost() -> KeyRing:
            raise KeyFault("no key")

        room.vault = Vault(room.vault.folder, lost)
        room.start()
        room.ends(room.begins("tape-c2-1", "c2"))
        with pytest.raises(KeyFault):
            await room.keeper.look()
        assert room.vault.all() == {}
        assert [row.recording for row in room.rows] == ["tape-c2-1"]
        assert set(room.telephone.recordings) == {"tape-c2-1"}

    run(story())


def test_what_is_kept_is_read_once_and_found_again_by_the_next_process(tmp_path: Path) -> None:
    async def story() -> None:
        room = Room(tmp_path)
        for number in (1, 2):
            room.ends(room.begins(f"tape-c{number}-1", f"c{number}"))
        await room.keeper.look()
        asked: list[str] = []
        rows = room.journal.rows
        room.journal.rows = lambda prefix: asked.append(prefix) or rows(prefix)  # type: ignore[method-assign, func-returns-value]
        await room.keeper.look()
        assert asked == ["tape:"], "of those under way, which are few"
        room.start()
        await asyncio.sleep(31 * DAY)
        await room.keeper.look()
        assert room.vault.all() == {}
        assert room.kinds() == ["forgotten"]

    run(story())


def test_a_new_key_is_used_at_once_and_for_what_was_there_before(tmp_path: Path) -> None:
    async def story() -> None:
        room = Room(tmp_path)
        room.ends(room.begins())
        await room.keeper.look()
        room.keys = (NEWER, KEY)
        await room.keeper.look()
        room.keys = (NEWER,)
        assert room.rows[0].key == key_id(NEWER)
        assert wav_seconds(room.vault.open(NAME)) == 10.0

    run(story())


def test_a_key_that_is_lost_holds_up_no_new_recording(tmp_path: Path) -> None:
    async def story() -> None:
        room = Room(tmp_path)
        room.ends(room.begins())
        await room.keeper.look()
        room.keys = (NEWER,)
        room.start()
        room.ends(room.begins("tape-c2-1", "c2"))
        assert await room.keeper.look() is False
        assert {row.recording: row.key for row in room.rows} == {
            NAME: key_id(KEY),
            "tape-c2-1": key_id(NEWER),
        }
        room.keys = (NEWER, KEY)  # found again
        await room.keeper.look()
        assert {row.key for row in room.rows} == {key_id(NEWER)}

    run(story())


def test_one_that_cannot_be_kept_now_holds_up_no_other_and_is_tried_again(tmp_path: Path) -> None:
    async def story() -> None:
        room = Room(tmp_path)
        room.ends(room.begins())
        room.ends(room.begins("tape-c2-1", "c2"))
        put, full = room.vault.put, True

        def disk(name: str, wav: bytes) -> str:
            if full and name == NAME:
                raise OSError(28, "No space left on device")
            return put(name, wav)

        room.vault.put = disk  # type: ignore[method-assign]
        with pytest.raises(OSError, match="No space"):
            await room.keeper.look()
        assert [row.recording for row in room.rows if row.kept] == ["tape-c2-1"]
        assert set(room.telephone.recordings) == {NAME}, "what is not kept yet is not erased"
        full = False
        await room.keeper.look()
        assert all(row.kept for row in room.rows)
        assert not room.telephone.recordings

    run(story())


def test_it_looks_when_it_is_told_and_goes_on_after_any_failure(tmp_path: Path) -> None:
    async def story() -> None:
        room = Room(tmp_path)
        task = asyncio.ensure_future(room.keeper.run())
        await asyncio.sleep(1.0)
        room.keys = ()  # no key at all: a crash of the vault's, not of the calls'
        tape = room.begins()
        room.journal.save(
            [Entry(EPOCH, "recording_ended", "c1", {})],
            floor=row_of(replace(tape, ended=EPOCH, erase_at=EPOCH + DAY)),
        )
        await asyncio.sleep(5.0)
        assert not room.rows[0].kept
        room.keys = (KEY,)
        await asyncio.sleep(130.0)
        assert room.rows[0].kept
        task.cancel()
        await asyncio.wait([task])

    run(story())


def test_killed_around_every_effect_it_is_kept_once_and_never_left_in_clear(tmp_path: Path) -> None:
    async def story(folder: Path, kill_at: int) -> bool:
        room = Room(folder)
        room.ends(room.begins())
        done = 0

        def effect(_: str = "") -> None:
            nonlocal done
            done += 1
            if done == kill_at:
                raise Killed

        save = room.journal.save

        def saving(
            entries: object = (), *, calls: object = None, floor: dict[str, Json] | None = None
        ) -> None:
            effect()
            save(entries, calls=calls, floor=floor)  # type: ignore[arg-type]
            effect()

        room.journal.save = saving  # type: ignore[method-assign, assignment]
        room.telephone.before = room.telephone.after = effect
        try:
            await room.keeper.look()
            survived = True
        except Killed:
            survived = False
        room.telephone.before = room.telephone.after = lambda _: None
        room.journal.save = save  # type: ignore[method-assign]
        while await room.keeper.look():
            pass
        (row,) = room.rows
        assert row.kept
        assert not room.telephone.recordings
        assert wav_seconds(room.vault.open(NAME)) == 10.0
        return survived

    kill_at = 1
    while not run(story(tmp_path / str(kill_at), kill_at)):
        kill_at += 1
    assert kill_at > 8
