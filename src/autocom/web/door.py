"""A listening socket whose strangers are bounded: in number, and in the time they may take to say what they want.

aiohttp waits for ever for the first line of a request, and for each further header; here a connection that brought no
whole request within `FIRST_WITHIN` seconds is cut, and so is one that idles between two (`keepalive_timeout`). More
than `MOST` connections at a time are closed as they come: health probes and commands are a handful. Bodies have limits
of their own, where they are read. Must not know what is answered.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Final, cast

from aiohttp import web

FIRST_WITHIN: Final = 10.0
IDLE: Final = 30.0
HANDSHAKE: Final = 10.0
MOST: Final = 500
"""Connections at a time, pages' web sockets included."""


class Door(web.BaseSite):
    """One address and port of a runner. `bounded` must be the first middleware of its application."""

    def __init__(
        self,
        runner: web.AppRunner,
        host: str,
        port: int,
        seen: Seen,
        tls: ssl.SSLContext | None = None,
        *,
        most: int = MOST,
        first_within: float = FIRST_WITHIN,
    ) -> None:
        super().__init__(runner, ssl_context=tls)
        self._host, self._port, self._seen = host, port, seen
        self._most, self._first_within = most, first_within

    @property
    def name(self) -> str:
        """As runners call it."""
        scheme = "https" if self._ssl_context else "http"
        return f"{scheme}://{self._host}:{self._port}"

    async def start(self) -> None:
        """Listen. OSError."""
        await super().start()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._connected,
            self._host,
            self._port,
            ssl=self._ssl_context,
            ssl_handshake_timeout=HANDSHAKE if self._ssl_context else None,
            backlog=self._backlog,
        )

    def _connected(self) -> asyncio.BaseProtocol:
        server = self._runner.server
        assert server is not None, "the runner is set up before its sites"
        if len(server.connections) >= self._most:
            return _Closed()
        protocol = cast("asyncio.BaseProtocol", server())
        self._seen.silent.add(protocol)
        asyncio.get_running_loop().call_later(self._first_within, self._seen.cut_if_silent, protocol)
        return protocol


class Seen:
    """Which young connections have not brought a whole request yet."""

    def __init__(self) -> None:
        self.silent: set[object] = set()

    @web.middleware
    async def note(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """A middleware: this connection has."""
        self.silent.discard(request.protocol)
        return await handler(request)

    def cut_if_silent(self, protocol: asyncio.BaseProtocol) -> None:
        """End a connection that has not."""
        if protocol in self.silent:
            self.silent.discard(protocol)
            transport = getattr(protocol, "transport", None)
            if transport is not None:
                transport.abort()


class _Closed(asyncio.Protocol):
    """One too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say nothing, be gone."""
        cast("asyncio.Transport", transport).abort()
