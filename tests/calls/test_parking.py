"""Parked callers: put aside with a note, taken back by whoever dials the slot, back at her when their time is over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autocom.calls.ports import Fares
from autocom.core.model import Audio, Configuration, Enqueue, Trunk
from autocom.core.orders import Consult, Park
from autocom.core.parking import SLOTS
from autocom.core.targets import Colleague
from autocom.core.telephony import ChannelHeld
from tests.support.exchange_in_memory import CALM, Bench, client, configuration, heard
from tests.support.fake_telephone import Habit
from tests.support.virtual import run

LEG = "ring-c1-1-lea"
SLOT_ONE = Audio("parked-1", "parked-1", 1.5)


def bureau(*, seconds: float = 90.0, **changes: object) -> Configuration:
    """Two secretaries of one team, a queue without a welcome, and a sentence for the first slot."""
    lilas = client("lilas", "+33199001001", Enqueue("medical", CALM), display="Cab. Lilas", **changes)
    made = configuration(lilas)
    return replace(
        made,
        bureau=replace(made.bureau, parking_return=seconds),
        stock=replace(made.stock, notices={"parked_1": SLOT_ONE}),
        trunks={"operator": Trunk("operator", ("127.0.0.1",), host="operator.test")},
    )


async def talking(made: Configuration, *at_work: str, channel: str = "chan-1") -> Bench:
    """Léa talks with a caller."""
    bench = Bench(made)
    bench.telephone.lengths |= {"parked-1": 1.5}
    bench.telephone.habits["lea"] = Habit(answers=1.0)
    bench.telephone.habits["ines"] = Habit(answers=None)
    bench.start()
    await bench.pass_time(0.01)
    await bench.at_work(*(at_work or ("lea", "ines")))
    bench.telephone.call_in(channel, "0199001001")
    await bench.pass_time(3.0)
    assert bench.telephone.joined[-1] == (channel, LEG)
    return bench


def order(bench: Bench, secretary: str = "lea", note: str = "") -> None:
    assert bench.switchboard is not None
    assert bench.switchboard.desk.order(secretary, Park(note)) is not None


async def over(bench: Bench) -> None:
    """Nothing is left, and nothing crashed."""
    await bench.pass_time(3.0)
    assert bench.failure() is None
    assert "crashed" not in [entry.kind for entry in bench.journal.entries]
    assert not bench.telephone.channels
    assert not bench.telephone.bridges
    assert not bench.journal.calls
    await bench.kill()


def test_she_parks_him_hears_his_slot_and_a_colleague_takes_him_back_by_it() -> None:
    async def story() -> None:
        bench = await talking(bureau())
        order(bench, note="rappelle le Dr Roux")
        await bench.pass_time(0.2)
        assert heard(bench)[-1] == "music:music-stock"
        assert [what for _, what in bench.telephone.channels[LEG].heard][-1] == "parked-1"
        await bench.pass_time(2.5)
        assert LEG not in bench.telephone.channels
        assert ("lea", "Cab. Lilas · 06 39 98 01 01 parqué en *51 par lea · rappelle le Dr Roux") in (
            bench.telephone.told
        )
        assert [who for who, _ in bench.telephone.told] == ["lea", "ines"]
        hers = bench.telephone.dials("ines", "*51")
        await bench.pass_time(0.2)
        assert hers.up
        assert bench.telephone.joined[-1] == ("chan-1", hers.id)
        assert bench.state("ines") == "talking"
        assert bench.telephone.told[-1] == ("ines", "Cab. Lilas · 06 39 98 01 01 · rappelle le Dr Roux")
        await bench.pass_time(5.0)
        bench.telephone.phone_hangs_up(hers.id)
        await over(bench)
        record = bench.record()
        assert (record.outcome, record.secretary) == ("served", "ines")
        assert bench.state("ines") == "free"
        parts = [s for s in bench.segments() if s.kind in {"talk", "hold"}]
        assert [(s.kind, s.secretary) for s in parts] == [("talk", "lea"), ("hold", "lea"), ("talk", "ines")]
        at = {entry.kind: entry.at for entry in bench.of("c1")}
        assert (parts[1].start, parts[1].end) == (parts[0].end, at["unparked"])
        kinds = [kind for kind in bench.kinds() if kind in {"parked", "unparked", "bridged", "talk_ended"}]
        assert kinds == ["bridged", "talk_ended", "parked", "unparked", "bridged", "talk_ended"]

    run(story())


def test_by_her_keypad_and_by_her_transfer_button_it_is_the_same() -> None:
    async def story() -> None:
        bench = await talking(bureau())
        bench.telephone.presses(LEG, "*6")
        await bench.pass_time(1.0)
        assert "parked" in bench.kinds()
        hers = bench.telephone.dials("ines", "*51")
        await bench.pass_time(1.0)
        bench.telephone.refers(hers.id, "*5")
        await bench.pass_time(0.5)
        assert bench.kinds().count("parked") == 2
        assert bench.telephone.fares[-1][1] is Fares.DONE
        bench.telephone.caller_hangs_up("chan-1")
        await over(bench)
        assert bench.record().outcome == "served"

    run(story())


def test_when_his_time_is_over_he_is_hers_again_with_the_note() -> None:
    async def story() -> None:
        bench = await talking(bureau(seconds=30.0))
        order(bench, note="attend un prix")
        await bench.pass_time(29.0)
        assert bench.state("lea") == "free"
        assert len(bench.telephone.joined) == 1
        await bench.pass_time(4.0)
        assert bench.telephone.joined[-1][0] == "chan-1"
        assert bench.telephone.joined[-1][1].endswith("-lea")
        assert ("lea", "Retour de parking : Cab. Lilas · 06 39 98 01 01 · attend un prix") in (
            bench.telephone.told
        )
        returned = next(e for e in bench.of("c1") if e.kind == "returned")
        assert returned.fields == {"secretary": "lea", "why": "parked"}
        assert "silence" not in heard(bench)[heard(bench).index("music:music-stock") : -2]
        bench.telephone.caller_hangs_up("chan-1")
        await over(bench)

    run(story())


def test_where_she_has_gone_home_the_team_takes_him_when_his_time_is_over() -> None:
    async def story() -> None:
        bench = await talking(bureau(seconds=20.0))
        bench.telephone.habits["ines"] = Habit(answers=1.0)
        order(bench)
        await bench.pass_time(5.0)
        bench.telephone.register("lea", reachable=False)
        await bench.pass_time(20.0)
        assert bench.telephone.joined[-1][1].endswith("-ines")
        bench.telephone.caller_hangs_up("chan-1")
        await over(bench)

    run(story())


def test_two_dial_his_slot_at_once_and_one_of_them_gets_him() -> None:
    async def story() -> None:
        bench = await talking(bureau())
        order(bench)
        await bench.pass_time(3.0)
        first, second = bench.telephone.dials("ines", "*51"), bench.telephone.dials("lea", "*51")
        await bench.pass_time(0.5)
        assert bench.telephone.joined[-1] == ("chan-1", first.id)
        assert second.ended_with is not None
        refused = [e for e in bench.journal.entries if e.kind == "call_refused"]
        assert [(e.fields["secretary"], e.fields["why"]) for e in refused] == [("lea", "slot_empty")]
        bench.telephone.caller_hangs_up("chan-1")
        await over(bench)

    run(story())


def test_he_hangs_up_in_the_instant_in_which_she_dials_for_him() -> None:
    async def story() -> None:
        bench = await talking(bureau())
        order(bench)
        await bench.pass_time(3.0)
        bench.telephone.caller_hangs_up("chan-1")
        hers = bench.telephone.dials("ines", "*51")
        await bench.pass_time(1.0)
        assert hers.ended_with is not None
        assert bench.record().outcome == "served"
        assert bench.state("ines") == "free"
        await over(bench)

    run(story())


def test_she_hangs_up_in_the_instant_in_which_she_dialled_and_he_stays_parked() -> None:
    async def story() -> None:
        bench = await talking(bureau())
        order(bench)
        await bench.pass_time(3.0)
        hers = bench.telephone.dials("ines", "*51")
        bench.telephone.phone_hangs_up(hers.id)
        await bench.pass_time(1.0)
        assert heard(bench)[-1] == "music:music-stock"
        again = bench.telephone.dials("ines", "*51")
        await bench.pass_time(0.5)
        assert bench.telephone.joined[-1] == ("chan-1", again.id)
        bench.telephone.caller_hangs_up("chan-1")
        await over(bench)

    run(story())


def test_an_empty_slot_is_refused() -> None:
    async def story() -> None:
        bench = await talking(bureau())
        hers = bench.telephone.dials("ines", "*57")
        await bench.pass_time(1.0)
        assert hers.ended_with is not None
        bench.telephone.caller_hangs_up("chan-1")
        await over(bench)

    run(story())


def test_with_every_slot_taken_he_stays_with_her_and_she_is_told() -> None:
    async def story() -> None:
        bench = await talking(bureau(seconds=600.0), "lea")
        for number in range(2, len(SLOTS) + 3):
            order(bench)
            await bench.pass_time(3.0)
            bench.telephone.call_in(f"chan-{number}", "0199001001", f"06399801{number:02}")
            await bench.pass_time(4.0)
        parked = [e.fields["slot"] for e in bench.journal.entries if e.kind == "parked"]
        assert parked == list(SLOTS)
        assert bench.telephone.told[-1][1].startswith("Parking complet")
        assert bench.state("lea") == "talking"
        for channel in [c for c in bench.telephone.channels if c.startswith("chan-")]:
            bench.telephone.caller_hangs_up(channel)
        await over(bench)

    run(story())


def test_whom_she_called_herself_is_parked_and_comes_back_as_well() -> None:
    async def story() -> None:
        bench = Bench(bureau(seconds=20.0))
        bench.telephone.habits |= {"+33639981099": Habit(answers=1.0), "lea": Habit(answers=1.0)}
        bench.start()
        await bench.pass_time(0.01)
        await bench.at_work("lea")
        mine = bench.telephone.dials("lea", "0639981099")
        await bench.pass_time(3.0)
        order(bench)
        await bench.pass_time(3.0)
        assert mine.ended_with is not None
        outside = "out-c1-1"
        assert heard(bench, outside)[-1] == "music:music-stock"
        await bench.pass_time(25.0)
        assert bench.telephone.joined[-1] == (outside, "ring-c1-1-lea")
        bench.telephone.caller_hangs_up(outside)
        await over(bench)

    run(story())


def test_a_colleague_is_parked_by_her_name() -> None:
    async def story() -> None:
        bench = Bench(bureau())
        bench.telephone.habits["ines"] = Habit(answers=1.0)
        bench.start()
        await bench.pass_time(0.01)
        await bench.at_work("lea", "ines")
        bench.telephone.dials("lea", "201")
        await bench.pass_time(3.0)
        order(bench)
        await bench.pass_time(1.0)
        assert ("lea", "ines parqué en *51 par lea") in bench.telephone.told
        bench.telephone.caller_hangs_up("out-c1-1")
        await over(bench)

    run(story())


def test_a_note_about_a_patient_is_shown_and_not_written_down() -> None:
    async def story() -> None:
        bench = await talking(bureau(profile="medical"))
        order(bench, note="attend ses resultats")
        await bench.pass_time(1.0)
        assert "attend ses resultats" in bench.telephone.told[0][1]
        assert "resultats" not in str(bench.journal.entries)
        bench.telephone.caller_hangs_up("chan-1")
        await over(bench)

    run(story())


def test_whom_her_phone_holds_is_parked_all_the_same() -> None:
    async def story() -> None:
        bench = await talking(bureau())
        assert bench.switchboard is not None
        bench.switchboard._on(ChannelHeld(LEG))
        await bench.pass_time(1.0)
        order(bench)
        await bench.pass_time(1.0)
        assert heard(bench)[-1] == "music:music-stock"
        bench.telephone.caller_hangs_up("chan-1")
        await over(bench)

    run(story())


def test_a_note_is_one_line_and_not_longer_than_a_phone_shows() -> None:
    async def story() -> None:
        bench = await talking(bureau())
        order(bench, note="  a\nb " + "x" * 300)
        await bench.pass_time(1.0)
        parked = next(e for e in bench.of("c1") if e.kind == "parked")
        note = parked.fields["note"]
        assert isinstance(note, str)
        assert note.startswith("a b x")
        assert len(note) <= 80
        bench.telephone.caller_hangs_up("chan-1")
        await over(bench)

    run(story())


def test_while_somebody_is_consulted_her_transfer_button_does_not_park_and_her_phone_is_told() -> None:
    async def story() -> None:
        bench = await talking(bureau())
        assert bench.switchboard is not None
        bench.switchboard.desk.order("lea", Consult(Colleague("ines")))
        await bench.pass_time(3.0)
        before = list(bench.kinds())
        bench.telephone.refers(LEG, "*5")
        await bench.pass_time(0.5)
        assert [fares for _, fares in bench.telephone.fares] == [Fares.REFUSED]
        assert bench.kinds() == before
        bench.telephone.caller_hangs_up("chan-1")
        bench.telephone.phone_hangs_up(LEG)
        await over(bench)

    run(story())


@pytest.mark.parametrize("away", [0.0, 1.0, 40.0])
def test_a_restart_keeps_him_parked_and_his_time(away: float) -> None:
    async def story() -> None:
        bench = await talking(bureau(seconds=30.0))
        order(bench)
        await bench.pass_time(5.0)
        await bench.kill()
        await bench.pass_time(away)
        bench.start()
        await bench.pass_time(1.0)
        if away < 30.0:
            hers = bench.telephone.dials("ines", "*51")
            await bench.pass_time(1.0)
            assert bench.telephone.joined[-1] == ("chan-1", hers.id)
        else:
            await bench.pass_time(4.0)
            assert bench.telephone.joined[-1][1].endswith("-lea")
        bench.telephone.caller_hangs_up("chan-1")
        await over(bench)

    run(story())
