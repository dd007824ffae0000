"""Rollback: the files of a kept version take the place of those in the configuration folder.

Used by the running exchange (which reloads afterwards) and by the command where none runs. What the
folder held is kept first, so nothing an admin wrote is lost. Law: a version that `check` would refuse
today (a sound is gone, a word means something else now) changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from autocom.config import Loaded, PaperShelf, load, stock_folder
from autocom.versions import NoSuchVersion, Versions, files_of, name_of, put_back


@dataclass(frozen=True, slots=True)
class RolledBack:
    """`version`: whose files the folder holds now; `aside`: the name under which the ones before were kept,
    None where they are a kept version already; `before`: those files."""

    version: str
    aside: str | None
    before: Mapping[str, str]


def load_beside(files: Path, folder: Path, now: float) -> Loaded:
    """The YAML of one folder with the sounds of another, on paper. Raises ConfigurationRefused."""
    year = datetime.fromtimestamp(now, UTC).year
    return load(files, PaperShelf(folder / "sounds", stock_folder()), year)


def roll_back(versions: Versions, folder: Path, wanted: str | None, author: str, now: float) -> RolledBack:
    """Put a version's files back (None: the former one's). Raises NoSuchVersion, ConfigurationRefused, OSError."""
    target = versions.former() if wanted is None else versions.find(wanted)
    if target is None:
        raise NoSuchVersion("there is no former version to go back to")
    load_beside(versions.path(target), folder, now)
    before, after = files_of(folder), files_of(versions.path(target))
    aside = _set_aside(versions, before, author, now)
    put_back(folder, after)
    return RolledBack(target, aside, before)


def undo(folder: Path, done: RolledBack) -> None:
    """Make the folder as it was before the rollback."""
    put_back(folder, done.before)


def _set_aside(versions: Versions, files: Mapping[str, str], author: str, now: float) -> str | None:
    current = versions.current()
    if current is not None and files_of(versions.path(current)) == files:
        return None
    name = name_of(files)
    versions.note(name, author, now, files, kept=True)
    return name
