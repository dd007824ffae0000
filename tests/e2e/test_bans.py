"""Guessing passwords at the real Asterisk: who guesses is shut out, and nobody else is."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from autocom.core.bans import FAILURES
from tests.support import asked
from tests.support.bureau import Bureau
from tests.support.eventually import eventually
from tests.support.exchange import Exchange
from tests.support.sip_phone import SipLine, SipPhone
from tests.support.sip_text import SipMessage

pytestmark = [pytest.mark.timeout(120)]
DOCKER = Path(__file__).resolve().parents[2] / "docker" / "fail2ban"
GOOD, GUESSER, FORGED, OFFICE, CRASHER = (f"127.0.0.{n}" for n in range(11, 16))
WITHIN = 20.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def exchange(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Exchange]:
    bureau = Bureau.at(tmp_path_factory.mktemp("bans"), secretaries=2)
    async with Exchange(bureau) as running:
        yield running


async def heard_of(exchange: Exchange) -> None:
    """Wait until AMI tells of logins: at the start, that is a moment later than calls are taken."""
    lea = exchange.bureau.secretaries[0]
    async with SipPhone(exchange.bureau.sip, lea.id, lea.password, GOOD):
        await asked.are(exchange.bureau, lea="free")


async def guess(sip: str, address: str, user: str, times: int) -> None:
    """Whole digest exchanges with a wrong password."""
    async with SipPhone(sip, user, "wrong", address, registers=False) as phone:
        for _ in range(times):
            with pytest.raises(AssertionError, match="may not register"):
                await phone.register()


async def banned(exchange: Exchange) -> dict[str, dict[str, Any]]:
    return {row["address"]: row for row in json.loads(await exchange.cli("bans", "--json"))}


async def until_answered(sip: str, address: str, status: int) -> SipMessage:
    """Ask with OPTIONS until this is the answer."""
    async with asyncio.timeout(WITHIN):
        while True:
            async with SipLine(sip, address) as line:
                call_id = secrets.token_hex(8)
                line.send(
                    line.request("OPTIONS", f"sip:{sip}", frm="<sip:x@nowhere.example>", call_id=call_id)
                )
                answer = await line.wait_for(lambda m, c=call_id: m.call_id == c and (m.status or 0) >= 200)
                if answer.status == status:
                    return answer
            await asyncio.sleep(0.1)


async def test_who_guesses_passwords_is_shut_out_and_the_call_in_talk_and_the_good_phone_stay(
    exchange: Exchange,
) -> None:
    bureau = exchange.bureau
    lea, ines = bureau.secretaries
    async with (
        SipPhone(bureau.sip, lea.id, lea.password, GOOD) as phone,
        SipLine(bureau.sip) as caller,
    ):
        phone.answer = 200
        await asked.are(bureau, lea="free")
        early = await caller.invite("0199001001", frm="<sip:0639980101@operator.example>")
        assert (early.status or 0) < 300
        answer = await caller.wait_for(lambda m: m.status == 200 and m.cseq_method == "INVITE")
        await asked.are(bureau, lea="talking")

        # half of them for a name that is nobody's: it is told apart by nothing
        await guess(bureau.sip, GUESSER, ines.id, FAILURES // 2)
        await guess(bureau.sip, GUESSER, "nobody", FAILURES // 2)
        await until_answered(bureau.sip, GUESSER, 403)
        assert GUESSER in (rows := await banned(exchange))
        assert not {GOOD, "127.0.0.1"} & set(rows)
        async with SipPhone(bureau.sip, ines.id, ines.password, GUESSER, registers=False) as right_at_last:
            with pytest.raises(AssertionError, match="403"):
                await right_at_last.register()

        await asked.are(bureau, lea="talking")  # the reload cost no call
        await phone.register()
        async with SipPhone(bureau.sip, ines.id, ines.password, OFFICE):
            await asked.are(bureau, ines="free")
        assert not any(m.method == "BYE" for m in (*phone.received, *caller.received))
        caller.end(answer)
        await asked.until(bureau, lambda s: s["calls"] == 0)


async def test_the_line_that_fail2ban_reads_is_the_line_that_is_written(exchange: Exchange) -> None:
    await heard_of(exchange)
    await guess(exchange.bureau.sip, "127.0.0.21", "lea", 1)
    conf = (DOCKER / "filter.d" / "autocom.conf").read_text()
    line = re.search(r"^failregex = (.+)$", conf, re.MULTILINE)
    assert line is not None
    regex = re.compile(line[1].replace("<SUBNET>", r"(?P<host>[0-9a-fA-F.:]+)"))
    await eventually(lambda: "127.0.0.21" in exchange.output, "127.0.0.21 in the log", WITHIN)
    found = [match["host"] for text in exchange.output.splitlines() if (match := regex.match(text))]
    assert "127.0.0.21" in found
    assert all(address.startswith("127.0.0.") for address in found)
    assert "0639980101" not in "".join(text for text in exchange.output.splitlines() if regex.match(text))


async def forge(sip: str, address: str, times: int) -> None:
    """Wrong answers to a challenge that was never seen, as who forges his sender sends them."""
    uri = f"sip:{sip}"
    async with SipLine(sip, address) as line:
        token = (
            f'Authorization: Digest username="lea", realm="autocom", nonce="1790000000/{"0" * 32}", uri="{uri}", '
            f'response="{"0" * 32}", algorithm=MD5, qop=auth, nc=00000001, cnonce="x"'
        )
        for _ in range(times):
            line.send(
                line.request("REGISTER", uri, frm="<sip:lea@x>", to="<sip:lea@x>", headers=(token,)).encode()
            )
        await line.wait_for(lambda m: m.status == 401, nth=times)


async def test_a_forged_sender_silences_neither_a_secretary_nor_the_operator(exchange: Exchange) -> None:
    bureau = exchange.bureau
    ines = bureau.secretaries[1]
    async with SipPhone(bureau.sip, ines.id, ines.password, OFFICE) as phone:
        await asked.are(bureau, ines="free")
        for address in (OFFICE, "127.0.0.1"):
            await forge(bureau.sip, address, 3 * FAILURES)
        # an invented nonce is a way to guess: Asterisk tells by `stale` when the password was right
        await forge(bureau.sip, FORGED, FAILURES)
        await until_answered(bureau.sip, FORGED, 403)  # what came before was heard, too
        assert FORGED in (rows := await banned(exchange))
        assert not {OFFICE, "127.0.0.1"} & set(rows)
        await phone.register()
        async with SipLine(bureau.sip) as caller:
            early = await caller.invite("0199001001", frm="<sip:0639980102@operator.example>")
            assert (early.status or 0) < 300
            caller.end(early)
        await asked.until(bureau, lambda s: s["calls"] == 0)


async def test_an_address_from_which_a_phone_proved_itself_is_not_shut_out(exchange: Exchange) -> None:
    bureau = exchange.bureau
    ines = bureau.secretaries[1]
    async with SipPhone(bureau.sip, ines.id, ines.password, OFFICE):
        await asked.are(bureau, ines="free")
        await guess(bureau.sip, OFFICE, "lea", 2 * FAILURES)
        assert OFFICE not in await banned(exchange)
        await until_answered(bureau.sip, OFFICE, 401)


async def test_bans_outlive_a_crash_of_ours_and_end_by_command(exchange: Exchange) -> None:
    await heard_of(exchange)
    await guess(exchange.bureau.sip, CRASHER, "lea", FAILURES)
    await until_answered(exchange.bureau.sip, CRASHER, 403)
    await exchange.kill9()
    await exchange.start()
    assert CRASHER in await banned(exchange)
    await until_answered(exchange.bureau.sip, CRASHER, 403)

    assert CRASHER in await exchange.cli("bans")
    await exchange.cli("bans", "clear", CRASHER)
    assert CRASHER not in await banned(exchange)
    await until_answered(exchange.bureau.sip, CRASHER, 401)
    again = await exchange.run("bans", "clear", CRASHER)
    assert again.returncode == 1
    assert "not banned" in again.stderr
    nonsense = await exchange.run("bans", "clear", "../x y\n")
    assert nonsense.returncode == 1
