"""Keeps the file by which the dialplan serves callers without us: at the start, after each reload and override, once a day.

`<state>/asterisk/standby.jsonl`, for Asterisk's owner alone; what stands in it is decided by `core.standby`, who reads
it is `dialplan/standby_route.py`. Only what is another now is made anew, in slices of the loop's time so short that no
call notices; written in a thread, whole or not at all: a crash in the middle leaves the former file, which is believed
for its fortnight. Invariant: a disk that refuses costs no call, is said once in the log, and is tried again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog

from autocom.core.model import Client, Configuration
from autocom.core.numbers import NumberingPlan
from autocom.core.overrides import Override
from autocom.core.standby import DAY, Pieces, Told, head, line
from autocom.core.standby_steps import Around
from autocom.shelf import write_whole

log = structlog.get_logger()

NAME = "standby.jsonl"
LOOK_EVERY = 1.0
RETRY = 30.0
SLICE, REST = 0.001, 0.004
"""Seconds of the loop that are taken at once, and left to the calls before the next: not a thread, which would keep the
interpreter's lock from them for 5 ms whenever they want it."""


def write_file(folder: Path, lines: Iterable[str]) -> None:
    """Replace it. Blocks. OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(folder / NAME, ((each + "\n").encode() for each in lines))


class Foretelling:
    """The lines, and what each was made of."""

    def __init__(self, plan: NumberingPlan) -> None:
        self._plan = plan
        self._around: Around | None = None
        self._told: dict[str, Told] = {}
        self._began = 0.0

    async def lines(
        self, configuration: Configuration, overrides: Iterable[Override], wall: float
    ) -> list[str]:
        """Every line of the file, from `wall` (UTC epoch seconds) on."""
        self._began = time.perf_counter()
        around, told = Around.of(configuration, self._plan), self._told
        if around != self._around:
            told = {}
        said: dict[str, tuple[Override, ...]] = {}
        for each in overrides:
            said[each.client] = (*said.get(each.client, ()), each)
        fresh = {
            name: await self._of(client, told.get(name), around, said.get(name, ()), wall)
            for name, client in configuration.clients.items()
        }
        first = await self._made(head(around, wall))
        self._around, self._told = around, fresh
        return [first, *(each.line for each in fresh.values())]

    async def _of(
        self, client: Client, told: Told | None, around: Around, said: tuple[Override, ...], wall: float
    ) -> Told:
        await self._rest()
        if told is not None and 0 <= wall - told.at < DAY and (told.client, told.overrides) == (client, said):
            return told
        return Told(client, said, wall, await self._made(line(client, around, wall, said)))

    async def _made(self, pieces: Pieces) -> str:
        while True:
            try:
                next(pieces)
            except StopIteration as made:
                return str(made.value)
            await self._rest()

    async def _rest(self) -> None:
        if time.perf_counter() - self._began >= SLICE:
            await asyncio.sleep(REST)
            self._began = time.perf_counter()


async def keep_written(
    folder: Path,
    configuration: Callable[[], Configuration],
    overrides: Callable[[], tuple[Override, ...]],
    plan: NumberingPlan,
    wall: Callable[[], float],
) -> None:
    """Until cancelled. `folder`: Asterisk's, under the state folder; `wall`: by it the dialplan reads the file."""
    foretelling = Foretelling(plan)
    written: tuple[Configuration, tuple[Override, ...]] | None = None
    due = 0.0
    failing = False
    while True:
        now, current = wall(), (configuration(), overrides())
        # the same files read anew are told at once: every line is known
        other = written is None or current[0] is not written[0] or current[1] != written[1]
        if other or not due - DAY <= now < due:
            began = time.monotonic()
            lines = await foretelling.lines(*current, now)
            try:
                await asyncio.to_thread(write_file, folder, lines)
            except OSError as error:
                if not failing:
                    log.error("the fallback is not told of the clients", why=str(error))
                failing, due, written = True, now + RETRY, current
            else:
                failing, due, written = False, now + DAY, current
                took = round(time.monotonic() - began, 3)
                log.info("fallback told of the clients", clients=len(lines) - 1, seconds=took)
        await asyncio.sleep(LOOK_EVERY)
