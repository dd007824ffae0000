"""Forwards of phones in calls: always, busy, no answer, in chains; kept over a restart; never for the queue."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autocom.calls.diverting import forward
from autocom.core.model import Configuration, Enqueue, Trunk
from autocom.core.orders import Consult, SendTo
from autocom.core.targets import Colleague
from autocom.core.telephony import Cause, PhoneInUse
from tests.support.exchange_in_memory import CALM, Bench, client, configuration, over
from tests.support.fake_telephone import Habit
from tests.support.virtual import run

MOBILE = "+33639981099"


def bureau(*, outside: bool = True, depth: int = 3) -> Configuration:
    made = configuration(
        client("lilas", "+33199001001", Enqueue("medical", CALM)),
        lea={"medical": 1},
        ines={"medical": 2},
        awa={"general": 1},
        zoe={"general": 1},
    )
    return replace(
        made,
        bureau=replace(made.bureau, forwarding_outside=outside, forwarding_depth=depth),
        trunks={"operator": Trunk("operator", ("127.0.0.1",), host="operator.test", max_calls=10)},
    )


async def opened(made: Configuration | None = None) -> Bench:
    bench = Bench(made or bureau())
    bench.telephone.habits |= {name: Habit(answers=None) for name in ("lea", "ines", "awa", "zoe")}
    bench.telephone.habits[MOBILE] = Habit(answers=1.0)
    bench.start()
    await bench.pass_time(0.01)
    await bench.at_work("lea", "ines", "awa", "zoe")
    return bench


def sets(bench: Bench, who: str, when: str, to: str | None) -> str | None:
    assert bench.switchboard is not None
    return forward(bench.switchboard.house, who, when, to)


def rung(bench: Bench) -> list[str]:
    every = {**bench.telephone.past, **bench.telephone.channels}
    legs = sorted((c for c in every.values() if c.order is not None), key=lambda c: c.id)
    return [leg.order.endpoint.removeprefix("PJSIP/") for leg in legs if leg.order is not None]


def links(bench: Bench) -> list[tuple[object, ...]]:
    return [
        (e.fields["secretary"], e.fields["forward"], e.fields["to"])
        for e in bench.journal.entries
        if e.kind == "forwarded_post"
    ]


def test_always_rings_the_other_phone_and_not_hers() -> None:
    async def story() -> None:
        bench = await opened()
        bench.telephone.habits["awa"] = Habit(answers=1.0)
        assert sets(bench, "ines", "always", "202") is None
        mine = bench.telephone.dials("lea", "201")
        await bench.pass_time(3.0)
        assert rung(bench) == ["awa"]
        assert mine.bridge is not None
        assert links(bench) == [("ines", "always", "202")]
        await over(bench)

    run(story())


def test_no_answer_goes_on_to_the_next_and_over_her_to_a_number_outside() -> None:
    async def story() -> None:
        bench = await opened()
        sets(bench, "ines", "no_answer", "202")
        sets(bench, "awa", "no_answer", "06 39 98 10 99")
        mine = bench.telephone.dials("lea", "201")
        await bench.pass_time(70.0)
        assert rung(bench) == ["ines", "awa", f"{MOBILE}@trunk-operator"]
        assert mine.bridge is not None
        assert links(bench) == [("ines", "no_answer", "202"), ("awa", "no_answer", MOBILE)]
        await over(bench)

    run(story())


@pytest.mark.parametrize("how", ["in a conversation", "on a call of her own", "refuses"])
def test_busy_goes_to_where_she_said(how: str) -> None:
    async def story() -> None:
        bench = await opened()
        sets(bench, "ines", "busy", "202")
        bench.telephone.habits["awa"] = Habit(answers=1.0)
        match how:
            case "refuses":
                bench.telephone.habits["ines"] = Habit(refuses=Cause.BUSY)
            case "on a call of her own":
                bench.telephone._tell(PhoneInUse("ines", True))
            case _:
                bench.telephone.habits["ines"] = Habit(answers=0.5)
                bench.telephone.register("lea", reachable=False)
                await bench.pass_time(0.1)
                bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(3.0)
        mine = bench.telephone.dials("zoe", "201")
        await bench.pass_time(3.0)
        assert mine.bridge is not None
        assert links(bench) == [("ines", "busy", "202")]
        await over(bench)

    run(story())


def test_a_phone_that_is_not_there_counts_as_not_answered() -> None:
    async def story() -> None:
        bench = await opened()
        bench.telephone.habits |= {"ines": Habit(offline=True), "awa": Habit(answers=1.0)}
        sets(bench, "ines", "no_answer", "202")
        mine = bench.telephone.dials("lea", "201")
        await bench.pass_time(3.0)
        assert mine.bridge is not None
        assert rung(bench) == ["awa"]
        await over(bench)

    run(story())


def test_a_loop_ends_and_the_call_with_it() -> None:
    async def story() -> None:
        bench = await opened()
        sets(bench, "ines", "always", "202")
        sets(bench, "awa", "always", "201")
        sets(bench, "awa", "no_answer", "201")
        mine = bench.telephone.dials("lea", "201")
        await bench.pass_time(40.0)
        assert rung(bench) == ["awa"]
        assert mine.ended_with is not None
        await over(bench)

    run(story())


def test_a_chain_is_not_longer_than_the_bureau_says() -> None:
    async def story() -> None:
        bench = await opened(bureau(depth=1))
        sets(bench, "ines", "no_answer", "202")
        sets(bench, "awa", "no_answer", "203")
        bench.telephone.dials("lea", "201")
        await bench.pass_time(100.0)
        assert rung(bench) == ["ines", "awa"]
        await over(bench)

    run(story())


def test_a_transferred_caller_follows_the_forward_and_comes_back_where_nobody_answers() -> None:
    async def story() -> None:
        bench = await opened()
        bench.telephone.habits["lea"] = Habit(answers=1.0)
        bench.telephone.register("ines", reachable=False)
        await bench.pass_time(0.1)
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(3.0)
        sets(bench, "awa", "no_answer", "203")
        assert bench.switchboard is not None
        bench.switchboard.desk.order("lea", SendTo(Colleague("awa")))
        await bench.pass_time(60.0)
        assert links(bench) == [("awa", "no_answer", "203")]
        assert bench.telephone.joined[-1] == ("chan-1", "ring-c1-2-lea")
        await over(bench)

    run(story())


async def with_a_caller(bench: Bench) -> None:
    """Léa talks with a caller of the queue."""
    bench.telephone.habits["lea"] = Habit(answers=1.0)
    bench.telephone.register("ines", reachable=False)
    await bench.pass_time(0.1)
    bench.telephone.call_in("chan-1", "0199001001")
    await bench.pass_time(3.0)
    assert bench.state("lea") == "talking"


def test_whom_she_consults_in_a_conversation_is_rung_where_she_forwards_to() -> None:
    async def story() -> None:
        bench = await opened()
        await with_a_caller(bench)
        sets(bench, "awa", "always", "203")
        bench.telephone.habits["zoe"] = Habit(answers=1.0)
        assert bench.switchboard is not None
        bench.switchboard.desk.order("lea", Consult(Colleague("awa")))
        await bench.pass_time(4.0)
        assert rung(bench)[0] == "zoe"
        assert links(bench) == [("awa", "always", "203")]
        await over(bench)

    run(story())


@pytest.mark.parametrize("order", [SendTo(Colleague("awa")), Consult(Colleague("awa"))])
def test_a_forward_never_leads_back_to_who_calls(order: SendTo | Consult) -> None:
    async def story() -> None:
        bench = await opened()
        await with_a_caller(bench)
        sets(bench, "awa", "always", "200")
        assert bench.switchboard is not None
        bench.switchboard.desk.order("lea", order)
        await bench.pass_time(4.0)
        assert "awa" in rung(bench)
        assert links(bench) == []
        await over(bench)

    run(story())


def test_a_caller_is_sent_to_a_phone_that_is_gone_but_forwards() -> None:
    async def story() -> None:
        bench = await opened()
        await with_a_caller(bench)
        bench.telephone.habits["awa"] = Habit(offline=True)
        bench.telephone.register("awa", reachable=False)
        sets(bench, "awa", "no_answer", MOBILE)
        assert bench.switchboard is not None
        bench.switchboard.desk.order("lea", SendTo(Colleague("awa")))
        await bench.pass_time(4.0)
        assert ("chan-1", "out-c1-2") in bench.telephone.joined
        assert links(bench) == [("awa", "no_answer", MOBILE)]
        await over(bench)

    run(story())


def test_what_the_queue_offers_never_follows_a_forward() -> None:
    async def story() -> None:
        bench = await opened()
        sets(bench, "lea", "always", MOBILE)
        sets(bench, "lea", "no_answer", MOBILE)
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(40.0)
        assert not any(endpoint.startswith(MOBILE) for endpoint in rung(bench))
        assert links(bench) == []
        await over(bench)

    run(story())


@pytest.mark.parametrize(
    ("to", "outside", "why"),
    [
        ("200", True, "self"),
        (MOBILE, False, "outside"),
        ("299", True, "unknown"),
        ("801", True, "unknown"),
        ("0199001001", True, "own"),
    ],
)
def test_what_may_not_be_set_is_not_set(to: str, outside: bool, why: str) -> None:
    async def story() -> None:
        bench = await opened(bureau(outside=outside))
        assert sets(bench, "lea", "always", to) == why
        assert bench.journal.rows("forward:") == {}
        await over(bench)

    run(story())


@pytest.mark.parametrize("to", ["0899001001", "+88212345678", "+442079460000"])
def test_a_number_that_may_not_be_dialled_is_not_dialled_by_a_forward_either(to: str) -> None:
    async def story() -> None:
        bench = await opened()
        assert sets(bench, "ines", "always", to) is not None
        assert bench.switchboard is not None
        # set before the files forbade it
        bench.switchboard.house.forwards.set("ines", "always", to)
        mine = bench.telephone.dials("lea", "201")
        await bench.pass_time(3.0)
        assert rung(bench) == []
        assert mine.ended_with is not None
        await over(bench)

    run(story())


def test_a_forward_to_the_outside_counts_for_her_whose_phone_forwards() -> None:
    async def story() -> None:
        made = bureau()
        limits = replace(made.bureau.outgoing.per_secretary, at_once=1)
        rules = replace(made.bureau.outgoing, per_secretary=limits)
        bench = await opened(replace(made, bureau=replace(made.bureau, outgoing=rules)))
        sets(bench, "ines", "always", MOBILE)
        first = bench.telephone.dials("lea", "201")
        await bench.pass_time(3.0)
        assert first.bridge is not None
        second = bench.telephone.dials("zoe", "201")
        await bench.pass_time(3.0)
        assert second.ended_with is not None
        own = bench.telephone.dials("lea", MOBILE)
        await bench.pass_time(3.0)
        assert own.bridge is not None
        await over(bench)

    run(story())


def test_a_forward_is_kept_over_a_restart_until_she_ends_it() -> None:
    async def story() -> None:
        bench = await opened()
        bench.telephone.habits["awa"] = Habit(answers=1.0)
        sets(bench, "ines", "always", "202")
        await bench.kill()
        bench.start()
        await bench.pass_time(0.5)
        mine = bench.telephone.dials("lea", "201")
        await bench.pass_time(3.0)
        assert rung(bench) == ["awa"]
        bench.telephone.phone_hangs_up(mine.id)
        sets(bench, "ines", "always", None)
        assert bench.journal.rows("forward:") == {}
        said = [e.fields for e in bench.journal.entries if e.kind == "forward_set"]
        assert said == [
            {"secretary": "ines", "forward": "always", "to": "202"},
            {"secretary": "ines", "forward": "always", "to": None},
        ]
        await over(bench)

    run(story())


def test_a_forward_that_cannot_be_read_is_nobodys() -> None:
    async def story() -> None:
        bench = await opened()
        await bench.kill()
        bench.journal.floor["forward:ines"] = "what?"
        bench.start()
        await bench.pass_time(0.5)
        assert bench.switchboard is not None
        assert dict(bench.switchboard.house.forwards.all) == {}
        await over(bench)

    run(story())
