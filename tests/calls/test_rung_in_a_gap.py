"""A phone that we ring refuses while we are away: it is not rung again; or says that it rings: that is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from autocom.calls.inviting import invite
from autocom.calls.summoning import call_out
from autocom.core.model import Trunk
from tests.calls.test_supervising import bureau
from tests.support.exchange_in_memory import Bench
from tests.support.fake_telephone import Habit
from tests.support.virtual import run

CELL = "0639981021"


def summons(bench: Bench) -> None:
    assert bench.switchboard is not None
    call_out(bench.switchboard.desk, "ines", CELL, None)


def asks_in(bench: Bench) -> None:
    assert bench.switchboard is not None
    invite(bench.switchboard.desk, "801", "201", "lea")


def supervises(bench: Bench) -> None:
    assert bench.switchboard is not None
    bench.switchboard.overseers.begin("awa", "lea", "listen")


@pytest.mark.parametrize("ring", [summons, asks_in, supervises], ids=lambda ring: ring.__name__)
def test_a_phone_that_was_put_down_while_we_were_away_is_not_rung_again(
    ring: Callable[[Bench], None],
) -> None:
    async def story() -> None:
        made = bureau()
        trunks = {"operator": Trunk("operator", ("127.0.0.1",), host="operator.test")}
        bench = Bench(replace(made, trunks=trunks))
        telephone = bench.telephone
        telephone.habits |= dict.fromkeys(("lea", "ines", "awa"), Habit(None))
        bench.start()
        await bench.pass_time(0.01)
        await bench.at_work("lea", "ines")
        telephone.register("awa")
        telephone.dials("lea", "801")
        await bench.pass_time(1.0)
        ring(bench)
        await bench.pass_time(1.0)
        (rung,) = [channel.id for channel in telephone.channels.values() if channel.order is not None]
        await bench.kill()
        telephone.vanishes(rung, 21)
        bench.start()
        await bench.pass_time(0.5)
        assert [c.id for c in telephone.channels.values() if c.order is not None] == []
        assert sum(entry.kind == "ended" for entry in bench.journal.entries) == 1
        assert bench.failure() is None
        await bench.kill()

    run(story())


def test_a_phone_that_said_it_rings_while_we_were_away_is_no_silent_one() -> None:
    async def story() -> None:
        bench = Bench(bureau())
        telephone = bench.telephone
        telephone.habits["lea"] = Habit(None)
        bench.start()
        await bench.pass_time(0.01)
        await bench.at_work("lea")
        telephone.call_in("chan-1", "0199001001")
        while telephone.leg_of("lea") is None:
            await bench.pass_time(0.001)
        await bench.kill()
        await bench.pass_time(0.1)
        assert bench.kinds().count("ringing") == 0
        bench.start()
        await bench.pass_time(0.5)
        assert bench.kinds().count("ringing") == 1
        await bench.pass_time(20.0)
        assert bench.switchboard is not None
        assert bench.switchboard.dispatcher.floor.posts["lea"].misses == 1
        await bench.kill()

    run(story())
