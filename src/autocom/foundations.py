"""What an exchange stands on: an Asterisk, started here or running elsewhere.

`lay` brings it up and says where it is. What was started here is stopped by an exit stack; what runs elsewhere is only
spoken to. Must not know calls. PostgreSQL comes later, and beside the calls (`archive`).
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from autocom import assets
from autocom.asterisk.ami import Ami
from autocom.asterisk.conf import Tls
from autocom.asterisk.conf.bans import write_bans
from autocom.asterisk.elsewhere import ElsewhereAsterisk, reload
from autocom.asterisk.installation import find, require
from autocom.asterisk.private import AsteriskFailed, Doors, PrivateAsterisk
from autocom.calls.ports import Clock
from autocom.config import Loaded
from autocom.core.model import Configuration
from autocom.settings import Settings

if TYPE_CHECKING:
    from autocom.papers import Papers

SIP = "res_pjsip.so"


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


def certified(settings: Settings, clock: Clock) -> Papers | None:
    """The certificate of TLS; None where nothing speaks it. Raises CannotServe."""
    if settings.sip_tls_bind is None and settings.https_bind is None:
        return None
    # what makes and reads certificates takes a tenth of a second to load
    from autocom.papers import Papers  # noqa: PLC0415
    from autocom.phones.certificates import CertificateFault  # noqa: PLC0415

    try:
        return Papers(settings, clock)
    except (CertificateFault, OSError) as fault:
        raise CannotServe(f"AUTOCOM_TLS_CERT: {fault}") from None


async def lay(
    settings: Settings, loaded: Loaded, tls: Tls | None, told: Told, servers: AsyncExitStack, *, private: bool
) -> Ground:
    """Asterisk; one that was started here is stopped by `servers`, but not where it was found running and this fails.
    Raises CannotServe and what the parts raise."""
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
            python=_interpreter(),
            tls=tls,
            srtp=settings.srtp == "required",
        )
        await elsewhere.apply(loaded.configuration, None)
        return Ground(doors, None, elsewhere)
    if not private:
        raise CannotServe("AUTOCOM_ARI_URL is not set: `autocom serve` needs an Asterisk that runs elsewhere")
    server = await _server(settings, loaded, tls, told.say)
    servers.push_async_callback(server.stop)
    try:
        async with told.step("Asterisk"):
            doors = await server.start(loaded.configuration)
    except BaseException:
        if server.adopted:
            servers.pop_all()  # it has callers in it: the next start takes them over
        raise
    return Ground(doors, server)


def _interpreter() -> Path:
    """The Python by which Asterisk starts the dialplan's scripts. They need the standard library alone, and where
    Asterisk has a container of its own autocom's environment is not there: so the one that the environment is made
    of."""
    return Path(sys.executable).resolve()


async def check_adoptable(settings: Settings, loaded: Loaded, tls: Tls | None, *, private: bool) -> None:
    """Raises CannotServe where the private Asterisk that runs would have to be started anew: its calls would end."""
    if not private or settings.ari_url:
        return
    server = await _server(settings, loaded, tls, lambda _: None)
    if server.would_restart():
        raise CannotServe(
            "AUTOCOM_SIP_BIND, AUTOCOM_RTP_PORTS or the TLS settings have changed: these need a new Asterisk, "
            "and its calls would end; stop autocom, and start it again"
        )


async def _server(
    settings: Settings, loaded: Loaded, tls: Tls | None, say: Callable[[str], None]
) -> PrivateAsterisk:
    return PrivateAsterisk(
        await require(assets.get_asterisk(), say),
        settings.state,
        sip=(settings.sip_bind.host, settings.sip_bind.port),
        rtp=(settings.rtp_ports.first, settings.rtp_ports.last),
        agi=(settings.agi_bind.host, settings.agi_bind.port),
        dialplan=assets.dialplan(),
        prompts=loaded.media,
        python=_interpreter(),
        tls=tls,
        srtp=settings.srtp == "required",
    )
