"""Named tokens of the API, in `tokens.json` of the state folder (0600).

Only a token's SHA-256 is kept: 256 random bits need no slow hash, and who reads a copy of the file can do nothing with
it. They are not in the YAML on purpose: what is shown once stands in no file, no version and no environment, and one
is taken away at once, without a reload. Must not know what a role may do (`web/roles.py`). Invariant: a file that
cannot be read opens nothing. Blocking, but for a small file that is read when it changes.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

import structlog

from autocom.shelf import write_whole
from autocom.timeline import iso
from autocom.web.roles import Holder, Role

if TYPE_CHECKING:
    from autocom.core.journal import Json

log = structlog.get_logger()

FILE = "tokens.json"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
ROLES: tuple[Role, ...] = get_args(Role)

Row = Mapping[str, "Json"]


class TokenFile:
    """The tokens of one state folder. Several processes may change it, each under a lock."""

    def __init__(self, state: Path) -> None:
        self._path = state / FILE
        self._seen: tuple[int, int, int] | None = None
        self._holders: dict[str, Holder] = {}

    def add(self, name: str, role: Role, clients: Sequence[str], now: float) -> str:
        """A new token, which is shown this once; `now` in UTC epoch seconds. ValueError: a wrong name, or one that is taken; OSError."""
        if not NAME.fullmatch(name):
            raise ValueError(f"{name!r}: a name is letters a-z, digits and dashes, at most 32")
        token = "autocom_" + secrets.token_urlsafe(32)
        limit: list[Json] = [*sorted(set(clients))]
        row: dict[str, Json] = {
            "name": name,
            "role": role,
            "sha256": digest(token),
            "clients": limit or None,
            "made_at": iso(now),
        }
        with self._locked():
            rows = self.rows()
            if any(each["name"] == name for each in rows):
                raise ValueError(f"there is a token {name!r} already: remove it first")
            self._write([*rows, row])
        return token

    def remove(self, name: str) -> None:
        """Take it away: the next request with it is refused. LookupError, OSError."""
        with self._locked():
            rows = self.rows()
            left = [row for row in rows if row["name"] != name]
            if len(left) == len(rows):
                raise LookupError(f"there is no token {name!r}")
            self._write(left)

    def rows(self) -> list[Row]:
        """What is known of each; no token can be made of it. ValueError where the file is damaged."""
        try:
            raw = self._path.read_bytes()
        except FileNotFoundError:
            return []
        try:
            found = json.loads(raw)
        except ValueError:
            found = None
        if not isinstance(found, list) or not all(_is_row(row) for row in found):
            raise ValueError(f"{self._path} is damaged: remove it, and add the tokens again")
        return found

    def holder(self, given: str) -> Holder | None:
        """Whose token this is."""
        self._look()
        return self._holders.get(digest(given))

    def _look(self) -> None:
        try:
            there = self._path.stat()
            seen = (there.st_mtime_ns, there.st_ino, there.st_size)
        except OSError:
            self._seen, self._holders = None, {}
            return
        if seen == self._seen:
            return
        self._seen, self._holders = seen, {}
        try:
            self._holders = {str(row["sha256"]): _holder(row) for row in self.rows()}
        except OSError as error:
            self._seen = None  # it may be read the next time
            log.error("no named token is good for now", why=str(error))
        except ValueError as error:
            log.error("no named token is good", why=str(error))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self._path.with_name("tokens.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(lock, "w"):
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(self, rows: Sequence[Row]) -> None:
        write_whole(self._path, (json.dumps([dict(row) for row in rows], indent=1).encode(),))


def digest(token: str) -> str:
    """What is kept of a token. Any string may be given, also one that is no valid Unicode."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _holder(row: Row) -> Holder:
    clients = row["clients"]
    limited = frozenset(str(each) for each in clients) if isinstance(clients, list) else None
    return Holder(str(row["name"]), cast("Role", row["role"]), limited)


def _is_row(row: object) -> bool:
    """Whatever is doubtful is no row: a limit that cannot be read must not become none."""
    if not isinstance(row, dict) or not {"name", "role", "sha256", "clients"} <= row.keys():
        return False
    clients = row["clients"]
    limited = clients is None or (
        isinstance(clients, list) and bool(clients) and all(isinstance(each, str) for each in clients)
    )
    name, sha = row["name"], row["sha256"]
    return (
        isinstance(name, str)
        and NAME.fullmatch(name) is not None
        and row["role"] in ROLES
        and isinstance(sha, str)
        and len(sha) == 64
        and limited
    )
