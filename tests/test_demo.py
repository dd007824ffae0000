"""The demonstration call where it goes wrong, and what it makes of what it heard; the good case is in e2e."""

from __future__ import annotations

import array
import signal
from typing import Any, cast

import pytest

from autocom.demo import SECRETARYS_VOICE, DemonstrationFailed, Heard, _Ear, demonstrate
from tests.support import tones
from tests.support.sip_phone import SipPhone


async def test_a_call_that_is_refused_says_with_which_status() -> None:
    said: list[str] = []
    async with SipPhone("127.0.0.1:9", "exchange", "", registers=False) as exchange:
        exchange.answer, exchange.ringing = 404, False
        with pytest.raises(DemonstrationFailed, match="ended before a phone rang: 404 Not Found"):
            await demonstrate(f"127.0.0.1:{exchange.port}", "+33199001001", "lea", "x", said.append)
        invite = await exchange.invited()
        assert invite.from_user == "0639980101"
        assert invite.headers("Diversion") == [
            "<sip:+33261912001@operator.example>;reason=unconditional;counter=1"
        ]
        registrations = [
            m.header("Expires") or m.header("Contact") for m in exchange.received if m.method == "REGISTER"
        ]
    assert "expires=300" in registrations[0]
    assert "expires=0" in registrations[-1], "her phone stays registered"
    assert said[0].startswith("lea's softphone is registered")


async def test_a_secretary_who_is_never_rung_is_asked_about() -> None:
    async with SipPhone("127.0.0.1:9", "exchange", "", registers=False) as exchange:
        with pytest.raises(
            DemonstrationFailed, match=r"lea's phone was not rung within 0 s: is she logged in\?"
        ):
            await demonstrate(f"127.0.0.1:{exchange.port}", "1", "lea", "x", print, patience=0.3)
        await exchange.cancelled()


async def test_the_handlers_of_signals_are_as_before() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)}
    async with SipPhone("127.0.0.1:9", "exchange", "", registers=False) as exchange:
        exchange.answer = 503
        with pytest.raises(DemonstrationFailed):
            await demonstrate(f"127.0.0.1:{exchange.port}", "1", "lea", "x", print)
    assert {number: signal.getsignal(number) for number in before} == before


def test_ringing_music_and_a_voice_are_told_apart_and_a_pause_is_left_out() -> None:
    chunks: list[tuple[float, array.array[int]]] = []
    for at, samples in (
        (0.0, tones.sine(440, 1.0)),
        (1.0, tones.sine((320, 500, 890), 1.0)),
        (3.0, tones.sine(int(SECRETARYS_VOICE), 1.0)),
    ):
        chunks.append((at, array.array("h", samples.tobytes())))
    ear = _Ear(cast(Any, None), 0.0, 740.0, SECRETARYS_VOICE, "the secretary", chunks=chunks)
    assert [(h.what, round(h.start), round(h.end)) for h in ear.timeline()] == [
        ("ringing", 0, 1),
        ("a message or music", 1, 2),
        ("the secretary", 3, 4),
    ]
    assert isinstance(ear.timeline()[0], Heard)
