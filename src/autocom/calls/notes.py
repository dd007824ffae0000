"""What lands in a call's mailbox: facts of the telephone about its channels and sounds, and the
floor's decisions about its place in the queue. Also how a story learns that its caller is gone.
"""

from __future__ import annotations

from dataclasses import dataclass

from autocom.core.floor_words import GiveUp, LeaseFailed, Take
from autocom.core.orders import Order
from autocom.core.telephony import (
    ChannelAnswered,
    ChannelGone,
    ChannelHeld,
    ChannelResumed,
    ChannelRinging,
    DigitPressed,
    EarlyMedia,
    FaxHeard,
    MusicEnded,
    PlaybackEnded,
    RecordingEnded,
    TelephoneBack,
)


@dataclass(frozen=True, slots=True)
class ReadAgain:
    """Something the rules ask about may be another now: an override, a new configuration, who is at work."""


@dataclass(frozen=True, slots=True)
class Looped:
    """The number that this outside leg dials has sent it back to us."""

    leg: str


@dataclass(frozen=True, slots=True)
class CalledAgain:
    """He whom we promised to call back has called himself, and has taken his place over."""

    call: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A secretary wants something done with the conversation; `asked_by` is the one who said so."""

    order: Order
    asked_by: str


@dataclass(frozen=True, slots=True)
class TakenBy:
    """A secretary takes the caller from where he is (parked, or ringing at a colleague's phone): her channel is
    there, unanswered where she dialled for him. `of`: the leg that rang there; `dialled`: by what."""

    secretary: str
    leg: str
    of: str | None = None
    dialled: str = ""


@dataclass(frozen=True, slots=True)
class RoomWord:
    """Something said to a conference room: mute, unmute, lock, unlock, end; or `changed`: who is in it."""

    verb: str
    by: str


Note = (
    ReadAgain
    | Asked
    | TakenBy
    | RoomWord
    | ChannelHeld
    | ChannelResumed
    | CalledAgain
    | Looped
    | ChannelRinging
    | EarlyMedia
    | ChannelAnswered
    | ChannelGone
    | FaxHeard
    | PlaybackEnded
    | MusicEnded
    | RecordingEnded
    | DigitPressed
    | TelephoneBack
    | Take
    | LeaseFailed
    | GiveUp
)


class HungUp(Exception):  # noqa: N818 - the normal end of a call, not an error
    """The caller is gone. Raised from any verb of a `Line`, so that stages need no checks."""


class Moved(Exception):  # noqa: N818 - a fact of life, not an error
    """The story stands elsewhere now: it was joined with another call (`calls.merging`). Raised from `Line.next`."""


class FaxCame(Exception):  # noqa: N818 - a fact of life, not an error
    """The caller is a fax machine: whatever his stage was about, it is not for him. Raised from `Line.next`."""
