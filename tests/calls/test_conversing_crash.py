"""The exchange is killed before and after every effect of a conversation of three, stays away, and comes back:
nobody is in silence, nobody rings for ever, no leg and no bridge is left, and the caller is never lost.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from autocom.core.conversation import arrangement
from autocom.core.stages import Talking
from autocom.core.story import Story
from tests.calls.test_conversing import DOCTOR, LEG, made
from tests.support.exchange_in_memory import CODEC, Bench
from tests.support.fake_telephone import FakeTelephone, Habit
from tests.support.killing import Death
from tests.support.virtual import run

END = 36.0
"""When everybody has put down, seconds."""


@dataclass(frozen=True)
class Plot:
    """What lea presses, and what others do, at which second of the call."""

    name: str
    keys: tuple[tuple[float, str], ...]
    doctor: Habit = field(default_factory=lambda: Habit(answers=2.0))
    acts: tuple[tuple[float, Callable[[FakeTelephone], None]], ...] = ()


def hangs_up(channel: str) -> Callable[[FakeTelephone], None]:
    return lambda telephone: telephone.vanishes(channel, 16)


def vanishes(channel: str) -> Callable[[FakeTelephone], None]:
    return lambda telephone: telephone.vanishes(channel, 44)


PLOTS = [
    Plot("held and back", ((6.0, "*5"), (9.0, "*5"))),
    Plot("consulted and let go", ((6.0, "*11#"), (10.0, "*0"))),
    Plot("all three, and she leaves", ((6.0, "*11#"), (10.0, "*3"), (13.0, "*4"))),
    Plot("back and forth", ((6.0, "*11#"), (10.0, "*5"), (12.0, "*5"))),
    Plot("busy", ((6.0, "*11#"),), Habit(refuses=17)),
    Plot("let go while he rings", ((6.0, "*11#"), (8.0, "*0")), Habit(answers=None)),
    Plot("left while he rings", ((6.0, "*11#"), (7.0, "*4")), Habit(answers=4.0)),
    Plot("she puts down", ((6.0, "*11#"),), acts=((10.0, hangs_up(LEG)),)),
    Plot("he leaves them", ((6.0, "*11#"),), acts=((10.0, hangs_up("chan-1")),)),
    Plot("her phone vanishes", ((6.0, "*11#"),), acts=((10.0, vanishes(LEG)),)),
    Plot("the third puts down", ((6.0, "*11#"), (9.0, "*3")), acts=((11.0, hangs_up("out-c1-1")),)),
    Plot("held and forgotten", ((6.0, "*5"),), acts=((9.0, hangs_up(LEG)),)),
]


async def tell(plot: Plot, kill_at: int | None, outage: float, *, when: str) -> tuple[Bench, int, int]:
    """Run the plot; kill the exchange around effect number `kill_at`. The bench, the effects counted, and how
    often it was looked who hears whom."""
    bench = Bench(made())
    bench.telephone.lengths |= {"beep": 0.4, "refusal-limit": 3.0}
    bench.telephone.habits |= {"lea": Habit(answers=1.0), DOCTOR: plot.doctor}
    checked = 0
    death = Death(bench, kill_at, outage, when)
    death.lurk()
    bench.start()
    await bench.pass_time(0.01)
    await bench.at_work("lea")
    world = asyncio.ensure_future(_world(bench, plot))
    elapsed = 0.0
    while elapsed < END + 60.0:
        await bench.pass_time(0.05)
        elapsed += 0.05
        await death.start_again()
        if 8.0 < elapsed < END and not bench.over() and abs(elapsed % 1.0 - 0.5) < 0.03:
            checked += _heard_as_the_stage_says(bench)
        if not bench.telephone.channels and world.done() and not bench.journal.calls:
            break
    world.cancel()
    assert bench.failure() is None, bench.failure()
    return bench, death.effects, checked


async def _world(bench: Bench, plot: Plot) -> None:
    telephone, began = bench.telephone, asyncio.get_running_loop().time()
    telephone.call_in("chan-1", "0199001001")

    def press(keys: str) -> Callable[[FakeTelephone], None]:
        return lambda phone: phone.presses(LEG, keys) if LEG in phone.channels else None

    acts = sorted([*((at, press(keys)) for at, keys in plot.keys), *plot.acts], key=lambda act: act[0])
    for at, act in acts:
        await asyncio.sleep(max(0.0, began + at - asyncio.get_running_loop().time()))
        act(telephone)
    await asyncio.sleep(max(0.0, began + END - asyncio.get_running_loop().time()))
    for _ in range(8):
        for channel in list(telephone.channels):
            telephone.vanishes(channel, 16)
        await asyncio.sleep(4.0)


def _heard_as_the_stage_says(bench: Bench) -> bool:
    """Who is in the bridge is who the saved stage names, where that can be asked."""
    row = bench.journal.calls.get("c1")
    if row is None:
        return False
    story = CODEC.load(Story, row)
    stage = story.stage
    if not isinstance(stage, Talking) or stage.joined_at is None:
        return False
    wanted = arrangement(stage, story.channel)
    inside = bench.telephone.bridges.get(f"talk-c1-{stage.attempt}", set())
    assert inside == set(wanted.inside), (inside, stage)
    return True


def check(bench: Bench, outage: float) -> None:
    assert not bench.telephone.channels, "channels left"
    assert not bench.telephone.bridges, "bridges left"
    assert not bench.journal.calls, "open calls left"
    assert bench.state("lea") in {"free", "paused"}
    assert [e.kind for e in bench.of("c1")].count("ended") == 1
    assert not [e for e in bench.journal.entries if e.kind == "crashed"]
    caller = bench.telephone.past["chan-1"]
    quiet = max(
        (after - at for (at, what), (after, _) in itertools.pairwise(caller.heard) if what == "silence"),
        default=0.0,
    )
    assert quiet <= outage + 1.0, f"{quiet:.1f} s of silence: {caller.heard}"
    cut = [s for s in bench.segments() if s.kind in {"talk", "hold", "conference", "patch"}]
    for one, other in itertools.pairwise(cut):
        assert one.end is not None
        assert one.end <= other.start + 0.001, [(s.kind, s.start, s.end) for s in cut]


@pytest.mark.parametrize("plot", PLOTS, ids=lambda p: p.name)
def test_the_plot_itself_ends_well(plot: Plot) -> None:
    bench, effects, checked = run(tell(plot, None, 0.0, when="before"))
    check(bench, 0.0)
    assert effects > 8
    assert checked > 1 or "left" in plot.name


@pytest.mark.parametrize("outage", [0.0, 1.0, 20.0])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("plot", PLOTS, ids=lambda p: p.name)
def test_killed_at_every_effect_nobody_is_in_silence_and_nothing_is_left(
    plot: Plot, when: str, outage: float
) -> None:
    _, effects, _ = run(tell(plot, None, 0.0, when=when))
    for kill_at in range(effects):
        try:
            bench, _, _ = run(tell(plot, kill_at, outage, when=when))
            check(bench, outage)
        except AssertionError as error:
            raise AssertionError(f"killed {when} effect {kill_at}, away {outage} s: {error}") from error
