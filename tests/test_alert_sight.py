"""What the alerts see of a running exchange: a whole one over fakes, in virtual time, with its real parts around it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import time
from pathlib import Path
from typing import Any

import pytest

from autocom.alert_sight import AT_ONCE, OUTBOXES_EVERY, AlertSight
from autocom.core.alerts import RULES, Alert, Alerting
from autocom.core.floor_words import LoggedOut
from autocom.core.model import Enqueue, Forward, Hangup, HangupKind, Hours, Rule, TimeRange, Trunk, When
from autocom.core.overrides import Override
from autocom.exchange import RunningExchange
from autocom.journal.database import make_engine
from autocom.journal.log import LocalLog
from autocom.journal.shipper import Shipper
from tests.support.exchange_in_memory import CALM, Bench, client, configuration
from tests.support.fake_telephone import Habit
from tests.support.virtual import EPOCH, run

CELL = "+33639981021"
DID = "0199001001"


class Lookout:
    """A bench with an exchange around it and the sight that the alerts have."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        self.bench = bench
        bench.start()
        assert bench.switchboard is not None
        self.local = LocalLog(folder / "journal.sqlite")
        self.shipper = Shipper(self.local, make_engine("postgresql://nobody@127.0.0.1:1/none"))
        nothing: Any = None
        self.exchange = RunningExchange(
            bench.switchboard, bench.journal, nothing, nothing, nothing  # type: ignore[arg-type]
        )  # fmt: skip
        self.trunks: dict[str, str] = {}
        self.sight = self.begun()

    def begun(self) -> AlertSight:
        """As a process begins."""
        clock = self.bench.clock
        return AlertSight(self.exchange, self.shipper, clock, lambda: self.trunks, lambda: True, lambda: 0.0)

    def wrong(self) -> dict[tuple[str, str], str]:
        """What is wrong now but the database, which is not there."""
        found = self.sight.find()
        return {(f.name, f.subject): f.detail for f in found if f.name != "database_down"}

    async def hear(self) -> None:
        """Every fact, as it is written."""
        async for entry in self.bench.journal.follow():
            self.sight.hear(entry)


def story(folder: Path, bench: Callable[[], Bench], plot: Callable[[Lookout], Awaitable[None]]) -> None:
    async def play() -> None:
        found = Lookout(bench(), folder)
        hearing = asyncio.ensure_future(found.hear())
        await asyncio.sleep(0.01)
        try:
            await plot(found)
            assert found.bench.failure() is None
        finally:
            hearing.cancel()
            await found.bench.kill()
            found.local.close()

    run(play())


def plain(**changes: Any) -> Bench:
    return Bench(configuration(client("lilas", "+33199001001", **changes), lea={"medical": 1}))


def test_nobody_at_work_is_seen_until_somebody_is_registered_and_logged_in(tmp_path: Path) -> None:
    async def plot(look: Lookout) -> None:
        nobody = {("no_secretary", "medical"): "Lilas"}
        assert look.wrong() == nobody
        look.bench.telephone.register("lea")
        await look.bench.pass_time(0.1)
        assert look.wrong() == nobody
        await look.bench.at_work("lea")
        assert look.wrong() == {}
        assert look.bench.switchboard is not None
        look.bench.switchboard.dispatcher.submit(LoggedOut("lea"))
        assert look.wrong() == nobody

    story(tmp_path, plain, plot)


def test_a_closed_client_is_missed_by_nobody_unless_a_lead_opens_it(tmp_path: Path) -> None:
    shut = Hours("Europe/Paris", {day: (TimeRange(time(3), time(4)),) for day in range(1, 8)})
    rules = (
        Rule("closed", When(open=False), (Hangup(HangupKind.NORMAL),)),
        Rule("open", None, (Enqueue("medical", CALM),)),
    )

    async def plot(look: Lookout) -> None:
        assert look.wrong() == {}
        assert look.bench.switchboard is not None
        opened = Override("lilas", "open", EPOCH + 900, "chef", EPOCH)
        look.bench.switchboard.overrides.set(opened)
        assert look.wrong() == {("no_secretary", "medical"): "Lilas"}
        await look.bench.pass_time(1000)
        assert look.wrong() == {}

    story(tmp_path, lambda: plain(hours=shut, rules=rules), plot)


def test_a_long_wait_is_seen_and_ends_with_the_wait(tmp_path: Path) -> None:
    def bench() -> Bench:
        made = plain()
        rules = {**RULES, "long_wait": replace(RULES["long_wait"], over=30.0)}
        house = replace(made.configuration.bureau, alerts=Alerting(rules=rules))
        made.configuration = replace(made.configuration, bureau=house)
        return made

    async def plot(look: Lookout) -> None:
        await look.bench.at_work("lea")
        look.bench.telephone.habits["lea"] = Habit(None)
        look.bench.telephone.call_in("chan", DID)
        await look.bench.pass_time(29)
        assert look.wrong() == {}
        await look.bench.pass_time(10)
        ((key, detail),) = look.wrong().items()
        assert key == ("long_wait", "")
        assert detail.endswith("(Lilas)")
        look.bench.telephone.caller_hangs_up("chan")
        await look.bench.pass_time(0.1)
        assert look.wrong() == {}

    story(tmp_path, bench, plot)


@pytest.mark.parametrize(("cause", "down"), [(38, True), (1, False), (17, False)])
def test_five_calls_in_a_row_that_a_trunk_does_not_connect_are_seen(
    tmp_path: Path, cause: int, down: bool
) -> None:
    def bench() -> Bench:
        made = Bench(
            configuration(client("lilas", "+33199001001", Forward(CELL, ring_for=10.0)), lea={"medical": 1})
        )
        trunks = {"operator": Trunk("operator", ("127.0.0.1",), host="operator.test")}
        made.configuration = replace(made.configuration, trunks=trunks)
        made.telephone.habits[CELL] = Habit(refuses=cause)  # type: ignore[call-arg]
        return made

    async def plot(look: Lookout) -> None:
        for n in range(5):
            assert ("trunk_down", "operator") not in look.wrong()
            look.bench.telephone.call_in(f"chan-{n}", DID)
            await look.bench.pass_time(5)
        assert (("trunk_down", "operator") in look.wrong()) is down
        look.bench.telephone.habits[CELL] = Habit(1.0)
        look.bench.telephone.call_in("chan-last", DID)
        await look.bench.pass_time(5)
        assert ("trunk_down", "operator") not in look.wrong()

    story(tmp_path, bench, plot)


def test_a_trunk_that_took_no_call_is_down_over_a_restart_until_one_gets_through(tmp_path: Path) -> None:
    def bench() -> Bench:
        made = Bench(
            configuration(client("lilas", "+33199001001", Forward(CELL, ring_for=10.0)), lea={"medical": 1})
        )
        trunks = {name: Trunk(name, (f"127.0.0.{n}",), host="o.test") for n, name in enumerate("ab", 1)}
        made.configuration = replace(made.configuration, trunks=trunks)
        made.telephone.habits[CELL] = Habit(1.0)
        return made

    async def plot(look: Lookout) -> None:
        look.sight = look.begun()
        told = [
            Alert("trunk_down", "a", 1.0, "5+", raised=2.0),
            Alert("trunk_down", "b", 1.0, "OPTIONS", raised=2.0),
            Alert("trunk_down", "sold", 1.0, "5+", raised=2.0),
        ]
        look.sight.remember(told)
        assert [key for key in look.wrong() if key[0] == "trunk_down"] == [("trunk_down", "a")]
        look.bench.telephone.call_in("chan", DID)
        await look.bench.pass_time(5)
        assert not [key for key in look.wrong() if key[0] == "trunk_down"]

    story(tmp_path, bench, plot)


@pytest.mark.parametrize("qualify", [True, False])
def test_an_operator_that_asterisk_does_not_reach_is_seen_where_it_may_ask(
    tmp_path: Path, qualify: bool
) -> None:
    def bench() -> Bench:
        made = plain()
        trunk = Trunk("operator", ("127.0.0.1",), host="operator.test", qualify=qualify)
        made.configuration = replace(made.configuration, trunks={"operator": trunk})
        return made

    async def plot(look: Lookout) -> None:
        await look.bench.at_work("lea")
        look.trunks = {"operator": "Unreachable", "gone": "Unreachable"}
        assert look.wrong() == ({("trunk_down", "operator"): "OPTIONS"} if qualify else {})
        look.trunks = {"operator": "Reachable"}
        assert look.wrong() == {}

    story(tmp_path, bench, plot)


def test_an_outbox_is_stuck_when_it_has_not_been_empty_for_long(tmp_path: Path) -> None:
    async def plot(look: Lookout) -> None:
        await look.bench.at_work("lea")
        for waits, seconds in ((1, 800), (0, OUTBOXES_EVERY), (3, 890)):
            look.exchange.mail = lambda waits=waits: {"waiting": waits, "failed": 0}  # type: ignore[misc]
            for _ in range(int(seconds // OUTBOXES_EVERY)):
                assert look.wrong() == {}
                await look.bench.pass_time(OUTBOXES_EVERY)
        await look.bench.pass_time(30)
        assert list(look.wrong()) == [("outbox_stuck", "mail")]

    story(tmp_path, plain, plot)


def test_a_telephone_that_is_lost_is_seen_and_its_facts_too(tmp_path: Path) -> None:
    async def plot(look: Lookout) -> None:
        await look.bench.at_work("lea")
        with look.bench.telephone.deaf():
            await look.bench.pass_time(0.1)
            assert list(look.wrong()) == [("telephone_lost", "")]
        await look.bench.pass_time(0.1)
        assert look.wrong() == {}

    story(tmp_path, plain, plot)


def test_clients_who_are_read_anew_are_looked_at(tmp_path: Path) -> None:
    async def plot(look: Lookout) -> None:
        await look.bench.at_work("lea")
        assert look.wrong() == {}
        made = configuration(
            client("lilas", "+33199001001"),
            client("port", "+33199001002", Enqueue("legal", CALM)),
            lea={"medical": 1},
        )
        assert look.bench.switchboard is not None
        look.bench.switchboard.use(replace(made, version="v2"))
        assert look.wrong() == {("no_secretary", "legal"): "Port"}

    story(tmp_path, plain, plot)


def test_a_night_in_which_a_thousand_clients_are_missed_holds_nobody_up(tmp_path: Path) -> None:
    def bench() -> Bench:
        many = [client(f"cab-{n}", f"+3319900{n:04d}") for n in range(1000)]
        return Bench(configuration(*many, lea={"medical": 1}))

    async def plot(look: Lookout) -> None:
        counts = []
        for _ in range(12):
            (found,) = [f for f in look.sight.find() if f.name == "no_secretary"]
            counts.append(found.count)
            await look.bench.pass_time(1)
        assert counts == [*range(AT_ONCE, 1000, AT_ONCE), 1000, 1000, 1000]

    story(tmp_path, bench, plot)
