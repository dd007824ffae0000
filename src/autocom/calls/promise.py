"""A promise to call back: the caller hangs up and keeps his place, the story goes on without him.

He waits on the floor like everybody, with the instant at which he joined. When a secretary picks up for
him she is asked to hold, he is rung through the trunk, and the two are joined as ever (`talking`). Where
he does not answer she is let off at once, and he is tried again later, at the same place. Only inside the
opening hours. What is under way is saved before it begins; a try that a crash cut off is made again and
does not count. Must not know who is rung for whom: that is the floor's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.notes import CalledAgain, HungUp, Looped, Note
from autocom.calls.outgoing import way_back
from autocom.calls.phoning import REFUSED, leg_order
from autocom.calls.ports import Gone
from autocom.calls.review import leave_other_team, offers_made
from autocom.core.floor_words import CallerJoined, CallerLeft, GiveUp, LeaseFailed, Take
from autocom.core.journal import Entry
from autocom.core.model import Callback, Contact, Mode, Play
from autocom.core.naming import outside_id
from autocom.core.stages import Promised, Stage, Talking, Waiting
from autocom.core.story import waiter
from autocom.core.telephony import ChannelAnswered, ChannelGone, ChannelRinging, PlaybackEnded

RING_FOR = 25.0
"""Seconds for which the caller is rung; his voicemail would answer after about as many."""

UNTOLD = 2.0
"""Seconds beyond its length after which a sentence counts as heard."""

HOLD_AGAIN = 4.0
"""Seconds between two sentences that tell her to hold."""

RUNG_AGAIN = 30.0
"""Seconds after which he is rung again whom a secretary let ring and left."""
LINE_AGAIN = 20.0
"""Seconds until the next try where no channel of a trunk was free, which is no try."""


def promise(
    house: House, line: Line, stage: Waiting, callback: Callback, said: tuple[Play, ...]
) -> Promised | str:
    """Promise it: saved, and off the floor until he has hung up. A word where it could not be kept: his number
    is `withheld` or `barred` (never dialled), it is `promised` already, there is `no_trunk`, `nobody` is at
    work, or it would be `closed` before his turn."""
    call, now = line.story.call, line.now()
    number = call.identity.caller
    if number is None or call.identity.anonymous:
        return "withheld"
    if house.promises(call):
        return "promised"
    if not any(trunk.host is not None for trunk in house.in_force.trunks.values()):
        return "no_trunk"
    way = way_back(house, call, number)
    if isinstance(way, str) and way != "no_line":  # a line that is free now says nothing of later
        return way
    seen, closes = house.outlook(line.id, now), house.closes_at(call, now)
    if seen is None or seen.wait is None:
        return "nobody"
    if closes is not None and now + seen.wait >= closes:
        return "closed"
    stock = house.stock.callback_promised
    words = said or ((Play(stock, Mode.ANSWERED),) if stock is not None else ())
    promised = Promised(stage, callback, number, words, made=now)
    line.become(
        promised,
        line.entry(
            "callback_promised", tries=callback.tries, retry_after=callback.retry_after, closes=closes
        ),
        attempts=offers_made(house, line),
    )
    line.ports.submit(CallerLeft(line.id))
    return promised


async def keep_promise(house: House, line: Line, stage: Promised) -> Stage:
    """Say goodbye, wait for his turn, call him back. Raises `HungUp` where it ended without him."""
    if stage.over:
        raise HungUp
    if not stage.gone:
        line.ports.submit(CallerLeft(line.id))  # again, where a crash came before it
        stage = await _goodbye(line, stage)
    await line.ports.telephone.hang_up(line.channel)
    return await _Keeping(house, line, stage).until_over()


async def part_promise(line: Line, stage: Promised) -> None:
    """The story ends: nobody is rung for it any more."""
    if stage.outside is not None:
        await line.end_leg(stage.outside)


async def _goodbye(line: Line, stage: Promised) -> Promised:
    """What he is told before he is hung up, or as much of it as he waits for."""
    later: list[Note] = []
    try:
        while stage.heard < len(stage.said):
            sentence = stage.said[stage.heard].audio
            await line.play(sentence, Mode.ANSWERED)
            # an end that was not told (a gap in Asterisk's events) must not keep him from being hung up
            until = line.now() + sentence.seconds + UNTOLD
            while not isinstance(note := await line.next(until), PlaybackEnded | None):
                later += [note] if isinstance(note, CalledAgain) else []
            await line.quiet_message()
            stage = replace(stage, heard=stage.heard + 1)
            line.become(stage)
    except HungUp:
        line.forget_sound()
    stage = replace(stage, gone=True)
    line.become(stage)
    line.put_back(later)
    return stage


@dataclass(slots=True)
class _Keeping:
    """One run of the stage, from the moment he is not on the line. `joined`: this run has seen to his place
    on the floor; `hers`: what the secretary hears, to be said again at `hold_at`; `rang`: his phone does."""

    house: House
    line: Line
    stage: Promised
    joined: bool = False
    hers: str | None = None
    hold_at: float | None = None
    rang: bool = False

    async def until_over(self) -> Stage:
        """The conversation, or `HungUp`."""
        if self.stage.outside is not None:
            await self._go_on_with_try()
        while True:
            if self.stage.outside is None:
                self._on_time()
            found = await self._take_in(await self.line.next(self._deadline()))
            if found is not None:
                return found

    # --- between tries

    def _on_time(self) -> None:
        """What is due between two tries: the end, or his place on the floor."""
        now, closes = self.line.now(), self._closes()
        if closes is not None and closes <= now and not self.line.awaits(Take):
            self._end("closed", "closed")
        self._follow_override(now)
        if not self.joined and (self.stage.not_before is None or self.stage.not_before <= now):
            self._join()

    def _follow_override(self, now: float) -> None:
        """A team lead's word: his client's callers wait for another team, or for their own again."""
        line, before = self.line, self.stage.waiting
        team = self.house.team(line.story.call.client, now)
        if team != before.team and not line.awaits(Take):
            self.stage = replace(self.stage, waiting=replace(before, team=team))
            moved = line.entry("queued_elsewhere", team=self.stage.waiting.reaches, before=before.reaches)
            line.become(self.stage, moved)
            self.joined = False

    def _closes(self) -> float | None:
        """The first closing since it was promised, also one that was slept through, or the next one."""
        call = self.line.story.call
        found = (self.house.closes_at(call, self.stage.made), self.house.closes_at(call, self.line.now()))
        return min((instant for instant in found if instant is not None), default=None)

    def _join(self) -> None:
        self.joined = True
        leave_other_team(self.house, self.line, self.stage.waiting.reaches)
        place = waiter(self.line.story, self.stage.place)
        # no deadline of his own: he does not stand in a queue that he hears
        self.line.ports.submit(CallerJoined(replace(place, max_wait_at=None, nobody_from=None)))

    def _deadline(self) -> float | None:
        line, stage, now = self.line, self.stage, self.line.now()
        if not line.seeing:
            return None
        if stage.outside is not None:
            return min((at for at in (stage.until, self.hold_at) if at is not None), default=None)
        instants = [self._closes(), self.house.next_review(line.story, now)]
        if not self.joined:
            instants.append(stage.not_before)
        return min((instant for instant in instants if instant is not None), default=None)

    async def _take_in(self, note: Note | None) -> Stage | None:
        stage = self.stage
        match note:
            case Take() if stage.outside is None:
                await self._begin(note)
            case ChannelRinging(channel) if channel == stage.outside:
                self.rang = True
            case LeaseFailed(_, leg) if leg == stage.leg:
                # no try of his, but his phone has rung: it is not to ring again the next second
                again = RUNG_AGAIN if self.rang else None
                await self._failed("secretary_left", None, counts=False, leaves=self.rang, again_after=again)
            case GiveUp():
                self.joined = False  # of a place he had before the promise
            case ChannelAnswered(channel) if channel == stage.outside:
                return await self._answered(channel)
            case ChannelGone(channel, cause) if channel == stage.outside:
                await self._failed("refused" if cause in REFUSED else "no_answer", cause)
            case Looped(leg) if leg == stage.outside:
                await self._failed("loop", None)
            case CalledAgain():
                self._end("called_again", "left")
            case None if stage.outside is not None:
                await self._time()
            case _:
                pass
        return None

    async def _time(self) -> None:
        now = self.line.now()
        if self.stage.until is not None and self.stage.until <= now:
            await self._failed("no_answer", None)
        else:
            await self._hold()

    # --- a try

    async def _begin(self, take: Take) -> None:
        """A secretary is there: ring him."""
        house, line, stage = self.house, self.line, self.stage
        way = way_back(house, line.story.call, stage.number)
        number = line.story.outside + 1
        leg = outside_id(line.id, number)
        started = line.entry("callback_started", secretary=take.secretary, leg=leg, attempt=stage.tries + 1)
        self.stage = taken = replace(
            stage, secretary=take.secretary, leg=take.leg, attempt=take.attempt, not_before=None
        )
        if isinstance(way, str):
            line.become(taken, started, outside=number)
            await self._failed(way, None, counts=False, again_after=LINE_AGAIN)
            if way != "no_line":  # the configuration is another one now: nor will he be dialled later
                self._end("given_up", "left")
            return
        self.stage = replace(
            taken, tries=stage.tries + 1, outside=leg, trunk=way.trunk, until=line.now() + RING_FOR
        )
        line.become(self.stage, started, outside=number)
        await self._ring()

    async def _go_on_with_try(self) -> None:
        """After a crash, or a request without an answer: the try that was begun, if she is still there."""
        line, stage = self.line, self.stage
        assert stage.outside is not None
        line.forget(Take, LeaseFailed)
        self._join()  # tells again who holds him
        take = line.peek(Take)
        if take is None or take.leg != stage.leg:
            await self._failed("secretary_left", None, counts=False, leaves=False)
            return
        line.forget(Take)
        if line.forget_leg(stage.outside):
            # lost, perhaps before it was ever dialled: she is let off, and his turn comes again at once
            await self._failed("lost", None, counts=False)
            return
        await self._ring()

    async def _ring(self) -> None:
        line, stage = self.line, self.stage
        assert stage.outside is not None
        await self._hold()
        if line.lost(stage.outside):
            return  # its end is in the mailbox: dialled again it would be another call of the same name
        order = leg_order(
            self.house,
            line,
            Contact("", stage.number),
            stage.outside,
            trunk=stage.trunk,
            present="client",
            ring_for=RING_FOR,
        )
        try:
            await line.ports.telephone.ring(order)
        except Gone:
            await self._failed("unreachable", None)

    async def _hold(self) -> None:
        """Ask her to hold, again and again until he is there: silence sounds like a call that broke."""
        sentence, leg = self.house.stock.callback_hold, self.stage.leg
        if sentence is None or leg is None:
            return
        if self.hers is not None:
            await self.line.ports.telephone.stop_playback(self.hers)
        self.hers = await self.line.tell_secretary(leg, sentence)
        self.hold_at = self.line.now() + sentence.seconds + HOLD_AGAIN

    async def _answered(self, channel: str) -> Stage:
        """He is on the line again: from here on this is a call like any other, on another channel."""
        line, stage = self.line, self.stage
        assert stage.secretary is not None
        assert stage.leg is not None
        # she has had time to see whose caller it is, and he hears nothing yet: no whisper
        talking = Talking(stage.secretary, stage.leg, stage.attempt, stage.place, whispered=True)
        line.become(
            talking, line.entry("callback_ended", leg=channel, result="answered"), called_back=channel
        )
        if self.hers is not None:  # what plays on a leg holds up its bridge
            await line.ports.telephone.stop_playback(self.hers)
        return talking

    async def _failed(
        self,
        result: str,
        cause: int | None,
        *,
        counts: bool = True,
        leaves: bool = True,
        again_after: float | None = None,
    ) -> None:
        """This try is over without him: let her off (unless she is gone: he has his place, `leaves` is False),
        and say when the next one is. One that does not count is made again as soon as it is his turn."""
        line, stage, outside = self.line, self.stage, self.stage.outside
        tries = stage.tries if counts or outside is None else stage.tries - 1
        wait = stage.callback.retry_after if counts else again_after
        self.stage = replace(stage.resting(None if wait is None else line.now() + wait), tries=tries)
        made = offers_made(self.house, line)
        line.become(self.stage, self._ended(result, outside, cause), attempts=made)
        self.joined, self.hers, self.hold_at, self.rang = not leaves, None, None, False
        if leaves:
            line.ports.submit(CallerLeft(line.id))
            line.forget(Take, LeaseFailed, GiveUp)
        if outside is not None:
            await line.end_leg(outside)
        if counts and tries >= stage.callback.tries:
            self._end("given_up", "left")

    def _end(self, result: str, why: str) -> None:
        """It is not kept: written down, and the story ends without its caller."""
        line = self.line
        over = replace(self.stage, over=True)
        line.become(over, self._ended(result, over.outside, None), line.entry("dequeued", why=why))
        raise HungUp

    def _ended(self, result: str, leg: str | None, cause: int | None) -> Entry:
        return self.line.entry("callback_ended", leg=leg, result=result, cause=cause)
