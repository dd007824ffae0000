"""Reaching somebody outside for a caller: a forward, or whoever is on call.

One number rings at a time, each on a leg of its own id; the caller hears music meanwhile and is
answered only when he is joined (or by his early limit). Where a digit is asked for, picking up is
not enough, so a voicemail never swallows him. The bridge is a lease: until it stands, a leg that
fails makes it the next one's turn. Must not decide who may be dialled (`outgoing`) nor who is on
call (`core.oncall`). Nobody reached: the steps that stand behind, in `following`.
"""

from __future__ import annotations

from dataclasses import replace

from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.notes import Looped, Note
from autocom.calls.outgoing import shown, way_out
from autocom.calls.ports import Gone, Outbound
from autocom.core.journal import Entry
from autocom.core.model import Contact, Forward, Hangup, Mode, OnCall, Play, Step
from autocom.core.naming import outside_id, patch_of
from autocom.core.oncall import on_duty
from autocom.core.stages import Following, Leaving, Patched, Reaching, Stage
from autocom.core.telephony import (
    Cause,
    ChannelAnswered,
    ChannelGone,
    ChannelRinging,
    DigitPressed,
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
    at: Reaching | Patched = stage
    search = _Search(house, line, stage)
    while isinstance(at, Reaching) and at.contact is not None:
        at = await search.turn(at)
    if isinstance(at, Patched):
        return at
    line.become(way_out=line.story.way_out or "nobody")
    await line.quiet_message()
    goodbye = house.stock.no_answer or house.stock.nobody
    return Following(at.rest or (Play(goodbye, Mode.ANSWERED), Hangup()))


async def patched(house: House, line: Line, stage: Patched) -> Stage:
    """Join the two; until the other side hangs up. (The caller's hang-up is `HungUp`.)"""
    bridge = patch_of(stage.leg)
    if stage.joined_at is None:
        await line.quiet_message()
        await line.quiet_music()
        await line.answer("outside")
        try:
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
            return Leaving("forwarded")


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
        await line.part(patch_of(leg))


class _Search:
    """Turn after turn. What comes next is saved by the time that `turn` returns it."""

    def __init__(self, house: House, line: Line, stage: Reaching) -> None:
        self.house, self.line, self.stage = house, line, stage
        self.playing = False
        self.asked: str | None = None
        self.ask_at: float | None = None

    async def turn(self, stage: Reaching) -> Reaching | Patched:
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
        """See to it that he hears music, from the first ring on."""
        if not self.playing:
            self.playing = True
            music = self.stage.music or self.house.stock.music
            self.line.ports.journal.save([self.line.entry("music_started", music=music.name)])
            await self.line.music(music)

    def _begin(self) -> Reaching | None:
        """Save whose turn it is; the next turn where he may not, or cannot, be dialled."""
        house, line, stage, now = self.house, self.line, self.stage, self.line.now()
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
        )
        way = way_out(
            house.in_force, house.stories, line.story.call, contact.number, stage.present, house.plan
        )
        began = now if stage.began is None else stage.began
        if isinstance(way, str):
            following = stage.after(began, now, LEAST_ROUND)
            if way == "no_line" and following.contact is not None:
                following = replace(following, until=max(following.until or now, now + LINE_AGAIN))
            line.become(following, started, _ended(line, leg, way, None), outside=number)
            return following
        self.stage = replace(stage, leg=leg, until=now + stage.ring_for, trunk=way.trunk, began=began)
        line.become(self.stage, started, outside=number)
        return None

    def _order(self) -> Outbound:
        call, stage = self.line.story.call, self.stage
        assert stage.leg is not None
        assert stage.contact is not None
        return Outbound(
            channel=stage.leg,
            endpoint=self.line.ports.telephone.outside(stage.contact.number, stage.trunk or ""),
            display=call.client.display,
            number=shown(call, stage.present, self.house.in_force.bureau),
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
            if isinstance(note, PlaybackEnded):
                await line.music(self.stage.music or self.house.stock.music)
            elif note is not None or line.seeing:
                return note

    async def _time(self) -> Reaching | None:
        stage, now = self.stage, self.line.now()
        if stage.until is not None and now >= stage.until:
            return await self._end("not_accepted" if stage.answered else "no_answer", None)
        await self._ask()
        return None

    async def _on(self, note: Note) -> Reaching | Patched | None:
        leg, line = self.stage.leg, self.line
        match note:
            case ChannelRinging(channel) if channel == leg:
                line.ports.journal.save([line.entry("forward_ringing", leg=leg)])
            case ChannelAnswered(channel) if channel == leg and not self.stage.answered:
                return await self._answered()
            case ChannelGone(channel, cause) if channel == leg:
                return await self._gone(cause)
            case DigitPressed(channel, digit) if channel == leg and digit == self.stage.accept:
                return await self._accepted(line.entry("forward_accepted", leg=leg, digit=digit))
            case Looped(channel) if channel == leg:
                return await self._end("loop", None)
            case _:
                pass
        return None

    async def _answered(self) -> Patched | None:
        line, stage = self.line, self.stage
        answered = line.entry("forward_answered", leg=stage.leg)
        if stage.accept is None:
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

    async def _accepted(self, entry: Entry) -> Patched:
        stage = self.stage
        assert stage.leg is not None
        assert stage.contact is not None
        taken = Patched(stage.contact, stage.leg, stage)
        self.line.become(taken, entry)
        if self.asked is not None:  # what plays on a leg holds up its bridge
            await self.line.ports.telephone.stop_playback(self.asked)
        return taken

    async def _gone(self, cause: int) -> Reaching:
        stage, line, leg = self.stage, self.line, self.stage.leg
        if cause == Cause.UNKNOWN and not stage.again and leg is not None:
            # lost in a gap, perhaps before it was ever dialled: his turn begins anew, once
            ended = _ended(line, leg, "withdrawn", cause)
            anew = replace(stage, leg=None, until=None, answered=False, trunk=None, again=True)
            line.become(anew, ended)
            await line.end_leg(leg)
            return anew
        if stage.answered:
            return await self._end("not_accepted", cause)
        if cause in _REFUSED:
            return await self._end("refused", cause)
        return await self._end("no_answer" if cause in _NO_ANSWER else "unreachable", cause)

    async def _end(self, result: str, cause: int | None) -> Reaching:
        leg = self.stage.leg
        following = _over(self.line, self.stage, result, cause)
        if leg is not None:
            await self.line.end_leg(leg)
        return following


def _over(line: Line, stage: Reaching, result: str, cause: int | None) -> Reaching:
    """Save that this turn is over; the next one."""
    now = line.now()
    following = stage.after(now if stage.began is None else stage.began, now, LEAST_ROUND)
    line.become(following, _ended(line, stage.leg, result, cause))
    return following


def _ended(line: Line, leg: str | None, result: str, cause: int | None) -> Entry:
    return line.entry("forward_ended", leg=leg, result=result, cause=cause)
