"""An Asterisk that runs elsewhere on this machine, or in a container that shares our state folder.

We do not start it, but its configuration is ours all the same: written under the state folder, to
be read with `asterisk -C <state>/asterisk/etc/asterisk.conf`, and reloaded over AMI. Where no
Asterisk is installed beside us (it keeps its configuration itself), nothing is written, and says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import structlog

from autocom.asterisk.ami import Ami, AmiRefused
from autocom.asterisk.conf import Net, Paths, Secrets, Tls, write
from autocom.asterisk.installation import Installation
from autocom.asterisk.private import AsteriskFailed, Doors
from autocom.asterisk.remembered import Remembered
from autocom.calls.ports import TelephoneDown
from autocom.core.model import Configuration

log = structlog.get_logger()

HTTP_PORT = 8088
LOOK_EVERY = 2.0


class ElsewhereAsterisk:
    """The configuration of an Asterisk whose doors are given. `installation` None: its files are not ours."""

    def __init__(  # noqa: PLR0913 - each is a setting of its own, by keyword
        self,
        installation: Installation | None,
        state_dir: Path,
        doors: Doors,
        *,
        net: tuple[tuple[str, int], tuple[int, int], tuple[str, int]],
        dialplan: Path,
        prompts: Mapping[str, str],
        python: Path,
        tls: Tls | None = None,
        srtp: bool = False,
    ) -> None:
        """`net`: addresses of SIP, RTP ports, address of FastAGI; `tls` and `srtp`: `conf.Net`."""
        sip, rtp, agi = net
        self._paths: Paths | None = None
        state = state_dir.resolve() / "asterisk"
        if installation is not None:
            self._paths = Paths(
                state=state,
                modules=installation.modules,
                share=installation.share,
                dialplan=dialplan.resolve(),
                run=state / "run",
                prompts=dict(prompts),
                python=python,
            )
        url = urlsplit(doors.ari_url)
        at = (sip, rtp, url.port or HTTP_PORT, doors.ami_port, agi, url.hostname or "127.0.0.1")
        self._net = Net(*at, tls=tls, srtp=srtp)
        self._unread: dict[str, None] = {}  # modules that have not read their new files yet, in order
        self._secrets = Secrets(
            doors.ari_password,
            doors.ami_password,
            doors.ari_user,
            doors.ami_user,
            Remembered(state).rescue_password() if installation is not None else "",
        )

    @property
    def rescue_password(self) -> str:
        """Of the rescuer's users; empty where its configuration is not ours."""
        return self._secrets.rescue_password

    @property
    def etc(self) -> Path | None:
        """Its files; None where they are not ours."""
        return None if self._paths is None else self._paths.etc

    async def apply(self, configuration: Configuration, ami: Ami | None) -> None:
        """Write what changed; with `ami`, have Asterisk read it again. Raises AsteriskFailed, Unwritable, OSError."""
        if self._paths is None:
            log.warning("asterisk keeps its own configuration: none is installed beside us to write it for")
            return
        changed = write(configuration, self._paths, self._net, self._secrets)
        if changed:
            log.info(
                "asterisk's configuration written", folder=str(self._paths.etc), files=len(changed.names)
            )
        self._unread |= dict.fromkeys(changed.reloads)
        await self.catch_up(ami)

    async def keep_read(self, ami: Ami | None) -> None:
        """Until cancelled: it may have been out of reach, or have refused."""
        while True:
            try:
                await self.catch_up(ami)
            except AsteriskFailed as failed:
                log.error("Asterisk does not read its new configuration", why=str(failed))
            await asyncio.sleep(LOOK_EVERY)

    async def catch_up(self, ami: Ami | None) -> None:
        """Have it read what it has not read yet. Raises AsteriskFailed."""
        if ami is None or not ami.up:
            return
        for module in list(self._unread):
            await reload(ami, module)
            del self._unread[module]


async def reload(ami: Ami, module: str) -> None:
    """Have a module read its files again. Raises AsteriskFailed."""
    try:
        await ami.reload(module)
    except (AmiRefused, TelephoneDown) as error:
        raise AsteriskFailed(f"reload of {module}: {error}") from error
