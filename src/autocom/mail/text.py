"""The route for texts: one HTTP POST to the admins' own gateway (`autocom.gateway` says how).

    POST AUTOCOM_SMS_URL   Authorization: Bearer …   Idempotency-Key: note-c…-1-to-1
    {"to": "+33639981011", "text": "…", "call": "c…", "client": "cab-lilas"}

Must not know any gateway by name.
"""

from __future__ import annotations

from autocom.gateway import PATIENCE, post
from autocom.mail.route import Parcel


class TextRoute:
    """`patience`: seconds for the whole request."""

    def __init__(self, url: str, token: str | None, patience: float = PATIENCE) -> None:
        self._url, self._token, self._patience = url, token, patience

    async def send(self, parcel: Parcel) -> None:
        """See `Route`."""
        letter = parcel.letter
        body = {"to": letter.to, "text": parcel.body, "call": letter.call, "client": letter.client}
        await post(self._url, body, letter.id, self._token, self._patience)
