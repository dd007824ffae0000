"""autocom dead, frozen or tripping over a call: every caller is still served as his client's, by the dialplan.

Two practices with messages and teams of their own, and the operator's side on the same stack; what they hear, what
the phones show, how soon, and what the journal says once autocom is back.
"""

from __future__ import annotations

import asyncio
import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_faults import asterisk_says
from tests.support import asked, oracle
from tests.support.bureau import (
    CALLER,
    CLOSED,
    MESSAGE,
    MUSIC,
    OTHER_MUSIC,
    VOICES,
    Bureau,
    client,
    play,
    queue,
)
from tests.support.exchange import Exchange
from tests.support.phones import Phones
from tests.support.ports import free_port

pytestmark = [pytest.mark.timeout(150)]
LILAS, VAUBAN, SHUT, AWAY, MASK = "0199001001", "0199001002", "0199001003", "0199001004", "0199001005"
CELL, VOICE, HELLO = "+33639981021", 1060, 500
NEVER = {"every-day": []}


@pytest.fixture
def operator() -> str:
    """Where the operator's side listens."""
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def bureau(tmp_path: Path, operator: str) -> Any:
    """lea has lilas, ines has vauban and helps lilas after five seconds; `away` has nobody but a number outside."""
    made = Bureau.at(tmp_path, secretaries=3)
    made.bureau["trunks"][0]["host"] = operator
    made.bureau["teams"] = {"one": {"widen": [{"after": "5s", "to": "two"}]}, "two": {}, "empty": {}}
    for row, team in zip(made.bureau["secretaries"], ("one", "two", "empty"), strict=True):
        row["teams"] = {team: 1}
    other = made.sound("other", HELLO, 2)
    closed = [play("closed-tone", mode="answered"), {"hangup": "normal"}]
    lilas = [play("message"), queue(team="one")]
    made.clients = {}
    made.add(client("accueil", "+33199001009", rules=[{"name": "open", "do": [queue(team="two")]}]))
    made.add(client("lilas", f"+33{LILAS[1:]}", rules=[{"name": "open", "do": lilas}]))
    vauban = [play(other, mode="answered"), queue(team="two", music="other-music")]
    made.add(client("vauban", f"+33{VAUBAN[1:]}", rules=[{"name": "open", "do": vauban}]))
    shut = [{"name": "closed", "when": {"hours": "closed"}, "do": closed}, {"name": "open", "do": lilas}]
    made.add(client("shut", f"+33{SHUT[1:]}", hours={"mon": ["08:00-08:01"]}, rules=shut))
    forward = {"forward": {"to": CELL, "ring_for": "8s", "accept": "1"}}
    away = [play("message"), queue(team="empty", on_nobody=[forward])]
    verified = {"number": "+33261912010", "verified": True}
    made.add(client("away", f"+33{AWAY[1:]}", outgoing=verified, rules=[{"name": "open", "do": away}]))
    made.write()
    yield made
    made.tidy()


async def told(exchange: Exchange, *secretaries: str) -> None:
    """Wait until Asterisk's own queues know that these are free."""
    async with asyncio.timeout(10):
        while True:
            said = await asterisk_says(exchange.bureau, "queue show")
            rows = [row for row in said.splitlines() if "(Not in use)" in row]
            if all(any(row.split()[0] == who for row in rows) for who in secretaries):
                return
            await asyncio.sleep(0.1)


async def foretold(exchange: Exchange) -> dict[str, Any]:
    """The head of the file that the dialplan goes by, once it is there."""
    path = exchange.bureau.state / "asterisk" / "standby.jsonl"
    async with asyncio.timeout(10):
        while not path.exists():
            await asyncio.sleep(0.05)
    assert path.stat().st_mode & 0o777 == 0o600
    found: dict[str, Any] = json.loads(path.read_text().splitlines()[0])
    return found


async def test_with_autocom_dead_each_caller_is_served_as_his_clients_and_the_journal_knows(
    exchange: Exchange, operator: str
) -> None:
    bureau = exchange.bureau
    lea_account, ines_account, _ = bureau.secretaries
    async with Phones(listen=operator) as phones:
        lea = await phones.secretary(lea_account.id, lea_account.password, bureau.sip, say=VOICES[0])
        ines = await phones.secretary(ines_account.id, ines_account.password, bureau.sip, say=VOICES[1])
        cell = await phones.outside(CELL, answer_after=1.0, say=VOICE)
        await asked.are(bureau, lea="free", ines="free")
        await foretold(exchange)
        await told(exchange, "lea", "ines")
        await exchange.kill9()

        began = time.monotonic()
        first = await phones.dial(bureau.uri(LILAS), say=CALLER)
        await first.hears(MESSAGE, for_seconds=0.1)
        assert first.at("CALL_ESTABLISHED") is None, "an early message costs him nothing"
        # a second for the claim; 1.5 s in all, where the machine does nothing else
        assert time.monotonic() - began < 2.0
        leg = await lea.rings()
        assert '"Cab. Lilas · 06 39 98 01 01" <sip:+33639980101@' in leg.invite.header("From")
        assert leg.invite.header("X-Autocom-Client") == "lilas"
        assert "Cabinet lilas, bonjour." in leg.invite.header("X-Autocom-Phrase")
        assert leg.invite.header("Call-Info") == "<https://agenda.example/lilas>;purpose=info"
        await first.hears(MUSIC)
        assert ines.calls == []
        await lea.answer()
        await first.hears(VOICES[0])
        await lea.call.hears(CALLER)

        second = await phones.dial(bureau.uri(VAUBAN), "0639980102", say=CALLER)
        await second.hears(HELLO)
        leg = await ines.rings()
        assert "Cab. Vauban · 06 39 98 01 02" in leg.invite.header("From")
        await second.hears(OTHER_MUSIC)
        # lilas' team is lea alone, who talks; after five seconds it reaches ines, who is rung already
        await ines.answer()
        await second.hears(VOICES[1])

        third = await phones.dial(bureau.uri(SHUT), "0639980103")
        await third.hears(CLOSED)
        await third.closed()

        fourth = await phones.dial(bureau.uri(AWAY), "0639980104", say=CALLER)
        await fourth.hears(MESSAGE)
        leg = await cell.rings()
        assert "sip:+33261912010@" in leg.invite.header("From")
        await leg.answered()
        await asyncio.sleep(0.5)
        await leg.press("1")
        await fourth.hears(VOICE)
        await leg.hears(CALLER)

        # she is free again: the caller who waits for her team is hers
        fifth = await phones.dial(bureau.uri(LILAS), "0639980105", say=CALLER)
        await fifth.hears(MUSIC)
        await first.hangup()
        await lea.rings(2)
        await lea.answer()
        await fifth.hears(VOICES[0])
        for caller in (second, fourth, fifth):
            await caller.hangup()
        await lea.call.closed()

        await exchange.start()
        await exchange.finished_call(5)
        calls = {call["caller"][-2:]: call for call in await exchange.calls()}
        assert {call["outcome"] for call in calls.values()} == {"fallback"}
        assert {n: (c["client"], c["secretary"]) for n, c in calls.items()} == {
            "01": ("lilas", "lea"),
            "02": ("vauban", "ines"),
            "03": ("shut", None),
            "04": ("away", None),
            "05": ("lilas", "lea"),
        }
        assert [calls[n]["rule"] for n in ("01", "03")] == ["open", "closed"]
        assert calls["04"]["bridged_at"] is not None
        assert 1_000 <= calls["01"]["wait_ms"] <= 15_000
        assert calls["01"]["talk_ms"] >= 1_000
        story = await exchange.call(calls["01"]["id"])
        assert [e["kind"] for e in story["events"]] == [
            "arrived", "identified", "rule", "message_started", "message_ended", "queued", "bridged", "talk_ended", "ended",
        ]  # fmt: skip
        await oracle.each_call_ended_once(exchange)
        await oracle.nothing_is_left(exchange)


async def test_with_autocom_frozen_a_caller_hears_his_clients_message_within_2_5_s(
    exchange: Exchange,
) -> None:
    bureau = exchange.bureau
    account = bureau.secretaries[0]
    async with Phones() as phones:
        lea = await phones.secretary(account.id, account.password, bureau.sip, say=VOICES[0])
        await told(exchange, "lea")
        await foretold(exchange)
        exchange.send(signal.SIGSTOP)
        began = time.monotonic()
        caller = await phones.dial(bureau.uri(LILAS), say=CALLER)
        await caller.hears(MESSAGE, for_seconds=0.1)
        assert time.monotonic() - began < 3.0, "2.5 s, where the machine does nothing else"
        leg = await lea.rings()
        assert "Cab. Lilas" in leg.invite.header("From")
        assert leg.invite.header("X-Autocom-Call") == "", "the dialplan rings her, without us"
        await lea.answer()
        await caller.hears(VOICES[0])
        await caller.hangup()
        exchange.send(signal.SIGCONT)
        call = await exchange.finished_call(within=20)
        assert (call["client"], call["secretary"], call["outcome"]) == ("lilas", "lea", "fallback")


async def test_a_reload_and_a_logout_reach_the_fallback(exchange: Exchange) -> None:
    bureau = exchange.bureau
    lea_account, ines_account, _ = bureau.secretaries
    async with Phones() as phones:
        lea = await phones.secretary(lea_account.id, lea_account.password, bureau.sip)
        ines = await phones.secretary(ines_account.id, ines_account.password, bureau.sip)
        await asked.are(bureau, lea="free", ines="free")
        before = (await foretold(exchange))["version"]
        bureau.client("lilas")["display"] = "Lilas neufs"
        bureau.client("lilas")["rules"][0]["do"] = [queue(team="two")]
        bureau.bureau["secretaries"][0]["teams"]["two"] = 1
        bureau.write()
        await exchange.cli("reload")
        await exchange.cli("secretary", "lea", "logout")
        await told(exchange, "ines")
        async with asyncio.timeout(10):
            while (await foretold(exchange))["version"] == before:
                await asyncio.sleep(0.05)
        await exchange.kill9()
        caller = await phones.dial(bureau.uri(LILAS))
        leg = await ines.rings()
        assert "Lilas neufs · 06 39 98 01 01" in leg.invite.header("From")
        await caller.hears(MUSIC)
        assert lea.calls == []
        await caller.hangup()
        await exchange.start()
