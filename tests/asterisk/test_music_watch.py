"""What AMI's starts and stops of music mean: whose end is his doing, and which music has no files any more."""

from __future__ import annotations

import asyncio

import pytest

from autocom.asterisk import music_watch
from autocom.asterisk.music_watch import MusicWatch


class Room:
    def __init__(self) -> None:
        self.playing = {"c1": "calm"}
        self.ended: list[tuple[str, str, bool]] = []
        self.watch = MusicWatch(self.playing, lambda *words: self.ended.append(words))

    def start(self, channel: str = "c1") -> None:
        assert self.watch.take({"Event": "MusicOnHoldStart", "Uniqueid": channel})

    def stop(self, channel: str = "c1") -> None:
        assert self.watch.take({"Event": "MusicOnHoldStop", "Uniqueid": channel})

    async def settle(self) -> None:
        """Timers of one length end in their order: when ours is over, the watch's is."""
        await asyncio.sleep(music_watch.SETTLED)


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setattr(music_watch, "SETTLED", 0.02)
    return Room()


async def test_music_that_ends_as_it_begins_is_told(room: Room) -> None:
    room.start()
    room.stop()
    await room.settle()
    assert room.ended == [("c1", "calm", True)]


async def test_music_that_ends_after_a_while_is_told_as_one_that_played(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(music_watch, "AT_ONCE", 0.0)
    room.start()
    room.stop()
    await room.settle()
    assert room.ended == [("c1", "calm", False)]


async def test_music_that_we_stopped_began_anew_or_changed_is_nothing(room: Room) -> None:
    room.start()
    del room.playing["c1"]  # the telephone forgets it before it gives the command
    room.stop()
    room.playing["c1"] = "calm"
    room.start()
    room.stop()  # the answer
    room.start()
    room.playing["c2"] = "calm"
    room.start("c2")
    room.stop("c2")
    room.playing["c2"] = "other"
    await room.settle()
    assert room.ended == []


async def test_strangers_music_and_other_events_are_nothing(room: Room) -> None:
    room.start("c9")
    room.stop("c9")
    room.stop()
    assert not room.watch.take({"Event": "Newchannel", "Uniqueid": "c1"})
    await room.settle()
    assert room.ended == []
