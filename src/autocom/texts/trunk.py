"""A provider that is one of our trunks: texts leave as SIP MESSAGE.

Asterisk (22.10.1) answers before it has sent anything, and no receipt follows: "sent" is all that is ever
known of such a text. Must not know SIP. A text that one MESSAGE cannot carry goes in numbered pieces.
"""

from __future__ import annotations

from autocom.calls.ports import Gone, Messenger, TelephoneDown
from autocom.core.texts import Outgoing, TextProvider
from autocom.lane import Refused, Unreachable
from autocom.texts.words import pieces


class TrunkProvider:
    """See `provider.Provider`."""

    whole = True

    def __init__(self, provider: TextProvider, messenger: Messenger) -> None:
        self._trunk, self._host, self._messenger = provider.trunk or "", provider.host, messenger

    async def run(self) -> None:
        """Nothing beside sending."""

    async def send(self, text: Outgoing, part: int) -> str:  # noqa: ARG002 - it goes as a whole
        """See `Provider`."""
        try:
            for piece in pieces(text.body):
                await self._messenger.text_outside(self._trunk, self._host, text.to, text.number, piece)
        except TelephoneDown as down:
            raise Unreachable(str(down)) from down
        except Gone as gone:
            raise Unreachable(f"the trunk is not there: {gone}") from gone
        except ValueError as error:
            raise Refused(str(error)) from error
        return ""
