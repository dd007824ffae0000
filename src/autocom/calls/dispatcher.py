"""The one writer of the floor: takes a fact, decides, saves, then acts.

`submit` is synchronous: by the time it returns, the decision is saved and on its way. Acts are
carried out in tasks of their own, so a phone that is slow to ring delays nobody; what comes of
them returns as facts. The one timer is armed from `floor.next_deadline`. No locks: everything
here runs in one event loop and `submit` is never entered twice.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import assert_never

import structlog

from autocom.calls.containment import contained
from autocom.calls.errands import Errands
from autocom.calls.kept import read_back
from autocom.calls.notes import Note
from autocom.calls.ports import Clock, Gone, Journal, Outbound, Telephone, TelephoneDown
from autocom.core import floor as rules
from autocom.core.codec import Codec
from autocom.core.features import told
from autocom.core.floor_words import (
    Decision,
    FloorFact,
    GiveUp,
    LeaseFailed,
    LegEnded,
    LoggedIn,
    LoggedOut,
    Outcome,
    PhoneSeen,
    Ring,
    Staffed,
    StopRinging,
    Take,
    Tell,
    TimePassed,
)
from autocom.core.journal import Entry, Json
from autocom.core.naming import leg_of
from autocom.core.posts import Floor, Idle, InTalk, Offered, Post, Staff, Waiter
from autocom.core.telephony import Cause

log = structlog.get_logger()

POST, WAITER = "post:", "waiter:"
CRASH_REST = 1.0
"""Seconds without the timer after a decision that crashed: what is due stays due, and would crash at once again."""


QUIET_WITHIN = 7.0
"""Seconds that a ring waits for the end of the last one at that phone. It takes milliseconds; where Asterisk's answer is
lost, one time-out and the repetition."""


class Dispatcher:
    """Owns the floor. `invite` makes the INVITE of a call for a leg; `deliver` puts a note into a
    call's mailbox; `staffing` hears of every fact that may change who is at work, `written` of every entry;
    `wording` is what a secretary is told. All five belong to the switchboard. `tasks` is the group the acts run in."""

    def __init__(
        self,
        telephone: Telephone,
        journal: Journal,
        clock: Clock,
        codec: Codec,
        floor: Floor | None = None,
    ) -> None:
        self.floor = floor or Floor(Staff({}, {}))
        self.invite: Callable[[Ring], Outbound | None] = lambda _: None
        self.deliver: Callable[[str, Note], None] = lambda _call, _note: None
        self.mailed: Callable[[Sequence[Entry]], tuple[list[Entry], dict[str, Json]]] = lambda _: ([], {})
        self.staffing: Callable[[], None] = lambda: None
        self.written: Callable[[Sequence[Entry]], None] = lambda _: None
        self.wording: Callable[[Tell], str] = lambda tell: told(tell, "fr")
        self.moved: Callable[[], None] = lambda: None  # after every fact, and when sight is lost or back
        self.tasks: asyncio.TaskGroup | None = None
        self._telephone, self._journal, self._clock, self._codec = telephone, journal, clock, codec
        self.seeing = False
        self._being_rung: dict[str, asyncio.Event] = {}
        self._being_stopped: dict[str, asyncio.Event] = {}
        self._inbox: deque[FloorFact] = deque()
        self._busy = False
        self._no_timer_before = 0.0
        self._stopped = Errands(telephone, clock).until_done
        self._changed = asyncio.Event()

    @property
    def under_way(self) -> frozenset[str]:
        """Legs whose INVITE is being asked for: Asterisk may or may not hold them at this moment."""
        return frozenset(self._being_rung)

    def see(self, *, seeing: bool) -> None:
        """Whether Asterisk's events arrive. While they do not, no deadline is acted on and nobody is rung."""
        self.seeing = seeing
        if seeing:
            self.submit(TimePassed())
        else:
            self.moved()

    def submit(self, fact: FloorFact) -> None:
        """Take a fact in; decided, saved and under way when this returns."""
        self._inbox.append(fact)
        if self._busy:
            return  # a decision's delivery led to another fact: the outer call goes on with it
        self._busy = True
        try:
            while self._inbox:
                fact = self._inbox.popleft()
                with contained("decision crashed", self._note_crash, fact=type(fact).__name__):
                    self._decide(fact)
        finally:
            self._busy = False
        self._changed.set()
        self.moved()

    def _note_crash(self, error: str) -> None:
        """The fact is dropped, the floor stays as it was."""
        self._no_timer_before = self._clock.now() + CRASH_REST
        self._journal.save([Entry(self._clock.now(), "crashed", None, {"error": error})])

    def _decide(self, fact: FloorFact) -> None:
        outcome = rules.apply(self.floor, fact, self._clock.now(), seeing=self.seeing)
        changed = self._rows(outcome)
        if changed or outcome.entries:
            mails, letters = self.mailed(outcome.entries)
            self._journal.save([*outcome.entries, *mails], floor={**changed, **letters})
        # what is saved holds, whatever becomes of those who hear of it
        self.floor = outcome.floor
        for decision in outcome.decisions:
            with contained("act crashed", lambda _: None, decision=type(decision).__name__):
                self._carry_out(decision)
        if outcome.entries:
            self.written(outcome.entries)
        if isinstance(fact, Staffed | PhoneSeen | LoggedIn | LoggedOut):
            self.staffing()

    def _rows(self, outcome: Outcome) -> dict[str, Json]:
        """What changed, as rows to save; None for who is gone."""
        floor = outcome.floor
        rows: dict[str, Json] = {}
        for name in outcome.posts:
            post = floor.posts.get(name)
            rows[f"{POST}{name}"] = None if post is None else self._codec.dump(post)
        for name in outcome.waiters:
            waiter = floor.waiters.get(name)
            rows[f"{WAITER}{name}"] = None if waiter is None else self._codec.dump(waiter)
        return rows

    def restore(self, rows: Mapping[str, Json], live: set[str]) -> None:
        """Take over what the last process saved; what belongs to no live call is dropped. Registrations
        are kept: the telephone says at once which are not true any more."""
        posts = read_back(self._codec, Post, POST, rows)
        for name, post in posts.items():
            if isinstance(post.engaged, Offered | InTalk) and post.engaged.call not in live:
                posts[name] = replace(post, engaged=Idle())
        # one that cannot be read is no loss: she says again who she is, his story joins again
        known = read_back(self._codec, Waiter, WAITER, rows)
        waiters = {name: waiter for name, waiter in known.items() if name in live}
        for name, waiter in waiters.items():
            # where her row could not be read: a phone that nobody remembers must not keep him waiting for ever
            ringing = tuple(s for s in waiter.ringing if _is(posts, s, Offered, name))
            held = waiter.held if _is(posts, waiter.held, InTalk, name) else None
            waiters[name] = replace(waiter, ringing=ringing, held=held)
        self.floor = Floor(self.floor.staff, posts, dict(sorted(waiters.items(), key=lambda w: w[1].joined)))

    # --- acting ---

    def _carry_out(self, decision: Decision) -> None:
        match decision:
            case Ring():
                self._spawn(self._ring(decision))
            case StopRinging(leg, cause):
                self.stop(leg, cause)
            case Take(call) | LeaseFailed(call) | GiveUp(call):
                self.deliver(call, decision)
            case Tell():
                self._spawn(self._tell(decision))
            case _:
                assert_never(decision)

    def stop(self, leg: str, cause: Cause = Cause.NORMAL) -> None:
        """End a leg, also one that belongs to nothing; until that is done nobody rings at the phone it is at."""
        if leg in self._being_stopped:
            return  # with a second event, who waits for the first one would wait for ever
        self._being_stopped[leg] = asyncio.Event()
        self._spawn(self._stop(leg, cause))

    def _spawn(self, act: Coroutine[None, None, None]) -> None:
        if self.tasks is None:
            raise RuntimeError("the dispatcher decides before it runs")
        self.tasks.create_task(act)

    async def _ring(self, ring: Ring) -> None:
        with contained(
            "ring crashed", lambda _: self.submit(LegEnded(ring.leg, Cause.FAILURE)), leg=ring.leg
        ):
            done = self._being_rung[ring.leg] = asyncio.Event()
            try:
                order = self.invite(ring) if await self._phone_is_quiet(ring) else None
                if order is None:
                    return  # the call ended in the same instant; its end withdraws the offer
                await self._telephone.ring(
                    order, lambda: _rings(self.floor.posts.get(ring.secretary), ring.leg)
                )
            except Gone:
                self.submit(LegEnded(ring.leg, Cause.NO_RESPONSE))
            except TelephoneDown as down:
                # perhaps it rings, perhaps not: the turn's end or the next comparison with Asterisk tells
                log.warning("ring uncertain", leg=ring.leg, why=str(down))
            finally:
                done.set()
                del self._being_rung[ring.leg]

    async def _phone_is_quiet(self, ring: Ring) -> bool:
        """Once it is; False where the offer is over by then. An INVITE that overtakes the CANCEL of the last offer would
        find her phone ringing, and be a second call."""
        before = [
            stopped
            for leg, stopped in self._being_stopped.items()
            if leg != ring.leg and (last := leg_of(leg)) is not None and last.secretary == ring.secretary
        ]
        with suppress(TimeoutError):  # a hang-up that is never answered must not silence her phone for ever
            async with asyncio.timeout(QUIET_WITHIN):
                for stopped in before:
                    await stopped.wait()
        return not before or _rings(self.floor.posts.get(ring.secretary), ring.leg)

    async def _stop(self, leg: str, cause: Cause) -> None:
        # a hang-up that overtakes the INVITE finds no channel, and the phone would ring for nobody
        ringing = self._being_rung.get(leg)
        if ringing is not None:
            await ringing.wait()
        try:
            with contained("stop crashed", lambda _: None, leg=leg):
                await self._stopped(lambda: self._telephone.hang_up(leg, cause))
        finally:
            self._being_stopped.pop(leg).set()

    async def _tell(self, tell: Tell) -> None:
        """She may have no phone that shows texts, or none at all: nothing depends on it."""
        with contained("telling crashed", lambda _: None, secretary=tell.secretary):
            try:
                await self._telephone.tell(tell.secretary, self.wording(tell))
            except (Gone, TelephoneDown) as error:
                log.info("secretary not told", secretary=tell.secretary, what=tell.what, why=str(error))

    async def run(self) -> None:
        """Wake up at each deadline, for as long as the service lives."""
        while True:
            self._changed.clear()
            deadline = rules.next_deadline(self.floor, self._clock.now()) if self.seeing else None
            if deadline is not None:
                deadline = max(deadline, self._no_timer_before)
            try:
                async with asyncio.timeout(
                    None if deadline is None else max(0.0, deadline - self._clock.now())
                ):
                    await self._changed.wait()
            except TimeoutError:
                self.submit(TimePassed())


def _rings(post: Post | None, leg: str) -> bool:
    return post is not None and isinstance(post.engaged, Offered) and post.engaged.leg == leg


def _is(
    posts: Mapping[str, Post], secretary: str | None, engagement: type[Offered | InTalk], call: str
) -> bool:
    post = posts.get(secretary or "")
    return post is not None and isinstance(post.engaged, engagement) and post.engaged.call == call
