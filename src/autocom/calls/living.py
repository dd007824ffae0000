"""A call's life: the loop around its stages, the end of it, and what a crash leaves.

A story that crashes is written down and its caller given to the dialplan's fallback, never to silence; no other
call notices. Invariant: whatever happens, a call that was started is ended once, with an entry `ended`, and its
row is gone. Must not know what a stage does (`inbound.advance`), nor how a call begins (`switchboard`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import replace

import structlog

from autocom.calls.containment import contained
from autocom.calls.dispatcher import Dispatcher
from autocom.calls.errands import RETRY, Errands
from autocom.calls.guests import Guests
from autocom.calls.house import House
from autocom.calls.inbound import advance, depart, turn_away
from autocom.calls.line import Line
from autocom.calls.notes import HungUp
from autocom.calls.outside import Ports
from autocom.calls.overseeing import Overseers
from autocom.calls.ports import Gone, TelephoneDown
from autocom.calls.reconcile import joined_unsaved, lost
from autocom.calls.reminders import Reminders
from autocom.calls.taping import end_tape, settle
from autocom.core.floor_words import CallerLeft, Joined, TalkEnded
from autocom.core.journal import Entry, Json
from autocom.core.naming import playback_id
from autocom.core.posts import InTalk
from autocom.core.stages import Talking
from autocom.core.story import outcome_of_hang_up
from autocom.core.telephony import Seen

log = structlog.get_logger()

FALLBACK = "fallback:"
"""Before a channel: the row of a caller whose story crashed, so that the fallback's own record of him is no second call."""

LEFT = "left:"
"""Before a channel: the row of a caller who has a record, of which the dialplan may not know."""


class Lives:
    """Runs what is in `lines`, and takes it out in the end; `by_channel`: which call a channel's facts belong to."""

    def __init__(
        self,
        house: House,
        lines: dict[str, Line],
        by_channel: dict[str, str],
        ports: Ports,
        errands: Errands,
        dispatcher: Dispatcher,
        ears: tuple[Guests, Reminders, Overseers],
    ) -> None:
        self.house, self.lines, self.by_channel = house, lines, by_channel
        self.ports, self.errands, self.dispatcher = ports, errands, dispatcher
        self.guests, self.reminders, self.overseers = ears
        self.rescued: Callable[[str], bool] = lambda _: False
        """Whether the rescuer has taken a caller's channel out of our hands."""
        self.believed: Callable[[str], None] = lambda _: None
        """Told once that is written down."""

    def start(self, line: Line, *, adopted: bool) -> None:
        """Let it run; `adopted`: the last process began it."""
        with self.containing(line):
            self.overseers.begun(line)
            if line.story.call.direction == "in" and not line.story.absent:
                self.errands.start(self._sign(line))
            else:
                line.signed = True
        self.errands.start(self._live(line, adopted=adopted))

    def containing(self, line: Line) -> AbstractContextManager[None]:
        """Where a bug in this call stops."""
        return contained("call crashed", lambda error: self.crashed(error, line.channel, line), call=line.id)

    def lose(self, seen: Seen) -> None:
        """Calls under which Asterisk died. Before anything else is taken in: he may call again sooner than his story
        ends, and his secretary has nobody to talk to any more."""
        for line in list(self.lines.values()):
            with self.containing(line):
                if lost(line.story, seen):
                    self._lose(line)

    def _lose(self, line: Line) -> None:
        stage = line.story.stage
        if not line.story.lost:
            line.become(None, line.entry("pbx_lost", stage=type(stage).__name__), lost=True)
            self.guests.left(line.story, line.now(), cut=True)
        if isinstance(stage, Talking):
            self.dispatcher.submit(TalkEnded(line.id, stage.secretary, lost=True))
        self.dispatcher.submit(CallerLeft(line.id))

    def join(self, line: Line, seen: Seen) -> None:
        """Before an adopted call is begun: a conversation that the last process could not write down any more was one.
        It began when she picked up, to some milliseconds."""
        stage = joined_unsaved(line.story, seen)
        if stage is None:
            return
        post = self.dispatcher.floor.posts.get(stage.secretary)
        engaged = None if post is None else post.engaged
        since = engaged.since if isinstance(engaged, InTalk) and engaged.leg == stage.leg else line.now()
        bridged = Entry(since, "bridged", line.id, {"secretary": stage.secretary, "leg": stage.leg})
        line.become(
            replace(stage, joined_at=since),
            bridged,
            attempts=max(line.story.attempts, self.house.offers(line.id), stage.attempt),
            known=stage.secretary,
            served=True,
        )
        self.dispatcher.submit(Joined(line.id, stage.secretary))

    async def _live(self, line: Line, *, adopted: bool) -> None:
        """The loop around the stages, and the end of the call, whatever it is."""
        with self.containing(line), suppress(HungUp):
            if adopted and not line.crashed:
                await self._hush(line)
                line.heed_his_leaving()
            if not line.crashed:  # before it was begun, and he is on his way to the fallback
                await self._stages(line)
        try:
            # whatever it was that crashed: no phone rings for him any more
            left = CallerLeft(line.id)
            with contained("end of call crashed", lambda _: self.dispatcher.submit(left), call=line.id):
                await self._close(line)
        finally:
            del self.lines[line.id]
            if line.wish is not None:
                line.wish()  # the call that it was to be joined with waits no longer
            turn_away(self.house, line)  # who wanted him in his last instant
            self.overseers.over(line)
            # also of a secretary who dialled for him and was gone before he was hers
            for channel in [channel for channel, call in self.by_channel.items() if call == line.id]:
                del self.by_channel[channel]

    async def _sign(self, line: Line) -> None:
        """Before his first sound, which would hold it up, and beside everything else: no caller waits for it."""
        try:
            await self.ports.telephone.taken(line.story.call.channel)
        except (Gone, TelephoneDown) as error:
            log.info("dialplan not told", call=line.id, why=str(error))
        else:
            line.signed = True

    async def _hush(self, line: Line) -> None:
        """End what the last process had playing, for the caller and for a secretary who waits for him: the
        stage plays it anew, and a playback left behind would hold up the bridge."""
        last = line.story.sounds
        for number in range(max(1, last - 3), last + 1):
            await quietly(self.ports.telephone.stop_playback(playback_id(line.id, number)))

    async def _stages(self, line: Line) -> None:
        while True:
            try:
                await settle(line, line.story.stage)
                stage = await advance(self.house, line)
            except TelephoneDown as down:
                # unanswered commands: the stage is made to be run again from its first line
                log.warning("stage interrupted", call=line.id, why=str(down))
                line.forget_sound()
                await line.rest(RETRY)
                await self._hush(line)
                continue
            if stage is not line.story.stage:
                line.become(stage)

    async def _close(self, line: Line) -> None:
        now = line.now()
        line.forget_sound()  # written after `now`: the message was playing when he left
        with contained("recording not ended", lambda _: None, call=line.id):
            await end_tape(line)
        left = line.story  # what he was in, which `depart` ends
        with contained("parting crashed", lambda _: None, call=line.id):
            await depart(self.house, line)
        rescued = not line.crashed and self.rescued(line.channel)
        outcome = "fallback" if line.crashed or rescued else outcome_of_hang_up(line.story)
        if left.lost and outcome == "abandoned":
            outcome = "failed"  # it was not he who gave up
        himself = not (line.crashed or rescued or left.lost or left.absent)
        self.dispatcher.submit(CallerLeft(line.id, hung_up=himself))
        if not left.lost:
            self.guests.left(left, now, cut=line.cut or line.crashed or rescued)
        if line.story.call.listed is not None:
            self.reminders.ended(line.id, outcome)
        # the cause of an abandon is computed from the entries (`core.record`): what played, what rang
        ended = Entry(now, "ended", line.id, {"outcome": outcome})
        if not rescued:
            doubt: dict[str, Json] = {} if line.signed else {LEFT + line.story.call.channel: line.id}
            self.ports.journal.save([ended], calls={line.id: None}, floor=doubt)
            return
        found = Entry(now, "rescued", line.id, {"channel": line.channel})
        # the fallback's own record of this caller is not a call more
        mark: dict[str, Json] = {FALLBACK + line.channel: line.id}
        self.ports.journal.save([found, ended], calls={line.id: None}, floor=mark)
        self.believed(line.channel)

    def crashed(self, error: str, channel: str, line: Line | None) -> None:
        """A bug in one call touches no other: write it down, give the caller to the fallback."""
        call = line.id if line else None
        self.ports.journal.save(
            [Entry(self.ports.clock.now(), "crashed", call, {"error": error, "channel": channel})],
            # the fallback's own record of this caller is not a call more
            floor={} if call is None else {FALLBACK + channel: call},
        )
        if line is not None:
            line.crashed = True
            if line.story.call.dialled_by is not None:  # no caller of ours: she dials again
                self.errands.hang_up(line.story.call.channel)
                self.errands.hang_up(channel)
                return
            story = line.story
            # a message that was cut short is heard again from its beginning
            heard = story.sounds > 0 and line.sounding is None
            self.errands.to_fallback(channel, story.call.client.id or None, heard=heard)
            return
        self.errands.to_fallback(channel)


async def quietly(command: Awaitable[None]) -> None:
    """What is gone needs no command, and what got no answer is told by the next facts."""
    try:
        await command
    except (Gone, TelephoneDown) as error:
        log.info("nothing to be done", why=str(error))
