"""Reaching somebody outside for a caller: a forward, or whoever is on call.

One number rings at a time, each on a leg of its own id; the caller hears music meanwhile and is
answered only when he is joined (or by his early limit). Where a digit is asked for, picking up is
not enough, so a voicemail never swallows him. The bridge is a lease: until it stands, a leg that
fails makes it the next one's turn. Must not decide who may be dialled (`outgoing`) nor who is on
call (`core.oncall`). Nobody reached: the steps that stand behind, in `following`.
"""

from __future__ import annotations

from dataclasses import replace

from autocom.calls import early
from autocom.calls.diverting import after_ringing, before_ringing
from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.notes import Looped, Note, TakenBy
from autocom.calls.outgoing import Refusal, Way, shown, way_for
from autocom.calls.phoning import engaged, missed, phone_order
from autocom.calls.picking import NOTHING_RINGS, show
from autocom.calls.ports import Gone, Outbound
from autocom.calls.transferring import come_back
from autocom.core.floor_words import Settled
from autocom.core.journal import Entry
from autocom.core.model import Contact, Forward, Hangup, Mode, OnCall, Play, Step
from autocom.core.naming import outside_id, patch_of
from autocom.core.oncall import on_duty
from autocom.core.stages import Following, Leaving, Patched, Reaching, Stage, Talking
from autocom.core.story import Story, in_queue
from autocom.core.telephony import (
    Cause,
    ChannelAnswered,
    ChannelGone,
    ChannelRinging,
    DigitPressed,
    EarlyMedia,
    PlaybackEnded,
)

ACCEPT_WITHIN = 11.0
"""Seconds after he picked up in which he must press the digit; never less than one whole `ask`."""
ASK_PAUSE = 1.0
AFTER_ASK = 3.0
LEAST_ROUND = 15.0
"""Seconds between the beginnings of two rounds, so that phones which refuse at once are not chased."""
LINE_AGAIN = 5.0
"""Seconds until the next turn where no channel was free."""
MARGIN = 5.0
"""Seconds after the end of his turn at which Asterisk gives the leg up by itself, should we be gone."""

_REFUSED = frozenset({Cause.NORMAL, Cause.BUSY, Cause.REJECTED})
_NO_ANSWER = frozenset({Cause.NO_ANSWER, Cause.NO_RESPONSE})


def reaching(house: House, line: Line, step: Forward | OnCall, rest: tuple[Step, ...]) -> Stage:
    """The stage that carries this step out. A roster is read now: who is on call when the caller comes to
    this step stays so for him, however long it takes."""
    if isinstance(step, Forward):
        return Reaching(
            (Contact("", step.to),),
            rest,
            ring_for=step.ring_for,
            present=step.present,
            accept=step.accept,
            ask=step.ask,
            music=step.wait_music,
        )
    configuration = house.in_force
    roster = configuration.rosters.get(step.roster)
    if roster is None:  # taken out of the files while he called; the check refuses it otherwise
        line.ports.journal.save([line.entry("step", step="oncall", result="no such roster")])
        return Reaching((), rest, rounds=0, roster=step.roster)
    contacts = on_duty(roster, line.now(), configuration.bureau.timezone)
    if not contacts:
        line.ports.journal.save([line.entry("step", step="oncall", result="nobody is on call now")])
    return Reaching(
        contacts,
        rest,
        ring_for=roster.ring_for,
        rounds=roster.rounds if contacts else 0,
        pause=roster.pause,
        accept=roster.accept,
        ask=step.ask,
        music=step.wait_music,
        roster=roster.id,
        fallback=roster.fallback,
    )


async def reach(house: House, line: Line, stage: Reaching) -> Stage:
    """Ring one after the other until somebody took the call."""
    at: Reaching | Patched | Talking = stage
    search = _Search(house, line, stage)
    while isinstance(at, Reaching) and at.contact is not None:
        at = await search.turn(at)
    if not isinstance(at, Reaching):
        return at
    await line.quiet_message()
    if at.back is not None:
        return come_back(house, line, at, at.back)
    if line.story.dialling:
        return missed(at)
    line.become(way_out=line.story.way_out or "nobody")
    goodbye = house.stock.no_answer or house.stock.nobody
    return Following(at.rest or (Play(goodbye, Mode.ANSWERED), Hangup()))


async def patched(house: House, line: Line, stage: Patched) -> Stage:
    """Join the two; until the other side hangs up. (The caller's hang-up is `HungUp`.)"""
    bridge = stage.bridge or patch_of(stage.leg)
    line.ports.submit(Settled(line.id))  # whoever sent him here is not kept for him any more
    if stage.joined_at is None:
        await line.quiet_message()
        await line.quiet_music()
        await line.answer("outside")
        try:
            if stage.reaching.by is not None:  # he may have been on hold, in her conversation or in another
                await line.ports.telephone.stop_music(stage.leg)
            await line.ports.telephone.connect(bridge, [line.channel, stage.leg])
            if line.lost(stage.leg):
                raise Gone(stage.leg)
        except Gone:
            # one of the two is gone. Where it is the caller, this says so
            await line.music(stage.reaching.music or house.stock.music)
            following = _over(line, stage.reaching, "refused", None)
            await line.end_leg(stage.leg)
            await line.part(bridge)
            return following
        stage = replace(stage, joined_at=line.now())
        contact = stage.contact
        line.become(stage, line.entry("patched", name=contact.name, number=contact.number, leg=stage.leg))
    while True:
        note = await line.next()
        if isinstance(note, ChannelGone) and note.channel == stage.leg:
            await part_outside(line, stage, "outside")
            return Leaving("served" if line.story.served else "forwarded")


async def part_outside(line: Line, stage: Reaching | Patched, by: str) -> None:
    """The caller is gone, or the other side: write it down, end the outside leg, take the bridge down."""
    leg = stage.leg
    if leg is None:
        return
    if isinstance(stage, Patched) and stage.joined_at is not None:
        line.ports.journal.save([line.entry("patch_ended", leg=leg, by=by)])
    else:
        line.ports.journal.save([_ended(line, leg, "withdrawn", None)])
    if by != "outside":  # else it is gone
        await line.end_leg(leg)
    if isinstance(stage, Patched):
        await line.part(stage.bridge or patch_of(leg))
    else:
        await early.part_early(line, stage)


class _Search:
    """Turn after turn. What comes next is saved by the time that `turn` returns it."""

    def __init__(self, house: House, line: Line, stage: Reaching) -> None:
        self.house, self.line, self.stage = house, line, stage
        self.playing = False
        self.asked: str | None = None
        self.ask_at: float | None = None

    async def turn(self, stage: Reaching) -> Reaching | Patched | Talking:
        """One contact's turn, or the pause before it; also from the middle, after a crash: a leg that was to
        be rung is rung, if it is not there."""
        line = self.line
        self.stage, self.asked, self.ask_at = stage, None, None
        begins = stage.leg is None and stage.round > 1 and stage.place == 0
        if stage.leg is None:
            if stage.until is not None:
                await self._company()
                while await self._next(stage.until) is not None:
                    pass
            refused = self._begin()
            if refused is not None:
                return refused
        await self._company()
        if self.stage.answered:
            self.ask_at = line.now()
        elif not line.lost(self.stage.leg):  # else it is over already, and dialling would ring for nobody
            try:
                await line.ports.telephone.ring(self._order())
            except Gone:
                return await self._end("unreachable", None)
        if begins and self.house.stock.still_trying is not None:
            await line.play(self.house.stock.still_trying, Mode.EARLY)
        while True:
            note = await self._next(self._deadline())
            following = await (self._time() if note is None else self._on(note))
            if following is not None:
                return following

    async def _company(self) -> None:
        """See to it that he hears music, or ringing, from the first ring on."""
        if self.playing:
            return
        self.playing = True
        if self.stage.early:
            await early.join(self.line, self.stage)
        elif self.stage.ringing:
            await self.line.ringback()
        else:
            music = self.stage.music or self.house.stock.music
            self.line.ports.journal.save([self.line.entry("music_started", music=music.name)])
            await self.line.music(music)

    def _way(self, contact: Contact) -> Way | Refusal:
        """How he is rung: a phone of the house needs no trunk."""
        house, story = self.house, self.line.story
        if contact.post is not None:
            if story.dialling and engaged(house.post(contact.post)):
                return "busy"
            return Way("", story.call.client.display, None)
        return way_for(house, story.call, contact.number, self.stage.present, self._payer(), self.line.now())

    def _payer(self) -> str | None:
        """The secretary whose limits count: she who forwards her phone, or else who sent him, or dialled."""
        stage = self.stage
        return stage.passed[-1] if stage.passed else stage.by or self.line.story.call.dialled_by

    def _begin(self) -> Reaching | None:
        """Save whose turn it is; the next turn where he may not, or cannot, be dialled."""
        house, line, now = self.house, self.line, self.line.now()
        stage = self.stage = before_ringing(house, line, self.stage)
        contact = stage.contact
        assert contact is not None
        number = line.story.outside + 1
        leg = outside_id(line.id, number)
        started = line.entry(
            "forward_started",
            name=contact.name,
            number=contact.number,
            leg=leg,
            round=stage.round,
            roster=stage.roster,
            present=stage.present,
            by=self._payer(),
        )
        way = self._way(contact)
        began = now if stage.began is None else stage.began
        if isinstance(way, str):
            following = replace(stage.after(began, now, LEAST_ROUND), result=way, cause=None)
            if way == "no_line" and following.contact is not None:
                following = replace(following, until=max(following.until or now, now + LINE_AGAIN))
            line.become(following, started, _ended(line, leg, way, None), outside=number)
            return following
        self.stage = replace(stage, leg=leg, until=now + stage.ring_for, trunk=way.trunk or None, began=began)
        line.become(self.stage, started, outside=number)
        return None

    def _order(self) -> Outbound:
        call, stage, house = self.line.story.call, self.stage, self.house
        assert stage.leg is not None
        assert stage.contact is not None
        if stage.contact.post is not None:
            telephone = self.line.ports.telephone
            return phone_order(
                house, telephone, self.line.story, stage.contact.post, stage.leg, stage.ring_for
            )
        return Outbound(
            channel=stage.leg,
            endpoint=self.line.ports.telephone.outside(stage.contact.number, stage.trunk or ""),
            display=call.client.display,
            number=shown(call, stage.present, house.in_force.bureau),
            timeout=stage.ring_for + MARGIN,
        )

    def _deadline(self) -> float | None:
        if self.ask_at is None or self.stage.until is None:
            return self.stage.until
        return min(self.stage.until, self.ask_at)

    async def _next(self, until: float | None) -> Note | None:
        """The next note that is not about what the caller hears. While Asterisk's events do not arrive, no
        time runs out: he may have answered, or pressed the digit."""
        line = self.line
        while True:
            note = await line.next(until if line.seeing else None)
            if isinstance(note, TakenBy) and note.of != self.stage.leg:
                self.house.turn_away(note, NOTHING_RINGS)
            elif isinstance(note, PlaybackEnded):
                await line.music(self.stage.music or self.house.stock.music)
            elif note is not None or line.seeing:
                return note

    async def _time(self) -> Reaching | None:
        stage, now = self.stage, self.line.now()
        if stage.until is not None and now >= stage.until:
            return await self._end("not_accepted" if stage.answered else "no_answer", None)
        await self._ask()
        return None

    async def _on(self, note: Note) -> Reaching | Patched | Talking | None:
        leg, line = self.stage.leg, self.line
        match note:
            case ChannelRinging(channel) if channel == leg:
                line.ports.journal.save([line.entry("forward_ringing", leg=leg)])
            case EarlyMedia(channel) if channel == leg:
                self.stage = await early.listen(line, self.stage)
            case ChannelAnswered(channel) if channel == leg and not self.stage.answered:
                return await self._answered()
            case ChannelGone(channel, cause) if channel == leg:
                return await self._gone(cause)
            case DigitPressed(channel, digit) if channel == leg and digit == self.stage.accept:
                return await self._accepted(line.entry("forward_accepted", leg=leg, digit=digit))
            case Looped(channel) if channel == leg:
                return await self._end("loop", None)
            case TakenBy(of=of) if of == leg and not line.lost(note.leg):
                return await self._picked_up(note)
            case _:
                pass
        return None

    async def _answered(self) -> Patched | Talking | None:
        line, stage = self.line, self.stage
        answered = line.entry("forward_answered", leg=stage.leg)
        if stage.accept is None or (stage.contact is not None and stage.contact.post is not None):
            return await self._accepted(answered)
        whole = stage.ask.seconds + AFTER_ASK if stage.ask is not None else 0.0
        self.stage = replace(stage, answered=True, until=line.now() + max(ACCEPT_WITHIN, whole))
        line.become(self.stage, answered)
        await self._ask()
        return None

    async def _ask(self) -> None:
        """Tell the called person that there is a call, again and again until his time is over."""
        stage, line = self.stage, self.line
        self.ask_at = None
        if stage.ask is None or stage.leg is None:
            return
        if self.asked is not None:
            await line.ports.telephone.stop_playback(self.asked)
        self.asked = await line.tell_secretary(stage.leg, stage.ask)
        self.ask_at = line.now() + stage.ask.seconds + ASK_PAUSE

    async def _accepted(self, entry: Entry) -> Patched | Talking:
        stage = self.stage
        assert stage.leg is not None
        assert stage.contact is not None
        taken, changes = _taken(self.line.story, stage, stage.contact, stage.leg)
        self.line.become(taken, entry, **changes)
        if self.asked is not None:  # what plays on a leg holds up its bridge
            await self.line.ports.telephone.stop_playback(self.asked)
        return taken

    async def _picked_up(self, taken: TakenBy) -> Patched | Talking | None:
        """A colleague took the call that rings at this phone."""
        stage, line, leg = self.stage, self.line, self.stage.leg
        hers = self.house.in_force.secretaries.get(taken.secretary)
        if hers is None or stage.contact is None or stage.contact.post is None or leg is None:
            self.house.turn_away(taken, NOTHING_RINGS)
            return None
        of, contact = stage.contact.post, Contact(hers.name, hers.extension, post=hers.id)
        talking, changes = _taken(line.story, stage, contact, taken.leg)
        changes["foreign"] = (*line.story.foreign, taken.leg)
        picked = line.entry("picked_up", secretary=hers.id, of=of)
        line.become(talking, _ended(line, leg, "withdrawn", None), picked, **changes)
        telephone = line.ports.telephone
        await line.ports.surely(lambda: telephone.hang_up(leg, Cause.ANSWERED_ELSEWHERE))
        show(self.house, line.story.call, hers.id, of)
        return talking

    async def _gone(self, cause: int) -> Reaching:
        stage, line, leg = self.stage, self.line, self.stage.leg
        if cause == Cause.UNKNOWN and not stage.again and leg is not None:
            # lost in a gap, perhaps before it was ever dialled: his turn begins anew, once
            ended = _ended(line, leg, "withdrawn", cause)
            anew = replace(stage, leg=None, until=None, answered=False, trunk=None, again=True, early=False)
            line.become(anew, ended)
            await early.part_early(line, stage)
            await line.end_leg(leg)
            return anew
        if stage.answered:
            return await self._end("not_accepted", cause)
        if cause in _REFUSED:
            return await self._end("refused", cause)
        return await self._end("no_answer" if cause in _NO_ANSWER else "unreachable", cause)

    async def _end(self, result: str, cause: int | None) -> Reaching:
        leg = self.stage.leg
        self.stage = after_ringing(self.house, self.line, self.stage, result)
        following = _over(self.line, self.stage, result, cause)
        if leg is not None:
            await self.line.end_leg(leg)
            await early.part_early(self.line, self.stage)
        return following


def _taken(
    story: Story, stage: Reaching, contact: Contact, leg: str
) -> tuple[Patched | Talking, dict[str, object]]:
    """The stage of two who talk now, and what else the story is from here on. Who was dialled by a secretary
    takes the caller's place in it: from here on she can do with him what she can do with any caller."""
    call = story.call
    if story.dialling and call.dialled_by is not None:
        return Talking(call.dialled_by, call.channel, 0, None, whispered=True, party=contact), {
            "called_back": leg,
            "trunk_out": stage.trunk,
        }
    if contact.post is not None:
        place = stage.back or in_queue(stage.rest, 0.0)
        talking = Talking(
            contact.post, leg, story.attempts + 1, place, whispered=True, greeted=True, party=contact
        )
        return talking, {"attempts": story.attempts + 1}
    return Patched(contact, leg, stage), {}


def _over(line: Line, stage: Reaching, result: str, cause: int | None) -> Reaching:
    """Save that this turn is over; the next one."""
    now = line.now()
    following = stage.after(now if stage.began is None else stage.began, now, LEAST_ROUND)
    following = replace(following, result=result, cause=cause)
    line.become(following, _ended(line, stage.leg, result, cause))
    return following


def _ended(line: Line, leg: str | None, result: str, cause: int | None) -> Entry:
    return line.entry("forward_ended", leg=leg, result=result, cause=cause)
