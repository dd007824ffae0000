"""An operator whose numbers can be heard before they answer, and end with any status.

    async with Announcer(operator) as far:
        far.says, far.ends = 1060, (2.0, 404)       # a tone in early media, two seconds later 404
        …
        invite = await far.invited()

One INVITE at a time is given early media (183 with SDP, A-law towards what the INVITE offered); `ends` is the
final status and when, None: never. Everything stays on loopback.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import struct
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import numpy as np

from autocom.config.alaw import encode
from tests.support.sip_phone import SipPhone, address_of
from tests.support.sip_text import SipMessage

PACKET = 160
"""Samples of 20 ms."""


class Announcer(SipPhone):
    """See the module. `at`: where it listens (`host:port`). `says`: hertz of its announcement, None: none (then a
    180); `ends`: seconds and status."""

    def __init__(self, at: str) -> None:
        super().__init__(at, "operator", "", registers=False)
        self.at = at
        self.says: int | None = None
        self.ends: tuple[float, int] | None = None
        self._speaking: list[asyncio.Task[None]] = []
        self._media: asyncio.DatagramTransport | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: _Ear(self._on_datagram), local_addr=address_of(self.at)
        )
        self.port = address_of(self.at)[1]
        self._media, _ = await loop.create_datagram_endpoint(
            lambda: _Ear(lambda _data, _source: None), local_addr=(self.address, 0)
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._speaking:
            task.cancel()
        if self._media is not None:
            self._media.close()
        await super().__aexit__(kind, error, trace)

    def silent_sdp(self) -> str:
        """With the port that speaks."""
        assert self._media is not None
        port = self._media.get_extra_info("sockname")[1]
        return super().silent_sdp().replace("m=audio 9 ", f"m=audio {port} ")

    def _on_invite(self, message: SipMessage, source: tuple[str, int]) -> None:
        if message.call_id in self._open:
            return
        tag = f"f{secrets.token_hex(4)}"
        self._open[message.call_id] = (message, tag, source)
        self._reply(message, 100, source)
        if self.says is None:
            self._reply(message, 180, source, tag)
        else:
            self._reply(message, 183, source, tag, self.silent_sdp())
            self._speaking.append(asyncio.ensure_future(self._speak(message.text, self.says)))
        if self.ends is not None:
            after, status = self.ends
            loop = asyncio.get_running_loop()
            self._timers.append(loop.call_later(after, self._finish, message.call_id, status))

    async def _speak(self, invite: str, hertz: int) -> None:
        host = re.search(r"^c=IN IP4 (\S+)", invite, re.MULTILINE)
        port = re.search(r"^m=audio (\d+)", invite, re.MULTILINE)
        assert host is not None
        assert port is not None
        assert self._media is not None
        source, began, loop = secrets.randbits(31), 0, asyncio.get_running_loop()
        start = loop.time()
        while True:
            samples = 8000 * np.sin(2 * np.pi * hertz * (began + np.arange(PACKET)) / 8000)
            header = struct.pack("!BBHII", 0x80, 8, (began // PACKET) & 0xFFFF, began, source)
            self._media.sendto(
                header + bytes(encode(int(sample)) for sample in samples), (host[1].strip(), int(port[1]))
            )
            began += PACKET
            await asyncio.sleep(max(0.0, start + began / 8000 - loop.time()))


class _Ear(asyncio.DatagramProtocol):
    def __init__(self, received: Callable[[bytes, tuple[str, int]], None]) -> None:
        self._received = received

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self._received(data, addr)
