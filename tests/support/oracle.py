"""What must hold after every scenario, asked of the real parts and not of the exchange itself.

    await oracle.nothing_is_left(exchange)          # no channel, no bridge in Asterisk
    oracle.no_troubles(bureau)                      # no WARNING or ERROR line in Asterisk's log
    await oracle.each_call_ended_once(exchange)     # one `arrived` and one `ended` a call

Reads the private Asterisk's own ARI with the passwords of the state folder, its log, and the journal.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import aiohttp

from autocom.journal import queries
from autocom.journal.database import make_engine
from tests.support.bureau import Bureau
from tests.support.exchange import Exchange

# said of what a test does on purpose: an exchange that is killed, away or stopped
KNOWN = (
    r"not claimed within \d+ms",
    r"Web socket closed abruptly",
    r"Playback failed for sound",  # he hung up while he heard it
    r"ari_websockets.c: WebSocket (?:read|write) error",
)


async def ari(bureau: Bureau, path: str) -> list[dict[str, Any]]:
    """`GET` of Asterisk's ARI, as `channels`."""
    folder = bureau.state / "asterisk"
    ports = json.loads((folder / "ports.json").read_text())
    keys = json.loads((folder / "secrets.json").read_text())
    who = aiohttp.encode_basic_auth(keys["ari_user"], keys["ari_password"])
    url = f"http://127.0.0.1:{ports['http']}/ari/{path}"
    async with aiohttp.ClientSession(headers={"Authorization": who}) as http, http.get(url) as answer:
        assert answer.status == 200, await answer.text()
        found: list[dict[str, Any]] = await answer.json()
        return found


async def reload_module(bureau: Bureau, module: str) -> None:
    """Let Asterisk read the configuration of one of its modules again."""
    folder = bureau.state / "asterisk"
    ports = json.loads((folder / "ports.json").read_text())
    keys = json.loads((folder / "secrets.json").read_text())
    who = aiohttp.encode_basic_auth(keys["ari_user"], keys["ari_password"])
    url = f"http://127.0.0.1:{ports['http']}/ari/asterisk/modules/{module}"
    async with aiohttp.ClientSession(headers={"Authorization": who}) as http, http.put(url) as answer:
        assert answer.status == 204, await answer.text()


async def status(bureau: Bureau) -> dict[str, Any]:
    """The exchange's status straight from its API: the command takes half a second of processor to start."""
    card = json.loads((bureau.state / "service.json").read_text())
    who = {"Authorization": f"Bearer {card['token']}"}
    async with aiohttp.ClientSession(headers=who) as http, http.get(f"{card['http']}/v1/status") as answer:
        assert answer.status == 200, await answer.text()
        found: dict[str, Any] = await answer.json()
        return found


async def until(
    bureau: Bureau, fits: Callable[[dict[str, Any]], bool], within: float = 10.0
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


async def are(bureau: Bureau, within: float = 10.0, **expected: str) -> dict[str, Any]:
    """Wait until these secretaries are in these states."""

    def fits(found: dict[str, Any]) -> bool:
        now = {s["id"]: s["state"] for s in found["secretaries"]}
        return all(now.get(name) == state for name, state in expected.items())

    return await until(bureau, fits, within)


async def nothing_is_left(exchange: Exchange, within: float = 5.0) -> None:
    """Asterisk holds no channel and no bridge any more."""
    left: list[str] = []
    try:
        async with asyncio.timeout(within):
            while True:
                found = await ari(exchange.bureau, "channels") + await ari(exchange.bureau, "bridges")
                left = [one["id"] for one in found]
                if not left:
                    return
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"left in Asterisk after {within} s: {left}") from None


def no_troubles(bureau: Bureau, *expected: str) -> None:
    """No WARNING or ERROR line in Asterisk's log since its last start, except the known ones and those
    that this scenario causes on purpose (regular expressions)."""
    known = re.compile("|".join((*KNOWN, *expected)))
    text = (bureau.state / "asterisk" / "log" / "messages").read_text(errors="replace")
    bad = [line for line in text.splitlines() if " WARNING[" in line or " ERROR[" in line]
    found = [line for line in bad if not known.search(line)]
    assert not found, "\n".join(found)


def events(exchange: Exchange, level: str = "error") -> list[dict[str, Any]]:
    """What the exchange logged at this level; every line of its log is one JSON object."""
    found = [json.loads(line) for line in exchange.output.splitlines() if line.startswith("{")]
    return [event for event in found if event.get("level") == level]


async def journal(exchange: Exchange, *, stories: bool = False) -> list[dict[str, Any]]:
    """The calls in PostgreSQL, newest first, after the exchange has brought everything there; with their
    `events` and `segments` where `stories` are wanted."""
    card = json.loads((exchange.bureau.state / "service.json").read_text())
    who = {"Authorization": f"Bearer {card['token']}"}
    async with aiohttp.ClientSession(headers=who) as http, http.post(f"{card['http']}/v1/flush") as answer:
        assert (await answer.json())["flushed"], "PostgreSQL is behind"
    engine = make_engine(card["database"])
    try:
        rows: list[dict[str, Any]] = await queries.calls(engine, limit=None)
        if stories:
            rows = [await queries.call(engine, row["id"]) or {} for row in rows]
        return rows
    finally:
        await engine.dispose()


async def each_call_ended_once(exchange: Exchange) -> None:
    """Every call of the journal arrived once and ended once, and was never a crash."""
    for call in await journal(exchange, stories=True):
        kinds = [event["kind"] for event in call["events"]]
        assert kinds.count("arrived") == 1, (call["id"], kinds)
        assert kinds.count("ended") == 1, (call["id"], kinds)
        assert "crashed" not in kinds, (call["id"], kinds)
        assert call["outcome"] is not None, call


async def reload(bureau: Bureau) -> dict[str, Any]:
    """`autocom reload` without its command's start."""
    card = json.loads((bureau.state / "service.json").read_text())
    who = {"Authorization": f"Bearer {card['token']}"}
    async with aiohttp.ClientSession(headers=who) as http, http.post(f"{card['http']}/v1/reload") as answer:
        found: dict[str, Any] = await answer.json()
        return found
