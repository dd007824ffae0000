"""What callers do to an exchange: hang up at any moment of a call, two in one instant, keys by the hundred, and SIP that
comes in another order than expected. One exchange for all of them: what one leaves behind, the next one notices.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import statistics
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psutil
import pytest
import pytest_asyncio

from tests.support import PATIENCE, asked, oracle
from tests.support.bureau import MESSAGE, Bureau, client, play, queue
from tests.support.exchange import Exchange
from tests.support.fault_matrix import Measured
from tests.support.hasty import LEFT, OVER, Desk, Hasty, HastyCall, Ringing
from tests.support.keys import Keys
from tests.support.loop_lag import Lag

pytestmark = [pytest.mark.timeout(120)]
MUSIC_ONLY, EARLY, ANSWERED, MUST_HEAR, GREETED, VOICEMAIL, MENU, LONG, KEYS = (
    f"019900{n}" for n in range(1011, 1020)
)
_numbers = itertools.count(1)
HEARD = {180, 183, 200}


def number() -> str:
    """A caller who never called before: no two of a run are taken for one."""
    return f"063998{next(_numbers):04}"


def answering_service(folder: Any) -> Bureau:
    """Four secretaries and a client for each shape that a call may have."""
    bureau = Bureau.at(folder, secretaries=4)
    short = bureau.sound("short", MESSAGE, 0.6)
    shapes: dict[str, list[Any]] = {
        MUSIC_ONLY: [queue(ring_for="1s")],
        EARLY: [play(short), queue(ring_for="1s")],
        ANSWERED: [play(short, mode="answered"), queue(ring_for="1s", ring="all")],
        MUST_HEAR: [play(short, mode="answered", must_hear=True), queue(ring_for="1s")],
        GREETED: [queue(ring_for="1s", on_answer={"sound": short})],
        VOICEMAIL: [queue(max_wait="1s", on_timeout=[{"voicemail": {"play": {"sound": short}, "max": "2s"}}])],
        MENU: [{"menu": {"play": {"sound": short}, "keys": {"1": [{"hangup": "busy"}]}, "wait": "1s",
                         "otherwise": [queue(ring_for="1s")]}}],
        LONG: [play(bureau.sound("long", MESSAGE, 30)), queue()],
        KEYS: ["answer", queue(keys={"1": [{"hangup": "normal"}]})],
    }  # fmt: skip
    del bureau.clients["lilas"]
    for n, (did, steps) in enumerate(shapes.items()):
        bureau.add(client(f"practice-{n}", f"+33{did[1:]}", rules=[{"name": "open", "do": steps}]))
    bureau.write()
    return bureau


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def exchange(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Exchange]:
    """One for all."""
    async with Exchange(answering_service(tmp_path_factory.mktemp("callers"))) as running:
        yield running


@asynccontextmanager
async def desks(exchange: Exchange, count: int = 4) -> AsyncIterator[list[Desk]]:
    """The first so many secretaries at their phones, free."""
    accounts = exchange.bureau.secretaries[:count]
    async with AsyncExitStack() as stack:
        made = [
            await stack.enter_async_context(Desk(exchange.bureau.sip, a.id, a.password)) for a in accounts
        ]
        # of phones that have just left, the floor hears some milliseconds after they do
        others = dict.fromkeys((a.id for a in exchange.bureau.secretaries[count:]), "offline")
        await asked.are(exchange.bureau, **dict.fromkeys((a.id for a in accounts), "free"), **others)
        yield made


async def journalled(exchange: Exchange, calls: list[HastyCall]) -> dict[str, list[dict[str, Any]]]:
    """The records of these callers, by their number, once nobody is on the line."""
    await asked.until(exchange.bureau, lambda s: s["calls"] == 0 and not s["waiting"], 20)
    mine = {f"+33{call.number[1:]}": call.number for call in calls}
    heard = {number for number, call in zip(mine, calls, strict=True) if call.seen.keys() & HEARD}
    with suppress(TimeoutError):  # the dialplan's own records come in by and by
        async with asyncio.timeout(PATIENCE):
            while not heard <= {row["caller"] for row in await asked.calls(exchange.bureau)}:
                await asyncio.sleep(0.5)
    found: dict[str, list[dict[str, Any]]] = {call.number: [] for call in calls}
    for row in await asked.calls(exchange.bureau, stories=True):
        if row["caller"] in mine:
            found[mine[row["caller"]]].append(row)
    return found


def is_whole(row: dict[str, Any]) -> None:
    """It arrived once, ended once, and was never a crash."""
    kinds = [event["kind"] for event in row["events"]]
    assert (kinds.count("arrived"), kinds.count("ended"), kinds.count("crashed")) == (1, 1, 0), kinds
    assert row["outcome"] is not None, row


# --- he hangs up ------------------------------------------------------------------------------

STATUSES, HERS = (100, 180, 183, 200), ("rings", "answers", "confirmed")
BETWEEN = 3.0
"""Seconds within which a caller leaves who waits for no moment."""


@dataclass
class Sweep:
    """Callers who hang up at a moment each, drawn by `chance`, beside phones that answer as they like."""

    callers: Hasty
    phones: list[Desk]
    chance: random.Random
    calls: list[HastyCall]

    def __post_init__(self) -> None:
        self.moments: dict[str, tuple[str, HastyCall]] = {}
        for phone in self.phones:
            phone.told = self.told
            phone.picks_up = lambda: self.chance.choice((None, 0.0, 0.0, 0.02, 0.3, 1.2))

    def told(self, ring: Ringing, what: str) -> None:
        """Something happened to a phone; perhaps the moment of its caller."""
        awaited, call = self.moments.get(ring.number, ("", None))
        if awaited == what and call is not None:
            call.leave()

    async def one(self) -> None:
        """A call from its INVITE until nothing is left of it."""
        did = self.chance.choice((MUSIC_ONLY, EARLY, ANSWERED, MUST_HEAR, GREETED, VOICEMAIL, MENU))
        kind = self.chance.choice(("time", "time", "time", "status", "hers", "hers", "hold"))
        call = self.callers.dial(did, number())
        self.calls.append(call)
        leaves = self.chance.uniform(0, BETWEEN) if kind == "time" else BETWEEN
        match kind:
            case "status":
                call.when(self.chance.choice(STATUSES), call.leave)
            case "hers":
                self.moments[call.number] = self.chance.choice(HERS), call
            case "hold":
                after = self.chance.choice((0.0, 0.001, 0.01, 0.05, 0.3))
                call.when(200, lambda: self.holds(call, after))
        later = asyncio.get_running_loop().call_later(leaves, call.leave)
        try:
            await call.over(20)
        finally:
            later.cancel()

    def holds(self, call: HastyCall, after: float) -> None:
        """A re-INVITE right behind his ACK, and he leaves around its answer."""
        sdp = call.invite.split("\r\n\r\n", 1)[1] + "a=sendonly\r\n"
        call.send("INVITE", sdp)
        asyncio.get_running_loop().call_later(after, call.leave)


def after_he_left(phones: list[Desk], calls: list[HastyCall]) -> tuple[list[float], list[float]]:
    """Over all rings: how long after her caller had left each began (where it did), and how long it went on."""
    gone = {call.number: call.seen.get(LEFT, call.seen.get(OVER, 0.0)) for call in calls}
    began, stopped = [], []
    for ring in (ring for phone in phones for ring in phone.rings):
        assert ring.stopped is not None, f"her phone still rings or talks for {ring}"
        left = gone[ring.number]
        if ring.began > left:
            began.append(ring.began - left)
        if ring.stopped > left:
            stopped.append(ring.stopped - left)
    return began, stopped


@pytest.mark.fault("F26")
@pytest.mark.timeout(1500)
async def test_a_caller_who_hangs_up_at_whatever_moment_leaves_no_phone_ringing_and_one_record(
    exchange: Exchange, measured: Measured, rounds: Callable[[float, float], Any]
) -> None:
    chance = random.Random(26)
    many, at_once = rounds(40, 2000), rounds(14, 16)
    async with desks(exchange) as phones, Hasty(exchange.bureau.sip) as callers:
        sweep = Sweep(callers, phones, chance, [])
        turns: Iterator[int] = iter(range(many))

        async def one_after_the_other() -> None:
            for _ in turns:
                await sweep.one()
                await asyncio.sleep(chance.uniform(0, 0.3))

        async with asyncio.TaskGroup() as tasks:
            for _ in range(at_once):
                tasks.create_task(one_after_the_other())
        await exchange.free()
        began, stopped = after_he_left(phones, sweep.calls)
        rang = sum(len(phone.rings) for phone in phones)
    assert len(sweep.calls) == many
    assert rang > many / 4, "hardly anybody's phone ever rang: nothing was tried"
    measured("phones that began to ring after he had left", max(began, default=0.0), at_most=0.5)
    measured("a phone stops after he left", max(stopped, default=0.0), at_most=0.5)
    records = await journalled(exchange, sweep.calls)
    unknown = []
    fell = off = 0.0
    for call in sweep.calls:
        rows = records[call.number]
        assert len(rows) <= 1, rows
        if not rows:
            # he left while his call was being taken: nobody had it yet, and he heard nothing
            assert not call.seen.keys() & HEARD, call.seen
            unknown.append(call)
            continue
        is_whole(rows[0])
        lasted = call.seen.get(LEFT, call.seen[OVER]) - call.asked_at
        ways_out = {"timeout", "voicemail"} if rows[0]["did"] == f"+33{VOICEMAIL[1:]}" else set()
        fell += rows[0]["outcome"] == "fallback"
        assert rows[0]["outcome"] in {"abandoned", "served", "fallback"} | ways_out, rows[0]
        if rows[0]["outcome"] == "abandoned":
            assert rows[0]["cause"] in {"short", "during_message", "during_music", "while_ringing"}, rows[0]
            off = max(off, abs(rows[0]["wait_ms"] / 1000 - lasted))
    measured("taken too late, so that the dialplan served", fell, "", at_most=many / 50)
    measured("his wait in the journal and on his own clock differ by", off, at_most=2.0)
    longest = max((call.seen[LEFT] - call.asked_at for call in unknown), default=0.0)
    measured("after so long a call had no record yet", longest, at_most=0.25)
    await oracle.nothing_is_left(exchange)


# --- two in one instant -----------------------------------------------------------------------


@pytest.mark.fault("F27")
@pytest.mark.timeout(1500)
async def test_of_two_callers_in_one_instant_one_is_joined_and_the_other_waits_for_the_same_secretary(
    exchange: Exchange, measured: Measured, rounds: Callable[[float, float], Any]
) -> None:
    chance = random.Random(27)
    calls: list[HastyCall] = []
    at_once: list[int] = []
    apart: list[float] = []
    many = rounds(20, 500)
    async with desks(exchange, 1) as (lea,), Hasty(exchange.bureau.sip) as callers:
        lea.told = lambda _ring, _what: at_once.append(len(lea.open_rings))
        lea.picks_up = lambda: chance.choice((0.0, 0.01, 0.05))
        for turn in range(many):
            pair = [callers.dial(MUSIC_ONLY, number()) for _ in range(2)]
            calls += pair
            apart.append(pair[1].asked_at - pair[0].asked_at)
            first = await lea.joined(2 * turn + 1)
            served, waits = sorted(pair, key=lambda call: call.number != first.number)
            await served.has(200)
            await waits.has(183, 200)
            await oracle.joined(exchange.bureau)
            served.leave()
            second = await lea.joined(2 * turn + 2)
            assert (first.number, second.number) == (served.number, waits.number)
            await waits.has(200)
            await oracle.joined(exchange.bureau)
            waits.leave()
            for call in pair:
                await call.over()
            await exchange.free("lea")
    assert max(at_once) == 1, "she had two calls at one time"
    for caller, rows in (await journalled(exchange, calls)).items():
        assert [row["outcome"] for row in rows] == ["served"], (caller, rows)
        is_whole(rows[0])
        assert rows[0]["offers"] == 1, (
            f"rung once, and joined: {[event for event in rows[0]['events'] if 'offer' in event['kind']]}"
        )
    measured("pairs", many, "")
    # both are sent in one turn of this loop; what Asterisk makes of it is its own
    measured("from one INVITE that is sent to the next, as a rule", statistics.median(apart), at_most=0.001)


# --- keys -------------------------------------------------------------------------------------


def seconds_of(process: psutil.Process) -> float:
    """Of a processor, that it has used."""
    spent = process.cpu_times()
    return float(spent.user + spent.system)


EACH = 20
"""Keys a second and caller."""


@pytest.mark.fault("F39")
@pytest.mark.timeout(300)
async def test_a_flood_of_keys_from_fifty_callers_holds_nobody_up(
    exchange: Exchange, measured: Measured, rounds: Callable[[float, float], Any]
) -> None:
    chance = random.Random(39)
    us = psutil.Process(exchange.pid)
    before = us.memory_info().rss
    calls: list[HastyCall] = []
    slowest = taken = busy = pressed = 0.0
    lasts = rounds(3, 12)
    await oracle.set_rtp_timeout(exchange.bureau, 120)  # the phones are silent, however long it takes
    async with desks(exchange) as phones, Hasty(exchange.bureau.sip) as callers:
        for phone in phones:
            phone.picks_up = lambda: 0.0
        for _ in range(rounds(1, 6)):
            late_for = oracle.unclaimed(exchange)
            dids = [KEYS] * 25 + [LONG] * 15 + [MENU] * 10
            mine = [callers.dial(did, number()) for did in dids]
            calls += mine
            for call in mine:
                await call.has(183, 200)
            await asked.until(
                exchange.bureau,
                lambda s, before=late_for: len(s["waiting"]) + oracle.unclaimed(exchange) - before >= 21,
            )
            calm = callers.dial(KEYS, number())
            calls.append(calm)
            await calm.has(200)
            late, spent, began = await Lag.since(exchange.bureau), seconds_of(us), time.monotonic()
            with Keys() as keys:
                for turn in range(EACH * lasts):
                    for n, call in enumerate(mine):
                        press = keys.press if n % 5 else keys.press_by_info
                        press(call, chance.choice("23456789*#0"))
                    if turn in range(0, 20, 5):
                        keys.press(calm, "9")  # Asterisk believes no packets before it has seen some
                    if turn == EACH * lasts // 2:
                        keys.press(calm, "1")
                        pressed = time.monotonic()
                    await asyncio.sleep(max(0.0, began + (turn + 1) / EACH - time.monotonic()))
            busy = max(busy, (seconds_of(us) - spent) / (time.monotonic() - began))
            # a key that means something is heard, of one who presses no others
            await calm.over()
            taken = max(taken, calm.seen[OVER] - pressed)
            slowest = max(slowest, await late.now(0.95))
            assert not any(call.is_over for call in mine), "nobody leaves for a key that means nothing"
            assert sum(len(phone.open_rings) for phone in phones) == 4, "who talks goes on talking"
            for call in mine:
                call.leave()
            for call in mine:
                await call.over()
            await exchange.free()
    measured("of a processor", busy, at_most=0.5, unit="")
    # how late the loop is beside other tests is theirs
    measured("event loop, 19 of 20 times at most late by", slowest, at_most=rounds(1.0, 0.05))
    measured("another caller's key has led out of the call after", taken, at_most=3.0)
    measured("memory more", (us.memory_info().rss - before) / 2**20, "MB", at_most=30.0)
    for caller, rows in (await journalled(exchange, calls)).items():
        assert len(rows) == 1, caller
        is_whole(rows[0])
        assert len(rows[0]["events"]) < 40, "keys that mean nothing are no facts"
    await oracle.nothing_is_left(exchange)
