"""A new process takes the exchange over from one that serves, without a call refused (`up --take-over`).

The new one does everything that can go wrong, reading settings and configuration, while the old one serves, and only
then asks it to let go. The old one tells the dialplan to keep new callers ringing for a moment (the announcement expires
by itself), stops acting, gives log and lock back, ends no call, and exits 0; the new one adopts what it finds, as after a
crash. Where anything is refused before the old one has let go, it serves on. Must not know calls.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import structlog

from autocom.foundations import CannotServe
from autocom.journal import log_file
from autocom.news import heard
from autocom.settings import Settings
from autocom.state import NotRunning, read_card

log = structlog.get_logger()

ANNOUNCED: Final = 8.0
"""Seconds for which callers whom nobody claims ring on, rather than go to the fallback. Half a second is enough on an idle
machine; a new process that dies in this time costs them the rest of it."""
LOCK_WITHIN: Final = 10.0
GONE_WITHIN: Final = 5.0
ASK_WITHIN: Final = 10.0


@dataclass(frozen=True, slots=True)
class Predecessor:
    """The process that has let go. `watch`: a descriptor that is readable once it has ended (pidfd)."""

    pid: int
    watch: int

    async def gone(self) -> None:
        """Return when it has ended: only then its ports are free. One that hangs in its last moments has nothing left
        that anybody needs."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self.watch, ended.set)
        try:
            await heard(ended, GONE_WITHIN)
            if ended.is_set():
                return
            log.warning("the former process does not end, killing it", pid=self.pid)
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.watch, signal.SIGKILL)
            await heard(ended, GONE_WITHIN)
            if not ended.is_set():
                log.error("the former process does not end, going on without its end", pid=self.pid)
        finally:
            loop.remove_reader(self.watch)
            os.close(self.watch)


async def relieve(settings: Settings) -> Predecessor | None:
    """Ask the exchange of this state folder to let go; None where none runs. Everything has been prepared before.
    Raises CannotServe where it refuses: it serves on."""
    try:
        card = read_card(settings.state)
        watch = os.pidfd_open(card.pid)
    except (NotRunning, ProcessLookupError):
        log.info("nobody to take over from")
        return None
    said = await _ask(f"{card.http}/v1/hand-over?successor={os.getpid()}", card.token, card.pid)
    if said is None:
        # a former card, its pid given to another: the lock tells who runs
        os.close(watch)
        log.warning("the process of the card does not answer", pid=card.pid)
        return None
    if "error" in said:
        os.close(watch)
        raise CannotServe(f"process {card.pid} does not hand over: {said['error']}")
    log.info("taking over", pid=card.pid)
    return Predecessor(card.pid, watch)


async def _ask(url: str, token: str, pid: int) -> dict[str, Any] | None:
    timeout = aiohttp.ClientTimeout(total=ASK_WITHIN)
    headers = {"Authorization": f"Bearer {token}"}
    try:
        async with aiohttp.ClientSession(timeout=timeout, headers=headers) as http, http.post(url) as reply:
            if reply.status == 404:
                return {"error": "it is of a version that cannot hand over: stop it, and start the new one"}
            answer = await reply.json()
            return answer if isinstance(answer, dict) else {"error": f"it answers {reply.status}"}
    except (aiohttp.ClientConnectorError, aiohttp.ContentTypeError, ValueError):
        return None
    except (aiohttp.ClientError, TimeoutError):
        # it may read the question when it wakes up: by then nobody must be waiting to be let in
        return {"error": f"it does not answer, it is stopped or stuck: kill -9 {pid}, then start again"}


def check_log(settings: Settings) -> None:
    """Raises CannotServe where the local log could not be carried on by this version."""
    path = settings.state / "journal.sqlite"
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            log_file.check_version(db, path)
    except (sqlite3.Error, ValueError) as error:
        raise CannotServe(f"the log cannot be carried on: {error}") from None
