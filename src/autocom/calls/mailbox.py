"""The notes of one call that its story has not read yet.

Anybody may put one in; the story alone takes them out, in order, but for what is about something that is over.
Must not know what a note means: `Line.next` reads them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import TypeVar

from autocom.calls.notes import Note
from autocom.core.telephony import ChannelGone

N = TypeVar("N")


class Mailbox:
    """`_wake` is set whenever there is something new to be looked at."""

    def __init__(self) -> None:
        self._mail: deque[Note] = deque()
        self._wake = asyncio.Event()

    def post(self, note: Note) -> None:
        """Put a note in; never blocks."""
        self._mail.append(note)
        self._wake.set()

    def forget(self, *kinds: type[Note]) -> None:
        """Take notes of these kinds out of the mailbox: they are about something that is over."""
        self._mail = deque(note for note in self._mail if not isinstance(note, kinds))

    def awaits(self, kind: type[Note]) -> bool:
        """Whether such a note lies in the mailbox, unread."""
        return any(isinstance(note, kind) for note in self._mail)

    def taken_out(self, kind: type[N]) -> list[N]:
        """The notes of this kind, which are in the mailbox no more."""
        found: list[N] = [note for note in self._mail if isinstance(note, kind)]
        self._mail = deque(note for note in self._mail if not isinstance(note, kind))
        return found

    def peek(self, kind: type[N]) -> N | None:
        """The first such note, which stays in the mailbox."""
        return next((note for note in self._mail if isinstance(note, kind)), None)

    def forget_leg(self, channel: str) -> bool:
        """Take what the mailbox says about the end of this leg out of it; whether it said so."""
        kept = deque(n for n in self._mail if not (isinstance(n, ChannelGone) and n.channel == channel))
        known, self._mail = len(kept) < len(self._mail), kept
        return known

    def lost(self, channel: str | None) -> bool:
        """Whether a note in the mailbox, unread, says that this channel is gone."""
        return any(isinstance(note, ChannelGone) and note.channel == channel for note in self._mail)

    def notes_about(self, channel: str) -> list[Note]:
        """What lies unread about this channel."""
        return [note for note in self._mail if getattr(note, "channel", None) == channel]

    def put_back(self, notes: Iterable[Note]) -> None:
        """Read, but for the stage that comes: they are read first."""
        self._mail.extendleft(reversed(tuple(notes)))
