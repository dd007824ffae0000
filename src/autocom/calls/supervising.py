"""A team lead at a secretary's conversation: listen, whisper, barge.

Her phone is this story's caller; a channel of its own (`ear`, a snoop on the secretary's leg) hears the
conversation, and the two are in a bridge of theirs. So the conversation's own bridge is never touched: what is held,
transferred or recorded there stays so, and by the kind of ear the lead cannot be heard where she may not. An ear ends
with its leg; then she waits for the next conversation. Invariants: what she does is written down before it is heard,
and allowed (`core.supervision`) anew for each conversation, mode and window. An ear is never used twice.
"""

from __future__ import annotations

from dataclasses import replace

from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.ports import Gone, Outbound
from autocom.core.journal import Entry, Json
from autocom.core.naming import bridge_id, ear_id
from autocom.core.stages import Leaving, Stage, Supervising, Talking
from autocom.core.story import Story
from autocom.core.supervision import (
    KEYS,
    NEXT,
    Allowed,
    Denied,
    allowed,
    conversation,
    mode_for,
    next_secretary,
    refused,
    said,
)
from autocom.core.telephony import ChannelAnswered, ChannelGone, DigitPressed, PlaybackEnded

FORMER = 4
"""So many numbers back an ear may still stand: each mode takes one or two."""
BEEP_MARGIN = 0.3
"""Seconds after its length at which the ear that sounds a tone ends."""
AT_MOST = 3600.0
"""Seconds after which a wait looks again whether she still may, whatever else happens."""


async def supervise(house: House, line: Line, stage: Supervising) -> Stage:
    """Until she hangs up (`HungUp`), or nothing is allowed her any more."""
    if stage.ringing is not None:
        answered = await _ring(house, line, stage, stage.ringing)
        if answered is None:
            return Leaving("timeout")
        stage = answered
    await line.answer("supervision")
    ears = _Ears(house, line, stage)
    await ears.stand()
    while True:
        following = await ears.follow()
        if following is not None:
            return following
        note = await line.next(ears.look_at() if line.seeing else None)
        await ears.end_beep()
        if isinstance(note, DigitPressed) and note.channel == line.channel:
            await ears.press(note.digit)
        elif isinstance(note, ChannelGone):
            await ears.lost(note.channel)
        elif isinstance(note, PlaybackEnded):
            await ears.company()


async def part_supervision(house: House, line: Line, stage: Supervising) -> None:
    """She is gone: whatever heard for her ends, and who was heard knows it."""
    ears = _Ears(house, line, stage)
    await ears.leave("lead")


async def _ring(house: House, line: Line, stage: Supervising, until: float) -> Supervising | None:
    """The lead's own phone rings: she asked by a program. None where she does not pick up."""
    hers = house.in_force.secretaries.get(stage.secretary)
    order = Outbound(
        channel=line.channel,
        endpoint=line.ports.telephone.phone_of(stage.lead),
        display=stage.secretary if hers is None else hers.name,
        number=None if hers is None else hers.extension,
        headers={"X-Autocom-Call": line.id},
        timeout=max(1.0, until - line.now()),
        phone=True,
    )
    try:
        if not line.lost(line.channel):  # else it is over already, and would ring for nobody
            await line.ports.telephone.ring(order)
    except Gone:
        return None  # her phone is not registered
    while (note := await line.next(until if line.seeing else None)) is not None:
        if isinstance(note, ChannelAnswered) and note.channel == line.channel:
            stage = replace(stage, ringing=None)
            line.become(stage, line.entry("answered", why="supervision"), answered_at=line.now())
            return stage
    return None


class _Ears:
    """One run of the stage. `deaf`: legs whose ear ended, so they did; `beeping`: an ear that sounds a tone, and
    until when."""

    def __init__(self, house: House, line: Line, stage: Supervising) -> None:
        self.house, self.line, self.stage = house, line, stage
        self.music = False
        self.deaf: set[str] = set()
        self.beeping: tuple[str, float] | None = None

    # --- whom she may hear

    def _story(self) -> Story | None:
        """The secretary's conversation of now."""
        return conversation(self.house.stories, self.stage.secretary)

    def _may(self, story: Story | None) -> Allowed | Denied:
        call = None if story is None else story.call
        now = self.house.wall(self.line.now())
        return allowed(self.house.in_force, self.stage.lead, self.stage.secretary, call, now)

    def look_at(self) -> float:
        """When the time alone may change what she may."""
        may = self._may(None)
        latest = self.line.now() + AT_MOST if self.beeping is None else self.beeping[1]
        if isinstance(may, Denied) or may.until is None:
            return latest
        return min(may.until - self.house.ahead, latest)

    async def follow(self) -> Stage | None:
        """Hear what is to be heard now; the stage after this one where she may not be here at all."""
        if self.line.lost(self.line.channel):
            return None  # she is gone: the next note says so
        if isinstance(self._may(None), Denied):
            await self.leave("rule")
            return Leaving("served")
        story = self._story()
        wanted = None if story is None else _leg(story)
        if wanted in self.deaf:
            story = wanted = None
        if self.stage.of is not None and (
            story is None or wanted != self.stage.leg or self.stage.of != story.call.id
        ):
            await self.leave("conversation")
        if story is None or wanted is None:
            await self.company()
            return None
        may = self._may(story)
        mode = None if isinstance(may, Denied) else mode_for(self.stage.mode, may.modes)
        if mode is None:
            if self.stage.of is not None:
                await self.leave("rule")
            await self.company()
        elif self.stage.of is None or mode != self.stage.mode:
            await self._hear(story, wanted, mode, new=self.stage.of is None)
        return None

    # --- ears

    async def _hear(self, story: Story, leg: str, mode: str, *, new: bool) -> None:
        """Save it, tell the secretary, then make the ear."""
        line, before = self.line, self.stage
        number = before.ear + 1
        fields: dict[str, Json] = {"lead": before.lead, "secretary": before.secretary, "mode": mode}
        kind = "supervision_started" if new else "supervision_mode"
        own = {**fields, "supervisor": line.id} if new else fields
        self.stage = replace(
            before,
            of=story.call.id,
            leg=leg,
            mode=mode,
            ear=number,
            told=False,
            began=before.began or line.now(),
        )
        line.become(self.stage, line.entry(kind, **own), Entry(line.now(), kind, story.call.id, own))
        await self.stand()

    async def stand(self) -> None:
        """Make the ear that was decided on, if it is not there; also on a second run."""
        line, leg, telephone = self.line, self.stage.leg, self.line.ports.telephone
        if self.stage.of is None or leg is None:
            return
        if line.forget_leg(ear_id(line.id, self.stage.ear)):
            # decided on and never made (killed in between), or gone with an Asterisk: another one
            self._become(replace(self.stage, ear=self.stage.ear + 1))
        if not self.stage.told:
            await self._say("started")
            self._become(replace(self.stage, told=True))
            await self._beep(leg)
        await self._quiet()
        ear, mode = ear_id(line.id, self.stage.ear), self.stage.mode
        try:
            await telephone.overhear(ear, leg, whispers=mode != "listen", to_all=mode == "barge")
            await telephone.connect(bridge_id(line.id, 1), [line.channel, ear])
        except Gone:
            # her leg ended at this moment; the lead's own end is told by `next`
            self.deaf.add(leg)
            await self.leave("conversation")
        else:
            await self._end_before(self.stage.ear)

    async def _end_before(self, number: int) -> None:
        """End the ears before this one: of the mode before, of a tone, of a run that came to nothing."""
        for former in range(max(1, number - FORMER), number):
            ear = ear_id(self.line.id, former)
            if self.beeping is None or self.beeping[0] != ear:
                await self.line.end_leg(ear)

    def _become(self, stage: Supervising) -> None:
        self.stage = stage
        self.line.become(stage)

    async def lost(self, channel: str) -> None:
        """An ear ended: its leg is gone."""
        leg = self.stage.leg
        if leg is not None and channel == ear_id(self.line.id, self.stage.ear):
            self.deaf.add(leg)
            await self.leave("conversation")

    async def leave(self, by: str) -> None:
        """She hears this conversation no longer. The save comes first: what is left behind then is nobody's."""
        stage, line = self.stage, self.line
        if stage.of is None:
            return
        fields: dict[str, Json] = {"lead": stage.lead, "secretary": stage.secretary, "by": by}
        # what she said in this one is not said in the next by itself
        self.stage = replace(stage, of=None, leg=None, told=False, mode="listen")
        line.become(
            self.stage,
            line.entry("supervision_ended", **fields),
            Entry(line.now(), "supervision_ended", stage.of, fields),
        )
        self.beeping = None
        await self._end_before(stage.ear + 1)
        await line.part(bridge_id(line.id, 1))
        await self._say("ended")

    # --- keys

    async def press(self, digit: str) -> None:
        """1 listen, 2 whisper, 3 barge, * the next one of hers who talks."""
        story = self._story()
        if digit == NEXT:
            await self._next()
        elif digit in KEYS and self.stage.of is not None and story is not None and self.stage.leg is not None:
            mode, may = KEYS[digit], self._may(story)
            if mode == self.stage.mode:
                return
            if isinstance(may, Denied) or mode not in may.modes:
                await self._text(self.stage.lead, refused("mode", self.house.language))
            else:
                await self._hear(story, self.stage.leg, mode, new=False)

    async def _next(self) -> None:
        """Of those she may hear now."""
        now, lead = self.house.wall(self.line.now()), self.stage.lead
        configuration = self.house.in_force
        talking = {
            who
            for who in configuration.secretaries
            if (story := conversation(self.house.stories, who)) is not None
            and isinstance(allowed(configuration, lead, who, story.call, now), Allowed)
        }
        found = next_secretary(configuration, lead, self.stage.secretary, frozenset(talking))
        if found is None:
            return
        await self.leave("next")
        self._become(replace(self.stage, secretary=found, mode="listen"))

    # --- what is heard meanwhile

    async def company(self) -> None:
        """Between two conversations she hears music: the line is not dead."""
        if self.stage.of is None and not self.music:
            self.music = True
            await self.line.music(self.house.stock.music)

    async def _quiet(self) -> None:
        self.music = False
        await self.line.quiet_music()

    async def _beep(self, leg: str) -> None:
        """A soft tone for the secretary alone, by an ear that is made for nothing else and ends with the next."""
        story = self._story()
        may = self._may(story)
        beep = self.house.stock.beep
        if beep is None or isinstance(may, Denied) or not may.beep:
            return
        # the number of the ear that is to hear is taken by this one: it goes to the next
        ear = ear_id(self.line.id, self.stage.ear)
        self._become(replace(self.stage, ear=self.stage.ear + 1))
        self.beeping = ear, self.line.now() + beep.seconds + BEEP_MARGIN
        try:
            await self.line.ports.telephone.overhear(ear, leg, whispers=True)
            await self.line.tell_secretary(ear, beep)
        except Gone:
            return  # her leg is gone: the ear that is to hear will say so

    async def end_beep(self) -> None:
        """End the ear of the tone, once that is over."""
        if self.beeping is None or self.beeping[1] > self.line.now():
            return
        ear, self.beeping = self.beeping[0], None
        await self.line.end_leg(ear)

    async def _say(self, what: str) -> None:
        stage, house = self.stage, self.house
        lead = house.in_force.secretaries.get(stage.lead)
        name = stage.lead if lead is None else lead.name
        await self._text(stage.secretary, said(what, name, stage.mode, house.language))

    async def _text(self, secretary: str, text: str) -> None:
        await self.line.ports.surely(lambda: self.line.ports.telephone.tell(secretary, text))


def _leg(story: Story) -> str | None:
    """The secretary's channel in her conversation."""
    return story.stage.leg if isinstance(story.stage, Talking) else None
