"""Music that ends by itself, mostly as soon as it begins: its files are gone, and nothing else says so.

Asterisk (22.10) answers 204 to the request and tells AMI of a start and a stop in one breath; ARI tells nothing.
Fed with AMI's events; who asks for music and who stops it (`playing`: by channel, what each listens to now) is
`telephone`. A stop of ours, and one at the answer, after which the music is begun anew, look alike for a moment: so
`ended` is called only where the channel should still hear it a moment later, and no other start was told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

FILTERS: tuple[Mapping[str, str], ...] = (
    {"MatchCriteria": "name(MusicOnHoldStart),method(none)"},
    {"MatchCriteria": "name(MusicOnHoldStop),method(none)"},
)
AT_ONCE = 1.0
"""Seconds of music, from its start, that are none."""
SETTLED = 0.2


class MusicWatch:
    """`ended`: this channel hears nothing, though it should hear this class; whether it ended as soon as it began."""

    def __init__(self, playing: Mapping[str, str], ended: Callable[[str, str, bool], None]) -> None:
        self._playing, self._ended = playing, ended
        self._began: dict[str, float] = {}

    def take(self, event: Mapping[str, str]) -> bool:
        """An event of AMI; whether it was about music."""
        channel, name = event.get("Uniqueid", ""), event.get("Event")
        loop = asyncio.get_running_loop()
        if name == "MusicOnHoldStart":
            if channel in self._playing:
                self._began = {known: at for known, at in self._began.items() if known in self._playing}
                self._began[channel] = loop.time()
            return True
        if name != "MusicOnHoldStop":
            return False
        began, wanted = self._began.pop(channel, None), self._playing.get(channel)
        if began is not None and wanted is not None:
            loop.call_later(SETTLED, self._judge, channel, wanted, loop.time() - began < AT_ONCE)
        return True

    def _judge(self, channel: str, wanted: str, at_once: bool) -> None:  # noqa: FBT001 - call_later's
        if self._playing.get(channel) == wanted and channel not in self._began:
            self._ended(channel, wanted, at_once)
