"""AMI over panoramisk, with its defects closed: what ARI does not tell about phones.

Registrations, phones busy with calls of their own, RTP quality of each leg at its end, and the
reload of generated configuration. It must never be needed: with AMI away calls go on, and it
reconnects by itself. Invariant: after every login everything is read anew, so what was missed is
told; an action fails at once while AMI is away and is never carried out later. The meaning of
events is in `ami_facts.py`.
"""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import structlog
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager

from autocom.asterisk.ami_facts import PhoneBook, quality, refused, turned_away
from autocom.asterisk.ari.client import Backoff
from autocom.asterisk.bans import FILTERS as LOGINS
from autocom.asterisk.bans import login_of
from autocom.asterisk.music_watch import FILTERS as MUSIC
from autocom.calls.ports import TelephoneDown
from autocom.core.bans import Login
from autocom.core.telephony import Fact

log = structlog.get_logger()

ANSWER_WITHIN = 3.0
PING_EVERY = 5.0
PINGS_PER_SWEEP = 12
LONGEST_MESSAGE = 1 << 20
# a phone that registers anew is removed and added within a millisecond: that is no absence
ABSENCE_GRACE = 0.2

# Asterisk sends nothing else: its events are many, and panoramisk reads them slowly.
FILTERS: tuple[Mapping[str, str], ...] = (
    {"MatchCriteria": "name(ContactStatus),method(none)"},
    {"MatchCriteria": "name(Newchannel),method(none)"},
    {"MatchCriteria": "name(Hangup),method(none)"},
    {"MatchCriteria": "name(VarSet),header(Variable),method(exact)", "Filter": "RTPAUDIOQOS"},
    {"MatchCriteria": "name(UserEvent),header(UserEvent),method(exact)", "Filter": "AutocomEmergencyRefused"},
    *LOGINS,
    *MUSIC,
)


class AmiRefused(Exception):  # noqa: N818 - reads as what happened
    """Asterisk answered an action with an error; the message is its own."""


class _Wire(AMIProtocol):  # type: ignore[misc]  # panoramisk has no types
    """panoramisk 1.4 decodes each TCP segment by itself, which loses a UTF-8 character that is cut by
    the segment's end, keeps unanswered actions to send them again after a reconnect, and whatever has no end."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def data_received(self, data: bytes) -> None:
        text = self._decoder.decode(data)
        if text:
            super().data_received(text.encode())
        if self.queue and len(self.queue[0]) > LONGEST_MESSAGE:
            log.warning("ami_message_too_long", size=len(self.queue[0]))
            self.queue.clear()
            self.transport.abort()

    def close(self) -> None:
        for action in list(self.responses.values()):
            if not action.future.done():
                action.future.set_exception(ConnectionError("AMI is away"))
                # some of these nobody waits for (a login that never was answered)
                action.future.exception()
        self.responses.clear()
        super().close()


class _Session(Manager):  # type: ignore[misc]  # panoramisk has no types
    """One connection of panoramisk, never reused: its own reconnect resends old actions, and its pings
    notice no frozen peer. `lost` is done when the connection is."""

    def __init__(self, on_event: Callable[[Mapping[str, str]], None], **settings: object) -> None:
        super().__init__(loop=asyncio.get_running_loop(), **settings)
        self.lost: asyncio.Future[None] = self.loop.create_future()
        self._on_event = on_event

    async def open(self, host: str, port: int) -> None:
        """Connect and log in. OSError, TimeoutError, or AmiRefused for a wrong user or password."""
        async with asyncio.timeout(ANSWER_WITHIN):
            made = self.loop.create_future()
            made.set_result(await self.loop.create_connection(_Wire, host, port))
            self.connection_made(made)
            answer = await self.authenticated_future
        if not answer.success:
            raise AmiRefused(answer.message)

    def ping(self) -> None:
        """Not panoramisk's: nobody would look at the answer."""

    def dispatch(self, event: Any) -> list[str]:
        """One place for all events; panoramisk's makes tasks of its own."""
        self._on_event(event)
        return []

    def login(self, future: asyncio.Future[Any]) -> bool:
        """Panoramisk's callback of its login; `open` reads the answer."""
        return not future.cancelled() and future.exception() is None

    def connection_lost(self, _: Exception | None) -> None:
        """The connection ended; who reconnects is `Ami.run`."""
        if not self.lost.done():
            self.lost.set_result(None)

    def end(self) -> None:
        """Close now, whatever is still to be sent."""
        protocol = self.protocol
        self.close()
        if protocol is not None and protocol.transport is not None:
            protocol.transport.abort()


class Ami:
    """AMI of one Asterisk. `run` keeps it connected; `up` says whether it is. The user needs the read
    classes system, call, user, dialplan, security and the write classes system, reporting."""

    def __init__(self, host: str, port: int, user: str, secret: str) -> None:
        self.up = False
        self.met = asyncio.Event()
        """Set once the phones were told for the first time."""
        self._where = (host, port)
        self._login = {"username": user, "secret": secret, "events": "on"}
        self._session: _Session | None = None
        self._book = PhoneBook()
        self._early: list[Mapping[str, str]] | None = None
        self._emit: Callable[[Fact], None] = _nobody
        self.on_login: Callable[[Login], None] = _nobody
        """Who hears of logins that Asterisk took or refused."""
        self.on_music: Callable[[Mapping[str, str]], bool] = lambda _: False
        """Who hears of music that began or ended, and says whether an event was about that."""

    async def run(self, emit: Callable[[Fact], None]) -> None:
        """Until cancelled; facts go to `emit`, all phones' after every login, then what changes."""
        self._emit = emit
        backoff = Backoff(first=0.1)
        while True:
            try:
                async with self._connected() as session:
                    backoff.reset()
                    await self._serve(session)
            except AmiRefused as refusal:
                log.error("ami_refused", why=str(refusal))
            except (OSError, TimeoutError, TelephoneDown) as error:
                log.warning("ami_away", why=str(error) or type(error).__name__)
            await asyncio.sleep(backoff.after_failure())

    def in_browser(self, secretary: str) -> bool:
        """Whether her phone registered over a web socket, as far as AMI told."""
        return self._book.in_browser(secretary)

    @property
    def trunks(self) -> Mapping[str, str]:
        """The state of each trunk's contact: Reachable, Unreachable, NonQualified; by the trunk's id."""
        return self._book.trunks

    async def reload(self, module: str) -> None:
        """Have `module` (`res_pjsip.so`, `res_musiconhold.so`, `pbx_config.so`) read its files again.
        Raises `AmiRefused` or `TelephoneDown`."""
        await self._ask({"Action": "Reload", "Module": module})

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[_Session]:
        session = _Session(self._on_event, **self._login)
        # From the first filter on, what only the last one lets through is lost: nobody may be told of a phone
        # before all stand, or the emergency number that she dials then is never written down.
        self._early = []
        try:
            await session.open(*self._where)
            self._session = session
            yield session
        finally:
            self.up = False
            self._session = None
            session.end()

    async def _serve(self, session: _Session) -> None:
        for wanted in FILTERS:
            try:
                await self._ask({"Action": "Filter", "Operation": "Add", **wanted})
            except AmiRefused as refusal:
                log.warning("ami_unfiltered", why=str(refusal))
        self._book.forget_told()
        await self._take_inventory()
        self.up = True
        self.met.set()
        log.info("ami_connected", phones=len(self._book.secretaries()))
        pings = 0
        while not session.lost.done():
            await asyncio.wait([session.lost], timeout=PING_EVERY)
            if session.lost.done():
                break
            await self._ask({"Action": "Ping"})
            pings += 1
            if pings % PINGS_PER_SWEEP == 0:
                await self._take_inventory()  # whatever an event failed to tell
        raise TelephoneDown("AMI connection lost")

    async def _take_inventory(self) -> None:
        # an event may be younger or older than the list it meets; replayed behind, both end right
        self._early = []
        try:
            endpoints = await self._list("PJSIPShowEndpoints", "EndpointList")
            contacts = await self._list("PJSIPShowContacts", "ContactList")
            channels = await self._list("CoreShowChannels", "CoreShowChannel")
        finally:
            early, self._early = self._early, None
        self._book.inventory(endpoints, contacts, channels)
        for event in early:
            self._book.on(event)
        for secretary in self._book.secretaries():
            self._tell(secretary)

    def _on_event(self, event: Mapping[str, str]) -> None:
        measured, login = quality(event) or refused(event) or turned_away(event), login_of(event)
        if measured is not None:
            self._emit(measured)
        elif login is not None:
            self.on_login(login)
        elif self.on_music(event):
            pass
        elif self._early is not None:
            self._early.append(event)
        else:
            secretary = self._book.on(event)
            if secretary is None:
                return
            if event.get("Event") == "ContactStatus" and not self._book.reachable(secretary):
                asyncio.get_running_loop().call_later(ABSENCE_GRACE, self._tell, secretary)
            else:
                self._tell(secretary)

    def _tell(self, secretary: str) -> None:
        for fact in self._book.facts(secretary):
            self._emit(fact)

    async def _list(self, action: str, row: str) -> list[Mapping[str, str]]:
        try:
            answer = await self._ask({"Action": action})
        except AmiRefused:
            return []  # "No Contacts found" is an error in AMI
        rows = answer if isinstance(answer, list) else []
        return [message for message in rows if message.get("Event") == row]

    async def _ask(self, action: dict[str, str]) -> Any:
        session = self._session
        if session is None or session.lost.done():
            raise TelephoneDown("AMI is away")
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                answer = await session.send_action(action)
        except (ConnectionError, TimeoutError) as error:
            raise TelephoneDown(f"AMI: {action['Action']} was not answered") from error
        first = answer[0] if isinstance(answer, list) else answer
        if not first.success:
            raise AmiRefused(f"{action['Action']}: {first.message}")
        return answer


def _nobody(_: object) -> None:
    """Facts before `run` have no reader."""
