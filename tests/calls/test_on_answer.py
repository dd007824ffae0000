"""The queue's last words to a caller before he is joined: `on_answer`, and every race around it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autocom.core.model import Audio, Configuration, Enqueue, Mode, Music, Play
from tests.calls.test_promise import QUEUE, house, play, promised
from tests.support.exchange_in_memory import CALM, WELCOME, Bench, client, configuration, sounds
from tests.support.fake_telephone import Habit
from tests.support.virtual import run

WHISPER = Audio("whisper-lilas", "whisper-lilas", 0.9)
NOTICE = Audio("notice", "notice", 3.0)
LEG = "ring-c1-1-lea"
LENGTHS = {"whisper-lilas": 0.9, "notice": 3.0, "endless": 30.0}


def bureau(
    *steps: object, whispering: bool = False, notice: Audio = NOTICE, **queue: object
) -> Configuration:
    wanted = Enqueue("medical", CALM, on_answer=notice, **queue)  # type: ignore[arg-type]
    made = configuration(client("lilas", "+33199001001", *steps, wanted))
    stock = replace(made.stock, whispers={"lilas": WHISPER})
    secretaries = {name: replace(who, whisper=whispering) for name, who in made.secretaries.items()}
    return replace(made, stock=stock, secretaries=secretaries)


async def opened(made: Configuration, *at_work: str) -> Bench:
    bench = Bench(made)
    bench.telephone.lengths |= LENGTHS
    bench.start()
    await bench.pass_time(0.01)
    await bench.at_work(*at_work)
    return bench


def first(bench: Bench, kind: str) -> float:
    return next(e.at for e in bench.of("c1") if e.kind == kind)


def test_he_hears_it_to_its_end_while_she_is_told_to_wait_and_both_are_joined_at_once() -> None:
    async def story() -> None:
        bench = await opened(bureau(), "lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(3.0)  # she picks up after 2 s
        assert sounds(bench, "chan-1")[-1] == "notice"
        assert sounds(bench, LEG) == ["in-progress"]
        assert bench.telephone.channels["chan-1"].up, "it may matter that he hears it: the call is answered"
        assert bench.telephone.joined == []
        await bench.pass_time(3.0)
        assert bench.telephone.joined == [("chan-1", LEG)]
        assert 3.0 <= first(bench, "bridged") - first(bench, "answered") < 3.1
        bench.telephone.phone_hangs_up(LEG)
        await bench.pass_time(0.5)
        assert bench.record().outcome == "served"
        assert bench.failure() is None
        await bench.kill()

    run(story())


def test_she_hears_whose_caller_it_is_first_and_then_that_he_hears_a_message() -> None:
    async def story() -> None:
        bench = await opened(bureau(whispering=True), "lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(2.5)
        assert sounds(bench, LEG) == ["whisper-lilas"]
        assert sounds(bench, "chan-1")[-1] == "notice", "at the same time"
        await bench.pass_time(1.0)
        assert sounds(bench, LEG)[-1] == "in-progress"
        await bench.pass_time(3.0)
        assert bench.telephone.joined == [("chan-1", LEG)]
        assert bench.kinds().count("whispered") == 1
        await bench.kill()

    run(story())


def test_without_the_stock_sentence_she_waits_in_silence() -> None:
    async def story() -> None:
        made = bureau()
        bench = await opened(replace(made, stock=replace(made.stock, in_progress=None)), "lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(4.0)
        assert sounds(bench, LEG) == []
        await bench.pass_time(2.0)
        assert bench.telephone.joined == [("chan-1", LEG)]
        await bench.kill()

    run(story())


@pytest.mark.parametrize("steps", [(), (Play(Audio("endless", "endless", 30.0)),)], ids=["music", "message"])
@pytest.mark.parametrize("ringing", [False, True])
def test_what_he_heard_before_gives_way_to_it(steps: tuple[Play, ...], ringing: bool) -> None:
    async def story() -> None:
        bench = await opened(bureau(*steps, ringing=ringing), "lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(3.0)
        assert sounds(bench, "chan-1")[-1] == "notice"
        await bench.pass_time(3.0)
        assert bench.telephone.joined == [("chan-1", LEG)]
        await bench.kill()

    run(story())


def test_a_message_that_must_be_heard_comes_before_it() -> None:
    async def story() -> None:
        bench = await opened(bureau(Play(WELCOME, Mode.ANSWERED, must_hear=True)), "lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(9.0)
        assert sounds(bench, "chan-1")[:2] == ["welcome", "notice"]
        assert bench.telephone.joined == [("chan-1", LEG)]
        await bench.kill()

    run(story())


def test_a_message_that_never_reports_its_end_or_is_too_long_is_cut_after_five_seconds() -> None:
    async def story() -> None:
        bench = await opened(bureau(notice=Audio("endless", "endless", 30.0)), "lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(9.0)
        assert bench.telephone.joined == [("chan-1", LEG)]
        assert first(bench, "bridged") - first(bench, "answered") < 5.6
        await bench.kill()

    run(story())


@pytest.mark.parametrize("whispering", [False, True])
@pytest.mark.parametrize("after", [2.05, 2.5, 3.5, 4.9])
def test_her_leg_ends_meanwhile_and_he_is_back_at_his_place_with_his_music(
    after: float, whispering: bool
) -> None:
    async def story() -> None:
        bench = await opened(bureau(whispering=whispering), "lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(after)
        assert bench.state("lea") == "talking"
        bench.telephone.phone_hangs_up(LEG)
        await bench.pass_time(0.2)
        assert sounds(bench, "chan-1")[-1] == "music:music-calm"
        assert bench.telephone.joined == []
        await bench.at_work("ines")
        await bench.pass_time(10.0)
        assert len(bench.telephone.joined) == 1, "the next one takes him"
        joined = [e for e in bench.of("c1") if e.kind == "queued"]
        assert len(joined) == 1, "he never left the queue"
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(1.0)
        assert bench.record().outcome == "served"
        assert bench.telephone.channels == {}
        assert bench.failure() is None
        await bench.kill()

    run(story())


@pytest.mark.parametrize("after", [2.05, 2.5, 3.5])
def test_he_hangs_up_meanwhile_and_she_is_free_again(after: float) -> None:
    async def story() -> None:
        bench = await opened(bureau(whispering=True), "lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(after)
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(1.0)
        assert bench.state("lea") == "free", "no wrap-up: she talked to nobody"
        assert bench.telephone.told == [("lea", "autocom : l'appelant vient de raccrocher.")]
        assert bench.telephone.channels == {}
        assert bench.record().outcome == "abandoned"
        assert bench.failure() is None
        await bench.kill()

    run(story())


def test_his_story_crashes_meanwhile_and_she_is_not_told_that_he_hung_up() -> None:
    async def story() -> None:
        bench = await opened(bureau(), "lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(1.9)

        def once(what: str) -> None:
            if what == "play":
                bench.telephone.before = lambda _: None
                raise ZeroDivisionError("a bug")

        bench.telephone.before = once
        await bench.pass_time(1.0)
        assert "crashed" in bench.kinds("c1")
        assert bench.state("lea") == "free"
        assert bench.telephone.told == []
        await bench.kill()

    run(story())


@pytest.mark.parametrize("after", [2.001, 2.003, 2.02, 2.5, 3.5])
def test_killed_meanwhile_the_next_process_joins_them_without_saying_it_again(after: float) -> None:
    async def story() -> None:
        bench = await opened(bureau(whispering=True), "lea")
        bench.telephone.habits["lea"] = Habit(answers=2.0)
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(after)
        await bench.kill()
        await bench.pass_time(0.2)
        bench.start()
        await bench.pass_time(5.0)
        assert bench.telephone.joined == [("chan-1", LEG)]
        assert sounds(bench, "chan-1").count("notice") <= 1
        assert bench.failure() is None
        await bench.kill()

    run(story())


def test_both_may_leave_in_the_same_instant() -> None:
    async def story() -> None:
        bench = await opened(bureau(), "lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(3.0)
        bench.telephone.phone_hangs_up(LEG)
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(1.0)
        assert bench.telephone.channels == {}
        assert bench.state("lea") == "free"
        assert bench.record().outcome == "abandoned"
        await bench.kill()

    run(story())


def test_who_is_called_back_hears_it_before_he_is_joined_as_well() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.lengths |= LENGTHS
        await promised(bench, him=Habit(answers=3.0), lea=Habit(answers=2.0))
        await bench.pass_time(8)
        leg = bench.telephone.leg_of("lea")
        assert leg is not None
        assert [what for _, what in leg.heard if what != "silence"][:2] == ["callback-hold", "in-progress"]
        await bench.pass_time(6)
        assert sounds(bench, "out-c1-1")[0] == "notice"
        assert len(bench.telephone.joined) == 1

    made = house(replace(QUEUE, on_answer=NOTICE))
    play(scenario, made)


def test_a_queue_without_it_joins_as_fast_as_ever() -> None:
    async def story() -> None:
        queue = client("lilas", "+33199001001", Enqueue("medical", Music("calm", "music-calm")))
        bench = await opened(configuration(queue), "lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(3.0)
        picked_up = next(e.at for e in bench.of("c1") if e.kind == "offer_ended")
        assert first(bench, "bridged") - picked_up < 0.02
        await bench.kill()

    run(story())
