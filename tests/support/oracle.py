"""What must hold after every scenario, asked of the real parts and not of the exchange itself.

    await oracle.nothing_is_left(exchange)          # no channel, no bridge in Asterisk
    oracle.no_troubles(bureau)                      # no WARNING or ERROR line in Asterisk's log
    await oracle.each_call_ended_once(exchange)     # one `arrived` and one `ended` a call
    await oracle.joined(bureau)                     # two are in one bridge

Reads the private Asterisk's own ARI with the passwords of the state folder, its log, and the journal.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.support import PATIENCE, asked
from tests.support.bureau import Bureau
from tests.support.exchange import Exchange

# said where nothing is wrong: no application was there, it had only just come (its events are queued), and both sides
# hung up in one instant
HARMLESS = (r"not claimed within \d+ms", r"websocket is not ready", r"Session already DISCONNECTED")
# said of what a test does on purpose, too: an exchange that is killed, away or stopped
KNOWN = (
    *HARMLESS,
    r"Web socket closed abruptly",
    r"Playback failed for sound",  # he hung up while he heard it
    r"ari_websockets.c: WebSocket (?:read|write) error",
)


async def ari(bureau: Bureau, path: str) -> list[dict[str, Any]]:
    """`GET` of Asterisk's ARI, as `channels`."""
    async with _ari(bureau, "GET", path) as answer:
        assert answer.status == 200, await answer.text()
        found: list[dict[str, Any]] = await answer.json()
        return found


async def reload_module(bureau: Bureau, module: str) -> None:
    """Let Asterisk read the configuration of one of its modules again."""
    async with _ari(bureau, "PUT", f"asterisk/modules/{module}") as answer:
        assert answer.status == 204, await answer.text()


async def command_ari(bureau: Bureau, method: str, path: str) -> None:
    """Do something to Asterisk behind the exchange's back, as `DELETE` of `channels/ID/moh`."""
    async with _ari(bureau, method, path) as answer:
        assert answer.status in (200, 204), await answer.text()


@asynccontextmanager
async def _ari(bureau: Bureau, method: str, path: str) -> AsyncIterator[aiohttp.ClientResponse]:
    folder = bureau.state / "asterisk"
    ports = json.loads((folder / "ports.json").read_text())
    keys = json.loads((folder / "secrets.json").read_text())
    who = {"Authorization": aiohttp.encode_basic_auth(keys["ari_user"], keys["ari_password"])}
    url = f"http://127.0.0.1:{ports['http']}/ari/{path}"
    async with aiohttp.ClientSession(headers=who) as http, http.request(method, url) as answer:
        yield answer


async def joined(bureau: Bureau, call: str = "") -> None:
    """Wait until two are in one bridge; of this call, where one is named."""
    bridges: list[dict[str, Any]] = []
    try:
        async with asyncio.timeout(PATIENCE):
            while not any(call in b["id"] and len(b["channels"]) == 2 for b in bridges):
                await asyncio.sleep(0.01)
                bridges = await ari(bureau, "bridges")
    except TimeoutError:
        raise AssertionError(f"nobody is joined within {PATIENCE} s: {bridges}") from None


async def set_rtp_timeout(bureau: Bureau, seconds: int) -> None:
    """Let Asterisk end a call from whose secretary no sound comes for so long; it is 18 s. For calls from now on."""
    for conf in (bureau.state / "asterisk").rglob("pjsip*.conf"):
        text = conf.read_text()
        changed = re.sub(r"^rtp_timeout *=.*$", f"rtp_timeout = {seconds}", text, flags=re.MULTILINE)
        assert changed != text, f"no rtp_timeout in {conf.name}"
        conf.write_text(changed)
    await reload_module(bureau, "res_pjsip.so")


async def nothing_is_left(exchange: Exchange, within: float = PATIENCE) -> None:
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


def unclaimed(exchange: Exchange) -> int:
    """How many callers the exchange was too late for, so far: the dialplan serves them."""
    return sum(event["event"] == "claim_failed" for event in events(exchange, "info"))


async def each_call_ended_once(exchange: Exchange) -> None:
    """Every call of the journal arrived once and ended once, and was never a crash."""
    for call in await asked.calls(exchange.bureau, stories=True):
        kinds = [event["kind"] for event in call["events"]]
        assert kinds.count("arrived") == 1, (call["id"], kinds)
        assert kinds.count("ended") == 1, (call["id"], kinds)
        assert "crashed" not in kinds, (call["id"], kinds)
        assert call["outcome"] is not None, call
