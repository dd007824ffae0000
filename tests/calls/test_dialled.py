"""What secretaries dial: colleagues, numbers outside, what is refused and why, and calls begun by a program."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autocom.calls import summoning
from autocom.core.floor_words import PausedBy
from autocom.core.model import Audio, Client, Configuration, Dialling, Limits, Trunk
from autocom.core.orders import NotPossible
from autocom.core.record import OUTCOMES
from autocom.core.telephony import Cause, PhoneInUse, PhoneRefused
from tests.support.exchange_in_memory import Bench, client, configuration, heard, sounds
from tests.support.fake_telephone import Habit
from tests.support.virtual import run

CELL, OTHER, THIRD = "+33639981021", "+33639981022", "+33639981023"
REFUSALS = {
    why: Audio(f"refused-{why}", f"refused-{why}", 2.0)
    for why in ("emergency", "premium", "international", "limit", "no_line", "unknown", "other", "no_client")
}


def house(*clients: Client, trunk: Trunk | None = None, **rules: object) -> Configuration:
    everybody = clients or (
        client(
            "lilas",
            "+33199001001",
            code="12",
            outgoing_number="+33261912010",
            outgoing_verified=True,
        ),
        client("azur", "+33199001002", code="34", outgoing_number="+33261912020"),
    )
    made = configuration(*everybody, lea={"medical": 1}, ines={"medical": 2}, chloe={"general": 1})
    operator = trunk or Trunk("operator", ("127.0.0.1",), host="operator.test", max_calls=10)
    return replace(
        made,
        trunks={operator.id: operator},
        stock=replace(made.stock, refusals=REFUSALS),
        bureau=replace(made.bureau, outgoing=replace(Dialling(), **rules)),
    )


def bench(configuration: Configuration | None = None) -> Bench:
    made = Bench(configuration or house())
    made.telephone.lengths.update({audio.media: audio.seconds for audio in REFUSALS.values()})
    return made


async def ready(made: Bench, *who: str) -> None:
    made.start()
    await made.pass_time(0.01)
    await made.at_work(*(who or ("lea", "ines")))


def why(made: Bench) -> list[str]:
    return [str(e.fields["why"]) for e in made.journal.entries if e.kind == "call_refused"]


def legs(made: Bench) -> list[str]:
    """Numbers and phones that were rung outside the queue."""
    rung = [*made.telephone.past.values(), *made.telephone.channels.values()]
    return [c.order.endpoint for c in rung if c.order is not None and c.id.startswith("out-")]


# --- colleagues


def test_a_colleague_is_rung_with_her_name_and_the_two_talk_until_one_hangs_up() -> None:
    async def story() -> None:
        made = bench()
        made.telephone.habits = {"ines": Habit(3.0)}
        await ready(made)
        made.telephone.dials("lea", "201")
        await made.pass_time(1.0)
        assert sounds(made, "phone-lea-1") == ["ringing"]
        leg = made.telephone.channels["out-c1-1"]
        assert leg.order is not None
        assert (leg.order.display, leg.order.number) == ("lea", "200")
        await made.pass_time(4.0)
        assert heard(made, "phone-lea-1")[-1] == heard(made, "out-c1-1")[-1] == "bridge:talk-c1-0"
        made.telephone.phone_hangs_up("out-c1-1")
        await made.pass_time(1.0)
        record = made.record()
        assert (record.direction, record.outcome, record.secretary) == ("internal", "served", "lea")
        assert not made.telephone.channels
        assert not made.telephone.bridges

    run(story())


@pytest.mark.parametrize(
    ("habit", "outcome", "cause"),
    [
        (Habit(None), "timeout", Cause.NO_ANSWER),
        (Habit(refuses=Cause.BUSY), "failed", Cause.BUSY),
        (Habit(refuses=Cause.NORMAL), "failed", Cause.NORMAL),
        (Habit(offline=True), "failed", Cause.NO_ANSWER),
    ],
    ids=["no answer", "busy", "declined", "no phone"],
)
def test_a_colleague_who_does_not_take_the_call_is_told_to_the_phone_as_phones_know_it(
    habit: Habit, outcome: str, cause: Cause
) -> None:
    async def story() -> None:
        made = bench()
        made.telephone.habits = {"ines": habit}
        await ready(made)
        made.telephone.dials("lea", "201")
        await made.pass_time(40.0)
        assert made.record().outcome == outcome
        assert made.telephone.past["phone-lea-1"].ended_with == cause
        assert not made.telephone.channels

    run(story())


def test_a_colleague_who_talks_is_busy_and_is_not_disturbed() -> None:
    async def story() -> None:
        made = bench()
        made.telephone.habits = {"lea": Habit(1.0)}
        await ready(made)
        made.telephone.call_in("chan-1", "0199001001")
        await made.pass_time(5.0)
        assert made.state("lea") == "talking"
        made.telephone.dials("ines", "200")
        await made.pass_time(1.0)
        assert made.telephone.past["phone-ines-1"].ended_with == Cause.BUSY
        assert legs(made) == []
        assert made.record("c2").outcome == "failed"

    run(story())


def test_a_colleague_who_is_paused_or_logged_out_can_be_called() -> None:
    async def story() -> None:
        made = bench()
        made.telephone.habits = {"ines": Habit(1.0), "chloe": Habit(1.0)}
        await ready(made)
        made.telephone.register("chloe")
        assert made.switchboard is not None
        made.switchboard.dispatcher.submit(PausedBy("ines", "lunch"))
        await made.pass_time(0.1)
        for dialled in ("201", "202"):
            channel = made.telephone.dials("lea", dialled)
            await made.pass_time(3.0)
            assert heard(made, channel.id)[-1].startswith("bridge:")
            made.telephone.phone_hangs_up(channel.id)
            await made.pass_time(1.0)

    run(story())


def test_her_own_extension_is_busy_and_one_that_nobody_has_is_said_to_be_unknown() -> None:
    async def story() -> None:
        made = bench()
        await ready(made)
        made.telephone.dials("lea", "200")
        made.telephone.dials("ines", "299")
        await made.pass_time(5.0)
        assert made.telephone.past["phone-lea-1"].ended_with == Cause.BUSY
        assert sounds(made, "phone-ines-2") == ["refused-unknown", "end"]
        assert why(made) == ["self", "unknown"]
        assert {made.record(call).outcome for call in ("c1", "c2")} == {"rejected"}

    run(story())


def test_while_she_dials_the_queue_offers_her_nothing() -> None:
    async def story() -> None:
        made = bench()
        made.telephone.habits = {"ines": Habit(None), CELL: Habit(None)}
        await ready(made, "lea")
        made.telephone.dials("lea", "0639981021")
        made.telephone._tell(PhoneInUse("lea", True))  # what AMI says of it
        made.telephone.call_in("chan-1", "0199001001")
        await made.pass_time(8.0)
        assert "offered" not in made.kinds("c2")
        made.telephone.phone_hangs_up("phone-lea-1")
        made.telephone._tell(PhoneInUse("lea", False))
        await made.pass_time(1.0)
        assert "offered" in made.kinds("c2")

    run(story())


# --- outside


@pytest.mark.parametrize(
    ("dialled", "shows", "client_id"),
    [
        ("0639981021", "+33199001000", None),
        ("*912*0639981021", "+33261912010", "lilas"),
        ("*934*0639981021", "+33199001000", "azur"),
    ],
    ids=["for the bureau", "verified", "not verified"],
)
def test_a_number_outside_shows_the_client_only_where_its_number_is_verified(
    dialled: str, shows: str, client_id: str | None
) -> None:
    async def story() -> None:
        made = bench()
        made.telephone.habits = {CELL: Habit(2.0, talks=5.0)}
        await ready(made)
        made.telephone.dials("lea", dialled)
        await made.pass_time(1.0)
        leg = made.telephone.channels["out-c1-1"]
        assert leg.order is not None
        assert (leg.order.endpoint, leg.order.number) == (f"PJSIP/{CELL}@trunk-operator", shows)
        assert not leg.order.headers
        await made.pass_time(8.0)
        record = made.record()
        assert (record.direction, record.outcome, record.client) == ("out", "served", client_id)
        assert (record.secretary, record.caller, record.did) == ("lea", CELL, shows)
        assert 4900 < record.talk_ms < 5100
        assert not made.telephone.channels

    run(story())


@pytest.mark.parametrize(
    ("habit", "outcome", "cause"),
    [
        (Habit(None), "timeout", Cause.NO_ANSWER),
        (Habit(refuses=Cause.BUSY), "failed", Cause.BUSY),
        (Habit(refuses=Cause.UNALLOCATED), "failed", Cause.UNALLOCATED),
        (Habit(refuses=Cause.CONGESTION), "failed", Cause.CONGESTION),
        (Habit(refuses=Cause.NO_ANSWER), "timeout", Cause.NO_ANSWER),
    ],
    ids=["no answer", "busy", "no such number", "congestion", "unavailable"],
)
def test_what_becomes_of_a_number_is_told_to_her_phone(habit: Habit, outcome: str, cause: Cause) -> None:
    async def story() -> None:
        made = bench()
        made.telephone.habits = {CELL: habit}
        await ready(made)
        made.telephone.dials("lea", "0639981021")
        await made.pass_time(70.0)
        assert made.record().outcome == outcome
        assert made.telephone.past["phone-lea-1"].ended_with == cause
        assert not made.telephone.channels

    run(story())


def test_what_the_other_side_says_before_it_answers_is_heard_and_the_cause_comes_behind() -> None:
    async def story() -> None:
        made = bench()
        made.telephone.habits = {CELL: Habit(None, early=1.0, ends=(4.0, Cause.UNALLOCATED))}
        await ready(made)
        made.telephone.dials("lea", "0639981021")
        await made.pass_time(6.0)
        assert sounds(made, "phone-lea-1") == ["ringing", "early:out-c1-1", "end"]
        past = made.telephone.past["phone-lea-1"]
        assert (past.ended_with, past.answered_at) == (Cause.UNALLOCATED, None)
        assert not made.telephone.bridges

    run(story())


def test_whoever_was_heard_before_and_answers_is_talked_to_in_the_same_bridge() -> None:
    async def story() -> None:
        made = bench()
        made.telephone.habits = {CELL: Habit(3.0, early=1.0, talks=4.0)}
        await ready(made)
        made.telephone.dials("lea", "0639981021")
        await made.pass_time(9.0)
        assert sounds(made, "phone-lea-1")[:3] == ["ringing", "early:out-c1-1", "bridge:talk-c1-0"]
        assert 3900 < made.record().talk_ms < 4100
        assert not made.telephone.bridges

    run(story())


def test_she_hangs_up_while_it_rings_and_nobody_is_left_ringing() -> None:
    async def story() -> None:
        made = bench()
        made.telephone.habits = {CELL: Habit(None, early=1.0)}
        await ready(made)
        made.telephone.dials("lea", "0639981021")
        await made.pass_time(6.0)
        made.telephone.phone_hangs_up("phone-lea-1")
        await made.pass_time(1.0)
        record = made.record()
        assert (record.outcome, record.cause) == ("abandoned", "while_ringing")
        assert not made.telephone.channels
        assert not made.telephone.bridges

    run(story())


# --- what is refused


@pytest.mark.parametrize(
    ("dialled", "reason", "said"),
    [
        ("0899123456", "premium", "refused-premium"),
        ("3615", "premium", "refused-premium"),
        ("0033899123456", "premium", "refused-premium"),
        ("*912*0899123456", "premium", "refused-premium"),
        ("008816123456789", "satellite", "refused-other"),
        ("+41221234567", "international", "refused-international"),
        ("015", "emergency", "refused-emergency"),
        ("*912*15", "emergency", "refused-emergency"),
        ("+3315", "emergency", "refused-emergency"),
        ("00352112", "emergency", "refused-emergency"),
        ("*999*0639981021", "no_client", "refused-no_client"),
        ("0199001001", "own", "refused-other"),
        ("01", "malformed", "refused-other"),
        ("*912*201", "malformed", "refused-other"),
        ("*9", "unknown", "refused-unknown"),
    ],
)
def test_what_may_not_be_dialled_is_said_journalled_and_rings_nobody(
    dialled: str, reason: str, said: str
) -> None:
    async def story() -> None:
        made = bench()
        await ready(made)
        made.telephone.dials("lea", dialled)
        await made.pass_time(6.0)
        assert sounds(made, "phone-lea-1") == [said, "end"]
        assert why(made) == [reason]
        assert legs(made) == []
        record = made.record()
        assert (record.outcome, record.secretary) == ("rejected", "lea")

    run(story())


def test_an_emergency_number_that_the_dialplan_refused_is_written_down() -> None:
    async def story() -> None:
        made = bench()
        await ready(made)
        made.telephone._tell(PhoneRefused("lea", "15"))
        await made.pass_time(0.1)
        refused = [e for e in made.journal.entries if e.kind == "call_refused"]
        assert [(e.call, e.fields["secretary"], e.fields["dialled"], e.fields["why"]) for e in refused] == [
            ("c1", "lea", "15", "emergency")
        ]
        record = made.record()
        assert (record.outcome, record.secretary, record.direction) == ("rejected", "lea", "out")
        assert made.segments() == ()

    run(story())


def test_the_last_channel_stays_for_callers_and_she_hears_that_no_line_is_free() -> None:
    async def story() -> None:
        trunk = Trunk("operator", ("127.0.0.1",), host="operator.test", max_calls=2)
        made = bench(house(trunk=trunk))
        made.telephone.habits = {CELL: Habit(1.0), OTHER: Habit(1.0)}
        await ready(made)
        made.telephone.dials("lea", "0639981021")
        await made.pass_time(3.0)
        made.telephone.dials("ines", "0639981022")
        await made.pass_time(4.0)
        assert sounds(made, "phone-ines-2") == ["refused-no_line", "end"]
        assert made.record("c2").outcome == "full"
        assert legs(made) == [f"PJSIP/{CELL}@trunk-operator"]

    run(story())


# --- how much


def test_the_third_number_at_a_time_is_refused_and_the_next_goes_out_once_one_has_ended() -> None:
    async def story() -> None:
        made = bench()
        made.telephone.habits = {CELL: Habit(1.0), OTHER: Habit(1.0), THIRD: Habit(1.0)}
        await ready(made)
        for number in ("0639981021", "0639981022", "0639981023"):
            made.telephone.dials("lea", number)
            await made.pass_time(3.0)
        assert why(made) == ["limit"]
        assert len(legs(made)) == 2
        made.telephone.phone_hangs_up("phone-lea-1")
        await made.pass_time(1.0)
        made.telephone.dials("lea", "0639981023")
        await made.pass_time(3.0)
        assert len(legs(made)) == 3

    run(story())


def test_the_twenty_first_call_of_an_hour_is_refused_also_after_a_restart_and_the_supervisor_knew() -> None:
    async def story() -> None:
        made = bench(house())
        made.configuration = replace(
            made.configuration, bureau=replace(made.configuration.bureau, supervisor=("chef@example.org",))
        )
        made.telephone.habits = {CELL: Habit(refuses=Cause.BUSY)}
        await ready(made)
        for _ in range(20):
            made.telephone.dials("lea", "0639981021")
            await made.pass_time(1.0)
        assert why(made) == []
        told = [e.fields for e in made.journal.entries if e.kind == "alert"]
        assert [(f["secretary"], f["what"], f["used"], f["limit"]) for f in told] == [
            ("lea", "per_hour", 10, 20)
        ]
        assert sum(e.kind == "mail_queued" for e in made.journal.entries) == 1
        await made.kill()
        made.start()
        await made.pass_time(0.1)
        made.telephone.dials("lea", "0639981021")
        await made.pass_time(6.0)
        assert why(made) == ["limit"]
        assert len(legs(made)) == 20
        await made.pass_time(3600.0)
        made.telephone.dials("lea", "0639981021")
        await made.pass_time(1.0)
        assert len(legs(made)) == 21

    run(story())


def test_an_hour_of_conversation_a_day_is_all_she_has() -> None:
    async def story() -> None:
        made = bench(house(per_secretary=Limits(2, 100, 600.0), alarm_at=1.0))
        made.telephone.habits = {CELL: Habit(1.0, talks=400.0)}
        await ready(made)
        for _ in range(3):
            made.telephone.dials("lea", "0639981021")
            await made.pass_time(410.0)
        assert why(made) == ["limit"]
        assert [(e.fields["what"], e.fields["used"]) for e in made.journal.entries if e.kind == "alert"] == [
            ("minutes_a_day", 13)
        ]

    run(story())


def test_a_leg_that_ended_while_nobody_looked_is_not_counted_as_running() -> None:
    async def story() -> None:
        made = bench(house(per_secretary=Limits(1, 100, 6000.0)))
        made.telephone.habits = {CELL: Habit(1.0)}
        await ready(made)
        made.telephone.dials("lea", "0639981021")
        await made.pass_time(3.0)
        await made.kill()
        made.telephone.phone_hangs_up("phone-lea-1")
        made.telephone.phone_hangs_up("out-c1-1")
        made.start()
        await made.pass_time(3.0)
        made.telephone.dials("lea", "0639981021")
        await made.pass_time(3.0)
        assert why(made) == []
        assert made.switchboard is not None
        uses = list(made.switchboard.tally.uses())
        assert [use.ended is None for use in uses] == [False, True]

    run(story())


# --- begun by a program


def test_her_phone_rings_first_and_shows_whom_it_will_call() -> None:
    async def story() -> None:
        made = bench()
        made.telephone.habits = {"lea": Habit(2.0), CELL: Habit(2.0, talks=5.0)}
        await ready(made)
        assert made.switchboard is not None
        call = summoning.call_out(made.switchboard.desk, "lea", "06 39 98 10 21", "lilas")
        await made.pass_time(1.0)
        hers = made.telephone.channels[f"out-{call}-1"]
        assert hers.order is not None
        assert (hers.order.endpoint, hers.order.number) == ("PJSIP/lea", CELL)
        assert hers.order.display == "→ Lilas · 06 39 98 10 21"
        assert legs(made) == ["PJSIP/lea"]
        await made.pass_time(2.0)
        assert legs(made) == ["PJSIP/lea", f"PJSIP/{CELL}@trunk-operator"]
        assert sounds(made, f"out-{call}-1") == ["ringing"]
        await made.pass_time(10.0)
        record = made.record(call)
        assert (record.direction, record.outcome, record.client, record.secretary) == (
            "out",
            "served",
            "lilas",
            "lea",
        )
        assert not made.telephone.channels

    run(story())


def test_a_colleague_can_be_called_by_a_program_as_well() -> None:
    async def story() -> None:
        made = bench()
        made.telephone.habits = {"lea": Habit(1.0), "ines": Habit(1.0, talks=3.0)}
        await ready(made)
        assert made.switchboard is not None
        call = summoning.call_out(made.switchboard.desk, "lea", "201", None)
        await made.pass_time(8.0)
        record = made.record(call)
        assert (record.direction, record.outcome) == ("internal", "served")

    run(story())


@pytest.mark.parametrize(
    ("habit", "outcome"),
    [(Habit(None), "timeout"), (Habit(refuses=Cause.NORMAL), "abandoned"), (Habit(offline=True), "failed")],
    ids=["she does not pick up", "she refuses", "her phone is gone"],
)
def test_where_she_does_not_pick_up_nobody_is_called(habit: Habit, outcome: str) -> None:
    async def story() -> None:
        made = bench()
        made.telephone.habits = {"lea": habit, CELL: Habit(1.0)}
        await ready(made)
        assert made.switchboard is not None
        call = summoning.call_out(made.switchboard.desk, "lea", "0639981021", None)
        await made.pass_time(30.0)
        assert made.record(call).outcome == outcome
        assert f"PJSIP/{CELL}@trunk-operator" not in legs(made)
        assert not made.telephone.channels

    run(story())


@pytest.mark.parametrize(
    ("who", "dialled", "reason"),
    [
        ("lea", "15", "emergency"),
        ("lea", "0899123456", "premium"),
        ("lea", "200", "self"),
        ("lea", "201@evil", "unknown"),
        ("lea", "801", "unknown"),
        ("chloe", "0639981021", "offline"),
    ],
)
def test_a_program_is_told_why_not(who: str, dialled: str, reason: str) -> None:
    async def story() -> None:
        made = bench()
        await ready(made)
        assert made.switchboard is not None
        with pytest.raises(NotPossible, match=rf"^{reason}$"):
            summoning.call_out(made.switchboard.desk, who, dialled, None)
        await made.pass_time(1.0)
        assert legs(made) == []

    run(story())


def test_a_secretary_who_talks_is_not_rung_and_unknown_names_are_said_to_be() -> None:
    async def story() -> None:
        made = bench()
        made.telephone.habits = {"lea": Habit(1.0)}
        await ready(made)
        made.telephone.call_in("chan-1", "0199001001")
        await made.pass_time(5.0)
        assert made.switchboard is not None
        desk = made.switchboard.desk
        with pytest.raises(NotPossible, match=r"^busy$"):
            summoning.call_out(desk, "lea", "0639981021", None)
        with pytest.raises(LookupError, match="nobody"):
            summoning.call_out(desk, "nobody", "0639981021", None)
        with pytest.raises(LookupError, match="nowhere"):
            summoning.call_out(desk, "ines", "0639981021", "nowhere")

    run(story())


def test_every_outcome_of_a_dialled_call_is_a_word_of_the_contract() -> None:
    assert {"served", "timeout", "rejected", "failed", "abandoned", "full"} <= set(OUTCOMES)
