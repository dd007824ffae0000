"""The exchange is killed before and after every effect of a call that a secretary dialled. Whatever the instant: no
leg is left ringing, no channel is left in silence for ever, the call is written down once.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest

from autocom.calls import summoning
from autocom.core.telephony import Cause
from tests.calls.test_dialled import CELL, bench
from tests.support.exchange_in_memory import Bench
from tests.support.fake_telephone import Habit
from tests.support.killing import Death
from tests.support.virtual import run

LONG_ENOUGH = 120.0


@dataclass(frozen=True)
class Plot:
    """What she dials, or asks for by a program (`out`), and how the other side behaves. After `patience` seconds she
    hangs up."""

    name: str
    dialled: str
    habits: dict[str, Habit] = field(default_factory=dict)
    patience: float = 15.0
    out: bool = False


PLOTS = [
    Plot("colleague", "201", {"ines": Habit(2.0)}),
    Plot("colleague rings on", "201", {"ines": Habit(None)}, 6.0),
    Plot("outside", "*912*0639981021", {CELL: Habit(2.0, talks=6.0)}),
    Plot("heard before it answers", "0639981021", {CELL: Habit(4.0, early=1.0)}),
    Plot("heard and busy", "0639981021", {CELL: Habit(None, early=1.0, ends=(4.0, Cause.BUSY))}, 30.0),
    Plot("busy", "0639981021", {CELL: Habit(refuses=Cause.BUSY)}, 30.0),
    Plot("refused", "0899123456", {}, 30.0),
    Plot("by a program", "0639981021", {"lea": Habit(2.0), CELL: Habit(2.0)}, out=True),
    Plot("by a program, and she does not pick up", "0639981021", {"lea": Habit(None)}, 40.0, out=True),
]


async def tell(plot: Plot, kill_at: int | None, outage: float, *, when: str) -> tuple[Bench, int]:
    """Run the plot; kill the exchange around effect number `kill_at`."""
    made = bench()
    made.telephone.habits = dict(plot.habits)
    death = Death(made, kill_at, outage, when)

    made.start()
    await made.pass_time(0.01)
    await made.at_work("lea", "ines")
    death.lurk()
    assert made.switchboard is not None
    if plot.out:
        hers = f"out-{summoning.call_out(made.switchboard.desk, 'lea', plot.dialled, None)}-1"
    else:
        hers = made.telephone.dials("lea", plot.dialled).id
    elapsed = 0.0
    while elapsed < LONG_ENOUGH:
        await made.pass_time(0.05)
        elapsed += 0.05
        await death.start_again()
        if elapsed >= plot.patience and hers in made.telephone.channels:
            made.telephone.phone_hangs_up(hers)
        if elapsed > plot.patience and not made.telephone.channels and not made.journal.calls:
            break
    assert made.failure() is None, made.failure()
    return made, death.effects


def check(made: Bench) -> None:
    assert not made.telephone.channels, "channels left"
    assert not made.telephone.bridges, "bridges left"
    assert not made.journal.calls, "open calls left"
    ended = Counter(e.call for e in made.journal.entries if e.kind == "ended")
    assert set(ended.values()) <= {1}, "a call ended twice"
    opened = {e.call for e in made.journal.entries if e.kind == "arrived"}
    assert set(ended) == opened, "a call without an end"
    assert not [e for e in made.journal.entries if e.kind == "crashed"]
    assert made.switchboard is not None
    assert all(use.ended is not None for use in made.switchboard.tally.uses()), "a leg counted for ever"
    for call in opened:
        assert made.record(call or "").direction in {"out", "internal"}


@pytest.mark.parametrize("plot", PLOTS, ids=lambda p: p.name)
def test_the_plot_itself_ends_well(plot: Plot) -> None:
    made, effects = run(tell(plot, None, 0.0, when="before"))
    check(made)
    assert effects > 1


@pytest.mark.parametrize("outage", [0.0, 1.0, 20.0])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("plot", PLOTS, ids=lambda p: p.name)
def test_killed_at_every_effect_nothing_is_left_behind(plot: Plot, when: str, outage: float) -> None:
    _, effects = run(tell(plot, None, 0.0, when=when))
    for kill_at in range(effects):
        made, _ = run(tell(plot, kill_at, outage, when=when))
        try:
            check(made)
        except AssertionError as error:
            raise AssertionError(f"killed {when} effect {kill_at}, away {outage} s: {error}") from error
