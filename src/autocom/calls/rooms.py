"""A conference room as one of its members lives it: enter, be heard, leave.

Each member is a story of its own; a room has no owner, so it outlives each of them, and us. Who comes or goes
tells the others (`RoomWord`), each then sees for himself: alone he hears music, and people from outside among
themselves are let go. Invariants: a coming is announced once, before he is heard and not to himself; whoever
leaves last takes the bridge down. Must not know who may enter (`calls.dialled` asks `core.rooms`).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.notes import Note, RoomWord
from autocom.calls.ports import Gone, TelephoneDown
from autocom.calls.transferring import out_of_room
from autocom.core.journal import Entry
from autocom.core.keypad import ROOM, Keypad, Pressed, press
from autocom.core.model import Audio, Mode
from autocom.core.naming import room_id
from autocom.core.rooms import VERBS, WITHOUT_SECRETARY, Member, may_command, members
from autocom.core.stages import InRoom, Invited, Leaving, Stage
from autocom.core.telephony import DigitPressed

JOINED, LEFT, ENTERING = "room_joined", "room_left", "room_entering"
"""Among the house's notices: what the others hear, and what he hears himself meanwhile."""


async def meet(house: House, line: Line, stage: InRoom) -> Stage:
    """Until he hangs up (`HungUp`), or the room is ended."""
    return await _Member(house, line, stage).live()


class _Member:
    """One run of the stage. `music`: whether he hears some, None where that is not known (a restart)."""

    def __init__(self, house: House, line: Line, stage: InRoom) -> None:
        self.house, self.line, self.stage = house, line, stage
        self.bridge = room_id(stage.room)
        self.music: bool | None = None
        self.keys = Keypad(ROOM)

    async def live(self) -> Stage:
        line = self.line
        if self.stage.left:  # over for him already: a restart, or a request without an answer, came between
            return await self._out()
        await line.quiet_message()
        await line.quiet_ringback()
        await line.quiet_music()
        await line.answer("room")
        if self.stage.joined_at is None:
            await self._announce()
        try:
            await line.ports.telephone.connect(self.bridge, [line.channel])
        except Gone:
            await line.pass_time(line.now() + 1.0)  # it is he who is gone: this says so
            return Leaving("failed")
        if self.stage.joined_at is None:
            joined = line.entry("room_joined", room=self.stage.room, secretary=self.stage.secretary)
            self._become(replace(self.stage, joined_at=line.now()), joined)
            _tell_the_others(self.house, line, self.stage.room, "changed")
        if self.stage.muted:
            await line.ports.telephone.mute(line.channel, muted=True)
        await self._look_around()
        return await self._stay()

    def _become(self, stage: InRoom, *entries: Entry) -> None:
        self.stage = stage
        self.line.become(stage, *entries)

    def _others(self) -> list[Member]:
        inside = members(self.house.stories, self.stage.room)
        return [member for member in inside if member.call != self.line.id]

    async def _announce(self) -> None:
        """The others hear that somebody comes, he that he is let in; then he is."""
        line, notices = self.line, self.house.stock.notices
        entering = notices.get(ENTERING)
        if not self.stage.announced:
            locked = any(member.stage.locked for member in self._others())
            self._become(replace(self.stage, announced=True, locked=locked))
            _tell_the_others(self.house, line, self.stage.room, "changed")
            if self._others():
                await _say_to_all(line, self.bridge, notices.get(JOINED))
        if entering is not None:
            await line.play(entering, Mode.ANSWERED)
            said = (entering, notices.get(JOINED)) if self._others() else (entering,)
            lasts = max(audio.seconds for audio in said if audio is not None) + 0.2
            await line.pass_time(line.now() + lasts, RoomWord)  # it may be ended, or he muted, meanwhile
            await line.quiet_message()

    async def _look_around(self) -> None:
        """Who is there now decides what he hears, and how long he may stay."""
        others, line = self._others(), self.line
        alone = not others
        if alone != self.music:
            self.music = alone
            if alone:
                await line.music(self.house.hold_music(line.story))
            else:
                await line.quiet_music()
        attended = self.stage.secretary is not None or any(m.stage.secretary is not None for m in others)
        until = None if attended else self.stage.until or line.now() + WITHOUT_SECRETARY
        back = None if attended else self.stage.back  # once he had company he is not asked for again
        if (until, back) != (self.stage.until, self.stage.back):
            self._become(replace(self.stage, until=until, back=back))

    async def _stay(self) -> Stage:
        line = self.line
        while True:
            note = await line.next(self.stage.until if line.seeing else None)
            if note is None:
                return await self._end("service")
            if isinstance(note, DigitPressed) and note.channel == line.channel:
                note = self._pressed(note.digit)
            if isinstance(note, RoomWord) and (over := await self._on(note)) is not None:
                return over

    async def _on(self, word: RoomWord) -> Stage | None:
        match word.verb:
            case "changed":
                await self._look_around()
            case "mute" | "unmute":
                await self._mute(word.by, muted=word.verb == "mute")
            case "lock" | "unlock":
                locked = word.verb == "lock"
                entry = self.line.entry("room_locked", room=self.stage.room, by=word.by, locked=locked)
                self._become(replace(self.stage, locked=locked), entry)
            case "end":
                return await self._end(word.by)
        return None

    async def _mute(self, by: str, *, muted: bool) -> None:
        if muted == self.stage.muted:
            return
        entry = self.line.entry("room_muted", room=self.stage.room, by=by, muted=muted)
        self._become(replace(self.stage, muted=muted), entry)
        await self.line.ports.telephone.mute(self.line.channel, muted=muted)

    def _pressed(self, digit: str) -> Note | None:
        """A key of his: what it means to everybody goes to everybody, what is about himself comes back."""
        self.keys, pressed = press(self.keys, digit, self.line.now())
        mine, house, room = self.stage.secretary, self.house, self.stage.room
        by = mine or self.line.id
        match pressed:
            case (Pressed("myself"),):
                return RoomWord("unmute" if self.stage.muted else "mute", by)
            case (Pressed("invite", dialled),) if mine is not None:
                house.invite(room, dialled, mine)
            case (Pressed(verb),) if verb in VERBS and may_command(
                members(house.stories, room), mine, house.in_force
            ):
                _tell_the_others(house, self.line, room, verb, by)
                return None if verb == "mute" else RoomWord(verb, by)
            case _:
                pass
        return None

    async def _end(self, by: str) -> Stage:
        """The room is over for him; whoever ends the room says that it is over for all."""
        if by != "service":
            self.stage = replace(self.stage, back=None)
        ended = self.line.entry("room_ended", room=self.stage.room, by=by)
        await _go(self.house, self.line, self.stage, ended, by=by, quietly=True)
        return await self._out()

    async def _out(self) -> Stage:
        """A caller who was sent into it and whom no secretary came for is asked for again; all others are let go."""
        if self.stage.back is None:
            return Leaving("served")
        await self.line.ports.telephone.take_out(self.bridge, self.line.channel)
        return out_of_room(self.house, self.line, self.stage.room, self.stage.back)


async def leave_room(house: House, line: Line, stage: InRoom) -> None:
    """He is gone: the others hear of it; the last one takes the room down, and nobody is rung for it any more."""
    await _go(house, line, stage, by="himself", quietly=False)


async def _go(house: House, line: Line, stage: InRoom, *entries: Entry, by: str, quietly: bool) -> None:
    room, first = stage.room, not stage.left
    if first:
        left = line.entry("room_left", room=room, secretary=stage.secretary, by=by)
        gone = (*entries, left) if stage.joined_at is not None else entries
        line.become(replace(stage, left=True), *gone)
    others = [member for member in members(house.stories, room) if member.call != line.id]
    _tell_the_others(house, line, room, "changed")
    if not others:
        await line.part(room_id(room))
        for story in house.stories:
            if isinstance(story.stage, Invited) and story.stage.room == room:
                house.tell(story.call.id, RoomWord("end", by))
    elif first and stage.announced and not quietly:
        await _say_to_all(line, room_id(room), house.stock.notices.get(LEFT))


async def _say_to_all(line: Line, bridge: str, sound: Audio | None) -> None:
    """Nothing depends on it: not heard where the room ends in this instant."""
    if sound is None:
        return
    with suppress(TelephoneDown):
        await line.tell_all(bridge, sound.media)


def _tell_the_others(house: House, line: Line, room: str, verb: str, by: str = "") -> None:
    for member in members(house.stories, room):
        if member.call != line.id:
            house.tell(member.call, RoomWord(verb, by))


def command(house: House, room: str, verb: str, by: str) -> int:
    """Say something to everybody in a room, from outside it; how many there are. LookupError: nobody is."""
    inside = members(house.stories, room)
    if not inside:
        raise LookupError(f"nobody is in room {room}")
    for member in inside:
        if not (verb == "mute" and member.stage.secretary == by):
            house.tell(member.call, RoomWord(verb, by))
    return len(inside)
