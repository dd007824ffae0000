"""Copies the local log to PostgreSQL: in batches, in order, exactly once.

Each fact has an identity, so a batch that is sent again changes nothing (`store`). Must not know
what a call does. Invariants: nothing here raises into the service, and nothing waits for it
except `flush`; while PostgreSQL is away the facts stay in the log; a fact that PostgreSQL will
never take is set aside there, so that it does not stand in the way of the others.
"""

from __future__ import annotations

import asyncio
import sqlite3

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from autocom.journal.log import LocalLog
from autocom.journal.store import store
from autocom.journal.tables import events
from autocom.journal.written import Fact
from autocom.news import heard

_log = structlog.get_logger()

BATCH = 200  # measured while catching up: 500 keeps the loop, and with it every call, waiting 15 ms
LINGER_S = 0.5  # a batch costs the loop some 10 ms whatever it holds: per call that is most of our CPU
_RETRY_FIRST_S, _RETRY_MOST_S = 0.1, 2.0
PATIENCE_S = 15.0  # a frozen server answers nothing, not even its own statement_timeout
_AWAY = (SQLAlchemyError, OSError, TimeoutError, sqlite3.Error)
# said about a fact, not about the server: a check refused, an instant of no calendar, or one that is so odd that the
# projection of its call stumbles; it must not end the exchange, at every start again
_UNFIT = (DataError, IntegrityError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError)


class Shipper:
    """One per log and database. `run` it in a task group of the loop that saves; log and engine are
    the caller's. `node` names this machine in every row; a batch or a look at the database that takes
    longer than `patience` seconds counts as an outage."""

    def __init__(
        self,
        log: LocalLog,
        engine: AsyncEngine,
        *,
        node: str = "main",
        batch: int = BATCH,
        linger: float = LINGER_S,
        patience: float = PATIENCE_S,
    ) -> None:
        self._log = log
        self._engine = engine
        self._node = node
        self._batch = batch
        self._linger = linger
        self._patience = patience
        self._saved = asyncio.Event()
        self._full = asyncio.Event()  # no need to linger
        self._asked = asyncio.Event()  # no need to wait for the next try
        self._moved = asyncio.Event()
        self._connected = False
        self._outage = False
        log.on_saved(self._wake)

    @property
    def connected(self) -> bool:
        """Whether the last attempt reached PostgreSQL."""
        return self._connected and not self._outage

    def backlog(self) -> int:
        """How many facts are not in PostgreSQL yet."""
        return self._log.backlog()

    def lag(self) -> tuple[int, float | None]:
        """How many facts are not in PostgreSQL yet, and the instant of the oldest of them, where the disk tells it."""
        try:
            oldest = self._log.read(self._log.cursor, 1)
        except sqlite3.Error:
            oldest = []
        return self._log.backlog(), oldest[0][1].at if oldest else None

    async def run(self) -> None:
        """Ship until cancelled. Tries at once to reach the database, so that `connected` says something."""
        pause = _RETRY_FIRST_S
        while True:
            try:
                if not self._connected:
                    await self._resume()
                await self._batch_ready()
                await self._ship()
            except _AWAY as error:
                self._lost(error)
                # a server that was the first one and is read-only now still answers: look for its successor
                await self._engine.dispose()
                await heard(self._asked, pause)
                self._asked.clear()
                pause = min(pause * 2, _RETRY_MOST_S)
            else:
                pause = _RETRY_FIRST_S

    async def flush(self, within: float) -> bool:
        """Wait until everything saved so far is in PostgreSQL; False if it is not after `within` seconds."""
        target = self._log.last
        self._asked.set()  # one try at once, even in an outage
        try:
            async with asyncio.timeout(within):
                while self._log.cursor < target:
                    self._full.set()
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    def _wake(self) -> None:
        self._saved.set()
        if self._log.backlog() >= self._batch:
            self._full.set()

    async def _batch_ready(self) -> None:
        """Wait for a first fact, then a moment for its company."""
        while self._log.backlog() <= 0:
            self._saved.clear()
            await self._saved.wait()
        if self._log.backlog() < self._batch:
            await heard(self._full, self._linger)
        self._full.clear()
        self._asked.clear()

    async def _resume(self) -> None:
        """Take the cursor from the database: a crash came between its commit and our note of it, or
        it lost its last moments in a failover. A database that knows none of our runs says nothing."""
        async with asyncio.timeout(self._patience), self._engine.connect() as connection:
            for run, last in self._log.runs():
                there = await connection.scalar(
                    sa.select(sa.func.max(events.c.seq)).where(events.c.log == run)
                )
                if there is not None:
                    if min(there, last) != self._log.cursor:
                        self._log.shipped(min(there, last))
                    break
        self._connected = True
        if self._log.backlog() <= 0:
            self._back()

    async def _ship(self) -> None:
        facts = self._log.facts(self._log.cursor, self._batch)
        if not facts:  # thinned out meanwhile
            self._log.shipped(self._log.last)
            self._moved.set()
            return
        try:
            await self._store(facts)
        except _UNFIT:
            await self._one_by_one(facts)
        self._log.shipped(facts[-1].seq)
        self._moved.set()
        self._back()

    async def _store(self, facts: list[Fact]) -> None:
        async with asyncio.timeout(self._patience), self._engine.begin() as connection:
            try:
                await store(connection, self._node, facts)
            except asyncio.CancelledError:
                # psycopg 3 may leave its pipeline half open, and the pool would hand that connection out again
                await connection.invalidate()
                raise

    async def _one_by_one(self, facts: list[Fact]) -> None:
        for fact in facts:
            try:
                await self._store([fact])
            except _UNFIT as error:
                self._log.refuse(fact.seq, _sentence(error))
                _log.error("journal_fact_refused", seq=fact.seq, kind=fact.entry.kind, why=_sentence(error))

    def _back(self) -> None:
        # said once a batch is stored: a server that lets us in and refuses to write is still away
        if self._outage:
            self._outage = False
            _log.warning("journal_database_back", backlog=self._log.backlog())

    def _lost(self, error: BaseException) -> None:
        self._connected = False
        if not self._outage:
            self._outage = True
            _log.error("journal_database_away", why=_sentence(error), backlog=self._log.backlog())


def _sentence(error: BaseException) -> str:
    # the first line only: the others quote the row, and with it a caller's number
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return f"{type(cause).__name__}: {str(cause).strip().partition(chr(10))[0]}"
