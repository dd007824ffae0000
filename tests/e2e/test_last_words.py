"""On the real Asterisk: a sentence to the caller between the pick-up and the join, and a blocked caller's busy."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.bureau import CALLER, MUSIC, VOICES, Bureau, queue
from tests.support.exchange import Exchange
from tests.support.phones import Phones

pytestmark = [pytest.mark.timeout(120)]
DID, NUISANCE = "0199001001", "0199006666"
NOTICE, IN_PROGRESS = 1160, 1270


@pytest.fixture
def bureau(bureau: Bureau) -> Bureau:
    """A queue with last words, and somebody whom every client is rid of; sentences are tones."""
    bureau.sound("notice", NOTICE, 3.0)
    bureau.sound("message-in-progress", IN_PROGRESS, 6.0)
    bureau.bureau["lists"] = {
        "nuisance": [{"number": NUISANCE, "reason": "démarchage", "until": "2099-12-31 18:00"}]
    }
    bureau.bureau["blocked"] = ["nuisance"]
    bureau.client("lilas")["rules"][0]["do"] = [queue(ring_for="20s", on_answer={"sound": "notice"})]
    bureau.write()
    return bureau


async def test_he_hears_the_sentence_and_she_the_stock_one_then_both_each_other(exchange: Exchange) -> None:
    bureau = exchange.bureau
    account = bureau.secretaries[0]
    async with Phones() as phones:
        blocked = await phones.dial(bureau.uri(DID), NUISANCE)
        await blocked.closed()
        refused = await exchange.finished_call()
        assert (refused["rule"], refused["outcome"]) == ("blocked", "rejected")
        told = (await exchange.run("call", refused["id"])).stdout
        assert "démarchage" in told
        lea = await phones.secretary(
            account.id, account.password, bureau.sip, say=account.voice, answer_after=2.0
        )
        await exchange.free("lea")
        caller = await phones.dial(bureau.uri(DID), say=CALLER)
        leg = await lea.rings()
        await caller.hears(MUSIC)
        await caller.hears(NOTICE)
        await leg.hears(IN_PROGRESS)
        await caller.hears(VOICES[0])
        await leg.hears(CALLER)
        await asyncio.sleep(0.5)
        await caller.hangup()
        assert caller.heard()[:3] == [(MUSIC,), (NOTICE,), (VOICES[0],)], caller.heard()
        assert max(gap.seconds for gap in caller.gaps()) < 0.5, caller.gaps()
        call = await exchange.finished_call(2)
    assert call["outcome"] == "served"
