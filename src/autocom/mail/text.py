"""The route for texts: one HTTP POST to the admins' own gateway (the operator's, or a small script).

    POST AUTOCOM_SMS_URL   Authorization: Bearer …   Idempotency-Key: note-c…-1-to-1
    {"to": "+33639981011", "text": "…", "call": "c…", "client": "cab-lilas"}

Any 2xx is "taken". The key is the same at every try, so that a gateway which knows it sends once.
Must not know any gateway by name. Redirects are not followed: the text goes where the setting says.
"""

from __future__ import annotations

import aiohttp

from autocom.mail.route import Parcel, Refused, Unreachable, plain

PATIENCE = 15.0
_AGAIN = frozenset({401, 403, 404, 408, 425, 429})  # of the setting or the moment, not of this text


class TextRoute:
    """`patience`: seconds for the whole request."""

    def __init__(self, url: str, token: str | None, patience: float = PATIENCE) -> None:
        self._url, self._patience = url, patience
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def send(self, parcel: Parcel) -> None:
        """See `Route`."""
        letter = parcel.letter
        body = {"to": letter.to, "text": parcel.body, "call": letter.call, "client": letter.client}
        timeout = aiohttp.ClientTimeout(total=self._patience)
        headers = {**self._headers, "Idempotency-Key": letter.id}
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
                session.post(self._url, json=body, allow_redirects=False) as answer,
            ):
                status = answer.status
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            # the type alone: its words may quote the address, and with it a secret
            raise Unreachable(f"the gateway does not answer ({type(error).__name__})") from error
        if 200 <= status < 300:
            return
        if 400 <= status < 500 and status not in _AGAIN:
            raise Refused(plain(f"the gateway answers {status}"))
        raise Unreachable(f"the gateway answers {status}")
