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

from autocom.calls.ports import Fares, Gone, Outbound, always
from autocom.core.naming import leg_of
from autocom.core.presence import Lamp
from autocom.core.telephony import (
    CallEntered,
    Cause,
    ChannelAnswered,
    ChannelGone,
    ChannelHeld,
    ChannelResumed,
    ChannelRinging,
    DigitPressed,
    EarlyMedia,
    Fact,
    FaxHeard,
    Flow,
    MusicEnded,
    PhoneDialled,
    PhoneRegistered,
    PlaybackEnded,
    RawHeaders,
    RecordingEnded,
    Seen,
    SeenChannel,
    TelephoneBack,
    TelephoneLost,
    TransferAsked,
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
    dialled: tuple[str, str] | None = None
    hold_music: str = "default"
    muted: bool = False
    hears: str | None = None
    whispers: bool = False
    early: bool = False
    to_all: bool = False


@dataclass
class FakeRecording:
    """A file in the store: from `began` to `ended`; `sound`: seconds of it that are not silence at the end."""

    channel: str
    began: float
    ended: float | None = None
    sound: float | None = None
    pauses: list[tuple[float, bool]] = field(default_factory=list)


@dataclass
class Habit:
    """How a secretary's phone behaves, or an outside number. `answers`: seconds until she picks up, None:
    never. `refuses`: cause of an immediate refusal. `offline`: no phone at all. `presses`: seconds after the
    pick-up and the digit. `talks`: seconds until the called side hangs up, None: never. `returns_to`: the
    number is diverted to this one of ours. `early`: seconds until it is heard before it answers; `ends`: seconds
    and the cause with which it ends then, unanswered."""

    answers: float | None = 2.0
    refuses: int | None = None
    offline: bool = False
    presses: tuple[tuple[float, str], ...] = ()
    talks: float | None = None
    early: float | None = None
    ends: tuple[float, int] | None = None
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
        self.handed_back: list[tuple[str, str | None, bool]] = []
        self.taken_down: list[str] = []  # callers of whom the dialplan knows that they are in the journal
        self.lamps: list[tuple[float, str, Lamp | None]] = []
        self.boxes: list[tuple[float, str, int, int]] = []
        self.recordings: dict[str, FakeRecording] = {}
        self.fares: list[tuple[str, Fares]] = []
        self.disk_full = False  # no recording can begin
        self.missing: set[str] = set()  # media that cannot be played
        self.silent: set[str] = set()  # media and music classes whose files are empty
        self.lost: Callable[[Fact], bool] = lambda _: False  # events that get lost without a gap
        self.begun = 0.0
        self.remembered: list[str] = []
        self.forgotten: list[str] = []
        self.quiet_since: dict[str, float] = {}  # by channel: from when on nothing comes from its phone
        self._dialled_so_far = 0
        self._early_bridges: set[str] = set()
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

    def dies(self) -> None:
        """Asterisk is killed and started again, while it is `deaf`: everything in it is gone."""
        for channel in list(self.channels):
            self._end(channel, Cause.UNKNOWN)
        self.bridges.clear()
        self._unheard.clear()
        self.begun = self.clock.now()

    def _tell(self, fact: Fact) -> None:
        if self.lost(fact):
            return
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
        for ear in [c.id for c in self.channels.values() if c.hears == channel]:
            self._end(ear, Cause.NORMAL)
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
            {
                c.id: SeenChannel(
                    c.id, c.up, True, self.clock.now(), c.bridge, ringing=c.order is not None and not c.up
                )
                for c in self.channels.values()
            },
            {b: frozenset(members) for b, members in self.bridges.items()},
            self.begun,
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
        if media in self.missing:
            found.playing = None
            found.quiet.set()
            self._hears(found, "silence")
            self._later(0.25, lambda: self._tell(PlaybackEnded(playback, ok=False)))
        else:
            lasts = 0.0 if media in self.silent else self.lengths.get(media, 1.0) - skip_ms / 1000
            self._later(max(0.0, lasts), lambda: self._played(channel, playback))
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
        if moh_class in self.silent:
            self._hears(found, "silence")
            self._later(0.2, lambda: self._tell(MusicEnded(channel, moh_class)))
        else:
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
        found = self._there(channel)
        self._hears(found, f"bridge:{found.bridge}" if found.bridge else "silence")
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

    async def ring(self, leg: Outbound, wanted: Callable[[], bool] = always) -> None:
        self.before("ring")
        if leg.channel in self.channels or not wanted():
            return
        named = leg_of(leg.channel)
        dialled = leg.endpoint.removeprefix("PJSIP/").partition("@")[0]
        by_trunk = self.habits.get(leg.endpoint.removeprefix("PJSIP/"))  # of a number by a certain trunk
        habit = by_trunk or self.habits.get(named.secretary if named else dialled, Habit())
        if habit.offline:
            raise Gone(leg.endpoint)
        self.channels[leg.channel] = FakeChannel(leg.channel, order=leg)
        if habit.refuses is not None:
            cause = habit.refuses
            self._later(0.02, lambda: self._end(leg.channel, cause))
            await self._reply("ring")
            return
        self._later(0.02, lambda: self._tell(ChannelRinging(leg.channel)))
        if habit.early is not None:
            self._later(habit.early, lambda: self._speaks_early(leg.channel))
        if habit.ends is not None:
            after, ending = habit.ends
            self._later(after, lambda: self._end(leg.channel, ending))
        if habit.returns_to is not None:
            self._later(0.1, lambda: self._return(leg, dialled, habit))
        elif habit.answers is not None:
            self._later(habit.answers, lambda: self._pick_up(leg.channel, habit))
        self._later(leg.timeout, lambda: self._unanswered(leg.channel))
        await self._reply("ring")

    def _speaks_early(self, leg: str) -> None:
        if leg in self.channels:
            self.channels[leg].early = True
            self._tell(EarlyMedia(leg))

    def _pick_up(self, leg: str, habit: Habit) -> None:
        if leg in self.channels and not self.channels[leg].up:
            self.channels[leg].up, self.channels[leg].answered_at = True, self.clock.now()
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
        inside = set() if bridge in self._early_bridges else set(self.bridges.get(bridge, set()))
        self._early_bridges.discard(bridge)
        for channel in channels:  # whoever is added to a bridge leaves the one he was in
            if (before := self.channels[channel].bridge) not in (None, bridge):
                self.bridges[before].discard(channel)
        self.bridges.setdefault(bridge, set()).update(channels)
        for channel in channels:
            self.channels[channel].bridge = bridge
            self.channels[channel].listened_until = 0.0
            self._hears(self.channels[channel], f"bridge:{bridge}")
        if not set(channels) <= inside:
            self.joined.append(tuple(channel for channel in channels if channel not in inside))
        await self._reply("connect")

    async def connect_early(self, bridge: str, caller: str, leg: str) -> None:
        self.before("connect_early")
        early = self._there(leg)
        if not early.early and not early.up:
            raise AssertionError("connect_early of a leg that sends nothing")
        for channel in (self._there(caller), early):
            if channel.playing is not None or channel.music is not None:
                raise AssertionError("connect_early while something plays")
            channel.bridge = bridge
            self.bridges.setdefault(bridge, set()).add(channel.id)
        self._early_bridges.add(bridge)
        self._hears(self._there(caller), f"early:{leg}")
        await self._reply("connect_early")

    async def disconnect(self, bridge: str) -> None:
        self.before("disconnect")
        for name, running in list(self.recordings.items()):
            if running.channel == bridge:
                self._recorded(name)
        for channel in self.bridges.pop(bridge, set()):
            if channel in self.channels:
                self.channels[channel].bridge = None
                self._hears(self.channels[channel], "silence")
        await self._reply("disconnect")

    # --- phones of the house, and who hears whom

    def dials(self, secretary: str, dialled: str) -> FakeChannel:
        """A secretary's phone dials."""
        self._dialled_so_far += 1
        channel = f"phone-{secretary}-{self._dialled_so_far}"
        self.channels[channel] = FakeChannel(channel, dialled=(secretary, dialled))
        self._tell(PhoneDialled(channel, self.clock.now(), secretary, dialled))
        return self.channels[channel]

    def holds(self, channel: str, *, held: bool = True) -> None:
        """The phone on this channel puts the others of its bridge on hold, or back."""
        found = self.channels[channel]
        for other in self.bridges.get(found.bridge or "", set()) - {channel}:
            what = f"music:{self.channels[other].hold_music}" if held else f"bridge:{found.bridge}"
            self._hears(self.channels[other], what)
        self._tell(ChannelHeld(channel) if held else ChannelResumed(channel))

    def refers(self, channel: str, destination: str, replaces: str | None = None) -> None:
        """The phone on this channel presses its transfer button."""
        self._tell(TransferAsked(channel, destination, replaces))

    async def dialled(self, channel: str) -> PhoneDialled:
        self.before("dialled")
        found = self._there(channel)
        if found.dialled is None:
            raise Gone(channel)
        await self._reply("dialled")
        return PhoneDialled(channel, self.clock.now(), *found.dialled)

    async def take_out(self, bridge: str, channel: str) -> None:
        self.before("take_out")
        if channel in self.bridges.get(bridge, set()):
            self.bridges[bridge].discard(channel)
            self.channels[channel].bridge = None
            self._hears(self.channels[channel], "silence")
        await self._reply("take_out")

    async def hold_music(self, channel: str, moh_class: str) -> None:
        self.before("hold_music")
        found = self._there(channel)
        if found.playing is not None:
            raise AssertionError("a variable is set while a playback holds the channel")
        found.hold_music = moh_class
        await self._reply("hold_music")

    async def play_to_all(self, bridge: str, playback: str, media: str) -> None:
        self.before("play_to_all")
        if bridge not in self.bridges:
            raise Gone(bridge)
        for channel in self.bridges[bridge]:
            self.channels[channel].heard.append((self.clock.now(), media))
        self._later(self.lengths.get(media, 1.0), lambda: self._tell(PlaybackEnded(playback)))
        await self._reply("play_to_all")

    async def mute(self, channel: str, *, muted: bool) -> None:
        self.before("mute")
        self._there(channel).muted = muted
        await self._reply("mute")

    async def overhear(self, ear: str, channel: str, *, whispers: bool, to_all: bool = False) -> None:
        self.before("overhear")
        self._there(channel)
        if ear not in self.channels:
            self.channels[ear] = FakeChannel(ear, up=True, hears=channel, whispers=whispers, to_all=to_all)
        await self._reply("overhear")

    async def record_talk(self, bridge: str, recording: str, *, longest: float) -> None:
        self.before("record_talk")
        if recording not in self.recordings:
            if bridge not in self.bridges or self.disk_full:
                raise Gone(bridge)
            self.recordings[recording] = FakeRecording(bridge, self.clock.now())
            self._later(longest, lambda: self._recorded(recording))
        await self._reply("record_talk")

    async def recording_runs(self, recording: str) -> bool:
        self.before("recording_runs")
        found = self.recordings.get(recording)
        await self._reply("recording_runs")
        return found is not None and found.ended is None

    async def stored_recordings(self) -> list[str]:
        self.before("stored_recordings")
        await self._reply("stored_recordings")
        return sorted(self.recordings)

    async def pause_recording(self, recording: str, *, paused: bool) -> None:
        self.before("pause_recording")
        found = self.recordings.get(recording)
        if found is None or found.ended is not None:
            raise Gone(recording)
        found.pauses.append((self.clock.now(), paused))
        await self._reply("pause_recording")

    async def transfer_fares(self, channel: str, fares: Fares) -> None:
        self.before("transfer_fares")
        self.fares.append((channel, fares))
        await self._reply("transfer_fares")

    async def tell(self, secretary: str, text: str) -> None:
        self.before("tell")
        if secretary not in self.registered:
            raise Gone(secretary)
        self.told.append((secretary, text))
        await self._reply("tell")

    async def show_state(self, name: str, state: Lamp | None) -> None:
        self.before("show_state")
        self.lamps.append((self.clock.now(), name, state))
        await self._reply("show_state")

    async def show_mailbox(self, box: str, new: int, old: int) -> None:
        self.before("show_mailbox")
        self.boxes.append((self.clock.now(), box, new, old))
        await self._reply("show_mailbox")

    async def look(self) -> Seen:
        seen = self._seen()
        await asyncio.sleep(0.005)
        return seen

    async def flow(self, channel: str) -> Flow:
        """50 packets a second: of a phone that is up, and to one that hears something."""
        found = self._there(channel)
        now = self.clock.now()
        ends = [at for at, _ in found.heard[1:]] + [now]
        heard = sum(end - at for (at, what), end in zip(found.heard, ends, strict=False) if what != "silence")
        began = found.answered_at if found.answered_at is not None else now
        spoken = max(0.0, min(now, self.quiet_since.get(channel, now)) - began)
        await asyncio.sleep(0.002)
        return Flow(round(spoken * 50), round(heard * 50))

    def remember(self, leg: str) -> None:
        self.remembered.append(leg)

    def forget(self, channel: str) -> None:
        self.forgotten.append(channel)

    async def taken(self, channel: str) -> None:
        self.before("taken")
        self._there(channel)
        self.taken_down.append(channel)
        await self._reply("taken")

    async def to_fallback(self, channel: str, client: str | None = None, *, heard: bool = False) -> None:
        self.before("to_fallback")
        found = self.channels.pop(channel, None)
        if found is not None:
            self.past[channel] = found
            self.handed_back.append((channel, client, heard))
            self._hears(found, "fallback")
            self._tell(ChannelGone(channel))
        await self._reply("to_fallback")
