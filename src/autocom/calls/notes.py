"""What lands in a call's mailbox: facts of the telephone about its channels and sounds, and the
floor's decisions about its place in the queue. Also how a story learns that its caller is gone.
"""

from __future__ import annotations

from autocom.core.floor_words import GiveUp, LeaseFailed, Take
from autocom.core.telephony import (
    ChannelAnswered,
    ChannelGone,
    DigitPressed,
    PlaybackEnded,
    TelephoneBack,
    TelephoneLost,
)

Note = (
    ChannelAnswered
    | ChannelGone
    | PlaybackEnded
    | DigitPressed
    | TelephoneBack
    | TelephoneLost
    | Take
    | LeaseFailed
    | GiveUp
)


class HungUp(Exception):  # noqa: N818 - the normal end of a call, not an error
    """The caller is gone. Raised from any verb of a `Line`, so that stages need no checks."""
