"""Killed at every effect of a transfer: the caller is with somebody, or on his way back, and nothing stays behind."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from autocom.calls.notes import Asked
from autocom.core.orders import PutThrough
from autocom.core.targets import Outside
from tests.calls.transfer_bureau import CALLER, CELL, at_phone, bureau, outside, with_whom
from tests.support.exchange_in_memory import Bench
from tests.support.fake_telephone import Habit
from tests.support.killing import Death
from tests.support.virtual import run

PATIENCE = 70.0
"""Seconds after which the caller hangs up, wherever he is."""


@dataclass(frozen=True)
class Plot:
    """What people do, and what the phones do: `act` runs beside the exchange. `ends` are the sounds or bridges
    that a caller of a run nobody killed hears at last."""

    name: str
    act: Callable[[Bench], Awaitable[None]]
    habits: dict[str, Habit] = field(default_factory=dict)
    dialled: int = 0  # calls that she began herself


async def until(holds: Callable[[], object], within: float = 40.0) -> bool:
    """Wait until it holds, crash or no crash."""
    waited = 0.0
    while not holds():
        await asyncio.sleep(0.05)
        waited += 0.05
        if waited > within:
            return False
    return True


def lea_has_him(bench: Bench) -> bool:
    leg = bench.telephone.leg_of("lea")
    return leg is not None and leg.id in with_whom(bench)


def refers(bench: Bench, channel: str, to: str, replaces: str | None = None) -> None:
    """Her phone presses its button, as long as its call is there; told it was not heard, it does so again."""
    if channel in bench.telephone.channels:
        bench.telephone.refers(channel, to, replaces)


async def blind(bench: Bench, to: str) -> None:
    await until(lambda: lea_has_him(bench))
    await asyncio.sleep(0.5)
    leg = bench.telephone.leg_of("lea")
    if leg is None:
        return
    for _ in range(8):  # a REFER that was lost with the process: her caller is still there, she presses again
        refers(bench, leg.id, to)
        if await until(lambda: leg.id not in bench.telephone.channels, 6.0):
            return


async def attended(bench: Bench, number: str, *, answered: bool = True) -> None:
    await until(lambda: lea_has_him(bench))
    leg = bench.telephone.leg_of("lea")
    if leg is None:
        return
    bench.telephone.holds(leg.id)
    hers = bench.telephone.dials("lea", number)
    if answered:
        await until(lambda: hers.bridge is not None or hers.id not in bench.telephone.channels)
    else:
        await asyncio.sleep(1.0)
    for _ in range(8):
        if leg.id not in bench.telephone.channels or hers.id not in bench.telephone.channels:
            break
        refers(bench, leg.id, number, replaces=hers.id)
        if await until(lambda: hers.id not in bench.telephone.channels, 6.0):
            break
    bench.telephone.caller_hangs_up(hers.id)


async def patch(bench: Bench) -> None:
    await until(lambda: lea_has_him(bench))
    for _ in range(8):
        if bench.switchboard is None or not lea_has_him(bench):
            return
        for line in bench.switchboard.lines.values():
            line.post(Asked(PutThrough(Outside(CELL)), "lea"))
        await asyncio.sleep(4.0)


PLOTS = [
    Plot("blind to a colleague", lambda b: blind(b, "201"), {"ines": Habit(2.0)}),
    Plot("blind, unanswered", lambda b: blind(b, "201"), {"ines": Habit(None)}),
    Plot("blind to a number", lambda b: blind(b, "0639981021"), {CELL: Habit(2.0)}),
    Plot("to another queue", lambda b: blind(b, "601"), {"zoe": Habit(2.0)}),
    Plot("to a room", lambda b: blind(b, "801")),
    Plot("patch without a key", patch, {CELL: Habit(1.0)}),
    Plot("attended to a colleague", lambda b: attended(b, "201"), {"ines": Habit(1.0)}, dialled=1),
    Plot("attended to a number", lambda b: attended(b, "0639981021"), {CELL: Habit(1.0)}, dialled=1),
    Plot(
        "attended, still ringing",
        lambda b: attended(b, "0639981021", answered=False),
        {CELL: Habit(9.0)},
        dialled=1,
    ),
]


async def tell(plot: Plot, kill_at: int | None, outage: float, *, when: str) -> tuple[Bench, int]:
    """Run the plot; kill the exchange around effect number `kill_at` of those after the two were joined."""
    bench = bureau()
    for who in ("ines", "zoe"):
        bench.telephone.habits[who] = Habit(None)
    bench.telephone.habits |= {"lea": Habit(0.5), CELL: Habit(None), **plot.habits}
    death = Death(bench, kill_at, outage, when, counts=lambda: bool(bench.telephone.joined))
    death.lurk()
    bench.start()
    await bench.pass_time(0.01)
    await bench.at_work("lea", "ines", "zoe")
    bench.telephone.call_in(CALLER, "0199001001")
    world = asyncio.ensure_future(plot.act(bench))
    elapsed = 0.0
    while elapsed < PATIENCE + 40.0:
        await bench.pass_time(0.05)
        elapsed += 0.05
        await death.start_again()
        if elapsed > PATIENCE:
            for channel in list(bench.telephone.channels.values()):
                if channel.headers is not None or channel.dialled is not None:
                    bench.telephone.caller_hangs_up(channel.id)
            if not bench.telephone.channels and not bench.journal.calls:
                break
    world.cancel()
    assert bench.failure() is None, bench.failure()
    return bench, death.effects


def check(bench: Bench, plot: Plot) -> None:
    telephone = bench.telephone
    assert not telephone.channels, f"channels left: {list(telephone.channels)}"
    assert not telephone.bridges, f"bridges left: {telephone.bridges}"
    assert not bench.journal.calls, "open calls left"
    for who in ("lea", "ines", "zoe"):
        assert bench.state(who) in {"free", "paused"}, f"{who} stuck in {bench.state(who)}"
    ended = Counter(e.call for e in bench.journal.entries if e.kind == "ended")
    assert set(ended.values()) == {1}, "a call ended twice"
    past = telephone.past[CALLER]
    lived = past.heard[-1][0] - past.heard[0][0]
    assert lived > PATIENCE - 2.0, f"the caller was dropped after {lived} s: {past.heard}"


def silence(heard: list[tuple[float, str]]) -> float:
    """The longest time in which he heard nothing."""
    return max(
        (after - at for (at, what), (after, _) in itertools.pairwise(heard) if what == "silence"), default=0.0
    )


def alone(bench: Bench) -> float:
    """The longest time for which he was in a bridge in which nobody else ever was."""
    heard = bench.telephone.past[CALLER].heard
    others = [
        what
        for channel in bench.telephone.past.values()
        if channel.id != CALLER
        for _, what in channel.heard
        if what.startswith("bridge:")
    ]
    return max(
        (
            after - at
            for (at, what), (after, _) in itertools.pairwise(heard)
            if what.startswith("bridge:talk") and what not in others
        ),
        default=0.0,
    )


@pytest.mark.parametrize("plot", PLOTS, ids=lambda p: p.name)
def test_the_plot_itself_ends_well(plot: Plot) -> None:
    bench, effects = run(tell(plot, None, 0.0, when="before"))
    check(bench, plot)
    assert effects > 5
    assert "transferred" in bench.kinds(), "he was never sent on"
    assert silence(bench.telephone.past[CALLER].heard) < 0.5
    assert outside(bench) is None
    assert at_phone(bench, "lea") is None


@pytest.mark.parametrize("outage", [0.0, 1.0, 20.0])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("plot", PLOTS, ids=lambda p: p.name)
def test_killed_at_every_effect_he_is_with_somebody_or_back(plot: Plot, when: str, outage: float) -> None:
    _, effects = run(tell(plot, None, 0.0, when=when))
    for kill_at in range(effects):
        bench, _ = run(tell(plot, kill_at, outage, when=when))
        try:
            check(bench, plot)
            if outage == 0.0:
                assert "transferred" in bench.kinds(), "he was never sent on"
                assert silence(bench.telephone.past[CALLER].heard) < 0.5, (
                    f"he heard nothing for too long: {bench.telephone.past[CALLER].heard}"
                )
                assert alone(bench) < 0.5, "he was alone in a bridge"
        except AssertionError as error:
            raise AssertionError(f"killed {when} effect {kill_at}, away {outage} s: {error}") from error
