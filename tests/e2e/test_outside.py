"""Forwards and rosters on the real Asterisk: the operator's side is a SIP stack of its own, the called
people's phones among it. S16 to S19 of the domain study, told by tones, by the wire and by the journal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.bureau import CALLER, CLOSED, MUSIC, Bureau, client, play, queue
from tests.support.exchange import Exchange
from tests.support.phones import Phones
from tests.support.ports import free_port

pytestmark = [pytest.mark.timeout(120)]
FORWARDED, ON_CALL, OPEN, SHOWN = "0199001001", "0199001002", "0199001003", "0199001004"
CELL, SECOND, LEAD = "+33639981021", "+33639981022", "+33639981029"
VOICE, OTHER_VOICE = 1060, 1270


@pytest.fixture
def operator() -> str:
    """Where the operator's side listens."""
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def bureau(bureau: Bureau, operator: str) -> Bureau:
    """One client whose calls are forwarded, one with a roster, one that is a number of ours."""
    bureau.bureau["trunks"][0]["host"] = operator
    bureau.bureau["rosters"] = {
        "plumbers": {
            "order": [{"name": "First", "number": CELL}, {"name": "Second", "number": SECOND}],
            "ring_for": "3s",
            "rounds": 2,
            "fallback": {"name": "Lead", "number": LEAD},
        }
    }
    forward = {"forward": {"to": CELL, "ring_for": "8s", "accept": "1"}}
    bureau.add(
        client(
            "lilas",
            f"+33{FORWARDED[1:]}",
            outgoing={"number": "+33261912010", "verified": True},
            rules=[
                # its music is what a forwarded caller hears
                {"name": "queue", "when": {"caller": ["+33199006666"]}, "do": [queue()]},
                {"name": "open", "do": [forward, play("closed-tone")]},
            ],
        )
    )
    roster: list[dict[str, Any]] = [{"on_call": {"roster": "plumbers"}}]
    bureau.add(client("azur", f"+33{ON_CALL[1:]}", rules=[{"name": "urgent", "do": roster}]))
    bureau.add(client("vauban", f"+33{OPEN[1:]}"))
    bureau.write()
    return bureau


def results(story: dict[str, Any]) -> list[tuple[str, str]]:
    """Who was rung, and what became of it."""
    numbers = {e["leg"]: e["number"] for e in story["events"] if e["kind"] == "forward_started"}
    return [(numbers[e["leg"]], e["result"]) for e in story["events"] if e["kind"] == "forward_ended"]


async def test_s16_a_key_joins_the_caller_and_the_called_person_and_both_hear_each_other(
    exchange: Exchange, operator: str
) -> None:
    async with Phones(listen=operator) as phones:
        cell = await phones.outside(CELL, answer_after=2.0, say=VOICE)
        caller = await phones.dial(exchange.bureau.uri(FORWARDED), say=CALLER)
        leg = await cell.rings()
        assert "Cab. Lilas" in leg.invite.header("From")
        assert "sip:+33261912010@" in leg.invite.header("From")
        assert not [line for line in str(leg.invite.text).splitlines() if line.startswith("X-Autocom")]
        await caller.hears(MUSIC)
        await leg.answered()
        await leg.is_spoken_to()
        await asyncio.sleep(1.0)  # she listens to what she is asked; the caller hears nothing of it
        assert caller.at("CALL_ESTABLISHED") is None, "he pays nothing until somebody takes the call"
        assert caller.heard() == [(MUSIC,)]
        await leg.press("1")
        await caller.hears(VOICE)
        await leg.hears(CALLER)
        assert caller.at("CALL_ESTABLISHED") is not None
        await asyncio.sleep(1)
        await leg.hangup()
        await caller.closed()
        assert max((gap.seconds for gap in caller.gaps()), default=0.0) < 0.5
        call = await exchange.finished_call()
    assert (call["outcome"], call["client"], call["secretary"]) == ("forwarded", "lilas", None)
    assert 900 < call["talk_ms"] < 4000
    story = await exchange.call(call["id"])
    kinds = [event["kind"] for event in story["events"]]
    for kind in ("forward_started", "forward_ringing", "forward_answered", "forward_accepted", "patched"):
        assert kind in kinds, kind
    assert [e["by"] for e in story["events"] if e["kind"] == "patch_ended"] == ["outside"]
    assert "patch" in {s["kind"] for s in story["segments"]}


async def test_s17_and_s19_a_voicemail_takes_nobody_and_everybody_has_his_turns_until_the_lead_takes_it(
    exchange: Exchange, operator: str
) -> None:
    async with Phones(listen=operator) as phones:
        voicemail = await phones.outside(CELL, answer_after=0.3, say=OTHER_VOICE)
        second = await phones.outside(SECOND)
        lead = await phones.outside(LEAD, answer_after=0.5, say=VOICE)
        caller = await phones.dial(exchange.bureau.uri(ON_CALL), say=CALLER)
        picked_up = await (await voicemail.rings()).answered()
        rung = await second.rings()
        assert rung.born - (voicemail.call.born + picked_up) < 12.0
        voicemail.answer_after = None  # the next time it is a telephone that nobody hears
        await second.rings(nth=2, within=15)
        assert len(voicemail.calls) == 2
        leg = await lead.rings()
        await leg.answered()
        await leg.is_spoken_to()
        await leg.press("1")
        await caller.hears(VOICE)
        await leg.hears(CALLER)
        assert (OTHER_VOICE,) not in caller.heard(), "the voicemail heard nobody and nobody heard it"
        assert max((gap.seconds for gap in caller.gaps()), default=0.0) < 0.5
        await caller.hangup()
        await leg.closed()
        call = await exchange.finished_call()
    assert call["outcome"] == "forwarded"
    assert results(await exchange.call(call["id"])) == [
        (CELL, "not_accepted"),
        (SECOND, "no_answer"),
        (CELL, "no_answer"),
        (SECOND, "no_answer"),
    ]


async def test_s18_a_number_that_is_diverted_to_us_is_refused_at_the_door_and_the_caller_goes_on(
    exchange: Exchange, operator: str
) -> None:
    bureau = exchange.bureau
    async with Phones(listen=operator) as phones:
        cell = await phones.outside(CELL)
        caller = await phones.dial(bureau.uri(FORWARDED), say=CALLER)
        leg = await cell.rings()
        back = await phones.dial(
            bureau.uri(OPEN),
            "0261912010",
            headers={"Diversion": f"<sip:{CELL}@operator.example>;reason=unconditional"},
        )
        assert (await back.closed()).startswith("486")
        await leg.closed()
        await caller.hears(CLOSED)
        await caller.closed()
        await exchange.finished_call(2)
        calls = {call["client"]: call for call in await exchange.calls()}
    assert (calls["vauban"]["outcome"], "loop" in calls["vauban"]["flags"]) == ("rejected", True)
    assert results(await exchange.call(calls["lilas"]["id"])) == [(CELL, "loop")]
    assert calls["lilas"]["outcome"] == "nobody"


async def test_a_phone_rung_outside_survives_kill_9_and_is_joined_by_the_next_start(
    exchange: Exchange, operator: str, bureau: Bureau
) -> None:
    async with Phones(listen=operator) as phones:
        cell = await phones.outside(CELL, say=VOICE)
        caller = await phones.dial(bureau.uri(FORWARDED), say=CALLER)
        leg = await cell.rings()
        await caller.hears(MUSIC)
        await exchange.kill9()
        await exchange.start()
        await cell.answer()
        await leg.answered()
        await leg.is_spoken_to()
        await leg.press("1")
        await caller.hears(VOICE)
        await leg.hears(CALLER)
        assert len(cell.calls) == 1, "nobody is rung twice"
        await caller.hangup()
        await leg.closed()
        call = await exchange.finished_call()
    assert call["outcome"] == "forwarded"


async def test_the_callers_number_may_be_shown_and_the_last_channels_stay_free_for_callers(
    bureau: Bureau, operator: str, start_exchange: Callable[..., Any]
) -> None:
    bureau.bureau["trunks"][0]["max_calls"] = 4
    as_caller = {"forward": {"to": SECOND, "present": "caller"}}
    bureau.add(client("ferrand", f"+33{SHOWN[1:]}", rules=[{"name": "open", "do": [as_caller]}]))
    bureau.write()
    exchange = await start_exchange(bureau)
    async with Phones(listen=operator) as phones:
        cell, second = await phones.outside(CELL), await phones.outside(SECOND)
        for number, shown in (("0639980101", "sip:+33639980101@"), ("anonymous", "sip:anonymous@")):
            caller = await phones.dial(bureau.uri(SHOWN), number)
            leg = await second.rings(len(second.calls) + 1)
            assert shown in leg.invite.header("From")
            assert "+33" not in leg.invite.header("P-Asserted-Identity") or shown != "sip:anonymous@"
            await caller.hangup()
            await leg.closed()
        await phones.dial(bureau.uri(FORWARDED), say=CALLER)
        await cell.rings()
        other = await phones.dial(bureau.uri(FORWARDED), "0639980102")
        await other.hears(CLOSED)
        assert len(cell.calls) == 1
        await other.closed()
        call = next(c for c in await exchange.calls() if c["caller"] == "+33639980102")
    assert results(await exchange.call(call["id"])) == [(CELL, "no_line")]
