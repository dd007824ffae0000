"""What the journal may do without when there is no room for all of it.

Some facts are *coarse*: without them a call, a conversation or somebody's decision would be gone. The others are
*fine*: they tell how it came about (which phone rang, what he heard meanwhile), and they are most of what is
written. A log that is nearly full keeps the coarse ones alone. Must not know how full it is, nor where it is.
Invariant: a call that is told by its coarse facts alone has the same outcome, secretary, wait and talk; only its
`offers`, and segments of messages and ringing, are missing. The story goes on in `journal.log`.
"""

from __future__ import annotations

from typing import Final

FINE: Final[frozenset[str]] = frozenset(
    {
        "message_started",
        "message_ended",
        "music_started",
        "ringback_started",
        "offered",
        "ringing",
        "offer_ended",
        "announced",
        "whispered",
        "forward_ringing",
        "callback_started",
        "quality",
        "step",
        "room_muted",
        "room_locked",
        "supervision_mode",
        "text_shown",
    }
)
"""Kinds of entries that are dropped first, and alone as long as that helps."""
