"""The conversation's edges: a phone that vanishes in it, a name whispered before it, what a secretary is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autocom.core.floor_words import LoggedIn, Resumed
from autocom.core.model import Audio, Configuration, Enqueue, Play
from autocom.core.telephony import Cause
from tests.support.exchange_in_memory import CALM, WELCOME, Bench, client, configuration, heard
from tests.support.fake_telephone import Habit
from tests.support.virtual import run

WHISPER = Audio("whisper-lilas", "whisper-lilas", 0.9)
COMFORT = Audio("comfort", "comfort", 3.0)
LEG = "ring-c1-1-lea"
LENGTHS = {"whisper-lilas": 0.9, "comfort": 3.0}


def with_sounds(made: Configuration, *, whispering: bool = False) -> Configuration:
    stock = replace(made.stock, comfort=COMFORT, whispers={"lilas": WHISPER})
    secretaries = {name: replace(who, whisper=whispering) for name, who in made.secretaries.items()}
    return replace(made, stock=stock, secretaries=secretaries)


async def opened(made: Configuration, *at_work: str) -> Bench:
    bench = Bench(made)
    bench.telephone.lengths |= LENGTHS
    bench.start()
    await bench.pass_time(0.01)
    await bench.at_work(*at_work)
    return bench


# --- a phone that vanishes -------------------------------------------------------------------


def test_s15_the_caller_hears_a_word_of_comfort_and_is_the_next_before_who_waited_longer() -> None:
    async def story() -> None:
        queue = client("lilas", "+33199001001", Enqueue("medical", CALM))
        bench = await opened(with_sounds(configuration(queue)), "lea")
        bench.telephone.habits["ines"] = Habit(answers=1.0)
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(5.0)
        bench.telephone.call_in("chan-2", "0199001001", "0639980102")
        await bench.pass_time(30.0)
        bench.telephone.vanishes(LEG)
        await bench.pass_time(0.5)
        assert bench.state("lea") == "paused"
        assert heard(bench, "chan-1")[-1] == "comfort"
        await bench.at_work("ines")
        await bench.pass_time(2.0)
        assert bench.telephone.joined[-1] == ("chan-1", "ring-c1-2-ines")
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(0.5)
        record = bench.record("c1")
        assert (record.outcome, record.secretary) == ("served", "ines")
        talks = [(s.secretary, s.end is not None) for s in bench.segments("c1") if s.kind == "talk"]
        assert talks == [("lea", True), ("ines", True)]
        vanished = next(e for e in bench.of("c1") if e.kind == "vanished")
        assert (vanished.fields["secretary"], vanished.fields["cause"]) == ("lea", 44)
        assert bench.failure() is None
        await bench.kill()

    run(story())


def test_who_is_dropped_as_soon_as_he_is_joined_is_the_next_of_somebody_else() -> None:
    async def story() -> None:
        bench = await opened(with_sounds(configuration()), "lea", "ines")
        bench.telephone.habits["lea"] = Habit(answers=1.0)
        bench.telephone.habits["ines"] = Habit(answers=1.0)
        bench.telephone.call_in("chan-1", "0199001001")
        while not bench.telephone.joined:
            await bench.pass_time(0.01)
        bench.telephone.phone_hangs_up(LEG)
        await bench.pass_time(0.2)
        assert heard(bench, "chan-1")[-1] == "comfort"
        assert bench.state("lea") == "free"
        await bench.pass_time(3.0)
        assert bench.telephone.joined[-1] == ("chan-1", "ring-c1-2-ines")
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(0.5)
        assert (bench.record().outcome, bench.record().secretary) == ("served", "ines")
        (dropped,) = [e for e in bench.of("c1") if e.kind == "dropped"]
        assert dropped.fields["secretary"] == "lea"
        assert bench.failure() is None
        await bench.kill()

    run(story())


def test_a_caller_who_hangs_up_in_the_instant_of_the_join_makes_no_other_phone_ring() -> None:
    async def story() -> None:
        bench = await opened(with_sounds(configuration()), "lea", "ines")
        bench.telephone.habits["lea"] = Habit(answers=5.0)

        def he_goes(what: str) -> None:
            if what == "connect":
                bench.telephone.caller_hangs_up("chan-1")

        bench.telephone.before = he_goes
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(10.0)
        assert bench.record().outcome == "abandoned"
        assert [e.fields["secretary"] for e in bench.of("c1") if e.kind == "offered"] == ["lea"]
        assert bench.telephone.past[LEG].ended_with == Cause.NORMAL
        assert "l'appelant vient de raccrocher" in bench.telephone.told[-1][1]
        assert (bench.state("lea"), bench.state("ines")) == ("free", "free")
        assert bench.failure() is None
        await bench.kill()

    run(story())


def test_who_is_dropped_by_the_only_one_there_is_asked_for_again() -> None:
    async def story() -> None:
        bench = await opened(with_sounds(configuration()), "lea")
        bench.telephone.habits["lea"] = Habit(answers=1.0)
        bench.telephone.call_in("chan-1", "0199001001")
        while not bench.telephone.joined:
            await bench.pass_time(0.01)
        bench.telephone.phone_hangs_up(LEG)
        await bench.pass_time(6.0)
        assert bench.telephone.joined[-1] == ("chan-1", "ring-c1-2-lea")
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(0.5)
        assert bench.record().outcome == "served"
        await bench.kill()

    run(story())


@pytest.mark.parametrize("cause", [Cause.NORMAL, Cause.UNKNOWN])
def test_a_goodbye_ends_the_call_as_ever(cause: Cause) -> None:
    async def story() -> None:
        bench = await opened(with_sounds(configuration()), "lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(20.0)
        bench.telephone.vanishes(LEG, cause)
        await bench.pass_time(0.5)
        assert bench.record().outcome == "served"
        assert "vanished" not in bench.kinds()
        assert bench.state("lea") == "free"
        await bench.kill()

    run(story())


@pytest.mark.parametrize("after", [0.0, 0.001, 0.003, 0.5])
def test_killed_around_the_vanishing_nobody_is_lost_and_nobody_stays_talking(after: float) -> None:
    async def story() -> None:
        bench = await opened(with_sounds(configuration()), "lea")
        bench.telephone.habits["ines"] = Habit(answers=1.0)
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(20.0)
        bench.telephone.vanishes(LEG)
        await bench.pass_time(after)
        await bench.kill()
        await bench.pass_time(0.2)
        bench.start()
        await bench.pass_time(0.1)
        await bench.at_work("ines")
        await bench.pass_time(8.0)
        assert bench.failure() is None
        assert bench.state("lea") in {"paused", "free"}
        if "vanished" in bench.kinds():
            assert bench.telephone.joined[-1] == ("chan-1", "ring-c1-2-ines")
        else:  # told by nobody: it looks like a goodbye while we were away
            assert bench.record().outcome == "served"
        await bench.kill()

    run(story())


def test_her_word_brings_her_back_and_she_may_be_rung_again_for_him() -> None:
    async def story() -> None:
        bench = await opened(with_sounds(configuration()), "lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(20.0)
        bench.telephone.vanishes(LEG)
        await bench.pass_time(5.0)
        assert bench.switchboard is not None
        bench.switchboard.dispatcher.submit(Resumed("lea"))
        await bench.pass_time(5.0)
        assert bench.telephone.joined[-1] == ("chan-1", "ring-c1-2-lea")
        assert heard(bench, "chan-1").count("comfort") == 1
        await bench.kill()

    run(story())


# --- whispers --------------------------------------------------------------------------------


def test_she_hears_whose_caller_it_is_while_he_still_hears_his_music() -> None:
    async def story() -> None:
        queue = client("lilas", "+33199001001", Enqueue("medical", CALM))
        bench = await opened(with_sounds(configuration(queue), whispering=True), "lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(2.5)  # she picks up after 2 s
        assert heard(bench, LEG) == ["whisper-lilas"]
        assert heard(bench, "chan-1")[-1] == "music:music-calm"
        assert not bench.telephone.channels["chan-1"].up, "he pays nothing for it"
        await bench.pass_time(1.0)
        assert bench.telephone.joined == [("chan-1", LEG)]
        assert bench.kinds().count("whispered") == 1
        picked_up = next(e.at for e in bench.of("c1") if e.kind == "offer_ended")
        joined = next(e.at for e in bench.of("c1") if e.kind == "bridged")
        assert 0.9 <= joined - picked_up < 1.0
        await bench.kill()

    run(story())


def test_a_message_goes_on_while_she_is_whispered_to() -> None:
    async def story() -> None:
        queue = client("lilas", "+33199001001", Play(WELCOME), Enqueue("medical", CALM))
        bench = await opened(with_sounds(configuration(queue), whispering=True), "lea")
        bench.telephone.habits["lea"] = Habit(answers=1.0)
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(1.5)
        assert heard(bench, LEG) == ["whisper-lilas"]
        assert heard(bench, "chan-1") == ["welcome"]
        await bench.pass_time(1.0)
        assert bench.telephone.joined == [("chan-1", LEG)]
        await bench.kill()

    run(story())


def test_who_wants_no_whisper_is_joined_as_fast_as_ever() -> None:
    async def story() -> None:
        bench = await opened(with_sounds(configuration()), "lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(3.0)
        picked_up = next(e.at for e in bench.of("c1") if e.kind == "offer_ended")
        joined = next(e.at for e in bench.of("c1") if e.kind == "bridged")
        assert joined - picked_up < 0.02
        assert "whispered" not in bench.kinds()
        await bench.kill()

    run(story())


def test_a_caller_or_a_secretary_who_leaves_during_the_whisper_leaves_nothing_behind() -> None:
    async def story() -> None:
        bench = await opened(with_sounds(configuration(), whispering=True), "lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(2.5)
        bench.telephone.phone_hangs_up(LEG)
        await bench.pass_time(3.8)
        assert bench.telephone.joined == []
        assert bench.state("lea") == "talking", "her next offer, and its whisper"
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(1.0)
        assert bench.telephone.channels == {}
        assert bench.state("lea") == "free"
        assert bench.record().outcome == "abandoned"
        await bench.kill()

    run(story())


def test_killed_during_the_whisper_they_are_joined_without_a_second_one() -> None:
    async def story() -> None:
        bench = await opened(with_sounds(configuration(), whispering=True), "lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(2.5)
        await bench.kill()
        bench.start()
        await bench.pass_time(2.0)
        assert bench.telephone.joined == [("chan-1", LEG)]
        assert heard(bench, LEG).count("whisper-lilas") == 1
        await bench.kill()

    run(story())


# --- telling ---------------------------------------------------------------------------------


def test_after_her_misses_her_phone_says_why_she_is_paused() -> None:
    async def story() -> None:
        made = configuration()
        bench = await opened(replace(made, bureau=replace(made.bureau, pause_after=1)), "lea")
        bench.telephone.habits["lea"] = Habit(answers=None)
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(13.0)
        assert bench.state("lea") == "paused"
        assert bench.telephone.told == [("lea", "autocom : pause, 1 appel sans réponse. *48 pour reprendre.")]
        assert [e.fields["secretary"] for e in bench.journal.entries if e.kind == "alert"] == ["lea"]
        await bench.kill()

    run(story())


def test_a_phone_that_cannot_be_told_changes_nothing() -> None:
    async def story() -> None:
        made = configuration()
        bench = await opened(replace(made, bureau=replace(made.bureau, pause_after=1)), "lea")
        bench.telephone.habits["lea"] = Habit(answers=None)
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(11.9)
        bench.telephone.registered.discard("lea")  # gone, and nobody has said so yet
        await bench.pass_time(1.0)
        assert bench.state("lea") == "paused"
        assert bench.telephone.told == []
        assert bench.switchboard is not None
        bench.switchboard.dispatcher.submit(LoggedIn("lea"))
        assert bench.failure() is None
        await bench.kill()

    run(story())
