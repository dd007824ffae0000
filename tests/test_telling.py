"""What a running exchange tells of itself, over a bench in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from autocom.calls.switchboard import Switchboard
from autocom.core.model import Callback
from autocom.core.stages import Promised, Waiting
from autocom.exchange import RunningExchange
from autocom.journal.database import make_engine
from autocom.journal.log import LocalLog
from autocom.journal.shipper import Shipper
from autocom.shared_journal import SharedJournal
from autocom.telling import MET_WITHIN, Telling
from tests.support.exchange_in_memory import Bench, configuration
from tests.support.fake_telephone import Habit
from tests.support.virtual import run

NOWHERE = "postgresql+psycopg://nobody@127.0.0.1:1/none"


class Alone(Telling):
    """Asks no database."""

    async def _ask(self, engine: AsyncEngine) -> None:
        await asyncio.Event().wait()


def story(folder: Path, plot: Callable[[Bench, Switchboard, Alone, LocalLog], Awaitable[None]]) -> None:
    async def play() -> None:
        bench, local = Bench(configuration()), LocalLog(folder / "journal.sqlite")
        bench.start()
        board = bench.switchboard
        assert board is not None
        await asyncio.sleep(0.01)
        nothing: Any = None
        exchange = RunningExchange(board, SharedJournal(local), nothing, nothing, nothing)
        shipper = Shipper(local, make_engine(NOWHERE))
        telephone: Any = SimpleNamespace(
            client=SimpleNamespace(),
            ami=None,
            feed=SimpleNamespace(unread_age=lambda: 0.0, canary_age=lambda: 0.0),
        )
        telling = Alone(
            exchange, telephone, shipper, local, NOWHERE, lambda: bench.configuration, lambda: 0.0
        )
        await plot(bench, board, telling, local)
        await bench.kill()
        local.close()

    run(play())


def test_an_asterisk_that_was_never_met_is_told_of(tmp_path: Path) -> None:
    async def plot(_: Bench, board: Switchboard, telling: Alone, local: LocalLog) -> None:
        board.connected = False  # as it is before the first word of Asterisk
        board.met.clear()
        running = asyncio.ensure_future(telling.run())
        await asyncio.sleep(MET_WITHIN + 5)
        told = [entry.fields["alert"] for _, entry in local.read(0, 100) if entry.kind == "alert"]
        assert "telephone_lost" in told
        running.cancel()
        await asyncio.wait([running])

    story(tmp_path, plot)


def test_who_was_promised_a_callback_is_not_the_one_who_waits_longest(tmp_path: Path) -> None:
    async def plot(bench: Bench, board: Switchboard, telling: Alone, _: LocalLog) -> None:
        await bench.at_work("lea")
        bench.telephone.habits["lea"] = Habit(None)
        bench.telephone.call_in("chan", "0199001001")
        await bench.pass_time(30)
        assert telling.now().oldest_wait == pytest.approx(30, abs=1)
        (line,) = board.lines.values()
        waiting = line.story.stage
        assert isinstance(waiting, Waiting)
        promised = Promised(waiting, Callback(), "+33639980101", (), bench.clock.now())
        line.story = replace(line.story, stage=promised)
        assert telling.now().oldest_wait == 0.0

    story(tmp_path, plot)
