"""The web socket of phones in a browser: their SIP goes to Asterisk and back, frame by frame.

Asterisk's own HTTP server has ARI on it and stays on loopback. Only who is logged in to the page gets a socket,
and only from the page (`Origin`); what she may say is `sip_frames`. The voice does not come this way: a call
outlives this socket, the page opens another one and tells Asterisk where it is. Must not know SIP further.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import aiohttp
import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from autocom.web.sip_frames import LARGEST, Forbidden, check

log = structlog.get_logger()

PROTOCOL = "sip"
BEAT = 20.0
"""Seconds between pings: a page whose computer sleeps is noticed, and proxies in between do not forget us."""
OPENING = 5.0
MOST_EACH = 4
"""Sockets of one secretary: a page, another one, and what is not yet known to be dead."""
MOST = 400
"""Sockets in all: Asterisk's HTTP server takes 1000 sessions (http.conf), and ARI needs some."""
BURST, RATE = 100.0, 20.0
"""Frames at once, and frames a second after that; a call takes about ten in all."""


class Pace:
    """A bucket of frames that fills again with time."""

    def __init__(self, now: float, burst: float = BURST, rate: float = RATE) -> None:
        self._burst, self._rate = burst, rate
        self._left, self._at = burst, now

    def allows(self, now: float) -> bool:
        """Whether one more may pass."""
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class SipSocket:
    """The route `/ws`. `who` says whose page asks (None: nobody's), `upstream` where Asterisk takes phones."""

    def __init__(self, who: Callable[[web.Request], str | None], upstream: Callable[[], str | None]) -> None:
        self._who, self._upstream = who, upstream
        self._open: Counter[str] = Counter()
        self._all: set[web.WebSocketResponse] = set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One page's socket, until either side ends it."""
        who = self._who(request)
        if who is None:
            return web.Response(status=401, text="log in first")
        if not same_origin(request):
            return web.Response(status=403, text="this socket is for the page of this server")
        if self._open[who] >= MOST_EACH or self._open.total() >= MOST:
            return web.Response(status=503, text="too many sockets", headers={"Retry-After": "10"})
        self._open[who] += 1
        try:
            return await self._connect(request, who)
        finally:
            self._open[who] -= 1

    async def close(self, _: web.Application) -> None:
        """End every socket: autocom stops, pages come back by themselves."""
        for page in set(self._all):
            await page.close(code=WSCloseCode.GOING_AWAY, message=b"autocom stops")

    async def _connect(self, request: web.Request, who: str) -> web.StreamResponse:
        url = self._upstream()
        if url is None:
            return web.Response(status=503, text="no Asterisk")
        timeout = aiohttp.ClientTimeout(total=None, connect=OPENING)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            try:
                async with asyncio.timeout(OPENING):
                    asterisk = await session.ws_connect(url, protocols=(PROTOCOL,), max_msg_size=2 * LARGEST)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                log.warning("no web socket to Asterisk for a phone", why=str(error) or type(error).__name__)
                return web.Response(status=503, text="Asterisk does not answer", headers={"Retry-After": "2"})
            page = web.WebSocketResponse(protocols=(PROTOCOL,), heartbeat=BEAT, max_msg_size=2 * LARGEST)
            async with asterisk:
                await page.prepare(request)
                self._all.add(page)
                try:
                    await _both(page, asterisk, who)
                finally:
                    self._all.discard(page)
            return page


async def _both(page: web.WebSocketResponse, asterisk: aiohttp.ClientWebSocketResponse, who: str) -> None:
    """Both directions, until one of them ends."""
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_ends(_inward(page, asterisk, who)))
            tasks.create_task(_ends(_outward(asterisk, page)))
    except* _Over:
        pass
    await page.close()


class _Over(Exception):  # noqa: N818
    """One side has ended: the way out of the task group."""


async def _ends(pump: Awaitable[None]) -> None:
    await pump
    raise _Over


async def _inward(page: web.WebSocketResponse, asterisk: aiohttp.ClientWebSocketResponse, who: str) -> None:
    pace = Pace(time.monotonic())
    async for frame in page:
        if frame.type is not WSMsgType.TEXT:
            await page.close(code=WSCloseCode.UNSUPPORTED_DATA, message=b"SIP is text")
            return
        try:
            if not pace.allows(time.monotonic()):
                raise Forbidden("too many frames")
            check(frame.data, who)
            await asterisk.send_str(frame.data)
        except Forbidden as why:
            log.warning("a page said what it must not", secretary=who, why=str(why))
            await page.close(code=WSCloseCode.POLICY_VIOLATION, message=str(why).encode())
            return
        except ConnectionError:
            return


async def _outward(asterisk: aiohttp.ClientWebSocketResponse, page: web.WebSocketResponse) -> None:
    async for frame in asterisk:
        text = frame.data if frame.type is WSMsgType.TEXT else frame.data.decode("utf-8", "replace")
        try:
            await page.send_str(text)
        except ConnectionError:
            return


def same_origin(request: web.Request) -> bool:
    """Whether a page of this very server asks: browsers say so and cannot be made to say otherwise."""
    origin = request.headers.get("Origin", "")
    return bool(request.host) and urlsplit(origin).netloc.lower() == request.host.lower()
