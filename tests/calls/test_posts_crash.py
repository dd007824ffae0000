"""Killed at every effect while somebody is parked, picked up, forwarded or in a conference room: nobody is lost, nobody
is left in silence, nothing stays behind."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import pytest

from autocom.calls.diverting import forward
from autocom.calls.inviting import ask_in
from autocom.core.model import Audio, Configuration, Enqueue, Team, Trunk
from autocom.core.orders import Park
from tests.support.exchange_in_memory import CALM, Bench, client, configuration
from tests.support.fake_telephone import Habit
from tests.support.killing import Death
from tests.support.virtual import run

MOBILE = "+33639981099"
SOUNDS = {name: Audio(name, name, 0.6) for name in ("parked_1", "room_joined", "room_left", "room_entering")}
END = 45.0


def bureau() -> Configuration:
    made = configuration(
        client("lilas", "+33199001001", Enqueue("medical", CALM, ring_for=20.0)),
        lea={"medical": 1},
        ines={"medical": 2},
        zoe={"legal": 1},
    )
    return replace(
        made,
        bureau=replace(made.bureau, parking_return=15.0, forwarding_outside=True),
        stock=replace(made.stock, notices=SOUNDS),
        trunks={"operator": Trunk("operator", ("127.0.0.1",), host="operator.test", max_calls=10)},
        teams={"medical": Team("medical"), "legal": Team("legal")},
    )


Act = Callable[[Bench], None]


@dataclass(frozen=True)
class Plot:
    """What people do, and when; `ends` is asked of a run that nobody killed. `silent`: seconds that a caller may
    hear nothing for (phones that dialled hear nothing until they are dealt with)."""

    name: str
    acts: tuple[tuple[float, Act], ...]
    kinds: frozenset[str]
    habits: dict[str, Habit] = field(default_factory=dict)


def dials(who: str, dialled: str) -> Act:
    return lambda bench: _ignored(bench.telephone.dials(who, dialled))


def calls_in(bench: Bench) -> None:
    bench.telephone.call_in("chan-1", "0199001001")


def parks(bench: Bench) -> None:
    if bench.switchboard is not None and not bench.over():
        bench.switchboard.desk.order("lea", Park("note"))


def refers(channel: str, to: str, replaces: str | None = None) -> Act:
    def act(bench: Bench) -> None:
        if channel in bench.telephone.channels:
            bench.telephone.refers(channel, to, replaces)

    return act


def hangs_up(channel: str) -> Act:
    return lambda bench: bench.telephone.caller_hangs_up(channel)


def forwards(who: str, when: str, to: str) -> Act:
    def act(bench: Bench) -> None:
        assert bench.switchboard is not None
        forward(bench.switchboard.house, who, when, to)

    return act


def invites(bench: Bench) -> None:
    if bench.switchboard is not None and not bench.over():
        ask_in(bench.switchboard.desk, "801", "0639981099", "lea")


def presses(channel: str, digits: str) -> Act:
    return lambda bench: bench.telephone.presses(channel, digits)


def _ignored(_: object) -> None:
    return None


PLOTS = [
    Plot(
        "parked and taken back",
        ((0.1, calls_in), (3.0, parks), (6.0, dials("ines", "*51")), (12.0, hangs_up("phone-ines-1"))),
        frozenset({"parked", "unparked", "bridged", "talk_ended"}),
        {"lea": Habit(1.0), "ines": Habit(None)},
    ),
    Plot(
        "parked and back",
        ((0.1, calls_in), (3.0, parks), (28.0, hangs_up("chan-1"))),
        frozenset({"parked", "unparked", "returned"}),
        {"lea": Habit(1.0), "ines": Habit(None)},
    ),
    Plot(
        "hangs up while parked",
        ((0.1, calls_in), (3.0, parks), (3.3, hangs_up("chan-1"))),
        frozenset({"parked"}),
        {"lea": Habit(1.0), "ines": Habit(None)},
    ),
    Plot(
        "two want him",
        (
            (0.1, calls_in),
            (3.0, parks),
            (6.0, dials("ines", "*51")),
            (6.0, dials("zoe", "*51")),
            (12.0, hangs_up("chan-1")),
        ),
        frozenset({"parked", "unparked", "call_refused"}),
        {"lea": Habit(1.0), "ines": Habit(None)},
    ),
    Plot(
        "an offer picked up",
        ((0.1, calls_in), (3.0, dials("zoe", "*8200")), (12.0, hangs_up("phone-zoe-1"))),
        frozenset({"picked_up", "bridged"}),
        {"lea": Habit(None), "ines": Habit(None)},
    ),
    Plot(
        "a colleague's call picked up",
        ((0.1, dials("zoe", "200")), (3.0, dials("ines", "*8")), (12.0, hangs_up("phone-zoe-1"))),
        frozenset({"picked_up", "bridged"}),
        {"lea": Habit(None), "ines": Habit(None)},
    ),
    Plot(
        "a room",
        (
            (0.1, dials("lea", "801")),
            (3.0, dials("ines", "801")),
            (7.0, presses("phone-lea-1", "*1")),
            (8.0, invites),
            (14.0, hangs_up("phone-ines-2")),
            (18.0, hangs_up("phone-lea-1")),
        ),
        frozenset({"room_joined", "room_muted", "room_left", "forward_answered"}),
        {MOBILE: Habit(1.0, talks=12.0, presses=((1.0, "1"),))},
    ),
    Plot(
        "a voicemail answers the invitation",
        ((0.1, dials("lea", "801")), (3.0, invites), (25.0, hangs_up("phone-lea-1"))),
        frozenset({"room_joined", "forward_answered", "forward_ended"}),
        {MOBILE: Habit(1.0)},
    ),
    Plot(
        "a colleague who was called sends who called her on",
        (
            (0.1, dials("lea", "201")),
            (4.0, presses("out-c1-1", "*5")),
            (6.0, presses("out-c1-1", "*5")),
            (8.0, refers("out-c1-1", "202")),
            (14.0, hangs_up("phone-lea-1")),
        ),
        frozenset({"turned", "held", "resumed", "transferred"}),
    ),
    Plot(
        "a colleague who was called joins two",
        (
            (0.1, dials("lea", "201")),
            (4.0, dials("ines", "202")),
            (8.0, refers("out-c1-1", "", "phone-ines-2")),
            (14.0, hangs_up("phone-lea-1")),
        ),
        frozenset({"turned", "transferred"}),
    ),
    Plot(
        "a room is ended",
        ((0.1, dials("lea", "801")), (3.0, dials("ines", "801")), (9.0, presses("phone-lea-1", "*0"))),
        frozenset({"room_joined", "room_ended", "room_left"}),
    ),
    Plot(
        "forwarded by one to another",
        (
            (0.05, forwards("ines", "always", "200")),
            (0.05, forwards("lea", "busy", MOBILE)),
            (0.1, dials("zoe", "201")),
            (12.0, hangs_up("phone-zoe-1")),
        ),
        frozenset({"forwarded_post", "bridged"}),
        {"lea": Habit(refuses=17), MOBILE: Habit(1.0)},
    ),
]


async def tell(plot: Plot, kill_at: int | None, outage: float, when: str) -> tuple[Bench, int]:
    bench = Bench(bureau())
    bench.telephone.lengths |= {audio.media: audio.seconds for audio in SOUNDS.values()}
    bench.telephone.habits = dict(plot.habits)
    death = Death(bench, kill_at, outage, when)
    death.lurk()
    bench.start()
    await bench.pass_time(0.01)
    await bench.at_work("lea", "ines", "zoe")
    world = asyncio.ensure_future(_world(bench, plot))
    while not world.done():
        await bench.pass_time(0.1)
        await death.start_again()
    world.result()
    await bench.pass_time(40.0)
    assert bench.failure() is None, bench.failure()
    return bench, death.effects


async def _world(bench: Bench, plot: Plot) -> None:
    began = bench.clock.now()
    for at, act in plot.acts:
        await _until(bench, began + at)
        act(bench)
    await _until(bench, began + END)
    for channel in list(bench.telephone.channels):
        bench.telephone.caller_hangs_up(channel)


async def _until(bench: Bench, instant: float) -> Awaitable[None] | None:
    await bench.pass_time(max(0.0, instant - bench.clock.now()))
    return None


def check(bench: Bench) -> None:
    assert not bench.telephone.channels, f"channels left: {list(bench.telephone.channels)}"
    assert not bench.telephone.bridges, f"bridges left: {bench.telephone.bridges}"
    assert not bench.journal.calls, "open calls left"
    assert "crashed" not in [entry.kind for entry in bench.journal.entries]
    for who in ("lea", "ines", "zoe"):
        assert bench.state(who) in {"free", "paused"}, f"{who} stuck in {bench.state(who)}"
    ended = [entry.call for entry in bench.journal.entries if entry.kind == "ended"]
    assert len(ended) == len(set(ended)), "a call ended twice"
    for who in ("chan-1", "phone-lea-1", "phone-ines-1"):
        for sound in ("room_joined", "room_left"):
            heard = (
                [what for _, what in bench.telephone.past[who].heard] if who in bench.telephone.past else []
            )
            assert heard.count(sound) <= 2, f"{who} was told {heard.count(sound)} times: {sound}"


def silence(heard: list[tuple[float, str]]) -> float:
    """The longest time in which a caller heard nothing, between his first sound and his end."""
    pairs = itertools.pairwise(heard)
    return max((after - at for (at, what), (after, _) in pairs if what == "silence"), default=0.0)


@pytest.mark.parametrize("plot", PLOTS, ids=lambda p: p.name)
def test_the_plot_itself_ends_well(plot: Plot) -> None:
    bench, effects = run(tell(plot, None, 0.0, "before"))
    check(bench)
    assert effects > 3
    assert plot.kinds <= {entry.kind for entry in bench.journal.entries}


@pytest.mark.parametrize("outage", [0.0, 1.0, 20.0])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("plot", PLOTS, ids=lambda p: p.name)
def test_killed_at_every_effect_nobody_is_lost_and_nothing_is_left(
    plot: Plot, when: str, outage: float
) -> None:
    _, effects = run(tell(plot, None, 0.0, when))
    for kill_at in range(effects):
        bench, _ = run(tell(plot, kill_at, outage, when))
        try:
            check(bench)
            if "chan-1" in bench.telephone.past and outage == 0.0:
                heard = bench.telephone.past["chan-1"].heard
                assert silence(heard) < 0.5, f"he heard nothing for too long: {heard}"
        except AssertionError as error:
            raise AssertionError(f"killed {when} effect {kill_at}, away {outage} s: {error}") from error
