"""What secretaries dial, on the real Asterisk: colleagues, numbers outside, and what is refused. The operator's side
is a SIP stack of its own; the far ends are told by their tones, numbers and causes by what stood on the wire.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.support import PATIENCE, tones
from tests.support.announcer import Announcer
from tests.support.bureau import CALLER, Bureau, client
from tests.support.exchange import Exchange
from tests.support.phones import Phones
from tests.support.ports import free_port
from tests.support.sip_phone import SipPhone, digest
from tests.support.sip_text import SipMessage

pytestmark = [pytest.mark.timeout(120)]
CELL, OTHER, SECOND = "+33639981021", "+33639981022", "+33639981023"
VOICE, OTHER_VOICE = 1060, 1270


@pytest.fixture
def operator() -> str:
    """Where the operator's side listens."""
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def bureau(bureau: Bureau, operator: str) -> Bureau:
    """A client whose number is verified, and one whose number is not."""
    bureau.bureau["trunks"][0]["host"] = operator
    bureau.client("lilas").update(code="12", outgoing={"number": "+33261912010", "verified": True})
    bureau.add(client("azur", "+33199001002", code="34", outgoing={"number": "+33261912020"}))
    bureau.write()
    return bureau


async def refusals(exchange: Exchange) -> list[tuple[str, str]]:
    """What was refused and why, of the calls that the journal has."""
    found = []
    for row in reversed(await exchange.calls()):
        story = await exchange.call(row["id"])
        found += [(e["dialled"], e["why"]) for e in story["events"] if e["kind"] == "call_refused"]
    return found


async def test_a_colleague_is_called_and_both_hear_each_other(exchange: Exchange) -> None:
    bureau = exchange.bureau
    lea, ines = bureau.secretaries
    async with Phones() as phones:
        hers = await phones.secretary(lea.id, lea.password, bureau.sip, say=lea.voice)
        other = await phones.secretary(ines.id, ines.password, bureau.sip, say=ines.voice)
        call = await hers.dial(bureau.uri(ines.extension))
        leg = await other.rings()
        assert leg.invite.from_display == bureau.bureau["secretaries"][0]["name"]
        assert f"sip:{lea.extension}@" in leg.invite.header("From")
        await call.until("CALL_RINGING")
        await other.answer()
        await call.hears(ines.voice)
        await leg.hears(lea.voice)
        busy = await phones.dial(bureau.uri("0199001001"), say=CALLER)
        await asyncio.sleep(1.0)
        assert len(hers.calls) + len(other.calls) == 1, "both are in a call: the queue offers nothing"
        await busy.hangup()
        await leg.press("*5")  # she who was called can do with the call what who dialled can
        await exchange.until_status(lambda state: any(s["held_by"] for s in state["secretaries"]))
        await asyncio.sleep(0.8)
        newest = call.newest(4000, time.monotonic())
        assert len(newest) == 4000, "the house's music"
        assert not tones.heard(newest, at_least=0.2), "no voice"
        aside = await exchange.run("secretary", "lea", "hold")
        assert (aside.returncode, aside.stderr.strip()) == (
            1,
            "autocom: her colleague has somebody on hold, or somebody else with her",
        )
        await exchange.cli("secretary", "ines", "resume")
        await call.hears(ines.voice)
        await call.hangup()
        await leg.closed()
        await exchange.finished_call(2)
        (line,) = (await exchange.cli("calls", "--json", "--direction", "internal")).splitlines()
        found = json.loads(line)
        assert len(await exchange.calls("in")) == 1
        itself = await hers.dial(bureau.uri(lea.extension))
        assert (await itself.closed()).startswith("486")
        hers_alone = await hers.dial(bureau.uri("299"))
        await hers_alone.closed()
        await other.offline()
        away = await hers.dial(bureau.uri(ines.extension))
        assert (await away.closed()).startswith("480")
    assert (found["direction"], found["outcome"], found["secretary"]) == ("internal", "served", "lea")
    assert 500 < found["talk_ms"] < 6000


async def test_a_number_outside_hears_her_and_sees_the_number_that_may_be_shown(
    exchange: Exchange, operator: str
) -> None:
    bureau = exchange.bureau
    lea, _ = bureau.secretaries
    async with Phones(listen=operator) as phones:
        cell = await phones.outside(CELL, answer_after=0.5, say=VOICE)
        hers = await phones.secretary(lea.id, lea.password, bureau.sip, say=lea.voice)
        for nth, (dialled, shown) in enumerate(
            [
                ("0639981021", "+33199001000"),
                ("*912*0639981021", "+33261912010"),
                ("*934*+33639981021", "+33199001000"),
            ],
            start=1,
        ):
            call = await hers.dial(bureau.uri(dialled))
            leg = await cell.rings(nth)
            assert f"sip:{shown}@" in leg.invite.header("From")
            assert f"sip:{shown}@" in leg.invite.header("P-Asserted-Identity")
            assert not [line for line in str(leg.invite.text).splitlines() if line.startswith("X-Autocom")]
            await call.hears(VOICE)
            await leg.hears(lea.voice)
            await (call if nth == 2 else leg).hangup()
            await call.closed()
            await leg.closed()
        await exchange.finished_call(3)
        rows = await exchange.calls("out")
    assert [(r["client"], r["outcome"], r["secretary"], r["caller"]) for r in rows] == [
        ("azur", "served", "lea", CELL),
        ("lilas", "served", "lea", CELL),
        (None, "served", "lea", CELL),
    ]
    assert [r["did"] for r in rows] == ["+33199001000", "+33261912010", "+33199001000"]


async def test_what_the_operator_says_before_the_answer_is_heard_and_its_causes_reach_her_phone(
    exchange: Exchange, operator: str
) -> None:
    bureau = exchange.bureau
    lea, _ = bureau.secretaries
    async with Phones() as phones, Announcer(operator) as far:
        hers = await phones.secretary(lea.id, lea.password, bureau.sip, say=lea.voice)
        far.says = VOICE
        call = await hers.dial(bureau.uri("0639981021"))
        await call.hears(VOICE)
        assert call.at("CALL_ESTABLISHED") is None, "she is not answered before he is"
        far.finish(404)
        assert (await call.closed()).startswith("404")
        assert 183 in call.statuses
        far.says = None
        for status in (486, 480, 503):
            far.ends = (0.2, status)
            call = await hers.dial(bureau.uri("0639981021"))
            assert (await call.closed()).startswith(str(status))
        await exchange.finished_call(4)
        outcomes = [row["outcome"] for row in await exchange.calls()]
    assert outcomes == ["failed", "timeout", "failed", "failed"]


async def test_what_may_not_be_dialled_is_said_journalled_and_never_leaves(
    exchange: Exchange, operator: str
) -> None:
    bureau = exchange.bureau
    lea, _ = bureau.secretaries
    refused = {
        "15": "emergency",
        "+3315": "emergency",
        "0899123456": "premium",
        "*912*3615": "premium",
        "+8816123456789": "satellite",
        "0041221234567": "international",
        "*999*0639981021": "no_client",
    }
    async with Phones() as phones, Announcer(operator) as far:
        hers = await phones.secretary(lea.id, lea.password, bureau.sip, say=lea.voice)
        await exchange.free(lea.id)  # from here on it is told what the dialplan refuses by itself
        for dialled in refused:
            call = await hers.dial(bureau.uri(dialled))
            await call.answered()
            await call.is_spoken_to()  # and told why
            await call.hangup()
            await call.closed()
        assert far.invites == []
        await exchange.finished_call(len(refused))
        assert sorted(await refusals(exchange)) == sorted(refused.items())
        told = await exchange.run("call", (await exchange.calls())[0]["id"])
        assert "*999*0639981021" in told.stdout


async def test_by_a_program_her_phone_rings_first_and_shows_whom_it_calls(
    exchange: Exchange, operator: str
) -> None:
    bureau = exchange.bureau
    lea, _ = bureau.secretaries
    async with Phones(listen=operator) as phones:
        cell = await phones.outside(CELL, answer_after=0.5, say=VOICE)
        missing = await exchange.run("call-out", "--as", "lea", "06 39 98 10 21")
        assert missing.returncode == 1
        assert "not registered" in missing.stderr
        hers = await phones.secretary(lea.id, lea.password, bureau.sip, say=lea.voice)
        await exchange.until_status(
            lambda state: any(row["id"] == "lea" and row["registered"] for row in state["secretaries"])
        )
        out = await exchange.cli("call-out", "--client", "lilas", "--as", "lea", "06 39 98 10 21")
        assert "lea" in out
        leg = await hers.rings()
        assert "06 39 98 10 21" in leg.invite.from_display
        assert cell.calls == [], "nobody is called before she picks up"
        await hers.answer()
        far = await cell.rings()
        assert "sip:+33261912010@" in far.invite.header("From")
        await leg.hears(VOICE)
        await far.hears(lea.voice)
        await leg.hangup()
        await far.closed()
        found = await exchange.finished_call()
        barred = await exchange.run("call-out", "--as", "lea", "0899123456")
        assert barred.returncode == 1
        assert len(cell.calls) == 1
    assert (found["direction"], found["client"], found["outcome"]) == ("out", "lilas", "served")


async def test_a_stolen_password_calls_two_at_a_time_three_an_hour_and_nowhere_dear(
    bureau: Bureau, operator: str, start_exchange: Any
) -> None:
    bureau.bureau["outgoing"] = {"per_secretary": {"at_once": 2, "per_hour": 3, "minutes_a_day": 60}}
    bureau.settings["AUTOCOM_DRAIN"] = "0s"  # the thief never hangs up
    bureau.write()
    exchange = await start_exchange(bureau)
    lea, _ = bureau.secretaries
    crafted = [
        "0033899123456", "00881612345678", "*72", "%23", "201%40evil", "8NN%3Bfoo", "0639981021%26PJSIP",
        "+33639981021%2Ctrunk", "%24%7BEXTEN%7D", "0" * 300, "%C0%80", "*912*0639981021*0639981022",
        "1%0D%0A0639981021", "s", "h", "i", "t",
    ]  # fmt: skip
    async with Announcer(operator) as far, SipPhone(bureau.sip, lea.id, lea.password) as thief:
        for dialled in crafted:
            await attempt(thief, lea.password, dialled)
        assert far.invites == []
        for nth, number in enumerate(("0639981021", "0639981022"), start=1):
            await attempt(thief, lea.password, number, hang_up=False)
            await far.invited(nth)
        await attempt(thief, lea.password, "0639981023", hang_up=False)
        async with asyncio.timeout(PATIENCE):
            while "limit" not in {why for _, why in await refusals(exchange)}:
                await asyncio.sleep(0.1)
        assert len(far.invites) == 2, "a third at the same time"
        far.pick_up()
    assert {why for _, why in await refusals(exchange)} >= {"premium", "satellite", "unknown", "limit"}


async def attempt(thief: SipPhone, password: str, dialled: str, *, hang_up: bool = True) -> None:
    """Dial with her password, whatever the bytes; end the call at once if it begins."""
    uri = f"sip:{dialled}@{thief.server}"
    me = f"<sip:{thief.user}@{thief.address}>"
    call_id = f"thief-{len(thief.sent)}@{thief.address}"
    body = thief.silent_sdp()

    def answers(to: str) -> Callable[[SipMessage], bool]:
        return lambda m: m.call_id == call_id and (m.status or 0) > 100 and m.header("CSeq") == to

    thief.send(thief.request("INVITE", uri, frm=me, call_id=call_id, body=body))
    first = await thief.wait_for(answers("1 INVITE"))
    if first.status != 401:
        return
    thief.end(first)
    token = digest(first.header("WWW-Authenticate"), "INVITE", uri, thief.user, password)
    known = (f"Authorization: {token}",)
    thief.send(thief.request("INVITE", uri, frm=me, call_id=call_id, cseq=2, headers=known, body=body))
    invite = thief.sent[-1]
    try:
        answer = await thief.wait_for(answers("2 INVITE"))
    except AssertionError as error:
        raise AssertionError(f"{dialled}: {error}") from error
    status = answer.status or 0
    if 200 <= status < 300:
        thief.send(thief._in_dialog("ACK", uri, invite, answer.header("To"), 2))
        if hang_up:
            thief.send(thief._in_dialog("BYE", uri, invite, answer.header("To"), 3))
    elif status >= 300 or hang_up:
        method, branch = ("ACK", invite) if status >= 300 else ("CANCEL", invite)
        tag = re.search(r"branch=([^;\s]+)", branch.header("Via"))
        assert tag is not None
        to = answer.header("To") if status >= 300 else invite.header("To")
        thief.send(thief._in_dialog(method, uri, invite, to, 2, tag[1]))
