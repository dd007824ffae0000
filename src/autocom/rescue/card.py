"""The rescuer's card: how it reaches Asterisk, written by the exchange into the state folder, readable by its owner only.

Read again at every connection, since a new start of Asterisk may have moved its doors. The users are the rescuer's own
ones where the exchange writes Asterisk's configuration, with the least rights; else those of the settings. Also the
lock that keeps a second rescuer from a state folder.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from autocom.rescue.diary import FOLDER

NAME = "card.json"
LOCK = "lock"
_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Card:
    """`ari_url` as in AUTOCOM_ARI_URL."""

    ari_url: str
    ari_user: str
    ari_password: str = field(repr=False)
    ami_host: str
    ami_port: int
    ami_user: str
    ami_password: str = field(repr=False)
    app: str = "autocom"


def write(state: Path, card: Card) -> None:
    """Replace it whole. OSError."""
    folder = state / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = folder / f"{NAME}.new"
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(card), file)
    fresh.replace(folder / NAME)


def read(state: Path) -> Card | None:
    """None where no exchange has run on this folder, or it cannot be read."""
    try:
        return Card(**json.loads((state / FOLDER / NAME).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def lock(state: Path, version: str) -> IO[str] | None:
    """The folder's lock, with our pid and version in it, to be kept open; None: another rescuer has it."""
    folder = state / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = (folder / LOCK).open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    with suppress(OSError), (folder / LOCK).open("r+b") as over:
        # in place and always of one length, so a full disk lets the next rescuer say who it is
        over.write(f"{os.getpid()} {version}".ljust(_LENGTH).encode())
    return file


def running(state: Path) -> tuple[int, str] | None:
    """Pid and version of the rescuer of this folder; None where none runs. A pid that was given to another program
    since is told by its command line."""
    try:
        pid, version = (state / FOLDER / LOCK).read_text().split()
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    ours = b"autocom.rescue" in command and os.fsencode(state) in command
    return (int(pid), version) if ours else None
