from __future__ import annotations

import asyncio
import math
import signal
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from autocom.asterisk.clock import SteadyClock
from autocom.asterisk.telephone import AsteriskTelephone, Replaced
from autocom.calls.ports import Gone, Outbound
from autocom.core.telephony import (
    CallEntered,
    Cause,
    ChannelAnswered,
    ChannelGone,
    ChannelRinging,
    DigitPressed,
    LegQuality,
    PhoneRegistered,
    PlaybackEnded,
    TelephoneBack,
    TelephoneLost,
)
from tests.asterisk.ari_support import PASSWORD, Line, Listener, Throwaway, telephone_at, throwaway_asterisk
from tests.support.eventually import eventually
from tests.support.phones import Leg, Phones, Softphone

LEA = "ring-c1-1-lea"


@dataclass
class House:
    asterisk: Throwaway
    phones: Phones
    line: Line

    @property
    def telephone(self) -> AsteriskTelephone:
        return self.line.telephone

    @property
    def ear(self) -> Listener:
        return self.line.ear

    async def caller(self, **more: object) -> tuple[Leg, CallEntered]:
        leg = await self.phones.dial(f"sip:+33199001001@{self.asterisk.server}", say=740, **more)
        return leg, await self.ear.fact(CallEntered)

    async def lea(self, **more: object) -> Softphone:
        phone = await self.phones.secretary("lea", PASSWORD, self.asterisk.server, say=620, **more)
        await self.ear.fact(PhoneRegistered, secretary="lea", reachable=True)
        return phone

    def offer(self, channel: str = LEA, **more: object) -> Outbound:
        given = {"display": "Cab. Lilas", "number": "+33261912010", "timeout": 20.0} | more
        return Outbound(channel, self.telephone.phone_of(channel.rsplit("-", 1)[1]), **given)


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[House]:
    async with (
        throwaway_asterisk(folder, "lea", "zoe") as asterisk,
        Phones() as phones,
        telephone_at(asterisk.url, asterisk.ami) as line,
    ):
        yield House(asterisk, phones, line)


async def test_a_call_from_the_invite_to_the_end(tmp_path):
    """Message in early media, music, ring, answer without a gap, two-way talk, digits, figures, one end each."""
    async with house(tmp_path) as h:
        lea = await h.lea()
        now = time.time()
        diversion = "<sip:0261912010@operator.example>;reason=unconditional;counter=1"
        caller, entered = await h.caller(headers={"Diversion": diversion})
        assert entered.trunk == "operator"
        assert abs(entered.at - now) < 5
        assert entered.headers.request_user == "+33199001001"
        assert "<sip:0639980101@operator.example>" in entered.headers.from_
        assert entered.headers.diversion == (diversion,)
        assert entered.headers.caller_number == "0639980101"
        channel = entered.channel

        await h.telephone.play(channel, "play-c1-1", h.asterisk.sound("welcome"))
        await caller.hears(440)
        await h.telephone.ring(h.offer())
        await h.ear.fact(ChannelRinging, channel=LEA)
        await lea.rings()
        await h.ear.fact(PlaybackEnded, playback="play-c1-1", ok=True)
        await h.telephone.start_music(channel, "default")
        await caller.hears(810)
        assert caller.at("CALL_ESTABLISHED") is None  # and nothing of it was charged
        await h.telephone.answer(channel)
        await h.ear.fact(ChannelAnswered, channel=channel)
        await caller.hears(810, for_seconds=0.6)
        await lea.answer()
        await h.ear.fact(ChannelAnswered, channel=LEA)
        await h.telephone.connect("talk-c1-1", [channel, LEA])
        await caller.hears(620)
        await lea.call.hears(740)
        assert caller.heard() == [(440,), (810,), (620,)]
        assert max(gap.seconds for gap in caller.gaps()) < 0.5
        await caller.press("5")
        await h.ear.fact(DigitPressed, channel=channel, digit="5")

        await caller.hangup()
        await h.ear.fact(ChannelGone, channel=channel, cause=16)
        await h.telephone.hang_up(LEA)
        await h.ear.fact(ChannelGone, channel=LEA)
        await h.telephone.disconnect("talk-c1-1")
        await eventually(lambda: len(h.ear.all(LegQuality)) == 2)
        for leg in h.ear.all(LegQuality):
            assert leg.sent > 20
            assert leg.received > 20
            assert leg.lost_percent is not None
            assert leg.lost_percent < 20
        assert len(h.ear.all(ChannelGone)) == 2
        # everything is gone: the same commands are Gone, or done
        for command in (
            h.telephone.answer(channel),
            h.telephone.play(channel, "play-c1-9", h.asterisk.sound("welcome")),
            h.telephone.start_music(channel, "default"),
            h.telephone.stop_music(channel),
            h.telephone.start_ringback(channel),
            h.telephone.stop_ringback(channel),
            h.telephone.connect("talk-c1-2", [channel, LEA]),
            h.telephone.to_fallback(channel),
            h.telephone.ingress(channel),
        ):
            with pytest.raises(Gone):
                await command
        await h.telephone.hang_up(channel)
        await h.telephone.stop_playback("play-c1-1")
        await h.telephone.disconnect("talk-c1-1")
        assert "ERROR" not in h.asterisk.log


async def test_the_invite_shows_the_client_in_full_and_no_text_breaks_out_of_its_header(tmp_path):
    async with house(tmp_path) as h:
        lea = await h.lea()
        headers = {
            "Alert-Info": "<http://autocom.invalid/>;info=alert-autoanswer",
            "Call-Info": "<https://agenda.example/lilas?a=1,2>;purpose=info",
            "X-Autocom-Call": "c1",
            "X-Autocom-Client": "cab-lilas",
            "X-Autocom-Phrase": 'Cabinet des Lilas, « été », bonjour; "ok" ${EXTEN} \\ %s',
            "X-Autocom-Note": "a\r\nX-Evil: 1\r\n\r\nbody\x00\x7f",
        }
        display = 'Cab. "Lilas" · 02 61 91 20 10\r\nX-Evil: 2 \\'
        await h.telephone.ring(h.offer(display=display, headers=headers))
        invite = (await lea.rings()).invite
        assert invite.from_display == 'Cab. "Lilas" · 02 61 91 20 10 X-Evil: 2 \\'
        assert invite.from_user == "+33261912010"
        for name in ("Alert-Info", "Call-Info", "X-Autocom-Call", "X-Autocom-Client", "X-Autocom-Phrase"):
            assert invite.header(name) == headers[name]
        assert invite.headers("X-Evil") == []
        assert invite.header("X-Autocom-Note") == "a X-Evil: 1 body"
        await h.telephone.hang_up(LEA)
        await h.ear.fact(ChannelGone, channel=LEA)

        again = "ring-c1-2-lea"
        await h.telephone.ring(h.offer(again, display="Cab. Lilas · Masqué", number=None))
        withheld = (await lea.rings(2)).invite
        assert withheld.from_display == "Cab. Lilas · Masqué"
        assert withheld.from_user == "anonymous"


async def test_a_phone_is_offered_a_law_first_so_that_no_call_is_transcoded(tmp_path):
    async with house(tmp_path) as h:
        lea = await h.lea()
        await h.telephone.ring(h.offer())
        invite = (await lea.rings()).invite
        audio = next(line for line in invite.body.splitlines() if line.startswith("m=audio"))
        assert audio.split()[3:] == ["8", "0", "101"]


async def test_how_an_offer_ends_is_told_with_its_cause_and_seen_on_the_phone(tmp_path):
    async with house(tmp_path) as h:
        lea = await h.lea()
        # withdrawn: the caller gave up. She shall see that somebody called
        await h.telephone.ring(h.offer("ring-c1-1-lea"))
        await h.ear.fact(ChannelRinging)
        await h.telephone.hang_up("ring-c1-1-lea")
        await h.ear.fact(ChannelGone, channel="ring-c1-1-lea")
        await lea.calls[0].closed()
        assert lea.calls[0].missed
        # another secretary took it: no missed call
        await h.telephone.ring(h.offer("ring-c1-2-lea"))
        await h.ear.fact(ChannelRinging, channel="ring-c1-2-lea")
        await h.telephone.hang_up("ring-c1-2-lea", Cause.ANSWERED_ELSEWHERE)
        await h.ear.fact(ChannelGone, channel="ring-c1-2-lea", cause=26)
        await lea.calls[1].closed()
        assert not lea.calls[1].missed
        # nobody picks up: Asterisk's own time-out, the safety net
        await h.telephone.ring(h.offer("ring-c1-3-lea", timeout=1.0))
        gone = await h.ear.fact(ChannelGone, channel="ring-c1-3-lea")
        assert gone.cause == Cause.NO_ANSWER
        # she refuses
        lea.busy = True
        await h.telephone.ring(h.offer("ring-c1-4-lea"))
        await h.ear.fact(ChannelGone, channel="ring-c1-4-lea", cause=17, sip=486)
        # not there at all, whatever was asked on that connection before
        lea.busy = False
        await h.telephone.ring(h.offer("ring-c1-5-lea"))
        await h.ear.fact(ChannelRinging, channel="ring-c1-5-lea")
        for _ in range(40):
            await h.telephone.ring(h.offer("ring-c1-5-lea"))  # done already
        assert len(lea.calls) == 5
        for nobody in ("ring-c1-6-zoe", "ring-c1-7-nobody"):
            with pytest.raises(Gone):
                await h.telephone.ring(h.offer(nobody))
        assert len(h.ear.all(ChannelGone)) == 4
        await h.telephone.hang_up("ring-c1-5-lea")
        await h.ear.fact(ChannelGone, channel="ring-c1-5-lea")


async def test_a_hang_up_that_asterisk_has_taken_and_not_done_is_asked_for_again(tmp_path, monkeypatch):
    async with house(tmp_path) as h:
        lea = await h.lea()
        await h.telephone.ring(h.offer("ring-c1-1-lea"))
        await h.ear.fact(ChannelRinging)

        async def taken(*_: object, **__: object) -> None:
            monkeypatch.undo()

        monkeypatch.setattr(type(h.telephone.client.ari.channels), "hangup", taken)
        await h.telephone.hang_up("ring-c1-1-lea", Cause.ANSWERED_ELSEWHERE)
        await h.ear.fact(ChannelGone, channel="ring-c1-1-lea", cause=26)
        await lea.calls[0].closed()
        assert not lea.calls[0].missed


async def test_twenty_phones_are_rung_at_once_each_once(tmp_path):
    """A `dial` right behind its `create` is refused now and then: the leg is not yet in our application."""
    async with house(tmp_path) as h:
        lea = await h.lea()
        legs = [f"ring-c{i}-1-lea" for i in range(20)]
        began = time.monotonic()
        await asyncio.gather(*(h.telephone.ring(h.offer(leg)) for leg in legs))
        assert time.monotonic() - began < 8
        await eventually(lambda: len(lea.calls) == 20)
        await eventually(lambda: len(h.ear.all(ChannelRinging)) == 20)
        assert sorted(f.channel for f in h.ear.all(ChannelRinging)) == sorted(legs)
        await asyncio.gather(*(h.telephone.hang_up(leg) for leg in legs))
        await eventually(lambda: len(h.ear.all(ChannelGone)) == 20)


async def test_a_leg_that_left_leaves_the_caller_with_his_music(tmp_path):
    async with house(tmp_path) as h:
        caller, entered = await h.caller()
        await h.telephone.start_music(entered.channel, "default")
        await caller.hears(810)
        with pytest.raises(Gone):
            await h.telephone.connect("talk-c1-1", [entered.channel, "ring-c1-1-zoe"])
        await caller.hears(810, for_seconds=0.6)
        assert caller.gaps() == []
        assert await h.telephone._ari.bridges.list() == ()  # nor does the bridge stay
        lea = await h.lea(answer_after=0.0)
        await h.telephone.ring(h.offer())
        await h.ear.fact(ChannelAnswered, channel=LEA)
        await h.telephone.answer(entered.channel)
        await h.telephone.connect("talk-c1-1", [entered.channel, LEA])
        await h.telephone.connect("talk-c1-1", [entered.channel, LEA])  # done already
        await lea.call.hears(740)
        await caller.hears(620)
        await h.telephone.disconnect("talk-c1-1")
        await h.telephone.start_music(entered.channel, "default")
        await caller.hears(810)


async def test_ringing_is_heard_before_and_in_early_media_and_after_the_answer(tmp_path):
    async with house(tmp_path) as h:
        caller, entered = await h.caller()
        await h.telephone.start_ringback(entered.channel)
        await eventually(lambda: caller.statuses == [100, 180])
        await h.telephone.start_music(entered.channel, "default")
        await caller.hears(810)
        await h.telephone.start_ringback(entered.channel)
        await caller.hears(440)
        await h.telephone.answer(entered.channel)
        await caller.hears(440, for_seconds=0.5)
        await h.telephone.stop_ringback(entered.channel)
        await h.telephone.start_music(entered.channel, "default")
        await caller.hears(810)
        await h.telephone.stop_music(entered.channel)
        await h.telephone.stop_music(entered.channel)  # nothing plays: no error
        await caller.answered()


async def test_every_playback_ends_in_one_fact(tmp_path):
    async with house(tmp_path) as h:
        caller, entered = await h.caller()
        channel, play = entered.channel, h.telephone.play
        # from its middle; a name with a comma and a space is one name
        await play(channel, "play-c1-1", h.asterisk.sound("two, halves"), skip_ms=2000)
        await caller.hears(680)
        assert (560,) not in caller.heard(0.1)
        await h.telephone.stop_playback("play-c1-1")
        await h.ear.fact(PlaybackEnded, playback="play-c1-1", ok=True)
        # asked twice, it is heard once
        await play(channel, "play-c1-2", h.asterisk.sound("welcome"))
        await play(channel, "play-c1-2", h.asterisk.sound("welcome"))
        await h.ear.fact(PlaybackEnded, playback="play-c1-2", ok=True)
        # a file that is not there; its end comes at once, so nothing is queued before it
        await play(channel, "play-c1-3", h.asterisk.sound("nothing"))
        await h.ear.fact(PlaybackEnded, within=3.0, playback="play-c1-3", ok=False)
        # one that Asterisk never reports
        await play(channel, "play-c1-4", "strange:thing")
        await h.ear.fact(PlaybackEnded, playback="play-c1-4")
        # stopped, and at once answered: the law that the stories keep
        await play(channel, "play-c1-5", h.asterisk.sound("long"))
        await caller.hears(440)
        began = time.monotonic()
        await h.telephone.stop_playback("play-c1-5")
        await h.telephone.answer(channel)
        assert time.monotonic() - began < 5, "not at the end of its half minute"
        await h.ear.fact(PlaybackEnded, playback="play-c1-5")
        # the caller leaves in the middle
        await play(channel, "play-c1-6", h.asterisk.sound("long"))
        await caller.hears(440)
        await caller.hangup()
        await h.ear.fact(ChannelGone, channel=channel)
        await eventually(lambda: h.ear.all(PlaybackEnded, playback="play-c1-6"))
        assert len(h.ear.all(PlaybackEnded)) == 6


@pytest.mark.parametrize("doing", ["message", "music", "ringback", "nothing"])
async def test_the_fallback_gets_a_caller_at_any_moment(tmp_path, doing):
    async with house(tmp_path) as h:
        caller, entered = await h.caller()
        match doing:
            case "message":
                await h.telephone.play(entered.channel, "play-c1-1", h.asterisk.sound("long"))
                await caller.hears(440)
            case "music":
                await h.telephone.start_music(entered.channel, "default")
                await caller.hears(810)
            case "ringback":
                await h.telephone.start_ringback(entered.channel)
        await h.telephone.to_fallback(entered.channel)
        await caller.hears(500)
        await h.ear.fact(ChannelGone, channel=entered.channel)
        assert (await caller.closed()) is not None


@pytest.mark.parametrize(
    ("cause", "status"),
    [(Cause.NORMAL, 603), (Cause.BUSY, 486), (Cause.REJECTED, 403), (Cause.CONGESTION, 503)],
)
async def test_a_caller_who_is_not_answered_is_told_why(tmp_path, cause, status):
    async with house(tmp_path) as h:
        caller, entered = await h.caller()
        await h.telephone.hang_up(entered.channel, cause)
        await caller.closed()
        assert caller.statuses[-1] == status
        await h.ear.fact(ChannelGone, channel=entered.channel)


async def test_a_caller_who_gives_up_is_told_at_once(tmp_path):
    async with house(tmp_path) as h:
        caller, entered = await h.caller()
        await h.telephone.start_music(entered.channel, "default")
        await caller.hears(810)
        began = time.monotonic()
        await caller.hangup()
        gone = await h.ear.fact(ChannelGone, channel=entered.channel)
        assert time.monotonic() - began < 3
        assert gone.sip == 487


async def test_while_no_calls_are_taken_the_dialplan_serves_them(tmp_path):
    async with house(tmp_path) as h:
        h.telephone.feed.taking_calls = False
        caller = await h.phones.dial(f"sip:+33199001001@{h.asterisk.server}")
        await caller.hears(500)
        assert h.ear.all(CallEntered) == []


async def test_a_second_service_takes_over_and_the_first_one_stops(tmp_path):
    async with throwaway_asterisk(tmp_path, "lea") as asterisk, Phones() as phones:
        async with telephone_at(asterisk.url) as first:
            caller = await phones.dial(f"sip:+33199001001@{asterisk.server}", say=740)
            entered = await first.ear.fact(CallEntered)
            await first.telephone.start_music(entered.channel, "default")
            await caller.hears(810)
        # the first is dead; the second finds him, as he came, and his music never stopped
        second = AsteriskTelephone(asterisk.url, "autocom", PASSWORD, clock=SteadyClock())
        async with asyncio.TaskGroup() as tasks:
            run = tasks.create_task(_ends_with(Replaced, second.run()))
            facts = second.facts()
            back = await anext(facts)
            assert isinstance(back, TelephoneBack)
            assert back.seen.channels[entered.channel].ours
            assert await second.ingress(entered.channel) == entered
            await caller.hears(810)
            async with telephone_at(asterisk.url):
                with pytest.raises(Replaced):
                    await anext(facts)
                await run
        assert caller.gaps() == []


async def _ends_with(error: type[Exception], work: Awaitable[None]) -> None:
    with pytest.raises(error):
        await work


async def test_what_is_asked_for_twice_is_made_once_and_asterisk_still_stops_by_itself(tmp_path):
    """A second channel of one name, refused, would be counted for ever, and waited for at the stop (22.10.1)."""
    async with house(tmp_path) as h:
        lea = await h.lea()
        _, entered = await h.caller()
        for _ in range(2):
            await h.telephone.ring(h.offer())
        await lea.rings()
        await h.telephone.answer(entered.channel)
        for _ in range(2):
            await h.telephone.overhear("ear-c1-1", entered.channel, whispers=False)
        for channel in ("ear-c1-1", LEA, entered.channel):
            await h.telephone.hang_up(channel)
        await h.ear.fact(ChannelGone, channel=entered.channel)
        h.asterisk.signal(signal.SIGTERM)
        await eventually(lambda: h.asterisk.process.poll() is not None, within=8.0)


async def test_an_asterisk_that_freezes_or_restarts_is_lost_and_found_again(tmp_path):
    async with house(tmp_path) as h:
        await h.caller()
        began = time.monotonic()
        h.asterisk.signal(signal.SIGSTOP)
        await h.ear.fact(TelephoneLost)
        assert time.monotonic() - began < 15
        h.asterisk.signal(signal.SIGCONT)
        thawed = await h.ear.fact(TelephoneBack)
        assert len(thawed.seen.channels) == 1
        channel = next(iter(thawed.seen.channels))
        await h.telephone.start_music(channel, "default")  # he is still there
        await h.asterisk.stop()
        await h.ear.fact(TelephoneLost)
        began = time.monotonic()
        await h.asterisk.start()
        back = await h.ear.fact(TelephoneBack)
        assert math.isclose(time.monotonic(), began, abs_tol=15)
        assert back.seen.channels == {}
        await h.ear.fact(ChannelGone, channel=channel)
        _, entered = await h.caller()
        await h.telephone.answer(entered.channel)
