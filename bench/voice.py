"""Her voice, packet by packet: from which instant on does the caller hear her?

She sends A-law packets of one repeated byte, another one for each call, every 2 ms at first so that
the pace of RTP (20 ms) does not hide what is measured. The caller hears music until then; a packet of
nearly only her byte is her.
"""

from __future__ import annotations

import asyncio
import itertools
import struct

from bench.sip import Datagrams

EVERY = 0.002
PACKETS = 150
_BYTES = (0x2A, 0x35, 0xAA, 0xB5, 0x24, 0xA4)  # loud, and unlike each other after a decoder


class Voice:
    """The RTP sockets of one caller and one secretary at a time."""

    def __init__(self) -> None:
        self._caller = Datagrams(self._on_packet)
        self._hers = Datagrams()
        self.port, self.her_port = self._caller.port, self._hers.port
        self._bytes = itertools.cycle(_BYTES)
        self._byte = 0
        self._source = 0
        self._since = 0
        self._found: asyncio.Future[int] | None = None

    def close(self) -> None:
        self._caller.close()
        self._hers.close()

    def speak(self, to: tuple[str, int], since: int) -> None:
        """She was answered at `since` and speaks from now on."""
        self._byte = next(self._bytes)
        self._source += 1
        self._since = since
        self._found = asyncio.get_running_loop().create_future()
        self._send(to, self._source, 0)

    def _send(self, to: tuple[str, int], source: int, number: int) -> None:
        if source != self._source or self._found is None or self._found.done() or number > PACKETS:
            return
        marker = 0x80 if number == 0 else 0
        header = struct.pack("!BBHII", 0x80, marker | 8, number, number * 160, 0x5EC00000 + source)
        self._hers.send(header + bytes([self._byte]) * 160, to)
        asyncio.get_running_loop().call_later(EVERY, self._send, to, source, number + 1)

    def _on_packet(self, payload: bytes, at: int, _source: tuple[str, int]) -> None:
        if self._found is None or self._found.done() or at < self._since:
            return
        if len(payload) >= 172 and payload[12:].count(self._byte) > 140:
            self._found.set_result(at)

    async def heard(self) -> int:
        """The instant the caller got her first packet."""
        assert self._found is not None
        async with asyncio.timeout(5):
            return await self._found
