"""Keeps the file by which the dialplan serves callers without us: at the start, after each reload, once a day.

`<state>/asterisk/standby.jsonl`, for Asterisk's owner alone; what stands in it is decided by `core.standby`, who reads
it is `dialplan/standby_route.py`. Written in a thread, whole or not at all: a crash in the middle leaves the former one,
which is believed for its fortnight. Invariant: a disk that refuses costs no call, is said once in the log, and
is tried again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from autocom.calls.ports import Clock
from autocom.core.model import Configuration
from autocom.core.numbers import NumberingPlan
from autocom.core.standby import DAY, foretell
from autocom.shelf import write_whole

log = structlog.get_logger()

NAME = "standby.jsonl"
LOOK_EVERY = 1.0
RETRY = 30.0


def write_file(folder: Path, configuration: Configuration, now: float, plan: NumberingPlan) -> float:
    """Write it for this configuration, from this instant (UTC epoch seconds) on; until when it may be believed. OSError.
    Blocks: some ten milliseconds a client."""
    foretold = foretell(configuration, now, plan)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(folder / NAME, ((line + "\n").encode() for line in foretold.lines))
    return foretold.until


async def keep_written(
    folder: Path, configuration: Callable[[], Configuration], plan: NumberingPlan, clock: Clock
) -> None:
    """Until cancelled. `folder`: Asterisk's, under the state folder."""
    written: Configuration | None = None
    due = 0.0
    failing = False
    while True:
        now, current = clock.now(), configuration()
        if current is not written or now >= due:
            began = time.monotonic()
            try:
                until = await asyncio.to_thread(write_file, folder, current, now, plan)
            except OSError as error:
                if not failing:
                    log.error("the fallback is not told of the clients", why=str(error))
                failing, due, written = True, now + RETRY, current
            else:
                failing, due, written = False, now + DAY, current
                took = round(time.monotonic() - began, 3)
                log.info(
                    "fallback told of the clients", clients=len(current.clients), until=until, seconds=took
                )
        await asyncio.sleep(LOOK_EVERY)
