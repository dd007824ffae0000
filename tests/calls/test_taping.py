"""The recording of a conversation, told in virtual time: notice, pause, who is never recorded, what is handed over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autocom.core.model import Audio, Configuration
from autocom.core.orders import Consult, Drop, Hold, Record, Resume, SendTo
from autocom.core.tapes import Tape, tapes
from autocom.core.targets import Colleague
from tests.support.exchange_in_memory import Bench, client, configuration, sounds
from tests.support.fake_telephone import Habit
from tests.support.virtual import run

ON, OFF, BEEP = Audio("on", "on", 2.0), Audio("off", "off", 1.5), Audio("beep", "beep", 0.35)
LEA = "ring-c1-1-lea"
TAPE = "tape-c1-1"


def bureau(recording: str = "on_demand", *, notice: bool = True, **changes: object) -> Configuration:
    made = configuration(client("lilas", "+33199001001", recording=recording, **changes))
    notices = {"recording_on": ON, "recording_off": OFF} if notice else {}
    return replace(made, stock=replace(made.stock, notices=notices, beep=BEEP))


async def talking(made: Configuration | None = None) -> Bench:
    """Lea talks with the caller of c1."""
    bench = Bench(bureau() if made is None else made)
    bench.telephone.lengths |= {"on": 2.0, "off": 1.5, "beep": 0.35}
    bench.telephone.habits["lea"] = Habit(answers=1.0)
    bench.telephone.habits["ines"] = Habit(answers=1.0)
    bench.start()
    await bench.pass_time(0.01)
    await bench.at_work("lea")
    bench.telephone.call_in("chan-1", "0199001001")
    await bench.pass_time(8.0)
    assert bench.telephone.joined[-1] == ("chan-1", LEA)
    return bench


def wants(bench: Bench, verb: str, who: str = "lea") -> None:
    assert bench.switchboard is not None
    assert bench.switchboard.desk.order(who, Record(verb)) is not None


def rows(bench: Bench) -> list[Tape]:
    found, broken = tapes(bench.journal.rows("tape:"))
    assert not broken
    return found


def of_kind(bench: Bench, kind: str) -> list[dict[str, object]]:
    return [dict(e.fields) for e in bench.of("c1") if e.kind == kind]


def recorded_now(bench: Bench, tape: str = TAPE) -> bool:
    """Whether what is said at this moment gets into the file."""
    found = bench.telephone.recordings.get(tape)
    return found is not None and found.ended is None and not (found.pauses and found.pauses[-1][1])


async def end(bench: Bench) -> None:
    bench.telephone.caller_hangs_up("chan-1")
    await bench.pass_time(1.0)
    assert bench.failure() is None, bench.failure()
    assert all(file.ended is not None for file in bench.telephone.recordings.values())
    assert all(tape.ended is not None for tape in rows(bench))
    assert not [e for e in bench.journal.entries if e.kind == "crashed"]
    await bench.kill()


def test_both_hear_the_notice_before_the_first_recorded_word_and_the_file_is_known_from_its_beginning() -> (
    None
):
    async def story() -> None:
        bench = await talking()
        done: list[str] = []
        bench.telephone.after = done.append
        wants(bench, "start")
        await bench.pass_time(3.0)
        assert done.index("play_to_all") < done.index("record_talk")
        for channel in ("chan-1", LEA):
            assert sounds(bench, channel)[-1] == "on"
        assert recorded_now(bench)
        (row,) = rows(bench)
        assert (row.recording, row.client, row.secretary, row.ended) == (TAPE, "lilas", "lea", None)
        assert ("lea", "Enregistrement en cours.") in bench.telephone.told
        await bench.pass_time(7.0)
        wants(bench, "stop")
        await bench.pass_time(1.0)
        assert sounds(bench)[-1] == "off"
        (row,) = rows(bench)
        assert row.ended is not None
        assert row.seconds == pytest.approx(10.0, abs=0.1)
        assert row.erase_at == pytest.approx(row.ended + 30 * 86400.0)
        assert of_kind(bench, "recording_started") == [
            {"recording": TAPE, "secretary": "lea", "by": "order", "notice": "on"}
        ]
        assert [(f["recording"], f["kept"]) for f in of_kind(bench, "recording_ended")] == [(TAPE, True)]
        assert bench.telephone.channels["chan-1"].bridge == "talk-c1-1"
        wants(bench, "start")
        await bench.pass_time(1.0)
        assert [row.recording for row in rows(bench)] == [TAPE, "tape-c1-2"]
        await end(bench)

    run(story())


def test_the_key_starts_pauses_and_resumes_and_the_pause_is_not_counted() -> None:
    async def story() -> None:
        bench = await talking()
        bench.telephone.presses(LEA, "*8")
        await bench.pass_time(10.0)
        assert recorded_now(bench)
        bench.telephone.presses(LEA, "*8")
        await bench.pass_time(20.0)
        assert not recorded_now(bench)
        bench.telephone.presses(LEA, "*8")
        await bench.pass_time(10.0)
        assert recorded_now(bench)
        assert [f["recording"] for f in of_kind(bench, "recording_paused")] == [TAPE]
        assert [f["recording"] for f in of_kind(bench, "recording_resumed")] == [TAPE]
        bench.telephone.presses(LEA, "*80")
        await bench.pass_time(6.0)
        (row,) = rows(bench)
        assert row.seconds is not None
        assert 10.0 < row.seconds < 26.0
        await end(bench)

    run(story())


def test_a_caller_who_presses_the_keys_records_nobody() -> None:
    async def story() -> None:
        bench = await talking()
        bench.telephone.presses("chan-1", "*8")
        await bench.pass_time(8.0)
        assert not rows(bench)
        await end(bench)

    run(story())


def test_every_conversation_of_a_client_who_wants_it_is_recorded_from_the_notice_on() -> None:
    async def story() -> None:
        bench = await talking(bureau("always"))
        assert recorded_now(bench)
        assert sounds(bench)[-1] == "on"
        assert of_kind(bench, "recording_started")[0]["by"] == "always"
        wants(bench, "stop")
        await bench.pass_time(5.0)
        assert not recorded_now(bench), "she may put a private word out of reach"
        assert len(rows(bench)) == 1
        await end(bench)

    run(story())


def test_who_is_on_hold_and_who_is_consulted_is_not_recorded() -> None:
    async def story() -> None:
        bench = await talking(bureau("always"))
        assert bench.switchboard is not None
        desk = bench.switchboard.desk
        desk.order("lea", Hold())
        await bench.pass_time(5.0)
        assert not recorded_now(bench)
        desk.order("lea", Resume())
        await bench.pass_time(5.0)
        assert recorded_now(bench)
        bench.telephone.holds(LEA)
        await bench.pass_time(5.0)
        assert not recorded_now(bench), "held by her softphone"
        bench.telephone.holds(LEA, held=False)
        await bench.pass_time(5.0)
        assert recorded_now(bench)
        bench.telephone.register("ines")
        desk.order("lea", Consult(Colleague("ines")))
        await bench.pass_time(5.0)
        assert not recorded_now(bench), "a third one who was not told"
        desk.order("lea", Drop())
        await bench.pass_time(5.0)
        assert recorded_now(bench)
        await end(bench)
        (row,) = rows(bench)
        started = next(e.at for e in bench.journal.entries if e.kind == "recording_started")
        assert row.ended is not None
        assert row.seconds is not None
        assert row.seconds == pytest.approx(row.ended - started - 15.0, abs=1.0)

    run(story())


def test_her_own_pause_outlives_a_hold() -> None:
    async def story() -> None:
        bench = await talking(bureau("always"))
        wants(bench, "pause")
        await bench.pass_time(1.0)
        bench.telephone.holds(LEA)
        await bench.pass_time(1.0)
        bench.telephone.holds(LEA, held=False)
        await bench.pass_time(1.0)
        assert not recorded_now(bench)
        wants(bench, "resume")
        await bench.pass_time(1.0)
        assert recorded_now(bench)
        await end(bench)

    run(story())


def test_after_a_transfer_the_colleague_has_a_file_of_her_own_and_hears_the_notice() -> None:
    async def story() -> None:
        bench = await talking()
        wants(bench, "start")
        await bench.pass_time(3.0)
        bench.telephone.register("ines")
        assert bench.switchboard is not None
        bench.switchboard.desk.order("lea", SendTo(Colleague("ines")))
        await bench.pass_time(0.5)
        assert not recorded_now(bench)
        await bench.pass_time(8.0)
        assert [(row.recording, row.secretary) for row in rows(bench)] == [
            (TAPE, "lea"),
            ("tape-c1-2", "ines"),
        ]
        assert recorded_now(bench, "tape-c1-2")
        assert sounds(bench).count("on") == 2
        await end(bench)

    run(story())


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"recording": "never"}, "not_agreed"),
        ({"recording": "on_demand", "profile": "medical"}, "secrecy"),
        ({"recording": "always", "profile": "legal"}, "secrecy"),
    ],
)
def test_what_is_not_lawful_is_refused_when_it_is_asked_for_as_well(
    changes: dict[str, str], why: str
) -> None:
    async def story() -> None:
        bench = await talking(bureau(**changes))  # type: ignore[arg-type]
        wants(bench, "start")
        await bench.pass_time(2.0)
        assert not rows(bench)
        assert not bench.telephone.recordings
        assert of_kind(bench, "recording_refused") == [{"secretary": "lea", "why": why}]
        assert bench.telephone.told[-1][1].startswith("Enregistrement refusé")
        await end(bench)

    run(story())


def test_a_reload_that_forbids_it_holds_for_the_calls_of_now() -> None:
    async def story() -> None:
        bench = await talking()
        assert bench.switchboard is not None
        bench.switchboard.use(bureau(profile="medical"))
        wants(bench, "start")
        await bench.pass_time(1.0)
        assert not bench.telephone.recordings
        await end(bench)

    run(story())


def test_her_private_call_is_never_recorded() -> None:
    async def story() -> None:
        bench = Bench(bureau("always"))
        bench.telephone.habits["ines"] = Habit(answers=1.0)
        bench.start()
        await bench.pass_time(0.01)
        bench.telephone.register("lea")
        bench.telephone.register("ines")
        bench.telephone.dials("lea", "201")
        await bench.pass_time(3.0)
        wants(bench, "start")
        await bench.pass_time(1.0)
        assert not bench.telephone.recordings
        assert of_kind(bench, "recording_refused")[0]["why"] == "private"
        await bench.kill()

    run(story())


def test_without_a_notice_nobody_is_recorded() -> None:
    async def story() -> None:
        bench = await talking(bureau("always", notice=False))
        await bench.pass_time(1.0)
        assert not bench.telephone.recordings
        assert [f["why"] for f in of_kind(bench, "recording_refused")] == ["no_notice"]
        await end(bench)

    run(story())


def test_where_nothing_can_be_written_the_conversation_goes_on_and_she_is_told() -> None:
    async def story() -> None:
        bench = await talking()
        bench.telephone.disk_full = True
        wants(bench, "start")
        await bench.pass_time(2.0)
        assert of_kind(bench, "recording_refused") == [{"secretary": "lea", "why": "failed"}]
        assert bench.telephone.told[-1][1].startswith("Enregistrement impossible")
        assert bench.telephone.channels["chan-1"].bridge == "talk-c1-1"
        assert bench.state("lea") == "talking"
        await end(bench)
        assert bench.record("c1").outcome == "served"

    run(story())


def test_a_recording_that_breaks_off_is_kept_as_far_as_it_goes_and_not_begun_again() -> None:
    async def story() -> None:
        bench = await talking()
        wants(bench, "start")
        await bench.pass_time(10.0)
        bench.telephone._recorded(TAPE)
        await bench.pass_time(5.0)
        assert [row.recording for row in rows(bench)] == [TAPE]
        assert [f["why"] for f in of_kind(bench, "recording_refused")] == ["failed"]
        await end(bench)

    run(story())


def test_a_long_conversation_goes_on_in_a_new_file_without_another_notice() -> None:
    async def story() -> None:
        bench = await talking()
        wants(bench, "start")
        await bench.pass_time(3605.0)
        assert [row.recording for row in rows(bench)] == [TAPE, "tape-c1-2"]
        assert recorded_now(bench, "tape-c1-2")
        assert sounds(bench).count("on") == 1
        await end(bench)

    run(story())


def test_a_tone_every_so_often_says_that_it_is_recorded_but_not_in_a_pause() -> None:
    async def story() -> None:
        bench = await talking(bureau("always", recording_beep=15.0))
        await bench.pass_time(50.0)
        before = sounds(bench).count("beep")
        assert before == 3
        wants(bench, "pause")
        await bench.pass_time(40.0)
        assert sounds(bench).count("beep") == before
        wants(bench, "resume")
        await bench.pass_time(16.0)
        assert sounds(bench).count("beep") > before
        await end(bench)

    run(story())


def test_killed_in_the_middle_it_goes_on_in_the_same_file_without_another_notice() -> None:
    async def story() -> None:
        bench = await talking()
        wants(bench, "start")
        await bench.pass_time(5.0)
        await bench.kill()
        await bench.pass_time(10.0)
        bench.start()
        await bench.pass_time(5.0)
        assert recorded_now(bench)
        assert sounds(bench).count("on") == 1
        await end(bench)
        (row,) = rows(bench)
        assert row.seconds is not None
        assert row.seconds > 19.0

    run(story())
