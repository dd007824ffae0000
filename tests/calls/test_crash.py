"""The exchange is killed before and after every one of its effects, stays away for a while, and is started
again on what is left. Whatever the instant: nobody is lost, nobody is stuck, nothing is left behind.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field, replace

import pytest

from autocom.core.model import (
    Audio,
    Contact,
    Enqueue,
    Forward,
    Hangup,
    Mode,
    OnCall,
    Play,
    Roster,
    Shift,
    Trunk,
)
from autocom.core.telephony import Cause
from tests.support.exchange_in_memory import CALM, CLOSED, WELCOME, Bench, client, configuration
from tests.support.fake_telephone import Habit
from tests.support.killing import Death
from tests.support.virtual import run

LONG_ENOUGH = 90.0


@dataclass(frozen=True)
class Plot:
    """What the world does: callers with their patience, phones with their habits."""

    name: str
    steps: tuple[object, ...]
    habits: dict[str, Habit]
    callers: tuple[tuple[float, float], ...]  # arrives at, hangs up after so many seconds
    talk: float = 6.0
    outside: dict[str, Habit] = field(default_factory=dict)  # by number


CELL, SECOND, LEAD = "+33639981021", "+33639981022", "+33639981029"
ASK = Audio("ask", "ask", 1.5)
PLUMBERS = Roster(
    "plumbers",
    (Shift((Contact("First", CELL), Contact("Second", SECOND))),),
    ring_for=6.0,
    rounds=1,
    fallback=Contact("Lead", LEAD),
)
QUEUE = Enqueue("medical", CALM)
PLOTS = [
    Plot("served", (Play(WELCOME), QUEUE), {"lea": Habit(2.0)}, ((0.0, 60.0),)),
    Plot(
        "must hear",
        (Play(WELCOME, Mode.ANSWERED, must_hear=True), QUEUE),
        {"lea": Habit(1.0)},
        ((0.0, 60.0),),
    ),
    Plot(
        "told before the join",
        (Play(WELCOME), Enqueue("medical", CALM, on_answer=ASK)),
        {"lea": Habit(2.0)},
        ((0.0, 60.0),),
    ),
    Plot("second rings", (QUEUE,), {"lea": Habit(None), "ines": Habit(1.5)}, ((0.0, 60.0),)),
    Plot("gives up", (Play(WELCOME), QUEUE), {"lea": Habit(None)}, ((0.0, 8.0),)),
    Plot(
        "timeout",
        (Enqueue("medical", CALM, max_wait=5.0, on_timeout=(Play(CLOSED), Hangup())),),
        {"lea": Habit(None)},
        ((0.0, 60.0),),
    ),
    Plot("two callers", (Play(WELCOME), QUEUE), {"lea": Habit(1.0)}, ((0.0, 60.0), (0.5, 60.0))),
    Plot("refused", (QUEUE,), {"lea": Habit(refuses=Cause.BUSY), "ines": Habit(1.0)}, ((0.0, 60.0),)),
    Plot("forwarded", (Play(WELCOME), Forward(CELL)), {}, ((0.0, 60.0),), outside={CELL: Habit(2.0)}),
    Plot(
        "forwarded by a key",
        (Forward(CELL, accept="1", ask=ASK),),
        {},
        ((0.0, 60.0),),
        outside={CELL: Habit(1.0, presses=((2.0, "1"), (9.0, "1"), (28.0, "1")))},
    ),
    Plot(
        "forward fails",
        (Forward(CELL, ring_for=5.0), Play(CLOSED)),
        {},
        ((0.0, 60.0),),
        outside={CELL: Habit(None)},
    ),
    Plot(
        "on call",
        (OnCall("plumbers", ASK),),
        {},
        ((0.0, 80.0),),
        outside={
            CELL: Habit(refuses=Cause.BUSY),
            SECOND: Habit(1.0),
            LEAD: Habit(1.0, presses=((2.0, "1"), (9.0, "1"))),
        },
    ),
    Plot("gives up outside", (OnCall("plumbers", ASK),), {}, ((0.0, 7.0),), outside={CELL: Habit(None)}),
]


async def tell(plot: Plot, kill_at: int | None, outage: float, *, when: str) -> tuple[Bench, int]:
    """Run the plot; kill the exchange around effect number `kill_at`. Returns the bench and the effects counted."""
    made = configuration(client("lilas", "+33199001001", *plot.steps))
    trunks = {"operator": Trunk("operator", ("127.0.0.1",), host="operator.test")}
    bench = Bench(replace(made, trunks=trunks, rosters={PLUMBERS.id: PLUMBERS}))
    bench.telephone.lengths["ask"] = ASK.seconds
    bench.telephone.habits = {**plot.habits, **plot.outside}
    death = Death(bench, kill_at, outage, when)
    death.lurk()
    bench.start()
    await bench.pass_time(0.01)
    await bench.at_work(*plot.habits)
    world = [bench.world(at, f"chan-{n}", patience) for n, (at, patience) in enumerate(plot.callers, 1)]
    parties = bench.secretaries_hang_up_after(plot.talk)
    elapsed = 0.0
    while elapsed < LONG_ENOUGH:
        await bench.pass_time(0.05)
        elapsed += 0.05
        await death.start_again()
        if not bench.telephone.channels and elapsed > 10 and not bench.journal.calls:
            break
    for task in (*world, parties):
        task.cancel()
    assert bench.failure() is None, bench.failure()
    return bench, death.effects


def check(bench: Bench, plot: Plot) -> None:
    assert not bench.telephone.channels, "channels left"
    assert not bench.telephone.bridges, "bridges left"
    assert not bench.journal.calls, "open calls left"
    for who in plot.habits:
        assert bench.state(who) in {"free", "paused"}, f"{who} stuck in {bench.state(who)}"
    ended = Counter(e.call for e in bench.journal.entries if e.kind == "ended")
    assert set(ended.values()) == {1}, "a call ended twice"
    assert len(ended) == len(plot.callers), "a caller without a story"
    told = Counter((e.call, e.kind) for e in bench.journal.entries)
    for begins, ends in (("bridged", "talk_ended"), ("patched", "patch_ended")):
        for call in ended:
            assert told[call, ends] <= told[call, begins], f"{ends} written more often than {begins}"
    joined = Counter(bench.telephone.joined)
    assert all(n == 1 for n in joined.values()), "joined twice"
    outside = Counter(caller for caller, leg in bench.telephone.joined if leg.startswith("out-"))
    assert all(n == 1 for n in outside.values()), "joined with two people outside"
    for n, (_, patience) in enumerate(plot.callers, 1):
        past = bench.telephone.past[f"chan-{n}"]
        lived = past.heard[-1][0] - bench.arrived[f"chan-{n}"]
        talked = any(what.startswith("bridge:") for _, what in past.heard)
        by_rule = any(what in {"closed", "nobody"} for _, what in past.heard)
        assert talked or by_rule or lived >= patience - 0.1, f"{past.id} was dropped: {past.heard}"


def silence(heard: list[tuple[float, str]]) -> float:
    """The longest time in which a caller heard nothing, between his first sound and his end."""
    pairs = itertools.pairwise(heard)
    return max((after - at for (at, what), (after, _) in pairs if what == "silence"), default=0.0)


@pytest.mark.parametrize("plot", PLOTS, ids=lambda p: p.name)
def test_the_plot_itself_ends_well(plot: Plot) -> None:
    bench, effects = run(tell(plot, None, 0.0, when="before"))
    check(bench, plot)
    assert effects > 3


@pytest.mark.parametrize("outage", [0.0, 1.0, 20.0])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("plot", PLOTS, ids=lambda p: p.name)
def test_killed_at_every_effect_nobody_is_lost_and_nothing_is_left(
    plot: Plot, when: str, outage: float
) -> None:
    _, effects = run(tell(plot, None, 0.0, when=when))
    for kill_at in range(effects):
        bench, _ = run(tell(plot, kill_at, outage, when=when))
        try:
            check(bench, plot)
            if plot.outside and outage == 0.0:
                assert silence(bench.telephone.past["chan-1"].heard) < 0.5, "he heard nothing for too long"
        except AssertionError as error:
            raise AssertionError(f"killed {when} effect {kill_at}, away {outage} s: {error}") from error
