"""A TCP connection, to Asterisk as a rule, that a test can cut, strand, starve or flood, whatever is spoken over it.

    async with Wire(port_of_asterisk).open() as wire:       # `wire.port` is what the exchange is told
        wire.target = another         # where new ones lead
        wire.cut()                    # every connection reset, as by a router that forgot them
        wire.passes = False           # new ones are reset too
        wire.strand()                 # those that are open: no byte more and no end, for ever (half-open)
        wire.deaf = True              # new ones: taken, and never answered
        wire.bytes_a_second = 500     # towards the exchange
        wire.inject(b"Event: …")      # as if Asterisk had said it

What HTTP and web sockets can suffer beyond that is `lossy.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(eq=False)
class _Link:
    """One connection: both its ends, and whether bytes pass."""

    ends: tuple[asyncio.StreamWriter, ...]
    flows: asyncio.Event = field(default_factory=asyncio.Event)

    def end(self) -> None:
        self.flows.set()
        for writer in self.ends:
            writer.transport.abort()


class Wire:
    """See the module. `connections` counts those that were made."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.passes = True
        self.deaf = False
        self.bytes_a_second: int | None = None
        self.connections = 0
        self._links: set[_Link] = set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Wire]:
        """Listen until the end of the block."""
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.cut()

    @property
    def open_links(self) -> int:
        """Connections that nobody has ended."""
        return len(self._links)

    def cut(self) -> None:
        """Reset every connection."""
        for link in list(self._links):
            link.end()

    def strand(self) -> None:
        """What is open stays open, and nothing passes over it any more."""
        for link in self._links:
            link.flows.clear()

    def inject(self, said: bytes) -> None:
        """Say it to the exchange, on every connection."""
        for link in self._links:
            if link.flows.is_set():
                link.ends[0].write(said)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.passes:
            writer.transport.abort()
            return
        self.connections += 1
        if self.deaf:
            link = _Link((writer,))
            self._links.add(link)
            await link.flows.wait()
            self._links.discard(link)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        link = _Link((writer, far_writer))
        link.flows.set()
        self._links.add(link)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pass_on(link, reader, far_writer, slow=False))
                tasks.create_task(self._pass_on(link, far_reader, writer, slow=True))
        finally:
            self._links.discard(link)
            link.end()

    async def _pass_on(
        self, link: _Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, slow: bool
    ) -> None:
        try:
            while piece := await reader.read(64 if slow and self.bytes_a_second else 65536):
                await link.flows.wait()
                if slow and self.bytes_a_second:
                    await asyncio.sleep(len(piece) / self.bytes_a_second)
                writer.write(piece)
                await writer.drain()
            await link.flows.wait()
            writer.write_eof()
        except OSError:
            link.end()
