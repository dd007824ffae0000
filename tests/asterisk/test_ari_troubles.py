"""An ARI that is slow, refuses, breaks off or says nothing: what is asked again, what never is, and how soon it shows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from autocom.asterisk import endings
from autocom.asterisk.ari.client import QUESTION_TRIES, AriClient, Refused, decode
from autocom.asterisk.ari.feed import Feed
from autocom.asterisk.clock import SteadyClock
from autocom.asterisk.telephone import AsteriskTelephone
from autocom.calls.ports import Gone, TelephoneDown
from autocom.core.telephony import Cause, ChannelGone, TelephoneBack, TelephoneLost
from tests.asterisk.ari_support import PASSWORD, Impostor, channel_json, telephone_at
from tests.asterisk.test_ari_feed import ALL, variables
from tests.support.eventually import eventually


@pytest.fixture
async def impostor() -> AsyncIterator[Impostor]:
    async with Impostor().serving() as server:
        yield server


async def refuses(_: web.Request) -> web.Response:
    return web.json_response({"message": "Internal server error"}, status=500)


async def breaks(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def once(trouble, then):
    """The first answer is trouble."""
    answers = iter([trouble])

    async def answer(request: web.Request) -> web.StreamResponse:
        return await next(answers, then)(request)

    return answer


async def done(_: web.Request) -> web.Response:
    return web.Response(status=204)


@pytest.mark.parametrize("trouble", [refuses, breaks])
async def test_a_question_is_asked_again_and_a_command_never_is(impostor, trouble) -> None:
    async with AriClient(impostor.url, "autocom", PASSWORD) as client:
        impostor.answers["GET", "/channels/x/variables"] = once(trouble, variables(a="1"))
        assert (await client.ari.channels.get_channel_vars("x", ["a"])).variables == {"a": "1"}
        impostor.answers["POST", "/channels/x/answer"] = trouble
        with pytest.raises((Refused, TelephoneDown)):
            await client.ari.channels.answer("x")
        assert impostor.requests.count(("POST", "/channels/x/answer")) == 1
        impostor.answers["GET", "/channels/y"] = trouble
        with pytest.raises((Refused, TelephoneDown)):
            await client.ari.channels.get("y")
        # aiohttp itself asks again, once, where an idle connection breaks
        assert QUESTION_TRIES <= impostor.requests.count(("GET", "/channels/y")) <= 2 * QUESTION_TRIES


async def test_a_question_that_took_its_whole_time_is_not_asked_again(impostor) -> None:
    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response(status=204)

    impostor.answers["GET", "/channels/x"] = slow
    async with AriClient(impostor.url, "autocom", PASSWORD, timeout=0.1) as client:
        with pytest.raises(TelephoneDown):
            await client.ari.channels.get("x")
    assert impostor.requests.count(("GET", "/channels/x")) == 1


async def test_a_bridge_that_asterisk_fails_to_fill_says_nothing_of_who_was_to_be_in_it(impostor) -> None:
    async def made(_: web.Request) -> web.Response:
        words = ("technology", "bridge_type", "bridge_class", "creator", "name", "video_mode")
        instant = "2026-11-22T08:00:00.000+0000"
        return web.json_response(
            {"id": "b", "channels": [], "creationtime": instant} | dict.fromkeys(words, "")
        )

    impostor.answers["POST", "/bridges/b"] = made
    impostor.answers["DELETE", "/bridges/b"] = done
    for name in ("one", "two"):
        impostor.answers["POST", f"/channels/{name}/variable"] = done
    async with telephone_at(impostor.url) as line:
        telephone = line.telephone
        impostor.answers["POST", "/bridges/b/addChannel"] = refuses
        with pytest.raises(TelephoneDown):
            await telephone.connect("b", ["one", "two"])

        async def gone(_: web.Request) -> web.Response:
            return web.json_response({"message": "Channel not found"}, status=400)

        impostor.answers["POST", "/bridges/b/addChannel"] = gone
        with pytest.raises(Gone):
            await telephone.connect("b", ["one", "two"])


async def test_a_claim_without_a_word_is_made_once_more_and_one_that_is_refused_is_not(impostor) -> None:
    claim = ("POST", "/events/claim")
    async with telephone_at(impostor.url) as _:
        for trouble, times in ((breaks, 2), (refuses, 2)):
            impostor.requests.clear()
            impostor.answers[claim] = once(trouble, done)
            await impostor.say("CallBroadcast", channel=channel_json("chan-1"), called=None, caller=None)
            await until_asked(impostor, claim, times)

        async def taken(_: web.Request) -> web.Response:
            return web.json_response({"message": "already claimed"}, status=409)

        impostor.requests.clear()
        impostor.answers[claim] = taken
        impostor.answers["GET", "/channels/chan-1/variables"] = variables(**ALL)
        await impostor.say("CallBroadcast", channel=channel_json("chan-1"), called=None, caller=None)
        await until_asked(impostor, claim, 1)
        await asyncio.sleep(0.1)
        assert impostor.requests.count(claim) == 1


async def until_asked(impostor: Impostor, request: tuple[str, str], times: int) -> None:
    async with asyncio.timeout(5):
        while impostor.requests.count(request) < times:
            await asyncio.sleep(0.01)


async def test_an_asterisk_that_takes_connections_and_says_nothing_is_knocked_at_again_soon(impostor) -> None:
    """A request of five seconds would find it that much later."""
    async with telephone_at(impostor.url) as line:
        began = asyncio.get_running_loop().time()

        async def silent(_: web.Request) -> web.Response:
            await asyncio.sleep(30)
            return web.Response()

        impostor.answers["GET", "/asterisk/info"] = silent
        await impostor.sockets[-1].close()
        await line.ear.fact(TelephoneLost)
        await until_asked(impostor, ("GET", "/asterisk/info"), 2)
        del impostor.answers["GET", "/asterisk/info"]
        await line.ear.fact(TelephoneBack)
        assert asyncio.get_running_loop().time() - began < 4.5


@pytest.mark.parametrize(
    "text",
    ["", "no JSON", "[]", "null", "7", '"x"', "[" * 50_000, '{"a":' * 50_000, '{"type": 7}', '{"type": "StasisStart"}',
     '{"type": "StasisStart", "channel": null, "args": 3}', json.dumps({"type": "Unheard", "of": "x" * 1_000_000})],
    ids=range(12),
)  # fmt: skip
def test_what_is_no_event_is_dropped_and_costs_nothing_else(text: str) -> None:
    assert decode(text) is None


LEG = "ring-c1-1-lea"


async def leg_entered(impostor: Impostor, telephone: AsteriskTelephone) -> None:
    """A leg of ours is there, and known."""
    await impostor.say("StasisStart", args=["leg"], channel=channel_json(LEG))
    await eventually(lambda: LEG in telephone.feed.state.lines)


async def test_a_hang_up_is_asked_for_until_the_channel_is_gone_also_after_a_refusal(
    impostor, monkeypatch
) -> None:
    monkeypatch.setattr(endings, "ENDS_WITHIN", 0.03)
    asked = ("DELETE", f"/channels/{LEG}")
    answers = iter([done, refuses])

    async def ends(request: web.Request) -> web.StreamResponse:
        answer = next(answers, None)
        if answer is None:
            await impostor.say("ChannelDestroyed", channel=channel_json(LEG), cause=26, cause_txt="")
        return await (answer or done)(request)

    impostor.answers[asked] = ends
    async with telephone_at(impostor.url) as line:
        await leg_entered(impostor, line.telephone)
        await line.telephone.hang_up(LEG, Cause.ANSWERED_ELSEWHERE)
        await line.ear.fact(ChannelGone, channel=LEG, cause=26)
        await asyncio.sleep(0.1)
        assert impostor.requests.count(asked) == 3


async def test_however_often_a_hang_up_is_asked_for_it_is_repeated_once_at_a_time(
    impostor, monkeypatch
) -> None:
    monkeypatch.setattr(endings, "ENDS_WITHIN", 0.2)
    asked = ("DELETE", f"/channels/{LEG}")
    impostor.answers[asked] = done
    async with telephone_at(impostor.url) as line:
        await leg_entered(impostor, line.telephone)
        for _ in range(5):
            await line.telephone.hang_up(LEG)
        await asyncio.sleep(0.3)
        assert 5 <= impostor.requests.count(asked) <= 6
        line.telephone.forget(LEG)
        so_far = impostor.requests.count(asked)
        await asyncio.sleep(0.3)
        assert impostor.requests.count(asked) == so_far


async def test_what_is_to_be_run_beside_a_feed_that_ends_is_dropped() -> None:
    async with AriClient("http://127.0.0.1:1", "autocom", PASSWORD) as client:
        feed = Feed(client, "autocom", SteadyClock())
        async with asyncio.TaskGroup() as ended:
            feed._tasks = ended
        feed.spawn(asyncio.sleep(1))
