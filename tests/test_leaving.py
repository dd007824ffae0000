"""Letting go of an exchange: for a process that lives, and only once that is promised."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from autocom import handover, leaving
from autocom.calls.ports import TelephoneDown
from autocom.core.orders import NotPossible
from autocom.foundations import CannotServe
from autocom.handover import Predecessor, check_log, relieve
from autocom.journal.log import LocalLog
from autocom.leaving import Leaving
from autocom.settings import Settings
from autocom.state import Card, write_card

Child = subprocess.Popen[bytes]


class Old:
    """A process that serves; `announced` is set when the dialplan has taken the announcement."""

    def __init__(self) -> None:
        self.ready, self.left = True, 0
        self.notes: list[str] = []
        self.asked, self.announced = asyncio.Event(), asyncio.Event()
        self.announced.set()
        self.error: Exception | None = None
        telephone: Any = SimpleNamespace(announce_hand_over=self._announce)
        self.leaving = Leaving(
            telephone, lambda: 0.0, lambda: self.ready, lambda event, _: self.notes.append(event), self._leave
        )

    async def _announce(self, until: float) -> None:
        self.asked.set()
        await self.announced.wait()
        if self.error is not None:
            raise self.error

    def _leave(self) -> None:
        self.left += 1


@pytest.fixture
def successor() -> Iterator[Child]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        yield child
        child.kill()


async def test_it_lets_go_once_and_after_its_answer(successor: Child) -> None:
    old = Old()
    await old.leaving.hand_over(successor.pid)
    assert (old.leaving.successor, old.left) == (successor.pid, 0)
    with pytest.raises(NotPossible, match=f"process {successor.pid} takes over already"):
        await old.leaving.hand_over(os.getpid())
    await asyncio.sleep(leaving.ANSWERED * 2)
    assert (old.left, old.notes) == (1, ["handed_over"])


@pytest.mark.parametrize("waited_for", [False, True])
async def test_it_lets_go_for_no_process_that_has_ended(successor: Child, waited_for: bool) -> None:
    old = Old()
    successor.kill()
    if waited_for:
        successor.wait()
    else:
        os.waitid(os.P_PID, successor.pid, os.WEXITED | os.WNOWAIT)
    with pytest.raises(NotPossible, match="has ended" if not waited_for else "is not there"):
        await old.leaving.hand_over(successor.pid)
    await asyncio.sleep(leaving.ANSWERED * 2)
    assert (old.leaving.successor, old.left, old.notes) == (None, 0, [])


async def test_it_serves_on_where_the_successor_ends_before_it_lets_go(successor: Child) -> None:
    old = Old()
    await old.leaving.hand_over(successor.pid)
    successor.kill()
    os.waitid(os.P_PID, successor.pid, os.WEXITED | os.WNOWAIT)
    await asyncio.sleep(leaving.ANSWERED * 2)
    assert (old.leaving.successor, old.left, old.notes) == (None, 0, [])
    await old.leaving.hand_over(os.getpid())
    await asyncio.sleep(leaving.ANSWERED * 2)
    assert old.left == 1


async def test_a_stop_while_the_hand_over_is_announced_is_a_stop(successor: Child) -> None:
    old = Old()
    old.announced.clear()
    asking = asyncio.ensure_future(old.leaving.hand_over(successor.pid))
    await old.asked.wait()
    assert old.leaving.successor is None, "nothing is promised: whoever stops it now has it drained"
    with pytest.raises(NotPossible, match="takes over already"):
        await old.leaving.hand_over(os.getpid())
    old.ready = False
    old.announced.set()
    with pytest.raises(NotPossible, match="it stops"):
        await asking
    assert old.leaving.successor is None


@pytest.mark.parametrize("error", [TelephoneDown("away"), None])
async def test_an_announcement_that_fails_or_that_nobody_waits_for_is_forgotten(
    successor: Child, error: Exception | None
) -> None:
    old = Old()
    old.error = error
    old.announced.clear()
    asking = asyncio.ensure_future(old.leaving.hand_over(successor.pid))
    await old.asked.wait()
    if error is None:
        asking.cancel()
    old.announced.set()
    with pytest.raises(asyncio.CancelledError if error is None else NotPossible):
        await asking
    old.error = None
    await old.leaving.hand_over(successor.pid)
    assert old.leaving.successor == successor.pid


async def test_a_new_version_that_is_not_ready_in_time_is_ended_and_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old, made = Old(), []
    monkeypatch.setattr(leaving, "PREPARED_WITHIN", 0.1)
    popen = subprocess.Popen

    def start(*_: object, **__: object) -> Child:
        made.append(popen([sys.executable, "-c", "import time; time.sleep(60)"]))
        return made[0]

    monkeypatch.setattr(subprocess, "Popen", start)
    with pytest.raises(NotPossible, match="was not ready within 0 s, the log says why; this one serves on"):
        await old.leaving.upgrade()
    assert made[0].returncode is not None


async def test_a_new_version_that_comes_too_late_is_told_who_takes_over(
    successor: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = Old()
    popen = subprocess.Popen

    def start(*_: object, **__: object) -> Child:
        return popen([sys.executable, "-c", "import time; time.sleep(60)"])

    monkeypatch.setattr(subprocess, "Popen", start)
    upgrading = asyncio.ensure_future(old.leaving.upgrade())
    await asyncio.sleep(0.05)
    await old.leaving.hand_over(successor.pid)
    with pytest.raises(NotPossible, match=f"^process {successor.pid} takes over already$"):
        await upgrading


# --- the side that asks


def folder(state: Path, http: str) -> Settings:
    write_card(state, Card(os.getpid(), http, "token", None))
    return Settings.model_construct(state=state)


@pytest.mark.parametrize("cuts", [False, True])
async def test_who_gets_no_answer_does_not_start_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cuts: bool
) -> None:
    monkeypatch.setattr(handover, "ASK_WITHIN", 0.3)

    served = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await (reader.readline() if cuts else reader.read())
        writer.close()
        await writer.wait_closed()
        served.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        with pytest.raises(CannotServe, match=rf"it is stopped or stuck: kill -9 {os.getpid()}, then start"):
            await relieve(folder(tmp_path, f"http://{host}:{port}"))
        await served.wait()


async def test_a_card_whose_door_is_shut_is_a_former_one(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        host, port = taken.getsockname()
        assert await relieve(folder(tmp_path, f"http://{host}:{port}")) is None


async def test_a_predecessor_that_does_not_end_is_killed_and_one_that_cannot_be_is_not_waited_for(
    successor: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "GONE_WITHIN", 0.05)
    await Predecessor(successor.pid, os.pidfd_open(successor.pid)).gone()
    successor.wait(5)
    read, write = os.pipe()
    monkeypatch.setattr("signal.pidfd_send_signal", lambda *_: None)
    async with asyncio.timeout(5):
        await Predecessor(1, read).gone()
    os.close(write)


def test_a_log_is_found_in_a_folder_of_any_name(tmp_path: Path) -> None:
    state = tmp_path / "100% here? #1"
    state.mkdir()
    LocalLog(state / "journal.sqlite").close()
    check_log(Settings.model_construct(state=state))
