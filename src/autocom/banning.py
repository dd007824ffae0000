"""Shuts addresses out after wrong passwords, keeps them shut out over restarts, and lets them in again.

Hears logins over AMI, asks `core/bans.py`, saves, and only then has Asterisk refuse them; many at once are one reload.
Each ban is a fault `banned` of the journal and one line of the log in a fixed form, which `docker/fail2ban/` reads:
where Asterisk is not ours to configure, or a packet filter is to do it, that line is all that is needed. Must not know
how Asterisk is told. Invariant: an operator's network is never among those that are handed over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import structlog

from autocom import faults
from autocom.asterisk.private import AsteriskFailed
from autocom.core.bans import Login, Watch, source_of, stored_ban
from autocom.news import heard
from autocom.timeline import iso

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autocom.asterisk.ami import Ami
    from autocom.calls.ports import Clock
    from autocom.core.journal import Json
    from autocom.exchange import RunningExchange
    from autocom.foundations import Ground
    from autocom.shared_journal import SharedJournal

log = structlog.get_logger()

PREFIX, TOLD, KNOWN = "ban/", "ban-told/", "ban-known/"
"""Keys of the local log: a ban by its source, one whose end has not been told, an address from which a phone proved
itself."""

GATHER, AGAIN = 1.0, 5.0
"""Seconds: bans that come so close are one reload of Asterisk; a reload that failed is tried again after so many."""

KNOWN_AGAIN = 86400.0
"""Seconds after which it is written down again that a phone proved itself: not with each of its registrations."""


class Banning:
    """One per exchange. `deny` hands over everybody who is to be refused, and whether the same are to be read once more;
    `trunks` are the operators' networks."""

    def __init__(
        self,
        journal: SharedJournal,
        clock: Clock,
        deny: Callable[[Sequence[str], bool], Awaitable[None]],
        trunks: Callable[[], Sequence[str]],
    ) -> None:
        self._journal, self._clock, self._deny, self._trunks = journal, clock, deny, trunks
        self._news = asyncio.Event()
        self._in_force: list[str] | None = None  # None: it is not known what Asterisk has read
        self._unread = False  # whether it has not read what it was to read last
        self.watch = Watch()
        bans = [ban for row in journal.rows(PREFIX).values() if (ban := stored_ban(row)) is not None]
        self.watch.bans.update((ban.source, ban) for ban in sorted(bans, key=lambda ban: ban.since))
        proofs = [(key, seen) for key, seen in journal.rows(KNOWN).items() if isinstance(seen, int | float)]
        for key, seen in sorted(proofs, key=lambda proof: proof[1]):
            self.watch.known[key.removeprefix(KNOWN)] = seen
        now, told = clock.now(), journal.rows(TOLD)
        # whose ban was said to have begun, and not to be over
        self._told = {
            source: ban for source, ban in self.watch.bans.items() if now < ban.until or TOLD + source in told
        }

    def hear(self, login: Login) -> None:
        """Somebody answered a challenge, rightly or not."""
        now = self._clock.now()
        if login.right:
            self._proved(login.address, now)
            return
        # no name: whatever stands there was written by a stranger
        log.warning("sip_login_failed", address=login.address)
        ban = self.watch.failed(login.address, now, self._trunks())
        if ban is None:
            return
        self._journal.save(floor={PREFIX + ban.source: ban.row(), TOLD + ban.source: ban.until})
        self._told[ban.source] = ban
        log.warning("address_banned", address=ban.source, until=iso(ban.until), times=ban.times)
        detail = f"too many wrong passwords; until {iso(ban.until)}, for the {ban.times}. time"
        faults.note(self._journal, self._clock, "banned", ban.source, detail)
        self._news.set()

    def rows(self) -> list[Json]:
        """Who is shut out, the newest last."""
        return [
            {"address": ban.source, "since": iso(ban.since), "until": iso(ban.until), "times": ban.times}
            for ban in self.watch.in_force(self._clock.now(), self._trunks())
        ]

    def clear(self, address: str, author: str) -> Mapping[str, Json]:
        """Let an address in again. LookupError: it is not shut out; ValueError: it is no address."""
        network, _, width = address.partition("/")
        source = source_of(network)
        if source is None or width not in {"", "64"}:
            raise ValueError(f"{address!r} is no address")
        if not self.watch.is_banned(source, self._clock.now()):
            raise LookupError(f"{source} is not banned")
        self.watch.clear(source)
        self._journal.save(floor={PREFIX + source: None})
        self._say_over(source, f"let in by {author}")
        self._news.set()
        return {"address": source, "cleared": True}

    async def run(self) -> None:
        """Until cancelled: have Asterisk refuse who is shut out, and nobody else."""
        while True:
            now = self._clock.now()
            self._over(now)
            self._news.clear()
            wait = AGAIN
            if await self._enforced(now):
                end = self.watch.next_end(now)
                # a while at most: a reload may have made a network an operator's
                wait = min(60.0, max(0.0, end - now)) if end is not None else 60.0
            await heard(self._news, wait)
            if self._news.is_set():
                await asyncio.sleep(GATHER)

    async def _enforced(self, now: float) -> bool:
        sources = [ban.source for ban in self.watch.in_force(now, self._trunks())]
        if sources == self._in_force:
            return True
        anew = self._in_force is None and (bool(sources) or self._unread)
        self._in_force = None
        try:
            await self._deny(sources, anew)
        except (AsteriskFailed, OSError) as error:
            log.warning("bans are not in force yet", why=str(error), retry_s=AGAIN)
            self._unread = True
            return False
        self._in_force, self._unread = sources, False
        return True

    def _over(self, now: float) -> None:
        """Whose time is over is told, and long afterwards forgotten."""
        for source in [source for source, ban in self._told.items() if now >= ban.until]:
            self._say_over(source, "its time is over")
        known = set(self.watch.known)
        gone: dict[str, Json] = {}
        for source in self.watch.forget(now):
            gone[PREFIX + source] = None
            if source in self._told:
                self._say_over(source, "newer ones took its place")
        gone |= dict.fromkeys(KNOWN + source for source in known - set(self.watch.known))
        if gone:
            self._journal.save(floor=gone)

    def _say_over(self, source: str, why: str) -> None:
        self._told.pop(source, None)
        faults.note(self._journal, self._clock, "banned", source, why, over=True)
        self._journal.save(floor={TOLD + source: None})

    def _proved(self, source: str, now: float) -> None:
        before = self.watch.known.get(source)
        if before is not None and now - before < KNOWN_AGAIN:
            return
        kept = set(self.watch.known)
        self.watch.proved(source, now)
        gone: dict[str, Json] = dict.fromkeys(KNOWN + each for each in kept - set(self.watch.known))
        self._journal.save(floor={**gone, KNOWN + source: now})


def banning(exchange: RunningExchange, asterisk: Ground, ami: Ami) -> Banning:
    """Of a running exchange, with its ear at AMI."""
    board = exchange.switchboard

    def trunks() -> list[str]:
        trunks = board.configuration.trunks.values() if board.configuration else ()
        return [network for trunk in trunks for network in trunk.match]

    async def deny(sources: Sequence[str], anew: bool) -> None:  # noqa: FBT001 - as it is called
        await asterisk.deny(sources, ami, anew=anew)

    bans = Banning(exchange.journal, board.ports.clock, deny, trunks)
    ami.on_login = bans.hear
    return bans
