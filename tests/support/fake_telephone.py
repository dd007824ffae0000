"""An Asterisk in memory that obeys the laws the real one was seen to obey; `tests/contract` keeps it honest.

It outlives the exchange that drives it: a test may kill the exchange, let time pass, and start another
one on the same fake. Facts that happen while nobody listens are lost, as in Asterisk. What each channel
hears is kept as a timeline. Laws: a playback on a channel holds back `answer` and `connect`; music does
not come back by itself after a message; a create whose id exists is done already; a channel that is
gone raises `Gone`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from autocom.calls.ports import Gone, Outbound
from autocom.core.naming import leg_of
from autocom.core.telephony import (
    CallEntered,
    Cause,
    ChannelAnswered,
    ChannelGone,
    ChannelRinging,
    DigitPressed,
    Fact,
    FaxHeard,
    PhoneRegistered,
    PlaybackEnded,
    RawHeaders,
    RecordingEnded,
    Seen,
    SeenChannel,
    TelephoneBack,
    TelephoneLost,
)
from tests.support.virtual import VirtualClock

WATCH = 0.5
"""Seconds after a gap until the end of a playback in it is told."""


@dataclass
class FakeChannel:
    """One channel: a caller's or a leg's. `heard`: (instant, what) whenever what it hears changes."""

    id: str
    headers: RawHeaders | None = None
    order: Outbound | None = None
    up: bool = False
    music: str | None = None
    playing: str | None = None
    bridge: str | None = None
    heard: list[tuple[float, str]] = field(default_factory=list)
    answered_at: float | None = None
    ended_with: int | None = None
    listened_until: float = 0.0
    fax: bool = False
    quiet: asyncio.Event = field(default_factory=asyncio.Event)
    recording: str | None = None


@dataclass
class FakeRecording:
    """A file in the store: from `began` to `ended`; `sound`: seconds of it that are not silence at the end."""

    channel: str
    began: float
    ended: float | None = None
    sound: float | None = None


@dataclass
class Habit:
    """How a secretary's phone behaves, or an outside number. `answers`: seconds until she picks up, None:
    never. `refuses`: cause of an immediate refusal. `offline`: no phone at all. `presses`: seconds after the
    pick-up and the digit. `talks`: seconds until the called side hangs up, None: never. `returns_to`: the
    number is diverted to this one of ours."""

    answers: float | None = 2.0
    refuses: int | None = None
    offline: bool = False
    presses: tuple[tuple[float, str], ...] = ()
    talks: float | None = None
    returns_to: str | None = None


class FakeTelephone:
    """The `Telephone` port. `lengths` gives the seconds of each media; `before` and `after` are called around every
    effect, and may kill the exchange by raising."""

    def __init__(self, clock: VirtualClock, lengths: dict[str, float] | None = None) -> None:
        self.clock = clock
        self.lengths = lengths or {}
        self.before: Callable[[str], None] = lambda _: None
        self.after: Callable[[str], None] = lambda _: None
        self.channels: dict[str, FakeChannel] = {}
        self.past: dict[str, FakeChannel] = {}
        self.bridges: dict[str, set[str]] = {}
        self.habits: dict[str, Habit] = {}
        self.registered: set[str] = set()
        self.joined: list[tuple[str, ...]] = []
        self.told: list[tuple[str, str]] = []
        self.recordings: dict[str, FakeRecording] = {}
        self.says: dict[str, float] = {}  # by channel: he speaks so long into a recording, then is silent
        self._listener: asyncio.Queue[Fact] | None = None
        self._deaf = False
        self._unheard: list[PlaybackEnded] = []
        self._timers: list[asyncio.TimerHandle] = []

    # --- the world's side ---

    def call_in(self, channel: str, did: str, caller: str = "0639980101", **headers: object) -> FakeChannel:
        """Somebody dials."""
        raw = RawHeaders(did, from_=f"<sip:{caller}@telco.test>", **headers)  # type: ignore[arg-type]
        self.channels[channel] = FakeChannel(channel, headers=raw)
        self._tell(CallEntered(channel, self.clock.now(), "operator", raw))
        return self.channels[channel]

    def caller_hangs_up(self, channel: str) -> None:
        """The caller puts down."""
        if channel in self.channels:
            self._end(channel, Cause.NORMAL)

    def presses(self, channel: str, digits: str) -> None:
        """Somebody presses keys."""
        for digit in digits:
            self._tell(DigitPressed(channel, digit))
            running = self.channels[channel].recording if channel in self.channels else None
            if digit == "#" and running is not None:
                self._recorded(running)

    def sends_cng(self, channel: str) -> bool:
        """A fax machine's tone; whether anybody listened for it. It cuts what plays on the channel."""
        found = self.channels.get(channel)
        if found is None or self.clock.now() >= found.listened_until:
            return False
        found.listened_until, found.fax = 0.0, True
        self._tell(FaxHeard(channel))
        if found.playing is not None:
            playback, found.playing = found.playing, None
            found.quiet.set()
            self._tell(PlaybackEnded(playback, ok=False))
        return True

    def phone_hangs_up(self, leg: str) -> None:
        """The secretary puts down."""
        self._end(leg, Cause.NORMAL)

    def vanishes(self, leg: str, cause: int = 44) -> None:
        """Her phone is gone without a goodbye: the real one's rtp_timeout ends its channel with 44."""
        self._end(leg, cause)

    def register(self, secretary: str, *, reachable: bool = True) -> None:
        """Her softphone comes or goes."""
        (self.registered.add if reachable else self.registered.discard)(secretary)
        self._tell(PhoneRegistered(secretary, reachable))

    def leg_of(self, secretary: str) -> FakeChannel | None:
        """The channel at her phone now."""
        for channel in self.channels.values():
            named = leg_of(channel.id)
            if named and named.secretary == secretary:
                return channel
        return None

    @contextmanager
    def deaf(self) -> Iterator[None]:
        """The event socket is cut: facts are lost, then the exchange is told what is there."""
        self._deaf = True
        if self._listener is not None:
            self._listener.put_nowait(TelephoneLost("cut by the test"))
        yield
        self._deaf = False
        self._tell(TelephoneBack(self._seen()))
        for fact in self._faxes():
            self._tell(fact)
        # the adapter's watch asks for each playback after a gap
        unheard, self._unheard = self._unheard, []
        for ended in unheard:
            self._later(WATCH, lambda ended=ended: self._tell(ended))  # type: ignore[misc]

    def _tell(self, fact: Fact) -> None:
        if self._listener is not None and not self._deaf:
            self._listener.put_nowait(fact)
        elif self._deaf and isinstance(fact, PlaybackEnded):
            self._unheard.append(fact)

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        self._timers.append(asyncio.get_running_loop().call_later(seconds, what))

    def _hears(self, channel: FakeChannel, what: str) -> None:
        if not channel.heard or channel.heard[-1][1] != what:
            channel.heard.append((self.clock.now(), what))

    def _end(self, channel: str, cause: int) -> None:
        gone = self.channels.pop(channel, None)
        if gone is None:
            return
        gone.ended_with = int(cause)
        gone.quiet.set()
        # Asterisk tells the end of the recording behind that of the channel
        if gone.recording is not None:
            recording = gone.recording
            self._later(0.001, lambda: self._recorded(recording))
        self.past[channel] = gone
        self._hears(gone, "end")
        if gone.bridge:
            self.bridges[gone.bridge].discard(channel)
        self._tell(ChannelGone(channel, int(cause)))

    # --- the port ---

    def lose_listener(self) -> None:
        """Nobody listens any more: facts from here on are lost."""
        self._listener = None

    async def facts(self) -> AsyncIterator[Fact]:
        self._listener = asyncio.Queue()
        yield TelephoneBack(self._seen())
        for fact in self._faxes():
            yield fact
        for secretary in sorted(self.registered):
            yield PhoneRegistered(secretary, True)
        while True:
            yield await self._listener.get()

    def _faxes(self) -> list[FaxHeard]:
        """A channel shows for ever that a fax machine was heard on it: it came back with that argument."""
        return [FaxHeard(channel.id) for channel in self.channels.values() if channel.fax]

    def _seen(self) -> Seen:
        return Seen(
            {c.id: SeenChannel(c.id, c.up, True, self.clock.now(), c.bridge) for c in self.channels.values()},
            {b: frozenset(members) for b, members in self.bridges.items()},
        )

    def phone_of(self, secretary: str) -> str:
        return f"PJSIP/{secretary}"

    def outside(self, number: str, trunk: str) -> str:
        return f"PJSIP/{number}@trunk-{trunk}"

    def _there(self, channel: str) -> FakeChannel:
        try:
            return self.channels[channel]
        except KeyError:
            raise Gone(channel) from None

    async def _reply(self, what: str) -> None:
        # the effect has happened; the answer to the request takes its time, and events may overtake it
        self.after(what)
        await asyncio.sleep(0.002)

    async def ingress(self, channel: str) -> CallEntered:
        self.before("ingress")
        found = self._there(channel)
        if found.headers is None:
            raise Gone(channel)
        await self._reply("ingress")
        return CallEntered(channel, self.clock.now(), "operator", found.headers)

    async def answer(self, channel: str) -> None:
        self.before("answer")
        found = self._there(channel)
        while found.playing is not None:
            found.quiet.clear()
            await found.quiet.wait()
        found = self._there(channel)
        if not found.up:
            found.up, found.answered_at = True, self.clock.now()
            self._tell(ChannelAnswered(channel))
        await self._reply("answer")

    async def listen_for_fax(self, channel: str, seconds: float) -> None:
        self.before("listen_for_fax")
        found = self._there(channel)
        if found.playing is not None:
            raise AssertionError("listen_for_fax while a playback holds the channel")
        found.listened_until = self.clock.now() + seconds
        await self._reply("listen_for_fax")

    async def play(self, channel: str, playback: str, media: str, *, skip_ms: int = 0) -> None:
        self.before("play")
        found = self._there(channel)
        if found.playing == playback:
            await self._reply("play")
            return
        found.playing, found.music = playback, None
        self._hears(found, media)
        self._later(
            max(0.0, self.lengths.get(media, 1.0) - skip_ms / 1000), lambda: self._played(channel, playback)
        )
        await self._reply("play")

    def _played(self, channel: str, playback: str) -> None:
        found = self.channels.get(channel)
        if found is not None and found.playing == playback:
            found.playing = None
            found.quiet.set()
            self._hears(found, "silence")
            self._tell(PlaybackEnded(playback))

    async def stop_playback(self, playback: str) -> None:
        self.before("stop_playback")
        for channel in list(self.channels.values()):
            if channel.playing == playback:
                self._played(channel.id, playback)
        await self._reply("stop_playback")

    async def start_music(self, channel: str, moh_class: str) -> None:
        self.before("start_music")
        found = self._there(channel)
        found.music = moh_class
        self._hears(found, f"music:{moh_class}")
        await self._reply("start_music")

    async def stop_music(self, channel: str) -> None:
        self.before("stop_music")
        found = self._there(channel)
        found.music = None
        self._hears(found, "silence")
        await self._reply("stop_music")

    async def start_ringback(self, channel: str) -> None:
        self.before("start_ringback")
        self._hears(self._there(channel), "ringing")
        await self._reply("start_ringback")

    async def stop_ringback(self, channel: str) -> None:
        self.before("stop_ringback")
        self._hears(self._there(channel), "silence")
        await self._reply("stop_ringback")

    async def record(
        self, channel: str, recording: str, *, longest: float, silence: float, until: str
    ) -> None:
        self.before("record")
        known = self.recordings.get(recording)
        if known is not None:
            if known.ended is not None:
                self._tell(RecordingEnded(recording))
            await self._reply("record")
            return
        found = self._there(channel)
        if found.playing is not None or found.music is not None:
            raise AssertionError("recorded while he hears something")
        if not found.up:
            found.up, found.answered_at = True, self.clock.now()
            self._tell(ChannelAnswered(channel))
        found.recording = recording
        self.recordings[recording] = FakeRecording(channel, self.clock.now())
        self._hears(found, "silence")
        spoken = self.says.get(channel)
        self._later(
            longest if spoken is None else min(longest, spoken + silence), lambda: self._recorded(recording)
        )
        await self._reply("record")

    def _recorded(self, recording: str) -> None:
        found = self.recordings.get(recording)
        if found is None or found.ended is not None:
            return
        found.ended = self.clock.now()
        spoken = self.says.get(found.channel)
        lasted = found.ended - found.began
        found.sound = lasted if spoken is None else min(spoken, lasted)
        if found.channel in self.channels:
            self.channels[found.channel].recording = None
        self._tell(RecordingEnded(recording, seconds=float(round(found.sound))))

    async def stop_recording(self, recording: str) -> None:
        self.before("stop_recording")
        if recording in self.recordings:
            self._recorded(recording)
        await self._reply("stop_recording")

    async def recorded(self, recording: str) -> bytes:
        self.before("recorded")
        found = self.recordings.get(recording)
        if found is None:
            raise Gone(recording)
        await self._reply("recorded")
        return bytes(44 + round((found.sound or 0.0) * 16000))

    async def erase_recording(self, recording: str) -> None:
        self.before("erase_recording")
        self.recordings.pop(recording, None)
        await self._reply("erase_recording")

    async def ring(self, leg: Outbound) -> None:
        self.before("ring")
        if leg.channel in self.channels:
            return
        named = leg_of(leg.channel)
        dialled = leg.endpoint.removeprefix("PJSIP/").partition("@")[0]
        habit = self.habits.get(named.secretary if named else dialled, Habit())
        if habit.offline:
            raise Gone(leg.endpoint)
        self.channels[leg.channel] = FakeChannel(leg.channel, order=leg)
        if habit.refuses is not None:
            cause = habit.refuses
            self._later(0.02, lambda: self._end(leg.channel, cause))
            await self._reply("ring")
            return
        self._later(0.02, lambda: self._tell(ChannelRinging(leg.channel)))
        if habit.returns_to is not None:
            self._later(0.1, lambda: self._return(leg, dialled, habit))
        elif habit.answers is not None:
            self._later(habit.answers, lambda: self._pick_up(leg.channel, habit))
        self._later(leg.timeout, lambda: self._unanswered(leg.channel))
        await self._reply("ring")

    def _pick_up(self, leg: str, habit: Habit) -> None:
        if leg in self.channels and not self.channels[leg].up:
            self.channels[leg].up = True
            self._tell(ChannelAnswered(leg))
            for after, digit in habit.presses:
                self._later(after, lambda digit=digit: self._pressed(leg, digit))  # type: ignore[misc]
            if habit.talks is not None:
                self._later(habit.talks, lambda: self._end(leg, Cause.NORMAL))

    def _pressed(self, leg: str, digit: str) -> None:
        if leg in self.channels:
            self.presses(leg, digit)

    def _return(self, leg: Outbound, dialled: str, habit: Habit) -> None:
        """The operator sends the call on to one of our own numbers."""
        if leg.channel in self.channels:
            diversion = (f"<sip:{dialled}@telco.test>;reason=unconditional",)
            self.call_in(
                f"back-{leg.channel}", habit.returns_to or "", leg.number or "anonymous", diversion=diversion
            )

    def _unanswered(self, leg: str) -> None:
        if leg in self.channels and not self.channels[leg].up:
            self._end(leg, Cause.NO_ANSWER)

    async def hang_up(self, channel: str, cause: Cause = Cause.NORMAL) -> None:
        self.before("hang_up")
        self._end(channel, cause)
        await self._reply("hang_up")

    async def connect(self, bridge: str, channels: Sequence[str]) -> None:
        self.before("connect")
        for channel in channels:
            found = self._there(channel)
            if found.playing is not None:
                raise AssertionError("connect while a playback holds the channel")
            if found.music is not None:
                raise AssertionError("connect while music plays on the channel")
            if not found.up:
                raise AssertionError("connect of a channel that is not answered")
        anew = set(channels) <= self.bridges.get(bridge, set())
        self.bridges.setdefault(bridge, set()).update(channels)
        for channel in channels:
            self.channels[channel].bridge = bridge
            self.channels[channel].listened_until = 0.0
            self._hears(self.channels[channel], f"bridge:{bridge}")
        if not anew:
            self.joined.append(tuple(channels))
        await self._reply("connect")

    async def disconnect(self, bridge: str) -> None:
        self.before("disconnect")
        for channel in self.bridges.pop(bridge, set()):
            if channel in self.channels:
                self.channels[channel].bridge = None
                self._hears(self.channels[channel], "silence")
        await self._reply("disconnect")

    async def tell(self, secretary: str, text: str) -> None:
        self.before("tell")
        if secretary not in self.registered:
            raise Gone(secretary)
        self.told.append((secretary, text))
        await self._reply("tell")

    async def to_fallback(self, channel: str) -> None:
        self.before("to_fallback")
        found = self.channels.pop(channel, None)
        if found is not None:
            self.past[channel] = found
            self._hears(found, "fallback")
            self._tell(ChannelGone(channel))
        await self._reply("to_fallback")
