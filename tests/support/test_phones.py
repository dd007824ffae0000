"""The test phones against each other, two unrelated SIP stacks without an exchange between them."""

from __future__ import annotations

import re

import pytest

from tests.support.callers import Callers
from tests.support.phones import Phones
from tests.support.sip_phone import SipPhone, digest
from tests.support.sip_text import SipMessage


async def test_a_caller_sees_the_status_that_a_phone_refuses_with() -> None:
    async with SipPhone("127.0.0.1:9", "lea", "", registers=False) as lea, Phones() as phones:
        for status in (486, 480, 603):
            lea.answer = status
            call = await phones.dial(f"sip:lea@127.0.0.1:{lea.port}")
            assert (await call.closed()).startswith(str(status))
            assert call.statuses == [100, 180, status]


async def test_a_caller_who_gives_up_leaves_a_missed_call() -> None:
    async with SipPhone("127.0.0.1:9", "lea", "", registers=False) as lea, Phones() as phones:
        call = await phones.dial(f"sip:lea@127.0.0.1:{lea.port}", number="0639980102", name="Zoé · Ç")
        invite = await lea.invited()
        await call.until("CALL_RINGING")
        await call.hangup()
        assert not (await lea.cancelled()).completed_elsewhere
        assert (invite.from_display, invite.from_user) == ("Zoé · Ç", "0639980102")


class HardOfHearing(SipPhone):
    """Misses everything that is said to it the first time."""

    def _on_datagram(self, data: bytes, source: tuple[str, int]) -> None:
        heard_before = data in self.missed
        self.missed.add(data)
        if heard_before:
            super()._on_datagram(data, source)

    def __init__(self, server: str) -> None:
        super().__init__(server, "lea", "", registers=False)
        self.missed: set[bytes] = set()


async def test_what_gets_lost_is_said_again_and_what_comes_twice_is_kept_once() -> None:
    async with HardOfHearing("127.0.0.1:9") as lea, Callers(f"127.0.0.1:{lea.port}") as line:
        lea.answer = 200
        ringing = await line.invite("lea", frm="<sip:0639980101@operator.example>")
        line.end(await line.answered(ringing))
        await lea.hung_up()
        await line.wait_for(lambda m: m.cseq_method == "BYE" and m.status == 200)
        asked = [m.method for m in lea.received if m.status is None]
        assert sorted(asked) == ["ACK", "BYE", "INVITE"]
        assert [m.status for m in line.received if m.cseq_method == "INVITE"] == [100, 180, 200]


async def test_headers_of_a_call_arrive_to_the_letter() -> None:
    diversion = '"Cab; \\"Lilas\\"" <sip:+33199001001@operator.example>;reason=no-answer;counter=2'
    async with SipPhone("127.0.0.1:9", "lea", "", registers=False) as lea, Phones() as phones:
        lea.answer = 480
        call = await phones.dial(f"sip:lea@127.0.0.1:{lea.port}", headers={"Diversion": diversion})
        assert (await lea.invited()).headers("Diversion") == [diversion]
        await call.closed()


async def test_an_answered_call_is_ended_by_a_bye() -> None:
    async with SipPhone("127.0.0.1:9", "lea", "", registers=False) as lea, Phones() as phones:
        lea.answer = 200
        call = await phones.dial(f"sip:lea@127.0.0.1:{lea.port}")
        await call.answered()
        await call.hangup()
        await lea.hung_up()
        assert call.heard() == []  # the phone's answer is silent


async def test_what_was_not_heard_in_time_is_a_failure_with_the_story() -> None:
    async with SipPhone("127.0.0.1:9", "lea", "", registers=False) as lea, Phones() as phones:
        call = await phones.dial(f"sip:lea@127.0.0.1:{lea.port}")
        await lea.invited()
        with pytest.raises(
            AssertionError, match=re.escape("did not hear (440,) within 0.2 s; heard: nothing")
        ):
            await call.hears(440, within=0.2)


def test_a_digest_is_that_of_rfc_2617() -> None:
    challenge = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'
    made = digest(challenge, "GET", "/dir/index.html", "Mufasa", "CircleOfLife")
    assert 'response="1949323746fe6a43ef61f9606e7febea"' in made


@pytest.mark.parametrize(
    ("reason", "elsewhere"),
    [
        ("Q.850;cause=26", True),
        ('Q.850;cause=26;text="Answered elsewhere"', True),
        ('SIP;cause=200;text="Call completed elsewhere"', True),
        ("Q.850;cause=16", False),
        ("SIP;cause=486, Q.850;cause=17", False),
        ("", False),
    ],
)
def test_a_phone_shows_no_missed_call_where_the_cancel_says_answered_elsewhere(
    reason: str, elsewhere: bool
) -> None:
    cancel = f"CANCEL sip:lea@127.0.0.1 SIP/2.0\r\nReason: {reason}\r\n\r\n"
    assert SipMessage.parse(cancel).completed_elsewhere is elsewhere
