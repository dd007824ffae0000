"""Files that are complete under their name or not there, for their owner alone (0600), and folders of such files.

What was written survives a power cut. A file that a dead process wrote half is called `….new`. Blocking: for a
thread, not for the calls' own loop. Must not know what stands in a file.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Protocol, TypeVar

T = TypeVar("T")


class Aside(Protocol):
    """Does what blocks, in a thread: neither a disk nor a cipher holds up a call."""

    def __call__(self, act: Callable[[], T], /) -> Awaitable[T]:
        """What `act` returns or raises."""
        ...


def write_whole(path: Path, pieces: Iterable[bytes | memoryview]) -> None:
    """Write it anew; it survives a power cut when this returns. The folder is there. OSError."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)  # a full disk is not made fuller
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # else a power cut may take the name back
    finally:
        os.close(folder)


def made(folder: Path) -> Path:
    """The folder, made where it is missing, for its owner alone (0700)."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


class Shelf:
    """A folder of recordings, each a file called by the recording and `suffix`. `call_of`: the call of a recording,
    None for what is no name of one; so a name is never a path."""

    def __init__(self, folder: Path, suffix: str, call_of: Callable[[str], str | None]) -> None:
        self.folder, self._suffix, self._call_of = folder, suffix, call_of

    def path(self, recording: str) -> Path:
        """Where it is, or would be. ValueError for what is no recording's name."""
        if self._call_of(recording) is None:
            raise ValueError(f"{recording!r} is no name of a recording")
        return self.folder / (recording + self._suffix)

    def has(self, recording: str) -> bool:
        """Whether it is here."""
        return self.path(recording).is_file()

    def erase(self, recording: str) -> None:
        """Its time is over."""
        self.path(recording).unlink(missing_ok=True)

    def all(self) -> dict[str, float]:
        """What is here, with the instant at which each was put (UTC epoch seconds)."""
        files = {path.stem: path.stat().st_mtime for path in self.folder.glob("*" + self._suffix)}
        return {name: at for name, at in files.items() if self._call_of(name) is not None}

    def tidy(self) -> None:
        """Remove what a process that died had written half: it is fetched anew, and is somebody's voice."""
        for half in self.folder.glob("*.new"):
            half.unlink(missing_ok=True)

    def _write(self, recording: str, pieces: Iterable[bytes | memoryview]) -> None:
        path = self.path(recording)
        made(self.folder)
        write_whole(path, pieces)
