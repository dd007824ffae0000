"""A provider over SMPP 3.4: one transceiver session, kept open, in which texts go out and come in.

What the SMSC delivers is acknowledged only once it is saved; what cannot be saved is refused, and delivered
again. A submitted part is waited for until its answer, one at a time. SMPP has no name for a text before it
is taken: a crash between the SMSC's answer and our note of it means that part twice. Must not know whose a
text is. Invariant: nothing that the SMSC sends ends more than the session. Bytes are `pdus`'.
"""

from __future__ import annotations

import asyncio
import itertools
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from autocom.calls.containment import contained
from autocom.calls.ports import Clock
from autocom.core.texts import Arrival, Outgoing, TextProvider
from autocom.lane import Later, Refused, Unreachable, plain
from autocom.texts import pdus
from autocom.texts.provider import Receipt
from autocom.texts.segments import Part

log = structlog.get_logger()

ANSWER_WITHIN = 10.0
ENQUIRE_EVERY = 30.0
FIRST, MOST = 1.0, 60.0


@dataclass(frozen=True, slots=True)
class Inbox:
    """Where what is delivered goes; each has saved it when it returns. `receipt` says whether it knew the part."""

    text: Callable[[Arrival], object]
    part: Callable[[Part], None]
    receipt: Callable[[Receipt], bool]


@dataclass(slots=True)
class _Session:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    name: str
    waiting: dict[int, asyncio.Future[tuple[pdus.Header, bytes]]] = field(default_factory=dict)


class Smpp:
    """See `provider.Provider`. `patience`: seconds for each answer of the SMSC."""

    whole = False

    def __init__(
        self, provider: TextProvider, inbox: Inbox, clock: Clock, patience: float = ANSWER_WITHIN
    ) -> None:
        self._provider, self._inbox, self._clock, self._patience = provider, inbox, clock, patience
        self._session: _Session | None = None
        self._numbers = itertools.count(1)
        self._why = "not connected yet"
        self.bound = asyncio.Event()

    async def send(self, text: Outgoing, part: int) -> str:
        """See `Provider`."""
        session = self._session
        if session is None:
            try:
                async with asyncio.timeout(self._patience):
                    await self.bound.wait()
            except TimeoutError:
                raise Unreachable(f"no session with the SMSC: {self._why}") from None
            session = self._session
        if session is None:
            raise Unreachable(f"no session with the SMSC: {self._why}")
        number = next(self._numbers)
        head, raw = await self._ask(session, number, pdus.submit(text, part, number))
        if head.status == pdus.OK:
            return pdus.message_id(raw)
        why = f"the SMSC answers {head.status:#010x}"
        if head.status in pdus.NOT_NOW_FOR_ANYBODY:
            raise Unreachable(why)
        raise Refused(why) if head.status in pdus.NEVER else Later(why)

    async def run(self) -> None:
        """Keep the session, until cancelled."""
        pause = FIRST
        while True:
            began = self._clock.now()
            try:
                await self._one_session()
            except* (OSError, TimeoutError, EOFError, pdus.Malformed, Unreachable) as group:
                self._why = plain(_first(group))
                log.warning("SMPP session ended", provider=self._provider.id, why=self._why)
            me = asyncio.current_task()
            if me is not None and me.cancelling():
                raise asyncio.CancelledError
            if self._clock.now() - began > MOST:
                pause = FIRST
            await self._clock.until(self._clock.now() + pause)
            pause = min(pause * 2, MOST)

    async def _one_session(self) -> None:
        where = self._provider
        async with asyncio.timeout(self._patience):
            reader, writer = await asyncio.open_connection(
                where.host, where.port, ssl=ssl.create_default_context() if where.tls else None
            )
        session = _Session(reader, writer, f"{self._clock.now():.3f}")
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep(session))
                # in the group's body: 3.11 leaves a task marked as cancelled where the group ends otherwise
                await self._read(session)
        finally:
            self._session = None
            self.bound.clear()
            for each in session.waiting.values():
                each.cancel()
            writer.close()

    async def _keep(self, session: _Session) -> None:
        """Bind, and ask from time to time whether anybody is there."""
        number = next(self._numbers)
        head, _ = await self._ask(
            session, number, pdus.bind(self._provider.user, self._provider.password, number)
        )
        if head.status != pdus.OK:
            raise Unreachable(f"the SMSC refuses us: {head.status:#010x}")
        self._session = session
        self.bound.set()
        log.info("SMPP session", provider=self._provider.id)
        while True:
            await asyncio.sleep(ENQUIRE_EVERY)
            number = next(self._numbers)
            await self._ask(session, number, pdus.bare(pdus.ENQUIRE, number))

    async def _ask(self, session: _Session, number: int, raw: bytes) -> tuple[pdus.Header, bytes]:
        answer: asyncio.Future[tuple[pdus.Header, bytes]] = asyncio.get_running_loop().create_future()
        session.waiting[number] = answer
        try:
            async with asyncio.timeout(self._patience):
                session.writer.write(raw)
                await session.writer.drain()
                # shielded: cancelled by the session's end it is no cancellation of ours
                await asyncio.wait([answer])
        except (OSError, TimeoutError) as error:
            session.writer.close()  # a peer that answers nothing is no session: the next one may
            raise Unreachable(f"the SMSC does not answer ({type(error).__name__})") from error
        finally:
            session.waiting.pop(number, None)
        if answer.cancelled():
            raise Unreachable("the session ended before the SMSC's answer")
        return answer.result()

    async def _read(self, session: _Session) -> None:
        while True:
            start = await session.reader.readexactly(pdus.HEADER)
            head = pdus.header(start)
            raw = start + await session.reader.readexactly(head.length - pdus.HEADER)
            reply = self._on(session, head, raw)
            if reply is not None:
                session.writer.write(reply)
                await session.writer.drain()
            if head.command == pdus.UNBIND:
                raise Unreachable("the SMSC ends the session")

    def _on(self, session: _Session, head: pdus.Header, raw: bytes) -> bytes | None:
        """What is to be answered."""
        if head.command & pdus.NACK:
            waiting = session.waiting.get(head.sequence)
            if waiting is not None and not waiting.done():
                waiting.set_result((head, raw))
            return None
        match head.command:
            case pdus.DELIVER:
                status = self._take(session, raw)
                return pdus.bare(pdus.DELIVER_RESP, head.sequence, status, b"\0")
            case pdus.ENQUIRE:
                return pdus.bare(pdus.ENQUIRE_RESP, head.sequence)
            case pdus.UNBIND:
                return pdus.bare(pdus.UNBIND_RESP, head.sequence)
            case _:
                return pdus.bare(pdus.NACK, head.sequence, pdus.INVALID_COMMAND)

    def _take(self, session: _Session, raw: bytes) -> int:
        """Save what is delivered; the status to answer."""
        with contained("a delivered text crashed", lambda _: None, provider=self._provider.id):
            try:
                found = pdus.delivered(raw)
            except pdus.Malformed as why:
                # taken all the same: it would come again and again
                log.error("unreadable text from the SMSC", provider=self._provider.id, why=plain(why))
                return pdus.OK
            self._sort(session, found)
            return pdus.OK
        return pdus.SYSTEM_ERROR  # it crashed: not saved, so it is delivered again

    def _sort(self, session: _Session, found: pdus.Delivered | Receipt) -> None:
        if isinstance(found, Receipt):
            # many an SMSC answers in hexadecimal and reports in decimal
            if not any(self._inbox.receipt(each) for each in _spellings(found)):
                log.info("receipt for a text that is not known", provider=self._provider.id)
            return
        name = self._provider.id
        if found.total > 1:
            now = self._clock.now()
            place = (found.group, found.number, found.total)
            self._inbox.part(Part(name, found.did_text, found.sender_text, *place, found.body, now))
            return
        flags = ("binary",) if found.binary else ()
        self._inbox.text(
            Arrival(name, found.did_text, found.sender_text, found.body, session=session.name, flags=flags)
        )


def _spellings(receipt: Receipt) -> list[Receipt]:
    said = receipt.part
    names = [said, said.lower(), said.upper(), said.lstrip("0")]
    if said.isdigit():
        names += [f"{int(said):x}", f"{int(said):X}"]
    if len(said) <= 16 and all(c in "0123456789abcdefABCDEF" for c in said):
        names.append(str(int(said, 16)))
    return [Receipt(name, receipt.delivered, receipt.error) for name in dict.fromkeys(names) if name]


def _first(group: BaseExceptionGroup[Exception]) -> BaseException:
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found
