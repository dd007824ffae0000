"""When the pre-answer message speaks, in virtual time: always, only for who waits, never; music or ringing."""

from __future__ import annotations

from dataclasses import replace

from autocom.core.model import Enqueue, Mode, Play
from tests.calls.test_inbound import play
from tests.support.exchange_in_memory import CALM, CLOSED, WELCOME, Bench, client, heard
from tests.support.fake_telephone import Habit

HELD_BACK = Play(WELCOME, if_waiting=6.0)


def told(bench: Bench) -> list[tuple[float, str]]:
    """What he heard, with the second at which it began."""
    began = bench.telephone.past["chan-1"].heard
    return [(round(at - began[0][0], 1), what) for at, what in began]


def served(steps: tuple[object, ...], *, after: float | None, stays: float = 30.0) -> Bench:
    """A call whose secretary picks up after so many seconds, or never."""

    async def scenario(bench: Bench) -> None:
        bench.telephone.habits["lea"] = Habit(answers=after)
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(stays)
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(1)

    return play(scenario, client("lilas", "+33199001001", *steps), staff={"lea": {"medical": 1}})


def test_who_is_served_in_time_hears_ringing_and_no_message() -> None:
    bench = served((HELD_BACK, Enqueue("medical", CALM)), after=3.0)
    assert [what for _, what in told(bench)] == ["ringing", "silence", "bridge:talk-c1-1", "end"]
    assert bench.record().outcome == "served"
    assert "message_started" not in bench.kinds()


def test_who_still_waits_hears_the_message_then_music() -> None:
    bench = served((HELD_BACK, Enqueue("medical", CALM, ring_for=60.0)), after=15.0)
    assert told(bench)[:4] == [(0.0, "ringing"), (6.0, "silence"), (6.0, "welcome"), (10.0, "silence")]
    assert "music:music-calm" in heard(bench)
    assert bench.record().outcome == "served"


def test_a_message_for_everybody_may_come_before_one_for_who_waits() -> None:
    steps = (Play(CLOSED), HELD_BACK, Enqueue("medical", CALM, ring_for=60.0))
    bench = served(steps, after=None, stays=20.0)
    # three seconds of message, ringing until the sixth, then the other one
    assert [what for _, what in told(bench) if what != "silence"][:4] == [
        "closed", "ringing", "welcome", "music:music-calm"
    ]  # fmt: skip


def test_a_queue_without_music_rings() -> None:
    bench = served((Enqueue("medical", ringing=True),), after=4.0)
    assert [what for _, what in told(bench)] == ["ringing", "silence", "bridge:talk-c1-1", "end"]


def test_who_is_sent_away_before_his_message_does_not_hear_it() -> None:
    queue = Enqueue("medical", CALM, max_wait=2.0, on_timeout=(Play(CLOSED, Mode.ANSWERED),))
    bench = served((HELD_BACK, queue), after=None, stays=10.0)
    assert [what for _, what in told(bench) if what != "silence"] == ["ringing", "closed", "end"]
    assert bench.record().outcome == "timeout"


def test_a_restart_neither_repeats_the_ringing_nor_forgets_the_message() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.habits["lea"] = Habit(answers=None)
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(3)
        await bench.kill()
        bench.start()
        await bench.pass_time(20)
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(1)

    steps = (HELD_BACK, Enqueue("medical", CALM, ring_for=60.0))
    bench = play(scenario, client("lilas", "+33199001001", *steps), staff={"lea": {"medical": 1}})
    assert [what for _, what in told(bench) if what != "silence"][:3] == [
        "ringing",
        "welcome",
        "music:music-calm",
    ]
    assert told(bench)[2][0] == 6.0


def test_what_is_spoken_stands_in_the_journal_shortened_and_a_recording_has_no_text() -> None:
    spoken = replace(WELCOME, text="Bonjour. " * 20)
    bench = served((Play(spoken), Play(CLOSED), Enqueue("medical", CALM)), after=None)
    facts = [e.fields for e in bench.of("c1") if e.kind in ("message_started", "message_ended")]
    texts = {(str(fields["sound"]), fields.get("text")) for fields in facts}
    assert texts == {("welcome", spoken.text[:120]), ("closed", None)}
