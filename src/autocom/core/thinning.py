"""What the journal may do without when there is no room for all of it.

Some facts are *coarse*: without them a call, a conversation or somebody's decision would be gone. The others are
*fine*: they tell how it came about (which phone rang, what he heard meanwhile), and they are most of what is
written. A log that is nearly full keeps the coarse ones alone. Must not know how full it is, nor where it is.
Invariant: a call of which any fine facts are gone has the same outcome, secretary, wait and talk; only `offers`, and
segments of messages and ringing, may be missing, and who hung up under a message or a ring may seem to have done so
`during_music`. An end is never fine: what began before the thinning would run on. The story goes on in `journal.log`.
"""

from __future__ import annotations

from typing import Final

FINE: Final[frozenset[str]] = frozenset(
    {
        "message_started",
        "music_started",
        "ringback_started",
        "offered",
        "ringing",
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
