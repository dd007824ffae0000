"""What every route of the API has in common: a refusal in words becomes a status, and what a body must be.

The exchange refuses by what it raises: LookupError for nobody and nothing by that name (404), `NotPossible` for not
now (409), ValueError for wrong words (400). Must not know what is asked. Invariant: every refusal is `{"error": "…"}`.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from aiohttp import web

from autocom.core.journal import Json
from autocom.core.orders import NotPossible

AUTHOR: Final = web.RequestKey("author", str)
"""Where the guard leaves the name of the token that asks, in the request."""

BODY_WITHIN: Final = 10.0
"""Seconds for a body: whoever sends it a byte at a time holds nothing up."""


def answered(act: Callable[[], Mapping[str, Json] | Sequence[Json]], *, wrong: int = 400) -> web.Response:
    """What the exchange says, or its refusal in words; `wrong`: the status of a ValueError."""
    try:
        return web.json_response(act())
    except LookupError as error:
        return missing(error)
    except NotPossible as error:
        return refused(str(error), 409)
    except ValueError as error:
        return refused(str(error), wrong)


def missing(error: LookupError) -> web.Response:
    """There is nobody, or nothing, by that name."""
    return refused(str(error.args[0]), 404)


def refused(why: str, status: int = 400) -> web.Response:
    """No, and why."""
    return web.json_response({"error": why}, status=status)


async def body_refused(request: web.Request) -> web.Response | None:
    """Have the whole body, which the request keeps for whoever reads it next; the refusal where it does not come."""
    try:
        async with asyncio.timeout(BODY_WITHIN):
            await request.read()
    except TimeoutError:
        answer = refused("the body did not come in time", 408)
    except web.RequestPayloadError:
        answer = refused("the body is not what its headers say")
    else:
        return None
    answer.force_close()
    return answer


async def json_of(request: web.Request) -> Any:
    """What the body says; ValueError where it is no JSON, or one that is nested beyond reason."""
    try:
        return await request.json()
    except RecursionError:
        raise ValueError("nested too deeply") from None


async def wish_of(request: web.Request) -> dict[str, Any] | None:
    """The JSON object of the body; None where it is none."""
    try:
        wish = await json_of(request)
    except ValueError:
        return None
    return wish if isinstance(wish, dict) else None


def is_here(address: str | None) -> bool:
    """Whether this is an address of this machine alone."""
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


def author_of(request: web.Request, said: str | None, otherwise: str = "api") -> str:
    """Who does this: the token's name where it has one. Whoever may read the state folder says it himself."""
    return request.get(AUTHOR) or said or otherwise


def signed(request: web.Request, wish: dict[str, Any]) -> dict[str, Any]:
    """A wish whose `author` is the token's name, where it has one."""
    name = request.get(AUTHOR)
    return wish if name is None else wish | {"author": name}
