"""A listening socket whose strangers are bounded: in number, and in the time they may take to say what they want.

aiohttp waits for ever for the first line of a request, and for each further header; here a connection that brought no
whole request within `FIRST_WITHIN` seconds is cut, and so is one that idles between two (`keepalive_timeout`). More
than `MOST` connections at a time, or over TLS more than `EACH` from one address, are closed as they come, before TLS
takes any memory for them: health probes and commands are a handful. Bodies have limits of their own, where they are
read. What a stranger sends and nobody understands is no error of ours: `strangers` keeps it out of the log. Must not
know what is answered.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from asyncio.sslproto import SSLProtocol
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from autocom.core.bans import source_of
from autocom.web.answers import is_here

FIRST_WITHIN: Final = 10.0
IDLE: Final = 30.0
HANDSHAKE: Final = 10.0
MOST: Final = 500
"""Connections at a time, pages' web sockets included."""
EACH: Final = 200
"""Over TLS from one address: an office of some sixty pages behind one. A proxy of this machine may have them all."""


class Door(web.BaseSite):
    """One address and port of a runner. `Seen.note` must be the first middleware of its application."""

    def __init__(
        self,
        runner: web.AppRunner,
        host: str,
        port: int,
        seen: Seen,
        tls: ssl.SSLContext | None = None,
        *,
        most: int = MOST,
        each: int = EACH,
        first_within: float = FIRST_WITHIN,
    ) -> None:
        super().__init__(runner, ssl_context=tls)
        self._host, self._port, self._seen, self._first_within = host, port, seen, first_within
        self._crowd = _Crowd(most, each)

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
            backlog=self._backlog,
        )

    def _connected(self) -> asyncio.BaseProtocol:
        server = self._runner.server
        assert server is not None, "the runner is set up before its sites"
        if max(len(server.connections), self._crowd.size) >= self._crowd.most:
            return _Closed()
        protocol = cast("asyncio.Protocol", server())
        loop = asyncio.get_running_loop()
        self._seen.silent.add(protocol)
        loop.call_later(self._first_within, self._seen.cut_if_silent, protocol)
        if self._ssl_context is None:
            return protocol
        return _Tls(self._crowd, loop, protocol, self._ssl_context)


class _Crowd:
    """Who is there over TLS, from the first packet on."""

    def __init__(self, most: int, each: int) -> None:
        self.most, self._each = most, each
        self._from: Counter[str] = Counter()

    @property
    def size(self) -> int:
        return self._from.total()

    def admits(self, source: str) -> bool:
        """Count one more from there, unless these are too many."""
        if self._from[source] >= self._each and not is_here(source):
            return False
        self._from[source] += 1
        return True

    def leaves(self, source: str) -> None:
        self._from[source] -= 1
        if self._from[source] <= 0:
            del self._from[source]


class _Tls(SSLProtocol):
    """asyncio's TLS, which it would begin by itself for `ssl=`, but counted before it begins: until a handshake ends
    no protocol of ours hears of the connection, and each takes 300 KB."""

    def __init__(
        self,
        crowd: _Crowd,
        loop: asyncio.AbstractEventLoop,
        protocol: asyncio.BaseProtocol,
        tls: ssl.SSLContext,
    ) -> None:
        super().__init__(loop, protocol, tls, None, server_side=True, ssl_handshake_timeout=HANDSHAKE)  # type: ignore[arg-type]
        self._crowd, self._source = crowd, ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, or be gone."""
        peer = transport.get_extra_info("peername")
        source = (source_of(str(peer[0])) if peer else None) or "?"
        if not self._crowd.admits(source):
            cast("asyncio.Transport", transport).abort()
            return
        self._source = source
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Count it no more."""
        if self._source:
            self._crowd.leaves(self._source)
        super().connection_lost(exc)


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


class _Understood(logging.Filter):
    """aiohttp logs a traceback, with the sender's bytes in it, for whatever is no HTTP, or ends in its middle."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is an error of ours."""
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, HttpProcessingError | web.RequestPayloadError | ConnectionError)


def strangers() -> logging.Logger:
    """What runners log to."""
    log = logging.getLogger("autocom.web")  # noqa: TID251 - aiohttp writes to it
    if not any(isinstance(each, _Understood) for each in log.filters):
        log.addFilter(_Understood())
    return log
