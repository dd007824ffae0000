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
    PhoneRegistered,
    PlaybackEnded,
    RawHeaders,
    Seen,
    SeenChannel,
    TelephoneBack,
    TelephoneLost,
)
from tests.support.virtual import VirtualClock


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
    quiet: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Habit:
    """How a secretary's phone behaves. `answers`: seconds until she picks up, None: never. `refuses`: cause
    of an immediate refusal. `offline`: no phone at all."""

    answers: float | None = 2.0
    refuses: int | None = None
    offline: bool = False


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
        self._listener: asyncio.Queue[Fact] | None = None
        self._deaf = False
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

    def phone_hangs_up(self, leg: str) -> None:
        """The secretary puts down."""
        self._end(leg, Cause.NORMAL)

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

    def _tell(self, fact: Fact) -> None:
        if self._listener is not None and not self._deaf:
            self._listener.put_nowait(fact)

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
        for secretary in sorted(self.registered):
            yield PhoneRegistered(secretary, True)
        while True:
            yield await self._listener.get()

    def _seen(self) -> Seen:
        return Seen(
            {
                c.id: SeenChannel(c.id, c.up, c.headers is not None, self.clock.now(), c.bridge)
                for c in self.channels.values()
            },
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

    async def ring(self, leg: Outbound) -> None:
        self.before("ring")
        if leg.channel in self.channels:
            return
        named = leg_of(leg.channel)
        habit = self.habits.get(named.secretary if named else "", Habit())
        if habit.offline:
            raise Gone(leg.endpoint)
        self.channels[leg.channel] = FakeChannel(leg.channel, order=leg)
        if habit.refuses is not None:
            cause = habit.refuses
            self._later(0.02, lambda: self._end(leg.channel, cause))
            await self._reply("ring")
            return
        self._later(0.02, lambda: self._tell(ChannelRinging(leg.channel)))
        if habit.answers is not None:
            self._later(habit.answers, lambda: self._pick_up(leg.channel))
        self._later(leg.timeout, lambda: self._unanswered(leg.channel))
        await self._reply("ring")

    def _pick_up(self, leg: str) -> None:
        if leg in self.channels and not self.channels[leg].up:
            self.channels[leg].up = True
            self._tell(ChannelAnswered(leg))

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

    async def to_fallback(self, channel: str) -> None:
        self.before("to_fallback")
        found = self.channels.pop(channel, None)
        if found is not None:
            self.past[channel] = found
            self._hears(found, "fallback")
            self._tell(ChannelGone(channel))
        await self._reply("to_fallback")
