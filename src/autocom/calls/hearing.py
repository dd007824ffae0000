"""Which call, or the floor, a fact about a channel is told to.

By the names of channels and sounds alone (`core.naming`) and the callers' channels that are known. What
is about nobody any more is ended: a phone that picks up for a call that has moved on must not be left in
silence. Must not know what the story makes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import assert_never

from autocom.calls.dispatcher import Dispatcher
from autocom.calls.errands import Errands
from autocom.calls.line import Line
from autocom.calls.notes import Note
from autocom.calls.outside import Ports
from autocom.core.floor_words import LegAnswered, LegEnded, LegRang
from autocom.core.journal import Entry, Json
from autocom.core.naming import call_of_ear, call_of_outside, call_of_playback, call_of_recording, leg_of
from autocom.core.story import outside_legs
from autocom.core.telephony import (
    ChannelAnswered,
    ChannelGone,
    ChannelHeld,
    ChannelResumed,
    ChannelRinging,
    DigitPressed,
    EarlyMedia,
    FaxHeard,
    LegQuality,
    MusicEnded,
    PlaybackEnded,
    RecordingEnded,
    TransferAsked,
)

ChannelFact = (
    ChannelRinging
    | ChannelAnswered
    | ChannelGone
    | PlaybackEnded
    | MusicEnded
    | RecordingEnded
    | FaxHeard
    | DigitPressed
    | EarlyMedia
    | ChannelHeld
    | ChannelResumed
    | TransferAsked
    | LegQuality
)


class Hearing:
    """`lines`: the open calls by id. `callers`: their ids by the channel they came on. Both are the
    switchboard's own, and change. `transfer` decides about a phone that sent a REFER."""

    def __init__(
        self,
        lines: Mapping[str, Line],
        callers: Mapping[str, str],
        dispatcher: Dispatcher,
        ports: Ports,
        errands: Errands,
    ) -> None:
        self._lines, self._callers = lines, callers
        self.transfer: Callable[[TransferAsked], None] = lambda _: None
        self.on_hold: set[str] = set()  # channels whose phone has put its other side on hold
        self._dispatcher, self._ports, self._errands = dispatcher, ports, errands

    def take(self, fact: ChannelFact) -> None:
        """Hand it to whom it is about."""
        self._note_hold(fact)
        match fact:
            case PlaybackEnded(playback):
                self.tell(call_of_playback(playback), fact)
            case RecordingEnded(recording):
                self.tell(call_of_recording(recording), fact)
            case LegQuality():
                self._quality(fact)
            case FaxHeard(channel) if channel not in self._callers:
                # his story ended while the tone moved him about in Asterisk: nobody would ever end him
                self._errands.hang_up(channel)
            case EarlyMedia(channel):
                self.tell(call_of_outside(channel), fact)
            case (
                FaxHeard(channel)
                | DigitPressed(channel)
                | ChannelHeld(channel)
                | ChannelResumed(channel)
                | MusicEnded(channel)
            ):
                self.tell(self._call_of(channel), fact)
            case TransferAsked():
                self.transfer(fact)
            case ChannelRinging(channel) | ChannelAnswered(channel) | ChannelGone(channel):
                if leg_of(channel) and channel not in self._callers:
                    self._about_a_leg(fact)
                elif isinstance(fact, ChannelAnswered) and self._is_stray(channel):
                    self._errands.hang_up(channel)
                elif channel not in self._callers or _was_rung(channel) or isinstance(fact, ChannelGone):
                    # a caller's own answer is our doing, but for one whose phone we rang
                    self.tell(self._call_of(channel), fact)
            case _:
                assert_never(fact)

    def _note_hold(self, fact: ChannelFact) -> None:
        match fact:
            case ChannelHeld(channel):
                self.on_hold.add(channel)
            case ChannelResumed(channel) | ChannelGone(channel):
                self.on_hold.discard(channel)
            case _:
                pass

    def _is_stray(self, channel: str) -> bool:
        """Whether this is an outside leg whose turn is over, and the hang-up that said so got lost."""
        call = self._callers.get(channel) or call_of_outside(channel)
        line = self._lines.get(call or "")
        return (
            call_of_outside(channel) is not None
            and call is not None
            and (line is None or channel not in outside_legs(line.story))
        )

    def _about_a_leg(self, fact: ChannelRinging | ChannelAnswered | ChannelGone) -> None:
        match fact:
            case ChannelRinging(leg):
                self._dispatcher.submit(LegRang(leg))
            case ChannelAnswered(leg):
                self._dispatcher.submit(LegAnswered(leg))
            case ChannelGone(leg, cause, sip):
                self._dispatcher.submit(LegEnded(leg, cause, sip))
                self.tell(self._call_of(leg), fact)
            case _:
                assert_never(fact)

    def _call_of(self, channel: str) -> str | None:
        """The call that this channel is part of: a caller's, a secretary's or an outside one."""
        named = leg_of(channel)
        made = call_of_outside(channel) or call_of_ear(channel)
        return self._callers.get(channel) or made or (named.call if named else None)

    def tell(self, call: str | None, note: Note) -> None:
        """Put a note into this call's mailbox, if it is open."""
        line = self._lines.get(call or "")
        if line is not None:
            line.post(note)

    def _quality(self, fact: LegQuality) -> None:
        call = self._call_of(fact.channel)
        if call is not None:
            fields: dict[str, Json] = {
                "leg": fact.channel,
                "sent": fact.sent,
                "received": fact.received,
                "lost_percent": fact.lost_percent,
                "jitter_ms": fact.jitter_ms,
                "round_trip_ms": fact.round_trip_ms,
            }
            self._ports.journal.save([Entry(self._ports.clock.now(), "quality", call, fields)])


def _was_rung(channel: str) -> bool:
    return leg_of(channel) is not None or call_of_outside(channel) is not None
