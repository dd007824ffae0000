"""A number that somebody has just had dialled sends the call back to us: its turn is over, and no second call begins."""

from __future__ import annotations

from dataclasses import replace

from autocom.calls.inviting import invite
from autocom.core.model import Configuration, Trunk
from autocom.core.orders import Consult
from autocom.core.targets import Outside
from autocom.core.telephony import Cause
from tests.support.exchange_in_memory import Bench, client, configuration
from tests.support.fake_telephone import Habit
from tests.support.virtual import run

DOCTOR = "+33639981021"
DID = "0199001001"


def bureau() -> Configuration:
    made = configuration(client("lilas", "+33199001001"))
    return replace(made, trunks={"operator": Trunk("operator", ("127.0.0.1",), host="operator.test")})


async def opened() -> Bench:
    bench = Bench(bureau())
    bench.telephone.habits |= {"lea": Habit(answers=1.0), DOCTOR: Habit(returns_to=DID)}
    bench.start()
    await bench.pass_time(0.01)
    await bench.at_work("lea", "ines")
    return bench


def sent_back(bench: Bench, leg: str, call: str) -> None:
    """It heard nothing of us, and nobody was offered its call."""
    assert bench.telephone.past[f"back-{leg}"].ended_with == Cause.BUSY
    record = bench.record(call)
    assert (record.outcome, record.offers) == ("rejected", 0)
    assert "loop" in record.flags
    assert bench.failure() is None


def test_whom_she_consults_and_whose_phone_leads_back_to_us_is_had_no_more_and_she_has_her_caller() -> None:
    async def story() -> None:
        bench = await opened()
        bench.telephone.call_in("chan-1", DID)
        await bench.pass_time(6.0)
        assert bench.switchboard is not None
        bench.switchboard.desk.order("lea", Consult(Outside(DOCTOR, "Dr Roux")))
        await bench.pass_time(5.0)
        sent_back(bench, "out-c1-1", "c2")
        ended = next(e for e in bench.of("c1") if e.kind == "consult_ended")
        assert ended.fields["result"] == "loop"
        assert bench.telephone.bridges == {"talk-c1-1": {"chan-1", "ring-c1-1-lea"}}
        assert bench.state("lea") == "talking"
        await bench.kill()

    run(story())


def test_whom_a_room_invites_and_whose_phone_leads_back_to_us_is_no_member() -> None:
    async def story() -> None:
        bench = await opened()
        bench.telephone.dials("lea", "801")
        await bench.pass_time(3.0)
        assert bench.switchboard is not None
        assert invite(bench.switchboard.desk, "801", "0639981021", "lea") == "c2"
        await bench.pass_time(3.0)
        sent_back(bench, "out-c2-1", "c3")
        ended = next(e for e in bench.of("c2") if e.kind == "forward_ended")
        assert ended.fields["result"] == "loop"
        assert bench.record("c2").outcome == "rejected"
        assert bench.telephone.bridges == {"room-801": {"phone-lea-1"}}
        await bench.kill()

    run(story())
