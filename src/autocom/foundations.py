"""What an exchange stands on: PostgreSQL and Asterisk, started here or running elsewhere.

`lay` brings both up side by side and says where they are. What was started here is stopped by the exit
stack; what runs elsewhere is only spoken to. Must not know calls.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from autocom import assets
from autocom.asterisk.ami import Ami
from autocom.asterisk.conf.bans import write_bans
from autocom.asterisk.elsewhere import ElsewhereAsterisk, reload
from autocom.asterisk.installation import find, require
from autocom.asterisk.private import AsteriskFailed, Doors, PrivateAsterisk
from autocom.calls.ports import Clock
from autocom.config import Loaded
from autocom.core.model import Configuration
from autocom.journal.postgres import PostgresUnavailable, PrivatePostgres
from autocom.papers import Papers
from autocom.phones.certificates import CertificateFault
from autocom.settings import Settings

log = structlog.get_logger()

SIP = "res_pjsip.so"
POSTGRES_PATIENCE = 8.0
"""Seconds that the start waits for a PostgreSQL that has run before; `keepers` goes on starting it."""


class CannotServe(Exception):  # noqa: N818 - said to a person at a terminal
    """Something the exchange needs is missing or wrong; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Told:
    """Where progress goes: one line a step for the person who started us."""

    say: Callable[[str], None]

    @asynccontextmanager
    async def step(self, what: str) -> AsyncIterator[None]:
        """A long step: its name when it begins, its seconds when it is done."""
        began = time.monotonic()
        self.say(f"{what} …")
        yield
        self.say(f"{what}: done in {time.monotonic() - began:.1f} s")


@dataclass(frozen=True, slots=True)
class Ground:
    """The Asterisk that is used. `server` is our own one; None where it runs elsewhere."""

    doors: Doors
    server: PrivateAsterisk | None
    elsewhere: ElsewhereAsterisk | None = None

    @property
    def ours(self) -> bool:
        """Whether it is stopped with us."""
        return self.server is not None

    async def apply(self, configuration: Configuration, ami: Ami) -> None:
        """Have it follow a new configuration. Raises AsteriskFailed, Unwritable or OSError."""
        if self.server is not None:
            await self.server.apply(configuration)
        elif self.elsewhere is not None:
            await self.elsewhere.apply(configuration, ami)

    async def deny(self, sources: Sequence[str], ami: Ami | None, *, anew: bool) -> None:
        """Have it refuse whatever comes from these addresses, and nobody else; calls that go on stay. `anew`: also
        where the file says so already, since it is not known whether it was read. Raises AsteriskFailed, OSError."""
        etc = self.server.paths.etc if self.server is not None else None
        if self.elsewhere is not None:
            etc = self.elsewhere.etc
        if etc is None or not etc.is_dir():
            return  # its files are not ours: `docker/fail2ban` reads our log
        if await asyncio.to_thread(write_bans, etc, sources) or anew:
            await self.read_certificate(ami)

    async def read_certificate(self, ami: Ami | None) -> None:
        """Have it read pjsip.conf again, or a certificate that was replaced; calls and connections stay. Raises
        AsteriskFailed."""
        if self.server is not None:
            await self.server.reload(SIP)
        elif ami is not None and ami.up:
            await reload(ami, SIP)
        else:
            raise AsteriskFailed("AMI is down")


def certified(settings: Settings, clock: Clock) -> Papers:
    """The certificate of TLS, where something speaks it. Raises CannotServe."""
    try:
        return Papers(settings, clock)
    except (CertificateFault, OSError) as fault:
        raise CannotServe(f"AUTOCOM_TLS_CERT: {fault}") from None


async def lay(
    settings: Settings, loaded: Loaded, papers: Papers, told: Told, stack: AsyncExitStack, *, private: bool
) -> tuple[Ground, str]:
    """Asterisk, and the URL of PostgreSQL. Raises CannotServe and what the parts raise."""
    async with asyncio.TaskGroup() as tasks:
        database = tasks.create_task(_database(settings, told, stack, private=private))
        asterisk = tasks.create_task(_asterisk(settings, loaded, papers, told, stack, private=private))
    return asterisk.result(), database.result()


async def _database(settings: Settings, told: Told, stack: AsyncExitStack, *, private: bool) -> str:
    if settings.database_url:
        return settings.database_url
    if not private:
        raise CannotServe(
            "AUTOCOM_DATABASE_URL is not set: `autocom serve` needs a PostgreSQL that runs elsewhere"
        )
    server = PrivatePostgres(settings.state)
    # before it starts: Asterisk may fail meanwhile, and a thread that starts a server cannot be cancelled
    stack.push_async_callback(asyncio.to_thread, server.stop)
    known = server.remembered()
    async with told.step("PostgreSQL"):
        try:
            # the first time there is no journal to do without; later calls need not wait for a long recovery
            async with asyncio.timeout(POSTGRES_PATIENCE if known else None):
                return await asyncio.to_thread(server.start)
        except (PostgresUnavailable, TimeoutError) as error:
            if known is None:
                raise
            log.error("PostgreSQL does not start, calls go on without it", why=str(error) or "not ready yet")
            return known


async def _asterisk(
    settings: Settings, loaded: Loaded, papers: Papers, told: Told, stack: AsyncExitStack, *, private: bool
) -> Ground:
    sip = (settings.sip_bind.host, settings.sip_bind.port)
    rtp = (settings.rtp_ports.first, settings.rtp_ports.last)
    agi = (settings.agi_bind.host, settings.agi_bind.port)
    if settings.ari_url:
        doors = Doors(
            settings.ari_url,
            settings.ari_user or "",
            settings.ari_password or "",
            settings.ami_host or "127.0.0.1",
            settings.ami_port,
            settings.ami_user or settings.ari_user or "",
            settings.ami_password or settings.ari_password or "",
        )
        elsewhere = ElsewhereAsterisk(
            await find(),
            settings.state,
            doors,
            net=(sip, rtp, agi),
            dialplan=assets.dialplan(),
            prompts=loaded.media,
            python=Path(sys.executable),
            tls=papers.sip,
            srtp=settings.srtp == "required",
        )
        await elsewhere.apply(loaded.configuration, None)
        return Ground(doors, None, elsewhere)
    if not private:
        raise CannotServe("AUTOCOM_ARI_URL is not set: `autocom serve` needs an Asterisk that runs elsewhere")
    installation = await require(assets.get_asterisk(), told.say)
    server = PrivateAsterisk(
        installation,
        settings.state,
        sip=sip,
        rtp=rtp,
        agi=agi,
        dialplan=assets.dialplan(),
        prompts=loaded.media,
        python=Path(sys.executable),
        tls=papers.sip,
        srtp=settings.srtp == "required",
    )
    stack.push_async_callback(server.stop)
    async with told.step("Asterisk"):
        doors = await server.start(loaded.configuration)
    return Ground(doors, server)
