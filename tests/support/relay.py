"""The network between one phone and the exchange: a UDP relay that loses, delays nothing, dies, or changes its address.

    async with Relay(bureau.sip) as net:
        lea = await phones.secretary("lea", "lea-fiction", net.address)
        net.lose = 0.3            # of the sound, in both directions
        net.cut = True            # the cable is pulled: not a packet passes, nobody is told
        await net.move()          # another address towards the exchange, as a router that forgot it

SIP passes as it is, except that the ports of the sound in its SDP and the exchange's Contact are the relay's own; the
exchange sees the phone at the relay's address (`rport`, `rewrite_contact`). RTCP does not pass. Losses come from a generator with a seed.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from tests.support.ports import free_port
from tests.support.sip_phone import address_of

Address = tuple[str, int]
_CONTACT = re.compile(rb"^(Contact: <sip:asterisk@)[0-9.:]+", re.MULTILINE)
_PORT = re.compile(rb"^m=audio (\d+)", re.MULTILINE)


class _Side(asyncio.DatagramProtocol):
    """A socket; what comes goes to `received`, with its sender."""

    def __init__(self, received: Callable[[bytes, Address], None]) -> None:
        self.received = received
        self.transport: asyncio.DatagramTransport | None = None

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self.received(data, addr)

    def send(self, data: bytes, to: Address | None) -> None:
        if self.transport is not None and not self.transport.is_closing() and to is not None:
            self.transport.sendto(data, to)

    @property
    def port(self) -> int:
        assert self.transport is not None
        port: int = self.transport.get_extra_info("sockname")[1]
        return port


class _Sound:
    """The two ends of one call's sound: `near` is where the phone sends, `far` where the exchange does."""

    def __init__(self, relay: Relay) -> None:
        self.phone: Address | None = None
        self.exchange: Address | None = None
        self.near = _Side(lambda data, _: relay.sound(data, self.far, self.exchange))
        self.far = _Side(lambda data, _: relay.sound(data, self.near, self.phone))


class Relay:
    """See the module. `passed`, `lost`: packets of sound."""

    def __init__(self, server: str, *, seed: int = 1) -> None:
        self.server = address_of(server)
        self.cut = False
        self.lose = 0.0
        self.passed = self.lost = 0
        self._chance = random.Random(seed)
        self._near = _Side(self._from_phone)
        self._far = _Side(self._from_exchange)
        self._phone: Address | None = None
        self._sounds: dict[bytes, _Sound] = {}
        self._all: list[_Side] = []

    @property
    def address(self) -> str:
        """What the phone takes for the exchange."""
        return f"127.0.0.1:{self._near.port}"

    async def __aenter__(self) -> Self:
        await self._open(self._near)
        await self._open(self._far)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for side in self._all:
            if side.transport is not None:
                side.transport.close()
        await asyncio.sleep(0)  # a socket is closed in the loop's next turn

    async def move(self) -> None:
        """From now on the exchange sees another address, and what it sends to the old one is lost."""
        assert self._far.transport is not None
        self._far.transport.close()
        self._far = _Side(self._from_exchange)
        await self._open(self._far)

    async def _open(self, side: _Side) -> None:
        loop = asyncio.get_running_loop()
        side.transport, _ = await loop.create_datagram_endpoint(
            lambda: side, local_addr=("127.0.0.1", free_port())
        )
        self._all.append(side)

    def sound(self, data: bytes, side: _Side, to: Address | None) -> None:
        """One packet, on its way out by `side`."""
        if self.cut or self._chance.random() < self.lose:
            self.lost += 1
            return
        self.passed += 1
        side.send(data, to)

    # --- SIP: a call's sound must have its sockets before the SDP that names them goes on

    def _from_phone(self, data: bytes, source: Address) -> None:
        self._phone = source
        self._pass_on(data, to_exchange=True)

    def _from_exchange(self, data: bytes, _: Address) -> None:
        self._pass_on(data, to_exchange=False)

    def _pass_on(self, data: bytes, *, to_exchange: bool) -> None:
        if self.cut:
            return
        named = _PORT.search(data)
        if named is None:
            self._send(data, to_exchange=to_exchange)
            return
        call = re.search(rb"^(?:Call-ID|i): *(\S+)", data, re.MULTILINE | re.IGNORECASE)
        assert call is not None
        known = self._sounds.get(call[1])
        if known is not None:
            self._with_sound(data, int(named[1]), known, to_exchange=to_exchange)
            return
        made = self._sounds[call[1]] = _Sound(self)

        def opened(_: asyncio.Task[None]) -> None:
            self._with_sound(data, int(named[1]), made, to_exchange=to_exchange)

        opening = asyncio.ensure_future(self._open_both(made))
        opening.add_done_callback(opened)

    async def _open_both(self, sound: _Sound) -> None:
        await self._open(sound.near)
        await self._open(sound.far)

    def _with_sound(self, data: bytes, port: int, sound: _Sound, *, to_exchange: bool) -> None:
        if to_exchange:
            sound.phone, ours = ("127.0.0.1", port), sound.far
        else:
            sound.exchange, ours = ("127.0.0.1", port), sound.near
        if port != 0:  # all ports have five digits: the length stays
            data = _PORT.sub(b"m=audio %d" % ours.port, data, count=1)
        self._send(data, to_exchange=to_exchange)

    def _send(self, data: bytes, *, to_exchange: bool) -> None:
        if to_exchange:
            self._far.send(data, self.server)
        else:
            # else her phone's own requests in the call would go to the exchange itself
            here = b"127.0.0.1:%d" % self._near.port
            self._near.send(_CONTACT.sub(lambda found: found[1] + here, data), self._phone)
