"""How a conversation ends for one of its sides, and what the other side and the journal have of it."""

from __future__ import annotations

from autocom.calls.ports import Fares, TelephoneDown
from autocom.core.model import Enqueue, Hangup, Play
from autocom.core.orders import Hold
from tests.calls.transfer_bureau import CALLER, CELL, bureau, dialled, opened, talking
from tests.support.exchange_in_memory import CALM, CLOSED, client, nothing_left, sounds
from tests.support.fake_telephone import Habit
from tests.support.virtual import run


def test_who_comes_back_from_hold_does_not_wait_longer_than_his_queue_lets_anybody_wait() -> None:
    async def story() -> None:
        queue = Enqueue("medical", CALM, max_wait=20.0, on_timeout=(Play(CLOSED), Hangup()))
        bench = bureau(client("lilas", "+33199001001", queue))
        leg = await talking(bench)
        assert bench.switchboard is not None
        bench.switchboard.desk.order("lea", Hold())
        await bench.pass_time(1.0)
        bench.telephone.habits |= {who: Habit(None) for who in ("lea", "ines", "zoe")}
        bench.telephone.phone_hangs_up(leg.id)
        await bench.pass_time(60.0)
        assert "closed" in sounds(bench)
        assert [kind for kind in bench.kinds() if kind in {"returned", "queued"}] == [
            "queued",
            "returned",
            "queued",
        ]
        nothing_left(bench)

    run(story())


def test_her_phone_hears_of_the_end_of_a_transfer_last_though_a_word_before_it_got_no_answer() -> None:
    async def story() -> None:
        bench = bureau()
        leg = await talking(bench)
        unanswered = [TelephoneDown("lost")]

        def before(what: str) -> None:
            if what == "transfer_fares" and unanswered:
                raise unanswered.pop()

        bench.telephone.before = before  # type: ignore[method-assign]
        bench.telephone.refers(leg.id, "201")
        await bench.pass_time(5.0)
        assert bench.telephone.fares == [(leg.id, Fares.UNDER_WAY), (leg.id, Fares.DONE)]
        bench.telephone.caller_hangs_up(CALLER)
        await bench.pass_time(60.0)
        nothing_left(bench)

    run(story())


def test_the_phone_of_a_secretary_who_dialled_vanishes_and_that_is_written() -> None:
    async def story() -> None:
        bench = bureau()
        await opened(bench)
        hers = await dialled(bench, "lea", CELL)
        bench.telephone.vanishes(hers.id)
        await bench.pass_time(30.0)
        told = [entry for entry in bench.of("c1") if entry.kind in {"vanished", "talk_ended"}]
        assert [entry.kind for entry in told] == ["vanished", "talk_ended"]
        assert told[-1].fields["by"] == "vanished"
        nothing_left(bench)

    run(story())
