"""The state folder of one instance: its lock, and the card by which commands find the running exchange.

`service.json` (mode 0600) holds where the API listens, its token and the database's URL; whoever can
read it may command the exchange. The lock is held for as long as the process lives, so two exchanges
never act on one folder. Must not know what runs.
"""

from __future__ import annotations

import fcntl
import json
import os
import pwd
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from autocom.shelf import write_whole

STOPPING = "stopping"


class StateBusy(Exception):  # noqa: N818 - says what is the case
    """Another autocom runs on this state folder."""


class NotRunning(Exception):  # noqa: N818
    """No autocom has run on this state folder, or its card cannot be read."""


@dataclass(frozen=True, slots=True)
class Card:
    """How to reach the exchange of a state folder. `pid` may be dead: the database may still answer.
    `timezone` and `language` are the bureau's, in which people read."""

    pid: int
    http: str
    token: str
    database: str | None
    timezone: str = "UTC"
    language: str = "fr"


def lock(state: Path) -> IO[str]:
    """Take the folder's lock; the caller keeps the file open. Raises StateBusy."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = (state / "lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        owner, _, word = file.read().strip().partition(" ")
        file.close()
        raise StateBusy(
            f"process {owner} on {state} is stopping, and lets its calls end first: start again when it has ended"
            if word == STOPPING
            else f"another autocom (process {owner or 'unknown'}) runs on {state}: stop it, or set AUTOCOM_STATE to "
            "another folder"
        ) from None
    _sign(file, str(os.getpid()))
    return file


def owned_by_another(state: Path) -> int | None:
    """The user whose folder this is, where that is not us: what we would write there, he could not read. None where it
    is ours, or there is none."""
    try:
        owner = state.stat().st_uid
    except OSError:
        return None
    return owner if owner != os.getuid() else None


def user_name(uid: int) -> str:
    """As the system knows him, and as `sudo -u` takes it."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"


def say_stopping(file: IO[str]) -> None:
    """For whoever wants the lock meanwhile."""
    _sign(file, f"{os.getpid()} {STOPPING}")


def _sign(file: IO[str], text: str) -> None:
    with suppress(OSError):  # a full disk: it is locked all the same
        file.truncate(0)
        os.pwrite(file.fileno(), text.encode(), 0)


def write_card(state: Path, card: Card) -> None:
    """Replace the card atomically, readable by its owner only."""
    write_whole(state / "service.json", (json.dumps(asdict(card)).encode(),))


def read_card(state: Path) -> Card:
    """The card of the exchange that runs, or last ran, on this folder. Raises NotRunning."""
    try:
        return Card(**json.loads((state / "service.json").read_text()))
    except (OSError, ValueError, TypeError):
        raise NotRunning(
            f"no autocom runs on the state folder {state}: start it with `autocom up`, or set AUTOCOM_STATE"
        ) from None
