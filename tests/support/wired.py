"""An exchange whose ways to its Asterisk lead through wires that a test can spoil.

    async with wired(bureau) as house:
        house.ari.cut()          # the connections to ARI (`wire.py`)
        house.line.trouble = …   # its requests and events (`lossy.py`)
        house.ami.strand()       # the connection to AMI

The Asterisk and the PostgreSQL are the private ones of a first start, which is killed: what runs on is a second process
that only uses them. So `oracle` asks Asterisk itself, past every wire.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from autocom.state import read_card
from tests.support import PATIENCE
from tests.support.bureau import Bureau
from tests.support.exchange import Exchange
from tests.support.lossy import Lossy
from tests.support.wire import Wire


@dataclass(frozen=True, slots=True)
class House:
    """See the module."""

    exchange: Exchange
    ari: Wire
    line: Lossy
    ami: Wire

    def said(self, event: str) -> int:
        """How often the exchange has said this in its log."""
        return self.exchange.output.count(f'"event": "{event}"')

    async def says(self, event: str, times: int, within: float = PATIENCE) -> None:
        """Wait until it has said this so often."""
        try:
            async with asyncio.timeout(within):
                while self.said(event) < times:
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(
                f"{event}: {self.said(event)} times within {within} s, not {times}"
            ) from None


@asynccontextmanager
async def wired(bureau: Bureau) -> AsyncIterator[House]:
    """A running one, until the end of the block; what it started is stopped, and nothing of it is left."""
    exchange = Exchange(bureau)
    async with exchange:
        await exchange.kill9()
        folder = bureau.state / "asterisk"
        ports = json.loads((folder / "ports.json").read_text())
        keys = json.loads((folder / "secrets.json").read_text())
        async with (
            Lossy(ports["http"]) as line,
            Wire(line.port).open() as ari,
            Wire(ports["ami"]).open() as ami,
        ):
            bureau.settings |= {
                "AUTOCOM_DATABASE_URL": read_card(bureau.state).database or "",
                "AUTOCOM_ARI_URL": f"http://127.0.0.1:{ari.port}",
                "AUTOCOM_ARI_USER": keys["ari_user"],
                "AUTOCOM_ARI_PASSWORD": keys["ari_password"],
                "AUTOCOM_AMI_PORT": str(ami.port),
                "AUTOCOM_AMI_USER": keys["ami_user"],
                "AUTOCOM_AMI_PASSWORD": keys["ami_password"],
            }
            await exchange.start()
            assert ari.connections > 0
            assert ami.connections > 0
            yield House(exchange, ari, line, ami)
            assert await exchange.stop() == 0
        # started on its own Asterisk again, which it takes over and stops
        bureau.settings.clear()
        await exchange.start()
