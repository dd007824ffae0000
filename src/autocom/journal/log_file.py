"""The file of the local log: its schema, how it is opened, and what happens if it is broken.

Must not know what entries mean (`log` does). Invariant: `open_log` returns a sound file in WAL
mode, or raises because the disk or another version is in the way; a corrupt file never stops
the house: it is moved aside for a human and a new one is begun.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from pathlib import Path

import structlog

_log = structlog.get_logger()

_WAL_KEPT = 16_000_000  # bytes of it that stay allocated: what a full disk leaves us
_WORTH_IT = 32_000_000
_SCHEMA_VERSION = 1
_SCHEMA = """
    CREATE TABLE log (one INTEGER PRIMARY KEY CHECK (one = 1), shipped INTEGER NOT NULL);
    CREATE TABLE runs (run INTEGER PRIMARY KEY, id TEXT NOT NULL);
    CREATE TABLE entries (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        run INTEGER NOT NULL,
        at REAL NOT NULL, kind TEXT NOT NULL, call TEXT, fields TEXT NOT NULL
    );
    CREATE TABLE calls (id TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE floor (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE refused (
        seq INTEGER PRIMARY KEY,
        at REAL NOT NULL, kind TEXT NOT NULL, call TEXT, fields TEXT NOT NULL, why TEXT NOT NULL
    );
"""


BUSY_MS = 100
"""How long a `save` waits for somebody else's transaction; longer, and it is held in memory."""


def open_log(path: Path, successor: int) -> sqlite3.Connection:
    """The log's connection; creates the file and its folder. One that cannot be read is set aside, and the numbers
    of the one that takes its place begin after `successor`. Raises sqlite3.OperationalError (disk, rights, lock)
    or ValueError (written by another version)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _ready(path, 0)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise  # locked, unreadable, no space: the file may be sound
        set_aside(path, str(error))
        return _ready(path, successor)


def set_aside(path: Path, why: str) -> None:
    """Move a broken file, with all that belongs to it, to where a human finds it; no word where there is nothing any
    more. Close every connection first. Raises OSError."""
    aside = next(a for n in count(1) if not (a := path.with_name(f"{path.name}.corrupt-{n}")).exists())
    parts = _parts(path)
    for part in parts:
        part.rename(part.with_name(part.name.replace(path.name, aside.name, 1)))
    if parts:
        _log.critical("local_log_corrupt", path=str(path), moved_to=str(aside), error=why)


@contextmanager
def renewed(path: Path, after: int) -> Iterator[sqlite3.Connection]:
    """The connection of a new file, to be filled, whose numbers begin after `after`; nothing is at `path`. Where that
    or the filling fails, nothing is there again: it is tried once a second. Raises as `open_log`, OSError."""
    with ExitStack() as undo:
        undo.callback(_remove, path)
        db = _ready(path, after)
        undo.callback(db.close)
        yield db
        undo.pop_all()


def _remove(path: Path) -> None:
    for part in _parts(path):
        part.unlink()


def _parts(path: Path) -> list[Path]:
    return [part for suffix in ("", "-wal", "-shm") if (part := path.with_name(path.name + suffix)).exists()]


def nowhere() -> sqlite3.Connection:
    """A connection that refuses every statement about a log."""
    return sqlite3.connect(":memory:", isolation_level=None)


def used(db: sqlite3.Connection) -> int:
    """Bytes of the file that hold something: what was deleted is written over before the file grows."""
    pages, free, size = (_pragma(db, name) for name in ("page_count", "freelist_count", "page_size"))
    return (pages - free) * size


def written_ahead(path: Path) -> int:
    """Bytes of the write-ahead log."""
    try:
        return path.with_name(f"{path.name}-wal").stat().st_size
    except OSError:
        return 0


def checkpoint(path: Path) -> None:
    """Move the write-ahead log into the file: it is then written over from its beginning. An fsync: for a thread.

    A connection of its own, PASSIVE: no `save` ever waits for it. Raises sqlite3.Error."""
    with closing(connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(PASSIVE)")


def shrink(path: Path) -> bool:
    """Give the room back that a long outage took, where most of the file is empty now; whether there was any. For a
    thread; a `save` meanwhile is held for as long. Raises sqlite3.Error."""
    with closing(connect(path)) as db:
        free, size = _pragma(db, "freelist_count"), _pragma(db, "page_size")
        if free * size < _WORTH_IT or free * 2 < _pragma(db, "page_count"):
            return False
        db.execute("VACUUM")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return True


def _pragma(db: sqlite3.Connection, name: str) -> int:
    return int(db.execute(f"PRAGMA {name}").fetchone()[0])


def _ready(path: Path, after: int) -> sqlite3.Connection:
    db = connect(path)
    try:
        if _version(db) == 0:
            _create(db, after)
        _check(db, path)
    except (sqlite3.Error, ValueError):
        db.close()
        raise
    return db


def check_version(db: sqlite3.Connection, path: Path) -> None:
    """Raises ValueError where another version wrote the log."""
    if (version := _version(db)) != _SCHEMA_VERSION:
        raise ValueError(f"{path}: written by another version of autocom (log schema {version})")


def _check(db: sqlite3.Connection, path: Path) -> None:
    check_version(db, path)
    faults = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if faults != "ok":
        raise sqlite3.DatabaseError(faults)


def _version(db: sqlite3.Connection) -> int:
    return _pragma(db, "user_version")


def connect(path: Path) -> sqlite3.Connection:
    """A connection with our settings; transactions are the caller's."""
    # isolation_level=None: we say where a transaction begins
    db = sqlite3.connect(path, isolation_level=None, timeout=5.0)
    try:
        path.chmod(0o600)  # callers' numbers
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        # the fsync of a checkpoint belongs to a thread of its own (room_left); this is the net if it is away
        db.execute("PRAGMA wal_autocheckpoint=8000")
        db.execute(f"PRAGMA journal_size_limit={_WAL_KEPT}")
    except sqlite3.Error:
        db.close()
        raise
    return db


def _create(db: sqlite3.Connection, after: int) -> None:
    with transaction(db):
        if _version(db) != 0:
            return  # another process was faster
        for statement in filter(str.strip, _SCHEMA.split(";")):
            db.execute(statement)
        db.execute("INSERT INTO log VALUES (1, ?)", (after,))
        db.execute("INSERT INTO sqlite_sequence VALUES ('entries', ?)", (after,))
        db.execute(f"PRAGMA user_version={_SCHEMA_VERSION}")


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All statements inside, or none. Waits for another process's transaction (5 s at most)."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        # a full disk makes SQLite roll back by itself; a second ROLLBACK would hide the first error
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
