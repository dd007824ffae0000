"""The continuous comparison of what Asterisk holds with what we know, and the repair of each difference.

Events may be lost without a gap that anybody notices; then a caller is in silence, or a phone engaged with nobody, for
ever. So Asterisk is asked every ten seconds. A difference is believed when two looks in a row show it and the call it
is about has not moved between them, since a story that is between saving and acting differs by nature. Each is
repaired by the fact that was missed or by the command that was lost, and written down as a fault. What belongs where
is `reconcile`'s; whether sound flows in conversations is `quality`'s. Must not decide anything about a call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import structlog

from autocom.calls.containment import contained
from autocom.calls.line import Line
from autocom.calls.living import quietly
from autocom.calls.ports import Gone, TelephoneDown
from autocom.calls.reconcile import compare, on_the_line, places
from autocom.calls.review import take_place
from autocom.calls.switchboard import Switchboard
from autocom.core.faults import fault
from autocom.core.floor_words import CallerLeft, GiveUp, Take
from autocom.core.naming import call_of_ear, call_of_outside, leg_of
from autocom.core.posts import Idle, InTalk, Offered, WrapUp
from autocom.core.stages import Waiting
from autocom.core.telephony import ChannelAnswered, ChannelGone, Flow, Seen

log = structlog.get_logger()

EVERY = 10.0
"""Seconds between two looks. A look at 300 channels costs us 10 ms of CPU and is answered within 150 ms (22.10.1, two
busy cores): a thousandth of the time. With the second look a lost event is repaired within 15 s, before a caller
gives up on silence."""
AGAIN = 3.0
"""Seconds until the second look: nothing that we do takes longer between its save and its effect, while Asterisk
answers at all."""
SETTLED = 2.0
"""Seconds after which two who were joined must both be in their bridge."""
MOST_RESTARTS = 2
"""Things that are begun for a caller who hears nothing: the music anew, then ringing. Then there is nothing else."""
MOST_LISTENED = 30
"""Callers on hold music whose sound is asked for at one look; of more, the next ones at the next look."""


@runtime_checkable
class Sight(Protocol):
    """What is asked of Asterisk. `asterisk.telephone.AsteriskTelephone` is the real one."""

    async def look(self) -> Seen:
        """What it holds at this moment. Raises `TelephoneDown`."""
        ...

    async def flow(self, channel: str) -> Flow:
        """How much sound there was on a channel. `Gone` where it is gone or has none; `TelephoneDown`."""
        ...

    def remember(self, leg: str) -> None:
        """This leg is there and answered, of which no event told: what becomes of it is to be told."""
        ...

    def forget(self, channel: str) -> None:
        """Nothing more is to be told about this channel: its end was found by asking."""
        ...


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that differs. `kind`: gone, answered, stranger, stray_leg, stray_bridge, apart, engaged, ghost,
    unplaced, soundless; `name`: of the channel, bridge, secretary or call; `beside`: the bridge where it is missing.
    `anchor`: what was known of it, the same object at both looks."""

    kind: str
    name: str
    anchor: object
    beside: str = ""


class Inspection:
    """One per exchange. `spread` gives a number from 0 to 1: two exchanges on one machine must not look in step."""

    def __init__(
        self, switchboard: Switchboard, sight: Sight, spread: Callable[[], float] = lambda: 0.5
    ) -> None:
        self._board, self._sight, self._spread = switchboard, sight, spread
        self._clock = switchboard.ports.clock
        self.repaired = 0
        self.looks = 0
        self._sounds: dict[str, tuple[int, object]] = {}
        self._restarted: dict[str, tuple[object, int]] = {}
        self._turn = 0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._clock.until(self._clock.now() + EVERY * (0.9 + 0.2 * self._spread()))
            with contained("inspection crashed", lambda _: None):
                try:
                    await self.inspect()
                except TelephoneDown as down:
                    log.info("asterisk not looked at", why=str(down))

    async def inspect(self) -> tuple[Difference, ...]:
        """Look, and look again where something differs; what was repaired."""
        sounds = await self._soundless()
        first = await self._differences()
        if not first and not sounds:
            return ()
        second: list[Difference] = []
        if first:
            await self._clock.until(self._clock.now() + AGAIN)
            second = await self._differences()
        sure = [found for found in second if any(_same(found, before) for before in first)]
        sure += filter(self._still_hears_nothing, sounds)
        for difference in sure:
            with contained("repair crashed", lambda _: None, kind=difference.kind, name=difference.name):
                self._repair(difference)
        return tuple(sure)

    # --- what differs

    async def _differences(self) -> list[Difference]:
        if not self._board.connected:
            return []  # the end of the gap tells it all
        seen = await self._sight.look()
        self.looks += 1
        board = self._board
        if not board.connected or board.draining:
            return []
        return [*self._of_channels(seen), *self._of_bridges(seen), *self._of_the_floor()]

    def _of_channels(self, seen: Seen) -> Iterator[Difference]:
        lines, dispatcher = self._board.lines, self._board.dispatcher
        found = compare([line.story for line in lines.values()], dispatcher.floor, seen, dispatcher.under_way)
        essential = {c for line in lines.values() for c in on_the_line(line.story)}
        engaged = {
            post.engaged.leg: post.engaged
            for post in dispatcher.floor.posts.values()
            if isinstance(post.engaged, Offered | InTalk) and post.engaged.call in lines
        }
        for fact in found.missed:
            channel = fact.channel
            anchor = self._anchor(channel, engaged)
            if anchor is None or (channel not in essential and channel not in engaged):
                continue
            yield Difference("answered" if isinstance(fact, ChannelAnswered) else "gone", channel, anchor)
        for channel in found.newcomers:
            yield Difference("stranger", channel, None)
        for channel in found.stray_legs:
            yield Difference("stray_leg", channel, None)
        for bridge in found.stray_bridges:
            yield Difference("stray_bridge", bridge, None)

    def _of_bridges(self, seen: Seen) -> Iterator[Difference]:
        since = self._clock.now() - SETTLED
        for line in self._at_rest():
            for channel, bridge in places(line.story, since).items():
                there = seen.channels.get(channel)
                if there is not None and there.up and there.bridge != bridge:
                    yield Difference("apart", channel, line.story.stage, bridge)

    def _of_the_floor(self) -> Iterator[Difference]:
        lines, floor = self._board.lines, self._board.dispatcher.floor
        for post in floor.posts.values():
            if not isinstance(post.engaged, Idle | WrapUp) and post.engaged.call not in lines:
                yield Difference("engaged", post.secretary, post.engaged)
        for call, waiter in floor.waiters.items():
            if call not in lines:
                yield Difference("ghost", call, waiter.joined)
        for line in self._at_rest():
            stage = line.story.stage
            if isinstance(stage, Waiting) and stage.notice is None and line.sounding is None:
                decided = line.awaits(Take) or line.awaits(GiveUp)
                if line.id not in floor.waiters and not decided:
                    yield Difference("unplaced", line.id, stage)

    def _at_rest(self) -> Iterable[Line]:
        return [line for line in self._board.lines.values() if line.at_rest and line.seeing]

    def _owner(self, channel: str) -> Line | None:
        for line in self._board.lines.values():
            if channel in on_the_line(line.story):
                return line
        named = leg_of(channel)
        call = call_of_outside(channel) or call_of_ear(channel) or (named.call if named else "")
        return self._board.lines.get(call)

    def _anchor(self, channel: str, engaged: dict[str, Offered | InTalk]) -> object:
        """What must stay the same for the difference to be one: her engagement, else the call's stage at rest. None
        where nothing can be concluded now."""
        if channel in engaged:
            return engaged[channel]
        line = self._owner(channel)
        return line.story.stage if line is not None and line.at_rest else None

    # --- callers in silence

    async def _soundless(self) -> list[Difference]:
        """Callers who should hear music and were sent no packet since the last look: the music died without a word."""
        if not self._board.connected:
            return []
        waiting = [line for line in self._at_rest() if _on_music(line) and self._expects_sound(line)]
        self._turn = (self._turn + MOST_LISTENED) % len(waiting) if len(waiting) > MOST_LISTENED else 0
        found, sounds = [], {}
        for line in (waiting[self._turn :] + waiting[: self._turn])[:MOST_LISTENED]:
            stage = line.story.stage
            try:
                sent = (await self._sight.flow(line.channel)).sent
            except (Gone, TelephoneDown):
                continue
            before, still = self._sounds.get(line.id, (-1, None))
            if line.story.stage is not stage or not _on_music(line):
                continue
            sounds[line.id] = (sent, stage)
            if still is stage and sent == before:
                found.append(Difference("soundless", line.id, stage))
        kept = {line.id for line in waiting}
        self._sounds = {call: was for call, was in self._sounds.items() if call in kept} | sounds
        lines = self._board.lines
        self._restarted = {call: was for call, was in self._restarted.items() if call in lines}
        return found

    def _expects_sound(self, line: Line) -> bool:
        """Not one whose own phone holds us, nor one for whom all was tried."""
        stage, times = self._restarted.get(line.id, (None, 0))
        done = stage is line.story.stage and times >= MOST_RESTARTS
        return not done and line.channel not in self._board.hearing.on_hold

    def _still_hears_nothing(self, found: Difference) -> bool:
        """He was listened to some seconds ago: music in a conversation that began since would be nobody's to stop."""
        line = self._board.lines.get(found.name)
        return line is not None and line.at_rest and line.story.stage is found.anchor and _on_music(line)

    # --- repairs

    def _repair(self, difference: Difference) -> None:
        """Feed the fact that was missed, or give the command that was lost; write it down. The commands about a call once
        only: by a second attempt it may have moved on, and the next look finds what still differs."""
        board, name = self._board, difference.name
        line = board.lines.get(name)
        match difference.kind:
            case "gone":
                self._tell_gone(name)
            case "answered":
                self._sight.remember(name)
                board.hear(ChannelAnswered(name))
            case "stranger":
                board.meet(name)
            case "stray_leg":
                board.errands.hang_up(name)
            case "stray_bridge":
                board.errands.disconnect(name)
            case "apart":
                board.errands.start(quietly(board.ports.telephone.connect(difference.beside, [name])))
            case "engaged":
                self._free(name)
            case "ghost":
                board.dispatcher.submit(CallerLeft(name))
            case "unplaced" if line is not None and isinstance(line.story.stage, Waiting):
                take_place(board.house, line, line.story.stage)
            case "soundless" if line is not None and isinstance(line.story.stage, Waiting):
                board.errands.start(self._sound_again(line, line.story.stage))
        self.repaired += 1
        entry = fault(
            self._clock.now(), "difference_repaired", difference.kind, WORDS[difference.kind] + name
        )
        log.error("fault", fault="difference_repaired", where=difference.kind, detail=entry.fields["detail"])
        board.ports.journal.save([entry])

    def _tell_gone(self, channel: str) -> None:
        self._sight.forget(channel)
        line = self._owner(channel)
        if line is not None and line.channel == channel:
            line.cut = True  # as after a gap: nobody saw who ended it
        self._board.hear(ChannelGone(channel, 0))

    def _free(self, secretary: str) -> None:
        post = self._board.dispatcher.floor.posts.get(secretary)
        if post is not None and post.call is not None:
            self._board.dispatcher.submit(CallerLeft(post.call))

    async def _sound_again(self, line: Line, stage: Waiting) -> None:
        """The music anew; where that did not help the last time (its file is gone), ringing."""
        telephone = self._board.ports.telephone
        music = stage.queue.music or self._board.house.stock.music
        before, times = self._restarted.get(line.id, (None, 0))
        times = times if before is stage else 0
        try:
            if times:
                await telephone.start_ringback(line.channel)
            else:
                await telephone.start_music(line.channel, music.moh_class)
        except (Gone, TelephoneDown) as error:
            log.info("sound not begun anew", call=line.id, why=str(error))
            return
        self._restarted[line.id] = (stage, times + 1)


def _on_music(line: Line) -> bool:
    stage = line.story.stage
    return isinstance(stage, Waiting) and stage.music and not stage.queue.ringing and line.sounding is None


def _same(one: Difference, other: Difference) -> bool:
    if (one.kind, one.name, one.beside) != (other.kind, other.name, other.beside):
        return False
    return one.anchor is other.anchor or (isinstance(one.anchor, float) and one.anchor == other.anchor)


WORDS = {
    "gone": "its end was not told: ",
    "answered": "its answer was not told: ",
    "stranger": "in our application, and in no call: ",
    "stray_leg": "a leg of no call, hung up: ",
    "stray_bridge": "a bridge of no call, ended: ",
    "apart": "not in the bridge of its conversation, put back: ",
    "engaged": "engaged with a call that is over, freed: ",
    "ghost": "in the queue though the call is over, taken out: ",
    "unplaced": "waits without a place in the queue, put into it: ",
    "soundless": "heard nothing, music or ringing begun anew: ",
}
