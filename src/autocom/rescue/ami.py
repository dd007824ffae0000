"""As much of AMI as the rescuer needs: log in, ask, list, act. Plain asyncio streams, nothing kept.

Every question is answered within its limit or raises; a connection that failed once is never used again. Must not
know what is asked, nor why. Invariant: no value that Asterisk or a caller chose can end a line of ours.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

ANSWER_WITHIN = 3.0
_LONGEST_LINE = 1 << 16
_MOST_ROWS = 20_000


class AmiAway(Exception):  # noqa: N818 - says what is the case
    """No connection, or no answer in time."""


class AmiRefused(Exception):  # noqa: N818
    """An answer, and it was no."""


class Ami:
    """One logged-in connection; made by `connected`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._numbers = itertools.count(1)

    async def do(self, action: str, **headers: str) -> Mapping[str, str]:
        """One action, one answer."""
        return (await self._ask(action, headers))[0]

    async def rows(self, action: str, row: str) -> list[Mapping[str, str]]:
        """An action that answers with a list: its events of the name `row`."""
        return [each for each in (await self._ask(action, {}))[1:] if each.get("Event") == row]

    async def _ask(self, action: str, headers: Mapping[str, str]) -> list[Mapping[str, str]]:
        number = str(next(self._numbers))
        lines = [("Action", action), ("ActionID", number), *headers.items()]
        try:
            text = "".join(f"{name}: {_line(value)}\r\n" for name, value in lines) + "\r\n"
            async with asyncio.timeout(ANSWER_WITHIN):
                self._writer.write(text.encode())
                await self._writer.drain()
                return await self._answer(number, action)
        except (OSError, EOFError, ValueError, TimeoutError) as error:
            raise AmiAway(f"{action}: {str(error) or type(error).__name__}") from error

    async def _answer(self, number: str, action: str) -> list[Mapping[str, str]]:
        found: list[Mapping[str, str]] = []
        while len(found) < _MOST_ROWS:
            block = await self._block()
            if block.get("ActionID") != number:
                continue  # an event, or the answer to what was given up
            if not found and block.get("Response") != "Success":
                raise AmiRefused(f"{action}: {block.get('Message', '')}")
            found.append(block)
            listed = found[0].get("EventList") == "start"
            if not listed or block.get("EventList") == "Complete":
                return found
        raise ValueError("a list without an end")

    async def _block(self) -> Mapping[str, str]:
        block: dict[str, str] = {}
        while True:
            line = await self._reader.readline()
            if not line.endswith(b"\n"):
                raise EOFError("closed")
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            if not text:
                if block:
                    return block
                continue
            name, colon, value = text.partition(":")
            if colon:
                block[name] = value.strip()


def _line(value: str) -> str:
    if not value.isprintable():
        raise ValueError("a value of more than one line")
    return value


@asynccontextmanager
async def connected(host: str, port: int, user: str, secret: str) -> AsyncIterator[Ami]:
    """Log in, without events. Raises AmiAway, or AmiRefused for a wrong user or password."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            reader, writer = await asyncio.open_connection(host, port, limit=_LONGEST_LINE)
    except (OSError, TimeoutError) as error:
        raise AmiAway(str(error) or type(error).__name__) from error
    try:
        # the greeting has no colon and belongs to no block
        ami = Ami(reader, writer)
        await ami.do("Login", Username=user, Secret=secret, Events="off")
        yield ami
    finally:
        writer.transport.abort()  # a frozen Asterisk reads no goodbye
