"""A colleague's ringing phone is answered from another one: an offer, a call between posts, a transfer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autocom.core.model import Configuration, Enqueue, Team
from autocom.core.orders import SendTo
from autocom.core.targets import Colleague
from autocom.core.telephony import Cause
from tests.support import exchange_in_memory as in_memory
from tests.support.exchange_in_memory import CALM, Bench, client, configuration
from tests.support.fake_telephone import Habit
from tests.support.virtual import run


def bureau() -> Configuration:
    lilas = client(
        "lilas",
        "+33199001001",
        Enqueue("medical", CALM, ring_for=20.0),
        display="Cab. Lilas",
        phrase="Cabinet des Lilas, bonjour.",
    )
    made = configuration(lilas, lea={"medical": 1}, ines={"medical": 1}, zoe={"legal": 1})
    return replace(made, teams={"medical": Team("medical"), "legal": Team("legal")})


async def opened(*at_work: str) -> Bench:
    bench = Bench(bureau())
    bench.telephone.habits |= {name: Habit(answers=None) for name in ("lea", "ines", "zoe")}
    bench.start()
    await bench.pass_time(0.01)
    await bench.at_work(*at_work)
    return bench


async def over(bench: Bench) -> None:
    await in_memory.over(bench)
    assert all(bench.state(who) != "talking" for who in ("lea", "ines", "zoe"))


def refusals(bench: Bench) -> list[object]:
    return [entry.fields["why"] for entry in bench.journal.entries if entry.kind == "call_refused"]


@pytest.mark.parametrize("code", ["*8", "*8200"])
def test_an_offer_of_the_queue_that_rings_at_a_colleague_is_taken_by_a_code(code: str) -> None:
    async def story() -> None:
        bench = await opened("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(2.0)
        bench.telephone.register("ines")
        await bench.pass_time(0.1)
        hers = bench.telephone.dials("ines", code)
        await bench.pass_time(0.5)
        assert bench.telephone.joined == [("chan-1", hers.id)]
        assert bench.telephone.past["ring-c1-1-lea"].ended_with == Cause.ANSWERED_ELSEWHERE
        assert bench.state("ines") == "talking"
        text = "Cab. Lilas · 06 39 98 01 01 (sonnait chez lea) · Cabinet des Lilas, bonjour."
        assert bench.telephone.told == [("ines", text)]
        await bench.pass_time(4.0)
        bench.telephone.phone_hangs_up(hers.id)
        await bench.pass_time(1.0)
        record = bench.record()
        assert (record.outcome, record.secretary) == ("served", "ines")
        picked = next(e for e in bench.of("c1") if e.kind == "picked_up")
        assert picked.fields == {"secretary": "ines", "of": "lea"}
        await over(bench)

    run(story())


def test_a_call_between_colleagues_that_rings_is_taken_and_both_talk() -> None:
    async def story() -> None:
        bench = await opened("lea", "ines", "zoe")
        mine = bench.telephone.dials("zoe", "200")
        await bench.pass_time(1.0)
        hers = bench.telephone.dials("ines", "*8")
        await bench.pass_time(0.5)
        assert set(bench.telephone.joined[-1]) == {mine.id, hers.id}
        assert bench.telephone.past["out-c1-1"].ended_with == Cause.ANSWERED_ELSEWHERE
        assert bench.telephone.told[-1] == ("ines", "zoe (sonnait chez lea)")
        await bench.pass_time(3.0)
        bench.telephone.phone_hangs_up(hers.id)
        await bench.pass_time(1.0)
        assert mine.ended_with is not None
        assert bench.record().outcome == "served"
        await over(bench)

    run(story())


def test_a_caller_who_is_transferred_and_rings_is_taken_with_his_identity() -> None:
    async def story() -> None:
        bench = await opened("lea", "ines", "zoe")
        bench.telephone.habits["lea"] = bench.telephone.habits["ines"] = Habit(answers=1.0)
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(3.0)
        first = "lea" if bench.state("lea") == "talking" else "ines"
        other = "ines" if first == "lea" else "lea"
        assert bench.switchboard is not None
        assert bench.switchboard.desk.order(first, SendTo(Colleague("zoe"))) is not None
        await bench.pass_time(2.0)
        hers = bench.telephone.dials(other, "*8202")
        await bench.pass_time(0.5)
        assert bench.telephone.joined[-1] == ("chan-1", hers.id)
        assert bench.state(other) == "talking"
        assert bench.state("zoe") == "free"
        assert (other, "Cab. Lilas · 06 39 98 01 01 (sonnait chez zoe) · Cabinet des Lilas, bonjour.") in (
            bench.telephone.told
        )
        await bench.pass_time(3.0)
        bench.telephone.phone_hangs_up(hers.id)
        await bench.pass_time(1.0)
        assert bench.record().outcome == "served"
        await over(bench)

    run(story())


def test_of_two_phones_that_ring_the_one_that_rings_longer_is_taken() -> None:
    async def story() -> None:
        bench = await opened("lea", "ines")
        bench.telephone.dials("zoe", "201")
        await bench.pass_time(3.0)
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(2.0)
        hers = bench.telephone.dials("lea", "*8")
        await bench.pass_time(0.5)
        assert hers.id in bench.telephone.joined[-1]
        assert "chan-1" not in bench.telephone.joined[-1]
        await over(bench)

    run(story())


def test_without_an_extension_only_phones_of_her_own_teams_are_taken() -> None:
    async def story() -> None:
        bench = await opened("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(2.0)
        stranger = bench.telephone.dials("zoe", "*8")
        await bench.pass_time(1.0)
        assert stranger.ended_with is not None
        named = bench.telephone.dials("zoe", "*8200")
        await bench.pass_time(1.0)
        assert bench.telephone.joined == [("chan-1", named.id)]
        assert refusals(bench) == ["nothing_rings"]
        await over(bench)

    run(story())


@pytest.mark.parametrize("code", ["*8", "*8200", "*8299", "*8600"])
def test_where_nothing_rings_she_is_refused(code: str) -> None:
    async def story() -> None:
        bench = await opened("lea", "ines")
        hers = bench.telephone.dials("ines", code)
        await bench.pass_time(1.0)
        assert hers.ended_with is not None
        assert refusals(bench) == ["nothing_rings"]
        await over(bench)

    run(story())


@pytest.mark.parametrize("direct", [False, True])
def test_two_pick_up_at_once_and_one_gets_him(direct: bool) -> None:
    async def story() -> None:
        bench = await opened("lea")
        if direct:
            bench.telephone.dials("lea", "202")
        else:
            bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(2.0)
        ringing = "202" if direct else "200"
        first = bench.telephone.dials("ines", f"*8{ringing}")
        second = bench.telephone.dials("lea" if direct else "zoe", f"*8{ringing}")
        await bench.pass_time(1.0)
        assert first.bridge is not None
        assert second.ended_with is not None
        assert refusals(bench) == ["nothing_rings"]
        await over(bench)

    run(story())


@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize("answers_first", [False, True])
def test_the_colleague_answers_in_the_same_instant(direct: bool, answers_first: bool) -> None:
    async def story() -> None:
        bench = await opened("lea", "ines")
        caller = "chan-1"
        if direct:
            caller = bench.telephone.dials("zoe", "200").id
        else:
            bench.telephone.register("ines", reachable=False)
            await bench.pass_time(0.1)
            bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(2.0)
        leg = "out-c1-1" if direct else "ring-c1-1-lea"
        if answers_first:
            bench.telephone._pick_up(leg, Habit())
            hers = bench.telephone.dials("ines", "*8200")
        else:
            hers = bench.telephone.dials("ines", "*8200")
            bench.telephone._pick_up(leg, Habit())
        await bench.pass_time(1.5)
        members = [m for m in bench.telephone.bridges.values() if caller in m]
        assert len(members) == 1
        assert len(members[0]) == 2
        winner = leg if answers_first else hers.id
        assert winner in members[0]
        loser = hers.id if answers_first else leg
        assert loser not in bench.telephone.channels
        await over(bench)

    run(story())


@pytest.mark.parametrize("direct", [False, True])
def test_the_caller_hangs_up_in_the_same_instant(direct: bool) -> None:
    async def story() -> None:
        bench = await opened("lea")
        caller = "chan-1"
        if direct:
            caller = bench.telephone.dials("zoe", "200").id
        else:
            bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(2.0)
        bench.telephone.caller_hangs_up(caller)
        hers = bench.telephone.dials("ines", "*8200")
        await bench.pass_time(1.5)
        assert hers.ended_with is not None
        assert not bench.telephone.channels
        await over(bench)

    run(story())


@pytest.mark.parametrize("direct", [False, True])
def test_she_hangs_up_as_soon_as_she_dialled_and_it_rings_on(direct: bool) -> None:
    async def story() -> None:
        bench = await opened("lea")
        if direct:
            bench.telephone.dials("zoe", "200")
        else:
            bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(2.0)
        hers = bench.telephone.dials("ines", "*8200")
        bench.telephone.phone_hangs_up(hers.id)
        await bench.pass_time(3.0)
        assert bench.switchboard is not None
        assert len(bench.switchboard.lines) == 1
        assert any(c.order is not None for c in bench.telephone.channels.values())
        await over(bench)

    run(story())
