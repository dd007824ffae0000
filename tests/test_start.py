"""What callers wait for while the exchange starts: as little as possible is loaded before the first ring."""

from __future__ import annotations

import asyncio
import fcntl
import subprocess
import sys
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from autocom import app
from autocom.core.journal import Entry
from autocom.foundations import CannotServe, Told
from autocom.handover import check_log
from autocom.journal.log import LocalLog
from autocom.settings import Settings
from autocom.shared_journal import SharedJournal
from autocom.started import Started, age
from autocom.state import StateBusy, lock, say_stopping

LATER = (
    "alembic", "aiosmtplib", "cryptography", "miniaudio", "numpy", "prometheus_client", "psycopg", "ruamel.yaml",
    "sqlalchemy", "watchfiles", "aiohttp.web", "autocom.surroundings", "autocom.config.loader", "autocom.web",
)  # fmt: skip
"""What no ring needs: each of them takes longer to load than a kept configuration to read, Asterisk to adopt and a
phone to ring together."""


def test_nothing_that_a_ring_does_not_need_is_loaded_before_it() -> None:
    asked = f"import sys, autocom.cli, autocom.app; print(*sorted(set({LATER!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def entry(detail: str) -> Entry:
    return Entry(1.0, "service", None, {"event": "started", "detail": detail})


async def test_who_listens_while_we_start_hears_what_happened_before(tmp_path: Path) -> None:
    local = LocalLog(tmp_path / "log.sqlite")
    journal = SharedJournal(local)
    journal.save([entry("first")])
    async with aclosing(journal.follow()) as early:  # type: ignore[type-var]
        journal.save([entry("second")])
        heard = [await anext(early), await anext(early)]
        journal.begun()
        async with aclosing(journal.follow()) as late:  # type: ignore[type-var]
            waiting = asyncio.ensure_future(anext(late))
            await asyncio.sleep(0)
            journal.save([entry("third")])
            heard += [await anext(early), await waiting]
    local.close()
    assert [each.fields["detail"] for each in heard] == ["first", "second", "third", "third"]


def test_the_parts_of_a_start_are_seconds_since_the_process_began() -> None:
    began = age()
    marks = Started()
    marks.reached("log")
    assert began <= marks.seconds["imported"] + 0.02
    assert marks.seconds["imported"] <= marks.seconds["log"] <= age() + 0.02


@pytest.mark.parametrize("met", [True, False])
async def test_calls_are_said_to_be_taken_over_only_where_asterisk_was_met(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, met: bool
) -> None:
    class Nothing:
        def __init__(self, *_: object) -> None: ...

        async def run(self, _: object) -> None: ...

    monkeypatch.setattr(app, "CALLS_FIRST", 0.01)
    monkeypatch.setattr("autocom.surroundings.Surroundings", Nothing)
    board = SimpleNamespace(met=asyncio.Event())
    if met:
        board.met.set()
    async with AsyncExitStack() as stack:
        settings, told = Settings(state=tmp_path), Told(lambda _: None)
        start = app._Start(settings, told, stack, AsyncExitStack(), private=True)
        with capture_logs() as said:
            await start._surround(SimpleNamespace(switchboard=board), None)  # type: ignore[arg-type]
    assert ("calls_taken_over" in [line["event"] for line in said]) is met


def test_who_wants_the_lock_is_told_whether_its_owner_serves_or_stops(tmp_path: Path) -> None:
    with lock(tmp_path) as held:
        with pytest.raises(
            StateBusy, match=r"another autocom \(process \d+\) runs on .*: stop it, or set AUTOCOM_STATE"
        ):
            lock(tmp_path)
        say_stopping(held)
        with pytest.raises(
            StateBusy, match=r"process \d+ on .* is stopping, and lets its calls end first: start again"
        ):
            lock(tmp_path)
    lock(tmp_path).close()


async def test_who_only_looks_whether_an_exchange_runs_keeps_none_from_starting(tmp_path: Path) -> None:
    lock(tmp_path).close()
    with (tmp_path / "lock").open() as looked_at:
        fcntl.flock(looked_at, fcntl.LOCK_SH)
        asyncio.get_running_loop().call_later(0.02, fcntl.flock, looked_at, fcntl.LOCK_UN)
        (await app._locked(tmp_path, 0.0)).close()


def test_a_log_of_another_version_is_no_reason_to_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings.model_construct(state=tmp_path)
    check_log(settings)  # nobody ever ran here
    LocalLog(tmp_path / "journal.sqlite").close()
    check_log(settings)
    monkeypatch.setattr("autocom.journal.log_file._SCHEMA_VERSION", 2)
    with pytest.raises(CannotServe, match="written by another version"):
        check_log(settings)
