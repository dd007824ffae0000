"""Commands about who hears whom in a conversation: hold, whisper, rooms, transfers by phone.

The other half of `calls.ports.Telephone`; `telephone.AsteriskTelephone` inherits it and brings the
connection. It knows channels and bridges, never who is on hold or why. Tried on 22.10.1: a channel that is
added to a bridge leaves the one it was in; music on a channel goes on inside a bridge until it is stopped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager, suppress

from autocom.asterisk.ari.client import Refused
from autocom.asterisk.ari.feed import Feed
from autocom.asterisk.ari.generated import Ari
from autocom.asterisk.ari.headers import phone_dialled
from autocom.calls.ports import Fares, Gone, TelephoneDown
from autocom.core.telephony import PhoneDialled

ENTER_WITHIN = 1.0

_GONE = frozenset({404, 409, 412, 422})


@contextmanager
def about_a_channel() -> Iterator[None]:
    """What a refusal means for a command about a channel, a playback or a bridge."""
    try:
        yield
    except Refused as refusal:
        if refusal.status in _GONE:
            raise Gone(str(refusal)) from refusal
        raise TelephoneDown(str(refusal)) from refusal


def uri_of(media: str) -> str:
    """What ARI plays: a file (absolute path without suffix), or another media URI (`tone:ring`) as it is."""
    return media if ":" in media.split("/", 1)[0] else f"sound:{media}"


class Parties:
    """See the module. `_ari`, `_app`, `feed` and `_begun` are the heir's."""

    _ari: Ari
    _app: str
    _begun: set[str]
    feed: Feed

    async def dialled(self, channel: str) -> PhoneDialled:
        """By the dialplan's notes on the channel."""
        with about_a_channel():
            found = await self._ari.channels.get(channel)
            fact = await phone_dialled(self._ari, found)
        for held in self.feed.state.met(channel, up=found.state == "Up"):
            self.feed.tell(held)
        return fact

    async def take_out(self, bridge: str, channel: str) -> None:
        """No error where it is not in it."""
        with suppress(Gone), about_a_channel():
            await self._ari.bridges.remove_channel(bridge, [channel])

    async def hold_music(self, channel: str, moh_class: str) -> None:
        """CHANNEL(musicclass) comes before what the holder's endpoint suggests (res_musiconhold.c)."""
        with about_a_channel():
            await self._ari.channels.set_channel_var(channel, "CHANNEL(musicclass)", value=moh_class)

    async def play_to_all(self, bridge: str, playback: str, media: str) -> None:
        """By Asterisk's announcer channel in the bridge."""
        if playback in self.feed.state.playbacks:
            return
        await self._start(playback, bridge, self._ari.bridges.play_with_id(bridge, playback, [uri_of(media)]))

    async def _start(self, playback: str, on: str, request: Awaitable[object]) -> None:
        """Have a playback begin on a channel or a bridge; its end may be told before the answer to the request."""
        self.feed.watch(playback, on)
        try:
            with about_a_channel():
                await request
        except Gone:
            self.feed.state.playbacks.pop(playback, None)
            raise

    async def mute(self, channel: str, *, muted: bool) -> None:
        """`in`: what Asterisk reads from it."""
        with about_a_channel():
            if muted:
                await self._ari.channels.mute(channel, direction="in")
            else:
                await self._ari.channels.unmute(channel, direction="in")

    async def overhear(self, ear: str, channel: str, *, whispers: bool, to_all: bool = False) -> None:
        """A snoop, once it has entered our application. Whether it is there already is asked by its id: a repeat is
        refused with 500, counted for ever, and waited for when Asterisk (22.10.1) is to stop."""
        whisper = "both" if to_all else "out" if whispers else "none"
        if await self._is_there(ear):
            return
        with self.feed.expecting(ear) as entered:
            try:
                await self._ari.channels.snoop_channel_with_id(
                    channel, ear, self._app, spy="both", whisper=whisper, app_args="ear"
                )
            except Refused as refusal:
                raise Gone(str(refusal)) from refusal
            with suppress(TimeoutError):
                async with asyncio.timeout(ENTER_WITHIN):
                    await entered.wait()

    async def _is_there(self, channel: str) -> bool:
        try:
            with about_a_channel():
                await self._ari.channels.get(channel)
        except Gone:
            return False
        return True

    async def transfer_fares(self, channel: str, fares: Fares) -> None:
        """NOTIFY 100, 200, 503 or 603 to the phone that sent the REFER; without it the phone waits for ever."""
        with suppress(Gone), about_a_channel():
            await self._ari.channels.transfer_progress(channel, fares.value)
