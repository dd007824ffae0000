"""Asking a client's own system which rule takes a call: one HTTP POST within a time budget.

`{"call": …, "client": …, "caller": …}` goes out, `{"rule": "NAME"}` comes back (`{"rule": null}`: no
opinion). Whatever else happens is `NoAdvice` with a reason in words; nothing is asked twice. Must not
know what a rule is. The story goes on in `calls.deciding`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import aiohttp

from autocom.calls.ports import NoAdvice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autocom.core.journal import Json

MOST = 16 * 1024
"""Bytes of an answer that are read: it is a rule's name."""


class HttpAdvice:
    """`calls.ports.Advice` over one HTTP session. Close it where it was made."""

    def __init__(self) -> None:
        self._http: aiohttp.ClientSession | None = None

    async def rule(self, url: str, question: Mapping[str, Json], within: float) -> str | None:
        """The rule's name, None where there is no opinion. Raises NoAdvice; `within` in seconds."""
        if self._http is None:
            self._http = aiohttp.ClientSession()
        timeout = aiohttp.ClientTimeout(total=within)
        try:
            async with self._http.post(url, json=question, timeout=timeout, allow_redirects=False) as answer:
                body = await answer.content.read(MOST)
                if answer.status != 200:
                    raise NoAdvice(f"it answered {answer.status}")
        except TimeoutError:
            raise NoAdvice(f"no answer within {within * 1000:.0f} ms") from None
        except (aiohttp.ClientError, OSError) as error:
            raise NoAdvice(f"it cannot be reached: {type(error).__name__}") from None
        try:
            told = json.loads(body)
        except (ValueError, RecursionError):
            raise NoAdvice("its answer is no JSON") from None
        if not isinstance(told, dict) or not isinstance(told.get("rule"), str | None):
            raise NoAdvice('its answer is not {"rule": "NAME"}')
        return told.get("rule") or None

    async def close(self) -> None:
        """Let the connections go."""
        if self._http is not None:
            await self._http.close()
