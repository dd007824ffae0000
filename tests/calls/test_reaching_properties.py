"""Whatever the phones outside do, and whenever the caller leaves: one conversation at most, nothing left over."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from autocom.core.model import Audio, Contact, Forward, Music, OnCall, Roster, Shift, Trunk
from autocom.core.telephony import Cause
from tests.calls.test_reaching import silences
from tests.support.exchange_in_memory import Bench, client, configuration
from tests.support.fake_telephone import Habit
from tests.support.virtual import run

NUMBERS = ("+33639981021", "+33639981022", "+33639981029")
ASK = Audio("ask", "ask", 3.0)
SOFT = Music("soft", "music-soft")
seconds = st.integers(0, 120).map(lambda tenths: tenths / 10)
habits = st.builds(
    Habit,
    answers=st.none() | seconds,
    refuses=st.sampled_from([None, None, Cause.BUSY, Cause.REJECTED, Cause.CONGESTION]),
    offline=st.sampled_from([False, False, False, True]),
    presses=st.lists(st.tuples(seconds, st.sampled_from("125")), max_size=2).map(tuple),
    talks=st.none() | seconds,
)


@settings(deadline=None)
@given(
    phones=st.tuples(habits, habits, habits),
    accept=st.booleans(),
    on_call=st.booleans(),
    patience=st.integers(1, 900).map(lambda tenths: tenths / 10),
    deaf=st.none() | st.tuples(st.integers(1, 120).map(lambda t: t / 10), seconds),  # after he was heard of
)
def test_one_conversation_at_most_and_nothing_is_left_over(
    phones: tuple[Habit, Habit, Habit],
    *,
    accept: bool,
    on_call: bool,
    patience: float,
    deaf: tuple[float, float] | None,
) -> None:
    async def story() -> Bench:
        forward = Forward(NUMBERS[0], 8.0, accept="1" if accept else None, ask=ASK, wait_music=SOFT)
        step = OnCall("plumbers", ASK, SOFT) if on_call else forward
        order = tuple(Contact(name, number) for name, number in zip(("A", "B"), NUMBERS, strict=False))
        roster = Roster("plumbers", (Shift(order),), ring_for=6.0, fallback=Contact("L", NUMBERS[2]))
        made = Bench(
            replace(
                configuration(client("lilas", "+33199001001", step)),
                trunks={"operator": Trunk("operator", ("127.0.0.1",), host="operator.test")},
                rosters={roster.id: roster},
            )
        )
        made.telephone.lengths["ask"] = ASK.seconds
        made.telephone.habits = dict(zip(NUMBERS, phones, strict=True))
        made.start()
        await made.pass_time(0.01)
        caller = made.world(0.0, "chan", patience)
        if deaf is not None:
            await made.pass_time(deaf[0])
            with made.telephone.deaf():
                await made.pass_time(deaf[1])
        await made.pass_time(150.0)
        caller.cancel()
        assert made.failure() is None
        return made

    bench = run(story())
    kinds = bench.kinds()
    assert not bench.telephone.channels
    assert not bench.telephone.bridges
    assert not bench.journal.calls
    assert "crashed" not in kinds
    assert kinds.count("ended") == 1
    assert kinds.count("patched") == kinds.count("patch_ended") == len(bench.telephone.joined) <= 1
    record = bench.record()
    assert (record.outcome == "forwarded") == ("patched" in kinds)
    started = [e.fields["leg"] for e in bench.of("c1") if e.kind == "forward_started"]
    assert len(started) == len(set(started)), "an id was used twice"
    if deaf is None:
        assert silences(bench.telephone.past["chan"].heard) < 0.5
        if accept or on_call:
            assert kinds.count("forward_accepted") == kinds.count("patched")
