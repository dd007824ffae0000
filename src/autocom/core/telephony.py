"""What Asterisk tells us, as facts in the past tense, and what it still holds.

These values are all that the stories and the rules know of the telephone; `autocom.asterisk`
makes them from ARI and AMI. Every fact may arrive twice or late, and about a channel that is
already gone: readers check against their own state and ignore what no longer fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Cause(IntEnum):
    """Q.850 causes that we send or interpret (numbers as in ITU-T Q.850; SIP codes as chan_pjsip
    maps them for a channel that is not answered)."""

    UNALLOCATED = 1  # 404
    NORMAL = 16  # 603 before answer
    BUSY = 17  # 486
    NO_RESPONSE = 18  # 408
    NO_ANSWER = 19  # 480
    REJECTED = 21  # 403
    ANSWERED_ELSEWHERE = 26  # CANCEL with Reason cause 26: no missed call on the phone
    CONGESTION = 34  # 503
    FAILURE = 38  # 500
    UNKNOWN = 0


VANISHED = frozenset({18, 27, 38, 41, 44, 102})
"""Causes with which a conversation's channel ends because its phone is no longer there: no response,
destination out of order, network, temporary failure, 44 (Asterisk 22's rtp_timeout), recovery on timer
expiry. A BYE is 16."""


@dataclass(frozen=True, slots=True)
class RawHeaders:
    """SIP headers of an incoming call exactly as they came, read in the dialplan.

    Nothing here is trusted: `core.ingress` parses it. Lists keep the order on the wire."""

    request_user: str
    from_: str = ""
    to: str = ""
    p_asserted_identity: str = ""
    privacy: str = ""
    p_called_party_id: str = ""
    did_header: str = ""
    diversion: tuple[str, ...] = ()
    history_info: tuple[str, ...] = ()
    caller_number: str = ""  # what Asterisk itself made of it (CALLERID), the last resort
    caller_name: str = ""


@dataclass(frozen=True, slots=True)
class CallEntered:
    """A caller's channel is ours now. `at`: when Asterisk created it, UTC epoch seconds.
    `trunk` is the id of the trunk it came by, None where Asterisk did not say."""

    channel: str
    at: float
    trunk: str | None
    headers: RawHeaders


@dataclass(frozen=True, slots=True)
class PhoneDialled:
    """A secretary's phone dialled something that is no feature code; its channel is ours now, unanswered.
    `dialled`: digits, `*`, `#` and `+` only."""

    channel: str
    at: float
    secretary: str
    dialled: str


@dataclass(frozen=True, slots=True)
class ChannelHeld:
    """The phone on this channel put its other side on hold (re-INVITE). In a bridge Asterisk plays that side its
    hold music by itself."""

    channel: str


@dataclass(frozen=True, slots=True)
class ChannelResumed:
    """The hold is over."""

    channel: str


@dataclass(frozen=True, slots=True)
class TransferAsked:
    """The phone on this channel sent a REFER, and waits to be told how it fares
    (`Telephone.transfer_fares`). `destination`: the user it wants, digits, `*`, `#` and `+` only; `replaces`: the
    channel of its own other call, where it was attended."""

    channel: str
    destination: str
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class ChannelRinging:
    """The far phone says it rings (180 or 183)."""

    channel: str


@dataclass(frozen=True, slots=True)
class EarlyMedia:
    """The far side sends sound though it has not answered (183): ringing of its own, or an announcement."""

    channel: str


@dataclass(frozen=True, slots=True)
class ChannelAnswered:
    """The channel is up."""

    channel: str


@dataclass(frozen=True, slots=True)
class ChannelGone:
    """The channel left us for good. `cause` is Q.850, `sip` the SIP status where known."""

    channel: str
    cause: int = 16
    sip: int | None = None


@dataclass(frozen=True, slots=True)
class PlaybackEnded:
    """A playback is over; `ok` is False where the file could not be played."""

    playback: str
    ok: bool = True


@dataclass(frozen=True, slots=True)
class MusicEnded:
    """Music that was begun by us, and that nobody stopped, is not heard any more: its files are gone. `at_once`: it
    never was, so there is no use in beginning it anew."""

    channel: str
    moh_class: str
    at_once: bool = True


@dataclass(frozen=True, slots=True)
class RecordingEnded:
    """A recording is over; `ok` is False where nothing could be written. `seconds` of sound in it."""

    recording: str
    ok: bool = True
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class FaxHeard:
    """A fax machine calls (CNG, 1100 Hz), or answers."""

    channel: str


@dataclass(frozen=True, slots=True)
class DigitPressed:
    """A DTMF digit from this channel."""

    channel: str
    digit: str


@dataclass(frozen=True, slots=True)
class PhoneRegistered:
    """A softphone of this secretary can be reached, or cannot any more. `moved`: it could be before, at another
    address (where it may have been out of reach)."""

    secretary: str
    reachable: bool
    moved: bool = False


@dataclass(frozen=True, slots=True)
class PhoneInUse:
    """The softphone is in a call that is not one of our offers (she dialled somebody), or no longer."""

    secretary: str
    in_use: bool


@dataclass(frozen=True, slots=True)
class PhoneRefused:
    """The dialplan itself refused what a secretary's phone dialled, by its first wall: an emergency number. Told
    without any channel of ours; nothing is to be done but to write it down."""

    secretary: str
    dialled: str
    why: str = "emergency"


@dataclass(frozen=True, slots=True)
class CallRefused:
    """Asterisk itself refused a caller with 503: it takes no more calls than `maxcalls`. His channel never was ours, and
    of his headers only what Asterisk makes of them is told."""

    channel: str
    trunk: str | None
    headers: RawHeaders


@dataclass(frozen=True, slots=True)
class LegQuality:
    """RTP quality of a leg, once, at its end. Milliseconds and percent; None where not measured."""

    channel: str
    sent: int
    received: int
    lost_percent: float | None = None
    jitter_ms: float | None = None
    round_trip_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """RTP packets of a channel since its sound began, from the phone and to it."""

    received: int
    sent: int


@dataclass(frozen=True, slots=True)
class TelephoneLost:
    """Asterisk's events no longer arrive; calls in it go on."""

    why: str


@dataclass(frozen=True, slots=True)
class SeenChannel:
    """A channel that Asterisk holds. `ours` is True where it is in our Stasis application; `up`
    where answered; `bridge` the id of the bridge it is in, if any; `ringing` where its phone said that it rings."""

    id: str
    up: bool
    ours: bool
    created_at: float
    bridge: str | None = None
    ringing: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything Asterisk holds at one moment: the basis of adoption after a gap. `begun`: since when this Asterisk
    runs, by the clock that dates its channels; 0 where it does not say."""

    channels: dict[str, SeenChannel]
    bridges: dict[str, frozenset[str]]
    begun: float = 0.0


@dataclass(frozen=True, slots=True)
class TelephoneBack:
    """The events arrive again (also the first time); facts that follow are newer than `seen`."""

    seen: Seen


Fact = (
    CallEntered
    | PhoneDialled
    | ChannelHeld
    | ChannelResumed
    | TransferAsked
    | ChannelRinging
    | EarlyMedia
    | ChannelAnswered
    | ChannelGone
    | PlaybackEnded
    | MusicEnded
    | RecordingEnded
    | FaxHeard
    | DigitPressed
    | PhoneRegistered
    | PhoneInUse
    | PhoneRefused
    | CallRefused
    | LegQuality
    | TelephoneLost
    | TelephoneBack
)
