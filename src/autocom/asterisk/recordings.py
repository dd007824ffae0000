"""Recordings of callers and of conversations; a part of `asterisk.telephone`.

Asterisk keeps them in a store of its own, under names that we choose; what is in them, and for how long they are kept,
is `tapes`' and the voicemail's. `ifExists=fail`: a second request of one name finds the first.
"""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable
from contextlib import suppress

from autocom.asterisk.ari.client import Refused
from autocom.asterisk.ari.feed import Feed
from autocom.asterisk.ari.generated import Ari
from autocom.asterisk.parties import about_a_channel
from autocom.calls.ports import Gone
from autocom.core.telephony import RecordingEnded

_RECORDING = re.compile(r"^[a-z0-9][a-z0-9-]*\Z")


def no_path(recording: str) -> None:
    """Asterisk's store has folders, and a name is a path in it. Raises ValueError."""
    if not _RECORDING.match(recording):
        raise ValueError(f"{recording!r} is no name of a recording")


class RecordingCommands:
    """See the module. All fields are the heir's."""

    _ari: Ari
    feed: Feed
    _sound: dict[str, str]

    async def record(
        self, channel: str, recording: str, *, longest: float, silence: float, until: str
    ) -> None:
        """In Asterisk's format `wav`. No beep of Asterisk's: where its file is missing, the recording is over at once
        (22.10)."""
        no_path(recording)
        self._sound.pop(channel, None)
        await self._begin(
            recording,
            self._ari.channels.record(
                channel,
                recording,
                "wav",
                max_duration_seconds=math.ceil(longest),
                max_silence_seconds=math.ceil(silence),
                if_exists="fail",
                beep=False,
                terminate_on=until,
            ),
        )

    async def stop_recording(self, recording: str) -> None:
        """No error where it is over."""
        no_path(recording)
        with suppress(Gone), about_a_channel():
            await self._ari.recordings.stop(recording)

    async def recorded(self, recording: str) -> bytes:
        """The whole file; while it is being written that is little more than its header."""
        no_path(recording)
        with about_a_channel():
            return await self._ari.recordings.get_stored_file(recording)

    async def erase_recording(self, recording: str) -> None:
        """No error where it is gone."""
        no_path(recording)
        with suppress(Gone), about_a_channel():
            await self._ari.recordings.delete_stored(recording)

    async def record_talk(self, bridge: str, recording: str, *, longest: float) -> None:
        """In Asterisk's format `wav`."""
        no_path(recording)
        await self._begin(
            recording,
            self._ari.bridges.record(
                bridge,
                recording,
                "wav",
                max_duration_seconds=math.ceil(longest),
                if_exists="fail",
                beep=False,
            ),
        )

    async def _begin(self, recording: str, request: Awaitable[object]) -> None:
        """409 is a recording of that name, or a channel that left our application: ask by name."""
        try:
            await request
        except Refused as refusal:
            if refusal.status != 409:
                raise Gone(str(refusal)) from refusal
            await self._find_recording(recording)

    async def _find_recording(self, recording: str) -> None:
        """Return where it runs; tell its end where it is over. `Gone`: there is none."""
        with suppress(Gone), about_a_channel():
            await self._ari.recordings.get_live(recording)
            return
        with about_a_channel():
            await self._ari.recordings.get_stored(recording)
        self.feed.tell(RecordingEnded(recording))

    async def recording_runs(self, recording: str) -> bool:
        """By what is live."""
        try:
            with about_a_channel():
                await self._ari.recordings.get_live(recording)
        except Gone:
            return False
        return True

    async def stored_recordings(self) -> list[str]:
        """Also what was left by processes before this one."""
        with about_a_channel():
            return [stored.name for stored in await self._ari.recordings.list_stored()]

    async def pause_recording(self, recording: str, *, paused: bool) -> None:
        """Asterisk leaves the pause out of the file."""
        with about_a_channel():
            if paused:
                await self._ari.recordings.pause(recording)
            else:
                await self._ari.recordings.unpause(recording)
