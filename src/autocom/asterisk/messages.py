"""SIP MESSAGE over ARI: texts on softphones, and texts to people outside; a part of `asterisk.telephone`.

Asterisk (22.10.1) answers 202 before it has sent anything: what the other side says of a text is not heard.
Over UDP a MESSAGE has at most 1300 bytes (RFC 3428), and ARI's request line takes some 2 kB of body: whoever
calls this sends pieces. Invariant: nothing that a sender wrote
can become a header, an address or a second line of one.
"""

from __future__ import annotations

import re
import unicodedata

from autocom.asterisk.ari import outbound
from autocom.asterisk.ari.generated import Ari
from autocom.asterisk.conf.text import HOST
from autocom.asterisk.parties import about_a_channel
from autocom.calls.ports import ShownText

_NOT_IN_USER = re.compile(r"[^0-9A-Za-z+*_.-]")


class MessageCommands:
    """The port `Messenger`. `sip_host`: the name or address by which phones know us. A softphone that answers in a
    conversation sends to it; a port behind it gets lost in Asterisk (22.10.1)."""

    _ari: Ari
    sip_host = "localhost"

    def phone_of(self, secretary: str) -> str:
        """As the port `Telephone`."""
        raise LookupError(secretary)

    async def show_text(self, secretary: str, text: ShownText) -> None:
        """See `calls.ports.Messenger`."""
        endpoint = self.phone_of(secretary).removeprefix("PJSIP/")
        display = outbound.one_line(text.display)[: outbound.MAX_DISPLAY].replace("\\", "").replace('"', "'")
        user = _NOT_IN_USER.sub("", text.user)[:80]
        await self._message(f"pjsip:{endpoint}", f'"{display}" <sip:{user}@{self._host}>', text.body)

    async def text_outside(self, trunk: str, host: str, number: str, sender: str, body: str) -> None:
        """See `calls.ports.Messenger`. The number has to stand in an address of its own: `number@endpoint`, as a
        call is dialled, reaches nobody (22.10.1), and is answered 202."""
        if not outbound.E164.fullmatch(sender) or not HOST.fullmatch(host):
            raise ValueError("not an E.164 number, or not a host")
        _, endpoint = outbound.outside(number, trunk).removeprefix("PJSIP/").split("@")
        await self._message(f"pjsip:{endpoint}/sip:{number}@{host}", f"<sip:{sender}@{self._host}>", body)

    @property
    def _host(self) -> str:
        return f"[{self.sip_host}]" if ":" in self.sip_host else self.sip_host

    async def _message(self, to: str, sender: str, body: str) -> None:
        with about_a_channel():
            await self._ari.endpoints.send_message(to, sender, body=_lines(body))


def _lines(text: str) -> str:
    """Without control characters but line ends."""
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
