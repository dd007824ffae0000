"""`autocom up` as its users run it: a process of its own, on its own folders and ports.

    async with Exchange(bureau) as exchange:      # waits for the line that starts with `ready`
        …
        call = await exchange.finished_call()
        assert call["outcome"] == "served"

`stop` is SIGTERM and the wait for everything that it started; `kill9` leaves Asterisk and PostgreSQL
running, as a crash does, and `start` takes them over. Whatever still carries the state folder in its
command line or environment after `stop` is a leak and fails the test; `sweep` ends such processes one by
one, by pid, never by name. Nothing here blocks the test's loop: the phones must breathe.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from tests.support import PATIENCE, asked
from tests.support.bureau import Bureau

READY = 60.0
COMMAND = Path(sys.executable).with_name("autocom")


class Exchange:
    """One `autocom up`. `ready_after` is the seconds that the last start took, `output` what it printed."""

    converted: ClassVar[Path | None] = None
    """Where the first exchange of a test run leaves its converted sounds (their names are hashes of what is in them),
    so that the next ones find them, as after a restart. None: each converts its own."""

    def __init__(self, bureau: Bureau, *arguments: str, command: Path = COMMAND) -> None:
        self.bureau = bureau
        self.command = command
        self.arguments = arguments
        self.ready_after = 0.0
        self._log = bureau.state / "up.log"
        self._running: subprocess.Popen[bytes] | None = None

    # --- its life

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await asyncio.to_thread(self.sweep)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.stop()
        finally:
            leaked = await asyncio.to_thread(self.sweep)
            if kind is not None:
                # pytest shows it with the failure
                print(f"--- end of {self._log.name} ---\n{self.output[-6000:]}")
        self.bureau.tidy()
        assert not leaked or kind is not None, f"left running: {leaked}"

    async def upgrade(self, within: float = READY) -> int:
        """A new process takes over (`up --take-over`) and is ready; the exit code of the former one. AssertionError
        where it does not: then the former one is the one that runs still."""
        former = self._running
        assert former is not None, "not started"
        try:
            await asyncio.to_thread(self._start, within, ("--take-over",))
        except AssertionError:
            self._running = former
            raise
        return await asyncio.to_thread(former.wait, 10)

    async def start(self, within: float = READY) -> None:
        """Start it and wait until it takes calls. AssertionError with its output where it does not."""
        sounds = self.bureau.state / "audio"
        if self.converted and self.converted.exists() and not sounds.exists():
            shutil.copytree(self.converted, sounds)
        await asyncio.to_thread(self._start, within)
        if self.converted and not self.converted.exists() and sounds.exists():
            shutil.copytree(sounds, self.converted)

    def _start(self, within: float, more: tuple[str, ...] = ()) -> None:
        began = time.monotonic()
        offset = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            self._running = subprocess.Popen(
                [self.command, "up", *self.arguments, *more],
                env=self.bureau.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C at pytest is not one at the exchange
            )
        while not self._is_ready(offset):
            died = self._running.poll() is not None
            if died or time.monotonic() - began > within:
                what = (
                    f"ended with {self._running.returncode}" if died else f"not ready within {within:.0f} s"
                )
                raise AssertionError(f"autocom up: {what}\n{self.output[-6000:]}")
            time.sleep(0.02)
        self.ready_after = time.monotonic() - began

    def _is_ready(self, offset: int) -> bool:
        with self._log.open("rb") as log:
            log.seek(offset)
            return any(line.startswith(b"ready") for line in log.read().splitlines())

    @property
    def output(self) -> str:
        """Everything that every start printed."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    @property
    def pid(self) -> int:
        assert self._running is not None, "not started"
        return self._running.pid

    def send(self, number: signal.Signals) -> None:
        """A signal to the exchange itself, as SIGSTOP."""
        os.kill(self.pid, number)

    async def stop(self, within: float = 30.0) -> int | None:
        """SIGTERM, and wait. Returns its exit code; None where it is not running."""
        if self._running is None or self._running.poll() is not None:
            return None
        self._running.send_signal(signal.SIGCONT)  # a frozen one could not hear
        self._running.send_signal(signal.SIGTERM)
        return await self._ended(within)

    async def kill9(self) -> None:
        """As a crash: Asterisk, PostgreSQL and the calls stay."""
        assert self._running is not None
        self._running.kill()
        await self._ended(5)

    async def ended(self, within: float) -> int:
        """Wait until it ends by itself; its exit code."""
        return await self._ended(within)

    async def _ended(self, within: float) -> int:
        assert self._running is not None
        try:
            return await asyncio.to_thread(self._running.wait, within)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"autocom up does not end within {within:.0f} s\n{self.output[-6000:]}"
            ) from None

    def left_running(self) -> dict[int, str]:
        """Every process that belongs to this exchange, by pid."""
        mark = str(self.bureau.state).encode()
        found: dict[int, str] = {}
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit() or int(folder.name) == os.getpid():
                continue
            try:
                command = (folder / "cmdline").read_bytes()
                is_zombie = b"\nState:\tZ" in (folder / "status").read_bytes()
                if not is_zombie and (mark in command or mark in (folder / "environ").read_bytes()):
                    found[int(folder.name)] = command.replace(b"\0", b" ").decode(errors="replace").strip()
            except OSError:  # gone meanwhile, or another user's
                continue
        return found

    def sweep(self) -> dict[int, str]:
        """End what is left, and say what that was. Processes in the middle of ending get two seconds."""
        deadline = time.monotonic() + 2
        while (left := self.left_running()) and time.monotonic() < deadline:
            time.sleep(0.05)
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + 5
        while self.left_running() and time.monotonic() < deadline:
            time.sleep(0.01)
        return left

    # --- its commands

    async def run(self, *arguments: str, within: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Any command against this instance, whatever its exit code."""
        return await asyncio.to_thread(
            subprocess.run,
            [self.command, *arguments],
            env=self.bureau.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )

    async def cli(self, *arguments: str) -> str:
        """The output of a command that must succeed."""
        done = await self.run(*arguments)
        assert done.returncode == 0, (
            f"autocom {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}"
        )
        return done.stdout

    # --- what it says of itself

    async def calls(self, direction: str | None = None) -> list[dict[str, Any]]:
        """The calls of the journal, newest first."""
        return await asked.calls(self.bureau, direction=direction)

    async def call(self, call: str) -> dict[str, Any]:
        """One call of the journal with its `events` and `segments`."""
        return await asked.call(self.bureau, call)

    async def status(self) -> dict[str, Any]:
        """What `autocom status --json` prints."""
        return await asked.status(self.bureau)

    async def until_status(
        self, fits: Callable[[dict[str, Any]], bool], within: float = PATIENCE
    ) -> dict[str, Any]:
        """Ask for the status until it fits."""
        return await asked.until(self.bureau, fits, within)

    async def free(self, *secretaries: str, within: float = PATIENCE) -> None:
        """Wait until these secretaries (all, where none is named) can be offered calls."""
        names = secretaries or tuple(a.id for a in self.bureau.secretaries)
        await asked.are(self.bureau, within, **dict.fromkeys(names, "free"))

    async def finished_call(self, count: int = 1, within: float = PATIENCE) -> dict[str, Any]:
        """The newest call, once `count` calls of the journal have ended."""
        calls: list[dict[str, Any]] = []
        try:
            async with asyncio.timeout(within):
                while True:
                    calls = await self.calls()
                    if len([c for c in calls if c["ended_at"]]) >= count:
                        return calls[0]
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{count} finished calls not within {within} s: {calls}") from None
