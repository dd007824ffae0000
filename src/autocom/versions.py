"""The versions of the configuration that were in force, kept as files beside the journal.

    state/versions/history.jsonl       one line each time a version came into force: version, author, at
    state/versions/VERSION/            its files as they were written (mode 0600: secrets stand in them)

So a rollback needs neither PostgreSQL nor a running exchange. Files that did not change are hard links
to those of the version before. Must not know what the files mean. Invariants: a version's folder appears
whole or not at all; only `bureau.yaml` and `clients/*.yaml` are kept and put back, sounds never.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MOST_KEPT = 200
"""Versions whose files are kept; of older ones the history stays."""


class NoSuchVersion(LookupError):  # noqa: N818 - says what is the case
    """No kept version has this name, or several begin with it."""


@dataclass(frozen=True, slots=True)
class Applied:
    """A version came into force, or (`kept`) its files were set aside before others took their place.
    `at`: UTC epoch seconds."""

    version: str
    author: str
    at: float
    kept: bool = False


class Versions:
    """The folder `state/versions`."""

    def __init__(self, state: Path) -> None:
        self.folder = state / "versions"

    def note(
        self, version: str, author: str, at: float, files: Mapping[str, str], *, kept: bool = False
    ) -> None:
        """Keep the files (by their path in the configuration folder) and write the line. OSError where the disk
        does not take them."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._keep(version, files)
        if not kept and self.current() == version:
            return  # the same one again, after a restart
        line = json.dumps({"version": version, "author": author, "at": at, "kept": kept}, ensure_ascii=False)
        with os.fdopen(os.open(self._history, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as file:
            file.write(line + "\n")
        self._forget_the_oldest()

    @property
    def _history(self) -> Path:
        return self.folder / "history.jsonl"

    def history(self) -> list[Applied]:
        """Every line, the newest first; lines cut off by a crash are left out."""
        found: list[Applied] = []
        with suppress(OSError):
            for line in self._history.read_text(encoding="utf-8").splitlines():
                with suppress(ValueError, KeyError, TypeError):
                    row = json.loads(line)
                    found.append(
                        Applied(str(row["version"]), str(row["author"]), float(row["at"]), bool(row["kept"]))
                    )
        return found[::-1]

    def kept(self, version: str) -> bool:
        """Whether its files are there."""
        return (self.folder / version).is_dir()

    def find(self, name: str) -> str:
        """The version that has this name or begins with it. Raises NoSuchVersion."""
        known = sorted({one.version for one in self.history() if self.kept(one.version)})
        matching = [name] if name in known else [version for version in known if version.startswith(name)]
        if len(matching) == 1 and name:
            return matching[0]
        what = "several versions begin with" if matching and name else "no kept version is called"
        raise NoSuchVersion(f"{what} {name!r}: see `autocom versions`")

    def current(self) -> str | None:
        """What came into force last."""
        return next((one.version for one in self.history() if not one.kept), None)

    def former(self) -> str | None:
        """What was in force before the current one, as far as it is kept."""
        now = self.current()
        applied = (one.version for one in self.history() if not one.kept)
        return next((version for version in applied if version != now and self.kept(version)), None)

    def path(self, version: str) -> Path:
        """Its folder, to be read like any configuration folder (its sounds are not in it)."""
        return self.folder / version

    # --- files

    def _keep(self, version: str, files: Mapping[str, str]) -> None:
        target = self.path(version)
        if target.is_dir():
            os.utime(target)
            return
        before = max(self._folders(), key=lambda path: path.stat().st_mtime_ns, default=None)
        fresh = Path(tempfile.mkdtemp(dir=self.folder, prefix=".new-"))
        try:
            for name, text in files.items():
                _write_or_link(
                    fresh / name,
                    text.encode("utf-8", errors="surrogateescape"),
                    before / name if before else None,
                )
            (fresh / "clients").mkdir(exist_ok=True, mode=0o700)
            fresh.rename(target)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def _folders(self) -> Iterator[Path]:
        return (path for path in self.folder.iterdir() if path.is_dir() and not path.name.startswith("."))

    def _forget_the_oldest(self) -> None:
        by_age = sorted(self._folders(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        current = self.current()
        for path in by_age[MOST_KEPT:]:
            if path.name != current:
                shutil.rmtree(path, ignore_errors=True)


def _write_or_link(path: Path, content: bytes, before: Path | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with suppress(OSError):
        if before is not None and before.read_bytes() == content:
            os.link(before, path)
            return
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)


# --- the configuration folder ----------------------------------------------------------------


def files_of(folder: Path) -> dict[str, str]:
    """What a configuration is read from: `bureau.yaml` and `clients/*.yaml`, by their path in the folder.
    What cannot be read is left out."""
    found: dict[str, str] = {}
    clients = sorted(path for path in (folder / "clients").glob("*.yaml") if not path.name.startswith("."))
    for path in (folder / "bureau.yaml", *clients):
        with suppress(OSError):
            found[path.relative_to(folder).as_posix()] = path.read_text(
                encoding="utf-8", errors="surrogateescape"
            )
    return found


def relative(files: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The files of a `Loaded`, by their path in the folder."""
    return {Path(os.path.relpath(name, folder)).as_posix(): text for name, text in files.items()}


def put_back(folder: Path, files: Mapping[str, str]) -> None:
    """Make the folder hold exactly these files of a configuration; others (sounds, notes) stay. Each file
    changes at once; client files that are not among them are removed. OSError where that fails."""
    for name, text in files.items():
        path = folder / name
        content = text.encode("utf-8", errors="surrogateescape")
        with suppress(OSError):
            if path.read_bytes() == content:
                continue
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o640
        # the loader passes over names that begin with a dot
        handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".new")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(fresh).chmod(mode)
        Path(fresh).replace(path)
    for name in files_of(folder).keys() - files.keys():
        (folder / name).unlink(missing_ok=True)


def name_of(files: Mapping[str, str]) -> str:
    """A name for files that were never in force."""
    digest = hashlib.sha256()
    for name, text in sorted(files.items()):
        content = text.encode("utf-8", errors="surrogateescape")
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return f"aside-{digest.hexdigest()[:12]}"
