"""The wall clock of a running exchange jumps (F33): who waits hears that it is closed, and no timer notices.

Only the exchange's own reading of the wall clock jumps (`time.time` of its process, by a module that Python imports
first), as libfaketime would do it; the machine's clock is nobody's to touch. The nights in which the hour changes are
in `tests/calls/test_wall_clock.py`: they are no jump of UTC.
"""

from __future__ import annotations

import json
import struct
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from tests.support import asked, oracle
from tests.support.bureau import CLOSED, MUSIC, VOICES, Bureau, client, play, queue
from tests.support.eventually import eventually
from tests.support.exchange import Exchange
from tests.support.phones import Phones

pytestmark = [pytest.mark.timeout(120), pytest.mark.fault("F33")]
PARIS = ZoneInfo("Europe/Paris")
ALWAYS, TODAY = "0199001001", "0199001002"
HOUR = 3600.0
JUMPING = """
import os, struct, time
_file, _read = os.open({file!r}, os.O_RDONLY), time.time
time.time = lambda: _read() + struct.unpack("d", os.pread(_file, 8, 0))[0]
"""


class Wall:
    """The wall clock as the exchange reads it."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "ahead"
        self.jump(0.0)
        (folder / "sitecustomize.py").write_text(JUMPING.format(file=str(self._file)))

    def jump(self, ahead: float) -> float:
        """It is so far ahead of the machine's from now on; the instant."""
        with self._file.open("r+b" if self._file.exists() else "wb") as out:
            out.write(struct.pack("d", ahead))
        return time.monotonic()


@pytest_asyncio.fixture
async def exchange(tmp_path: Path) -> AsyncIterator[tuple[Exchange, Wall]]:
    """One client is open always, one from two hours ago until in half an hour."""
    bureau = Bureau.at(tmp_path, secretaries=1)
    (tmp_path / "first").mkdir()
    wall = Wall(tmp_path / "first")
    now = datetime.now(PARIS).replace(tzinfo=None)
    opening = {
        "from": f"{now - timedelta(hours=2):%Y-%m-%d %H:%M}",
        "to": f"{now + timedelta(minutes=30):%Y-%m-%d %H:%M}",
    }
    rules = [
        {"name": "closed", "when": {"hours": "closed"}, "do": [play("closed-tone", mode="answered"), {"hangup": "normal"}]},
        {"name": "open", "do": [queue(ring_for="60s")]},
    ]  # fmt: skip
    bureau.add(client("today", f"+33{TODAY[1:]}", rules=rules, hours={}, openings=[opening]))
    bureau.write()
    bureau.settings["PYTHONPATH"] = str(tmp_path / "first")
    async with Exchange(bureau) as running:
        yield running, wall


def jumps(exchange: Exchange) -> list[dict[str, Any]]:
    return [json.loads(line) for line in exchange.output.splitlines() if "clock jumped" in line]


async def noticed(exchange: Exchange, jumped: int) -> None:
    await eventually(lambda: len(jumps(exchange)) >= jumped, f"{jumped} jumps are noticed")


async def test_a_jump_past_closing_is_heard_at_once_one_back_opens_again_and_no_conversation_notices(
    exchange: tuple[Exchange, Wall], measured
) -> None:
    running, wall = exchange
    bureau = running.bureau
    lea = bureau.secretaries[0]
    async with Phones() as phones:
        await phones.secretary(lea.id, lea.password, bureau.sip, say=lea.voice, answer_after=0.2)
        await asked.are(bureau, lea="free")
        talking = await phones.dial(bureau.uri(ALWAYS))
        await talking.hears(VOICES[0])
        began = time.monotonic()
        waiting = await phones.dial(bureau.uri(TODAY), "0639980102")
        await waiting.hears(MUSIC)

        jumped = wall.jump(HOUR)
        await waiting.hears(CLOSED)
        measured(
            "a caller hears that it is closed after the jump", time.monotonic() - jumped - 0.3, at_most=2.0
        )
        await waiting.closed()
        await talking.hears(VOICES[0], for_seconds=0.6)
        late = await phones.dial(bureau.uri(TODAY), "0639980103")
        await late.hears(CLOSED)
        await late.closed()

        wall.jump(-HOUR)
        await noticed(running, 2)
        open_again = await phones.dial(bureau.uri(TODAY), "0639980104")
        await open_again.hears(MUSIC)
        wall.jump(24 * HOUR)
        await open_again.hears(CLOSED)
        await open_again.closed()
        await talking.hears(VOICES[0], for_seconds=0.6)
        lasted = time.monotonic() - began
        await talking.hangup()
        await asked.are(bureau, lea="free")
        await running.finished_call(4, within=20)
    calls = {call["caller"][-2:]: call for call in await running.calls()}
    assert {which: call["outcome"] for which, call in calls.items()} == {
        "01": "served", "02": "closed", "03": "closed", "04": "closed",
    }  # fmt: skip
    # the least jump is an hour; the minute is for a machine that is slow to hear her voice, or his hang-up
    assert calls["01"]["talk_ms"] / 1000 == pytest.approx(lasted, abs=60)
    assert all(call["wait_ms"] >= 0 and call["ended_at"] >= call["arrived_at"] for call in calls.values())
    assert [event["seconds"] for event in jumps(running)] == [3600, -3600, 86400]
    await oracle.each_call_ended_once(running)
    await oracle.nothing_is_left(running)
