from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from autocom.asterisk.ari import feed
from autocom.asterisk.telephone import Replaced, TooOld
from autocom.calls.ports import Gone
from autocom.core.telephony import (
    CallEntered,
    ChannelAnswered,
    ChannelGone,
    PlaybackEnded,
    TelephoneBack,
    TelephoneLost,
)
from tests.asterisk.ari_support import Impostor, channel_json, telephone_at
from tests.support import PATIENCE

CALLER = "1795336643.0"


@pytest.fixture
async def impostor() -> AsyncIterator[Impostor]:
    async with Impostor().serving() as server:
        yield server


def variables(**values: str):
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"variables": values})

    return answer


ALL = dict.fromkeys(("AUTOCOM_TRUNK", "AUTOCOM_REQUEST_USER", "AUTOCOM_FROM", "AUTOCOM_TO", "AUTOCOM_PAI", "AUTOCOM_PRIVACY", "AUTOCOM_PCPI", "AUTOCOM_DID_VALUE", "AUTOCOM_DIVERSIONS", "AUTOCOM_HISTORIES"), "")  # fmt: skip


async def enter(impostor: Impostor) -> None:
    impostor.answers["GET", f"/channels/{CALLER}/variables"] = variables(**ALL)
    await impostor.say("StasisStart", args=["inbound"], channel=channel_json(CALLER))


async def test_events_that_came_during_the_catch_up_are_told_after_what_was_seen(impostor):
    """The socket is open before Asterisk is asked: an entry in between is in both, or only in the events."""
    impostor.answers["GET", f"/channels/{CALLER}/variables"] = variables(**ALL)

    async def slow(_: web.Request) -> web.Response:
        await impostor.say("StasisStart", args=["inbound"], channel=channel_json(CALLER))
        await asyncio.sleep(0.1)
        return web.json_response([])

    impostor.answers["GET", "/channels"] = slow
    async with telephone_at(impostor.url) as line:
        await line.ear.fact(CallEntered, channel=CALLER)
        assert isinstance(line.ear.facts[0], TelephoneBack)


async def test_a_connection_that_is_lost_is_told_and_found_again_with_what_happened_meanwhile(impostor):
    async with telephone_at(impostor.url) as line:
        await enter(impostor)
        await line.ear.fact(CallEntered)
        leg = channel_json("ring-c1-1-lea", state="Down", argument="leg")
        await impostor.say("StasisStart", args=["leg"], channel=leg)
        # while nobody listens: the leg is answered, the caller leaves
        impostor.channels = [leg | {"state": "Up"}]
        impostor.application = ["ring-c1-1-lea"]
        await impostor.sockets[-1].close()
        await line.ear.fact(TelephoneLost)
        back = await line.ear.fact(TelephoneBack)
        assert back.seen.channels["ring-c1-1-lea"].up
        assert back.seen.channels["ring-c1-1-lea"].ours
        await line.ear.fact(ChannelGone, channel=CALLER)
        await line.ear.fact(ChannelAnswered, channel="ring-c1-1-lea")
        assert len(impostor.sockets) == 2


async def test_while_asterisk_boots_nothing_is_told(impostor):
    booted = asyncio.Event()

    async def info(_: web.Request) -> web.Response:
        if not booted.is_set():
            if impostor.requests.count(("GET", "/asterisk/info")) > 4:
                booted.set()
            status, text = (404, "<h1>") if len(impostor.requests) % 2 else (503, "{}")
            return web.Response(status=status, text=text, content_type="text/html")
        return web.json_response({"system": {"version": "22.10.1+dfsg", "entity_id": ""}})

    impostor.answers["GET", "/asterisk/info"] = info
    async with telephone_at(impostor.url) as line:
        assert booted.is_set()
        assert [type(f) for f in line.ear.facts] == [TelephoneBack]


@asynccontextmanager
async def raised(kind: type[Exception]) -> AsyncIterator[None]:
    """The error comes out of both `run` and `facts`."""
    with pytest.raises(ExceptionGroup) as group:
        yield
    errors = list(group.value.exceptions)
    assert len(errors) >= 1
    assert {type(e) for e in errors} == {kind}


async def test_a_second_process_with_our_name_ends_everything(impostor):
    async with raised(Replaced), telephone_at(impostor.url) as line:
        await impostor.say("ApplicationReplaced")
        await line.ear.fact(TelephoneLost)


async def test_another_applications_replacement_is_not_ours(impostor):
    async with telephone_at(impostor.url) as line:
        await impostor.say("ApplicationReplaced", application="somebody-elses")
        await enter(impostor)
        await line.ear.fact(CallEntered)


@pytest.mark.parametrize("version", ["22.10.0", "22.9.9~dfsg", "20.19.0", "21.0.1"])
async def test_an_asterisk_that_is_too_old_is_refused(impostor, version):
    impostor.version = version
    async with raised(TooOld), telephone_at(impostor.url):
        raise AssertionError("it connected")


@pytest.mark.parametrize("version", ["22.10.1", "22.11.0-rc1", "23.0.0", "GIT-master-1234567"])
async def test_a_newer_or_unknown_asterisk_is_taken(impostor, version):
    impostor.version = version
    async with telephone_at(impostor.url) as line:
        assert line.telephone.feed.up


async def test_an_ari_that_only_pings_is_noticed(impostor, monkeypatch):
    monkeypatch.setattr(feed, "CANARY_EVERY", 0.05)
    async with telephone_at(impostor.url) as line:

        async def deadlock(_: web.Request) -> web.Response:
            await asyncio.Event().wait()
            raise AssertionError

        impostor.answers["GET", "/applications/autocom"] = deadlock
        lost = await line.ear.fact(TelephoneLost)
        assert lost.why == "ARI does not answer"
        del impostor.answers["GET", "/applications/autocom"]
        await line.ear.fact(TelephoneBack)


async def test_the_end_of_a_playback_is_told_though_its_event_never_comes(impostor, monkeypatch):
    monkeypatch.setattr(feed, "WATCH_EVERY", 0.05)

    async def played(_: web.Request) -> web.Response:
        playback = {
            "id": "play-c1-1",
            "media_uri": "",
            "target_uri": f"channel:{CALLER}",
            "language": "",
            "state": "playing",
        }
        impostor.answers["GET", "/playbacks/play-c1-1"] = lambda _: shown(playback)
        return web.json_response(playback, status=201)

    async def shown(playback: dict[str, str]) -> web.Response:
        return web.json_response(playback)

    impostor.answers["POST", f"/channels/{CALLER}/play/play-c1-1"] = played
    async with telephone_at(impostor.url) as line:
        await line.telephone.play(CALLER, "play-c1-1", "/sounds/welcome")
        asked = ("GET", "/playbacks/play-c1-1")
        async with asyncio.timeout(PATIENCE):
            while impostor.requests.count(asked) < 4:
                await asyncio.sleep(0.01)
        assert line.ear.all(PlaybackEnded) == []  # it plays as long as Asterisk knows it
        del impostor.answers[asked]
        await line.ear.fact(PlaybackEnded, playback="play-c1-1", ok=True)
        await asyncio.sleep(0.15)
        assert len(line.ear.all(PlaybackEnded)) == 1


async def test_a_playback_that_could_not_begin_has_no_end(impostor, monkeypatch):
    monkeypatch.setattr(feed, "WATCH_EVERY", 0.02)
    async with telephone_at(impostor.url) as line:
        with pytest.raises(Gone):
            await line.telephone.play("nobody", "play-c1-1", "/sounds/welcome")
        await asyncio.sleep(0.1)
        assert line.ear.all(PlaybackEnded) == []


async def test_a_dialplan_that_sets_half_of_the_variables_costs_no_call(impostor):
    """Asterisk answers 404 for all when one is missing; then each is asked for."""

    async def one(request: web.Request) -> web.Response:
        name = request.query["variable"]
        known = {
            "AUTOCOM_FROM": "<sip:0261912010@operator>",
            "AUTOCOM_DIVERSIONS": "1",
            "AUTOCOM_HISTORIES": "9999",
        }
        known["AUTOCOM_DIVERSION_1"] = "<sip:0353010001@operator>"
        if name in known:
            return web.json_response({"value": known[name]})
        return web.json_response({"message": "Provided variable was not found"}, status=404)

    impostor.answers["GET", f"/channels/{CALLER}/variable"] = one
    async with telephone_at(impostor.url) as line:
        await impostor.say("StasisStart", args=["inbound"], channel=channel_json(CALLER))
        entered = await line.ear.fact(CallEntered)
    assert entered.trunk is None
    assert entered.headers.from_ == "<sip:0261912010@operator>"
    assert entered.headers.diversion == ("<sip:0353010001@operator>",)
    assert entered.headers.history_info == ()
    assert entered.headers.request_user == "+33199001001"  # Asterisk's own, the last resort
    assert entered.headers.caller_number == "0261912010"


async def test_a_caller_who_left_before_he_could_be_asked_is_told_with_what_is_known(impostor):
    async with telephone_at(impostor.url) as line:
        await impostor.say("StasisStart", args=["inbound"], channel=channel_json(CALLER))
        await impostor.say("ChannelHangupRequest", channel=channel_json(CALLER), cause=127, tech_cause=487)
        entered = await line.ear.fact(CallEntered)
        assert entered.headers.caller_number == "0261912010"
        assert entered.at == 1795334400.0
        await line.ear.fact(ChannelGone, channel=CALLER, cause=127, sip=487)


async def test_callers_are_left_to_the_fallback_while_none_are_taken(impostor):
    async with telephone_at(impostor.url) as line:
        line.telephone.feed.taking_calls = False
        await impostor.say("CallBroadcast", channel=channel_json("c1"))
        await impostor.say("StasisStart", args=["leg"], channel=channel_json("ring-c1-1-lea"))
        await impostor.say("StasisEnd", channel=channel_json("ring-c1-1-lea"))
        await line.ear.fact(ChannelGone, channel="ring-c1-1-lea")
        line.telephone.feed.taking_calls = True
        await impostor.say("CallBroadcast", channel=channel_json("c2"))
        async with asyncio.timeout(PATIENCE):
            while ("POST", "/events/claim") not in impostor.requests:
                await asyncio.sleep(0.01)
    assert impostor.requests.count(("POST", "/events/claim")) == 1
