"""The file of the local log: its schema, how it is opened, and what happens if it is broken.

Must not know what entries mean (`log` does). Invariant: `open_log` returns a sound file in WAL
mode, or raises because the disk or another version is in the way; a corrupt file never stops
the house: it is moved aside for a human and a new one is begun.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import structlog

_log = structlog.get_logger()

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


def open_log(path: Path) -> sqlite3.Connection:
    """The log's connection; creates the file and its folder. Raises sqlite3.OperationalError (disk,
    rights, lock) or ValueError (written by another version)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _ready(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise  # locked, unreadable, no space: the file may be sound
        aside = next(a for n in count(1) if not (a := path.with_name(f"{path.name}.corrupt-{n}")).exists())
        for suffix in ("", "-wal", "-shm"):
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
        _log.critical("local_log_corrupt", path=str(path), moved_to=str(aside), error=str(error))
        return _ready(path)


def _ready(path: Path) -> sqlite3.Connection:
    db = connect(path)
    try:
        if _version(db) == 0:
            _create(db)
        _check(db, path)
    except (sqlite3.Error, ValueError):
        db.close()
        raise
    return db


def _check(db: sqlite3.Connection, path: Path) -> None:
    if (version := _version(db)) != _SCHEMA_VERSION:
        raise ValueError(f"{path}: written by another version of autocom (log schema {version})")
    faults = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if faults != "ok":
        raise sqlite3.DatabaseError(faults)


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def connect(path: Path) -> sqlite3.Connection:
    """A connection with our settings; transactions are the caller's."""
    # isolation_level=None: we say where a transaction begins
    db = sqlite3.connect(path, isolation_level=None, timeout=5.0)
    try:
        path.chmod(0o600)  # callers' numbers
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        # the fsync of a checkpoint belongs to the shipper's thread; this is the net if it is away
        db.execute("PRAGMA wal_autocheckpoint=8000")
    except sqlite3.Error:
        db.close()
        raise
    return db


def _create(db: sqlite3.Connection) -> None:
    with transaction(db):
        if _version(db) != 0:
            return  # another process was faster
        for statement in filter(str.strip, _SCHEMA.split(";")):
            db.execute(statement)
        db.execute("INSERT INTO log VALUES (1, 0)")
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
