"""Which Asterisk to run: one that is named, the unpacked one in the cache, or the system's own.

An installation is only a program and two folders; nothing here starts it (`private.py` does).
Where there is none, `fetch` runs `tools/get-asterisk.sh`, which unpacks Debian's packages into
the cache without root. Invariant: what `find` returns runs and is at least `MINIMUM`.
"""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

# 22.10: StasisBroadcast and report_events; 22.10.1: two security fixes of ARI.
MINIMUM = (22, 10, 1)
_VERSION = re.compile(r"Asterisk (?:certified/)?(\d+)\.(\d+)(?:[.-]\D*(\d+))?")
_SHARES = ("/usr/share/asterisk", "/var/lib/asterisk")


class NoAsterisk(Exception):  # noqa: N818 - says what is missing
    """No usable Asterisk; the message says what was looked for and what to do."""


@dataclass(frozen=True, slots=True)
class Installation:
    """A program, its modules and its shared files."""

    program: Path
    modules: Path
    share: Path
    version: tuple[int, int, int]


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the private Asterisk is kept between runs: AUTOCOM_ASTERISK_HOME, AST, else the user's cache."""
    named = environ.get("AUTOCOM_ASTERISK_HOME") or environ.get("AST")
    if named:
        return Path(named)
    home = environ.get("XDG_CACHE_HOME") or str(Path(environ.get("HOME") or "~").expanduser() / ".cache")
    return Path(home) / "autocom" / "asterisk"


async def find(environ: Mapping[str, str] = os.environ) -> Installation | None:
    """The Asterisk to use, None where there is none yet. A named or cached one comes before the system's."""
    cached = cache_folder(environ)
    if (cached / "bin" / "asterisk").exists():
        return await _unpacked(cached)
    system = shutil.which("asterisk", path=environ.get("PATH")) or shutil.which("asterisk", path="/usr/sbin")
    return await _system(Path(system)) if system else None


async def fetch(
    script: Path, progress: Callable[[str], None], environ: Mapping[str, str] = os.environ
) -> None:
    """Run `tools/get-asterisk.sh` into the cache; each of its lines goes to `progress`. Raises NoAsterisk."""
    child = await asyncio.create_subprocess_exec(
        str(script),
        str(cache_folder(environ)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert child.stdout is not None
    last = "no output"
    async for line in child.stdout:
        last = line.decode(errors="replace").rstrip()
        progress(last)
    if await child.wait() != 0:
        raise NoAsterisk(f"could not get Asterisk: {last}")


async def require(
    script: Path, progress: Callable[[str], None], environ: Mapping[str, str] = os.environ
) -> Installation:
    """The Asterisk to use, fetched first where there is none. Raises NoAsterisk."""
    found = await find(environ)
    if found is None:
        await fetch(script, progress, environ)
        found = await find(environ)
    if found is None:
        raise NoAsterisk(f"no Asterisk in {cache_folder(environ)} after fetching it")
    return found


async def _unpacked(home: Path) -> Installation:
    try:
        text = (home / "env").read_text()
    except OSError as wrong:
        raise NoAsterisk(
            f"{home} is no complete Asterisk ({wrong.strerror}): delete it and start again"
        ) from None
    values = dict(word.split("=", 1) for word in shlex.split(text) if "=" in word)
    program = home / "bin" / "asterisk"
    version = await _version(program)
    if version is None or version < MINIMUM:
        raise NoAsterisk(f"{program} is {_spelt(version)}, needed is {_spelt(MINIMUM)}: delete {home}")
    # `env` was written when the folder was made; it may have been moved since
    return Installation(
        program,
        _first(
            [home / "root" / _inside(values.get("MODDIR", "")), Path(values.get("MODDIR", ""))], "modules"
        ),
        _first([home / "root" / "usr/share/asterisk", Path(values.get("DATADIR", ""))], "shared files"),
        version,
    )


def _inside(folder: str) -> str:
    return folder.split("/root/usr/", 1)[-1].join(("usr/", "")) if "/root/usr/" in folder else ""


async def _system(program: Path) -> Installation | None:
    version = await _version(program)
    if version is None or version < MINIMUM:
        return None
    return Installation(
        program,
        _first(_libraries(), "modules"),
        _first([Path(each) for each in _SHARES], "shared files"),
        version,
    )


def _libraries() -> list[Path]:
    multiarch = sorted(Path("/usr/lib").glob("*-linux-gnu*/asterisk/modules"))
    return [Path("/usr/lib/asterisk/modules"), Path("/usr/lib64/asterisk/modules"), *multiarch]


def _first(candidates: Iterable[Path], what: str) -> Path:
    tried = [each for each in candidates if str(each) not in ("", ".")]
    for each in tried:
        if each.is_dir():
            return each
    raise NoAsterisk(f"Asterisk's {what} not found; looked in {', '.join(map(str, tried))}")


async def _version(program: Path) -> tuple[int, int, int] | None:
    try:
        child = await asyncio.create_subprocess_exec(
            str(program), "-V", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
    except OSError:
        return None
    output, _ = await child.communicate()
    found = _VERSION.search(output.decode(errors="replace"))
    if not found:
        return None
    major, minor, patch = (int(part or 0) for part in found.groups())
    return (major, minor, patch)


def _spelt(version: tuple[int, int, int] | None) -> str:
    return "unusable" if version is None else ".".join(map(str, version))
