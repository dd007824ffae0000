"""Recorded messages in the state folder: fetched from Asterisk, kept for as long as the client says.

A file is erased in Asterisk only once it is here (see `autocom.shelf`). Must not know mails. Invariant: names are
those of recordings (`voice-<call>-<n>`), never a path. `courier` says when.
"""

from __future__ import annotations

from pathlib import Path

from autocom.core.naming import call_of_recording
from autocom.shelf import Shelf

SUFFIX = ".wav"


class VoiceShelf(Shelf):
    """The folder. Blocking, and quick: a message is two megabytes at most."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, SUFFIX, call_of_recording)

    def put(self, recording: str, wav: bytes) -> None:
        """Keep it; it survives a power cut when this returns."""
        self._write(recording, (wav,))
