"""What must hold after every scenario, asked of the real parts and not of the exchange itself.

    await oracle.nothing_is_left(exchange)          # no channel, no bridge in Asterisk
    assert oracle.troubles(bureau) == []            # no WARNING or ERROR line in Asterisk's log
    await oracle.each_call_ended_once(exchange)     # one `arrived` and one `ended` a call

Reads the private Asterisk's own ARI with the passwords of the state folder, its log, and the journal.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import aiohttp

from tests.support.bureau import Bureau
from tests.support.exchange import Exchange

# said of what a test does on purpose: a phone that refuses, an exchange that is away or stopped
KNOWN = re.compile(
    r"not claimed within \d+ms|Stasis app 'autocom' (?:is not|not) (?:active|registered)"
    r"|no one was around|application 'autocom' (?:is not|not) (?:active|registered)",
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


def troubles(bureau: Bureau) -> list[str]:
    """WARNING and ERROR lines of Asterisk's log since its last start, except the known ones."""
    text = (bureau.state / "asterisk" / "log" / "messages").read_text(errors="replace")
    bad = [line for line in text.splitlines() if " WARNING[" in line or " ERROR[" in line]
    return [line for line in bad if not KNOWN.search(line)]


def events(exchange: Exchange, level: str = "error") -> list[dict[str, Any]]:
    """What the exchange logged at this level; every line of its log is one JSON object."""
    found = [json.loads(line) for line in exchange.output.splitlines() if line.startswith("{")]
    return [event for event in found if event.get("level") == level]


async def each_call_ended_once(exchange: Exchange) -> None:
    """Every call of the journal arrived once and ended once, in this order, and was never a crash."""
    for call in await exchange.calls():
        kinds = [event["kind"] for event in (await exchange.call(call["id"]))["events"]]
        assert kinds.count("arrived") == 1, (call["id"], kinds)
        assert kinds.count("ended") == 1, (call["id"], kinds)
        assert "crashed" not in kinds, (call["id"], kinds)
        assert call["outcome"] is not None, call
