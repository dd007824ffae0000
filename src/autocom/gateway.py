"""How something is handed to an HTTP gateway of the admins' choice (the operator's, or a small script).

One POST with a bearer token and an `Idempotency-Key`, which is the same at every try, so that a gateway which knows
it sends once. Any 2xx is "taken". Redirects are not followed: it goes where the setting says. Must not know what it
is, nor any gateway by name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import aiohttp

from autocom.core.journal import Json
from autocom.lane import Refused, Unreachable

PATIENCE = 15.0
_AGAIN = frozenset({401, 403, 404, 408, 425, 429})  # of the setting or the moment, not of this text
_ANSWER_AT_MOST = 64 * 1024


async def post(url: str, body: Mapping[str, Json], key: str, token: str | None, within: float) -> bytes:
    """What the gateway said once it took it, after at most `within` seconds. Raises Unreachable or Refused."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return await post_bytes(url, json.dumps(body).encode(), headers, within)


async def post_bytes(url: str, raw: bytes, headers: Mapping[str, str], within: float) -> bytes:
    """The same of bytes that are written already, as a signature over them needs it."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=within)) as session,
            session.post(url, data=raw, headers=headers, allow_redirects=False) as answer,
        ):
            status = answer.status
            said = await answer.content.read(_ANSWER_AT_MOST)
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        # the type alone: its words may quote the address, and with it a secret
        raise Unreachable(f"the gateway does not answer ({type(error).__name__})") from error
    if 200 <= status < 300:
        return said
    if 400 <= status < 500 and status not in _AGAIN:
        raise Refused(f"the gateway answers {status}")
    raise Unreachable(f"the gateway answers {status}")
