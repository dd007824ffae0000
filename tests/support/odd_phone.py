"""A registered phone that answers an INVITE by a script: with what no well-behaved stack would ever send.

    async with OddPhone(bureau.sip, "lea", "lea-fiction", answers(486)) as lea:

A script is called with the phone and the call that came, and sends what it wants. What follows (ACK, CANCEL, BYE,
OPTIONS) is answered as a phone does. `final_at`: when the last final answer was sent, in monotonic seconds.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import re
import secrets
import struct
from collections.abc import Callable
from dataclasses import dataclass

from tests.support.sip_phone import SipPhone
from tests.support.sip_text import SipMessage

_tags = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Asked:
    """An INVITE that came, and the tag of the dialog that it begins."""

    invite: SipMessage
    source: tuple[str, int]
    tag: str


Script = Callable[["OddPhone", Asked], None]


class OddPhone(SipPhone):
    """See the module."""

    def __init__(self, server: str, user: str, password: str, script: Script) -> None:
        super().__init__(server, user, password)
        self.script = script
        self.calls: list[Asked] = []
        self.final_at = 0.0
        self.takes_cancelled = False

    def on_message(self, message: SipMessage, source: tuple[str, int]) -> None:
        late = message.method == "CANCEL" and self.takes_cancelled
        asked = next((a for a in self.calls if a.invite.call_id == message.call_id), None)
        if not late or asked is None:
            super().on_message(message, source)
            return
        self._reply(message, 200, source)
        self.say(asked, 200, body=sdp(self))

    def _on_invite(self, message: SipMessage, source: tuple[str, int]) -> None:
        if ";tag=" in message.header("To"):  # in a dialog: whatever it is, yes
            self._reply(message, 200, source, body=self.silent_sdp())
            return
        asked = Asked(message, source, f"odd{next(_tags)}")
        self.calls.append(asked)
        self._open[message.call_id] = (message, asked.tag, source)
        self.script(self, asked)

    def say(
        self, asked: Asked, status: int, *, body: str = "", contact: str | None = None, tag: str | None = None
    ) -> None:
        """An answer to the INVITE. A final one closes it."""
        if status >= 200:
            self._open.pop(asked.invite.call_id, None)
            self.final_at = asyncio.get_running_loop().time()
        count = len(self.sent)
        self._reply(asked.invite, status, asked.source, tag or asked.tag, body)
        if contact is not None:
            text = self.sent.pop(count).text
            self.send(re.sub(r"Contact: <[^>]*>", f"Contact: <{contact}>", text), asked.source)

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        """After so many seconds, unless the phone is gone."""
        self._timers.append(asyncio.get_running_loop().call_later(seconds, what))

    def ask(self, asked: Asked, method: str, *, body: str = "") -> None:
        """A request of her own in the dialog of this call."""
        contact = re.search(r"<([^>]+)>", asked.invite.header("Contact"))
        assert contact is not None
        lines = [
            f"{method} {contact[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.address}:{self.port};rport;branch=z9hG4bK{secrets.token_hex(8)}",
            f"From: {asked.invite.header('To')};tag={asked.tag}",
            f"To: {asked.invite.header('From')}",
            f"Call-ID: {asked.invite.call_id}",
            f"CSeq: {random.randrange(2, 9999)} {method}",
            f"Contact: <sip:{self.user}@{self.address}:{self.port}>",
            "Max-Forwards: 70",
            *(("Content-Type: application/sdp",) if body else ()),
            f"Content-Length: {len(body)}",
        ]
        self.send("\r\n".join(lines) + "\r\n\r\n" + body, asked.source)

    def sounds(self, asked: Asked, seconds: float) -> None:
        """Send a tone of 500 Hz (PCMA) to where this call wants its sound, for so long."""
        port = re.search(r"^m=audio (\d+)", asked.invite.body, re.MULTILINE)
        assert port is not None
        frame = (b"\x2a" * 8 + b"\xaa" * 8) * 10
        transport, to = self._transport, (self.address, int(port[1]))
        assert transport is not None

        def send(number: int) -> None:
            head = struct.pack("!BBHII", 0x80, 8, number, number * 160, 4711)
            transport.sendto(head + frame, to)
            if number < seconds * 50:
                self.later(0.02, lambda: send(number + 1))

        send(1)


def sdp(
    phone: SipPhone, *, port: int = 9, codec: str = "8", address: str | None = None, flow: str = "sendrecv"
) -> str:
    """An answer with one stream of sound."""
    at = address or phone.address
    names = {"8": "PCMA", "0": "PCMU", "18": "G729"}
    return (
        f"v=0\r\no=- 1 1 IN IP4 {phone.address}\r\ns=-\r\nc=IN IP4 {at}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP {codec}\r\na=rtpmap:{codec} {names[codec]}/8000\r\na={flow}\r\n"
    )


# --- scripts ----------------------------------------------------------------------------------


def answers(status: int, *, contact: str | None = None, after: float = 0.1) -> Script:
    """Rings, and then this status, with its own Contact where one is given."""

    def script(phone: OddPhone, asked: Asked) -> None:
        phone.say(asked, 100)
        phone.say(asked, 180)
        phone.later(after, lambda: phone.say(asked, status, contact=contact))

    return script


def picks_up(after: float = 0.1, **how: object) -> Script:
    """Rings, and answers with this sound (`sdp`); `body=""`: with none."""

    def script(phone: OddPhone, asked: Asked) -> None:
        phone.say(asked, 180)
        body = how["body"] if "body" in how else sdp(phone, **how)  # type: ignore[arg-type]
        phone.later(after, lambda: phone.say(asked, 200, body=str(body)))

    return script


def keeps_silent(phone: OddPhone, asked: Asked) -> None:
    """Not a word, as a phone whose cable was pulled."""


def answers_late(phone: OddPhone, asked: Asked) -> None:
    """Rings, and takes what comes too late to be refused: whoever cancels gets 200 for the call itself."""
    phone.takes_cancelled = True
    phone.say(asked, 180)


def answers_twice(phone: OddPhone, asked: Asked) -> None:
    """Two answers of one phone, and one of another that stands behind the same address (a fork)."""

    def answer() -> None:
        for tag in (asked.tag, asked.tag, f"{asked.tag}fork"):
            phone.say(asked, 200, body=sdp(phone), tag=tag)

    phone.say(asked, 180)
    phone.later(0.1, answer)


def offers_anew(phone: OddPhone, asked: Asked) -> None:
    """A re-INVITE before it has answered, which is no use of the dialog; then an answer."""
    phone.say(asked, 183, body=sdp(phone))
    phone.later(0.1, lambda: phone.ask(asked, "INVITE", body=sdp(phone)))
    phone.later(0.4, lambda: phone.say(asked, 200, body=sdp(phone)))


def says_goodbye(phone: OddPhone, asked: Asked) -> None:
    """BYE where an answer should be."""
    phone.say(asked, 180)
    phone.later(0.1, lambda: phone.ask(asked, "BYE"))


def sounds_early(phone: OddPhone, asked: Asked) -> None:
    """183 with a tone of its own, and then busy."""
    phone.say(asked, 183, body=sdp(phone))
    phone.sounds(asked, 1.5)
    phone.later(1.5, lambda: phone.say(asked, 486))


def only_rings(phone: OddPhone, asked: Asked) -> None:
    """180 for ever."""
    phone.say(asked, 180)
