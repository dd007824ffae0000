"""Who knows the secretaries for the page and for phones that fetch their settings: passwords, tickets, states.

Stands between `web.phone`, which knows HTTP, and the exchange, which knows who is who. A wrong password is
counted by the id and by the address it came from. So who guesses at an id keeps its owner from logging in for some
minutes; a session that stands, and a link of `autocom phone`, are not touched by that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import structlog

from autocom import reach
from autocom.calls.ports import Clock
from autocom.core.accounts import REALM, WEB_DOMAIN, ha1, same
from autocom.core.journal import Json
from autocom.core.model import Configuration, Secretary
from autocom.core.posts import Post
from autocom.exchange import RunningExchange
from autocom.phones.files import linphone
from autocom.phones.keys import TICKET, Guesses, Sessions, Tickets
from autocom.settings import Settings
from autocom.timeline import iso
from autocom.web.phone import TooManyGuesses

log = structlog.get_logger()

PAGE: Final = "page"
LINPHONE: Final = "linphone"


class Desk:
    """What `web.phone.PhoneDesk` asks for."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        configuration: Callable[[], Configuration | None],
        post: Callable[[str], Post | None],
        websocket: Callable[[], str | None],
    ) -> None:
        """`post`: what the floor knows of her; `websocket`: where Asterisk takes phones of browsers."""
        self._settings, self._clock, self._configuration, self._post = settings, clock, configuration, post
        self.websocket = websocket
        self._tickets = Tickets()
        self._sessions = Sessions.kept_in(settings.state / "sessions.key")
        self._by_id, self._by_address = Guesses(10, 300.0), Guesses(30, 300.0)

    @classmethod
    def of(cls, settings: Settings, exchange: RunningExchange) -> Desk:
        """Over the running exchange."""
        board = exchange.switchboard
        return cls(
            settings,
            board.ports.clock,
            lambda: board.configuration,
            exchange.post,
            lambda: exchange.websocket,
        )

    def enter(self, who: str, password: str, address: str) -> str | None:
        """A session for who knows her password."""
        now = self._clock.now()
        wait = max(self._by_id.wait(who, now), self._by_address.wait(address, now))
        if wait:
            raise TooManyGuesses(wait)
        secretary = self._secretary(who)
        good = same(password, secretary.password if secretary else "")
        if secretary is None or not good:
            self._by_id.wrong(who, now)
            self._wrong(address, now)
            return None
        self._by_id.right(who)
        return self._sessions.open(who, _secret(secretary), now)

    def redeem(self, ticket: str, address: str) -> str | None:
        """A session for a ticket of `autocom phone ID --link`."""
        secretary = self._redeemed(ticket, PAGE, address)
        if secretary is None:
            return None
        return self._sessions.open(secretary.id, _secret(secretary), self._clock.now())

    def linphone(self, ticket: str, address: str) -> str | None:
        """Her settings as Linphone reads them."""
        secretary = self._redeemed(ticket, LINPHONE, address)
        return linphone(reach.account(self._settings, secretary)) if secretary else None

    def who(self, session: str) -> str | None:
        """Whose session this is, while her password is what it was."""

        def secret_of(who: str) -> str | None:
            secretary = self._secretary(who)
            return _secret(secretary) if secretary else None

        return self._sessions.who(session, secret_of, self._clock.now())

    def account(self, who: str) -> Mapping[str, Json]:
        """What the page needs; `who` has a session."""
        secretary, configuration = self._secretary(who), self._configuration()
        assert secretary is not None
        assert configuration is not None
        return {
            "user": secretary.id,
            "name": secretary.name,
            "extension": secretary.extension,
            "realm": REALM,
            "domain": WEB_DOMAIN,
            "ha1": _secret(secretary),
            "bureau": configuration.bureau.name,
            "language": configuration.bureau.language,
            "session": self._sessions.open(who, _secret(secretary), self._clock.now()),
        }

    def state(self, who: str) -> Mapping[str, Json]:
        """Her state, since when, and the reason of her pause."""
        post = self._post(who)
        if post is None:
            return {"state": "offline", "since": None, "reason": None, "logged_in": False}
        reason = post.pause.reason if post.pause else None
        return {"state": post.state, "since": iso(post.since), "reason": reason, "logged_in": post.logged_in}

    def link(self, who: str, purpose: str) -> Mapping[str, Json]:
        """A one-time address, for `autocom phone`."""
        if self._secretary(who) is None:
            raise LookupError(f"there is no secretary {who!r}")
        if purpose not in {PAGE, LINPHONE}:
            raise ValueError(f"{purpose!r} is neither {PAGE} nor {LINPHONE}")
        ticket = self._tickets.issue(who, purpose, self._clock.now())
        base = reach.pages(self._settings)
        # of the page the ticket is behind `#`: it stands in no server's log, and no preview uses it up
        url = f"{base}/phone#{ticket}" if purpose == PAGE else f"{base}/phone/provision/{ticket}"
        return {"url": url, "seconds": TICKET}

    def _redeemed(self, ticket: str, purpose: str, address: str) -> Secretary | None:
        now = self._clock.now()
        if wait := self._by_address.wait(address, now):
            raise TooManyGuesses(wait)
        who = self._tickets.redeem(ticket, purpose, now)
        if who is None:
            self._wrong(address, now)
            return None
        return self._secretary(who)

    def _wrong(self, address: str, now: float) -> None:
        self._by_address.wrong(address, now)
        if self._by_address.wait(address, now):
            log.warning("too many wrong passwords for the page", address=address)

    def _secretary(self, who: str) -> Secretary | None:
        configuration = self._configuration()
        return configuration.secretaries.get(who) if configuration else None


def _secret(secretary: Secretary) -> str:
    return ha1(secretary.id, secretary.password)
