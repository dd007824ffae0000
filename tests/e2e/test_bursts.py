"""More callers at once than anybody expects: who calls is greeted or politely refused, who talks hears no gap.

Reference conversations with sound (tones both ways, laid on a time line) stand before the burst and after it. Callers
of the burst are raw and silent; each is heard of by the second, waits, and hangs up. In `make test` sixty of them; in
`make chaos` two hundred within a second, then a thousand at fifty a second, of whom as many are taken as there are ports.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support import PATIENCE, asked, oracle
from tests.support.bureau import CALLER, MESSAGE, VOICES, Bureau, client, play, queue
from tests.support.eventually import eventually
from tests.support.exchange import Exchange
from tests.support.fault_matrix import Measured
from tests.support.hasty import Desk, Hasty, HastyCall, Ringing
from tests.support.leg import Leg
from tests.support.loop_lag import Lag
from tests.support.phones import Phones
from tests.support.ports import few_rtp_ports

pytestmark = [pytest.mark.timeout(900)]
TALK, WAITS, LIMITED, PATIENT = "0199001001", "0199001002", "0199001003", "0199001004"
BOUGHT = 5
BUSY, NO_ROOM = 486, 503
_numbers = itertools.count(1)


def bureau_for(folder: Path, talks: int, ports: str | None) -> Bureau:
    """All secretaries will be talking; one client's callers wait for them, another one has bought five calls."""
    bureau = Bureau.at(folder, secretaries=talks)
    bureau.client("lilas")["rules"][0]["do"] = [queue(ring_for="10s")]
    short = bureau.sound("short", MESSAGE, 0.6)
    bureau.add(client("burst", f"+33{WAITS[1:]}", rules=[{"name": "open", "do": [play(short), queue()]}]))
    full = queue(on_full=[{"hangup": "busy"}])
    limited = client("limited", f"+33{LIMITED[1:]}", rules=[{"name": "open", "do": [play(short), full]}])
    bureau.add(limited | {"max_calls": BOUGHT})
    bureau.rtp = ports or bureau.rtp
    bureau.write()
    return bureau


async def conversations(phones: Phones, exchange: Exchange) -> list[tuple[Leg, Leg]]:
    """Every secretary talks; both sides hear each other."""
    bureau, pairs = exchange.bureau, []
    for n, account in enumerate(bureau.secretaries):
        hers = await phones.secretary(
            account.id, account.password, bureau.sip, say=account.voice, answer_after=0.1
        )
        await exchange.free(account.id)
        his = await phones.dial(bureau.uri(TALK), f"06399890{n:02}", say=CALLER)
        await his.hears(account.voice)
        await hers.call.hears(CALLER)
        pairs.append((his, hers.call))
    return pairs


def longest_gap(pairs: list[tuple[Leg, Leg]]) -> float:
    """Seconds without the other's voice, from its first tone on, of whoever had the longest."""
    spans = [(leg.gaps(at_least=0.04), leg.heard(at_least=0.3)) for pair in pairs for leg in pair]
    for _, heard in spans:
        assert heard[-1] in {(CALLER,), *((voice,) for voice in VOICES)}, heard
    voices = {(CALLER,), *((voice,) for voice in VOICES)}
    return max(
        (gap.seconds for gaps, _ in spans for gap in gaps if {gap.after, gap.before} <= voices), default=0.0
    )


async def come(callers: Hasty, many: int, per_second: float, *dids: str) -> list[HastyCall]:
    """So many INVITEs at that pace, to these numbers in turn."""
    began, calls = time.monotonic(), []
    for n in range(many):
        await asyncio.sleep(max(0.0, began + n / per_second - time.monotonic()))
        calls.append(callers.dial(dids[n % len(dids)], f"063998{next(_numbers):04}"))
    return calls


def heard_of(call: HastyCall) -> float:
    """Seconds until he heard something, or was refused."""
    return (
        min(at for status, at in call.seen.items() if isinstance(status, int) and status > 100)
        - call.asked_at
    )


@pytest.mark.fault("F37", "F38")
async def test_a_burst_of_callers_is_greeted_or_refused_and_conversations_have_no_gap(
    tmp_path: Path, start_exchange: Any, measured: Measured, rounds: Callable[[Any, Any], Any]
) -> None:
    waves = rounds([(60, 60.0)], [(200, 200.0), (1000, 50.0)])
    bureau = bureau_for(tmp_path, rounds(2, 4), rounds(None, "6000-6999"))
    exchange = await start_exchange(bureau)
    us = psutil.Process(exchange.pid)
    pbx = psutil.Process(int((bureau.state / "asterisk" / "run" / "asterisk.pid").read_text()))
    everybody: list[HastyCall] = []
    fell = no_rooms = 0
    async with Phones() as phones, Hasty(bureau.sip) as callers:
        pairs = await conversations(phones, exchange)
        for many, per_second in waves:
            at_first = us.memory_info().rss, pbx.memory_info().rss
            lag = await Lag.since(bureau)
            calls = await come(callers, many, per_second, LIMITED, WAITS, WAITS, WAITS)
            everybody += calls
            for call in calls:
                await call.has(183, 200, BUSY, NO_ROOM, within=60)
            took = sorted(map(heard_of, calls))
            refused = [call for call in calls if call.status in {BUSY, NO_ROOM}]
            waiting = many - len(refused)
            no_room = sum(call.status == NO_ROOM for call in refused)
            no_rooms += no_room
            assert no_room == 0 or many > 400, "only what was bought, and the ports, are limits"
            await asked.until(
                bureau,
                lambda s, most=waiting + fell: len(s["waiting"]) + oracle.unclaimed(exchange) == most,
                within=60,
            )
            late = oracle.unclaimed(exchange) - fell
            fell += late
            assert len(refused) + late >= (many // 4 - BOUGHT if no_room == 0 else many - 400)
            for his, hers in pairs:
                await hers.hears(CALLER, for_seconds=0.6)
                assert his.close_reason is None
            label = f"{many} calls at {per_second:g} a second"
            measured(f"{label}: greeted or refused after, 95 of 100", took[int(0.95 * many)], at_most=2.0)
            measured(f"{label}: the last one after", took[-1], at_most=4.0)
            measured(f"{label}: waiting at one time", waiting - late, "")
            measured(f"{label}: refused, no port left (503)", no_room, "")
            measured(f"{label}: taken too late, so that the dialplan served", late, "", at_most=many / 50)
            measured(f"{label}: event loop late, 95 of 100", await lag.now(0.95), at_most=1.0)
            ours, theirs = us.memory_info().rss - at_first[0], pbx.memory_info().rss - at_first[1]
            measured(f"{label}: memory a call", max(0, ours) / many / 1024, "kB", at_most=200)
            measured(f"{label}: memory a call, Asterisk", max(0, theirs) / many / 1024, "kB", at_most=1000)
            for call in calls:
                call.leave()
            for call in calls:
                await call.over(60)
            await asked.until(bureau, lambda s: not s["waiting"], within=60)
        measured("longest gap in a conversation", longest_gap(pairs), at_most=0.3)
        for his, _ in pairs:
            await his.hangup()
        await asked.until(bureau, lambda s: s["calls"] == 0, within=60)
    await oracle.nothing_is_left(exchange)
    expected = len(everybody) + len(pairs)
    # what the dialplan served is written down by its own record, which comes in by and by
    async with asyncio.timeout(60):
        while len(rows := await asked.calls(bureau)) < expected:
            await asyncio.sleep(0.5)
    assert len({row["caller"] for row in rows}) == len(rows) == expected
    await oracle.each_call_ended_once(exchange)
    outcomes = Counter(row["outcome"] for row in rows)
    assert outcomes["served"] == len(pairs)
    assert outcomes["fallback"] == fell
    assert sum(row["cause"] == "no_room" for row in rows) == no_rooms
    assert outcomes["full"] + outcomes["abandoned"] + fell == expected - len(pairs), outcomes


@pytest.mark.fault("F38")
async def test_whom_asterisk_has_no_room_for_is_in_the_journal_and_somebody_is_told(
    tmp_path: Path, start_exchange: Any
) -> None:
    bureau = bureau_for(tmp_path, 1, "{}-{}".format(*few_rtp_ports(20)))
    exchange = await start_exchange(bureau)
    async with Hasty(bureau.sip) as callers:
        calls = []
        for n in range(12):  # one by one: a refused one, too, holds ports for a moment
            calls.append(callers.dial(WAITS, f"063998{n:04}"))
            await calls[-1].has(183, NO_ROOM, within=60)
        refused = {call.number for call in calls if call.status == NO_ROOM}
        assert len(refused) == 12 - 8, "ten pairs of ports, and a fifth for the phones"
        for call in calls:
            call.leave()
            await call.over(60)
    async with asyncio.timeout(PATIENCE):
        while len(rows := await asked.calls(bureau)) < len(calls):
            await asyncio.sleep(0.1)
    assert len(rows) == len(calls)
    full = [row for row in rows if row["outcome"] == "full"]
    assert {row["caller"].replace("+33", "0") for row in full} == refused
    assert {(row["client"], row["did"], row["cause"]) for row in full} == {
        ("burst", "+33199001002", "no_room")
    }
    told: list[Any] = []
    async with asyncio.timeout(PATIENCE):
        while not told:
            active = json.loads(await exchange.cli("alerts", "--json"))["active"]
            told = [alert["count"] for alert in active if alert["alert"] == "calls_refused"]
    assert told == [len(full)]
    assert "ends: full (Asterisk took no call more)" in await exchange.cli("call", full[0]["id"])
    await oracle.nothing_is_left(exchange)
    await oracle.each_call_ended_once(exchange)


@pytest.mark.fault("F38")
async def test_of_a_thousand_who_wait_each_has_his_place(
    tmp_path: Path, start_exchange: Any, measured: Measured, rounds: Callable[[Any, Any], Any]
) -> None:
    """They hear ringing, so that no sound has to be made for any of them: what is tried is the queue."""
    many, per_second = rounds(60, 1000), 40.0
    bureau = bureau_for(tmp_path, 1, rounds(None, "6000-9999"))
    rules = [{"name": "open", "do": [queue(music="ringback", ring_for="10s")]}]
    bureau.add(client("patient", f"+33{PATIENT[1:]}", rules=rules))
    bureau.write()
    exchange = await start_exchange(bureau)
    account = bureau.secretaries[0]
    async with Hasty(bureau.sip) as callers:
        lag = await Lag.since(bureau)
        calls = await come(callers, many, per_second, PATIENT)
        for call in calls:
            await call.has(180, 183, within=60)
        await asked.until(bureau, lambda s: len(s["waiting"]) + oracle.unclaimed(exchange) == many, within=60)
        late = oracle.unclaimed(exchange)
        measured("taken too late, so that the dialplan served", late, "", at_most=many / 50)
        measured("waiting at one time, who hear ringing", many - late, "")
        measured("heard of, the last one after", max(map(heard_of, calls)), at_most=2.0)
        order = [waiting["caller"].replace("+33", "0") for waiting in (await exchange.status())["waiting"]]
        for call in calls:
            if call.number not in order:  # the dialplan's: it would ring her, too
                call.leave()
                await call.over(60)
        async with Desk(bureau.sip, account.id, account.password) as lea:
            lea.picks_up = lambda: 0.0
            by_number = {call.number: call for call in calls}
            hops = []
            for nth in range(1, 21):
                ring = await lea.joined(nth, within=60)
                assert ring.number == order[nth - 1], "whoever came first is the next"
                await by_number[ring.number].has(200)
                left = time.monotonic()
                by_number[ring.number].leave()
                hops.append((await rung(lea, nth + 1)).began - left)
            measured("he leaves, the next INVITE, as a rule", sorted(hops)[len(hops) // 2], at_most=0.3)
            measured("event loop late, 95 of 100", await lag.now(0.95), at_most=1.0)
            for call in calls:
                call.leave()
            for call in calls:
                await call.over(60)
            await asked.until(bureau, lambda s: s["calls"] == 0, within=60)
    async with asyncio.timeout(60):
        while len(rows := await asked.calls(bureau)) < many:
            await asyncio.sleep(0.5)
    assert len({row["caller"] for row in rows}) == len(rows) == many
    outcomes = Counter(row["outcome"] for row in rows)
    assert outcomes["fallback"] == late
    assert outcomes.keys() <= {"served", "abandoned", "fallback"}, "he may leave as the two are joined"
    await oracle.nothing_is_left(exchange)
    await oracle.each_call_ended_once(exchange)


async def rung(phone: Desk, nth: int) -> Ringing:
    """The `nth` ring of this phone, waited for."""
    await eventually(lambda: len(phone.rings) >= nth, "her phone does not ring")
    return phone.rings[nth - 1]
