"""The main job from outside: real Asterisk, real PostgreSQL, real SIP clients, audio told by its tones.

The scenarios are those of the trade (S1 to S23 of the domain study); each reads what the caller heard,
what the softphone showed before it was picked up, and what the journal says afterwards.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from tests.support.bureau import CALLER, CLOSED, MESSAGE, MUSIC, UNKNOWN, VOICES, Bureau, client, play, queue
from tests.support.exchange import Exchange
from tests.support.phones import Phones, Softphone
from tests.support.sip_phone import SipLine

pytestmark = [pytest.mark.timeout(120)]
DID = "0199001001"


async def secretary(phones: Phones, bureau: Bureau, index: int = 0, **habits: Any) -> Softphone:
    """The softphone of the bureau's secretary number `index`, speaking her tone."""
    account = bureau.secretaries[index]
    return await phones.secretary(account.id, account.password, bureau.sip, say=account.voice, **habits)


async def test_a_caller_hears_message_music_and_secretary_and_she_hears_him(exchange: Exchange) -> None:
    bureau = exchange.bureau
    async with Phones() as phones:
        lea = await secretary(phones, bureau, answer_after=4.0)
        await exchange.free("lea")
        caller = await phones.dial(
            bureau.uri(DID),
            say=CALLER,
            headers={"Diversion": "<sip:0261912010@operator.example>;reason=unconditional"},
        )
        await caller.hears(MESSAGE)
        assert caller.at("CALL_ESTABLISHED") is None, "the message is heard before the call is answered"
        await caller.hears(MUSIC)
        assert caller.at("CALL_ESTABLISHED") is None
        await caller.hears(VOICES[0])
        leg = await lea.rings()
        await leg.hears(CALLER)
        assert (await exchange.status())["secretaries"][0]["state"] == "talking"
        await asyncio.sleep(1)
        await caller.hangup()
        await leg.closed()
        assert caller.heard()[:3] == [(MESSAGE,), (MUSIC,), (VOICES[0],)]
        assert max(gap.seconds for gap in caller.gaps()) < 0.5
        call = await exchange.finished_call()
    assert call["outcome"] == "served"
    assert call["secretary"] == "lea"
    assert call["client"] == "lilas"
    assert call["did"] == "+33199001001"
    assert call["caller"] == "+33639980101"
    assert (call["forwarded_from"], call["forward_reason"]) == ("+33261912010", "unconditional")
    assert call["rule"] == "open"
    assert call["offers"] == 1
    assert 3500 < call["wait_ms"] < 5500
    assert 1000 < call["talk_ms"] < 6000
    story = await exchange.call(call["id"])
    kinds = [event["kind"] for event in story["events"]]
    for kind in (
        "arrived",
        "identified",
        "rule",
        "queued",
        "message_started",
        "offered",
        "ringing",
        "bridged",
        "ended",
    ):
        assert kind in kinds, kind
    quality: dict[str, Any] = {}
    while len(quality) < 2:  # Asterisk tells it about when the legs end; the test's time limit ends the wait
        events = (await exchange.call(call["id"]))["events"]
        quality = {e["leg"].partition("-")[0]: e for e in events if e["kind"] == "quality"}
    # loosely: a starved test machine sends late, and what comes late is counted as lost
    assert all(q["received"] > 50 and 0 <= q["lost_percent"] < 20 for q in quality.values()), quality
    assert sorted(s["kind"] for s in story["segments"]) == ["message", "ringing", "talk", "waiting"]


async def test_the_softphone_shows_everything_before_it_is_picked_up(exchange: Exchange) -> None:
    bureau = exchange.bureau
    async with Phones() as phones:
        lea = await secretary(phones, bureau)
        await exchange.free("lea")
        caller = await phones.dial(bureau.uri(DID))
        invite = (await lea.rings()).invite
        assert "Cab. Lilas · 06 39 98 01 01" in invite.header("From")
        assert "sip:+33639980101@" in invite.header("From")
        assert invite.header("Alert-Info")
        assert "https://agenda.example/lilas" in invite.header("Call-Info")
        assert invite.header("X-Autocom-Client") == "lilas"
        assert invite.header("X-Autocom-Phrase") == '"Cabinet lilas, bonjour."'
        assert invite.header("X-Autocom-Call")
        await caller.hangup()
        call = await exchange.finished_call()
        assert call["id"] == invite.header("X-Autocom-Call")
        assert (call["outcome"], call["cause"]) == ("abandoned", "short")
        assert [leg.missed for leg in lea.calls] == [True], "a caller who gave up is a missed call"


async def test_s1_a_message_that_must_be_heard_in_answered_mode_while_phones_ring(
    bureau: Bureau, start_exchange: Any
) -> None:
    bureau.client("lilas")["rules"][0]["do"] = [play("message", mode="answered", must_hear=True), queue()]
    bureau.write()
    exchange = await start_exchange(bureau)
    async with Phones() as phones:
        lea = await secretary(phones, bureau, answer_after=0.5)
        await exchange.free("lea")
        caller = await phones.dial(bureau.uri(DID), say=CALLER)
        await caller.hears(MESSAGE)
        assert caller.at("CALL_ESTABLISHED") is not None
        await caller.hears(VOICES[0], for_seconds=0.8)
        assert caller.heard() == [(MESSAGE,), (VOICES[0],)]
        message = next(run for run in caller.timeline() if run.chord == (MESSAGE,))
        assert message.seconds > 1.8, "the two-second message was cut"
        assert lea.call.at("CALL_ESTABLISHED") is not None
        await caller.hangup()
        assert (await exchange.finished_call())["outcome"] == "served"


async def test_s2_a_trunk_whose_did_is_in_the_to_header(bureau: Bureau, start_exchange: Any) -> None:
    bureau.bureau["trunks"] = [{"id": "operator", "match": ["127.0.0.1"], "did_in": "to"}]
    bureau.add(client("vauban", "+33199001002"))
    bureau.write()
    exchange = await start_exchange(bureau)
    async with SipLine(bureau.sip) as line:
        line.send(
            line.request(
                "INVITE",
                f"sip:trunkline@{bureau.sip}",
                frm="<sip:0639980101@operator.example>",
                to="<sip:0033199001002@operator.example>",
                body=line.silent_sdp(),
            )
        )
        answer = await line.wait_for(lambda m: (m.status or 0) > 100)
        line.end(answer)
        call = await exchange.finished_call()
        assert (call["client"], call["did"]) == ("vauban", "+33199001002")


@pytest.fixture
def shared(bureau: Bureau) -> Bureau:
    """Two practices behind one DID, told apart by the line that was forwarded."""
    bureau.add(client("roux", "+33199001005", forwarded_from="+33536490701"))
    bureau.add(client("ferrand", "+33199001005", forwarded_from="+33536490702"))
    bureau.write()
    return bureau


FORWARDED_LINES: dict[str, tuple[dict[str, str], str, str | None]] = {
    "S3 diversion": ({"Diversion": "<sip:0536490702@op>;reason=no-answer;counter=1"}, "ferrand", "no-answer"),
    "tel uri and busy": ({"Diversion": "<tel:+33536490701>;reason=user-busy"}, "roux", "busy"),
    "S5 history only": (
        {
            "History-Info": "<sip:0536490702@op?Reason=SIP%3Bcause%3D302>;index=1, "
            "<sip:0199001005@op;cause=302>;index=1.1"
        },
        "ferrand",
        "unconditional",
    ),
    "S4 ambiguous": ({}, "accueil", None),
}


async def test_s3_s4_s5_a_shared_did_is_told_apart_by_the_forwarded_line(
    shared: Bureau, start_exchange: Any
) -> None:
    exchange = await start_exchange(shared)
    async with Phones() as phones:
        for count, (case, (headers, expected, reason)) in enumerate(FORWARDED_LINES.items(), start=1):
            caller = await phones.dial(shared.uri("0199001005"), headers=headers)
            await caller.hears(UNKNOWN if expected == "accueil" else MESSAGE)
            await caller.hangup()
            call = await exchange.finished_call(count)
            assert (call["client"], call["forward_reason"]) == (expected, reason), case
            story = await exchange.call(call["id"])
            flags = next(e for e in story["events"] if e["kind"] == "identified")["flags"]
            assert ("ambiguous" in flags) == (expected == "accueil"), case


async def test_s6_an_unassigned_number_is_served_by_the_general_client(exchange: Exchange) -> None:
    async with Phones() as phones:
        lea = await secretary(phones, exchange.bureau, answer_after=2.5)
        await exchange.free("lea")
        caller = await phones.dial(exchange.bureau.uri("0199001077"), say=CALLER)
        await caller.hears(UNKNOWN)
        await caller.hears(VOICES[0])
        assert "Cab. Accueil" in lea.call.invite.header("From")
        await caller.hangup()
        call = await exchange.finished_call()
        assert (call["client"], call["outcome"], call["did"]) == ("accueil", "served", "+33199001077")


async def test_s7_a_withheld_number_is_neither_shown_nor_stored(exchange: Exchange) -> None:
    bureau = exchange.bureau
    async with Phones() as phones:
        lea = await secretary(phones, bureau, answer_after=1.0)
        await exchange.free("lea")
        caller = await phones.dial(
            bureau.uri(DID),
            number="anonymous",
            domain="anonymous.invalid",
            name="Anonymous",
            headers={"Privacy": "id", "P-Asserted-Identity": "<sip:+33639980177@operator.example>"},
            say=CALLER,
        )
        await caller.hears(VOICES[0])
        invite = lea.call.invite
        assert "Cab. Lilas · Masqué" in invite.header("From")
        assert "sip:anonymous@" in invite.header("From")
        assert "39980177" not in invite.text
        await caller.hangup()
        call = await exchange.finished_call()
        assert (call["caller"], call["anonymous"]) == (None, True)
        story = await exchange.call(call["id"])
    assert "39980177" not in repr(story)
    assert "39980177" not in exchange.output
    assert b"39980177" not in (bureau.state / "journal.sqlite").read_bytes()


async def test_s13_a_caller_who_gives_up_is_counted_by_what_he_heard(
    bureau: Bureau, start_exchange: Any
) -> None:
    long = bureau.sound("long", MESSAGE, 8.0)
    bureau.client("lilas")["rules"][0]["do"][0] = play(long)
    bureau.write()
    exchange = await start_exchange(bureau)
    patience = {
        "0639980101": (2.0, "short"),
        "0639980102": (6.5, "during_message"),
        "0639980103": (10.0, "during_music"),
    }
    waited: dict[str, float] = {}
    async with Phones() as phones:

        async def gives_up(number: str, after: float) -> None:
            caller = await phones.dial(bureau.uri(DID), number)
            await caller.hears(MESSAGE)
            await asyncio.sleep(max(0.0, after - (time.monotonic() - caller.born)))
            waited[f"+33{number[1:]}"] = time.monotonic() - caller.born
            await caller.hangup()

        await asyncio.gather(*(gives_up(number, after) for number, (after, _) in patience.items()))
        await exchange.finished_call(3)
        calls = {call["caller"]: call for call in await exchange.calls()}
    for number, (_, cause) in patience.items():
        call = calls[f"+33{number[1:]}"]
        assert (call["outcome"], call["cause"]) == ("abandoned", cause)
        assert call["wait_ms"] == pytest.approx(waited[call["caller"]] * 1000, abs=500)


async def test_s14_who_does_not_pick_up_is_followed_by_the_next_without_a_break(
    bureau: Bureau, start_exchange: Any
) -> None:
    bureau.bureau["bureau"]["no_answer"] = {"pause_after": 1}
    bureau.bureau["secretaries"][1]["teams"] = {"general": 2}
    bureau.client("lilas")["rules"][0]["do"][1]["queue"]["ring_for"] = "3s"
    bureau.write()
    exchange = await start_exchange(bureau)
    async with Phones() as phones:
        lea = await secretary(phones, bureau, 0)
        ines = await secretary(phones, bureau, 1, answer_after=1.0)
        await exchange.free()
        caller = await phones.dial(bureau.uri(DID), say=CALLER)
        hers = await lea.rings()
        await hers.closed()
        next_one = await ines.rings()
        assert hers.cancel is not None
        assert next_one.invite.at - hers.cancel.at < 0.3
        await caller.hears(VOICES[1], for_seconds=0.8)
        assert caller.heard() == [(MESSAGE,), (MUSIC,), (VOICES[1],)]
        assert max(gap.seconds for gap in caller.gaps()) < 0.5
        states = {s["id"]: (s["state"], s["reason"]) for s in (await exchange.status())["secretaries"]}
        assert states["lea"] == ("paused", "no_answer")
        await caller.hangup()
        call = await exchange.finished_call()
        assert (call["secretary"], call["offers"]) == ("ines", 2)
        assert await exchange.cli("secretary", "lea", "resume") == "lea is free\n"


@pytest.mark.fault("F37")
async def test_s22_the_call_after_the_last_one_a_client_bought_and_no_other_takes_on_full(
    bureau: Bureau, start_exchange: Any
) -> None:
    lilas = bureau.client("lilas")
    lilas["max_calls"] = 2
    lilas["rules"][0]["do"][1]["queue"]["on_full"] = [
        play("closed-tone", mode="answered"),
        {"hangup": "busy"},
    ]
    bureau.add(client("other", "+33199001003"))
    bureau.write()
    exchange = await start_exchange(bureau)
    async with Phones() as phones:
        first = await phones.dial(bureau.uri(DID), "0639980101")
        second = await phones.dial(bureau.uri(DID), "0639980102")
        await first.hears(MESSAGE)
        await second.hears(MESSAGE)
        third = await phones.dial(bureau.uri(DID), "0639980103")
        other = await phones.dial(bureau.uri("0199001003"), "0639980104")
        await third.hears(CLOSED)
        await other.hears(MESSAGE)
        await third.closed()
        outcomes = {c["caller"]: c["outcome"] for c in await exchange.calls()}
        assert outcomes["+33639980103"] == "full"
        assert outcomes["+33639980101"] is None
        for leg in (first, second, other):
            await leg.hangup()


async def test_s23_early_media_answers_itself_at_its_limit_and_the_music_goes_on(
    bureau: Bureau, start_exchange: Any
) -> None:
    bureau.client("lilas")["early_limit"] = "4s"
    bureau.write()
    exchange = await start_exchange(bureau)
    async with Phones() as phones:
        caller = await phones.dial(bureau.uri(DID))
        answered = await caller.answered()
        assert 3.6 < answered < 6.0
        await asyncio.sleep(1.5)
        assert caller.heard() == [(MESSAGE,), (MUSIC,)]
        assert max(gap.seconds for gap in caller.gaps()) < 0.5
        await caller.hangup()
        call = await exchange.finished_call()
        assert call["answered_at"] is not None
        assert (call["outcome"], call["cause"]) == ("abandoned", "during_music")


async def test_a_closed_client_is_told_so_and_no_phone_rings(bureau: Bureau, start_exchange: Any) -> None:
    lilas = bureau.client("lilas")
    lilas["hours"] = {}
    lilas["rules"].insert(
        0,
        {
            "name": "closed",
            "when": {"hours": "closed"},
            "do": [play("closed-tone", mode="answered"), {"hangup": "normal"}],
        },
    )
    bureau.write()
    exchange = await start_exchange(bureau)
    async with Phones() as phones:
        lea = await secretary(phones, bureau)
        await exchange.free("lea")
        caller = await phones.dial(bureau.uri(DID))
        await caller.hears(CLOSED)
        await caller.closed()
        assert caller.heard() == [(CLOSED,)]
        assert not lea.calls
        call = await exchange.finished_call()
        assert (call["outcome"], call["rule"]) == ("closed", "closed")


@pytest.mark.fault("F37")
async def test_the_wait_ends_by_rule_and_an_empty_floor_has_its_own_way_out(
    bureau: Bureau, start_exchange: Any
) -> None:
    do = bureau.client("lilas")["rules"][0]["do"]
    do[1]["queue"] |= {
        "max_wait": "4s",
        "on_timeout": [play("closed-tone", mode="answered"), {"hangup": "normal"}],
    }
    empty = queue(team="empty", on_nobody=[play("unknown", mode="answered"), {"hangup": "normal"}])
    bureau.bureau["teams"]["empty"] = {}
    bureau.add(client("alone", "+33199001004", rules=[{"name": "open", "do": [play("message"), empty]}]))
    bureau.write()
    exchange = await start_exchange(bureau)
    async with Phones() as phones:
        waiting = await phones.dial(bureau.uri(DID), "0639980101")
        alone = await phones.dial(bureau.uri("0199001004"), "0639980102")
        await alone.closed()
        await waiting.closed()
        assert alone.heard() == [(MESSAGE,), (UNKNOWN,)]
        assert waiting.heard() == [(MESSAGE,), (MUSIC,), (CLOSED,)]
        outcomes = {c["client"]: c["outcome"] for c in await exchange.calls()}
        assert outcomes == {"alone": "nobody", "lilas": "timeout"}


async def test_a_secretary_says_by_phone_what_she_does(exchange: Exchange) -> None:
    bureau = exchange.bureau

    def is_now(state: str, reason: str | None = None) -> Any:
        return lambda s: (s["secretaries"][0]["state"], s["secretaries"][0]["reason"]) == (state, reason)

    async with Phones() as phones:
        lea = await secretary(phones, bureau)
        await exchange.free("lea")
        for code, state, reason in (
            ("*46", "logged_out", None),
            ("*45", "free", None),
            ("*472", "paused", "lunch"),
            ("*48", "free", None),
            ("*47", "paused", "other"),
            ("*48", "free", None),
        ):
            leg = await lea.dial(f"sip:{code}@{bureau.sip}")
            await exchange.until_status(is_now(state, reason))
            await leg.closed()
            assert leg.at("CALL_ESTABLISHED") is not None, f"{code} is confirmed by voice"


async def test_when_another_takes_the_call_the_phone_shows_no_missed_call(
    bureau: Bureau, start_exchange: Any
) -> None:
    bureau.client("lilas")["rules"][0]["do"][1]["queue"]["ring"] = "all"
    bureau.write()
    exchange = await start_exchange(bureau)
    async with Phones() as phones:
        lea = await secretary(phones, bureau, 0)
        ines = await secretary(phones, bureau, 1, answer_after=1.5)
        await exchange.free()
        caller = await phones.dial(bureau.uri(DID), say=CALLER)
        lost = await lea.rings()
        await caller.hears(VOICES[1])
        await lost.closed()
        assert lost.cancel is not None
        assert "cause=26" in lost.cancel.text
        assert not lea.missed
        assert not ines.missed
        await caller.hangup()
