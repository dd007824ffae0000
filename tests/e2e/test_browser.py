"""The page `/phone` in a real browser: registered by autocom's own web socket, heard both ways.

Chromium runs the page as it is shipped; its microphone says a tone, its ear is measured. Every scenario costs
seconds, so each of them tries a whole working moment of a secretary.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.support import tones
from tests.support.bureau import CALLER, VOICES, Bureau
from tests.support.eventually import eventually
from tests.support.exchange import Exchange
from tests.support.leg import Leg
from tests.support.phones import Phones
from tests.support.ports import free_port
from tests.support.webphone.browser import Browser

pytestmark = [pytest.mark.timeout(120)]
DID = "0199001001"


def base(bureau: Bureau) -> str:
    return f"http://{bureau.http}"


def state_of(status: dict[str, Any], who: str) -> str:
    return next(str(row["state"]) for row in status["secretaries"] if row["id"] == who)


def lately(leg: Leg) -> list[tones.Chord]:
    """What it heard in the last half second."""
    return tones.heard(leg.newest(4000, time.monotonic()), leg.rate, at_least=0.1)


async def test_a_secretary_in_a_browser_answers_holds_dials_digits_and_mutes(exchange: Exchange) -> None:
    bureau = exchange.bureau
    async with Browser(say=VOICES[0]) as browser, Phones() as phones:
        lea = await browser.phone(base(bureau), "lea", "lea-fiction")
        await exchange.free("lea")
        await lea.shows("free")
        caller = await phones.dial(bureau.uri(DID), say=CALLER)
        await lea.shows("incoming call")
        await lea.shows("Cab. Lilas · 06 39 98 01 01")
        await lea.shows("Cabinet lilas, bonjour.")
        card = lea.page.get_by_role("link", name="Card")
        assert await card.get_attribute("href") == "https://agenda.example/lilas"
        await lea.press("Answer")
        figures = await lea.hears(CALLER)
        await caller.hears(VOICES[0], for_seconds=0.8)
        assert figures["dtls"] == "connected"
        await lea.shows("talking")

        await lea.press("Keypad")
        for count, digit in enumerate("42#", start=1):
            await lea.press(digit)
            await eventually(
                lambda wanted=count: len(caller.digits) == wanted, "the caller's phone sees the digit"
            )
        assert "".join(caller.digits) == "42#"
        for digit in "0639981021":
            await lea.press(digit)
        await eventually(
            lambda: "".join(caller.digits) == "42#0639981021", "a number is not seconds behind her", 5.0
        )

        await lea.press("Hold")
        await lea.shows("on hold")
        await eventually(lambda: (VOICES[0],) not in lately(caller), "he does not hear her")
        await lea.press("Hold")
        await caller.hears(VOICES[0])
        await lea.press("Français")
        await lea.shows("en ligne")
        await lea.press("English")
        await lea.press("Mute")
        await eventually(lambda: (VOICES[0],) not in lately(caller), "he does not hear her")
        await lea.page.keyboard.press("Alt+r")
        await caller.closed()
        call = await exchange.finished_call(within=20)
        assert (call["outcome"], call["secretary"]) == ("served", "lea")
        assert lea.complaints == []

        # the same account in an ordinary softphone: it takes her place, and the page is not rung
        plain = await phones.secretary("lea", "lea-fiction", bureau.sip, say=VOICES[0], answer_after=0.2)
        second = await phones.dial(bureau.uri(DID), say=CALLER)
        await second.hears(VOICES[0])
        assert len(plain.calls) == 1
        await lea.shows("No call.")
        await second.hangup()
    log = (bureau.state / "asterisk/log/messages").read_text(errors="replace")
    assert [line for line in log.splitlines() if " WARNING[" in line or " ERROR[" in line] == []


async def test_a_conversation_in_a_browser_outlives_autocom_and_ends_well_after_it(
    exchange: Exchange,
) -> None:
    bureau = exchange.bureau
    async with Browser(say=VOICES[0]) as browser, Phones() as phones:
        lea = await browser.phone(base(bureau), "lea", "lea-fiction")
        await exchange.free("lea")
        caller = await phones.dial(bureau.uri(DID), say=CALLER)
        await lea.shows("incoming call")
        await lea.page.keyboard.press("Enter")  # the focus is on the button that answers
        await lea.hears(CALLER)
        await caller.hears(VOICES[0])
        await exchange.kill9()
        await lea.shows("connection lost")
        await caller.hears(VOICES[0], for_seconds=1.0)
        await lea.hears(CALLER)
        await exchange.start()
        await lea.shows("phone on line", within=20)
        await exchange.until_status(lambda now: state_of(now, "lea") == "talking")
        assert max((gap.seconds for gap in caller.gaps()), default=0) < 0.5
        await caller.hangup()
        # the BYE finds the new socket: without a word from the page it would go to the old one, and she would sit there
        await lea.shows("ended")
        await lea.shows("No call.")
        call = await exchange.finished_call(within=20)
        assert call["outcome"] == "served"


async def test_over_wss_with_our_own_certificate_codes_colleagues_transfers_and_texts_work(
    bureau: Bureau, start_exchange: Callable[..., Any]
) -> None:
    bureau.settings["AUTOCOM_HTTPS_BIND"] = f"127.0.0.1:{free_port()}"
    exchange = await start_exchange(bureau)
    async with Browser(say=VOICES[0], trusts=bureau.state / "tls/server.crt") as browser, Phones() as phones:
        ines = await phones.secretary("ines", "ines-fiction", bureau.sip, say=VOICES[1], answer_after=0.2)
        url = (await exchange.cli("phone", "lea", "--link")).strip()
        lea = await browser.page(url)
        await lea.shows("phone on line")
        assert lea.page.url == f"https://{bureau.settings['AUTOCOM_HTTPS_BIND']}/phone", (
            "the ticket does not stay in the address"
        )
        await exchange.free("lea", "ines")

        for button, state in (
            ("Log out", "logged_out"),
            ("Log in", "free"),
            ("Pause", "paused"),
            ("Available", "free"),
        ):
            await lea.press(button)
            await exchange.until_status(lambda now, s=state: state_of(now, "lea") == s)
        await lea.shows("free")

        await lea.fill("Number, extension or code", "202")
        await lea.press("Call")
        await lea.hears(VOICES[1])
        await ines.call.hears(VOICES[0])
        await lea.press("Hang up")
        await ines.call.closed()
        await lea.shows("No call.")

        await exchange.cli("secretary", "ines", "logout")
        for press in ("Transfer at once", "Talk first"):
            rung = len(ines.calls)
            caller = await phones.dial(bureau.uri(DID), say=CALLER)
            await lea.shows("incoming call")
            await lea.press("Answer")
            await lea.hears(CALLER)
            await lea.press("Transfer")
            await lea.fill("To (extension, number)", "202")
            await lea.press(press)
            if press == "Talk first":
                await lea.hears(VOICES[1])
                await lea.press("Join them")
            await caller.hears(VOICES[1])
            await ines.calls[rung].hears(CALLER)
            await lea.shows("No call.")
            await caller.hangup()
            await ines.calls[-1].closed()
        refers = [frame for frame in lea.sent if frame.startswith("REFER ")]
        assert ["Refer-To: <sip:202@web>" in refer for refer in refers] == [True, False]
        assert "Refer-To: <sip:202@web?Replaces=" in refers[1]

        other = await browser.phone(base(bureau), "ines", "ines-fiction")
        await lea.fill("To", "202")
        await lea.fill("Text", "Rappeler à 15 h ✓ <b>")
        await lea.press("Send")
        await other.shows("Rappeler à 15 h ✓ <b>")
        await other.press("Reply")
        await other.fill("Text", "C'est fait")
        await other.press("Send")
        await lea.shows("C'est fait")
        again = await browser.page(url)
        await again.shows("Unknown id or password, or a link that was used.")
