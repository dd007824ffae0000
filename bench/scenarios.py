"""What is measured, against any engine: each scenario takes a room, places real calls and returns samples.

A room is one engine with its callers and its eight phones. Samples are milliseconds between two
SIP messages of one run, so the engines are held against each other under the same conditions.
Scenarios must not know which engine they run on.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeVar

from bench.engines import HOP, PLAIN, RING_FOR, SOLO, THREE, WRAP, WRAP_UP, Engine
from bench.sip import Call, Datagrams, Operator, Phone
from bench.voice import Voice
from tests.support.bureau import Account

WAITING = 5
RINGS = 0.010  # a phone's time until it is picked up
TALK = (0.03, 0.08)
SETTLE = 0.03
AT_ONCE = 0.06
PATIENCE = 15.0

T = TypeVar("T")
Samples = dict[str, list[float]]


@dataclass
class Room:
    """One engine with the parties around it. `async with`: the phones are registered."""

    engine: Engine
    accounts: tuple[Account, ...]
    phones: list[Phone] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self.voice = Voice()
        self.sink = Datagrams()
        self.operator = Operator(self.engine.server, self.sink.port)
        for account in self.accounts:
            phone = Phone(self.engine.server, account.id, account.password, self.sink.port)
            self.phones.append(phone)
            await phone.register()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for party in (self.operator, *self.phones):
            party.close()
        self.voice.close()
        self.sink.close()

    def when_invited(self, act: Callable[[Call], None]) -> None:
        for phone in self.phones:
            phone.on_invite = act

    async def quiet(self) -> None:
        """Everybody hangs up; nobody reacts to anything any more."""
        self.when_invited(lambda _call: None)
        self.operator.on_bye = lambda _call, _at: None
        for phone in self.phones:
            phone.on_bye = lambda _call, _at: None
        async with asyncio.timeout(PATIENCE):
            while self.operator.calls or any(phone.calls for phone in self.phones):
                # more than once: a CANCEL that overtakes its INVITE in Asterisk's threads is ignored
                for call in list(self.operator.calls.values()):
                    self.operator.hang_up(call)
                await asyncio.sleep(0.2)
        await asyncio.sleep(0.2)


async def _in_time(what: Awaitable[T], room: Room) -> T:
    """It, or an AssertionError that says where every call stands."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await what
    except TimeoutError:
        calls = [
            f"{party.user}: {call.number} {call.invite.start if call.invite else ''} {call.marks}"
            for party in (room.operator, *room.phones)
            for call in party.calls.values()
        ]
        raise AssertionError(f"{room.engine.name} stalls:\n" + "\n".join(calls)) from None


def milliseconds(start: int, end: int) -> float:
    return (end - start) / 1e6


async def served(room: Room, count: int, *, sound: bool = False) -> Samples:
    """One call after the other, everybody free: INVITE to INVITE, and with `sound` from her 200 to her
    voice at the caller."""
    set_up: list[float] = []
    parting: list[float] = []
    heard: list[float] = []
    loop = asyncio.get_running_loop()
    legs: asyncio.Queue[Call] = asyncio.Queue()
    voice = room.voice
    media = voice.port if sound else room.sink.port
    room.operator.media = media
    for phone in room.phones:
        phone.media = voice.her_port if sound else room.sink.port

    def pick_up(leg: Call) -> None:
        assert leg.phone is not None
        answered = leg.phone.answer(leg)
        if sound and answered:
            voice.speak(leg.media, answered)

    def ring(leg: Call) -> None:
        legs.put_nowait(leg)
        loop.call_later(RINGS, pick_up, leg)

    room.when_invited(ring)
    for _ in range(count):
        caller = room.operator.dial(PLAIN)
        leg = await _in_time(legs.get(), room)
        set_up.append(milliseconds(caller.marks["invite"], leg.marks["invite"]))
        await _in_time(caller.picked_up.wait(), room)
        if sound:
            heard.append(milliseconds(leg.marks["answered"], await _in_time(voice.heard(), room)))
        await asyncio.sleep(random.uniform(*TALK))
        room.operator.bye(caller)
        await _in_time(leg.ended.wait(), room)
        parting.append(milliseconds(caller.marks["bye"], leg.marks["bye"]))
        await asyncio.sleep(SETTLE)
    await room.quiet()
    return {"voice": heard} if sound else {"set_up": set_up, "parting": parting}


async def free(room: Room, count: int) -> Samples:
    """Three secretaries, five callers waiting: her BYE to her next INVITE."""
    found, overtaken = await _busy_floor(room, THREE, count)
    return {"free": found, "overtaken": [float(overtaken)]}


async def wrap_up(room: Room, count: int) -> Samples:
    """The same with a wrap-up time: how long after its end her phone rings."""
    found, _ = await _busy_floor(room, WRAP, count)
    return {"wrap_up": [sample - WRAP_UP * 1000 for sample in found]}


async def _busy_floor(room: Room, did: str, count: int) -> tuple[list[float], int]:
    """The samples, and how many callers were rung before one who waited longer."""
    found: list[float] = []
    done = asyncio.Event()
    hung_up: dict[str, int] = {}
    loop = asyncio.get_running_loop()
    waiting: dict[str, Call] = {}
    room.operator.media = room.sink.port
    overtaken = [0]

    def dial() -> None:
        caller = room.operator.dial(did)
        waiting[caller.number[-9:]] = caller

    def pick_up(leg: Call) -> None:
        assert leg.phone is not None
        if leg.phone.answer(leg):
            loop.call_later(random.uniform(*TALK), put_down, leg)

    def put_down(leg: Call) -> None:
        assert leg.phone is not None
        if leg.id in leg.phone.calls:
            hung_up[leg.phone.user] = leg.phone.bye(leg)

    def ring(leg: Call) -> None:
        assert leg.phone is not None
        before = hung_up.pop(leg.phone.user, None)
        if before is not None:
            found.append(milliseconds(before, leg.marks["invite"]))
        mine = waiting.pop(leg.number[-9:], None)
        if mine is not None:
            # two offers of one moment may reach their phones in either order: look a little later
            loop.call_later(AT_ONCE, count_overtaken, mine)
        if len(found) >= count:
            done.set()
        else:
            loop.call_later(RINGS, pick_up, leg)

    def count_overtaken(mine: Call) -> None:
        since = mine.marks["invite"] - AT_ONCE * 1e9
        overtaken[0] += any(w.marks["invite"] < since for w in waiting.values())

    room.when_invited(ring)
    room.operator.on_bye = lambda _call, _at: None if done.is_set() else dial()
    for _ in range(WAITING + 3):
        dial()
        await asyncio.sleep(0.02)
    async with asyncio.timeout(PATIENCE + count * 2.0):
        await done.wait()
    await room.quiet()
    return found[:count], overtaken[0]


async def resume(room: Room, count: int) -> Samples:
    """One secretary, paused, five callers waiting: the order to resume to her INVITE."""
    found: list[float] = []
    who = room.accounts[0].id
    legs: asyncio.Queue[Call] = asyncio.Queue()
    room.when_invited(legs.put_nowait)
    await room.engine.pause(who, paused=True)
    for _ in range(WAITING):
        room.operator.dial(SOLO)
    await asyncio.sleep(0.3)
    for _ in range(count):
        room.operator.dial(SOLO)
        await asyncio.sleep(random.uniform(0.05, 0.15))
        at = await room.engine.pause(who, paused=False)
        async with asyncio.timeout(PATIENCE):
            leg = await legs.get()
        found.append(milliseconds(at, leg.marks["invite"]))
        assert leg.phone is not None
        leg.phone.answer(leg)
        await asyncio.sleep(TALK[1])  # joined by now: a pause while it rings would take the call from her
        await room.engine.pause(who, paused=True)
        await asyncio.sleep(TALK[0])
        leg.phone.bye(leg)
    await room.quiet()
    await room.engine.pause(who, paused=False)
    return {"resume": found}


async def hop(room: Room, count: int) -> Samples:
    """The first phone is not picked up: how long after her ring time the second one rings. Four
    callers at a time."""
    found: list[float] = []
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    rung: Counter[str] = Counter()
    first: dict[str, int] = {}

    def ring(leg: Call) -> None:
        caller = leg.number[-9:]
        rung[caller] += 1
        if rung[caller] == 1:
            first[caller] = leg.marks["invite"]
        elif rung[caller] == 2:
            found.append(milliseconds(first[caller], leg.marks["invite"]) - RING_FOR * 1000)
            loop.call_later(RINGS, pick_up, leg)
        if len(found) >= count:
            done.set()

    def pick_up(leg: Call) -> None:
        assert leg.phone is not None
        if leg.phone.answer(leg):
            loop.call_later(TALK[0], put_down, leg)

    def put_down(leg: Call) -> None:
        assert leg.phone is not None
        if leg.id in leg.phone.calls:
            leg.phone.bye(leg)

    room.when_invited(ring)
    room.operator.on_bye = lambda _call, _at: None if done.is_set() else room.operator.dial(HOP) and None
    for _ in range(4):
        room.operator.dial(HOP)
        await asyncio.sleep(0.11)
    async with asyncio.timeout(PATIENCE + count * 2.0):
        await done.wait()
    await room.quiet()
    return {"hop": found[:count]}
