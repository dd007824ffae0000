"""The connection to ARI: a warm HTTP pool for commands, a web socket for events only.

REST over the web socket is not used: Asterisk runs its requests one by one, so that one request
that waits (an `answer` behind a playback) starves everything. This file knows requests, time-outs
and what an HTTP status means; it does not know calls. Invariant: every attempt ends within its
time-out, and no command is ever repeated here, since a lost answer does not mean a lost command: only
a question (GET) whose connection broke, or that was answered with 500, is asked again, with a time-out of its own.
Who turns `Refused` into `Gone` and events into facts is `asterisk.telephone`.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext
from types import TracebackType
from typing import Any, Self

import aiohttp
import structlog
from yarl import URL

from autocom.asterisk.ari.generated import Ari, Message, Query, parse_message
from autocom.calls.ports import TelephoneDown

log = structlog.get_logger()

# Asterisk's listen backlog is 10 and a SYN that does not fit is repeated after a whole second; its
# idle HTTP sessions end after 15 s. Hence few connections, opened in small groups, kept in use.
POOL = 32
KEEPALIVE = 10.0
WARM_EVERY = 5.0
_GROUP = 8

CLAIM = "/events/claim"
CLAIMS = 4
"""Connections beside the pool that only claims may take (and free ones of the pool as well): who is not claimed within a
second is served by the dialplan, so in a burst no claim may stand behind what is done for those who came before."""

QUESTION_TRIES = 3

# Half of the events of a call are these two, and nobody reads them.
UNWANTED = ("ChannelVarset", "ChannelDialplan", "ChannelConnectedLine", "ChannelCallerId")


class Refused(Exception):  # noqa: N818 - a fact of life, as ports.Gone
    """Asterisk answered a request with an error of its own (JSON body): 404, 409, 422, 500 …"""

    def __init__(self, status: int, reason: str, request: str) -> None:
        super().__init__(f"{request}: {status} {reason}")
        self.status = status
        self.reason = reason


class AriClient:
    """An HTTP client of one Asterisk; open it with `async with`. `ari` has the typed operations.

    `url` is the base without `/ari`, e.g. `http://127.0.0.1:8088`; one that ends in `/ari` is
    understood too. `timeout` in seconds holds for every request that names none of its own."""

    def __init__(self, url: str, user: str, password: str, *, timeout: float = 5.0, pool: int = POOL) -> None:
        base = url.rstrip("/")
        self._base = base if base.endswith("/ari") else base + "/ari"
        self._authorization = aiohttp.encode_basic_auth(user, password, "utf-8")
        self._timeout = timeout
        self._pool = pool
        self._room = asyncio.Semaphore(pool)
        self._session: aiohttp.ClientSession | None = None
        self._opened = 0
        self.ari = Ari(self)
        # for whoever counts: method, path, outcome and seconds of each request; how long each event waited for us
        self.measured: Callable[[str, str, str, float], None] = lambda _method, _path, _outcome, _seconds: (
            None
        )
        self.aged: Callable[[float], None] = lambda _: None

    async def __aenter__(self) -> Self:
        self._session = self._new_session()
        return self

    def _new_session(self) -> aiohttp.ClientSession:
        self._room = asyncio.Semaphore(self._pool)  # what hangs on the last one's connections holds nobody up
        return aiohttp.ClientSession(
            # one more: the event socket
            connector=aiohttp.TCPConnector(limit=self._pool + CLAIMS + 1, keepalive_timeout=KEEPALIVE),
            headers={"Authorization": self._authorization},
            # `total` covers the wait for a free connection too: a full pool must show as TelephoneDown
            timeout=aiohttp.ClientTimeout(total=self._timeout),
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def renew(self) -> None:
        """New connections for every request from now on: where the path died without a word, each of the old ones would
        cost a time-out before that shows. What is under way on them has until its own. Runs until that is over."""
        old, self._session, self._opened = self._open(), self._new_session(), 0
        try:
            await asyncio.sleep(self._timeout)
        finally:
            await old.close()

    async def call(self, method: str, path: str, query: Query, body: object = None) -> Any:
        """One request, one answer. Raises `Refused` or `TelephoneDown`."""
        status, content_type, raw = await self._exchange(method, path, query, body)
        if status == 204 or not raw:
            return None
        if "json" not in content_type:
            raise TelephoneDown(f"{method} {path}: {status} without JSON")
        try:
            return json.loads(raw)
        except ValueError as error:
            raise TelephoneDown(f"{method} {path}: broken JSON") from error

    async def download(self, path: str) -> bytes:
        """A binary answer, whole. Raises `Refused` or `TelephoneDown`."""
        return (await self._exchange("GET", path, {}, None))[2]

    async def upgrade(self, path: str, query: Query) -> aiohttp.ClientWebSocketResponse:
        """A web socket whose death is noticed within five seconds. Raises `TelephoneDown`."""
        try:
            # a ping after 3 s of silence, closed where the pong takes over 1.5 s (frozen Asterisk)
            async with asyncio.timeout(self._timeout):
                return await self._open().ws_connect(
                    self._url(path, query),
                    heartbeat=3.0,
                    max_msg_size=16 << 20,
                    # a frozen peer never says goodbye, and the reconnect must not wait for it
                    timeout=aiohttp.ClientWSTimeout(ws_close=0.5),
                )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise TelephoneDown(_words(error)) from error

    async def warm(self) -> None:
        """Keep every connection of the pool in use; runs for ever. A burst then opens none."""
        while True:
            # one more group at a time: a request that finds a free connection opens none, so that only
            # as many as are asked at once are ever open
            for together in [*range(self._opened + _GROUP, self._pool, _GROUP), self._pool]:
                answers = await asyncio.gather(*(self._ping() for _ in range(together)))
                self._opened = together if all(answers) else 0
            await asyncio.sleep(WARM_EVERY)

    async def _ping(self) -> bool:
        try:
            await self.ari.asterisk.ping()
        except (Refused, TelephoneDown):
            return False  # the event socket decides whether Asterisk is away
        return True

    async def _exchange(self, method: str, path: str, query: Query, body: object) -> tuple[int, str, bytes]:
        for _ in range(QUESTION_TRIES - 1 if method == "GET" else 0):
            try:
                return await self._once(method, path, query, body)
            except (Refused, TelephoneDown) as error:
                if not _broke(error):
                    raise
        return await self._once(method, path, query, body)

    async def _once(self, method: str, path: str, query: Query, body: object) -> tuple[int, str, bytes]:
        request, began = f"{method} {path}", time.monotonic()
        room = nullcontext() if path == CLAIM else self._room
        try:
            async with (
                asyncio.timeout(self._timeout),
                room,
                self._open().request(method, self._url(path, query), json=body) as response,
            ):
                raw = await response.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            self.measured(method, path, "no_answer", time.monotonic() - began)
            raise TelephoneDown(f"{request}: {_words(error)}") from error
        self.measured(method, path, f"{response.status // 100}xx", time.monotonic() - began)
        if response.status < 400:
            return response.status, response.content_type, raw
        raise _failure(response.status, response.content_type, raw, request)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise TelephoneDown("the ARI client is closed")
        return self._session

    def _url(self, path: str, query: Query) -> URL:
        pairs = [(name, _text(value)) for name, value in query.items() if value is not None]
        # encoded=True: the segments are quoted already, and yarl would resolve `..`
        return URL(self._base + path, encoded=True).with_query(pairs)


def _text(value: str | int | Sequence[str]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (str, int)) else ",".join(value)


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _broke(error: Refused | TelephoneDown) -> bool:
    """Whether the same question may well be answered: nothing was said about what it asks for, and no time was lost."""
    if isinstance(error, Refused):
        return error.status == 500
    why = error.__cause__
    return isinstance(why, aiohttp.ClientConnectionError) and not isinstance(why, TimeoutError)


def _failure(status: int, content_type: str, raw: bytes, request: str) -> Exception:
    """What an error status means. While Asterisk boots it answers 404 with HTML, then 503: that is
    "not ready", never "channel gone"."""
    if "json" not in content_type or status == 503:
        return TelephoneDown(f"{request}: {status}, not ready")
    try:
        answer = json.loads(raw)
        reason = str(answer.get("message") or answer.get("error") or "")
    except (ValueError, AttributeError):
        return TelephoneDown(f"{request}: {status} with a broken body")
    if status in (401, 403):
        return TelephoneDown(f"{request}: {status} {reason} (ARI user or password)")
    return Refused(status, reason, request)


class Backoff:
    """How long to wait before the next attempt: quick at first (a restart of Asterisk takes 0.3 s and
    callers wait), then doubling, with jitter so that two services do not knock in step."""

    def __init__(self, first: float = 0.05, most: float = 5.0) -> None:
        self._first = first
        self._most = most
        self._next = first

    def after_failure(self) -> float:
        """Seconds."""
        wait, self._next = self._next, min(self._most, self._next * 2)
        return wait * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret

    def reset(self) -> None:
        """It worked."""
        self._next = self._first


class EventStream:
    """The event socket while it is open. One task reads and only enqueues: Asterisk cuts a client
    that does not read for 100 ms, so nothing here may wait for anything else."""

    def __init__(
        self, socket: aiohttp.ClientWebSocketResponse, aged: Callable[[float], None] = lambda _: None
    ) -> None:
        """`aged` hears of every event for how many seconds it waited here."""
        self._socket, self._aged = socket, aged
        self._queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._arrived: deque[float] = deque()

    async def read(self) -> None:
        """Run as a task of its own; ends when the socket ends, and so does the iteration."""
        async for frame in self._socket:
            if frame.type is aiohttp.WSMsgType.TEXT:
                self._arrived.append(asyncio.get_running_loop().time())
                self._queue.put_nowait(frame.data)
        self._queue.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Message]:
        while (text := await self._queue.get()) is not None:
            self._aged(asyncio.get_running_loop().time() - self._arrived[0])
            message = decode(text)
            if message is not None:
                yield message
            self._arrived.popleft()

    @property
    def unread_since(self) -> float | None:
        """When the oldest event that nobody has read yet arrived (the loop's time); None where all are read."""
        return self._arrived[0] if self._arrived else None

    @property
    def why_closed(self) -> str:
        """For the log: what is known of the end."""
        error = self._socket.exception()
        return f"{type(error).__name__}" if error else f"closed ({self._socket.close_code})"


@asynccontextmanager
async def events(client: AriClient, app: str) -> AsyncIterator[EventStream]:
    """Connect the event socket of `app`; the caller runs `read` in its task group."""
    socket = await client.ari.events.event_websocket([app])
    try:
        yield EventStream(socket, lambda seconds: client.aged(seconds))  # noqa: PLW0108 - set while it is open, too
    finally:
        await socket.close()


def decode(text: str) -> Message | None:
    """The typed event, None for unknown types and for what is no event at all (logged, dropped:
    one strange frame must not cost the connection)."""
    try:
        return parse_message(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        log.warning("ari_event_unreadable", error=f"{type(error).__name__}: {error}", size=len(text))
        return None
