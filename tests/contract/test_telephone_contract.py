"""The same scripts on the fake telephone and on a real Asterisk, so that the fake is never an opinion.

A script knows only the port's words and the facts that come back. What it asserts must hold on both:
where they differ, the fake is wrong. Timing is the real one's business and not compared.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from autocom.calls.inspection import Flow, Sight
from autocom.calls.ports import Gone, Outbound, Telephone
from autocom.core.telephony import (
    CallEntered,
    Cause,
    ChannelAnswered,
    ChannelGone,
    ChannelHeld,
    ChannelResumed,
    ChannelRinging,
    DigitPressed,
    FaxHeard,
    PhoneRegistered,
    PlaybackEnded,
    RecordingEnded,
)
from tests.asterisk.ari_support import PASSWORD, Listener, telephone_at, throwaway_asterisk
from tests.support import PATIENCE
from tests.support.fake_telephone import FakeTelephone, Habit
from tests.support.fax import CNG
from tests.support.phones import Phones
from tests.support.virtual import VirtualClock

LEG = "ring-c1-1-lea"


class World(Protocol):
    """Somebody who calls, somebody who answers, and the telephone between them."""

    telephone: Telephone
    ear: Listener
    short: str  # a sound of about two seconds
    long: str  # of half a minute

    async def caller(self) -> str:
        """Somebody dials; his channel."""
        ...

    async def caller_leaves(self) -> None: ...

    async def caller_is_a_fax(self) -> None:
        """He sends the tone of a calling fax machine."""
        ...

    async def lea(self, *, answers: float | None, busy: bool = False) -> None:
        """Her phone is registered."""
        ...

    async def lea_leaves(self) -> None: ...

    async def lea_presses(self, digit: str) -> None: ...

    async def lea_holds(self, *, held: bool) -> None:
        """By her phone's own button."""
        ...


class Fake:
    """The world in memory."""

    short, long = "welcome", "long"

    def __init__(self) -> None:
        self.telephone = FakeTelephone(VirtualClock(), {"welcome": 0.5, "long": 30.0})
        self.ear = Listener()
        self._channel = "chan-1"

    async def caller(self) -> str:
        self.telephone.call_in(self._channel, "0199001001")
        await self.ear.fact(CallEntered)
        return self._channel

    async def caller_leaves(self) -> None:
        self.telephone.caller_hangs_up(self._channel)

    async def caller_is_a_fax(self) -> None:
        self.telephone.sends_cng(self._channel)

    async def lea(self, *, answers: float | None, busy: bool = False) -> None:
        self.telephone.habits["lea"] = Habit(answers, Cause.BUSY if busy else None)
        self.telephone.register("lea")

    async def lea_leaves(self) -> None:
        self.telephone.phone_hangs_up(LEG)

    async def lea_presses(self, digit: str) -> None:
        self.telephone.presses(LEG, digit)

    async def lea_holds(self, *, held: bool) -> None:
        self.telephone.holds(LEG, held=held)


class Real:
    """The world over SIP."""

    def __init__(self, telephone: Telephone, ear: Listener, asterisk: Any, phones: Phones) -> None:
        self.telephone, self.ear, self._asterisk, self._phones = telephone, ear, asterisk, phones
        self.short, self.long = asterisk.sound("welcome"), asterisk.sound("long")
        self._leg: Any = None
        self._phone: Any = None

    async def caller(self) -> str:
        self._leg = await self._phones.dial(f"sip:+33199001001@{self._asterisk.server}")
        return (await self.ear.fact(CallEntered)).channel

    async def caller_leaves(self) -> None:
        await self._leg.hangup()

    async def caller_is_a_fax(self) -> None:
        self._leg.say(CNG)  # for good: a busy machine must not cut half a second short

    async def lea(self, *, answers: float | None, busy: bool = False) -> None:
        self._phone = await self._phones.secretary(
            "lea", PASSWORD, self._asterisk.server, answer_after=answers, busy=busy
        )
        await self.ear.fact(PhoneRegistered, secretary="lea", reachable=True)

    async def lea_leaves(self) -> None:
        await self._phone.call.hangup()

    async def lea_presses(self, digit: str) -> None:
        await self._phone.call.press(digit)

    async def lea_holds(self, *, held: bool) -> None:
        await (self._phone.call.hold() if held else self._phone.call.resume())


@asynccontextmanager
async def fake_world(_: Path) -> AsyncIterator[World]:
    world = Fake()
    async with asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(world.ear.listen(world.telephone.facts()))
        await asyncio.sleep(0)
        yield world
        listening.cancel()


@asynccontextmanager
async def real_world(folder: Path) -> AsyncIterator[World]:
    async with (
        throwaway_asterisk(folder, "lea") as asterisk,
        Phones() as phones,
        telephone_at(asterisk.url, asterisk.ami) as line,
    ):
        yield Real(line.telephone, line.ear, asterisk, phones)


Worlds = Callable[[Path], Any]
both = pytest.mark.parametrize("world", [fake_world, real_world], ids=["fake", "real"])


async def has_left(w: World, channel: str) -> None:
    """He hung up, and Asterisk has let go of his channel: it tells so some milliseconds before. What is commanded in
    between may be done, or fail without a word of why."""
    await w.caller_leaves()
    await w.ear.fact(ChannelGone, channel=channel)
    assert isinstance(w.telephone, Sight)
    async with asyncio.timeout(PATIENCE):
        while channel in (await w.telephone.look()).channels:
            await asyncio.sleep(0.01)


def offer(telephone: Telephone, secretary: str = "lea") -> Outbound:
    return Outbound(LEG, telephone.phone_of(secretary), "Cab. Lilas", "+33639980101", timeout=20.0)


@both
async def test_a_message_ends_by_itself_or_when_stopped_and_is_told_once(
    world: Worlds, tmp_path: Path
) -> None:
    async with world(tmp_path) as w:
        channel = await w.caller()
        await w.telephone.play(channel, "play-c1-1", w.short)
        await w.ear.fact(PlaybackEnded, playback="play-c1-1", ok=True)
        await w.telephone.play(channel, "play-c1-2", w.long)
        await w.telephone.stop_playback("play-c1-2")
        await w.ear.fact(PlaybackEnded, playback="play-c1-2")
        await w.telephone.stop_playback("play-c1-2")
        await w.telephone.answer(channel)
        await w.ear.fact(ChannelAnswered, channel=channel)
        assert len(w.ear.all(PlaybackEnded)) == 2


@both
async def test_an_answer_waits_for_the_message_that_plays(world: Worlds, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        channel = await w.caller()
        await w.telephone.play(channel, "play-c1-1", w.short)
        began = time.monotonic()
        await w.telephone.answer(channel)
        assert time.monotonic() - began > 0.4, "answered while the message still played"


@both
async def test_the_same_sound_id_twice_plays_once(world: Worlds, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        channel = await w.caller()
        await w.telephone.play(channel, "play-c1-1", w.short)
        await w.telephone.play(channel, "play-c1-1", w.short)
        await w.ear.fact(PlaybackEnded, playback="play-c1-1")
        await w.telephone.answer(channel)
        assert len(w.ear.all(PlaybackEnded, playback="play-c1-1")) == 1


@both
async def test_a_phone_rings_is_answered_and_joined_and_either_end_is_told(
    world: Worlds, tmp_path: Path
) -> None:
    async with world(tmp_path) as w:
        await w.lea(answers=0.3)
        channel = await w.caller()
        await w.telephone.ring(offer(w.telephone))
        await w.ear.fact(ChannelRinging, channel=LEG)
        await w.ear.fact(ChannelAnswered, channel=LEG)
        await w.telephone.answer(channel)
        await w.telephone.connect("talk-c1-1", [channel, LEG])
        await w.telephone.connect("talk-c1-1", [channel, LEG])
        await w.lea_leaves()
        await w.ear.fact(ChannelGone, channel=LEG)
        await w.telephone.disconnect("talk-c1-1")
        await w.telephone.disconnect("talk-c1-1")
        await w.caller_leaves()
        await w.ear.fact(ChannelGone, channel=channel)
        assert len(w.ear.all(ChannelAnswered, channel=LEG)) == 1
        assert len(w.ear.all(ChannelGone, channel=LEG)) == 1


@both
async def test_a_leg_that_is_in_no_bridge_hears_a_sound_and_its_digits_are_told_meanwhile(
    world: Worlds, tmp_path: Path
) -> None:
    async with world(tmp_path) as w:
        await w.lea(answers=0.1)
        channel = await w.caller()
        await w.telephone.ring(offer(w.telephone))
        await w.ear.fact(ChannelAnswered, channel=LEG)
        await w.telephone.play(LEG, "play-c1-1", w.long)
        await w.lea_presses("1")
        await w.ear.fact(DigitPressed, channel=LEG, digit="1")
        await w.telephone.stop_playback("play-c1-1")
        await w.ear.fact(PlaybackEnded, playback="play-c1-1")
        await w.telephone.answer(channel)
        await w.telephone.connect("patch-c1-1", [channel, LEG])
        assert len(w.ear.all(DigitPressed)) == 1


@both
async def test_who_is_put_aside_hears_music_and_comes_back_and_digits_are_told_all_the_while(
    world: Worlds, tmp_path: Path
) -> None:
    async with world(tmp_path) as w:
        channel = await w.caller()
        await w.lea(answers=0.1)
        await w.telephone.answer(channel)
        await w.telephone.ring(offer(w.telephone))
        await w.ear.fact(ChannelAnswered, channel=LEG)
        await w.telephone.hold_music(channel, "default")
        await w.telephone.connect("talk-c1-1", [channel, LEG])
        for _ in range(2):
            await w.telephone.take_out("talk-c1-1", channel)
            await w.telephone.take_out("talk-c1-1", channel)  # of who is not in it: nothing
            await w.telephone.start_music(channel, "default")
            await w.telephone.start_ringback(LEG)
            await w.lea_presses("5")
            await w.ear.fact(DigitPressed, channel=LEG, digit="5")
            await w.telephone.stop_ringback(LEG)
            await w.telephone.play_to_all("talk-c1-1", "play-c1-1", "tone:busy")
            await w.telephone.stop_playback("play-c1-1")
            await w.telephone.stop_music(channel)
            await w.telephone.connect("talk-c1-1", [channel])
            await w.telephone.connect("talk-c1-1", [LEG, channel])  # told again: nothing
            await w.lea_presses("6")
            await w.ear.fact(DigitPressed, channel=LEG, digit="6")
        await w.telephone.take_out("talk-c1-9", channel)  # out of a bridge that never was: nothing
        await w.lea_holds(held=True)
        await w.ear.fact(ChannelHeld, channel=LEG)
        await w.lea_holds(held=False)
        await w.ear.fact(ChannelResumed, channel=LEG)
        await w.caller_leaves()
        await w.ear.fact(ChannelGone, channel=channel)
        await w.telephone.disconnect("talk-c1-1")
        await w.telephone.hang_up(LEG)


@both
async def test_a_leg_that_is_rung_twice_rings_once(world: Worlds, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.lea(answers=None)
        await w.telephone.ring(offer(w.telephone))
        await w.telephone.ring(offer(w.telephone))
        await w.ear.fact(ChannelRinging, channel=LEG)
        await w.telephone.hang_up(LEG, Cause.ANSWERED_ELSEWHERE)
        await w.ear.fact(ChannelGone, channel=LEG)
        await w.telephone.hang_up(LEG)
        assert len(w.ear.all(ChannelGone, channel=LEG)) == 1


@both
async def test_a_leg_that_nobody_wants_any_more_when_it_could_be_dialled_does_not_ring(
    world: Worlds, tmp_path: Path
) -> None:
    async with world(tmp_path) as w:
        await w.lea(answers=0.1)
        await w.telephone.ring(offer(w.telephone), lambda: False)
        await w.telephone.hang_up(LEG)
        await asyncio.sleep(0.3)
        assert not w.ear.all(ChannelRinging) + w.ear.all(ChannelAnswered)


@both
async def test_a_phone_that_is_busy_says_so_by_its_cause(world: Worlds, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.lea(answers=None, busy=True)
        await w.telephone.ring(offer(w.telephone))
        assert (await w.ear.fact(ChannelGone, channel=LEG)).cause == Cause.BUSY


@both
async def test_a_phone_nobody_registered_cannot_be_rung(world: Worlds, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        if isinstance(w, Fake):
            w.telephone.habits["lea"] = Habit(offline=True)
        with pytest.raises(Gone):
            await w.telephone.ring(offer(w.telephone))


@both
async def test_what_is_gone_is_gone_for_every_command_that_needs_it(world: Worlds, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        channel = await w.caller()
        await has_left(w, channel)
        commands: list[Callable[[], Any]] = [
            lambda: w.telephone.answer(channel),
            lambda: w.telephone.play(channel, "play-c1-1", w.short),
            lambda: w.telephone.start_music(channel, "default"),
            lambda: w.telephone.stop_music(channel),
            lambda: w.telephone.start_ringback(channel),
            lambda: w.telephone.stop_ringback(channel),
            lambda: w.telephone.connect("talk-c1-1", [channel]),
            lambda: w.telephone.ingress(channel),
        ]
        for command in commands:
            with pytest.raises(Gone):
                await command()
        await w.telephone.hang_up(channel)
        await w.telephone.stop_playback("play-c1-9")
        await w.telephone.disconnect("talk-c1-9")


@both
async def test_a_caller_is_told_the_same_when_asked_again(world: Worlds, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        channel = await w.caller()
        entered = w.ear.all(CallEntered)[0]
        again = await w.telephone.ingress(channel)
        assert (again.channel, again.headers) == (entered.channel, entered.headers)


@both
async def test_a_caller_given_to_the_fallback_has_left_us(world: Worlds, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        channel = await w.caller()
        await w.telephone.start_music(channel, "default")
        await w.telephone.to_fallback(channel)
        await w.ear.fact(ChannelGone, channel=channel)
        with pytest.raises(Gone):
            await w.telephone.answer(channel)


VOICE = "voice-c1-1"


async def recorded(w: World, channel: str, name: str = VOICE, *, longest: float = 30.0) -> None:
    await w.telephone.record(channel, name, longest=longest, silence=20.0, until="#")


@both
async def test_a_recording_answers_and_a_hang_up_ends_and_keeps_it(world: Worlds, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        channel = await w.caller()
        await w.telephone.answer(channel)
        await recorded(w, channel)
        await asyncio.sleep(0.5)
        await w.caller_leaves()
        await w.ear.fact(ChannelGone, channel=channel)
        await w.ear.fact(RecordingEnded, recording=VOICE, ok=True)
        wav = await w.telephone.recorded(VOICE)
        assert len(wav) > 44 + 16000 * 0.2
        await w.telephone.stop_recording(VOICE)
        await w.telephone.erase_recording(VOICE)
        await w.telephone.erase_recording(VOICE)
        with pytest.raises(Gone):
            await w.telephone.recorded(VOICE)


@both
async def test_a_recording_asked_for_twice_is_one_and_once_over_its_end_is_told_again(
    world: Worlds, tmp_path: Path
) -> None:
    async with world(tmp_path) as w:
        channel = await w.caller()
        await recorded(w, channel)
        await w.ear.fact(ChannelAnswered, channel=channel)
        await recorded(w, channel)
        await asyncio.sleep(0.3)
        assert w.ear.all(RecordingEnded) == []
        await w.telephone.stop_recording(VOICE)
        await w.ear.fact(RecordingEnded, recording=VOICE)
        before = await w.telephone.recorded(VOICE)
        await recorded(w, channel)
        await w.ear.fact(RecordingEnded, recording=VOICE)
        assert await w.telephone.recorded(VOICE) == before, "the second one wrote over the first"
        await recorded(w, channel, "voice-c1-2", longest=1.0)
        await w.ear.fact(RecordingEnded, recording="voice-c1-2")


@both
async def test_nothing_can_be_recorded_of_a_caller_who_is_gone(world: Worlds, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        channel = await w.caller()
        await has_left(w, channel)
        with pytest.raises(Gone):
            await recorded(w, channel)
        with pytest.raises(Gone):
            await w.telephone.recorded(VOICE)
        await w.telephone.stop_recording(VOICE)


@both
async def test_a_fax_is_told_once_before_the_end_of_what_it_cut_and_stays_ours(
    world: Worlds, tmp_path: Path
) -> None:
    async with world(tmp_path) as w:
        channel = await w.caller()
        await w.telephone.answer(channel)
        await w.telephone.listen_for_fax(channel, 10.0)
        await w.telephone.play(channel, "play-c1-1", w.long)
        await w.caller_is_a_fax()
        await w.ear.fact(FaxHeard, channel=channel)
        await w.ear.fact(PlaybackEnded, playback="play-c1-1", ok=False)
        kinds = [
            type(fact) for fact in w.ear.facts if isinstance(fact, FaxHeard | PlaybackEnded | ChannelGone)
        ]
        assert kinds == [FaxHeard, PlaybackEnded]
        await w.telephone.play(channel, "play-c1-2", w.short)
        await w.ear.fact(PlaybackEnded, playback="play-c1-2", ok=True)
        await w.telephone.hang_up(channel)
        await w.ear.fact(ChannelGone, channel=channel)
        assert len(w.ear.all(FaxHeard)) == 1


@both
async def test_in_a_conversation_nobody_listens_for_a_fax(world: Worlds, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.lea(answers=0.1)
        channel = await w.caller()
        await w.telephone.answer(channel)
        await w.telephone.listen_for_fax(channel, 10.0)
        await w.telephone.ring(offer(w.telephone))
        await w.ear.fact(ChannelAnswered, channel=LEG)
        await w.telephone.connect("talk-c1-1", [channel, LEG])
        await w.caller_is_a_fax()
        await asyncio.sleep(1.5)
        assert w.ear.all(FaxHeard) == []
        assert w.ear.all(ChannelGone) == []


async def flow(telephone: Sight, channel: str) -> Flow | None:
    """What was counted so far, without being held up by the sound that plays; None before there is any."""
    try:
        return await telephone.flow(channel)
    except Gone:
        return None


@both
async def test_what_is_there_and_whether_sound_flows_can_be_asked_at_any_moment(
    world: Worlds, tmp_path: Path
) -> None:
    async with world(tmp_path) as here:
        telephone = here.telephone
        assert isinstance(telephone, Sight)
        chan = await here.caller()
        await here.lea(answers=0.1)
        await telephone.ring(Outbound(LEG, telephone.phone_of("lea"), "x", None))
        await here.ear.fact(ChannelAnswered, channel=LEG)
        await telephone.play(chan, "play-c1-1", here.long)
        async with asyncio.timeout(PATIENCE):
            while (before := await flow(telephone, chan)) is None:
                await asyncio.sleep(0.01)  # the real one has no figures before its first packet
        seen = await telephone.look()
        assert {chan, LEG} <= set(seen.channels)
        assert all(seen.channels[name].ours for name in (chan, LEG))
        assert seen.channels[LEG].up
        assert not seen.channels[chan].up
        await asyncio.sleep(0.5)
        after = await telephone.flow(chan)
        assert after.sent > before.sent
        await telephone.stop_playback("play-c1-1")
        await telephone.answer(chan)
        await telephone.connect("talk-c1-1", [chan, LEG])
        seen = await telephone.look()
        assert seen.bridges["talk-c1-1"] == {chan, LEG}
        assert seen.channels[chan].bridge == "talk-c1-1"
        await here.caller_leaves()
        await here.ear.fact(ChannelGone, channel=chan)
        with pytest.raises(Gone):
            await telephone.flow(chan)
        assert chan not in (await telephone.look()).channels
        await telephone.hang_up(LEG)
        await telephone.disconnect("talk-c1-1")
