"""What a running exchange tells of itself: alerts to people, figures to Prometheus, and why it is not ready.

Puts `alerting`, `metrics` and the exchange together, and asks PostgreSQL whether it is there, since a quiet night
brings no fact by which the shipper would notice. Must not decide what is wrong (`core.lookout`). `app` runs it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from autocom.alert_sight import AlertSight, is_on_the_line
from autocom.alerting import AlertRoom
from autocom.asterisk.telephone import AsteriskTelephone
from autocom.calls.outgoing import channels_used
from autocom.core.journal import Entry, Json
from autocom.core.model import Configuration
from autocom.exchange import RunningExchange
from autocom.journal.database import make_engine
from autocom.journal.log import LocalLog
from autocom.journal.shipper import Shipper
from autocom.metrics import Metrics, Now
from autocom.news import heard

log = structlog.get_logger()

ASK_EVERY: Final = 2.0
ASK_WITHIN: Final = 2.0
FIGURES_EVERY: Final = 5.0
MET_WITHIN: Final = 10.0
"""Seconds that the alerts wait for Asterisk at a start; one that has not been met by then is away, and that is told."""


class Telling:
    """`run` it beside the exchange; from the beginning its status, `/metrics` and `/v1/alerts` show what it knows."""

    def __init__(
        self,
        exchange: RunningExchange,
        telephone: AsteriskTelephone,
        shipper: Shipper,
        local: LocalLog,
        database: str,
        configuration: Callable[[], Configuration],
        behind: Callable[[], float],
    ) -> None:
        """`behind`: for how many seconds the oldest fact that is not in PostgreSQL has been in the local log."""
        clock = exchange.switchboard.ports.clock
        self._exchange, self._telephone, self._shipper = exchange, telephone, shipper
        self._local, self._clock, self._database, self._behind = local, clock, database, behind
        self._answered = float("inf")  # when PostgreSQL did last
        self._figures: tuple[float, Mapping[str, int], Mapping[str, int]] = (float("-inf"), {}, {})
        self.sight = AlertSight(exchange, shipper, clock, self._trunks, self._database_answers, behind)
        self.metrics = Metrics(clock, self.now)
        self.alerts = AlertRoom(
            exchange.journal,
            local,
            clock,
            configuration,
            self.sight.find,
            self._hear,
        )
        self.sight.remember(self.alerts.active())
        exchange.alerts, exchange.metrics = self.alerts.rows, self.metrics.text
        telephone.client.measured, telephone.client.aged = self.metrics.request, self.metrics.event

    async def run(self) -> None:
        """Until cancelled."""
        engine = make_engine(self._database, pool_size=1)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.metrics.run())
                tasks.create_task(self._ask(engine))
                await heard(self._exchange.switchboard.met, MET_WITHIN)
                tasks.create_task(self.alerts.run())
        finally:
            with suppress(SQLAlchemyError, OSError):
                await engine.dispose()

    async def _ask(self, engine: AsyncEngine) -> None:
        """Whether PostgreSQL is there: a connection and one word. Of a frozen one even the cancelled question hangs
        for a while (psycopg 3.3), so its silence counts, not its error."""
        self._answered = self._clock.now()
        while True:
            try:
                async with asyncio.timeout(ASK_WITHIN), engine.connect() as connection:
                    await connection.execute(sa.text("SELECT 1"))
                self._answered = self._clock.now()
            except (SQLAlchemyError, OSError, TimeoutError):
                log.debug("PostgreSQL does not answer")
            await self._clock.until(self._clock.now() + ASK_EVERY)

    def _database_answers(self) -> bool:
        return self._clock.now() - self._answered <= ASK_EVERY + ASK_WITHIN

    def _hear(self, entry: Entry) -> None:
        self.metrics.hear(entry)
        self.sight.hear(entry)

    def _trunks(self) -> Mapping[str, str]:
        return self._telephone.ami.trunks if self._telephone.ami is not None else {}

    # --- a scrape ---

    def now(self) -> Now:
        """What the exchange holds."""
        board, exchange, now = self._exchange.switchboard, self._exchange, self._clock.now()
        configuration, floor = board.configuration, board.dispatcher.floor
        waiters = list(floor.waiters.values())
        mails, texts = self._outboxes(now)
        stories = [line.story for line in board.lines.values()]
        self.metrics.clients = len(configuration.clients) if configuration else 0
        return Now(
            connected=board.connected,
            ami=self._telephone.ami is not None and self._telephone.ami.up,
            database=self._shipper.connected and self._database_answers(),
            ready=exchange.ready(),
            calls=len(stories),
            waiting=dict.fromkeys(configuration.teams if configuration else (), 0)
            | dict(Counter(waiter.team for waiter in waiters)),
            oldest_wait=max(
                (now - each.joined for each in waiters if is_on_the_line(board.lines.get(each.call))),
                default=0.0,
            ),
            secretaries=dict(Counter(post.state for post in floor.posts.values())),
            trunks={
                trunk.id: (channels_used(trunk.id, stories), trunk.max_calls or 0)
                for trunk in (configuration.trunks.values() if configuration else ())
            },
            backlog=self._shipper.backlog(),
            backlog_age=self._behind(),
            log_bytes=_size(self._local),
            held=self._local.held,
            unread=self._telephone.feed.unread_age(),
            canary=self._telephone.feed.canary_age(),
            mails=dict(mails),
            texts=dict(texts),
            alerts=self.alerts.counts(),
            configuration=configuration.version if configuration else "",
            refused=exchange.refused is not None,
        )

    def _outboxes(self, now: float) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """Rows are read for these: not at every scrape."""
        asked, mails, texts = self._figures
        if now - asked >= FIGURES_EVERY:
            mails, texts = _counts(self._exchange.mail()), _counts(self._exchange.texts())
            self._figures = (now, mails, texts)
        return mails, texts


def _counts(figures: Json) -> dict[str, int]:
    if not isinstance(figures, dict):
        return {}
    return {state: n for state, n in figures.items() if state in ("waiting", "failed") and isinstance(n, int)}


def _size(local: LocalLog) -> int:
    total = 0
    for suffix in ("", "-wal"):
        with suppress(OSError):
            total += local.path.with_name(local.path.name + suffix).stat().st_size
    return total
