"""Who may ask what of the API: tokens with a role, and the role that each route needs.

`metrics` may scrape, `reader` sees what there is, `lead` acts as a team lead does, `admin` may do everything; the token in `service.json` is
an admin's, since whoever can read that file can read everything else. A token may be limited to some clients: it is
then good only for routes that name a client, and for those. Must not know where tokens are kept, or what a route does.
Invariant: a route that is not in `ROLES` is refused to all but admins, and a test refuses it altogether; who acts is
written down by the token's name, whatever name the request says.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal, Protocol

import structlog
from aiohttp import web

from autocom.core.accounts import same
from autocom.web.answers import AUTHOR, body_refused, is_here, refused

log = structlog.get_logger()

Role = Literal["metrics", "reader", "lead", "admin"]
RANK: Final[dict[Role, int]] = {"metrics": 0, "reader": 1, "lead": 2, "admin": 3}

ROLES: Final[dict[tuple[str, str], Role]] = {
    ("GET", "/metrics"): "metrics",
    ("GET", "/v1/status"): "reader",
    ("GET", "/v1/alerts"): "reader",
    ("GET", "/v1/entries"): "reader",
    ("POST", "/v1/flush"): "reader",
    ("GET", "/v1/overrides"): "reader",
    ("GET", "/v1/parked"): "reader",
    ("GET", "/v1/rooms"): "reader",
    ("GET", "/v1/forwarding/{id}"): "reader",
    ("GET", "/v1/lists/{client}"): "reader",
    ("GET", "/v1/voicemail"): "reader",
    ("GET", "/v1/recordings"): "reader",
    ("GET", "/v1/supervisions"): "reader",
    ("GET", "/v1/texts"): "reader",
    ("POST", "/v1/secretaries/{id}/{verb}"): "lead",
    ("POST", "/v1/overrides"): "lead",
    ("DELETE", "/v1/overrides/{client}"): "lead",
    ("POST", "/v1/rooms/{room}/{verb}"): "lead",
    ("PUT", "/v1/forwarding/{id}/{when}"): "lead",
    ("DELETE", "/v1/forwarding/{id}/{when}"): "lead",
    ("POST", "/v1/lists/{client}"): "lead",
    ("DELETE", "/v1/lists/{client}"): "lead",
    ("DELETE", "/v1/lists/{client}/{item}"): "lead",
    ("POST", "/v1/results/{secretary}/{result}"): "lead",
    ("POST", "/v1/voicemail/{id}/{verb}"): "lead",
    ("GET", "/v1/recordings/{id}/sound"): "lead",
    ("POST", "/v1/supervisions"): "lead",
    ("POST", "/v1/supervisions/{lead}/{mode}"): "lead",
    ("POST", "/v1/texts"): "lead",
    ("GET", "/v1/texts/{wanted}"): "lead",
    ("GET", "/v1/texts/{wanted}/attachments/{number}"): "lead",
    ("POST", "/v1/reload"): "admin",
    ("POST", "/v1/rollback"): "admin",
    ("POST", "/v1/hand-over"): "admin",
    ("POST", "/v1/upgrade"): "admin",
    # a link logs its reader in as that secretary
    ("POST", "/v1/phones/{id}/{purpose}"): "admin",
    ("GET", "/v1/bans"): "admin",
    ("DELETE", "/v1/bans/{address}"): "admin",
}
"""The role that each route needs, by its method and path."""

BY_QUERY: Final = frozenset({("GET", "/v1/texts"), ("GET", "/v1/recordings")})
"""Routes that name their client in the query."""

METRICS: Final = "/metrics"
PASSED_ON: Final = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")
"""What a proxy of this machine writes that asks for somebody else."""

WRONG, WINDOW, COUNTED = 10, 60.0, 1000
"""So many wrong tokens in so many seconds from one address are told to wait; so many addresses are counted."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who a token is. `name` None: whoever may read the state folder. `clients` None: all."""

    name: str | None
    role: Role
    clients: frozenset[str] | None = None


ADMIN: Final = Holder(None, "admin")


class Tokens(Protocol):
    """Who knows the named tokens."""

    def holder(self, given: str) -> Holder | None:
        """Whose token this is."""
        ...


class NoTokens:
    """There are none."""

    def holder(self, given: str) -> Holder | None:
        """Nobody's."""
        del given
        return None


class Guard:
    """The middleware before every route below `/v1`, and before `/metrics` for whoever asks from elsewhere."""

    def __init__(self, token: str, tokens: Tokens, clock: Callable[[], float] = time.monotonic) -> None:
        self._token, self._tokens, self._clock = token, tokens, clock
        self._wrong: dict[str, list[float]] = {}

    @web.middleware
    async def keep(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """401 without a good token, 403 where it is not enough; then the route."""
        if not _is_kept(request):
            return await handler(request)
        holder = self._holder(request)
        if holder is None:
            return self._refusal(request)
        why = forbidden(holder, request)
        if why is not None:
            return refused(why, 403)
        if holder.name is not None:
            request[AUTHOR] = holder.name
        return await body_refused(request) or await handler(request)

    def _holder(self, request: web.Request) -> Holder | None:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not given:
            return None
        # first and whatever was wrong before: a guess at 192 random bits is not what the limit is for
        return ADMIN if same(given, self._token) else self._tokens.holder(given)

    def _refusal(self, request: web.Request) -> web.Response:
        address, now = request.remote or "", self._clock()
        recent = [at for at in self._wrong.pop(address, []) if now - at < WINDOW][-WRONG:]
        recent.append(now)
        self._wrong[address] = recent
        while len(self._wrong) > COUNTED:
            del self._wrong[next(iter(self._wrong))]
        if len(recent) == WRONG:
            log.warning("api_tokens_wrong", address=address, count=WRONG)
        if len(recent) > WRONG:
            answer = refused("too many wrong tokens: wait a minute", 429)
            answer.headers["Retry-After"] = str(int(WINDOW))
        else:
            answer = refused("a valid bearer token is needed", 401)
            answer.headers["WWW-Authenticate"] = "Bearer"
        answer.force_close()  # nothing more of it is read
        return answer


def forbidden(holder: Holder, request: web.Request) -> str | None:
    """Why this holder may not ask this; None: may, or there is nothing to ask."""
    resource = request.match_info.route.resource
    if resource is None:
        return None  # 404 or 405: the routes' own answer
    key = (
        "GET" if request.method == "HEAD" else request.method,
        resource.canonical,
    )
    needed = ROLES.get(key, "admin")
    if RANK[holder.role] < RANK[needed]:
        return f"this token is a {holder.role}'s: {needed} is needed"
    if holder.clients is None:
        return None
    named = request.match_info.get("client")
    if named is None and key in BY_QUERY:
        asked = request.query.getall("client", [])
        named = asked[0] if len(asked) == 1 else None
    if named is None:
        return "this token is good for some clients only, and this route names none"
    return None if named in holder.clients else f"this token is not good for the client {named!r}"


def _is_kept(request: web.Request) -> bool:
    """By the route that was found, and by the path: what is spelt oddly is kept as well."""
    resource = request.match_info.route.resource
    canonical = resource.canonical if resource is not None else ""
    if canonical == METRICS:
        return not _is_from_here(request) or "Authorization" in request.headers
    return request.path.startswith("/v1/") or canonical.startswith("/v1")


def _is_from_here(request: web.Request) -> bool:
    """Whether a program of this machine asks, and for itself."""
    return is_here(request.remote) and not any(name in request.headers for name in PASSED_ON)


GUARDS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""On every answer that says nothing else of them: none is a page, and none is to be kept."""


async def put_guards(_: web.Request, answer: web.StreamResponse) -> None:
    """For `on_response_prepare`."""
    for name, value in GUARDS.items():
        answer.headers.setdefault(name, value)
