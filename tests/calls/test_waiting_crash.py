"""The exchange is killed before and after every effect while callers hear announcements, press keys and are
called back. Whatever the instant: nothing is said twice, nobody is lost, stuck or rung for nothing.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import pytest

from autocom.core.model import (
    Announcements,
    Callback,
    Enqueue,
    Hangup,
    Play,
    Trunk,
)
from tests.calls.test_promise import HIM, HOLD, OPEN, PROMISED, REFUSED
from tests.calls.test_waiting import PHRASES
from tests.support.exchange_in_memory import CALM, CLOSED, WELCOME, Bench, client, configuration
from tests.support.fake_telephone import Habit
from tests.support.killing import Death
from tests.support.virtual import run

OVER = 120.0
EVERY = 12.0


@dataclass(frozen=True)
class Plot:
    """What the caller waits in, and what the world does meanwhile."""

    name: str
    steps: tuple[object, ...]
    world: Callable[[Bench], Awaitable[None]]
    ends_with: str  # how what he heard last begins


async def patient(bench: Bench) -> None:
    """Waits for forty seconds, then somebody answers."""
    await asyncio.sleep(40)
    bench.telephone.habits["lea"] = Habit(1.0)
    await asyncio.sleep(40)
    bench.telephone.caller_hangs_up("chan-1")


async def impatient(bench: Bench) -> None:
    """Presses his key until it does something."""
    await asyncio.sleep(6)
    while "chan-1" in bench.telephone.channels:
        bench.telephone.presses("chan-1", "1")
        await asyncio.sleep(2)


async def called_back(bench: Bench) -> None:
    """Asks to be called back; somebody is free soon, and he answers and talks."""
    await impatient(bench)
    bench.telephone.habits["lea"] = Habit(1.5)


ANNOUNCING = Announcements(position=True, wait=True, every=EVERY, first_after=6.0)
PLOTS = [
    Plot("announcements", (Play(WELCOME), Enqueue("medical", CALM, announce=ANNOUNCING)), patient, "bridge"),
    Plot(
        "key",
        (Play(WELCOME), Enqueue("medical", CALM, keys={"1": (Play(CLOSED), Hangup())})),
        impatient,
        "closed",
    ),
    Plot(
        "callback",
        (Enqueue("medical", CALM, keys={"1": (Callback(tries=3, retry_after=5.0),)}),),
        called_back,
        "bridge",
    ),
]


async def tell(plot: Plot, kill_at: int | None, outage: float, *, when: str) -> tuple[Bench, int]:
    """Run the plot; kill the exchange around effect number `kill_at`."""
    plain = configuration(client("lilas", "+33199001001", *plot.steps, hours=OPEN, early_limit=999.0))
    stock = replace(
        plain.stock,
        phrases={"fr": PHRASES},
        callback_promised=PROMISED,
        callback_hold=HOLD,
        callback_refused=REFUSED,
    )
    bench = Bench(
        replace(
            plain,
            stock=stock,
            bureau=replace(plain.bureau, pause_after=0),
            trunks={"operator": Trunk("operator", ("127.0.0.1",), host="telco.test")},
        )
    )
    said = (*PHRASES.positions, *(audio for _, audio in PHRASES.waits), PROMISED, HOLD, REFUSED)
    bench.telephone.lengths |= {audio.media: audio.seconds for audio in said}
    bench.telephone.habits = {"lea": Habit(None), HIM: Habit(2.0, talks=25.0)}
    death = Death(bench, kill_at, outage, when)
    death.lurk()
    bench.start()
    await bench.pass_time(0.01)
    await bench.at_work("lea")
    bench.telephone.call_in("chan-1", "0199001001")
    world = asyncio.ensure_future(plot.world(bench))
    elapsed = 0.0
    while elapsed < OVER:
        await bench.pass_time(0.05)
        elapsed += 0.05
        await death.start_again()
        if not bench.telephone.channels and elapsed > 10 and not bench.journal.calls:
            break
    world.cancel()
    assert bench.failure() is None, bench.failure()
    return bench, death.effects


def check(bench: Bench, plot: Plot) -> None:
    assert not bench.telephone.channels, f"channels left: {list(bench.telephone.channels)}"
    assert not bench.telephone.bridges, "bridges left"
    assert not bench.journal.calls, "open calls left"
    assert bench.state("lea") == "free"
    ended = Counter(e.call for e in bench.journal.entries if e.kind == "ended")
    assert ended == {"c1": 1}
    assert all(n == 1 for n in Counter(bench.telephone.joined).values()), "joined twice"
    told = [e.at for e in bench.of("c1") if e.kind == "announced"]
    assert all(b - a >= EVERY - 0.01 for a, b in itertools.pairwise(told)), "announced twice"
    his = [c for c in bench.telephone.past.values() if c.id == "chan-1" or c.id.startswith("out-")]
    heard = [what for c in his for _, what in c.heard]
    assert any(what.startswith(plot.ends_with) for what in heard), f"left without: {heard}"
    assert sum(c.id.startswith("out-") for c in his) <= 2, "rung again and again"
    positions = [int(what[-1]) for what in heard if what.startswith("position-")]
    assert positions == sorted(positions, reverse=True), "a position grew"


@pytest.mark.parametrize("plot", PLOTS, ids=lambda p: p.name)
def test_the_plot_itself_ends_well(plot: Plot) -> None:
    bench, effects = run(tell(plot, None, 0.0, when="before"))
    check(bench, plot)
    assert effects > 3


@pytest.mark.parametrize("outage", [0.0, 1.0, 20.0])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("plot", PLOTS, ids=lambda p: p.name)
def test_killed_at_every_effect_nothing_is_said_twice_and_nobody_is_lost(
    plot: Plot, when: str, outage: float
) -> None:
    _, effects = run(tell(plot, None, 0.0, when=when))
    for kill_at in range(effects):
        bench, _ = run(tell(plot, kill_at, outage, when=when))
        try:
            check(bench, plot)
        except AssertionError as error:
            raise AssertionError(f"killed {when} effect {kill_at}, away {outage} s: {error}") from error
