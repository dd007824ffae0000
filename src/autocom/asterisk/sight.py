"""What can be asked of Asterisk beside its events: what it holds, how much sound flows, who a stranger is.

For the comparison that runs all the time (`calls.inspection`) and for the watch over the sound (`calls.quality`);
`telephone.AsteriskTelephone` inherits it and brings the connection. It asks and never commands. Tried on 22.10.1:
`rtp_statistics` of a channel is answered at once, also while a playback holds the channel; it counts from the answer
or the early media on. Must not know what a difference means.
"""

from __future__ import annotations

import asyncio

from autocom.asterisk.ari import generated as ari
from autocom.asterisk.ari.client import Refused
from autocom.asterisk.ari.feed import Feed
from autocom.asterisk.ari.translate import in_application, seen
from autocom.asterisk.parties import about_a_channel
from autocom.calls.ports import TelephoneDown
from autocom.core.telephony import Flow, Seen


class Sight:
    """See the module. `_ari`, `_app` and `feed` are the heir's."""

    _ari: ari.Ari
    _app: str
    feed: Feed

    async def look(self) -> Seen:
        """Channels, bridges and which of them are ours, asked for at one moment. Raises TelephoneDown."""
        try:
            channels, bridges, application = await asyncio.gather(
                self._ari.channels.list(), self._ari.bridges.list(), self._ari.applications.get(self._app)
            )
        except Refused as refusal:  # no channel is meant: not ready
            raise TelephoneDown(str(refusal)) from refusal
        return seen(channels, bridges, in_application(channels, application))

    async def flow(self, channel: str) -> Flow:
        """RTP packets so far. `Gone` also where it has no RTP: not yet, or never (a snoop)."""
        with about_a_channel():
            counted = await self._ari.channels.rtpstatistics(channel)
        return Flow(received=counted.rxcount, sent=counted.txcount)

    def remember(self, leg: str) -> None:
        """It is there and answered, which no event told: what else becomes of it is to be told."""
        self.feed.state.met(leg, leg=True, up=True)
