"""A folder in which a script of the dialplan leaves one JSON file for each thing that happened without us.

Read by `spool` (calls that the fallback served) and `text_spool` (texts); what a record means is theirs. The scripts write
aside and rename, so a file is whole. Invariant: a file is removed only by `forget`, after the reader has saved what
it says, so a crash in between shows it again; one that is none of ours is put aside, and looked at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import structlog

log = structlog.get_logger()

T = TypeVar("T")

BIGGEST = 200_000
"""Bytes of a record: the longest headers that Asterisk takes, several times over."""
UNREADABLE = ".unreadable"


def read(folder: Path, made_of: Callable[[str, dict[str, Any]], T]) -> list[T]:
    """Everything found, by file name. `made_of` gets the name and the record; ValueError, KeyError, TypeError or
    AttributeError from it say that the file is none of ours."""
    found: list[T] = []
    for path in sorted(folder.glob("*.json")):
        try:
            if path.stat().st_size > BIGGEST:
                raise ValueError("too big")
            found.append(made_of(path.stem, json.loads(path.read_text(encoding="utf-8"))))
        except FileNotFoundError:
            continue
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as wrong:
            log.error("spooled file unreadable, put aside", file=path.name, why=str(wrong))
            put_aside(folder, path.stem)
        except OSError as wrong:
            log.warning("spooled file not read, tried again", file=path.name, why=str(wrong))
    return found


def forget(folder: Path, name: str) -> None:
    """Remove the file, once what it says is saved elsewhere."""
    (folder / f"{name}.json").unlink(missing_ok=True)


def put_aside(folder: Path, name: str) -> None:
    """Leave it for a person to see: nobody reads it again."""
    path = folder / f"{name}.json"
    path.replace(path.with_suffix(UNREADABLE))
