"""Turn after turn: one contact rings at a time, on a leg of its own id, until one took the call or all had their turn.

Every turn begins and ends with a saved stage, so a crash in between goes on with the same leg; a leg that was to be
rung is rung, if it is not there. Where a digit is asked for, picking up is not enough. Must not decide who may be
dialled (`outgoing`), what a forwarded phone leads to (`diverting`), nor what follows where nobody took the
call: that is `reaching`.
"""

from __future__ import annotations

from dataclasses import replace

from autocom.calls import early
from autocom.calls.diverting import after_ringing, before_ringing
from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.notes import Looped, Note, TakenBy
from autocom.calls.outgoing import OPERATOR_OUT, Refusal, Way, free_trunk, way_for
from autocom.calls.phoning import engaged, leg_order, result_of
from autocom.calls.picking import NOTHING_RINGS, show
from autocom.calls.ports import Gone, Outbound
from autocom.calls.transferring import joining
from autocom.core.journal import Entry
from autocom.core.model import Audio, Contact, Mode
from autocom.core.naming import outside_id
from autocom.core.reach import may_serve
from autocom.core.stages import Patched, Reaching, Talking
from autocom.core.story import Story
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
"""Seconds after he picked up in which he must press the digit."""
ASK_PAUSE = 1.0
AFTER_ASK = 3.0
LEAST_ROUND = 15.0
"""Seconds between the beginnings of two rounds, so that phones which refuse at once are not chased."""
LINE_AGAIN = 5.0
"""Seconds until the next turn where no channel was free."""


class Search:
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
            if not may_serve(contact.post, story.call.client, house.in_force):
                return "not_allowed_here"  # by a forward of whom he was sent to
            return Way(None)
        return way_for(house, story.call, contact.number, self._payer(), self.line.now(), self.stage.tried)

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
            line.become(following, started, ended(line, leg, way, None), outside=number)
            return following
        self.stage = replace(stage, leg=leg, until=now + stage.ring_for, trunk=way.trunk, began=began)
        line.become(self.stage, started, outside=number)
        return None

    def _order(self) -> Outbound:
        stage = self.stage
        assert stage.leg is not None
        assert stage.contact is not None
        return leg_order(
            self.house,
            self.line,
            stage.contact,
            stage.leg,
            trunk=stage.trunk,
            present=stage.present,
            ring_for=stage.ring_for,
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
            case DigitPressed(channel, digit) if channel == leg and self._takes(digit):
                return await self._accepted(line.entry("forward_accepted", leg=leg, digit=digit))
            case Looped(channel) if channel == leg:
                return await self._end("loop", None)
            case TakenBy(of=of) if of == leg and not line.lost(note.leg):
                return await self._picked_up(note)
            case _:
                pass
        return None

    def _takes(self, digit: str) -> bool:
        """What is heard before the answer is no hand of his: an announcement, a voicemail's tones in early media."""
        return self.stage.answered and digit == self.stage.accept

    async def _answered(self) -> Patched | Talking | None:
        line, stage = self.line, self.stage
        answered = line.entry("forward_answered", leg=stage.leg)
        if stage.accept is None or (stage.contact is not None and stage.contact.post is not None):
            return await self._accepted(answered)
        self.stage = replace(stage, answered=True, until=line.now() + time_to_accept(stage.ask))
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
        before = line.story
        of, contact = stage.contact.post, Contact(hers.name, hers.extension, post=hers.id)
        talking, changes = _taken(line.story, stage, contact, taken.leg)
        changes["foreign"] = (*line.story.foreign, taken.leg)
        picked = line.entry("picked_up", secretary=hers.id, of=of)
        line.become(talking, ended(line, leg, "withdrawn", None), picked, **changes)
        telephone = line.ports.telephone
        await line.ports.surely(lambda: telephone.hang_up(leg, Cause.ANSWERED_ELSEWHERE))
        show(self.house, before, hers.id, of)
        return talking

    async def _gone(self, cause: int) -> Reaching:
        stage, line, leg = self.stage, self.line, self.stage.leg
        if cause == Cause.UNKNOWN and not stage.again and leg is not None:
            # lost in a gap, perhaps before it was ever dialled: his turn begins anew, once
            withdrawn = ended(line, leg, "withdrawn", cause)
            return await self._anew(replace(stage.anew(), again=True), withdrawn)
        if cause in OPERATOR_OUT and not stage.answered and self._has_other_way():
            assert stage.trunk is not None
            tried = replace(stage.anew(), tried=(*stage.tried, stage.trunk))
            return await self._anew(tried, ended(line, leg, result_of(cause), cause))
        if stage.answered:
            return await self._end("not_accepted", cause)
        return await self._end(result_of(cause), cause)

    async def _anew(self, stage: Reaching, end: Entry) -> Reaching:
        """His turn from its beginning."""
        leg, before = self.stage.leg, self.stage
        self.line.become(stage, end)
        await early.part_early(self.line, before)
        if leg is not None:
            await self.line.end_leg(leg)
        return stage

    def _has_other_way(self) -> bool:
        """Whether another operator may put this call through."""
        stage, house = self.stage, self.house
        if stage.trunk is None:
            return False
        tried = (*stage.tried, stage.trunk)
        return free_trunk(house.in_force, list(house.stories), without=tried) is not None

    async def _end(self, result: str, cause: int | None) -> Reaching:
        leg = self.stage.leg
        self.stage = after_ringing(self.house, self.line, self.stage, result)
        following = over(self.line, self.stage, result, cause)
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
            "other": contact,
            "trunk_out": stage.trunk,
        }
    if contact.post is not None:
        talking = joining(
            story, contact, leg, stage.back
        )  # no rule rings a phone of the house: she was sent him
        return talking, {"attempts": talking.attempt}
    return Patched(contact, leg, stage), {}


def time_to_accept(ask: Audio | None) -> float:
    """Seconds in which he must press the digit; never less than one whole `ask`."""
    return max(ACCEPT_WITHIN, 0.0 if ask is None else ask.seconds + AFTER_ASK)


def over(line: Line, stage: Reaching, result: str, cause: int | None) -> Reaching:
    """Save that this turn is over; the next one."""
    now = line.now()
    following = stage.after(now if stage.began is None else stage.began, now, LEAST_ROUND)
    following = replace(following, result=result, cause=cause)
    line.become(following, ended(line, stage.leg, result, cause))
    return following


def ended(line: Line, leg: str | None, result: str, cause: int | None) -> Entry:
    """The fact that a leg outside is over, and how: without an answer, refused, withdrawn."""
    return line.entry("forward_ended", leg=leg, result=result, cause=cause)
