"""Anything may happen to callers who wait, press keys and are called back, in any order; whatever it was,
everything comes to rest: each call ends once, no phone is left ringing, nobody stays held.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from autocom.core.model import Announcements, Callback, Enqueue, Hangup
from autocom.core.telephony import Cause
from tests.calls.test_promise import HIM, HOLD, PROMISED, REFUSED, house
from tests.calls.test_waiting import PHRASES
from tests.support.exchange_in_memory import CALM, Bench
from tests.support.fake_telephone import Habit
from tests.support.virtual import run

HER = "+33639980102"
STAFF = ("lea", "ines")
QUEUE = Enqueue(
    "medical",
    CALM,
    ring_for=4.0,
    announce=Announcements(position=True, wait=True, every=7.0, first_after=3.0),
    keys={"1": (Callback(tries=2, retry_after=8.0),), "2": (Hangup(),)},
)
PHONES = (Habit(None), Habit(0.5), Habit(2.0), Habit(refuses=Cause.BUSY))
NUMBERS = (Habit(None), Habit(0.5, talks=3.0), Habit(refuses=Cause.BUSY), Habit(offline=True))


def callers(bench: Bench) -> list[str]:
    return [channel for channel in bench.telephone.channels if channel.startswith("chan")]


async def calls(bench: Bench, which: int) -> None:
    if len(callers(bench)) < 3:
        number = ("0639980101", "0639980102")[which % 2]
        channel = f"chan-{len(bench.arrived) + 1}"
        bench.arrived[channel] = bench.clock.now()
        bench.telephone.call_in(channel, "0199001001", number)


async def presses(bench: Bench, which: int) -> None:
    for channel in callers(bench)[which % 3 :][:1]:
        bench.telephone.presses(channel, "112"[which % 3])


async def hangs_up(bench: Bench, which: int) -> None:
    for channel in callers(bench)[which % 3 :][:1]:
        bench.telephone.caller_hangs_up(channel)


async def phone_changes(bench: Bench, which: int) -> None:
    bench.telephone.habits[STAFF[which % 2]] = PHONES[which % 4]


async def number_changes(bench: Bench, which: int) -> None:
    bench.telephone.habits[(HIM, HER)[which % 2]] = NUMBERS[which % 4]


async def she_hangs_up(bench: Bench, which: int) -> None:
    leg = bench.telephone.leg_of(STAFF[which % 2])
    if leg is not None:
        bench.telephone.phone_hangs_up(leg.id)


async def restarts(bench: Bench, which: int) -> None:
    await bench.kill()
    await bench.pass_time((0.0, 0.5, 5.0)[which % 3])
    bench.start()


async def gap(bench: Bench, which: int) -> None:
    with bench.telephone.deaf():
        # shorter than any sentence: the end of one that a gap swallowed is told by the adapter
        await bench.pass_time((0.01, 0.1)[which % 2])


async def nothing(bench: Bench, which: int) -> None:
    await bench.pass_time(float(which))


Act = Callable[[Bench, int], Awaitable[None]]
ACTS: tuple[Act, ...] = (
    calls,
    calls,
    presses,
    presses,
    hangs_up,
    phone_changes,
    number_changes,
    she_hangs_up,
    restarts,
    gap,
    nothing,
)
PAUSES = (0.0005, 0.003, 0.02, 0.3, 1.0, 2.7, 5.0)


async def storm(acts: list[tuple[Act, int, float]]) -> Bench:
    bureau = house(QUEUE)
    bench = Bench(replace(bureau, stock=replace(bureau.stock, phrases={"fr": PHRASES})))
    said = (*PHRASES.positions, *(audio for _, audio in PHRASES.waits), PROMISED, HOLD, REFUSED)
    bench.telephone.lengths |= {audio.media: audio.seconds for audio in said}
    bench.telephone.habits = {name: Habit(None) for name in (*STAFF, HIM, HER)}
    bench.start()
    await bench.pass_time(0.01)
    await bench.at_work(*STAFF)
    for act, which, pause in acts:
        await act(bench, which)
        await bench.pass_time(pause)
    # calm: everybody answers, talks a little, and hangs up
    bench.telephone.habits = dict.fromkeys((*STAFF, HIM, HER), Habit(1.0, talks=4.0))
    for _ in range(40):
        await bench.pass_time(4)
        for channel in callers(bench):
            if bench.telephone.channels[channel].bridge:
                bench.telephone.caller_hangs_up(channel)
    await bench.pass_time(60)
    return bench


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(ACTS), st.integers(0, 11), st.sampled_from(PAUSES)), min_size=4, max_size=25
    )
)
def test_whatever_happens_everything_comes_to_rest(acts: list[tuple[Act, int, float]]) -> None:
    async def whole() -> Bench:
        bench = await storm(acts)
        assert bench.failure() is None
        assert {bench.state(name) for name in STAFF} == {"free"}
        await bench.kill()
        return bench

    bench = run(whole())
    assert not bench.telephone.channels
    assert not any(bench.telephone.bridges.values())
    assert not bench.journal.calls
    kinds = Counter((e.call, e.kind) for e in bench.journal.entries)
    calls_made = {call for call, kind in kinds if kind == "arrived"}
    assert all(kinds[call, "ended"] == 1 for call in calls_made)
    assert not [e for e in bench.journal.entries if e.kind == "crashed"]
    for call in calls_made:
        told = [e.fields["position"] for e in bench.of(call or "") if e.kind == "announced"]
        positions = [position for position in told if isinstance(position, int)]
        assert positions == sorted(positions, reverse=True)
        assert kinds[call, "callback_started"] == kinds[call, "callback_ended"] - sum(
            e.fields["leg"] is None for e in bench.of(call or "") if e.kind == "callback_ended"
        )
