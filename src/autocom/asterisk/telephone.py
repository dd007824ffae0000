"""`calls.ports.Telephone` over the real Asterisk: commands by ARI, facts from ARI and AMI.

It knows channels, bridges and playbacks; never callers' places or secretaries' states. `Gone` is
made here and nowhere else. The order law of Asterisk is the stories' to keep: a playback on a
channel holds up `answer` and `connect` until it ends, so they stop it first. Facts come from
`ari.feed`, whose `run` this object's `run` is.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress

import structlog

from autocom.asterisk.ami import Ami
from autocom.asterisk.ari import outbound
from autocom.asterisk.ari.client import AriClient, Refused
from autocom.asterisk.ari.feed import Feed, Replaced, TooOld
from autocom.asterisk.ari.headers import call_entered
from autocom.asterisk.ari.translate import LEG
from autocom.asterisk.conf.dialplan import GATE, HAND_OVER, login_variable
from autocom.asterisk.conf.queues import away_device
from autocom.asterisk.endings import Endings
from autocom.asterisk.lamps import LampCommands
from autocom.asterisk.messages import MessageCommands
from autocom.asterisk.music_watch import MusicWatch
from autocom.asterisk.parties import ENTER_WITHIN, Parties, about_a_channel, uri_of
from autocom.asterisk.quiet import Quiet
from autocom.asterisk.recordings import RecordingCommands
from autocom.asterisk.sight import Sight
from autocom.calls.ports import Clock, Gone, Outbound, TelephoneDown, always
from autocom.core.telephony import CallEntered, Cause, ChannelGone, Fact, MusicEnded, PhoneDialled

__all__ = ["AsteriskTelephone", "Replaced", "TooOld"]

log = structlog.get_logger()

FALLBACK = "autocom-fallback"
FAX_EAR = "FAXOPT(faxdetect)"
RINGBACK = "tone:ring"  # no music class can be called so
DIAL_TRIES = 25
# Without this an offer lists every codec that Asterisk has, µ-law first (22.10, whatever the endpoint
# prefers), and each call is transcoded. The operators' lines here are A-law; the endpoint adds its own.
FORMATS = "alaw,ulaw"


class AsteriskTelephone(Parties, RecordingCommands, LampCommands, MessageCommands, Sight):
    """The telephone. Run `run` in a task group for as long as the service lives; read `facts` once.

    `url` is ARI's base, `http://127.0.0.1:8088`. Without `ami` nothing is told about phones and
    quality. `run` raises `Replaced` when another process took over, `TooOld` for an old Asterisk."""

    def __init__(
        self,
        url: str,
        user: str,
        password: str,
        *,
        clock: Clock,
        app: str = "autocom",
        ami: Ami | None = None,
    ) -> None:
        client = AriClient(url, user, password)
        self.client, self._ari = client, client.ari
        self._app = app
        self.ami = ami
        self.feed = Feed(client, app, clock, ami.run if ami else None, ami.met if ami else None)
        # what each channel listens to, a music or RINGBACK: Asterisk forgets it at the answer
        self._sound: dict[str, str] = {}
        if ami is not None:
            ami.on_music = MusicWatch(self._sound, self._music_ended).take
        # until when (the loop's time) each caller is listened to for a fax machine
        self._ears: dict[str, float] = {}
        # channels that began under this process: no playback or music of theirs is unknown to us
        self._begun: set[str] = set()
        self._quiet = Quiet()
        self._endings = Endings(self._hang_up_again)

    async def run(self) -> None:
        """Keep the connection; see the class."""
        await self.feed.run()

    async def facts(self) -> AsyncIterator[Fact]:
        """See `calls.ports.Telephone`; one reader."""
        async for fact in self.feed.facts():
            if isinstance(fact, ChannelGone):
                self._is_gone(fact.channel)
            elif isinstance(fact, CallEntered | PhoneDialled):
                self._begun.add(fact.channel)
            yield fact

    def _is_gone(self, channel: str) -> None:
        self._sound.pop(channel, None)
        self._ears.pop(channel, None)
        self._begun.discard(channel)
        self._quiet.gone(channel)
        self._endings.over(channel)

    def forget(self, channel: str) -> None:
        """Its end was found by asking: should an event tell it later, nobody is told twice."""
        self.feed.state.lines.pop(channel, None)
        self._is_gone(channel)

    # --- one channel

    async def ingress(self, channel: str) -> CallEntered:
        """A caller who is in our application already, as he came."""
        with about_a_channel():
            found = await self._ari.channels.get(channel)
            fact = await call_entered(self._ari, found)
        for held in self.feed.state.met(channel, up=found.state == "Up"):
            self.feed.tell(held)
        return fact

    async def answer(self, channel: str) -> None:
        """Answer, and let music or ringing go on: Asterisk 22.10 stops it at the 200 OK without a word."""
        with about_a_channel():
            await self._ari.channels.answer(channel)
            sound = self._sound.get(channel)
            if sound == RINGBACK:
                await self._ari.channels.ring(channel)
            elif sound is not None:
                await self._ari.channels.start_moh(channel, moh_class=sound)

    async def listen_for_fax(self, channel: str, seconds: float) -> None:
        """By res_fax's ear on the channel. When it hears a CNG it takes the channel out of our application to
        the extension `fax`, which sends it back (22.10: no event says it otherwise)."""
        self._ears[channel] = asyncio.get_running_loop().time() + seconds
        await self._set_ear(channel, f"cng,{math.ceil(seconds)}")

    async def _stop_listening(self, channel: str) -> None:
        """A tone in conversation must not tear him out of the bridge."""
        until = self._ears.pop(channel, 0.0)
        if channel in self._begun and until < asyncio.get_running_loop().time():
            return
        await self._set_ear(channel, "no")

    async def _set_ear(self, channel: str, value: str) -> None:
        # without res_fax: done all the same (204), and a line in Asterisk's log
        with about_a_channel():
            await self._ari.channels.set_channel_var(channel, FAX_EAR, value=value)

    async def play(self, channel: str, playback: str, media: str, *, skip_ms: int = 0) -> None:
        """Play a file (absolute path without suffix) or another ARI media URI (`tone:ring`)."""
        if await self._plays(channel, playback):
            return
        self._sound.pop(channel, None)
        begin = self._ari.channels.play_with_id(channel, playback, [uri_of(media)], offsetms=skip_ms or None)
        await self._start(playback, channel, begin)

    async def _plays(self, channel: str, playback: str) -> bool:
        """Asked first, since a second play of one id is queued behind the first (22.10), not refused."""
        if playback in self.feed.state.playbacks:
            return True
        if channel in self._begun:
            return False
        try:
            found = await self._ari.playbacks.get(playback)
        except Refused:
            return False
        # of the process before this one
        self.feed.watch(playback, found.target_uri.removeprefix("channel:"))
        return True

    async def stop_playback(self, playback: str) -> None:
        """No error where it is over."""
        with suppress(Gone), about_a_channel():
            await self._ari.playbacks.stop(playback)

    async def start_music(self, channel: str, moh_class: str) -> None:
        """Opens early media on an unanswered channel."""
        self._sound[channel] = moh_class  # before: without an answer it may have begun all the same
        with about_a_channel():
            await self._ari.channels.start_moh(channel, moh_class=moh_class)

    async def stop_music(self, channel: str) -> None:
        """No error where none played."""
        self._sound.pop(channel, None)
        with about_a_channel():
            await self._ari.channels.stop_moh(channel)

    def _music_ended(self, channel: str, moh_class: str, at_once: bool) -> None:  # noqa: FBT001 - the watch's
        if moh_class != RINGBACK:
            self.feed.tell(MusicEnded(channel, moh_class, at_once))

    async def start_ringback(self, channel: str) -> None:
        """180 before any media; once there is early media or an answer, Asterisk itself makes the tone of
        the country in indications.conf (22.10: heard in both cases)."""
        with about_a_channel():
            await self._ari.channels.ring(channel)
        self._sound[channel] = RINGBACK

    async def stop_ringback(self, channel: str) -> None:
        """A 180 that was sent cannot be taken back: the caller's side rings until it hears media."""
        self._sound.pop(channel, None)
        with about_a_channel():
            await self._ari.channels.ring_stop(channel)

    async def hang_up(self, channel: str, cause: Cause = Cause.NORMAL) -> None:
        """`ANSWERED_ELSEWHERE` on a ringing leg: its phone shows no missed call. Asked again until it is gone: a phone that
        goes on ringing, or talks to nobody, is nobody's to notice."""
        self._sound.pop(channel, None)
        line = self.feed.state.lines.get(channel)
        if line is not None:
            self._quiet.ends(channel, line.endpoint)
        code = cause if cause is not Cause.UNKNOWN else Cause.NORMAL
        try:
            with about_a_channel():
                await self._ari.channels.hangup(channel, reason_code=str(int(code)))
        except Gone:
            return
        except TelephoneDown:
            self._endings.asked(channel, code)
            raise
        self._endings.asked(channel, code)

    def _hang_up_again(self, channel: str, cause: Cause) -> None:
        if channel in self.feed.state.lines:
            log.warning("hang_up_repeated", channel=channel)
            self.feed.spawn(self._take_back(channel, cause))

    async def taken(self, channel: str) -> None:
        """See `dialplan/inbound.conf`, `autocom-inbound-left`."""
        with about_a_channel():
            await self._ari.channels.set_channel_var(channel, "AUTOCOM_TAKEN", value="1")

    async def to_fallback(self, channel: str, client: str | None = None, *, heard: bool = False) -> None:
        """Its playbacks are stopped first: `continue`, and a variable, would wait for their end."""
        self._sound.pop(channel, None)
        for playback in [p for p, owner in self.feed.state.playbacks.items() if owner == channel]:
            await self.stop_playback(playback)
        with about_a_channel():
            await self._ari.channels.stop_moh(channel)
            if client is not None:
                await self._ari.channels.set_channel_var(channel, "AUTOCOM_CLIENT", value=client)
            await self._ari.channels.continue_in_dialplan(
                channel, context=FALLBACK, extension="again" if heard else "s", priority=1
            )

    async def tell_fallback(self, secretary: str, *, at_work: bool) -> None:
        """Let the dialplan's fallback know whether it may ring her. Raises TelephoneDown."""
        with about_a_channel():
            await self._ari.asterisk.set_global_var(login_variable(secretary), value="" if at_work else "out")
            await self._ari.device_states.update(away_device(secretary), "INVALID" if at_work else "BUSY")

    async def open_gate(self) -> None:
        """New callers are offered to us. Raises TelephoneDown."""
        with about_a_channel():
            await self._ari.asterisk.set_global_var(GATE, value="open")

    async def announce_hand_over(self, until: float) -> None:
        """Whom nobody claims until then (UTC epoch seconds) is offered again, and hears it ring. Raises TelephoneDown."""
        with about_a_channel():
            await self._ari.asterisk.set_global_var(HAND_OVER, value=str(math.ceil(until)))

    async def tell(self, secretary: str, text: str) -> None:
        """SIP MESSAGE, text/plain. Asterisk (22.10.1) answers 202 before the phone does: whether it took
        the text is not heard."""
        endpoint = self.phone_of(secretary).removeprefix("PJSIP/")
        with about_a_channel():
            await self._ari.endpoints.send_message(
                f"pjsip:{endpoint}", "sip:autocom@autocom", body=outbound.one_line(text)
            )

    # --- legs

    def phone_of(self, secretary: str) -> str:
        """By what she registered over: Asterisk has an endpoint of its own for phones in a browser.
        ValueError where the id could be a dial string."""
        in_browser = self.ami is not None and self.ami.in_browser(secretary)
        return outbound.phone(secretary, in_browser=in_browser)

    def outside(self, number: str, trunk: str) -> str:
        """ValueError where either is malformed."""
        return outbound.outside(number, trunk)

    async def ring(self, leg: Outbound, wanted: Callable[[], bool] = always) -> None:
        """Create, let it enter our application, dial. A leg that could not be dialled is taken back; one
        that was there before is left alone, whoever made it: it is dialled, or its turn ends."""
        made = dialled = False
        try:
            with self.feed.expecting(leg.channel) as entered:
                made = await self._create(leg)
                if not made:
                    return
                # dialled too early it is refused: "not in Stasis application"
                with suppress(TimeoutError):
                    async with asyncio.timeout(ENTER_WITHIN):
                        await entered.wait()
            await self._quiet.at(leg.endpoint)
            if wanted():
                await self._dial(leg)
                dialled = True
        finally:
            if made and not dialled:
                self.feed.spawn(self._take_back(leg.channel))

    async def _create(self, leg: Outbound) -> bool:
        """Whether it was made now; False where a channel of this id is there already. Asked where we know of one:
        a refused second one is counted for ever, and Asterisk (22.10.1) waits 15 s for it when it is to stop."""
        if leg.channel in self.feed.state.lines:
            with about_a_channel():
                await self._ari.channels.get(leg.channel)
            return False
        try:
            await self._ari.channels.create(
                leg.endpoint,
                self._app,
                app_args=LEG,
                channel_id=leg.channel,
                formats=FORMATS,
                variables=outbound.variables(leg),
            )
        except Refused as refusal:
            if refusal.status != 409:
                # 500 "Allocation failed": no such endpoint, or nobody registered at it
                raise Gone(f"{leg.endpoint} cannot be dialled") from refusal
            # No proof by itself: after one 409 Asterisk (22.10.1) says it of every phone that cannot be
            # reached, on the same HTTP connection (a stale errno).
            with about_a_channel():
                await self._ari.channels.get(leg.channel)
            return False
        except TelephoneDown:
            # perhaps it was made all the same
            self.feed.spawn(self._take_back(leg.channel))
            raise
        self._begun.add(leg.channel)
        return True

    async def _dial(self, leg: Outbound) -> None:
        for _ in range(DIAL_TRIES):
            try:
                await self._ari.channels.dial(leg.channel, timeout=max(1, math.ceil(leg.timeout)))
            except Refused as refusal:
                if refusal.status != 409:
                    raise Gone(str(refusal)) from refusal
            else:
                return
            # 409 either way: not yet in our application, or dialled before
            with about_a_channel():
                if (await self._ari.channels.get(leg.channel)).state != "Down":
                    return
            await asyncio.sleep(0.02)
        raise TelephoneDown(f"{leg.channel} does not enter the application")

    async def _take_back(self, channel: str, cause: Cause = Cause.NORMAL) -> None:
        try:
            await self.hang_up(channel, cause)
        except TelephoneDown as down:
            log.warning("leg_not_taken_back", channel=channel, why=str(down))

    # --- bridges

    async def connect(self, bridge: str, channels: Sequence[str]) -> None:
        """`dtmf_events`, else two PJSIP legs become native RTP and their digits are lost (22.10). No
        connected-line updates: they would write the caller's withheld number on the phone."""
        await asyncio.gather(*(self._stop_listening(channel) for channel in channels))
        with about_a_channel():
            made = await self._make_bridge(bridge)
            try:
                await self._ari.bridges.add_channel(bridge, channels, inhibit_connected_line_updates=True)
            except Refused as refusal:
                if made:
                    await self.disconnect(bridge)
                if refusal.status >= 500:
                    raise  # nothing is said of either of them
                # 400 is a channel that is gone; all or nothing, so none was added
                raise Gone(str(refusal)) from refusal
        # Music goes on inside a bridge (22.10). Stopped only now: where the leg was gone, he still has it.
        await asyncio.gather(*(self._silence(channel) for channel in channels))

    async def connect_early(self, bridge: str, caller: str, leg: str) -> None:
        """183 with SDP first: a bridge sends none to a channel that joins it after the other side's progress was told,
        and without it the phone would hear nothing (22.10.1)."""
        with about_a_channel():
            await self._ari.channels.progress(caller)
        await self.connect(bridge, [caller, leg])

    async def _silence(self, channel: str) -> None:
        if channel in self._begun and channel not in self._sound:
            return
        with suppress(Gone):
            await self.stop_music(channel)

    async def _make_bridge(self, bridge: str) -> bool:
        try:
            await self._ari.bridges.create_with_id(bridge, type="mixing,dtmf_events")
        except Refused as refusal:
            if refusal.status != 409:
                raise
            return False
        return True

    async def disconnect(self, bridge: str) -> None:
        """No error where it is gone."""
        with suppress(Gone), about_a_channel():
            await self._ari.bridges.destroy(bridge)
