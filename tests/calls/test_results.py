"""What she says came of her last call, and call lists that are called one by one, in virtual time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autocom.call_lists import CallLists
from autocom.core.model import Trunk
from autocom.core.reminders import AGAIN_AFTER, MOST
from autocom.core.results import ACCEPTED_FOR
from autocom.core.telephony import Cause
from tests.support.exchange_in_memory import Bench, client, configuration
from tests.support.fake_telephone import Habit
from tests.support.virtual import run

ROUX, BLANC = "+33639981234", "+33639981235"


def bench() -> Bench:
    lilas = client("lilas", "+33199001001", code="12", display="Cab. Lilas")
    made = configuration(lilas, lea={"medical": 1}, ines={"medical": 1})
    trunks = {"operator": Trunk("operator", ("127.0.0.1",), host="operator.test")}
    found = Bench(replace(made, trunks=trunks))
    found.telephone.habits = {ROUX: Habit(2.0), BLANC: Habit(2.0)}
    found.start()
    return found


def lists(made: Bench) -> CallLists:
    assert made.switchboard is not None
    return CallLists(made.switchboard)


def states(made: Bench) -> list[tuple[object, object]]:
    return [(row["state"], row["result"]) for row in lists(made).show("lilas")]  # type: ignore[call-overload, index]


async def served(made: Bench) -> str:
    """A caller talks with Léa for ten seconds; the call's id."""
    made.telephone.call_in("chan-1", "0199001001")
    await made.pass_time(20)
    made.telephone.caller_hangs_up("chan-1")
    await made.pass_time(1)
    return "c1"


def results(made: Bench, call: str) -> list[object]:
    return [entry.fields["result"] for entry in made.of(call) if entry.kind == "result"]


def test_the_result_is_about_her_last_call_and_the_last_one_holds():
    async def story() -> None:
        made = bench()
        await made.at_work("lea")
        call = await served(made)
        assert lists(made).say("lea", "2") == {"secretary": "lea", "call": call, "result": "message"}
        lists(made).say("lea", "sales")
        assert results(made, call) == ["message", "sales"]
        with pytest.raises(LookupError, match="no result '9'"):
            lists(made).say("lea", "9")
        with pytest.raises(LookupError, match="ines has had no call"):
            lists(made).say("ines", "1")
        with pytest.raises(LookupError, match="there is no secretary 'lena': did you mean 'lea'"):
            lists(made).say("lena", "1")

    run(story())


def test_the_result_can_be_said_after_a_restart_but_not_for_ever():
    async def story() -> None:
        made = bench()
        await made.at_work("lea")
        call = await served(made)
        await made.kill()
        made.start()
        await made.pass_time(1)
        assert lists(made).say("lea", "1")["result"] == "appointment"
        assert results(made, call) == ["appointment"]
        await made.pass_time(ACCEPTED_FOR)
        with pytest.raises(LookupError):
            lists(made).say("lea", "1")

    run(story())


def test_the_next_on_the_list_is_called_when_she_asks_and_nobody_is_before():
    async def story() -> None:
        made = bench()
        await made.at_work("lea")
        people = [{"number": "06 39 98 12 34", "name": "Mme Roux", "note": "RDV"}, {"number": BLANC}]
        lists(made).add("lilas", people, "admin")
        await made.pass_time(3600)
        assert not made.telephone.channels  # never by itself
        hers = made.telephone.dials("lea", "*4912")
        await made.pass_time(4)
        (rung,) = (c for c in made.telephone.channels.values() if c.order is not None)
        assert rung.order is not None
        assert rung.order.endpoint == f"PJSIP/{ROUX}@trunk-operator"
        assert rung.bridge is not None
        assert rung.bridge == hers.bridge
        assert made.telephone.told == [("lea", "Cab. Lilas · Mme Roux · RDV")]
        assert states(made) == [("under_way", None), ("open", None)]
        made.telephone.phone_hangs_up(hers.id)
        await made.pass_time(1)
        assert lists(made).say("lea", "1")["result"] == "confirmed"
        assert states(made) == [("done", "confirmed"), ("open", None)]

    run(story())


def test_two_who_ask_at_once_do_not_call_the_same_person():
    async def story() -> None:
        made = bench()
        await made.at_work("lea", "ines")
        lists(made).add("lilas", [{"number": ROUX}, {"number": BLANC}], "admin")
        made.telephone.dials("lea", "*4912")
        made.telephone.dials("ines", "*4912")
        third = made.telephone.dials("lea", "*4912")
        await made.pass_time(1)
        dialled = [c.order.endpoint for c in made.telephone.channels.values() if c.order is not None]
        assert sorted(dialled) == [f"PJSIP/{n}@trunk-operator" for n in (ROUX, BLANC)]
        assert third.id not in made.telephone.channels  # nobody is left for her

    run(story())


@pytest.mark.parametrize("killed", [False, True])
def test_who_does_not_answer_comes_up_again_after_a_while(killed: bool):
    async def story() -> None:
        made = bench()
        made.telephone.habits[ROUX] = Habit(refuses=Cause.BUSY)
        await made.at_work("lea")
        lists(made).add("lilas", [{"number": ROUX}], "admin")
        made.telephone.dials("lea", "*4912")
        if killed:
            await made.kill()
            made.start()
        await made.pass_time(10)
        assert states(made) == [("open", None)]
        made.telephone.dials("lea", "*4912")
        await made.pass_time(1)
        assert not made.telephone.channels
        made.telephone.habits[ROUX] = Habit(2.0)
        await made.pass_time(AGAIN_AFTER)
        made.telephone.dials("lea", "*4912")
        await made.pass_time(5)
        assert states(made) == [("under_way", None)]

    run(story())


def test_a_list_takes_everybody_or_nobody_and_says_who_is_wrong():
    async def story() -> None:
        made = bench()
        await made.pass_time(0.1)
        good = {"number": ROUX}
        for wrong, said in (
            ({"number": "15"}, "person 2: '15' is no number that can be called"),
            ({"number": "0899123456"}, "person 2: '0899123456' is no number"),
            ({"number": ROUX, "phone": "x"}, "person 2: unknown key 'phone'"),
            ({"number": ROUX, "at": "soon"}, "person 2: `at` 'soon'"),
            ({"number": ROUX, "name": "x" * 81}, "person 2: name: a text of at most 80 letters"),
        ):
            with pytest.raises(ValueError, match=said):
                lists(made).add("lilas", [good, wrong], "admin")  # type: ignore[list-item]
        with pytest.raises(ValueError, match=f"at most {MOST}"):
            lists(made).add("lilas", [good] * (MOST + 1), "admin")
        with pytest.raises(LookupError, match="did you mean 'lilas'"):
            lists(made).add("lila", [good], "admin")
        assert lists(made).show("lilas") == []

    run(story())


def test_who_is_taken_off_the_list_is_not_called():
    async def story() -> None:
        made = bench()
        await made.at_work("lea")
        added = lists(made).add("lilas", [{"number": ROUX}, {"number": BLANC}], "admin")
        first = added[0]["id"]  # type: ignore[call-overload, index]
        assert lists(made).remove("lilas", str(first), "admin")["removed"] == 1
        assert lists(made).remove("lilas", "nobody", "admin")["removed"] == 0
        await made.kill()
        made.start()
        await made.pass_time(1)
        assert [row["number"] for row in lists(made).show("lilas")] == [BLANC]  # type: ignore[call-overload, index]

    run(story())
