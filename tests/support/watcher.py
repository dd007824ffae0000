"""A raw SIP phone that watches lamps: SUBSCRIBE, and every NOTIFY read as what a phone would show.

    async with Watcher(server, "lea", "lea-demo") as lea:
        lamp = await lea.subscribe("202")                     # RFC 4235, dialog-info
        await lamp.shows("early")
        box = await lea.subscribe("box-lilas", "message-summary")
        await box.shows("yes 1/0")

What is shown is one word: of `dialog` the dialog's state (`held` where it is on hold), of `presence` the note
(`Ready`, `Ringing`, `On the phone`, `On hold`, `Unavailable`), of `message-summary` "yes" or "no" and new/old.
NOTIFYs outside of any subscription are in `unsolicited`.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
import xml.etree.ElementTree as ET

from tests.support import PATIENCE
from tests.support.sip_phone import SipPhone, address_of, digest
from tests.support.sip_text import SipMessage

ACCEPT = {
    "dialog": "application/dialog-info+xml",
    "presence": "application/pidf+xml",
    "message-summary": "application/simple-message-summary",
}
_DIALOG = "{urn:ietf:params:xml:ns:dialog-info}"
_PIDF = "{urn:ietf:params:xml:ns:pidf}"


def _xml(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - from our own Asterisk


def shown(notify: SipMessage) -> str:
    """What a phone makes of the body; empty where there is none."""
    kind = notify.header("Content-Type").split(";")[0]
    body = notify.body.strip()
    if not body:
        return ""
    if kind == ACCEPT["dialog"]:
        dialog = _xml(body).find(f"{_DIALOG}dialog")
        assert dialog is not None, body
        held = any(param.get("pname") == "+sip.rendering" for param in dialog.iter(f"{_DIALOG}param"))
        return "held" if held else dialog.findtext(f"{_DIALOG}state", "")
    if kind == ACCEPT["presence"]:
        return _xml(body).findtext(f"{_PIDF}note", "")
    waiting = re.search(r"^Messages-Waiting: (\w+)", body, re.MULTILINE)
    counts = re.search(r"^Voice-Message: (\d+)/(\d+)", body, re.MULTILINE)
    assert waiting, body
    assert counts, body
    return f"{waiting[1]} {counts[1]}/{counts[2]}"


def basic(notify: SipMessage) -> str:
    """PIDF's open or closed."""
    return _xml(notify.body.strip()).findtext(f".//{_PIDF}basic", "")


class Watched:
    """One subscription of a `Watcher`."""

    def __init__(self, phone: Watcher, name: str, request: str, call_id: str, answer: SipMessage) -> None:
        self.phone, self.name, self.call_id, self.answer = phone, name, call_id, answer
        self._request, self._cseq = request, 10

    @property
    def status(self) -> int:
        """How the server answered."""
        assert self.answer.status is not None
        return self.answer.status

    @property
    def notifies(self) -> list[SipMessage]:
        """Every NOTIFY of this subscription, without retransmissions."""
        found: dict[str, SipMessage] = {}
        for message in self.phone.received:
            if message.method == "NOTIFY" and message.call_id == self.call_id:
                found.setdefault(message.header("CSeq"), message)
        return list(found.values())

    @property
    def history(self) -> list[str]:
        """What was shown, in order, each change once."""
        seen: list[str] = []
        for each in map(shown, self.notifies):
            if each and (not seen or seen[-1] != each):
                seen.append(each)
        return seen

    async def shows(self, what: str, *or_else: str, within: float = PATIENCE) -> float:
        """Wait until the newest NOTIFY says so, or one of the others; when it came (monotonic seconds)."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            found = self.notifies
            if found and shown(found[-1]) in (what, *or_else):
                return found[-1].at
            await asyncio.sleep(0.01)
        raise AssertionError(f"{self.name} does not show {what!r} within {within} s: {self.history}")

    async def ended(self, within: float = PATIENCE) -> SipMessage:
        """The NOTIFY that ends it."""
        return await self.phone.wait_for(
            lambda m: m.call_id == self.call_id and m.header("Subscription-State").startswith("terminated"),
            within,
        )

    async def again(self, expires: int) -> SipMessage:
        """Refresh it, or end it with 0; the server's answer."""
        self._cseq += 10
        text = _with(self._request, "To", self.answer.header("To"))
        text = _with(_with(text, "Expires", str(expires)), "CSeq", f"{self._cseq} SUBSCRIBE")
        return await self.phone.authenticated(_anew(text), self.call_id)


class Watcher(SipPhone):
    """A phone with lamps. `domain`: the host part of its address (`web` is a phone in a browser)."""

    domain: str | None = None

    @property
    def unsolicited(self) -> list[SipMessage]:
        """NOTIFYs that came without being asked for."""
        mine = {m.call_id for m in self.sent if m.method == "SUBSCRIBE"}
        return [m for m in self.received if m.method == "NOTIFY" and m.call_id not in mine]

    async def lamp(self, what: str, within: float = PATIENCE) -> SipMessage:
        """The newest unsolicited NOTIFY, once it shows that."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            if self.unsolicited and shown(self.unsolicited[-1]) == what:
                return self.unsolicited[-1]
            await asyncio.sleep(0.01)
        raise AssertionError(
            f"the lamp does not show {what!r} within {within} s: {list(map(shown, self.unsolicited))}"
        )

    async def subscribe(
        self, name: str, event: str = "dialog", expires: int = 300, *, password: str | None = None
    ) -> Watched:
        """Subscribe to `name` at the server; whatever it answers."""
        call_id = f"{secrets.token_hex(8)}@{self.address}"
        me = f"<sip:{self.user}@{self.domain or address_of(self.server)[0]}>"
        made = self.request(
            "SUBSCRIBE",
            f"sip:{name}@{self.server}",
            frm=me,
            to=f"<sip:{name}@{self.server}>",
            call_id=call_id,
            headers=(f"Event: {event}", f"Accept: {ACCEPT[event]}", f"Expires: {expires}"),
        )
        text = made.replace("<sip:line@", f"<sip:{self.user}@")
        return Watched(self, name, text, call_id, await self.authenticated(text, call_id, password))

    async def authenticated(self, text: str, call_id: str, password: str | None = None) -> SipMessage:
        """Send it, again with credentials where they are asked for; the last answer."""
        before = sum(_answers(message, call_id) for message in self.received)
        self.send(text)
        answer = await self._answer(call_id, before + 1)
        if answer.status != 401:
            return answer
        method, uri, _ = text.split(" ", 2)
        challenge = answer.header("WWW-Authenticate")
        token = digest(challenge, method, uri, self.user, password or self.password)
        number = int(SipMessage.parse(text).header("CSeq").split()[0])
        text = _anew(_with(text, "CSeq", f"{number + 1} {method}"))
        self.send(text.replace("Max-Forwards:", f"Authorization: {token}\r\nMax-Forwards:", 1))
        return await self._answer(call_id, before + 2)

    async def _answer(self, call_id: str, nth: int) -> SipMessage:
        return await self.wait_for(lambda m: _answers(m, call_id), nth=nth)


def _answers(message: SipMessage, call_id: str) -> bool:
    return (
        message.status is not None
        and message.call_id == call_id
        and message.cseq_method in {"SUBSCRIBE", "REGISTER"}
    )


def _with(text: str, header: str, value: str) -> str:
    """The request with another value of one header."""
    return re.sub(rf"(?m)^{header}: [^\r]*", lambda _: f"{header}: {value}", text, count=1)


def _anew(text: str) -> str:
    """The request as a transaction of its own."""
    return re.sub(r"branch=[^\r;]+", f"branch=z9hG4bK{secrets.token_hex(8)}", text, count=1)
