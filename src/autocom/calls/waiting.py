"""Waiting for a secretary: keep the caller company until he is served or leaves the queue.

The floor decides who rings and when the wait is over; the rules are read again when they may differ; a
key that he presses may lead him out. A decision of the floor never waits for a sound, except for a
message that must be heard, and comes before a key. What he hears is `company`; what comes next is
`talking`, `promise`, or the steps of a way out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from autocom.calls.company import announcement_due, keep_company, say
from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.load import LOOK_AGAIN, too_long
from autocom.calls.notes import CalledAgain, Note, ReadAgain
from autocom.calls.promise import promise
from autocom.calls.review import offers_made, read_again, take_place
from autocom.core.floor_words import CallerLeft, GiveUp, LeaseFailed, LegEnded, Take
from autocom.core.journal import Entry
from autocom.core.model import Callback, Hangup, Mode, Play, Step
from autocom.core.naming import leg_of
from autocom.core.stages import Following, Stage, Talking, Waiting
from autocom.core.telephony import ChannelGone, DigitPressed, PlaybackEnded


async def wait(house: House, line: Line, stage: Waiting) -> Stage:
    """Keep him company until a secretary takes the call or his way out is reached."""
    if not line.awaits(GiveUp):  # else the floor sent him away before this story began (a restart)
        take_place(house, line, stage)
    for other in house.promises(line.story.call):
        house.tell(other, CalledAgain(line.id))  # his place is this one now
    load_at = None if stage.queue.max_expected_wait is None else line.now()
    return await _Wait(house, line, stage, review_at=line.now(), load_at=load_at).until_over()


@dataclass(slots=True)
class _Wait:
    """One run of the stage. `taken`: by whom he is; `hers`: what she hears until he may be joined; `out`: he
    was sent away. `review_at`: when to read the rules again; at once when it begins (a restart). `load_at`:
    when to look at what is expected for him, where his queue has a limit for that."""

    house: House
    line: Line
    stage: Waiting
    review_at: float | None
    taken: Take | None = None
    hers: str | None = None
    out: GiveUp | None = None
    load_at: float | None = None

    @property
    def open(self) -> bool:
        """Neither taken nor sent away: rules, keys and announcements may still do something."""
        decided = self.line.awaits(Take) or self.line.awaits(GiveUp)
        return self.taken is None and self.out is None and not decided

    @property
    def told(self) -> bool:
        """Whether he may be sent away: nothing is being said, or owed. A message for who waits long enough is
        not begun for who does not wait any more."""
        notice = self.stage.notice
        return notice is None or (notice.if_waiting is not None and self.line.sounding is None)

    async def until_over(self) -> Stage:
        """The stage that follows."""
        while True:
            if self.taken is not None and not self.stage.must_hear:
                return await self._joined(self.taken)
            if self.out is not None and self.told:
                return await self._sent_away(self.out)
            if self._load_due and (elsewhere := await self._over_load()) is not None:
                return elsewhere
            # while Asterisk's events are away somebody may have picked up: nothing new is said
            news = self.open and self.line.seeing
            self.stage = await keep_company(self.house, self.line, self.stage, news=news)
            elsewhere = await self._take_in(await self.line.next(self._deadline()))
            if elsewhere is not None:
                return elsewhere

    def _deadline(self) -> float | None:
        if not self.open:
            return None
        # nothing new is begun while he hears something: its end is a note
        speaks = self.line.seeing and self.line.sounding is None
        news = (announcement_due(self.stage), self.stage.notice_at) if speaks else ()
        instants = (self.review_at, self.load_at if self._calm else None, *news)
        return min((instant for instant in instants if instant is not None), default=None)

    async def _take_in(self, note: Note | None) -> Stage | None:
        """What this note changes; where it leads out, the stage that follows."""
        match note:
            case None | ReadAgain():
                return await self._read_again(asked=note is not None)
            case PlaybackEnded():
                self.stage = _heard(self.stage)
                self.line.become(self.stage)
            case Take():
                await self._take(note)
            case LeaseFailed():
                self.taken, self.hers = None, None
                self.review_at = self.line.now()
            case ChannelGone(channel) if self.taken is not None and channel == self.taken.leg:
                if leg_of(channel) is None:  # of a leg that it made, the floor hears by itself
                    self.line.ports.submit(LegEnded(channel, note.cause))
            case GiveUp():
                self.out = note
                # the floor has forgotten him: a restart while he is told something must not name legs anew
                self.line.become(attempts=max(self.line.story.attempts, note.attempts))
            case DigitPressed(channel, digit) if channel == self.line.channel:
                return await self._key(digit)
            case _:
                pass
        return None

    async def _take(self, take: Take) -> None:
        self.taken = take
        in_progress = self.house.stock.in_progress
        if self.stage.must_hear and in_progress is not None:
            # else she would say "hello" into silence, and hang up
            self.hers = await self.line.tell_secretary(take.leg, in_progress)

    async def _joined(self, take: Take) -> Stage:
        # what he hears goes on until they are joined: she may be whispered to first
        if self.hers is not None:
            await self.line.ports.telephone.stop_playback(self.hers)
        lease = replace(self.stage, heard=len(self.stage.notices), announcing=())
        story = self.line.story
        if leg_of(take.leg) is None and take.leg not in story.foreign:
            # she took him from a colleague's ringing phone, on a channel that she dialled herself
            self.line.become(foreign=(*story.foreign, take.leg))
            self.house.take_over(self.line, take.leg)
        return Talking(take.secretary, take.leg, take.attempt, lease)

    async def _sent_away(self, out: GiveUp) -> Stage:
        queue = self.stage.queue
        steps = queue.on_nobody if out.why == "nobody" else queue.on_timeout
        self.line.forget(Take, LeaseFailed, GiveUp)  # of this queue; the next one has its own
        self.line.become(way_out=out.why)
        await self.line.quiet_message()
        return Following(steps or (Play(self.house.stock.nobody, Mode.ANSWERED), Hangup()))

    async def _read_again(self, *, asked: bool) -> Stage | None:
        """The rules, where their instant has come or somebody says so; where he leaves, the stage that follows."""
        line = self.line
        if asked and self.load_at is not None:
            self.load_at = line.now()
        if not self.open or (not asked and (self.review_at is None or self.review_at > line.now())):
            return None  # decided already, or it was the instant of an announcement
        found = await read_again(self.house, line, self.stage)
        if not isinstance(found, Waiting):
            return found
        self.stage = found
        self.review_at = self.house.next_review(line.story, line.now())
        return None

    # --- out of the queue by load

    @property
    def _calm(self) -> bool:
        """Nobody cuts a message for an estimate; before the first one he may go."""
        return self.line.seeing and (self.stage.notice is None or self.line.sounding is None)

    @property
    def _load_due(self) -> bool:
        return self.load_at is not None and self.load_at <= self.line.now() and self.open and self._calm

    async def _over_load(self) -> Stage | None:
        """He would wait too long: the queue's way out for that, where it is his."""
        line = self.line
        self.load_at = line.now() + LOOK_AGAIN
        seen = too_long(self.house, line, self.stage)
        if seen is None:
            return None
        estimate = None if seen.wait is None else round(seen.wait * 1000)
        about = line.entry(
            "dequeued", why="long_wait", estimate_ms=estimate, position=seen.position, staff=seen.staff
        )
        return await self._leave(self.stage.queue.on_long_wait, about, "timeout")

    # --- out of the queue by a key

    async def _key(self, digit: str) -> Stage | None:
        """A digit leads to its steps, unless something is decided already or must be heard first."""
        steps = self.stage.queue.keys.get(digit)
        if steps is None or not self.open or self.stage.must_hear:
            return None
        line = self.line
        wish = _wish(steps)
        if wish is not None:
            said, callback = wish
            promised = promise(self.house, line, self.stage, callback, said)
            if not isinstance(promised, str):
                line.forget(Take, LeaseFailed, GiveUp)
                await line.quiet_message()
                return promised
            line.ports.journal.save([line.entry("callback_refused", why=promised)])
            sorry = self.house.stock.callback_refused or self.house.stock.please_wait
            self.stage = await say(line, self.stage, sorry)
            return None
        # of who leaves for a message and a hang-up; a voicemail or a person outside says otherwise
        return await self._leave(steps, line.entry("dequeued", why="key", digit=digit), "abandoned")

    async def _leave(self, steps: tuple[Step, ...], entry: Entry, way_out: str) -> Following:
        """Off the floor, to these steps."""
        line, following = self.line, Following(steps)
        line.become(following, entry, way_out=way_out, attempts=offers_made(self.house, line))
        line.ports.submit(CallerLeft(line.id))
        line.forget(Take, LeaseFailed, GiveUp)
        await line.quiet_message()
        return following


def _heard(stage: Waiting) -> Waiting:
    """The message, or the sentence of an announcement, that ended."""
    if stage.notice is not None:
        return replace(stage, heard=stage.heard + 1)
    return replace(stage, announcing=stage.announcing[1:])


def _wish(steps: tuple[Step, ...]) -> tuple[tuple[Play, ...], Callback] | None:
    """The callback that these steps promise, and the messages before it: the client's own promise."""
    said: list[Play] = []
    for step in steps:
        match step:
            case Play():
                said.append(step)
            case Callback():
                return tuple(said), step
            case _:
                return None
    return None
