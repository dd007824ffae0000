"""What a stolen or careless phone asks for with its transfer button, on the real Asterisk: nothing leaves the house.

The phones are raw SIP, so that what they ask stands on the wire to the letter; the operator's side is a line that
only listens.
"""

from __future__ import annotations

import asyncio
import re
import secrets

import pytest

from tests.support import PATIENCE
from tests.support.bureau import Bureau, client, queue
from tests.support.exchange import Exchange
from tests.support.phones import Phones
from tests.support.ports import free_port
from tests.support.sip_phone import SipPhone
from tests.support.sip_text import SipMessage

pytestmark = [pytest.mark.timeout(120)]
DID = "0199001001"
HOSTILE = [
    "sip:0033899123456@{server}",
    "sip:+881612345678@{server}",
    "sip:x@evil.example",
    "sip:0899123456@evil.example;user=phone",
    "sip:*72@{server}",
    "sip:202%40evil.example@{server}",
    "sip:801;foo=1@{server}",
    "sip:{server}",
    "sip:" + "1" * 300 + "@{server}",
    "sip:15@{server}",
    "sip:112@{server}",
    "sip:+3317@{server}",
    "sip:Local%2F201@{server}",
    "tel:+33899123456",
    "sip:0639981021%0d%0aX-Evil:1@{server}",
    "sip:202@{server}?Replaces=nobody%3Bto-tag%3Da%3Bfrom-tag%3Db",
]


@pytest.fixture
def operator() -> str:
    """Where the operator's side listens."""
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def bureau(bureau: Bureau, operator: str) -> Bureau:
    bureau.bureau["trunks"][0]["host"] = operator
    bureau.add(client("lilas", "+33199001001", rules=[{"name": "open", "do": [queue()]}]))
    bureau.write()
    return bureau


def in_dialog(phone: SipPhone, invite: SipMessage, method: str, cseq: int, *lines: str) -> str:
    """A request of the called phone in the call that this INVITE began."""
    answer = next(m for m in phone.sent if m.call_id == invite.call_id and m.status == 200)
    contact = re.search(r"<([^>]+)>", invite.header("Contact"))
    assert contact is not None
    return "\r\n".join(
        (
            f"{method} {contact[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP {phone.address}:{phone.port};rport;branch=z9hG4bK{secrets.token_hex(8)}",
            f"From: {answer.header('To')}",
            f"To: {invite.header('From')}",
            f"Call-ID: {invite.call_id}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:{phone.user}@{phone.address}:{phone.port}>",
            "Max-Forwards: 70",
            *lines,
            "Content-Length: 0",
            "\r\n",
        )
    )


async def final_word(phone: SipPhone, cseq: int, since: int) -> int:
    """How this REFER fared, of what came after the first `since` messages: its refusal, or the last NOTIFY."""
    async with asyncio.timeout(PATIENCE):
        while True:
            for message in phone.received[since:]:
                if message.header("CSeq") == f"{cseq} REFER" and (message.status or 0) >= 300:
                    return message.status or 0
                if message.method == "NOTIFY" and "terminated" in message.header("Subscription-State"):
                    return int(message.text.strip().splitlines()[-1].split()[1])
            await asyncio.sleep(0.02)


async def test_no_refer_of_a_phone_leaves_the_house_and_none_costs_her_the_caller(
    exchange: Exchange, operator: str
) -> None:
    lea, ines = exchange.bureau.secretaries
    async with (
        Phones(listen=operator) as phones,
        SipPhone(exchange.bureau.sip, lea.id, lea.password) as hers,
    ):
        outside = await phones.outside("+33639981021")
        hers.answer = 200
        await exchange.free("lea")
        caller = await phones.dial(exchange.bureau.uri(DID), say=740)
        invite = await hers.invited()
        await caller.answered()
        async with SipPhone(exchange.bureau.sip, ines.id, ines.password) as other:
            await exchange.until_status(lambda s: s["secretaries"][0]["state"] == "talking", 5)
            for cseq, wanted in enumerate(HOSTILE, start=10):
                since = len(hers.received)
                refer_to = f"Refer-To: <{wanted.format(server=exchange.bureau.sip)}>"
                hers.send(in_dialog(hers, invite, "REFER", cseq, refer_to))
                word = await final_word(hers, cseq, since)
                assert word >= 400, f"{wanted}: {word}"
            assert other.invites == []
            assert outside.calls == []
            assert caller.close_reason is None
            assert not [m for m in hers.received if m.method == "BYE"], "she is still with him"
            state = await exchange.status()
            assert state["asterisk"], "Asterisk is alive"
            hers.send(in_dialog(hers, invite, "BYE", 99))
            await caller.closed()


class Redirecting(SipPhone):
    """Answers an INVITE with 302 to a premium number through the operator, or to any colleague."""

    def _reply(
        self, request: SipMessage, status: int, to: tuple[str, int], tag: str = "", body: str = ""
    ) -> None:
        own = f"Contact: <sip:{self.user}@{self.address}:{self.port}>"
        count = len(self.sent)
        super()._reply(request, status, to, tag, body)
        if status == 302:
            text = self.sent.pop(count).text
            self.send(text.replace(own, f"Contact: <sip:+33639981021@{self.server}>"), to)


@pytest.mark.fault("F22")
async def test_a_302_of_a_phone_is_a_refusal_and_nothing_is_dialled_for_it(
    exchange: Exchange, operator: str
) -> None:
    lea, _ = exchange.bureau.secretaries
    async with (
        Phones(listen=operator) as phones,
        Redirecting(exchange.bureau.sip, lea.id, lea.password) as hers,
    ):
        outside = await phones.outside("+33639981021")
        hers.answer = 302
        await exchange.free("lea")
        caller = await phones.dial(exchange.bureau.uri(DID), say=740)
        await hers.invited()
        await hers.invited(2)  # refused: asked again after a moment
        assert outside.calls == []
        await caller.hangup()
        call = await exchange.finished_call()
        story = await exchange.call(call["id"])
    results = {e["result"] for e in story["events"] if e["kind"] == "offer_ended"}
    assert results <= {"refused", "unreachable", "withdrawn"}
