"""ARI's events as facts: which line is whose, what was told already, what has to be asked.

A pure state machine: `on` takes one message and returns facts, or wishes (`Claim`, `Enter`,
`Confirm`) that need a request, which `asterisk.telephone` carries out. It knows no sockets and
no queues of callers. Invariants: `ChannelGone`, `ChannelAnswered` and `PlaybackEnded` come once
per id, nothing about a caller comes before his `CallEntered`, and channels that we did not start
or claim (Local channels of a transfer, snoops) do not exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from autocom.asterisk.ari import generated as ari
from autocom.core.telephony import (
    CallEntered,
    ChannelAnswered,
    ChannelGone,
    ChannelHeld,
    ChannelResumed,
    ChannelRinging,
    DigitPressed,
    EarlyMedia,
    Fact,
    FaxHeard,
    PhoneDialled,
    PlaybackEnded,
    RecordingEnded,
    Seen,
    SeenChannel,
    TransferAsked,
)

INBOUND = "inbound"
LEG = "leg"
PHONE = "phone"  # a secretary's phone that dialled something
FAX = "fax"  # a caller who comes back: he was taken out for a moment because a fax machine was heard


_DIALLED = re.compile(r"[0-9*#+]{1,48}")
_BETWEEN_DIGITS = re.compile(r"[\s.()/-]")


@dataclass(frozen=True, slots=True)
class Claim:
    """A caller is offered to us (StasisBroadcast): take him at once, others may. `phone`: a secretary who dialled."""

    channel: str
    phone: bool = False


@dataclass(frozen=True, slots=True)
class Enter:
    """A caller, or a secretary who dialled (`phone`), is in our application: read what the dialplan noted, then
    call `Translator.entered`."""

    channel: ari.Channel
    phone: bool = False


@dataclass(frozen=True, slots=True)
class Confirm:
    """A channel left our application, and its end was not told yet: give it a moment, then call `left`."""

    channel: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A playback broke off. Where a fax machine was heard that is said a moment later, and first: give it
    that moment, then call `playback_ended`."""

    playback: str


Outcome = Fact | Claim | Enter | Confirm | Failed


@dataclass(slots=True)
class _Line:
    leg: bool
    endpoint: str = ""  # of whom, as `PJSIP/lea`; "" where its events were lost
    up: bool = False
    rang: bool = False
    # facts that wait for CallEntered; None once it was told
    held: list[Fact] | None = None
    over: bool = False  # its end is held; nothing can follow it
    ending: bool = False  # we or a time-out asked for its end
    away: bool = False  # out of our application, perhaps not for good
    fax: bool = False  # told


@dataclass(slots=True)
class Translator:
    """One per event socket's application; survives reconnects."""

    lines: dict[str, _Line] = field(default_factory=dict)
    playbacks: dict[str, str] = field(default_factory=dict)  # id -> channel

    def on(self, message: ari.Message) -> list[Outcome]:  # noqa: C901, PLR0911, PLR0912 - a table of events
        """What this event means; empty for events that mean nothing to us."""
        match message:
            case ari.CallBroadcast(channel=channel):
                return [Claim(channel.id, phone=_argument(channel) == PHONE)]
            case ari.StasisStart(channel=channel, args=args):
                return self._start(channel, args)
            case ari.ChannelStateChange(channel=channel):
                return self._state(channel)
            case ari.Dial(peer=peer, dialstatus="RINGING"):
                return self._rings(peer.id)
            case ari.Dial(peer=peer, dialstatus="PROGRESS"):
                return [*self._rings(peer.id), *self._tell(peer.id, EarlyMedia(peer.id))]
            case ari.Dial(peer=peer, dialstatus="ANSWER"):
                return self._answered(peer.id)
            case ari.ChannelHangupRequest(channel=channel, soft=soft, cause=cause, tech_cause=sip):
                # `soft`: asked for by us or by a time-out, cause 32 says nothing; the end tells it
                return self._will_end(channel.id) if soft else self.gone(channel.id, cause or 16, sip)
            case ari.StasisEnd(channel=channel):
                return self._left(channel.id)
            case ari.ChannelDestroyed(channel=channel, cause=cause, tech_cause=sip):
                return self.gone(channel.id, cause, sip)
            case ari.PlaybackFinished(playback=playback) if playback.state == "failed":
                return [Failed(playback.id)]
            case ari.PlaybackFinished(playback=playback):
                return self.playback_ended(playback.id)
            case ari.RecordingFinished(recording=recording) | ari.RecordingFailed(recording=recording):
                # whole seconds, and a second of mere silence counts as talk (22.10): the file tells better
                seconds = recording.talking_duration or recording.duration or 0
                return [RecordingEnded(recording.name, ok=recording.state == "done", seconds=float(seconds))]
            case ari.ChannelDtmfReceived(channel=channel, digit=digit):
                return self._tell(channel.id, DigitPressed(channel.id, digit))
            case ari.ChannelHold(channel=channel):
                return self._tell(channel.id, ChannelHeld(channel.id))
            case ari.ChannelUnhold(channel=channel):
                return self._tell(channel.id, ChannelResumed(channel.id))
            case ari.ChannelTransfer(state=None):
                return self._transfer(message)
            case _:
                return []

    def left(self, channel: str) -> list[Outcome]:
        """The moment after a `Confirm` is over: gone, where it did not come back."""
        line = self.lines.get(channel)
        return self.gone(channel) if line is not None and line.away else []

    def gone(self, channel: str, cause: int = 16, sip: int | None = None) -> list[Outcome]:
        """The channel left; nothing where that was told."""
        line = self.lines.get(channel)
        if line is None:
            return []
        out = self._tell(channel, ChannelGone(channel, cause, sip))
        if line.held is None:
            del self.lines[channel]
        line.over = True
        return out

    def entered(self, fact: CallEntered | PhoneDialled) -> list[Outcome]:
        """What the dialplan noted is read: he exists now, and what happened meanwhile is told after it."""
        line = self.lines.get(fact.channel)
        if line is None or line.held is None:
            return []
        held, line.held = line.held, None
        if line.over:
            del self.lines[fact.channel]
        return [fact, *held]

    def met(self, channel: str, *, leg: bool = False, up: bool = False) -> list[Fact]:
        """It was found by asking, its event having been lost: from now on its facts are told. What was held back
        until its headers were read comes now."""
        line = self.lines.setdefault(channel, _Line(leg=leg, up=up))
        line.up = line.up or up
        held, line.held = line.held or [], None
        if line.over:
            del self.lines[channel]
        return held

    def playback_ended(self, playback: str, *, ok: bool = True) -> list[Outcome]:
        """Once per playback that was started with `lines`' owner; nothing for strangers'."""
        return [] if self.playbacks.pop(playback, None) is None else [PlaybackEnded(playback, ok=ok)]

    def resume(self, channels: Iterable[ari.Channel]) -> list[Outcome]:
        """After a gap in the events: what happened in it, as far as `channels` (all that are in our
        application now) tell. Callers whose entry was missed are found by the reader of `TelephoneBack`,
        who asks for their headers; here they only become lines."""
        out: list[Outcome] = []
        now = {channel.id: channel for channel in channels}
        for vanished in [known for known in self.lines if known not in now]:
            out += self.gone(vanished)
        for channel in now.values():
            if channel.id in self.lines:
                out += [*self._state(channel), *self._back_with_fax(channel)]
                continue
            argument = _argument(channel)
            if argument in (INBOUND, PHONE, LEG, FAX) and not channel.name.startswith("Local/"):
                self.lines[channel.id] = _line_of(channel, argument)
                out += self._back_with_fax(channel)
        return out

    def _start(self, channel: ari.Channel, args: tuple[str, ...]) -> list[Outcome]:
        kind = args[0] if args else ""
        if kind == FAX:  # also where he was too long away and is told to be gone: somebody must end him
            self.lines.setdefault(channel.id, _line_of(channel, kind))
            return self._back_with_fax(channel)
        if channel.id in self.lines or kind not in (INBOUND, PHONE, LEG) or channel.name.startswith("Local/"):
            return []
        line = self.lines[channel.id] = _line_of(channel, kind)
        if line.leg:
            return []
        line.held = []
        return [Enter(channel, phone=kind == PHONE)]

    def _will_end(self, channel: str) -> list[Outcome]:
        line = self.lines.get(channel)
        if line is not None:
            line.ending = True
        return []

    def _left(self, channel: str) -> list[Outcome]:
        line = self.lines.get(channel)
        if line is None or line.over:
            return []
        line.away = True
        # A leg's ChannelDestroyed follows with the true cause, an inbound channel gets none (22.10); one that
        # nobody asked to end may be back at once (a fax machine was heard).
        return [Confirm(channel)] if line.leg or not line.ending else self.gone(channel)

    def _back_with_fax(self, channel: ari.Channel) -> list[Outcome]:
        line = self.lines[channel.id]
        line.away = False
        if line.fax or _argument(channel) != FAX:
            return []
        line.fax = True
        return self._tell(channel.id, FaxHeard(channel.id))

    def _transfer(self, message: ari.ChannelTransfer) -> list[Outcome]:
        """A REFER; with a state it is the echo of our own word about one (22.10)."""
        asker, wanted = message.referred_by.source_channel.id, message.refer_to
        other, requested = wanted.destination_channel, wanted.requested_destination
        # a Replaces of no call in this Asterisk: it must not pass for a blind transfer to the same extension
        nowhere = "" if requested.additional_protocol_params else None
        replaces = other.id if other is not None else nowhere
        return self._tell(asker, TransferAsked(asker, digits_of(requested.destination or ""), replaces))

    def _state(self, channel: ari.Channel) -> list[Outcome]:
        if channel.state == "Ringing":
            return self._rings(channel.id)
        return self._answered(channel.id) if channel.state == "Up" else []

    def _rings(self, channel: str) -> list[Outcome]:
        line = self.lines.get(channel)
        if line is None or line.rang or line.up or not line.leg:
            return []
        line.rang = True
        return self._tell(channel, ChannelRinging(channel))

    def _answered(self, channel: str) -> list[Outcome]:
        line = self.lines.get(channel)
        if line is None or line.up:
            return []
        line.up = True
        return self._tell(channel, ChannelAnswered(channel))

    def _tell(self, channel: str, fact: Fact) -> list[Outcome]:
        line = self.lines.get(channel)
        if line is None or line.over:
            return []
        if line.held is not None:
            line.held.append(fact)
            return []
        return [fact]


def digits_of(user: str) -> str:
    """A SIP user as the digits, `*`, `#` and `+` that were dialled, also as people write them; empty where it holds
    anything that nobody dials. Nothing is picked out of such a text: what is left of `201;x=06` is a number that
    nobody dialled."""
    digits = _BETWEEN_DIGITS.sub("", user)
    return digits if _DIALLED.fullmatch(digits) else ""


def _line_of(channel: ari.Channel, kind: str) -> _Line:
    return _Line(
        leg=kind == LEG,
        endpoint=channel.name.rpartition("-")[0],
        up=channel.state == "Up",
        rang=channel.state == "Ringing",
    )


def _argument(channel: ari.Channel) -> str:
    """What it entered our application with."""
    return channel.dialplan.app_data.rpartition(",")[2]


def epoch(timestamp: str) -> float:
    """ARI's `2026-11-22T08:37:23.024+0000` as UTC epoch seconds."""
    return datetime.fromisoformat(timestamp).timestamp()


def in_application(channels: Iterable[ari.Channel], application: ari.Application) -> list[ari.Channel]:
    """Those that run in our application now. `channel_ids` alone are subscriptions, and a caller who
    waits unclaimed in StasisBroadcast has the application's name but no subscription."""
    subscribed = frozenset(application.channel_ids)
    return [c for c in channels if c.id in subscribed and c.dialplan.app_name.startswith("Stasis")]


def seen(
    channels: Iterable[ari.Channel],
    bridges: Iterable[ari.Bridge],
    ours: Iterable[ari.Channel],
    begun: float = 0.0,
) -> Seen:
    """What Asterisk holds, as the core knows it, and since when it runs."""
    members = {bridge.id: frozenset(bridge.channels) for bridge in bridges}
    where = {channel: bridge for bridge, inside in members.items() for channel in inside}
    mine = frozenset(channel.id for channel in ours)
    return Seen(
        channels={
            c.id: SeenChannel(
                id=c.id,
                up=c.state == "Up",
                ours=c.id in mine,
                created_at=epoch(c.creationtime),
                bridge=where.get(c.id),
                ringing=c.state == "Ringing",
            )
            for c in channels
        },
        bridges=members,
        begun=begun,
    )
