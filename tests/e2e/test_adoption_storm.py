"""kill -9 at random moments under a storm of calls, and in the instants that are hard to hit, restarted by a supervisor.

What every caller and every secretary saw is compared with the journal by `Storm.balance`: no conversation is cut, no
caller who waits is lost, no secretary is stuck, no fact is missing or there twice.
"""

from __future__ import annotations

import asyncio
import random
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support import asked, oracle
from tests.support.bureau import Bureau
from tests.support.eventually import eventually
from tests.support.exchange import Exchange
from tests.support.light_sip import Callers, Desk, Dialogue
from tests.support.sip_phone import address_of
from tests.support.storm import Storm, ready

pytestmark = [pytest.mark.timeout(900)]


@pytest.fixture
def bureau(tmp_path: Path) -> Any:
    made = Bureau.at(tmp_path, secretaries=14)
    yield ready(made)
    made.tidy()


@dataclass(slots=True)
class Killed:
    """What the supervisor did: `ready` and `rang` are the seconds from each start to its `ready` and first ring."""

    count: int = 0
    in_start: int = 0
    talking: int = 0
    ready: list[float] = field(default_factory=list)
    rang: list[float] = field(default_factory=list)
    after_ready: list[float] = field(default_factory=list)


LEAST = 3
"""Kills, however long each takes."""


async def killed_at_random(exchange: Exchange, storm: Storm, seconds: float, dice: random.Random) -> Killed:
    """kill -9 and a start, again and again for so long; one in five starts is killed before it is ready."""
    done = Killed()
    until = time.monotonic() + seconds
    while time.monotonic() < until or done.count < LEAST:
        await asyncio.sleep(dice.uniform(0.5, 6.0))  # a random moment is what is tried
        done.talking += len(storm.talking)
        await exchange.kill9()
        done.count += 1
        if dice.random() < 0.2:
            with suppress(AssertionError):  # not ready within so little, as a rule
                await exchange.start(within=dice.uniform(0.1, 1.5))
            await exchange.kill9()
            done.in_start += 1
        began = time.time()
        await exchange.start()
        done.ready.append(exchange.ready_after)
        rings = len(storm.rings)
        with suppress(TimeoutError):
            async with asyncio.timeout(3):
                while len(storm.rings) == rings and storm.first_ring(began) is None:
                    await asyncio.sleep(0.02)
        if (rang := storm.first_ring(began)) is not None:
            done.rang.append(rang)
            done.after_ready.append(max(0.0, rang - exchange.ready_after))
    return done


def middle(found: list[float]) -> float:
    """The median."""
    return sorted(found)[len(found) // 2]


@pytest.mark.fault("F1", "F2", "F3", "F4", "F5", "F6", "F41")
async def test_no_call_is_lost_where_autocom_is_killed_at_random_moments(
    exchange: Exchange, measured: Any, rounds: Any
) -> None:
    dice = random.Random(5)
    async with Storm(exchange.bureau, per_second=3.0, talk=(2.0, 5.0), seed=5) as storm:
        done = await killed_at_random(exchange, storm, rounds(25, 600), dice)
        await storm.drained()
        ledger = await storm.balance(exchange)
    assert ledger.outcomes["served"] > ledger.outcomes["fallback"], ledger.outcomes
    measured("kills", done.count + done.in_start, "")
    measured("of those before it was ready", done.in_start, "")
    measured("rung by autocom and the dialplan in one instant", storm.glares, "")
    measured("calls", len(storm.callers), "")
    measured("conversations under way at the kills", done.talking, "")
    measured("served by the fallback", ledger.outcomes["fallback"], "")
    measured("first ring after ready, median", middle(done.after_ready), "s", at_most=1.0)
    measured("first ring after ready, longest", max(done.after_ready), "s")
    measured("first ring after start, median", middle(done.rang), "s")
    measured("first ring after start, longest", max(done.rang), "s", at_most=5.0)
    oracle.no_troubles(exchange.bureau, r"Error reading from web socket: Connection reset")


@pytest.mark.fault("F4", "F6")
async def test_who_is_picked_up_as_autocom_dies_is_joined_and_who_hung_up_meanwhile_is_let_go(
    exchange: Exchange, measured: Any, rounds: Any
) -> None:
    bureau, server = exchange.bureau, address_of(exchange.bureau.sip)
    account = bureau.secretaries[0]
    callers, lea = Callers(server), Desk(server, account.id, account.password)
    waited, held, count = [], [], rounds(1, 20)

    def picks_up(dialogue: Dialogue) -> None:
        """autocom is frozen, and never hears of it: Asterisk acknowledges all the same."""
        exchange.send(signal.SIGSTOP)
        lea.answer(dialogue)

    lea.on_invite = picks_up
    try:
        await lea.register()
        for turn in range(count):
            await asked.are(bureau, **{account.id: "free"})
            caller = callers.dial("0199001001", f"06399810{turn:02d}")
            await eventually(lambda: any("confirmed" in phone.at for phone in lea.open.values()))
            await exchange.kill9()
            assert "answered" not in caller.at, "joined by an exchange that was frozen"
            await exchange.start()
            began = time.monotonic()
            await eventually(lambda caller=caller: "answered" in caller.at)
            waited.append(time.monotonic() - began)
            await asked.are(bureau, **{account.id: "talking"})
            (phone,) = lea.open.values()

            await exchange.kill9()
            callers.hang_up(caller)
            await exchange.start()
            began = time.monotonic()
            await eventually(lambda phone=phone: phone.end == "bye")
            held.append(time.monotonic() - began)
        await exchange.finished_call(count)
        await oracle.nothing_is_left(exchange)
        await oracle.each_call_ended_once(exchange)
        for call in await asked.calls(bureau, stories=True):
            kinds = [event["kind"] for event in call["events"]]
            assert (call["outcome"], kinds.count("bridged"), kinds.count("offered")) == ("served", 1, 1), (
                kinds
            )
            assert kinds.index("adopted") < kinds.index("bridged"), kinds
    finally:
        callers.close()
        lea.close()
    measured("picked up as it died: joined, after ready", max(waited), "s", at_most=5.0)
    measured("hung up meanwhile: the other is let go, after ready", max(held), "s", at_most=2.0)
