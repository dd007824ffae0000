"""Recorded messages in the state folder: fetched from Asterisk, kept for as long as the client says.

A file is complete under its name or it is not there (written beside, then renamed); it is erased in
Asterisk only afterwards. Folder 0700, files 0600: somebody's voice. Must not know mails. Invariant:
names are those of recordings (`voice-<call>-<n>`), never a path. `courier` says when.
"""

from __future__ import annotations

import os
from pathlib import Path

from autocom.core.naming import call_of_recording

SUFFIX = ".wav"


class VoiceShelf:
    """The folder. Blocking, and quick: a message is two megabytes at most."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, recording: str) -> Path:
        """Where it is, or would be. ValueError for what is no recording's name."""
        if call_of_recording(recording) is None:
            raise ValueError(f"{recording!r} is no name of a recording")
        return self.folder / (recording + SUFFIX)

    def has(self, recording: str) -> bool:
        """Whether it is here."""
        return self.path(recording).is_file()

    def put(self, recording: str, wav: bytes) -> None:
        """Keep it; it survives a power cut when this returns."""
        path = self.path(recording)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        fresh = path.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(wav)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)

    def erase(self, recording: str) -> None:
        """Its time is over."""
        self.path(recording).unlink(missing_ok=True)

    def all(self) -> dict[str, float]:
        """What is here, with the instant at which each was put (UTC epoch seconds)."""
        files = {path.stem: path.stat().st_mtime for path in self.folder.glob("*" + SUFFIX)}
        return {name: at for name, at in files.items() if call_of_recording(name) is not None}

    def tidy(self) -> None:
        """Remove what a process that died had written half: it is fetched anew, and is somebody's voice."""
        for half in self.folder.glob("*.new"):
            half.unlink(missing_ok=True)
