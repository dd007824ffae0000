"""The conversation itself: hold, three of them, keys and buttons, until one side hangs up.

One loop over facts and orders; each is saved as a new stage, then arranged (`arranging`). Whom she consults is
`consulting`, where she sends the caller is `transferring`. An order that fits no more changes nothing. Where the
caller hangs up while she talks to somebody else, the two go on: he takes the caller's part. Where her phone
vanishes, the caller is the next of the queue.
"""

from __future__ import annotations

from dataclasses import replace

from autocom.calls import consulting
from autocom.calls.arranging import Conversation
from autocom.calls.errands import fared
from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.notes import Asked, HungUp, Looped, Note
from autocom.calls.parking import park
from autocom.calls.parting import hung_up, vanished
from autocom.calls.ports import Fares
from autocom.calls.taping import next_tone, on_record, sound_tone, tape_over
from autocom.calls.transferring import refuse, send_to, stay_together, why_not_there
from autocom.core import keypad
from autocom.core.conversation import arrangement, next_reminder, reminder, why_not
from autocom.core.orders import (
    Consult,
    Drop,
    Hold,
    Join,
    LeadsNowhere,
    Leave,
    Mark,
    Order,
    Park,
    PutThrough,
    Record,
    Resume,
    SendTo,
    by_verb,
)
from autocom.core.stages import Stage, Talking
from autocom.core.story import turned
from autocom.core.targets import written
from autocom.core.telephony import (
    VANISHED,
    ChannelAnswered,
    ChannelGone,
    ChannelHeld,
    ChannelResumed,
    ChannelRinging,
    DigitPressed,
    RecordingEnded,
    TelephoneBack,
)


async def converse(house: House, line: Line, stage: Talking, *, joined_now: bool) -> Stage:
    """Until somebody hangs up, or she sends him on. Not `joined_now`: the stage is run again, and who is where
    is not certain."""
    talk = Conversation(house, line, stage)
    if joined_now:
        talk.arranged = arrangement(stage, line.channel)
    return await _Loop(talk, joined_now=joined_now).until_over()


class _Loop:
    """One run of the stage. `keys`: what was typed, by channel; digits are forgotten with the process."""

    def __init__(self, talk: Conversation, *, joined_now: bool) -> None:
        self.talk = talk
        self.keys: dict[str, keypad.Keypad] = {}
        self.remind_at: float | None = None
        self._certain = joined_now

    async def until_over(self) -> Stage:
        """The stage that follows. `HungUp`: the caller is gone, and she was with nobody else."""
        following: Stage | None = None
        while following is None:
            try:
                following = await self._turn()
            except HungUp:
                if not await self._without_him():
                    raise
        return following

    async def _turn(self) -> Stage | None:
        talk = self.talk
        if talk.arranged is None and (talk.again_at is None or talk.again_at <= talk.line.now()):
            await self._from_the_first_line()
        note = await talk.line.next(self._deadline())
        if note is None:
            return await self._time()
        return await self._on(note)

    async def _from_the_first_line(self) -> None:
        talk, third = self.talk, self.talk.stage.third
        await talk.arrange()
        if third is not None and third.answered_at is None:
            await consulting.ring(talk, third)

    async def _without_him(self) -> bool:
        """The caller is gone. Whom she consults, if he is there, is the one she talks to from here on."""
        talk = self.talk
        line, stage, third = talk.line, talk.stage, talk.stage.third
        if third is None or third.answered_at is None or line.lost(third.leg) or line.lost(stage.leg):
            return False
        talk.save(
            replace(
                stage, waiting=None, held=None, third=None, back_at=None, party=third.contact, private=True
            ),
            talk.entry("caller_left"),
            called_back=third.leg,
            trunk_out=third.trunk,
            other=third.contact,
        )
        talk.arranged = None
        return True

    # --- time

    def _deadline(self) -> float | None:
        """The next instant at which something is to be done. While Asterisk's events do not arrive no phone's time
        runs out."""
        talk, stage = self.talk, self.talk.stage
        third = stage.third
        rings = third is not None and third.answered_at is None and talk.line.seeing
        self._watch_hold()
        instants = (
            third.until if third is not None and rings else None,
            stage.back_at,
            talk.again_at,
            *(typed.until for typed in self.keys.values()),
            self.remind_at,
            next_tone(talk.line.story),
        )
        return min((instant for instant in instants if instant is not None), default=None)

    def _watch_hold(self) -> None:
        held = self.talk.stage.held
        if held is None or (held.by == "phone" and not self._certain):
            self.remind_at = None  # whether her phone still holds him is not known any more
        elif self.remind_at is None or self.remind_at <= held.since:
            every = self.talk.house.in_force.bureau.hold_reminder
            self.remind_at = next_reminder(held, every, self.talk.line.now())

    async def _time(self) -> Stage | None:
        talk, now = self.talk, self.talk.line.now()
        stage = talk.stage
        third = stage.third
        for channel, typed in list(self.keys.items()):
            self.keys[channel], pressed = keypad.settle(typed, now)
            for code in pressed:
                if (following := await self._code(code, channel)) is not None:
                    return following
        if stage.back_at is not None and stage.back_at <= now:
            await consulting.back(talk, "dropped", by="secretary")
        elif third is not None and third.answered_at is None and third.until <= now and talk.line.seeing:
            await consulting.failed(talk, "no_answer", None)
        if self.remind_at is not None and self.remind_at <= now:
            self.remind_at = None
            await self._remind()
        await sound_tone(talk.house, talk.line, talk.stage)
        return None

    async def _remind(self) -> None:
        """Somebody is on hold for long: a word on her phone, and a tone where she listens to nobody."""
        talk, held = self.talk, self.talk.stage.held
        if held is None:
            return
        line, call = talk.line, talk.line.story.call
        text = reminder(call.client.display, held, line.now(), talk.house.language)
        talk.house.text(talk.stage.secretary, text)
        beep = talk.house.stock.beep
        if beep is not None and arrangement(talk.stage, line.channel).inside == (talk.stage.leg,):
            await talk.tell_her(beep.media)

    # --- facts

    async def _on(self, note: Note) -> Stage | None:
        leg, third = self.talk.stage.leg, self.talk.stage.third
        match note:
            case ChannelGone(channel, cause) if channel == leg:
                return await self._she_went(cause)
            case Asked(order, asked_by):
                return await self._asked_by(asked_by, order)
            case DigitPressed(channel, digit) if self._whose(channel) is not None:
                return await self._typed(channel, digit)
            case ChannelHeld(channel) if channel != leg and self._becomes_hers(self._whose(channel)):
                self._her_phone_holds(held=True)
            case ChannelHeld(channel) | ChannelResumed(channel) if channel == leg:
                before = self.talk.stage.held
                self._her_phone_holds(held=isinstance(note, ChannelHeld))
                await self.talk.tape()
                if before is not None and self.talk.stage.held is None and self.talk.line.story.tapes:
                    await self.talk.line.quiet_music()  # a recorded caller's: `keep_tape` began it
            case RecordingEnded():
                await tape_over(self.talk.house, self.talk.line, self.talk.stage, note)
            case Looped(channel) if third is not None and channel == third.leg and third.answered_at is None:
                await consulting.failed(self.talk, "loop", None)
            case TelephoneBack():
                self._certain = False
            case ChannelRinging(channel) | ChannelAnswered(channel) | ChannelGone(channel):
                if third is not None and channel == third.leg:
                    await self._about_the_third(note)
            case _:
                pass
        return None

    async def _about_the_third(self, note: ChannelRinging | ChannelAnswered | ChannelGone) -> None:
        talk, third = self.talk, self.talk.stage.third
        assert third is not None
        match note:
            case ChannelGone(_, cause):
                await consulting.gone(talk, third, cause)
            case ChannelAnswered() if third.answered_at is None:
                await consulting.answered(talk, third)
            case ChannelRinging() if not third.rang:
                talk.save(replace(talk.stage, third=replace(third, rang=True)))
            case _:
                pass

    def _her_phone_holds(self, *, held: bool) -> None:
        """Her softphone's own hold. In a conference, and while she talks to somebody else, it is not the caller
        whom she holds."""
        talk, stage = self.talk, self.talk.stage
        self._certain = True
        if held and stage.held is None and stage.third is None:
            kept, entries = consulting.held_for(talk, "phone")
            talk.save(replace(stage, held=kept), *entries)
        elif not held and stage.held is not None and stage.held.by == "phone":
            talk.save(replace(stage, held=None), talk.entry("resumed", by="phone"))

    async def _she_went(self, cause: int) -> Stage:
        talk = self.talk
        if cause in VANISHED:
            return await vanished(talk, cause)
        return await hung_up(talk)

    # --- what she wants

    def _whose(self, channel: str) -> str | None:
        """The secretary whose phone that is: hers, or that of the colleague whom she talks to."""
        story = self.talk.line.story
        if channel == self.talk.stage.leg:
            return self.talk.stage.secretary
        return story.colleague if channel == story.channel else None

    def _becomes_hers(self, secretary: str | None) -> bool:
        """Whether she may want something of this conversation. Of two colleagues either may: from the first thing
        that the other one wants, the secretary's part is hers."""
        talk = self.talk
        if secretary is None or secretary == talk.stage.secretary:
            return secretary is not None
        story = turned(talk.line.story, secretary, talk.house.in_force.secretaries)
        if story is not None:
            talk.turn(story)
        return story is not None

    async def _asked_by(self, secretary: str, order: Order) -> Stage | None:
        if self._becomes_hers(secretary):
            return await self._asked(order)
        if isinstance(order, SendTo) and order.asked_on is not None:  # her phone waits to be told
            ports = self.talk.line.ports
            await ports.surely(fared(ports.telephone, order.asked_on, Fares.REFUSED))
        return None

    async def _typed(self, channel: str, digit: str) -> Stage | None:
        typed = self.keys.get(channel, keypad.Keypad())
        self.keys[channel], pressed = keypad.press(typed, digit, self.talk.line.now())
        for code in pressed:
            if (following := await self._code(code, channel)) is not None:
                return following
        return None

    async def _code(self, code: keypad.Pressed, channel: str) -> Stage | None:
        """A code that was pressed there; one that leads nowhere changes nothing."""
        if not self._becomes_hers(self._whose(channel)):
            return None
        stage, house, client = self.talk.stage, self.talk.house, self.talk.line.story.call.client
        held = stage.held is not None
        match code.word:
            case "hold_or_resume":
                return await self._asked(Resume() if held else Hold())
            case "record":
                return await self._asked(Record("toggle"))
            case "record_stop":
                return await self._asked(Record("stop"))
        today = house.in_force.clients.get(client.id, client)
        try:
            order = by_verb(code.word, code.digits, house.in_force, today, house.plan, "code")
        except LeadsNowhere as nowhere:
            if code.word == "consult":
                await consulting.nobody(self.talk, nowhere.dialled, nowhere.why)
            else:
                await self._not_sent(nowhere.dialled, nowhere.why, "code")
            return None
        return await self._asked(order)

    async def _asked(self, order: Order) -> Stage | None:
        talk = self.talk
        if why_not(talk.stage, order) is not None:
            return None
        match order:
            case SendTo() | PutThrough():
                return await self._send_to(order)
            case Park():
                return park(talk.house, talk.line, talk.stage, order)
            case Leave():
                return await self._leave(order)
            case Record():
                await on_record(talk.house, talk.line, talk.stage, order)
            case Mark(result):
                talk.house.mark(talk.stage.secretary, result)
            case Consult():
                await consulting.consult(talk, order)
            case Drop():
                await consulting.back(talk, "dropped", by="secretary")
            case Hold():
                await consulting.hold(talk)
            case Resume():
                await consulting.resume(talk)
            case Join():
                await consulting.join(talk)
        return None

    async def _send_to(self, order: SendTo | PutThrough) -> Stage | None:
        """Elsewhere. Whom she consulted meanwhile is let go; where it cannot be, all stays as it is."""
        talk = self.talk
        why = why_not_there(talk.house, talk.line, talk.stage, order.target)
        if why is not None:
            asked_on = order.asked_on if isinstance(order, SendTo) else None
            await self._not_sent(written(order.target, talk.house.in_force), why, order.how, asked_on)
            return None
        if talk.stage.third is not None:
            await consulting.back(talk, "dropped", by="secretary")
        await talk.hush()
        return send_to(talk.house, talk.line, talk.stage, order)

    async def _not_sent(self, to: str, why: str, how: str, asked_on: str | None = None) -> None:
        """She stays with him. Who asked by keys hears why: her phone may show no texts."""
        talk = self.talk
        await refuse(talk.house, talk.line, talk.stage, to, why, asked_on)
        if how == "code":
            await consulting.say_why(talk, why)

    async def _leave(self, order: Leave) -> Stage | None:
        talk, third = self.talk, self.talk.stage.third
        if third is None:
            return None
        await talk.hush()
        return await stay_together(talk.house, talk.line, talk.stage, third, order.how)
