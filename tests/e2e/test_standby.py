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
from tests.support.console import asterisk_says
from tests.support.eventually import eventually
from tests.support.exchange import Exchange
from tests.support.phones import Phones
from tests.support.ports import free_port

pytestmark = [pytest.mark.timeout(150)]
LILAS, VAUBAN, SHUT, AWAY, DUTY, BOX = (f"019900100{n}" for n in range(1, 7))
CELL, DOCTOR, VOICE, HELLO = "+33639981021", "+33639981022", 1060, 500


@pytest.fixture
def operator() -> str:
    """Where the operator's side listens."""
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def bureau(tmp_path: Path, operator: str) -> Any:
    """lea has lilas, ines has vauban and helps lilas after five seconds; `away` has nobody but a number outside, `duty`
    a doctor on call, `box` a voicemail."""
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
    by_hours = {"name": "closed", "when": {"hours": "closed"}, "do": closed}
    made.add(client("vauban", f"+33{VAUBAN[1:]}", rules=[by_hours, {"name": "open", "do": vauban}]))
    shut = [by_hours, {"name": "open", "do": lilas}]
    made.add(client("shut", f"+33{SHUT[1:]}", hours={"mon": ["08:00-08:01"]}, rules=shut))
    forward = {"forward": {"to": CELL, "ring_for": "8s", "accept": "1"}}
    away = [play("message"), queue(team="empty", on_nobody=[forward])]
    verified = {"number": "+33261912010", "verified": True}
    made.add(client("away", f"+33{AWAY[1:]}", outgoing=verified, rules=[{"name": "open", "do": away}]))
    on_call = {"order": [{"name": "Dr Guérin", "number": DOCTOR}], "ring_for": "15s", "accept": "1"}
    made.bureau["rosters"] = {"garde": on_call}
    duty = [play("message"), {"on_call": {"roster": "garde"}}]
    made.add(client("duty", f"+33{DUTY[1:]}", rules=[{"name": "night", "do": duty}]))
    box = {"voicemail": {"play": {"sound": "message"}, "mail": ["secretariat@box.example"]}}
    made.add(client("box", f"+33{BOX[1:]}", rules=[{"name": "box", "do": [box]}]))
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
    await eventually(path.exists)
    assert path.stat().st_mode & 0o777 == 0o600
    found: dict[str, Any] = json.loads(path.read_text().splitlines()[0])
    return found


async def said_of(exchange: Exchange, client: str, words: str, within: float = 10.0) -> None:
    """Wait until the dialplan is told so of the client, from now on."""
    path = exchange.bureau.state / "asterisk" / "standby.jsonl"
    async with asyncio.timeout(within):
        while True:
            (row,) = [
                row for row in map(json.loads, path.read_text().splitlines()) if row.get("client") == client
            ]
            if words in json.dumps([row["programs"][rule[2]] for rule in row["states"][row["times"][0][1]]]):
                return
            await asyncio.sleep(0.1)


@pytest.mark.fault("F1")
async def test_with_autocom_dead_each_caller_is_served_as_his_clients_and_the_journal_knows(
    exchange: Exchange, operator: str, measured: Any
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
        measured("dead: INVITE to tone", time.monotonic() - began, "s", at_most=1.5)
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
        await leg.is_spoken_to()
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


@pytest.mark.fault("F7")
async def test_with_autocom_frozen_a_caller_hears_his_clients_message_within_2_5_s(
    exchange: Exchange, measured: Any
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
        measured("frozen: INVITE to tone", time.monotonic() - began, "s", at_most=2.5)
        leg = await lea.rings()
        assert "Cab. Lilas" in leg.invite.header("From")
        assert leg.invite.header("X-Autocom-Call") == "", "the dialplan rings her, without us"
        await lea.answer()
        await caller.hears(VOICES[0])
        await caller.hangup()
        exchange.send(signal.SIGCONT)
        call = await exchange.finished_call(within=20)
        assert (call["client"], call["secretary"], call["outcome"]) == ("lilas", "lea", "fallback")


@pytest.mark.fault("F1")
async def test_a_reload_a_logout_and_overrides_reach_the_fallback_as_do_who_is_on_call_and_a_voicemail(
    exchange: Exchange, operator: str
) -> None:
    bureau = exchange.bureau
    lea_account, ines_account, _ = bureau.secretaries
    async with Phones(listen=operator) as phones:
        doctor = await phones.outside(DOCTOR, answer_after=0.5, say=VOICE)
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
        for words in (("vauban", "closed"), ("shut", "open"), ("away", "team", "two")):
            await exchange.cli("override", *words, "--until", "2h")
        await said_of(exchange, "vauban", '"closed-tone"')
        await said_of(exchange, "shut", '"message"')
        await said_of(exchange, "away", '"two"')
        await exchange.kill9()
        caller = await phones.dial(bureau.uri(LILAS))
        leg = await ines.rings()
        assert "Lilas neufs · 06 39 98 01 01" in leg.invite.header("From")
        await caller.hears(MUSIC)
        assert lea.calls == []
        await caller.hangup()

        rung = len(ines.calls)
        closed = await phones.dial(bureau.uri(VAUBAN), "0639980102")
        await closed.hears(CLOSED)
        await closed.closed()
        assert len(ines.calls) == rung, "a lead closed it: nobody is rung"
        opened = await phones.dial(bureau.uri(SHUT), "0639980103")
        await opened.hears(MESSAGE)
        moved = await phones.dial(bureau.uri(AWAY), "0639980104", say=CALLER)
        await moved.hears(MUSIC)
        await ines.rings(rung + 1)
        await ines.answer()
        await ines.call.hears(CALLER)
        for leg in (opened, moved):
            await leg.hangup()

        urgent = await phones.dial(bureau.uri(DUTY), "0639980105", say=CALLER)
        await urgent.hears(MESSAGE)
        leg = await doctor.rings()
        await leg.answered()
        await leg.is_spoken_to()
        await leg.press("1")
        await urgent.hears(VOICE)
        await leg.hears(CALLER)
        await urgent.hangup()
        late = await phones.dial(bureau.uri(BOX), "0639980106")
        await late.answered()
        await late.closed()

        await exchange.start()
        await exchange.finished_call(6)
        calls = {call["caller"][-2:]: call for call in await exchange.calls()}
        assert {n: (c["client"], c["rule"], c["secretary"], c["outcome"]) for n, c in calls.items()} == {
            "01": ("lilas", "open", None, "fallback"),
            "02": ("vauban", "closed", None, "fallback"),
            "03": ("shut", "open", None, "fallback"),
            "04": ("away", "open", "ines", "fallback"),
            "05": ("duty", "night", None, "fallback"),
            "06": ("box", "box", None, "fallback"),
        }
        assert calls["05"]["bridged_at"] is not None
        heard = (await exchange.call(calls["06"]["id"]))["events"]
        assert [e["kind"] for e in heard if e["kind"].startswith("message")] == [
            "message_started",
            "message_ended",
        ]
        await oracle.each_call_ended_once(exchange)
        await oracle.nothing_is_left(exchange)
