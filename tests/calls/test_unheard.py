"""Sounds and music whose files are gone when they should play, in virtual time: no silence, no lost call, said once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from autocom.core.model import Audio, Client, Enqueue, Hangup, Menu, Mode, Play
from tests.support.exchange_in_memory import CALM, CLOSED, WELCOME, Bench, client, configuration, over, sounds
from tests.support.fake_telephone import Habit
from tests.support.virtual import run

LATE = {"lea": Habit(answers=8.0)}


def play(
    scenario: Callable[[Bench], Awaitable[None]], lilas: Client, missing: str = "", silent: str = ""
) -> Bench:
    async def whole() -> Bench:
        bench = Bench(configuration(lilas, lea={"medical": 1}))
        bench.telephone.habits.update(LATE)
        bench.telephone.missing.update(missing.split())
        bench.telephone.silent.update(silent.split())
        bench.start()
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await scenario(bench)
        await over(bench)
        await bench.kill()
        return bench

    return run(whole())


def practice(*steps: object) -> Client:
    return client("lilas", "+33199001001", *(steps or (Play(WELCOME), Enqueue("medical", CALM))))


def faults(bench: Bench) -> list[tuple[object, object]]:
    return [(e.fields["fault"], e.fields["where"]) for e in bench.journal.entries if e.kind == "fault"]


def longest_silence(bench: Bench) -> float:
    told = bench.telephone.past["chan-1"].heard
    ends = [at for at, _ in told[1:]]
    return max(
        (end - at for (at, what), end in zip(told, ends, strict=False) if what == "silence"), default=0.0
    )


async def a_while(bench: Bench) -> None:
    await bench.pass_time(40)


@pytest.mark.fault("F35")
@pytest.mark.parametrize("how", ["missing", "silent"])
def test_a_message_that_is_not_there_is_skipped_said_and_the_call_goes_on(how: str) -> None:
    bench = play(a_while, practice(), **{how: "welcome"})
    assert sounds(bench)[0] == "welcome"
    assert "music:music-calm" in sounds(bench)
    assert bench.record().outcome == "served"
    assert faults(bench) == [("sound_missing", "welcome")]
    ended = next(e for e in bench.of("c1") if e.kind == "message_ended")
    assert ended.fields["complete"] is False
    assert longest_silence(bench) < 0.5


@pytest.mark.fault("F35")
def test_a_message_that_must_be_heard_and_cannot_does_not_keep_anybody_apart() -> None:
    must = Play(WELCOME, Mode.EARLY, must_hear=True)
    bench = play(a_while, practice(must, Enqueue("medical", CALM)), missing="welcome in-progress")
    assert bench.record().outcome == "served"


@pytest.mark.fault("F35")
def test_the_last_message_before_the_end_and_a_menu_without_its_prompt_end_as_they_would() -> None:
    menu = Menu(Audio("menu", "menu", 3.0), {}, 2.0, (Play(CLOSED, Mode.ANSWERED), Hangup()))
    bench = play(a_while, practice(menu), missing="menu closed")
    assert sounds(bench) == ["menu", "closed", "end"]
    assert {where for _, where in faults(bench)} == {"menu", "closed"}


def test_a_message_that_plays_or_that_he_hangs_up_in_is_no_fault() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.pass_time(1)
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(1)

    assert faults(play(scenario, practice())) == []
    assert faults(play(a_while, practice())) == []


def test_a_thousand_calls_without_their_message_are_one_fault_in_ten_minutes() -> None:
    async def scenario(bench: Bench) -> None:
        for n in range(2, 30):
            bench.telephone.call_in(f"chan-{n}", "0199001001")
            await bench.pass_time(3)
            bench.telephone.caller_hangs_up(f"chan-{n}")
        assert len(faults(bench)) == 1
        await bench.pass_time(600)
        bench.telephone.call_in("chan-99", "0199001001")
        await bench.pass_time(3)
        assert len(faults(bench)) == 2

    play(scenario, practice(), missing="welcome")


@pytest.mark.fault("F34")
def test_a_music_without_its_files_gives_way_to_the_houses_and_the_next_caller_hears_that_at_once() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.pass_time(8)
        bench.telephone.call_in("chan-2", "0199001001")
        await bench.pass_time(40)
        assert "music:music-stock" in sounds(bench, "chan-2")

    bench = play(scenario, practice(), silent="music-calm")
    assert sounds(bench)[:2] == ["welcome", "music:music-stock"]
    assert longest_silence(bench) < 0.5
    assert faults(bench) == [("sound_missing", "music-calm")]
    assert [what for _, what in bench.telephone.past["chan-2"].heard][:3] == [
        "welcome",
        "silence",
        "music:music-stock",
    ]


@pytest.mark.fault("F34")
def test_without_any_music_he_hears_ringing_until_he_is_served() -> None:
    bench = play(a_while, practice(), silent="music-calm music-stock")
    assert sounds(bench)[:2] == ["welcome", "ringing"]
    assert longest_silence(bench) < 1.0
    assert bench.record().outcome == "served"


@pytest.mark.fault("F34")
def test_a_music_that_is_put_back_is_heard_again() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.pass_time(8)
        bench.telephone.silent.clear()
        await bench.pass_time(60)
        bench.telephone.call_in("chan-2", "0199001001")
        await bench.pass_time(8)
        assert "music:music-calm" in sounds(bench, "chan-2")
        assert "music:music-stock" not in sounds(bench, "chan-2")

    play(scenario, practice(), silent="music-calm")
