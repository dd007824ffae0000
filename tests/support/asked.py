"""What an exchange says of itself, asked as its commands ask but without their start, which costs half a second of
processor each: the status over its API, the calls in PostgreSQL.

That the commands say the same is the matter of `test_commands.py`. The journal is read while the exchange is away,
too, as the commands do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
from sqlalchemy.ext.asyncio import AsyncEngine

from autocom.journal import queries
from autocom.journal.database import make_engine
from autocom.state import read_card
from tests.support import PATIENCE
from tests.support.bureau import Bureau


async def status(bureau: Bureau) -> dict[str, Any]:
    """What `autocom status --json` prints."""
    found: dict[str, Any] = await _asked(bureau, "GET", "status")
    return found


async def until(
    bureau: Bureau, fits: Callable[[dict[str, Any]], bool], within: float = PATIENCE
) -> dict[str, Any]:
    """Ask for the status until it fits."""
    found: dict[str, Any] = {}
    try:
        async with asyncio.timeout(within):
            while not fits(found := await status(bureau)):
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"the status does not fit within {within} s: {found}") from None
    return found


async def are(bureau: Bureau, within: float = PATIENCE, **expected: str) -> dict[str, Any]:
    """Wait until these secretaries are in these states."""

    def fits(found: dict[str, Any]) -> bool:
        now = {s["id"]: s["state"] for s in found["secretaries"]}
        return all(now.get(name) == state for name, state in expected.items())

    return await until(bureau, fits, within)


async def reload(bureau: Bureau) -> dict[str, Any]:
    """What `autocom reload` is told."""
    found: dict[str, Any] = await _asked(bureau, "POST", "reload")
    return found


def database(bureau: Bureau) -> str:
    """The URL of PostgreSQL, as psycopg wants it."""
    return (read_card(bureau.state).database or "").replace("+psycopg", "")


async def calls(bureau: Bureau, *, stories: bool = False, **chosen: Any) -> list[dict[str, Any]]:
    """The calls in PostgreSQL, newest first; with their `events` and `segments` where `stories` are wanted. `chosen`:
    as `client` or `direction`."""
    async with _journal(bureau) as engine:
        rows: list[dict[str, Any]] = await queries.calls(engine, limit=None, **chosen)
        if stories:
            rows = [await queries.call(engine, row["id"]) or {} for row in rows]
        return rows


async def call(bureau: Bureau, name: str) -> dict[str, Any]:
    """One call with its `events` and `segments`."""
    async with _journal(bureau) as engine:
        found: dict[str, Any] | None = await queries.call(engine, name)
    assert found is not None, f"there is no call {name!r}"
    return found


@asynccontextmanager
async def _journal(bureau: Bureau) -> AsyncIterator[AsyncEngine]:
    """The database, after an exchange that runs has brought everything there."""
    with suppress(aiohttp.ClientConnectionError):  # away: what it shipped can be read
        async with asyncio.timeout(2 * PATIENCE):
            while not (await _asked(bureau, "POST", "flush"))["flushed"]:
                continue
    engine = make_engine(read_card(bureau.state).database or "")
    try:
        yield engine
    finally:
        await engine.dispose()


async def _asked(bureau: Bureau, method: str, what: str) -> Any:
    card = read_card(bureau.state)
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {card.token}"}) as http,
        http.request(method, f"{card.http}/v1/{what}") as answer,
    ):
        assert answer.status == 200, await answer.text()
        return await answer.json()
