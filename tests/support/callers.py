"""Raw callers who do what callers do: they confirm an answer, and a hang-up of the other side.

    async with Callers(bureau.sip) as callers:
        answer = await callers.invite("0199001001", frm="<sip:0639980101@operator.example>")
        await callers.answered(answer)
        await callers.dismissed(answer)

As many calls as one likes from one socket, silent; who has to hear something is a phone of `phones.py`.
"""

from __future__ import annotations

import re

from tests.support import PATIENCE
from tests.support.sip_phone import SipLine
from tests.support.sip_text import SipMessage


class Callers(SipLine):
    """A line whose calls stay up."""

    def on_message(self, message: SipMessage, source: tuple[str, int]) -> None:
        if message.cseq_method == "INVITE" and (message.status or 0) >= 200:
            invite = next(m for m in self.sent if m.method == "INVITE" and m.call_id == message.call_id)
            uri = invite.first_line.split(" ")[1]
            branch = re.search(r"branch=([^;\s]+)", invite.header("Via"))
            assert branch is not None
            # of a refusal it is the INVITE's own (RFC 3261, 17.1.1.3); the same ACK each time the answer comes again
            ours = branch[1] if (message.status or 0) >= 300 else f"{branch[1]}ack"
            self.send(self._in_dialog("ACK", uri, invite, message.header("To"), 1, ours))
        elif message.method == "BYE":
            fields = ("Via", "From", "To", "Call-ID", "CSeq")
            lines = [f"{name}: {value}" for name in fields for value in message.headers(name)]
            self.send("\r\n".join(["SIP/2.0 200 OK", *lines, "Content-Length: 0", "\r\n"]), source)

    async def answered(self, call: SipMessage, within: float = PATIENCE) -> SipMessage:
        """The 200 of this call, whose first answer is given."""
        return await self.wait_for(lambda m: m.call_id == call.call_id and m.status == 200, within)

    async def dismissed(self, call: SipMessage, within: float = PATIENCE) -> SipMessage:
        """Wait until the other side hangs up."""
        return await self.wait_for(lambda m: m.call_id == call.call_id and m.method == "BYE", within)
