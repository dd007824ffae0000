"""Killed before and after every effect while a lead listens or a conversation is recorded: no ear stays behind, the
caller notices nothing, and no file is forgotten.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from autocom.core.model import Audio
from autocom.core.naming import call_of_ear
from autocom.core.orders import Record
from autocom.core.tapes import tapes
from tests.calls.test_supervising import bureau, ears
from tests.support.exchange_in_memory import Bench
from tests.support.fake_telephone import Habit
from tests.support.killing import Killed
from tests.support.virtual import run

NOTICES = {"recording_on": Audio("on", "on", 2.0), "recording_off": Audio("off", "off", 1.5)}

World = Callable[[Bench], "list[tuple[float, Callable[[], None]]]"]


def listening(bench: Bench) -> list[tuple[float, Callable[[], None]]]:
    """A lead listens, whispers, barges, and stays until the caller has left."""
    phone = bench.telephone
    return [
        (0.0, lambda: phone.dials("awa", "*3200") and None),
        (1.0, lambda: phone.presses("phone-awa-1", "2")),
        (2.0, lambda: phone.presses("phone-awa-1", "3")),
        (4.0, lambda: phone.caller_hangs_up("chan-1")),
        (8.0, lambda: phone.caller_hangs_up("phone-awa-1")),
    ]


def leaving(bench: Bench) -> list[tuple[float, Callable[[], None]]]:
    """The lead leaves first."""
    phone = bench.telephone
    return [
        (0.0, lambda: phone.dials("awa", "*3200") and None),
        (2.0, lambda: phone.caller_hangs_up("phone-awa-1")),
        (6.0, lambda: phone.caller_hangs_up("chan-1")),
    ]


def orders(bench: Bench, verb: str) -> Callable[[], None]:
    def say() -> None:
        assert bench.switchboard is not None
        if not bench.over():
            bench.switchboard.desk.order("lea", Record(verb))

    return say


def recording(bench: Bench) -> list[tuple[float, Callable[[], None]]]:
    """The conversation is recorded, paused, resumed; she puts him on hold by her phone; he hangs up."""
    phone = bench.telephone
    return [
        (0.0, orders(bench, "start")),
        (4.0, orders(bench, "pause")),
        (5.0, orders(bench, "resume")),
        (6.0, lambda: phone.holds("ring-c1-1-lea") if "ring-c1-1-lea" in phone.channels else None),
        (
            7.0,
            lambda: phone.holds("ring-c1-1-lea", held=False) if "ring-c1-1-lea" in phone.channels else None,
        ),
        (9.0, lambda: phone.caller_hangs_up("chan-1")),
    ]


WORLDS: dict[str, World] = {"listening": listening, "leaving": leaving, "recording": recording}


async def tell(world: World, kill_at: int | None, outage: float, *, when: str) -> tuple[Bench, int]:
    """A conversation, then the world; the exchange is killed around effect number `kill_at` of the latter."""
    made = bureau(recording="on_demand")
    bench = Bench(replace(made, stock=replace(made.stock, notices=NOTICES)))
    bench.telephone.lengths |= {"beep": 0.35, "on": 2.0, "off": 1.5}
    bench.telephone.habits["lea"] = Habit(answers=1.0)
    bench.start()
    await bench.pass_time(0.01)
    await bench.at_work("lea")
    bench.telephone.register("awa")
    bench.telephone.call_in("chan-1", "0199001001")
    await bench.pass_time(8.0)
    counted, dying = 0, False

    def around(what: str) -> None:
        nonlocal counted, dying
        if dying:
            raise Killed  # the dying process does nothing more
        if what == "overhear" and when == "before":
            assert any(who == "lea" for who, _ in bench.telephone.told), "heard before she was told"
        counted += 1
        if kill_at is not None and counted == kill_at + 1:
            dying = True
            raise Killed

    setattr(bench.telephone, when, around)
    acts, began = world(bench), bench.clock.now()
    last = acts[-1][0]
    while bench.clock.now() - began < last + outage + 15.0:
        while acts and bench.clock.now() - began >= acts[0][0]:
            acts.pop(0)[1]()
        await bench.pass_time(0.05)
        if dying and bench.over():
            dying, kill_at = False, None
            await bench.kill()
            await bench.pass_time(outage)
            bench.start()
    assert bench.failure() is None, bench.failure()
    return bench, counted


def check(bench: Bench) -> None:
    assert not ears(bench), "a ghost listens"
    assert not bench.telephone.channels, f"channels left: {list(bench.telephone.channels)}"
    assert not bench.telephone.bridges, f"bridges left: {bench.telephone.bridges}"
    assert not bench.journal.calls, "open calls left"
    kinds = Counter((e.call, e.kind) for e in bench.journal.entries)
    assert not [e for e in bench.journal.entries if e.kind == "crashed"]
    for call in ("c1", "c2"):
        assert kinds[call, "supervision_started"] == kinds[call, "supervision_ended"]
    heard = [what for _, what in bench.telephone.past["chan-1"].heard]
    assert heard.index("bridge:talk-c1-1") > 0
    assert bench.record("c1").outcome == "served"
    assert kinds["c1", "ended"] == 1
    used = Counter(name for name in bench.telephone.past if call_of_ear(name))
    assert all(times == 1 for times in used.values())
    kept, broken = tapes(bench.journal.rows("tape:"))
    assert not broken
    assert kinds["c1", "recording_started"] == kinds["c1", "recording_ended"] == len(kept)
    assert all(tape.ended is not None for tape in kept), "a recording that nobody ends"
    assert {t.recording for t in kept} >= set(bench.telephone.recordings), "a file that nobody knows of"
    assert all(f.ended is not None for f in bench.telephone.recordings.values()), "recorded for ever"


@pytest.mark.parametrize("name", WORLDS)
def test_the_world_itself_ends_well(name: str) -> None:
    async def story() -> None:
        bench, effects = await tell(WORLDS[name], None, 0.0, when="before")
        check(bench)
        assert effects > 3
        kinds = Counter(e.kind for e in bench.of("c1"))
        what = "recording_paused" if name == "recording" else "supervision_started"
        assert kinds[what] == {"listening": 1, "leaving": 1, "recording": 2}[name]
        await bench.kill()

    run(story())


@pytest.mark.parametrize("outage", [0.0, 1.0, 20.0])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", WORLDS)
def test_killed_at_every_effect_nobody_listens_on_and_nothing_is_left(
    name: str, when: str, outage: float
) -> None:
    async def count() -> int:
        bench, effects = await tell(WORLDS[name], None, 0.0, when=when)
        await bench.kill()
        return effects

    async def story(kill_at: int) -> None:
        bench, _ = await tell(WORLDS[name], kill_at, outage, when=when)
        check(bench)
        await bench.kill()

    for kill_at in range(run(count())):
        try:
            run(story(kill_at))
        except AssertionError as error:
            raise AssertionError(f"killed {when} effect {kill_at}, away {outage} s: {error}") from error


def test_kills_that_come_one_after_the_other_leave_nothing_either() -> None:
    async def story() -> None:
        bench, effects = await tell(listening, None, 0.0, when="after")
        await bench.kill()
        del bench
        for kill_at in range(0, effects, 3):
            again, _ = await tell(listening, kill_at, 0.3, when="after")
            await again.kill()
            await asyncio.sleep(0.2)
            again.start()
            await again.pass_time(2.0)
            check(again)
            await again.kill()

    run(story())
