from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from autocom.asterisk import spool
from autocom.asterisk.agi import AgiServer, feature_route
from autocom.asterisk.conf import GATE, login_variable
from autocom.asterisk.conf.dialplan import HAND_OVER
from autocom.asterisk.private import PrivateAsterisk
from autocom.core.model import Trunk
from tests.asterisk.host_support import (
    CONFIRMED,
    EMERGENCY,
    MUSIC,
    PLEASE_WAIT,
    REFUSED,
    AriApp,
    eventually,
    password,
    private,
)
from tests.support import oracle
from tests.support.phones import Phones
from tests.support.sip_phone import SipLine, SipPhone, digest
from tests.support.sip_text import SipMessage

HOSTILE = (
    "${SHELL(touch /tmp/autocom-pwned)}",
    "$[1/0]",
    '"; DROP TABLE calls; --',
    "a,b|c&d;e(f)g{h}i$j^k\\l'm",
    "${EXTEN}${GLOBAL(AUTOCOM_AGI)}",
    "%0d%0aEvent: x",
    "\u202eabc\u0007\u200b",
)


def complaints(asterisk: PrivateAsterisk) -> list[str]:
    """What its log says, but for what is said where nothing is wrong."""
    harmless = re.compile("|".join(oracle.HARMLESS))
    return [line for line in asterisk.troubles() if not harmless.search(line)]


async def inbound(app: AriApp, names: tuple[str, ...]) -> dict[str, str | None]:
    channel = (await app.event("StasisStart"))["channel"]["id"]
    return {name: await app.variable(channel, f"AUTOCOM_{name}") for name in names}


async def test_a_call_to_the_user_fax_is_a_call_like_any_other_and_no_fax():
    async with private() as (place, asterisk), AriApp(asterisk) as app, SipLine(place.server) as line:
        who = {"frm": "<sip:0639980101@op.example>", "headers": ("Privacy: id",)}
        line.send(line.request("INVITE", f"sip:fax@{place.server}", **who, body=line.silent_sdp()))
        entered = await app.event("StasisStart")
        assert entered["args"] == ["inbound"]
        found = await inbound(app, ("REQUEST_USER", "FROM", "PRIVACY"))
        assert found["REQUEST_USER"] == "dialled-fax"
        assert (found["FROM"] or "").startswith("<sip:0639980101@op.example>")
        assert found["PRIVACY"] == "id"
        assert complaints(asterisk) == []


async def test_a_call_enters_the_application_with_its_headers_as_they_came():
    diversions = [f"<sip:026191201{n}@operator.example>;reason=unconditional;counter={n}" for n in range(3)]
    histories = ["<sip:0261912010@operator.example>;index=1", "<sip:+33199001001@operator.example>;index=1.1"]
    async with private() as (place, asterisk), AriApp(asterisk) as app, SipLine(place.server) as line:
        headers = (
            *(f"Diversion: {each}" for each in diversions),
            *(f"History-Info: {each}" for each in histories),
            "P-Asserted-Identity: <sip:+33639980101@operator.example>",
            "Privacy: id",
            "P-Called-Party-ID: <sip:+33199001001@operator.example>",
            "X-Did: nothing asked for this",
        )
        frm = '"Jean, dit \\"Jo\\" é" <sip:0639980101@operator.example>'
        uri = f"sip:+33199001001@{place.server}"
        line.send(line.request("INVITE", uri, frm=frm, headers=headers, body=line.silent_sdp()))
        start = await app.event("StasisStart")
        assert start["args"] == ["inbound"]
        found = await inbound(
            app,
            (
                "TRUNK REQUEST_USER FROM TO PAI PRIVACY PCPI DID_VALUE DIVERSIONS DIVERSION_1 DIVERSION_2 DIVERSION_3"
                " HISTORIES HISTORY_1 HISTORY_2"
            ).split(),
        )
        await app.call("DELETE", f"channels/{start['channel']['id']}")
        assert complaints(asterisk) == []
    sent = line.sent[0]
    assert found == {
        "TRUNK": "operator",
        "REQUEST_USER": "+33199001001",
        "FROM": sent.header("From"),
        "TO": "<sip:+33199001001@127.0.0.1>",  # 22.10 leaves the port out
        "PAI": "<sip:+33639980101@operator.example>",
        "PRIVACY": "id",
        "PCPI": "<sip:+33199001001@operator.example>",
        "DID_VALUE": "",
        "DIVERSIONS": "3",
        "DIVERSION_1": diversions[0],
        "DIVERSION_2": diversions[1],
        "DIVERSION_3": diversions[2],
        "HISTORIES": "2",
        "HISTORY_1": histories[0],
        "HISTORY_2": histories[1],
    }


async def test_the_header_that_the_trunk_names_is_read_and_absent_ones_are_empty():
    trunks = {"operator": Trunk("operator", ("127.0.0.0/8",), did_in="header:X-Real-DID")}
    async with (
        private(trunks=trunks) as (place, asterisk),
        AriApp(asterisk) as app,
        SipLine(place.server) as line,
    ):
        uri = f"sip:trunk@{place.server}"
        frm = "<sip:anonymous@anonymous.invalid>"
        headers = ("X-Real-DID: <sip:+33199001005@x>",)
        line.send(line.request("INVITE", uri, frm=frm, headers=headers, body=line.silent_sdp()))
        names = ("DID_VALUE", "REQUEST_USER", "PAI", "PRIVACY", "PCPI", "DIVERSIONS", "HISTORIES")
        found = await inbound(app, names)
        assert found == {
            "DID_VALUE": "<sip:+33199001005@x>",
            "REQUEST_USER": "trunk",
            "PAI": "",
            "PRIVACY": "",
            "PCPI": "",
            "DIVERSIONS": "0",
            "HISTORIES": "0",
        }
        assert complaints(asterisk) == []


async def test_of_more_than_eight_diversions_eight_are_read():
    async with private() as (place, asterisk), AriApp(asterisk) as app, SipLine(place.server) as line:
        headers = tuple(f"Diversion: <sip:02619120{n:02}@x>" for n in range(20))
        uri = f"sip:0199001001@{place.server}"
        line.send(
            line.request("INVITE", uri, frm="<sip:0639980101@x>", headers=headers, body=line.silent_sdp())
        )
        found = await inbound(app, ("DIVERSIONS", "DIVERSION_8", "DIVERSION_9"))
        assert (found["DIVERSIONS"], found["DIVERSION_8"]) == ("8", "<sip:0261912007@x>")
        assert not found["DIVERSION_9"]


async def test_nothing_a_caller_writes_is_evaluated():
    async with private() as (place, asterisk), AriApp(asterisk) as app:
        for text in HOSTILE:
            app.events.clear()
            async with SipLine(place.server) as line:
                await nothing_of_it_is_evaluated(app, line, place.server, text)
        assert complaints(asterisk) == []
    assert not Path("/tmp/autocom-pwned").exists()


async def nothing_of_it_is_evaluated(app: AriApp, line: SipLine, server: str, text: str):
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    headers = (
        f'Diversion: "{quoted}" <sip:x@x>;reason=unknown',
        f'History-Info: <sip:a@b>;index=1;x="{quoted}"',
        f'P-Asserted-Identity: "{quoted}" <sip:0639980101@x>',
    )
    uri = f"sip:0199001001@{server}"
    frm = f'"{quoted}" <sip:0639980101@operator.example>'
    line.send(line.request("INVITE", uri, frm=frm, headers=headers, body=line.silent_sdp()))
    start = await app.event("StasisStart")
    found = await inbound(app, ("FROM", "DIVERSION_1", "HISTORY_1", "PAI"))
    assert start["args"] == ["inbound"]
    if text.isprintable():
        assert found["FROM"] == line.sent[0].header("From")
        assert found["DIVERSION_1"] == headers[0].split(": ", 1)[1]
        assert found["HISTORY_1"] == headers[1].split(": ", 1)[1]
        assert found["PAI"] == headers[2].split(": ", 1)[1]
    await app.call("DELETE", f"channels/{start['channel']['id']}")


async def test_hostile_dialled_users_reach_the_application_filtered():
    users = ("%24%7BSHELL(id)%7D", "a%22b%2Cc%7C%26", "1%24%7BEXTEN%7D", "x" * 300, "h", "+33%20199001001")
    async with private() as (place, asterisk), AriApp(asterisk) as app:
        for user in users:
            async with SipLine(place.server) as line:
                before = len(app.events)
                uri = f"sip:{user}@{place.server}"
                text = line.request("INVITE", uri, frm="<sip:0639980101@x>", body=line.silent_sdp())
                line.send(text)
                answer = await line.wait_for(lambda m: m.status is not None)
                if answer.status == 100:
                    with contextlib.suppress(AssertionError):
                        await line.wait_for(lambda m: (m.status or 0) > 100, within=0.3)
                for event in app.events[before:]:
                    if event["type"] == "StasisStart":
                        channel = event["channel"]["id"]
                        seen = await app.variable(channel, "AUTOCOM_REQUEST_USER") or ""
                        assert all(c.isalnum() or c in "+*#._-" for c in seen)
                        await app.call("DELETE", f"channels/{channel}")
        # the exchange still takes calls
        app.events.clear()
        async with SipLine(place.server) as line:
            uri = f"sip:0199001001@{place.server}"
            line.send(line.request("INVITE", uri, frm="<sip:0639980101@x>", body=line.silent_sdp()))
            await app.event("StasisStart")
        assert complaints(asterisk) == []


async def test_an_8_kb_name_and_malformed_headers_do_not_harm_the_next_call():
    long = "N" * 8192
    async with private() as (place, asterisk), AriApp(asterisk) as app, SipLine(place.server) as line:
        uri = f"sip:0199001001@{place.server}"
        broken = (
            line.request("INVITE", uri, frm=f'"{long}" <sip:0639980101@x>', body=line.silent_sdp()),
            line.request("INVITE", uri, frm='"unfinished <sip:0639980101@x', body=line.silent_sdp()),
            line.request(
                "INVITE", uri, frm="<sip:@>", headers=("Diversion: <<<;;;",), body=line.silent_sdp()
            ),
            line.request("INVITE", uri, frm="<sip:1@x>", headers=("Content-Length: -5",), body="x"),
            line.request("INVITE", uri, frm="<sip:1@x>", headers=("Via: ", "CSeq: 99999999999 INVITE")),
            "INVITE \r\n\r\n",
            "\x00" * 500,
        )
        for each in broken:
            line.send(each.encode())
        line.send(b"INVITE sip:\xff\xfe@x SIP/2.0\r\nFrom: \xc3\x28\r\n\r\n")
        good = line.request("INVITE", uri, frm="<sip:0639980177@x>", body=line.silent_sdp())
        line.send(good)

        def served() -> bool:
            # some of the broken ones are calls too, and may arrive after it
            starts = [event for event in app.events if event["type"] == "StasisStart"]
            return any(start["channel"]["caller"]["number"] == "0639980177" for start in starts)

        await eventually(served)
        assert asterisk.pid is not None
        os.kill(asterisk.pid, 0)


async def test_without_an_application_the_caller_hears_message_and_music_and_is_written_down():
    async with private() as (place, asterisk):
        async with Phones() as phones:
            call = await phones.dial(
                f"sip:0199001001@{place.server}", name='${EXTEN}, "x"', number="0639980101"
            )
            await call.hears(PLEASE_WAIT)
            await call.hears(MUSIC)
            assert call.at("CALL_ESTABLISHED") is not None
            await call.hangup()
        (record,) = await eventually(lambda: spool.read(asterisk.paths.spool))
        assert record.trunk == "operator"
        assert record.headers.request_user == "0199001001"
        assert "sip:0639980101@" in record.headers.from_
        assert '"${EXTEN}, \\"x\\""' in record.headers.from_
        assert record.secretary is None
        assert 0 <= record.ended_at - record.entered_at < 30
        spool.forget(asterisk.paths.spool, record)
        assert list(asterisk.paths.spool.iterdir()) == []
        assert complaints(asterisk) == []


async def test_the_fallback_rings_a_registered_phone_and_joins_the_two():
    async with private() as (place, asterisk), Phones() as phones:
        lea = await phones.secretary("lea", password("lea"), place.server, answer_after=0.5, say=620)
        call = await phones.dial(f"sip:0199001001@{place.server}", say=740)
        await call.hears(PLEASE_WAIT)
        await call.hears(620)
        await lea.call.hears(740)
        await call.hangup()
        (record,) = await eventually(lambda: spool.read(asterisk.paths.spool))
        assert record.secretary == "lea"
        assert complaints(asterisk) == []


async def test_the_fallback_spares_who_is_logged_out_or_busy_and_shows_the_others_no_missed_call():
    async with private(secretaries=4) as (place, asterisk), Phones() as phones:
        async with AriApp(asterisk) as app:
            await app.call("POST", "asterisk/variable", variable=login_variable("ines"), value="out")
        lea = await phones.secretary("lea", password("lea"), place.server, answer_after=0.8, say=620)
        ines = await phones.secretary("ines", password("ines"), place.server, answer_after=0.0)
        async with SipPhone(place.server, "chloe", password("chloe")) as chloe:
            call = await phones.dial(f"sip:0199001001@{place.server}")
            await chloe.invited()
            await call.hears(620)
            assert (await chloe.cancelled()).completed_elsewhere
            assert ines.calls == []
            second = await phones.dial(f"sip:0199001001@{place.server}", number="0639980102")
            await chloe.invited(nth=2)  # lea is talking
            assert len(lea.calls) == 1
            await second.hangup()
            await call.hangup()


async def test_a_closed_gate_sends_callers_to_the_fallback_at_once():
    async with private() as (place, asterisk), AriApp(asterisk) as app, Phones() as phones:
        await app.call("POST", "asterisk/variable", variable=GATE, value="closed")
        call = await phones.dial(f"sip:0199001001@{place.server}")
        await call.hears(PLEASE_WAIT)
        assert not [event for event in app.events if event["type"] == "CallBroadcast"]
        await app.call("POST", "asterisk/variable", variable=GATE, value="open")
        await phones.dial(f"sip:0199001001@{place.server}", number="0639980102")
        await app.event("StasisStart")


async def test_a_hand_over_that_the_clock_never_ends_keeps_no_caller_and_no_phone_ringing_for_ever():
    async with private() as (place, asterisk):
        async with AriApp(asterisk) as app:  # the clock was set back, and nobody takes over
            await app.call("POST", "asterisk/variable", variable=HAND_OVER, value="4000000000")
        async with Phones() as phones:
            lea = await phones.secretary("lea", password("lea"), place.server)
            await phones.secretary("ines", password("ines"), place.server, answer_after=0.1, say=1060)
            call, colleague = (
                await phones.dial(f"sip:0199001001@{place.server}"),
                await lea.dial(f"sip:202@{place.server}"),
            )
            assert await call.hears(PLEASE_WAIT, within=60.0) > 8.0, "as long as a hand-over is announced for"
            await colleague.hears(1060, within=60.0)
            assert complaints(asterisk) == []


async def test_an_application_that_does_not_claim_loses_the_call_to_the_fallback_after_a_second():
    async with private() as (place, asterisk):
        doors = asterisk.doors
        # connected, and never reading what it is sent: as a stopped process
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", int(doors.ari_url.split(":")[2].split("/")[0])
        )
        key = f"{doors.ari_user}:{doors.ari_password}"
        writer.write(
            f"GET /ari/events?app=autocom&api_key={key} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        assert b" 101 " in await reader.readline()
        async with Phones() as phones:
            call = await phones.dial(f"sip:0199001001@{place.server}")
            heard = await call.hears(PLEASE_WAIT)
            assert 1.0 <= heard < 5.0
            await call.hangup()
        writer.close()
        await writer.wait_closed()


async def test_a_call_given_back_by_the_application_is_served_by_the_fallback():
    async with private() as (place, asterisk), AriApp(asterisk) as app, Phones() as phones:
        call = await phones.dial(f"sip:0199001001@{place.server}")
        channel = (await app.event("StasisStart"))["channel"]["id"]
        await app.call(
            "POST", f"channels/{channel}/continue", context="autocom-fallback", extension="s", priority="1"
        )
        await call.hears(PLEASE_WAIT)


async def test_a_caller_who_uses_a_secretarys_name_must_prove_it():
    async with private() as (place, asterisk), AriApp(asterisk) as app, SipLine(place.server) as line:
        answer = await line.invite("0199001001", frm="<sip:lea@operator.example>")
        assert answer.status == 401
        # a trunk's name is no way in from elsewhere either
        async with SipLine(place.server, address="127.0.0.9") as stranger:
            answer = await stranger.invite("0199001001", frm="<sip:trunk-operator@operator.example>")
            assert answer.status == 401
        assert not [event for event in app.events if event["type"] == "CallBroadcast"]
        assert asterisk.pid is not None


@contextlib.asynccontextmanager
async def bureau_with_features(
    answer: Callable[[str, str], object],
) -> AsyncIterator[tuple[object, object]]:
    server = AgiServer("127.0.0.1", 0, {"feature": feature_route(answer)}, limit=5)  # type: ignore[arg-type]
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(server.run())
        await server.listening.wait()
        try:
            async with private(server.address) as made:
                yield made
        finally:
            serving.cancel()


async def test_a_feature_code_is_asked_of_autocom_and_confirmed():
    codes = ["*45", "*46", "*47", "*472", "*48"]
    asked: list[tuple[str, str]] = []

    async def answer(secretary: str, dialled: str) -> str:
        asked.append((secretary, dialled))
        return str(place.sounds / "confirmed")

    async with bureau_with_features(answer) as (place, asterisk), Phones() as phones:
        lea = await phones.secretary("lea", password("lea"), place.server)
        for code in codes:
            call = await lea.dial(f"sip:{code}@{place.server}")
            await call.hears(CONFIRMED)
            await call.closed()
        assert asked == [("lea", code) for code in codes]
        assert complaints(asterisk) == []


async def test_a_feature_code_while_autocom_is_away_gets_the_tone_that_says_no():
    async with private() as (place, _), Phones() as phones:
        lea = await phones.secretary("lea", password("lea"), place.server)
        call = await lea.dial(f"sip:*45@{place.server}")
        await call.hears(440, for_seconds=0.2)  # congestion: 440 Hz, 250 ms on and off
        await call.closed()


async def test_an_extension_calls_the_colleague_under_her_name():
    async with private() as (place, asterisk), Phones() as phones:
        lea = await phones.secretary("lea", password("lea"), place.server, say=620)
        ines = await phones.secretary("ines", password("ines"), place.server, answer_after=0.1, say=1060)
        call = await lea.dial(f"sip:202@{place.server}")
        await call.hears(1060)
        await ines.call.hears(620)
        assert ines.call.invite.from_display == "Lea Éléonore"
        assert ines.call.invite.from_user == "201"
        assert complaints(asterisk) == []


async def test_an_emergency_number_is_refused_with_the_reason():
    async with private() as (place, _), Phones() as phones:
        lea = await phones.secretary("lea", password("lea"), place.server)
        for number in ("15", "112", "114", "18"):
            call = await lea.dial(f"sip:{number}@{place.server}")
            await call.hears(EMERGENCY)
            await call.closed()


async def test_whatever_else_a_phone_dials_is_refused_aloud():
    async with private() as (place, asterisk), Phones() as phones:
        lea = await phones.secretary("lea", password("lea"), place.server)
        for number in ("0639981011", "+33639981011", "00447700900000", "299", "*9", "abc", "1", "801"):
            call = await lea.dial(f"sip:{number}@{place.server}")
            await call.hears(REFUSED)
            await call.hangup()
            await call.closed()
        assert complaints(asterisk) == []


async def test_a_secretary_has_one_phone_the_newest():
    async with (
        private() as (place, asterisk),
        AriApp(asterisk) as app,
        SipPhone(place.server, "lea", password("lea")) as old,
        SipPhone(place.server, "lea", password("lea")) as new,
    ):
        leg = {"endpoint": "PJSIP/lea", "app": "autocom", "channelId": "ring-x-1-lea", "timeout": "5"}
        await app.call("POST", "channels", **leg)
        await new.invited()
        assert old.invites == []
        await app.call("DELETE", "channels/ring-x-1-lea", reason_code="26")


async def test_a_wrong_password_is_refused():
    async with private() as (place, _), SipLine(place.server) as line:
        uri, frm = f"sip:{place.server}", f"<sip:lea@{place.server}>"

        async def register(cseq: int, *headers: str) -> SipMessage:
            line.send(line.request("REGISTER", uri, frm=frm, to=frm, call_id="x", cseq=cseq, headers=headers))
            return await line.wait_for(lambda m: m.header("CSeq") == f"{cseq} REGISTER")

        challenge = (await register(1)).header("WWW-Authenticate")
        wrong = digest(challenge, "REGISTER", uri, "lea", "wrong")
        assert (await register(2, f"Authorization: {wrong}")).status == 401
        right = digest(challenge, "REGISTER", uri, "lea", password("lea"))
        assert (await register(3, f"Authorization: {right}")).status == 200
