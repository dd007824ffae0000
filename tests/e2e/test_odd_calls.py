"""Calls whose SIP comes in an order, or with an offer, that a well-behaved stack does not send: what can be served is
served, what cannot be is refused in one line, and nothing is left behind. Raw callers and phones, without sound.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio

from tests.support import asked, oracle
from tests.support.bureau import MESSAGE, Bureau, client, play, queue
from tests.support.exchange import Exchange
from tests.support.hasty import Desk, Hasty, HastyCall, offer

pytestmark = [pytest.mark.timeout(120)]
EARLY, ANSWERED = "0199001001", "0199001002"
_numbers = itertools.count(5001)


def number() -> str:
    """A caller who never called before."""
    return f"063998{next(_numbers):04}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def exchange(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Exchange]:
    """One for all."""
    bureau = Bureau.at(tmp_path_factory.mktemp("odd"), secretaries=2)
    short = bureau.sound("short", MESSAGE, 0.6)
    bureau.client("lilas")["rules"][0]["do"] = [play(short), queue(ring_for="4s")]
    steps = [play(short, mode="answered"), queue(ring_for="4s")]
    bureau.add(client("answered", f"+33{ANSWERED[1:]}", rules=[{"name": "open", "do": steps}]))
    bureau.write()
    async with Exchange(bureau) as running:
        yield running


@pytest_asyncio.fixture
async def callers(exchange: Exchange) -> AsyncIterator[Hasty]:
    async with Hasty(exchange.bureau.sip) as made:
        yield made


@pytest_asyncio.fixture
async def lea(exchange: Exchange) -> AsyncIterator[Desk]:
    """Picks up 0.3 s after the INVITE."""
    account = exchange.bureau.secretaries[0]
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(Desk(exchange.bureau.sip, account.id, account.password))
        made.picks_up = lambda: 0.3
        await exchange.free("lea")
        yield made


async def ended(exchange: Exchange, *calls: HastyCall) -> list[dict[str, Any]]:
    """The one record of each of these calls, which are over."""
    await exchange.free("lea")
    await asked.until(exchange.bureau, lambda s: s["calls"] == 0 and not s["waiting"])
    await oracle.nothing_is_left(exchange)
    rows = await asked.calls(exchange.bureau, stories=True)
    found = []
    for call in calls:
        (row,) = [row for row in rows if row["caller"] == f"+33{call.number[1:]}"]
        kinds = [event["kind"] for event in row["events"]]
        assert (kinds.count("arrived"), kinds.count("ended"), kinds.count("crashed")) == (1, 1, 0), kinds
        found.append(row)
    return found


async def talks_and_leaves(exchange: Exchange, call: HastyCall, lea: Desk, nth: int = 1) -> None:
    """She picks up for him; they are joined; he hangs up."""
    ring = await lea.joined(nth)
    assert ring.number == call.number
    await call.has(200)
    await oracle.joined(exchange.bureau)
    call.leave()
    await call.over()


# --- offers -----------------------------------------------------------------------------------

UNUSABLE = {
    "only g729": offer("127.0.0.1", codecs="18"),
    "only opus": offer("127.0.0.1", codecs="96", extra=("a=rtpmap:96 opus/48000/2",)),
    "only g722": offer("127.0.0.1", codecs="9"),
    "only keys": offer("127.0.0.1", codecs="101"),
    "only video": offer("127.0.0.1").replace("m=audio 9 RTP/AVP 8 0 101", "m=video 9 RTP/AVP 31"),
    "no media": offer("127.0.0.1").split("m=audio")[0],
    "only srtp": offer("127.0.0.1").replace("RTP/AVP", "RTP/SAVP"),
    "no sdp": "v=nonsense\r\n",
}


async def test_an_offer_that_cannot_be_taken_is_refused_at_once_and_the_next_call_is_served(
    exchange: Exchange, callers: Hasty, lea: Desk
) -> None:
    refused = {name: callers.dial(EARLY, number(), sdp=sdp) for name, sdp in UNUSABLE.items()}
    for name, call in refused.items():
        await call.over()
        assert call.status == (400 if name == "no sdp" else 488), (name, call.status)
    good = callers.dial(EARLY, number())
    await talks_and_leaves(exchange, good, lea)
    (row,) = await ended(exchange, good)
    assert row["outcome"] == "served"


async def test_a_caller_who_offers_nothing_is_asked_and_hears_where_he_says(
    exchange: Exchange, callers: Hasty, lea: Desk
) -> None:
    """An INVITE without SDP (RFC 3261, 13.2.1): the offer is in our 200, the answer in his ACK."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        ear.setblocking(False)
        answer = offer("127.0.0.1", ear.getsockname()[1])
        lea.picks_up = lambda: None
        call = callers.dial(ANSWERED, number(), sdp="", acknowledges=answer)
        async with asyncio.timeout(10):
            packet = await asyncio.get_running_loop().sock_recv(ear, 2000)
        assert packet[:2] in {b"\x80\x08", b"\x80\x88"}, "the message, in A-law"
        await lea.invited()
        lea.pick_up()
        await talks_and_leaves(exchange, call, lea)
    (row,) = await ended(exchange, call)
    assert row["outcome"] == "served"


# --- offered anew -----------------------------------------------------------------------------

SENDONLY, INACTIVE = ("a=sendonly",), ("a=inactive",)


async def test_what_he_offers_anew_at_any_time_costs_no_call(
    exchange: Exchange, callers: Hasty, lea: Desk
) -> None:
    """re-INVITE and UPDATE before the answer, while he waits and while he talks: hold, back, without SDP, with an offer
    that cannot be taken."""
    lea.picks_up = lambda: None
    early, waits = callers.dial(EARLY, number()), callers.dial(ANSWERED, number())
    await early.has(183)
    await waits.has(200)
    said: dict[str, list[int | None]] = {"early": [], "waits": [], "talks": []}

    async def offers(call: HastyCall, when: str, method: str, sdp: str) -> None:
        said[when].append((await call.answer(call.send(method, sdp))).status)

    await offers(early, "early", "INVITE", offer("127.0.0.1"))
    await offers(early, "early", "UPDATE", offer("127.0.0.1", extra=SENDONLY))
    await offers(early, "early", "UPDATE", "")
    for extra in (SENDONLY, (), INACTIVE, ()):
        await offers(waits, "waits", "INVITE", offer("127.0.0.1", extra=extra))
    await offers(waits, "waits", "UPDATE", offer("127.0.0.1", extra=SENDONLY))
    await offers(waits, "waits", "INVITE", offer("127.0.0.1", codecs="18"))
    assert not early.is_over
    assert not waits.is_over
    assert said["early"] == [500, 200, 200], "refused (RFC 3261, 14.2), and taken"
    assert said["waits"] == [200, 200, 200, 200, 200, 488]
    lea.pick_up()
    lea.picks_up = lambda: 0.0
    first = await lea.joined(1)
    talks, other = (early, waits) if first.number == early.number else (waits, early)
    await talks.has(200)
    for extra in (SENDONLY, (), INACTIVE, ()):
        await offers(talks, "talks", "INVITE", offer("127.0.0.1", extra=extra))
    await offers(talks, "talks", "INVITE", offer("127.0.0.1", codecs="18"))
    await offers(talks, "talks", "INVITE", "")
    assert said["talks"] == [200, 200, 200, 200, 488, 200]
    assert not talks.is_over
    await talks_and_leaves(exchange, talks, lea)
    await talks_and_leaves(exchange, other, lea, 2)
    assert [row["outcome"] for row in await ended(exchange, early, waits)] == ["served", "served"]


@pytest.mark.timeout(240)
async def test_a_caller_from_whom_no_sound_comes_is_not_given_up_while_he_waits(
    exchange: Exchange, callers: Hasty, lea: Desk, rounds: Callable[[float, float], Any]
) -> None:
    """Networks that send nothing while he is silent; who waits says nothing for minutes."""
    lea.picks_up = lambda: None
    silent, held = callers.dial(ANSWERED, number()), callers.dial(ANSWERED, number())
    await silent.has(200)
    await held.has(200)
    await held.answer(held.send("INVITE", offer("127.0.0.1", extra=SENDONLY)))
    with pytest.raises(AssertionError, match="not over"):
        await silent.over(within=rounds(1, 75))
    assert not held.is_over
    lea.picks_up = lambda: 0.0
    lea.pick_up()
    first = await lea.joined(1)
    one, other = (silent, held) if first.number == silent.number else (held, silent)
    await talks_and_leaves(exchange, one, lea)
    await talks_and_leaves(exchange, other, lea, 2)
    assert [row["outcome"] for row in await ended(exchange, silent, held)] == ["served", "served"]


# --- out of order -----------------------------------------------------------------------------


async def test_an_invite_sent_again_is_one_call_and_a_fork_of_it_ends_with_its_own_cancel(
    exchange: Exchange, callers: Hasty, lea: Desk
) -> None:
    """Asterisk (22.10) takes the same request by another way (a proxy before us forked it) for a call of its own, where
    RFC 3261, 8.2.2.2 has 482. Whoever forks ends the others once one of them is answered."""
    call = callers.dial(EARLY, number())
    callers.throw(call.invite)
    await call.has(183)
    fork = "z9hG4bKfork"
    callers.throw(call.invite.replace(call.branch, fork))
    await asked.until(exchange.bureau, lambda s: s["calls"] == 2)
    await call.has(200)
    callers.throw(call.text("CANCEL", 1, fork, to=f"<{call.uri}>"))
    await call.again(487, 1)
    await talks_and_leaves(exchange, call, lea)
    await exchange.free("lea")
    await oracle.nothing_is_left(exchange)
    caller = f"+33{call.number[1:]}"
    outcomes = [row["outcome"] for row in await asked.calls(exchange.bureau) if row["caller"] == caller]
    assert sorted(outcomes) == ["abandoned", "served"]


async def test_a_confirmation_that_is_lost_late_or_overtaken_by_his_hang_up_does_no_harm(
    exchange: Exchange, callers: Hasty, lea: Desk, rounds: Callable[[float, float], Any]
) -> None:
    late = callers.dial(EARLY, number())
    late.confirms = False
    await lea.joined(1)
    await late.again(200, 2)  # it is said again until he confirms it
    late.confirms = True
    await talks_and_leaves(exchange, late, lea)
    overtaken = callers.dial(EARLY, number())
    overtaken.confirms = False
    overtaken.when(200, overtaken.leave)
    await overtaken.over()
    rows = await ended(exchange, late, overtaken)
    assert rows[0]["outcome"] == "served"
    assert rows[1]["outcome"] in {"served", "abandoned"}


async def test_he_who_dials_a_tel_uri_is_served(exchange: Exchange, callers: Hasty, lea: Desk) -> None:
    """RFC 3966."""
    call = callers.dial(EARLY, number(), uri="tel:+33199001001")
    await talks_and_leaves(exchange, call, lea)
    (row,) = await ended(exchange, call)
    assert (row["outcome"], row["client"], row["did"]) == ("served", "lilas", "+33199001001")
