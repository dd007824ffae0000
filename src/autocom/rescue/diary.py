"""What the rescuer did, for the exchange to read when it is back: marks of callers, and lines of a diary.

A mark is an empty file with the name of a caller's unique id, made before he is taken out of the exchange: whose call
it was, that call ends as served by the fallback, and is no abandoned one. The diary has one JSON object a line; the
exchange takes it away as a whole. Must not know what a call is.
"""

from __future__ import annotations

import json
import os
import re
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDER = "rescue"
_LINES, _TAKEN = "diary.jsonl", "diary.taken"
_ID = re.compile(r"[A-Za-z0-9_.-]{1,120}")
_OLD = 86_400.0


@dataclass(frozen=True, slots=True)
class Deed:
    """`what`: gate_closed, ari_hung, gate_opened, handed_over, freed. `count`: of callers or phones. `at`: UTC epoch seconds."""

    at: float
    what: str
    count: int
    why: str


class Diary:
    """Of one state folder; the rescuer writes, the exchange reads."""

    def __init__(self, state: Path) -> None:
        self._folder = state / FOLDER
        self._marks = self._folder / "taken"

    def make(self) -> None:
        """The folders, and no mark of yesterday; as far as the disk allows: the rescue goes on without them."""
        with suppress(OSError):
            self._marks.mkdir(mode=0o700, parents=True, exist_ok=True)
            for mark in list(self._marks.iterdir()):
                with suppress(OSError):  # the exchange takes them away as well
                    if time.time() - mark.lstat().st_mtime > _OLD:  # noqa: TID251 - of a file
                        mark.unlink()

    def mark(self, channel: str) -> None:
        """He is about to be taken out. ValueError for what is no channel's id; OSError."""
        self._path(channel).touch(mode=0o600)

    def unmark(self, channel: str) -> None:
        """He was not, or that is known now."""
        self._path(channel).unlink(missing_ok=True)

    def is_marked(self, channel: str) -> bool:
        """Whether he was taken out."""
        return _fits(channel) and (self._marks / channel).exists()

    def write(self, deed: Deed) -> None:
        """Add a line; twice where the exchange takes the file away meanwhile, which may not have read it then. No lock: a
        frozen exchange would hold it. OSError."""
        line, path = json.dumps(asdict(deed)) + "\n", self._folder / _LINES
        for _ in range(2):
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                os.write(file, line.encode())
                with suppress(FileNotFoundError):
                    if os.path.samestat(os.fstat(file), path.stat()):
                        return
            finally:
                os.close(file)

    def read(self) -> list[Deed]:
        """Every deed since the last `forget`, oldest first. The same ones again after a crash in between (`untold`)."""
        taken = self._folder / _TAKEN
        if not taken.exists():
            try:
                (self._folder / _LINES).rename(taken)
            except OSError:
                return []
        deeds: list[Deed] = []
        try:
            for line in taken.read_text(errors="replace").splitlines():
                found = _deed(line)
                if found is not None:
                    deeds.append(found)
        except OSError:
            return []
        return deeds

    def forget(self) -> None:
        """What was read is written down elsewhere. OSError."""
        (self._folder / _TAKEN).unlink(missing_ok=True)

    def _path(self, channel: str) -> Path:
        if not _fits(channel):
            raise ValueError(f"{channel!r} is no id of a channel")
        return self._marks / channel


def untold(deeds: list[Deed], last: object) -> list[Deed]:
    """Those behind the last one that was told, which is known by its instant; all where it is not among them."""
    told = [place for place, deed in enumerate(deeds) if deed.at == last]
    return deeds[told[-1] + 1 :] if told else deeds


def _fits(channel: str) -> bool:
    return _ID.fullmatch(channel) is not None and not channel.startswith(".")


def _deed(line: str) -> Deed | None:
    try:
        found = json.loads(line)
        return Deed(float(found["at"]), str(found["what"]), int(found["count"]), str(found["why"]))
    except (ValueError, KeyError, TypeError):
        return None  # cut short by a power cut
