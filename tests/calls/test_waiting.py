"""What a waiting caller hears and may do, in virtual time: announcements, keys, and what they must not do."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from autocom.core.model import (
    Announcements,
    Audio,
    Configuration,
    Enqueue,
    Hangup,
    Menu,
    Mode,
    Phrases,
    Play,
    Ringback,
)
from tests.support.exchange_in_memory import CALM, CLOSED, WELCOME, Bench, client, configuration, heard
from tests.support.fake_telephone import Habit
from tests.support.virtual import run

Scenario = Callable[[Bench], Awaitable[None]]

OWN = Audio("own", "own", 30.0)
PHRASES = Phrases(
    positions=tuple(Audio(f"position-{n}", f"position-{n}", 2.0) for n in range(1, 4)),
    beyond=Audio("position-beyond", "position-beyond", 2.0),
    waits=((60.0, Audio("wait-under-1", "wait-under-1", 2.0)), (150.0, Audio("wait-2", "wait-2", 2.0))),
    longer=Audio("wait-longer", "wait-longer", 2.0),
)
REFUSED = Audio("callback-refused", "callback-refused", 3.0)


def house(*steps: object, **changes: object) -> Configuration:
    """A bureau that knows the sentences, with one client who has these steps."""
    plain = configuration(client("lilas", "+33199001001", *steps, **{"early_limit": 999.0, **changes}))
    stock = replace(plain.stock, phrases={"fr": PHRASES}, callback_refused=REFUSED)
    # who lets it ring is not paused: she stays at work
    return replace(plain, stock=stock, bureau=replace(plain.bureau, pause_after=0))


def play(scenario: Scenario, bureau: Configuration) -> Bench:
    """Run a scenario; the exchange must still be alive after it."""

    async def whole() -> Bench:
        bench = Bench(bureau)
        names = (
            *PHRASES.positions,
            PHRASES.beyond,
            PHRASES.longer,
            *(a for _, a in PHRASES.waits),
            OWN,
            REFUSED,
        )
        bench.telephone.lengths |= {a.media: a.seconds for a in names if a is not None}
        bench.start()
        await bench.pass_time(0.01)
        await scenario(bench)
        assert bench.failure() is None
        await bench.kill()
        return bench

    return run(whole())


def timeline(bench: Bench, channel: str = "chan-1") -> list[tuple[float, str]]:
    """Seconds since his first sound, and what he heard from then on."""
    found = bench.telephone.channels.get(channel) or bench.telephone.past[channel]
    return [(at - found.heard[0][0], what) for at, what in found.heard if what != "silence"]


def gaps(bench: Bench, channel: str = "chan-1") -> list[float]:
    found = bench.telephone.channels.get(channel) or bench.telephone.past[channel]
    return [b[0] - a[0] for a, b in itertools.pairwise(found.heard) if a[1] == "silence"]


def announcing(**changes: object) -> Enqueue:
    asked = Announcements(**{"position": True, "first_after": 20.0, "every": 30.0, **changes})  # type: ignore[arg-type]
    return Enqueue("medical", CALM, announce=asked)


async def wait_for(bench: Bench, seconds: float, *, answers: float | None = None) -> None:
    bench.telephone.habits["lea"] = Habit(answers=answers)
    await bench.at_work("lea")
    bench.telephone.call_in("chan-1", "0199001001")
    await bench.pass_time(seconds)


def test_the_position_is_told_after_first_after_and_then_every_so_often_with_music_between() -> None:
    async def scenario(bench: Bench) -> None:
        await wait_for(bench, 60)

    bench = play(scenario, house(announcing()))
    assert [what for _, what in timeline(bench)] == [
        "music:music-calm",
        "position-1",
        "music:music-calm",
        "position-1",
        "music:music-calm",
    ]
    instants = [at for at, what in timeline(bench) if what == "position-1"]
    assert instants == [pytest.approx(20.0, abs=0.1), pytest.approx(50.0, abs=0.1)]
    assert max(gaps(bench)) < 0.5
    told = [e.fields for e in bench.of("c1") if e.kind == "announced"]
    assert [(t["position"], t["ahead"], t["staff"]) for t in told] == [(1, 0, 1), (1, 0, 1)]


def test_the_expected_wait_and_the_clients_own_message_follow_the_position() -> None:
    async def scenario(bench: Bench) -> None:
        await wait_for(bench, 58)

    bench = play(scenario, house(announcing(wait=True, play=OWN)))
    # one secretary, 120 s a call: about two minutes
    assert [what for _, what in timeline(bench)] == [
        "music:music-calm",
        "position-1",
        "wait-2",
        "own",
        "music:music-calm",
    ]
    told = next(e.fields for e in bench.of("c1") if e.kind == "announced")
    assert (told["wait_from"], told["wait_to"]) == (60.0, 150.0)
    assert told["estimate_ms"] == 120_000


def test_the_estimate_learns_from_the_calls_of_the_day() -> None:
    async def scenario(bench: Bench) -> None:
        await wait_for(bench, 300, answers=2.0)
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(1)
        bench.telephone.habits["lea"] = Habit(answers=None)
        bench.telephone.call_in("chan-2", "0199001001", "0639980102")
        await bench.pass_time(25)

    bench = play(scenario, house(announcing(wait=True)))
    told = next(e.fields for e in bench.of("c2") if e.kind == "announced")
    assert told["estimate_ms"] == pytest.approx(
        (5 * 120 + 300) / 6 * 1000, rel=0.01
    )  # five calls of 120 s were assumed


def test_an_announcement_longer_than_its_rhythm_still_leaves_a_breath_of_music() -> None:
    async def scenario(bench: Bench) -> None:
        await wait_for(bench, 60)

    bench = play(scenario, house(announcing(position=False, play=OWN, every=10.0)))
    began = [at for at, what in timeline(bench) if what == "own"]
    assert began == [pytest.approx(20, abs=0.1), pytest.approx(55, abs=0.1)]


def test_a_secretarys_answer_cuts_an_announcement_within_a_tenth_of_a_second() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.habits["lea"] = Habit(answers=None)
        bench.telephone.habits["ines"] = Habit(answers=5.0)
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(20.5)  # `own` lasts 30 s
        await bench.at_work("ines")
        await bench.pass_time(15)

    bench = play(scenario, house(announcing(position=False, play=OWN)))
    answered = next(
        e.at for e in bench.of("c1") if e.kind == "offer_ended" and e.fields["result"] == "answered"
    )
    bridged = next(e.at for e in bench.of("c1") if e.kind == "bridged")
    assert bridged - answered < 0.1
    assert heard(bench)[-3:] == ["own", "silence", "bridge:talk-c1-3"]
    cut = [e.fields for e in bench.of("c1") if e.kind == "message_ended"]
    assert [f["complete"] for f in cut] == [False]


def test_nothing_is_announced_before_a_message_that_must_be_heard_is_over() -> None:
    long = Audio("long", "long", 40.0)

    async def scenario(bench: Bench) -> None:
        bench.telephone.lengths["long"] = 40.0
        await wait_for(bench, 60)

    bench = play(scenario, house(Play(long, Mode.ANSWERED, must_hear=True), announcing()))
    began = [at for at, what in timeline(bench) if what == "position-1"]
    assert began == [pytest.approx(40.0, abs=0.1)]
    assert [what for _, what in timeline(bench)] == ["long", "position-1", "music:music-calm"]


def test_the_position_is_not_told_once_a_secretary_is_taken() -> None:
    long = Audio("long", "long", 25.0)

    async def scenario(bench: Bench) -> None:
        bench.telephone.lengths["long"] = 25.0
        await wait_for(bench, 40, answers=2.0)

    bench = play(scenario, house(Play(long, Mode.ANSWERED, must_hear=True), announcing()))
    assert [what for _, what in timeline(bench)] == ["long", "bridge:talk-c1-1"]


def test_in_early_media_announcements_are_heard_and_the_early_limit_answers_inside_one() -> None:
    async def scenario(bench: Bench) -> None:
        await wait_for(bench, 27)

    bench = play(scenario, house(announcing(position=False, play=OWN), early_limit=25.0))
    channel = bench.telephone.channels["chan-1"]
    assert channel.answered_at is not None
    assert [e.fields["why"] for e in bench.of("c1") if e.kind == "answered"] == ["early_limit"]
    assert heard(bench) == ["music:music-calm", "own", "silence", "own"]
    assert max(gaps(bench)) < 0.1


def test_a_position_that_grew_is_not_told_and_one_that_shrank_is() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.habits = {"lea": Habit(answers=None)}
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(1)
        bench.telephone.call_in("chan-2", "0199001001", "0639980102")
        await bench.pass_time(24)
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(30)

    bench = play(scenario, house(announcing()))
    assert [w for _, w in timeline(bench, "chan-2") if w.startswith("position")] == [
        "position-2",
        "position-1",
    ]


def test_nobody_at_work_means_no_position_and_no_wait() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(60)

    bench = play(scenario, house(announcing(wait=True)))
    assert heard(bench) == ["music:music-calm"]
    assert "announced" not in bench.kinds()


def test_a_restart_neither_repeats_nor_forgets_an_announcement() -> None:
    async def scenario(bench: Bench) -> None:
        await wait_for(bench, 21)  # in the middle of the sentence
        await bench.kill()
        bench.start()
        await bench.pass_time(10)
        await bench.kill()
        bench.start()
        await bench.pass_time(24)

    bench = play(scenario, house(announcing()))
    began = [at for at, what in timeline(bench) if what == "position-1"]
    assert began[0] == pytest.approx(20, abs=0.1)  # cut by the first restart
    assert began[-1] == pytest.approx(50, abs=0.2)
    told = [e for e in bench.of("c1") if e.kind == "announced"]
    assert len(told) == 2


def test_nothing_new_is_said_while_asterisks_events_are_away_and_it_is_said_when_they_are_back() -> None:
    async def scenario(bench: Bench) -> None:
        await wait_for(bench, 15)
        with bench.telephone.deaf():
            await bench.pass_time(15)
        await bench.pass_time(5)

    bench = play(scenario, house(announcing()))
    began = [at for at, what in timeline(bench) if what == "position-1"]
    assert began == [pytest.approx(30.0, abs=0.1)]


def test_the_longest_wait_ends_an_announcement_on_the_instant() -> None:
    async def scenario(bench: Bench) -> None:
        await wait_for(bench, 40)

    queue = replace(announcing(position=False, play=OWN), max_wait=25.0, on_timeout=(Play(CLOSED), Hangup()))
    bench = play(scenario, house(queue))
    assert [(round(at, 1), what) for at, what in timeline(bench)][1:3] == [(20.0, "own"), (25.0, "closed")]
    assert bench.record().outcome == "timeout"


# --- keys ------------------------------------------------------------------------------------


def with_keys(**keys: tuple[object, ...]) -> Enqueue:
    return Enqueue("medical", CALM, keys={name[1:]: steps for name, steps in keys.items()})  # type: ignore[arg-type]


def test_a_digit_leads_out_of_the_queue_to_its_steps() -> None:
    async def scenario(bench: Bench) -> None:
        await wait_for(bench, 5)
        assert bench.state("lea") == "ringing"
        bench.telephone.presses("chan-1", "1")
        await bench.pass_time(0.2)
        assert bench.state("lea") == "free"
        await bench.pass_time(10)

    bench = play(scenario, house(Play(WELCOME), with_keys(_1=(Play(CLOSED), Hangup()))))
    assert heard(bench) == ["welcome", "silence", "music:music-calm", "closed", "silence", "end"]
    left = next(e.fields for e in bench.of("c1") if e.kind == "dequeued")
    assert left == {"why": "key", "digit": "1"}
    record = bench.record()
    assert (record.outcome, record.offers) == ("abandoned", 1)


def test_a_queue_with_keys_is_answered_when_its_music_begins_not_before() -> None:
    async def scenario(bench: Bench) -> None:
        await wait_for(bench, 3.9)
        assert not bench.telephone.channels["chan-1"].up
        await bench.pass_time(0.3)
        assert bench.telephone.channels["chan-1"].up

    bench = play(scenario, house(Play(WELCOME), with_keys(_1=(Hangup(),))))
    assert [e.fields["why"] for e in bench.of("c1") if e.kind == "answered"] == ["keys"]


def test_a_digit_without_steps_a_flood_of_digits_and_a_secretarys_digits_do_nothing() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.habits["ines"] = Habit(answers=None)
        await wait_for(bench, 5)
        bench.telephone.presses("chan-1", "923456789*#0ABCD" * 200)
        leg = bench.telephone.leg_of("lea")
        assert leg is not None
        bench.telephone.presses(leg.id, "1")
        await bench.pass_time(5)

    bench = play(scenario, house(with_keys(_1=(Hangup(),))))
    assert heard(bench) == ["music:music-calm"]


def test_a_digit_after_a_secretary_has_picked_up_is_ignored() -> None:
    async def scenario(bench: Bench) -> None:
        await wait_for(bench, 2.0, answers=2.0)
        leg = bench.telephone.leg_of("lea")
        assert leg is not None
        while not leg.up:
            await bench.pass_time(0.0005)
        bench.telephone.presses("chan-1", "1")
        await bench.pass_time(3)

    bench = play(scenario, house(with_keys(_1=(Hangup(),))))
    assert heard(bench)[-1] == "bridge:talk-c1-1"


def test_a_digit_during_a_message_that_must_be_heard_is_ignored_and_works_afterwards() -> None:
    async def scenario(bench: Bench) -> None:
        await wait_for(bench, 1)
        bench.telephone.presses("chan-1", "1")
        await bench.pass_time(4)
        assert heard(bench) == ["welcome", "silence", "music:music-calm"]
        bench.telephone.presses("chan-1", "1")
        await bench.pass_time(1)

    bench = play(scenario, house(Play(WELCOME, Mode.ANSWERED, must_hear=True), with_keys(_1=(Hangup(),))))
    assert heard(bench)[-1] == "end"


def test_a_key_may_lead_to_a_menu_and_back_into_a_queue_with_the_old_place() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.habits = {"lea": Habit(answers=None)}
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(1)
        bench.telephone.call_in("chan-2", "0199001001", "0639980102")
        await bench.pass_time(5)
        bench.telephone.presses("chan-1", "2")
        await bench.pass_time(1)
        bench.telephone.presses("chan-1", "7")
        await bench.pass_time(1)
        assert bench.switchboard is not None
        waiters = bench.switchboard.dispatcher.floor.waiters
        assert waiters["c1"].joined < waiters["c2"].joined
        assert waiters["c1"].attempts >= 1

    again = Menu(CLOSED, {"7": (Enqueue("medical", CALM),)})
    play(scenario, house(with_keys(_2=(Ringback(0.1), again))))


def test_digits_swept_over_the_instant_of_the_pick_up_never_lose_the_caller() -> None:
    """Whatever comes first wins: he talks, or he hears what the key leads to; never neither, never both."""
    for step in range(-8, 9):
        instant = 2.0 + 0.02 + step * 0.001

        async def scenario(bench: Bench, instant: float = instant) -> None:
            await wait_for(bench, instant, answers=2.0)
            bench.telephone.presses("chan-1", "1")
            await bench.pass_time(1.5)
            talked = any(what.startswith("bridge") for what in heard(bench))
            left = "closed" in heard(bench)
            assert talked != left, (instant, heard(bench))
            assert bench.state("lea") == ("talking" if talked else "free")

        play(scenario, house(with_keys(_1=(Play(CLOSED), Hangup()))))
