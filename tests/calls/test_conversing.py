"""In a conversation: hold, somebody consulted, all three, keys; and what each of them hears and leaves behind."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from autocom.calls.notes import Asked
from autocom.core.model import Audio, Configuration, Contact, Music, Trunk
from autocom.core.orders import Consult, Drop, Hold, Join, Leave, Order, Resume
from autocom.core.stages import Patched, Reaching, Talking, Waiting
from autocom.core.targets import Colleague, Outside
from autocom.core.telephony import Cause
from tests.support.exchange_in_memory import Bench, client, configuration, heard
from tests.support.fake_telephone import Habit
from tests.support.virtual import run

DOCTOR = "+33639981021"
HOLD = Music("hold", "music-hold")
BUSY = Audio("refusal-limit", "refusal-limit", 3.0)
BEEP = Audio("beep", "beep", 0.4)
LEG = "ring-c1-1-lea"
THIRD = "out-c1-1"
BRIDGE = "talk-c1-1"


def made(**changes: object) -> Configuration:
    fields: dict[str, object] = {"hold_music": HOLD, "contacts": (Contact("Dr Roux", DOCTOR),), **changes}
    found = configuration(client("lilas", "+33199001001", **fields))
    trunk = Trunk("operator", ("127.0.0.1",), host="operator.test")
    stock = replace(found.stock, beep=BEEP, refusals={"limit": BUSY})
    return replace(found, trunks={"operator": trunk}, stock=stock)


class Table:
    """A conversation of lea's that stands, on a bench; `order` and `keys` are hers."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.telephone = bench, bench.telephone

    @classmethod
    async def laid(cls, config: Configuration | None = None) -> Table:
        bench = Bench(config or made())
        bench.telephone.lengths |= {"beep": 0.4, "refusal-limit": 3.0}
        bench.telephone.habits |= {"lea": Habit(answers=1.0), DOCTOR: Habit(answers=2.0)}
        bench.start()
        await bench.pass_time(0.01)
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(6.0)
        assert bench.telephone.bridges == {BRIDGE: {"chan-1", LEG}}
        return cls(bench)

    @property
    def stage(self) -> object:
        board = self.bench.switchboard
        assert board is not None
        return board.lines["c1"].story.stage

    @property
    def talking(self) -> Talking:
        stage = self.stage
        assert isinstance(stage, Talking)
        return stage

    @property
    def together(self) -> set[str]:
        return self.telephone.bridges.get(BRIDGE, set())

    async def order(self, order: Order, wait: float = 0.2) -> None:
        board = self.bench.switchboard
        assert board is not None
        assert board.desk.order("lea", order) is not None
        await self.bench.pass_time(wait)

    async def keys(self, digits: str, wait: float = 0.2) -> None:
        self.telephone.presses(LEG, digits)
        await self.bench.pass_time(wait)

    def hears(self, channel: str) -> str:
        return heard(self.bench, channel)[-1]

    def kinds(self, *among: str) -> list[str]:
        return [kind for kind in self.bench.kinds() if kind in among or not among]

    def parts(self, *kinds: str) -> list[tuple[str, float]]:
        return [
            (s.kind, round(s.end - s.start, 1))
            for s in self.bench.segments()
            if s.end is not None and s.kind in (kinds or ("talk", "hold", "conference", "patch"))
        ]

    async def over(self, *, in_one_piece: bool = True) -> None:
        await self.bench.pass_time(0.5)
        assert self.bench.failure() is None
        assert not self.telephone.bridges
        assert not self.telephone.channels
        assert not self.bench.journal.calls
        record, bench = self.bench.record(), self.bench
        joined = next(e.at for e in bench.of("c1") if e.kind == "bridged")
        ends = [e.at for e in bench.of("c1") if e.kind in {"caller_left", "ended"}]
        cut = [s for s in bench.segments() if s.kind in {"talk", "hold", "conference", "patch"}]
        assert record.talk_ms <= round((ends[0] - joined) * 1000)
        for one, other in itertools.pairwise(cut) if in_one_piece else ():
            assert one.end == other.start, "a gap or an overlap"
        await bench.kill()


def told(story: Callable[[Table], Awaitable[None]], config: Configuration | None = None) -> None:
    async def play() -> None:
        await story(await Table.laid(config))

    run(play())


async def consulting(table: Table) -> None:
    """Lea talks to the doctor, the caller is on hold."""
    await table.order(Consult(Outside(DOCTOR, "Dr Roux")), wait=3.0)
    assert table.together == {LEG, THIRD}
    assert table.hears("chan-1") == "music:music-hold"


# --- hold ------------------------------------------------------------------------------------


def test_a_caller_on_hold_hears_his_clients_music_and_is_back_at_a_word() -> None:
    async def story(table: Table) -> None:
        await table.order(Hold(), wait=10.0)
        assert table.together == {LEG}
        assert table.hears("chan-1") == "music:music-hold"
        await table.order(Resume(), wait=5.0)
        assert table.together == {LEG, "chan-1"}
        assert table.hears("chan-1") == f"bridge:{BRIDGE}"
        table.telephone.phone_hangs_up(LEG)
        await table.over()
        assert [kind for kind, _ in table.parts()] == ["talk", "hold", "talk"]
        assert ("hold", 10.0) in table.parts()
        assert table.bench.record().outcome == "served"

    told(story)


def test_by_key_hold_and_back() -> None:
    async def story(table: Table) -> None:
        await table.keys("*5", wait=3.0)
        assert table.together == {LEG}
        await table.keys("*5", wait=1.0)
        assert table.together == {LEG, "chan-1"}
        table.telephone.caller_hangs_up("chan-1")
        await table.over()
        assert table.kinds("held", "resumed") == ["held", "resumed"]

    told(story)


def test_her_softphones_own_hold_leaves_him_in_the_bridge_with_his_clients_music() -> None:
    async def story(table: Table) -> None:
        assert table.telephone.channels["chan-1"].hold_music == "music-hold"
        table.telephone.holds(LEG)
        await table.bench.pass_time(4.0)
        assert table.together == {LEG, "chan-1"}
        assert table.hears("chan-1") == "music:music-hold"
        held = next(e for e in table.bench.of("c1") if e.kind == "held")
        assert held.fields == {"secretary": "lea", "by": "phone"}
        table.telephone.holds(LEG, held=False)
        await table.bench.pass_time(1.0)
        assert table.talking.held is None
        table.telephone.phone_hangs_up(LEG)
        await table.over()
        assert ("hold", 4.0) in table.parts()

    told(story)


def test_without_a_hold_music_of_its_own_the_stock_music_is_heard() -> None:
    async def story(table: Table) -> None:
        await table.order(Hold())
        assert table.hears("chan-1") == "music:music-stock"
        table.telephone.caller_hangs_up("chan-1")
        await table.over()

    told(story, made(hold_music=None))


def test_orders_that_do_not_fit_change_nothing() -> None:
    async def story(table: Table) -> None:
        before = len(table.bench.journal.entries)
        for order in (Resume(), Join(), Drop(), Leave()):
            await table.order(order)
        assert len(table.bench.journal.entries) == before
        await table.order(Hold())
        await table.order(Hold())
        assert table.kinds("held") == ["held"]
        table.telephone.caller_hangs_up("chan-1")
        await table.over()

    told(story)


def test_an_order_of_somebody_who_is_not_in_it_changes_nothing() -> None:
    async def story(table: Table) -> None:
        board = table.bench.switchboard
        assert board is not None
        board.lines["c1"].post(Asked(Hold(), "ines"))
        await table.bench.pass_time(1.0)
        assert table.together == {LEG, "chan-1"}
        table.telephone.caller_hangs_up("chan-1")
        await table.over()

    told(story)


def test_digits_of_the_caller_never_count() -> None:
    async def story(table: Table) -> None:
        table.telephone.presses("chan-1", "*5")
        await table.bench.pass_time(1.0)
        assert table.together == {LEG, "chan-1"}
        table.telephone.caller_hangs_up("chan-1")
        await table.over()

    told(story)


def test_she_is_reminded_of_a_caller_on_hold_every_minute() -> None:
    async def story(table: Table) -> None:
        await table.order(Hold(), wait=59.0)
        assert not table.telephone.told
        await table.bench.pass_time(2.0)
        assert [who for who, _ in table.telephone.told] == ["lea"]
        assert "Lilas" in table.telephone.told[0][1]
        assert "1 min" in table.telephone.told[0][1]
        assert "beep" in heard(table.bench, LEG)
        assert "beep" not in heard(table.bench, "chan-1")
        await table.bench.pass_time(60.0)
        assert len(table.telephone.told) == 2
        await table.order(Resume(), wait=120.0)
        assert len(table.telephone.told) == 2
        table.telephone.caller_hangs_up("chan-1")
        await table.over()

    told(story)


def test_no_reminders_where_the_bureau_wants_none() -> None:
    async def story(table: Table) -> None:
        await table.order(Hold(), wait=300.0)
        assert not table.telephone.told
        table.telephone.caller_hangs_up("chan-1")
        await table.over()

    config = made()
    told(story, replace(config, bureau=replace(config.bureau, hold_reminder=0.0)))


def test_a_caller_held_by_a_code_comes_back_to_her_when_she_hangs_up() -> None:
    async def story(table: Table) -> None:
        await table.order(Hold(), wait=3.0)
        table.telephone.phone_hangs_up(LEG)
        await table.bench.pass_time(0.3)
        stage = table.stage
        assert isinstance(stage, Waiting)
        assert (stage.head, stage.back_to) == (True, "lea")
        await table.bench.pass_time(4.0)
        assert table.talking.secretary == "lea"
        table.telephone.caller_hangs_up("chan-1")
        await table.over(in_one_piece=False)
        assert table.bench.record().outcome == "served"

    told(story)


def test_a_caller_whom_her_phone_holds_is_done_with_when_she_hangs_up() -> None:
    async def story(table: Table) -> None:
        table.telephone.holds(LEG)
        await table.bench.pass_time(2.0)
        table.telephone.phone_hangs_up(LEG)
        await table.over()
        assert table.bench.record().outcome == "served"

    told(story)


def test_the_caller_hangs_up_on_hold() -> None:
    async def story(table: Table) -> None:
        await table.order(Hold(), wait=3.0)
        table.telephone.caller_hangs_up("chan-1")
        await table.over()
        assert table.bench.record().outcome == "served"
        assert table.bench.state("lea") == "free"
        assert table.parts()[-1] == ("hold", 3.0)

    told(story)


# --- consulting ------------------------------------------------------------------------------


def test_while_the_third_rings_he_hears_hold_music_and_she_hears_ringing() -> None:
    async def story(table: Table) -> None:
        await table.keys("*1" + "0639981021" + "#", wait=1.0)
        assert table.together == {LEG}
        assert table.hears("chan-1") == "music:music-hold"
        assert table.hears(LEG) == "ringing"
        await table.bench.pass_time(2.0)
        assert table.together == {LEG, THIRD}
        assert table.hears(LEG) == f"bridge:{BRIDGE}"
        assert table.hears("chan-1") == "music:music-hold"
        order = table.telephone.channels[THIRD].order
        assert order is not None
        assert order.number == "+33199001000"
        table.telephone.caller_hangs_up("chan-1")
        await table.bench.pass_time(0.2)
        table.telephone.phone_hangs_up(LEG)
        await table.over()

    told(story)


def test_the_clients_first_contact_is_one_key() -> None:
    async def story(table: Table) -> None:
        await table.keys("*11#", wait=1.0)
        started = next(e for e in table.bench.of("c1") if e.kind == "consult_started")
        assert (started.fields["name"], started.fields["number"]) == ("Dr Roux", DOCTOR)
        await table.keys("*0")
        table.telephone.phone_hangs_up(LEG)
        await table.over()

    told(story)


def test_the_third_is_let_go_and_she_is_with_the_caller_again() -> None:
    async def story(table: Table) -> None:
        await consulting(table)
        await table.keys("*0")
        assert table.together == {LEG, "chan-1"}
        assert THIRD not in table.telephone.channels
        assert table.talking.third is None
        table.telephone.phone_hangs_up(LEG)
        await table.over()
        assert table.kinds("held", "consult_answered", "consult_ended", "resumed") == [
            "held", "consult_answered", "consult_ended", "resumed",
        ]  # fmt: skip

    told(story)


def test_the_third_puts_down_and_she_is_with_the_caller_again() -> None:
    async def story(table: Table) -> None:
        await consulting(table)
        table.telephone.phone_hangs_up(THIRD)
        await table.bench.pass_time(0.2)
        assert table.together == {LEG, "chan-1"}
        table.telephone.caller_hangs_up("chan-1")
        await table.over()

    told(story)


@pytest.mark.parametrize(
    ("habit", "result"),
    [
        (Habit(refuses=Cause.BUSY), "refused"),
        (Habit(offline=True), "unreachable"),
        (Habit(answers=None), "no_answer"),
        (Habit(refuses=Cause.UNALLOCATED), "unreachable"),
    ],
)
def test_where_the_third_cannot_be_had_she_hears_the_busy_tone_then_the_caller(
    habit: Habit, result: str
) -> None:
    async def story(table: Table) -> None:
        table.telephone.habits[DOCTOR] = habit
        await table.order(Consult(Outside(DOCTOR)), wait=0.1)
        for _ in range(500):
            if "consult_ended" in table.bench.kinds():
                break
            await table.bench.pass_time(0.1)
        await table.bench.pass_time(0.1)
        assert "tone:busy" in heard(table.bench, LEG)
        assert "tone:busy" not in heard(table.bench, "chan-1")
        assert table.hears("chan-1") == "music:music-hold"
        await table.bench.pass_time(2.2)
        assert table.together == {LEG, "chan-1"}
        ended = next(e for e in table.bench.of("c1") if e.kind == "consult_ended")
        assert ended.fields["result"] == result
        table.telephone.phone_hangs_up(LEG)
        await table.over()

    told(story)


def test_a_key_ends_the_busy_tone_at_once() -> None:
    async def story(table: Table) -> None:
        table.telephone.habits[DOCTOR] = Habit(refuses=Cause.BUSY)
        await table.order(Consult(Outside(DOCTOR)), wait=0.5)
        assert table.together == {LEG}
        await table.keys("*5", wait=0.1)
        assert table.together == {LEG, "chan-1"}
        table.telephone.phone_hangs_up(LEG)
        await table.over()

    told(story)


@pytest.mark.parametrize("number", ["15", "0899123456", "+88123456789", "7777", "0"])
def test_what_may_not_be_dialled_is_not_and_she_has_him_back(number: str) -> None:
    async def story(table: Table) -> None:
        await table.keys(f"*1{number.replace('+', '00')}#", wait=0.3)
        assert not [c for c in table.telephone.channels if c.startswith("out-")]
        assert "call_refused" in table.bench.kinds()
        await table.bench.pass_time(5.0)
        assert table.together == {LEG, "chan-1"}
        table.telephone.phone_hangs_up(LEG)
        await table.over()

    told(story)


@pytest.mark.parametrize("code", ["*1", "*2", "*9"])
@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("15", "emergency"),
        ("0112", "emergency"),
        ("3615", "premium"),
        ("0899123456", "premium"),
        ("299", "unknown"),
    ],
)
def test_a_code_with_a_number_that_may_not_be_dialled_says_why_and_she_has_him_back(
    code: str, number: str, why: str
) -> None:
    plain = made()
    sentences = {word: Audio(f"refused-{word}", f"refused-{word}", 3.0) for word in ("emergency", "premium")}
    config = replace(plain, stock=replace(plain.stock, refusals=sentences))

    async def story(table: Table) -> None:
        table.telephone.lengths |= dict.fromkeys(("refused-emergency", "refused-premium"), 3.0)
        await table.keys(f"{code}{number}#", wait=0.3)
        refusal = "call_refused" if code == "*1" else "transfer_failed"
        assert [e.fields["why"] for e in table.bench.of("c1") if e.kind == refusal] == [why]
        assert (f"refused-{why}" in heard(table.bench, LEG)) == (why in sentences)
        assert table.together == {LEG}, "he hears music meanwhile"
        await table.bench.pass_time(5.0)
        assert table.together == {LEG, "chan-1"}
        table.telephone.phone_hangs_up(LEG)
        await table.over()

    told(story, config)


def test_a_transfer_that_is_refused_while_she_consults_somebody_changes_nothing() -> None:
    async def story(table: Table) -> None:
        table.telephone.register("ines")
        await table.order(Consult(Colleague("ines")), wait=3.0)
        await table.keys("*20899123456#", wait=0.5)
        assert "transfer_failed" in table.bench.kinds()
        assert table.together == {LEG, THIRD}
        table.telephone.phone_hangs_up(THIRD)
        await table.bench.pass_time(0.5)
        assert table.together == {LEG, "chan-1"}
        table.telephone.phone_hangs_up(LEG)
        await table.over()

    told(story)


def test_she_may_consult_a_colleague_who_sees_whose_caller_it_is() -> None:
    async def story(table: Table) -> None:
        table.telephone.register("ines")
        await table.order(Consult(Colleague("ines")), wait=3.0)
        assert table.together == {LEG, THIRD}
        order = table.telephone.channels[THIRD].order
        assert order is not None
        assert "Lilas" in order.display
        await table.order(Leave(), wait=0.5)
        assert table.talking.secretary == "ines"
        assert LEG not in table.telephone.channels
        assert table.telephone.bridges == {"talk-c1-2": {"chan-1", THIRD}}
        table.telephone.phone_hangs_up(THIRD)
        await table.over()
        assert [s.secretary for s in table.bench.segments() if s.kind == "talk"] == [
            "lea",
            "ines",
        ]

    told(story)


def test_she_goes_back_and_forth_between_the_two() -> None:
    async def story(table: Table) -> None:
        await consulting(table)
        await table.keys("*5")
        assert table.together == {LEG, "chan-1"}
        assert table.hears(THIRD) == "music:music-hold"
        await table.keys("*5")
        assert table.together == {LEG, THIRD}
        assert table.hears("chan-1") == "music:music-hold"
        await table.keys("*3")
        assert table.together == {LEG, THIRD, "chan-1"}
        table.telephone.phone_hangs_up(THIRD)
        await table.bench.pass_time(0.2)
        assert table.together == {LEG, "chan-1"}
        table.telephone.phone_hangs_up(LEG)
        await table.over()

    told(story)


def test_the_caller_hangs_up_while_she_consults_and_the_two_go_on() -> None:
    async def story(table: Table) -> None:
        await consulting(table)
        table.telephone.caller_hangs_up("chan-1")
        await table.bench.pass_time(20.0)
        assert table.together == {LEG, THIRD}
        assert table.bench.state("lea") == "talking"
        table.telephone.phone_hangs_up(THIRD)
        await table.over()
        record = table.bench.record()
        assert record.outcome == "served"
        (left,) = [e.at for e in table.bench.of("c1") if e.kind == "caller_left"]
        cut = [s for s in table.bench.segments() if s.kind in {"talk", "hold"}]
        assert cut[-1].end == left
        assert table.bench.state("lea") == "free"

    told(story)


def test_what_she_says_to_the_third_once_the_caller_is_gone_is_never_recorded() -> None:
    async def story(table: Table) -> None:
        await table.keys("*8#", wait=2.0)
        assert len(table.telephone.recordings) == 1
        await consulting(table)
        table.telephone.caller_hangs_up("chan-1")
        await table.bench.pass_time(1.0)
        assert all(tape.ended is not None for tape in table.telephone.recordings.values())
        await table.keys("*8#", wait=2.0)
        assert table.talking.private
        assert table.kinds("recording_started", "recording_ended") == ["recording_started", "recording_ended"]
        table.telephone.phone_hangs_up(LEG)
        await table.over()

    notice = Audio("recording-on", "recording-on", 1.0)
    config = made(recording="on_demand")
    told(story, replace(config, stock=replace(config.stock, notices={"recording_on": notice})))


def test_the_caller_hangs_up_while_the_third_is_aside_and_she_has_him() -> None:
    async def story(table: Table) -> None:
        await consulting(table)
        await table.keys("*5")
        table.telephone.caller_hangs_up("chan-1")
        await table.bench.pass_time(0.3)
        assert table.together == {LEG, THIRD}
        assert table.hears(THIRD) == f"bridge:{BRIDGE}"
        await table.keys("*5", wait=1.0)
        assert table.hears(THIRD) == "music:music-hold"
        table.telephone.phone_hangs_up(THIRD)
        await table.over()

    told(story)


def test_the_caller_hangs_up_while_the_third_still_rings_and_nobody_rings_on() -> None:
    async def story(table: Table) -> None:
        table.telephone.habits[DOCTOR] = Habit(answers=None)
        await table.order(Consult(Outside(DOCTOR)), wait=1.0)
        table.telephone.caller_hangs_up("chan-1")
        await table.over()
        assert table.bench.record().outcome == "served"

    told(story)


def test_her_phone_vanishes_while_he_is_on_hold_and_he_is_the_next() -> None:
    async def story(table: Table) -> None:
        await consulting(table)
        table.telephone.vanishes(LEG)
        await table.bench.pass_time(0.3)
        stage = table.stage
        assert isinstance(stage, Waiting)
        assert stage.head
        assert THIRD not in table.telephone.channels
        table.telephone.habits["ines"] = Habit(answers=1.0)
        await table.bench.at_work("ines")
        await table.bench.pass_time(4.0)
        assert table.talking.secretary == "ines"
        table.telephone.caller_hangs_up("chan-1")
        await table.over(in_one_piece=False)

    told(story)


def test_a_vanished_phone_leaves_a_conference_to_the_two_others() -> None:
    async def story(table: Table) -> None:
        await consulting(table)
        await table.order(Join())
        table.telephone.vanishes(LEG)
        await table.bench.pass_time(0.3)
        assert isinstance(table.stage, Patched)
        assert table.telephone.bridges == {"patch-c1-1": {"chan-1", THIRD}}
        table.telephone.phone_hangs_up(THIRD)
        await table.over()

    told(story)


# --- all three, and out of it ----------------------------------------------------------------


def test_all_three_then_she_leaves_and_every_second_is_counted() -> None:
    async def story(table: Table) -> None:
        await consulting(table)
        await table.keys("*3", wait=4.0)
        assert table.together == {LEG, THIRD, "chan-1"}
        await table.keys("*4", wait=5.0)
        assert isinstance(table.stage, Patched)
        assert table.bench.state("lea") == "free"
        assert table.telephone.bridges == {"patch-c1-1": {"chan-1", THIRD}}
        table.telephone.caller_hangs_up("chan-1")
        await table.over()
        assert [kind for kind, _ in table.parts()] == ["talk", "hold", "conference", "patch"]
        record = table.bench.record()
        spoken = sum(
            round(s.end * 1000) - round(s.start * 1000)
            for s in table.bench.segments()
            if s.end is not None and s.kind in {"talk", "conference", "patch"}
        )
        assert record.talk_ms == spoken
        assert (record.outcome, record.secretary) == ("served", "lea")

    told(story)


def test_hanging_up_in_a_consultation_leaves_the_two_together() -> None:
    async def story(table: Table) -> None:
        await consulting(table)
        table.telephone.phone_hangs_up(LEG)
        await table.bench.pass_time(0.3)
        assert isinstance(table.stage, Patched)
        assert table.telephone.bridges == {"patch-c1-1": {"chan-1", THIRD}}
        transferred = next(e for e in table.bench.of("c1") if e.kind == "transferred")
        assert (transferred.fields["way"], transferred.fields["how"]) == ("attended", "hangup")
        table.telephone.phone_hangs_up(THIRD)
        await table.over()

    told(story)


def test_leaving_while_he_still_rings_is_a_blind_transfer_of_that_leg() -> None:
    async def story(table: Table) -> None:
        table.telephone.habits[DOCTOR] = Habit(answers=5.0)
        await table.order(Consult(Outside(DOCTOR)), wait=1.0)
        await table.order(Leave(), wait=0.5)
        stage = table.stage
        assert isinstance(stage, Reaching)
        assert stage.leg == THIRD
        assert LEG not in table.telephone.channels
        assert table.hears("chan-1") == "music:music-hold"
        await table.bench.pass_time(4.0)
        assert isinstance(table.stage, Patched)
        table.telephone.caller_hangs_up("chan-1")
        await table.over(in_one_piece=False)

    told(story)


def test_leaving_while_he_still_rings_and_nobody_answers_he_is_back_at_the_head() -> None:
    async def story(table: Table) -> None:
        table.telephone.habits[DOCTOR] = Habit(refuses=None, answers=None)
        await table.order(Consult(Outside(DOCTOR)), wait=1.0)
        await table.order(Leave(), wait=0.5)
        await table.bench.pass_time(50.0)
        assert table.talking.secretary == "lea"
        table.telephone.caller_hangs_up("chan-1")
        await table.over(in_one_piece=False)

    told(story)


def test_her_phones_hold_in_a_conference_is_no_hold_of_the_caller() -> None:
    async def story(table: Table) -> None:
        await consulting(table)
        await table.order(Join(), wait=1.0)
        table.telephone.holds(LEG)
        await table.bench.pass_time(0.5)
        assert table.talking.held is None
        table.telephone.caller_hangs_up("chan-1")
        await table.bench.pass_time(0.2)
        table.telephone.phone_hangs_up(THIRD)
        await table.over()

    told(story)


# --- whom she dialled ------------------------------------------------------------------------


def test_somebody_she_dialled_is_held_and_shown_to_a_third_as_any_caller() -> None:
    async def story() -> None:
        bench = Bench(made())
        bench.telephone.habits |= {DOCTOR: Habit(answers=1.0), "+33639981022": Habit(answers=1.0)}
        bench.start()
        await bench.pass_time(0.01)
        await bench.at_work("lea")
        bench.telephone.dials("lea", "0639981021")
        await bench.pass_time(3.0)
        board = bench.switchboard
        assert board is not None
        hers = "phone-lea-1"
        assert bench.telephone.bridges == {"talk-c1-0": {"out-c1-1", hers}}
        board.desk.order("lea", Hold())
        await bench.pass_time(1.0)
        assert heard(bench, "out-c1-1")[-1].startswith("music:")
        board.desk.order("lea", Consult(Outside("+33639981022")))
        await bench.pass_time(2.0)
        assert bench.telephone.bridges["talk-c1-0"] == {hers, "out-c1-2"}
        board.desk.order("lea", Join())
        await bench.pass_time(1.0)
        assert bench.telephone.bridges["talk-c1-0"] == {hers, "out-c1-1", "out-c1-2"}
        bench.telephone.phone_hangs_up("out-c1-2")
        await bench.pass_time(1.0)
        assert bench.telephone.bridges["talk-c1-0"] == {hers, "out-c1-1"}
        bench.telephone.phone_hangs_up(hers)
        await bench.pass_time(1.0)
        assert bench.failure() is None
        assert not bench.telephone.channels
        assert not bench.telephone.bridges
        await bench.kill()

    run(story())
