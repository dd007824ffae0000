"""The page `/phone`: a secretary's softphone in her browser, and what phones fetch by themselves.

Static files with a strict policy (no inline script, nothing from elsewhere), a login that gives a session in a
cookie, and the web socket. The browser never has an API token: it acts as her phone does, by SIP. Must not know
who secretaries are (`PhoneDesk` does). Invariant: every answer that holds a secret is for a session or a ticket
that works once, and no cache keeps it.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

from aiohttp import web

from autocom.core.journal import Json
from autocom.web.answers import answered, body_refused, is_here, refused, wish_of
from autocom.web.sip_socket import SipSocket, same_origin

PAGE: Final = Path(__file__).with_name("static") / "phone"
COOKIE: Final = "autocom_phone"
_KINDS: Final = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; media-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_GUARDS: Final = {
    "Content-Security-Policy": _POLICY,
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_PRIVATE: Final = {**_GUARDS, "Cache-Control": "no-store"}


class TooManyGuesses(Exception):  # noqa: N818 - says what is the case
    """Wrong passwords: asked again after `wait` seconds."""

    def __init__(self, wait: float) -> None:
        super().__init__(f"try again in {wait:.0f} s")
        self.wait = wait


class PhoneDesk(Protocol):
    """Who knows the secretaries and their secrets."""

    def enter(self, who: str, password: str, address: str) -> str | None:
        """A session for who knows her password; None otherwise. Raises TooManyGuesses."""
        ...

    def redeem(self, ticket: str, address: str) -> str | None:
        """A session for a one-time ticket; None where it is no good. Raises TooManyGuesses."""
        ...

    def who(self, session: str) -> str | None:
        """Whose session this is."""
        ...

    def account(self, who: str) -> Mapping[str, Json]:
        """What her page needs: user, digest, name, extension, language, domain, and a session that lasts longer."""
        ...

    def state(self, who: str) -> Mapping[str, Json]:
        """Her state as the floor sees it."""
        ...

    def linphone(self, ticket: str, address: str) -> str | None:
        """The XML that Linphone fetches with a one-time ticket. Raises TooManyGuesses."""
        ...

    def link(self, who: str, purpose: str) -> Mapping[str, Json]:
        """A one-time address; LookupError for an unknown secretary, ValueError for an unknown purpose."""
        ...

    def websocket(self) -> str | None:
        """Where Asterisk takes phones of browsers."""
        ...


class PhonePage:
    """The routes over one desk."""

    def __init__(self, desk: PhoneDesk) -> None:
        self._desk = desk
        self._socket = SipSocket(self._who, desk.websocket)
        self._files = {file.name: _File(file) for file in sorted(PAGE.iterdir()) if file.suffix in _KINDS}

    def add(self, app: web.Application) -> None:
        """The page's routes, for an application that the outside may see."""
        app.add_routes(
            [
                web.get("/phone", self._page),
                web.get("/phone/", _to_page),
                web.get("/phone/account", self._account),
                web.get("/phone/state", self._state),
                web.get("/phone/provision/{ticket}", self._provision),
                web.get("/phone/{file}", self._static),
                web.post("/phone/login", self._login),
                web.post("/phone/logout", self._logout),
                web.get("/ws", self._socket.serve),
            ]
        )
        app.on_shutdown.append(self._socket.close)

    def add_orders(self, app: web.Application) -> None:
        """What commands ask for, under `/v1`: for the application that guards it."""
        app.router.add_post("/v1/phones/{id}/{purpose}", self._link)

    def _who(self, request: web.Request) -> str | None:
        return self._desk.who(request.cookies.get(COOKIE, ""))

    # --- files ---

    async def _page(self, request: web.Request) -> web.Response:
        return self._files["index.html"].answer(request)

    async def _static(self, request: web.Request) -> web.Response:
        file = self._files.get(request.match_info["file"])
        return file.answer(request) if file else web.Response(status=404, headers=_GUARDS)

    # --- who she is ---

    async def _login(self, request: web.Request) -> web.Response:
        """JSON: `id` and `password`, or `ticket`."""
        if not same_origin(request):
            return _refusal(403, "this is for the page of this server")
        if not _unheard(request):
            return _refusal(403, "a password needs https")
        late = await body_refused(request)
        if late is not None:
            return late
        asked = await wish_of(request)
        if asked is None or not all(isinstance(value, str) for value in asked.values()):
            return _refusal(400, "a JSON object is expected")
        address = _address(request)
        try:
            if "ticket" in asked:
                session = self._desk.redeem(asked["ticket"], address)
            else:
                session = self._desk.enter(asked.get("id", ""), asked.get("password", ""), address)
        except TooManyGuesses as guesses:
            return _later(guesses)
        if session is None:
            return _refusal(401, "no such id and password, or a ticket that was used")
        return _with_session(web.Response(status=204, headers=_PRIVATE), request, session)

    async def _logout(self, _: web.Request) -> web.Response:
        answer = web.Response(status=204, headers=_PRIVATE)
        answer.del_cookie(COOKIE, path="/")
        return answer

    async def _account(self, request: web.Request) -> web.Response:
        """204: nobody is logged in. No error: the page asks this first, and browsers complain of errors."""
        who = self._who(request)
        if who is None:
            return web.Response(status=204, headers=_PRIVATE)
        account = dict(self._desk.account(who))
        session = str(account.pop("session"))
        return _with_session(web.json_response(account, headers=_PRIVATE), request, session)

    async def _state(self, request: web.Request) -> web.Response:
        who = self._who(request)
        if who is None:
            return _refusal(401, "log in first")
        return web.json_response(dict(self._desk.state(who)), headers=_PRIVATE)

    # --- tickets ---

    async def _provision(self, request: web.Request) -> web.Response:
        if request.method == "HEAD":  # who only looks whether it is there must not use it up
            return _refusal(405, "ask with GET, once")
        try:
            text = self._desk.linphone(request.match_info["ticket"], _address(request))
        except TooManyGuesses as guesses:
            return _later(guesses)
        if text is None:
            return _refusal(404, "used, too old, or unknown")
        return web.Response(text=text, content_type="application/xml", charset="utf-8", headers=_PRIVATE)

    async def _link(self, request: web.Request) -> web.Response:
        asked = request.match_info
        answer = answered(lambda: self._desk.link(asked["id"], asked["purpose"]))
        answer.headers.update(_PRIVATE)
        return answer


class _File:
    """A file of the page, read once; browsers ask whether it is still the same."""

    def __init__(self, path: Path) -> None:
        self._body = path.read_bytes()
        self._kind = _KINDS[path.suffix]
        self._tag = f'"{hashlib.sha256(self._body).hexdigest()[:16]}"'

    def answer(self, request: web.Request) -> web.Response:
        headers = {**_GUARDS, "ETag": self._tag, "Cache-Control": "no-cache"}
        if request.headers.get("If-None-Match") == self._tag:
            return web.Response(status=304, headers=headers)
        return web.Response(body=self._body, content_type=self._kind, charset="utf-8", headers=headers)


async def _to_page(_: web.Request) -> web.Response:
    raise web.HTTPFound("/phone")


def _with_session(answer: web.Response, request: web.Request, session: str) -> web.Response:
    """No `max_age`: it ends with the browser; how long it holds stands inside."""
    secure = request.secure or request.headers.get("X-Forwarded-Proto") == "https"
    answer.set_cookie(COOKIE, session, path="/", httponly=True, secure=secure, samesite="Strict")
    return answer


def _unheard(request: web.Request) -> bool:
    """Whether nobody between her and us reads along: TLS, ours or a proxy's, or this machine."""
    if request.secure:
        return True
    proxied = request.headers.get("X-Forwarded-Proto")
    return proxied == "https" if proxied else is_here(request.remote)


def _address(request: web.Request) -> str:
    """Where she asks from, for counting guesses; a proxy on this machine says for whom it asks."""
    forwarded = request.headers.get("X-Forwarded-For", "").rsplit(",", 1)[-1].strip()
    if forwarded and is_here(request.remote):
        try:
            return str(ipaddress.ip_address(forwarded))
        except ValueError:
            pass  # not an address: nothing to count by, and nothing to repeat in a log
    return request.remote or ""


def _refusal(status: int, why: str) -> web.Response:
    answer = refused(why, status)
    answer.headers.update(_PRIVATE)
    return answer


def _later(guesses: TooManyGuesses) -> web.Response:
    answer = _refusal(429, str(guesses))
    answer.headers["Retry-After"] = str(int(guesses.wait) + 1)
    return answer
