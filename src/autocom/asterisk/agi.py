"""FastAGI: Asterisk's dialplan asks a question, one of our routes answers it.

An own server on asyncio, because the one of panoramisk freezes the loop when a peer connects and
closes. A request is a path and arguments; a verb is one line out, one line back. Everything is
bounded: time, line length, lines, connections. Must not know what the routes do, nor about
calls. Invariant: whatever a peer or a route does, the connection ends, the dialplan goes on with
its next priority, and no task is left behind.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import structlog

log = structlog.get_logger()

_LINE = 8192
_HEADERS = 200
_RESULT = re.compile(r"(\d{3}) result=(-?\d+)(?: \((.*)\))?", re.DOTALL)


class AgiFailed(Exception):  # noqa: N818 - reads as what happened
    """The peer broke the protocol, hung up or was too slow."""


@dataclass(frozen=True, slots=True)
class Result:
    """Asterisk's answer to one verb: the result number (-1: failed, mostly a hang-up) and what stood in
    parentheses behind it."""

    number: int
    text: str | None


class AgiRequest:
    """One question from the dialplan, and the channel that asks. Values come from the wire: the path and
    the arguments are whatever the dialplan wrote, `env` also holds what the caller sent."""

    def __init__(
        self,
        env: Mapping[str, str],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        verb_timeout: float = 10.0,
    ) -> None:
        """`env`: the `agi_*` lines. `verb_timeout` in seconds is for a verb that Asterisk answers at once."""
        self.env = env
        self.path = unquote(urlsplit(env.get("agi_request", "")).path).strip("/")
        self.args = tuple(env[f"agi_arg_{n}"] for n in range(1, 33) if f"agi_arg_{n}" in env)
        self._reader, self._writer, self._timeout = reader, writer, verb_timeout

    @property
    def channel(self) -> str:
        """The asking channel's unique id."""
        return self.env.get("agi_uniqueid", "")

    async def verb(self, name: str, *arguments: str) -> Result:
        """Send one AGI command and wait for its answer. Raises AgiFailed (also on 5xx answers)."""
        line = " ".join((name, *(_quoted(each) for each in arguments)))
        self._writer.write(line.encode() + b"\n")
        try:
            async with asyncio.timeout(self._timeout):
                await self._writer.drain()
                answer = await _line(self._reader)
                while answer.startswith("HANGUP"):  # comes between, when the caller leaves
                    answer = await _line(self._reader)
        except (TimeoutError, OSError) as wrong:
            raise AgiFailed(f"{name}: {str(wrong) or 'no answer'}") from None
        found = _RESULT.match(answer)
        if not found or found[1] != "200":
            raise AgiFailed(f"{name}: {answer[:80]!r}")
        return Result(int(found[2]), found[3])

    async def variable(self, name: str) -> str | None:
        """A channel variable, None where it is not set."""
        result = await self.verb("GET VARIABLE", name)
        return result.text if result.number == 1 else None

    async def set_variable(self, name: str, value: str) -> None:
        """Set a channel variable for the dialplan that follows."""
        await self.verb("SET VARIABLE", name, value)


Route = Callable[[AgiRequest], Awaitable[None]]


def feature_route(answer: Callable[[str, str], Awaitable[str]]) -> Route:
    """The route `feature` of the phones' dialplan: `answer(secretary id, code)` returns the media path
    (without suffix) of the confirmation to play, empty for the tone that says "no"."""

    async def feature(request: AgiRequest) -> None:
        if len(request.args) != 2 or not all(request.args):
            raise AgiFailed(f"feature: 2 arguments expected, {len(request.args)} came")
        sound = await answer(*request.args)
        await request.set_variable("AUTOCOM_SOUND", sound)

    return feature


class AgiServer:
    """Listens, reads one request per connection, runs its route within `limit` seconds, closes.

    `run` lives in the caller's task group; cancel it to stop. At most `most` requests run at one time,
    further ones are closed at once, and the dialplan goes on without an answer."""

    def __init__(
        self, host: str, port: int, routes: Mapping[str, Route], *, limit: float = 10.0, most: int = 200
    ) -> None:
        """`routes` by path without slashes. Port 0 chooses one; `address` then tells it."""
        self._host, self._port = host, port
        self._routes, self._limit, self._most = dict(routes), limit, most
        self._busy = 0
        self.listening = asyncio.Event()
        self.address = (host, port)

    async def run(self) -> None:
        """Serve until cancelled. Raises OSError where the address cannot be used."""
        tasks = asyncio.TaskGroup()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if self._busy >= self._most:
                writer.transport.abort()
                log.warning("agi.too_many")
                return
            self._busy += 1
            tasks.create_task(self._contained(reader, writer))

        # outside the group, which would wrap what it says of the address
        server = await asyncio.start_server(
            connected, self._host, self._port, limit=_LINE, start_serving=False
        )
        async with tasks:
            try:
                await server.start_serving()
                self.address = server.sockets[0].getsockname()[:2]
                self.listening.set()
                await server.serve_forever()
            finally:
                server.close()

    async def _contained(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # a bug in a route ends its own request, not the group that serves all the others
        (crash,) = await asyncio.gather(self._connection(reader, writer), return_exceptions=True)
        if isinstance(crash, Exception):
            log.error("agi.crashed", exc_info=crash)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(self._limit):
                request = AgiRequest(await _environment(reader), reader, writer)
                route = self._routes.get(request.path)
                if route is None:
                    raise AgiFailed(f"no route {request.path[:40]!r}")
                await route(request)
        except TimeoutError:
            log.warning("agi.timeout")
        except (AgiFailed, OSError) as wrong:
            log.warning("agi.failed", why=str(wrong))
        finally:
            self._busy -= 1
            # abort would lose the last verb that is still in the buffer
            writer.close()


async def _environment(reader: asyncio.StreamReader) -> dict[str, str]:
    env: dict[str, str] = {}
    for _ in range(_HEADERS):
        line = await _line(reader)
        if not line:
            return env
        key, _, text = line.partition(":")
        env[key] = text.strip()
    raise AgiFailed("too many request lines")


async def _line(reader: asyncio.StreamReader) -> str:
    try:
        raw = await reader.readuntil(b"\n")
    except asyncio.IncompleteReadError:
        raise AgiFailed("connection closed") from None
    except asyncio.LimitOverrunError:
        raise AgiFailed("line too long") from None
    return raw[:-1].decode(errors="replace")


def _quoted(argument: str) -> str:
    # AGI splits at spaces; a line break would begin a second command
    text = re.sub(r"[\x00-\x1f\x7f]", " ", argument)
    return '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'
