"""Two things in the same instant, and commands that Asterisk did not answer, in virtual time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from autocom.calls import living
from autocom.calls.line import Line
from autocom.calls.overseeing import Overseers
from autocom.calls.ports import TelephoneDown
from autocom.core.floor_words import CallerLeft, GiveUp
from autocom.core.model import (
    Audio,
    Callback,
    Configuration,
    Enqueue,
    Hangup,
    Play,
    Trunk,
    Voicemail,
)
from autocom.core.story import Story
from autocom.core.telephony import ChannelAnswered, DigitPressed, FaxHeard
from tests.support.exchange_in_memory import CALM, CLOSED, WELCOME, Bench, client, configuration, heard
from tests.support.fake_telephone import FakeChannel, Habit
from tests.support.virtual import run

Scenario = Callable[[Bench], Awaitable[None]]
CELL = "+33639981021"
WHISPER = Audio("whisper", "whisper", 1.2)
SORRY = Audio("sorry", "sorry", 3.0)


def bureau(*steps: object) -> Configuration:
    plain = configuration(client("lilas", "+33199001001", *steps))
    stock = replace(plain.stock, whispers={"lilas": WHISPER}, callback_refused=SORRY)
    return replace(
        plain,
        stock=stock,
        secretaries={name: replace(s, whisper=True) for name, s in plain.secretaries.items()},
        trunks={"operator": Trunk("operator", ("127.0.0.1",), host="telco.test")},
    )


def play(scenario: Scenario, *steps: object) -> Bench:
    async def whole() -> Bench:
        bench = Bench(bureau(*steps))
        bench.telephone.lengths |= {a.media: a.seconds for a in (WHISPER, SORRY)}
        bench.start()
        await bench.pass_time(0.01)
        await scenario(bench)
        assert bench.failure() is None
        await bench.kill()
        return bench

    return run(whole())


def unanswered(bench: Bench, command: str, *, carried_out: bool = False) -> Callable[[], bool]:
    """The next such command gets no answer. Whether it was given is what the result says."""
    given = False

    def lose(what: str) -> None:
        nonlocal given
        if what == command and not given:
            given = True
            raise TelephoneDown(what)

    setattr(bench.telephone, "after" if carried_out else "before", lose)
    return lambda: given


def test_who_is_sent_away_when_his_message_is_due_is_sent_away() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.habits = {"lea": Habit(None)}
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(4.5)
        with bench.telephone.deaf():  # both are due when it ends, and the floor is the first to know
            await bench.pass_time(1)
        await bench.pass_time(10)

    queue = Enqueue("medical", None, ringing=True, max_wait=5.0, on_timeout=(Play(CLOSED), Hangup()))
    bench = play(scenario, Play(WELCOME, if_waiting=5.0), queue)
    assert bench.record().outcome == "timeout"


def test_he_hears_music_while_she_is_told_whose_caller_it_is_after_a_message_he_had_to_hear() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.habits = {"lea": Habit(1.0)}
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(10)

    bench = play(scenario, Play(WELCOME, must_hear=True), Enqueue("medical", CALM))
    at = {what: when for when, what in bench.telephone.channels["chan-1"].heard}
    assert at["music:music-calm"] - at["welcome"] < 4.1
    assert at["bridge:talk-c1-1"] - at["music:music-calm"] > 1.0


def test_ringing_whose_request_got_no_answer_is_asked_for_again() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.habits = {"lea": Habit(None)}
        await bench.at_work("lea")
        given = unanswered(bench, "start_ringback")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(2)
        assert given()
        assert heard(bench)[-1] == "ringing"

    play(scenario, Enqueue("medical", None, ringing=True))


def test_a_hang_up_without_an_answer_leaves_no_secretary_alone_on_the_line() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.habits = {"lea": Habit(1.0)}
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(5)
        given = unanswered(bench, "hang_up")
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(5)
        assert given()
        assert not bench.telephone.channels
        assert not bench.telephone.bridges

    play(scenario, Enqueue("medical", CALM))


def test_who_picks_up_outside_for_a_call_that_is_over_is_not_left_on_the_line() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.channels["out-c9-1"] = FakeChannel("out-c9-1", up=True)
        bench.telephone._tell(ChannelAnswered("out-c9-1"))
        await bench.pass_time(0.1)
        assert not bench.telephone.channels

    play(scenario, Play(CLOSED))


def test_a_fax_tone_told_after_the_caller_went_keeps_no_message_open() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(3)
        bench.telephone.caller_hangs_up("chan-1")
        bench.telephone._tell(FaxHeard("chan-1"))
        await bench.pass_time(5)
        assert not bench.journal.calls

    bench = play(scenario, Voicemail())
    assert bench.kinds().count("ended") == 1
    assert bench.kinds().count("fax_heard") == 0


def test_a_refused_wish_during_the_welcome_does_not_begin_the_welcome_anew() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.habits = {"lea": Habit(None)}
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001", "anonymous")
        await bench.pass_time(2)
        bench.telephone.presses("chan-1", "1")
        await bench.pass_time(5)
        sounds = [what for what in heard(bench) if what != "silence"]
        assert sounds == ["welcome", "sorry", "music:music-calm"]

    play(scenario, Play(WELCOME), Enqueue("medical", CALM, keys={"1": (Callback(),)}))


def test_a_key_in_the_instant_of_a_way_out_changes_neither_the_way_nor_the_names_of_legs() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.habits = {"lea": Habit(None)}
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(3)
        assert bench.switchboard is not None
        # pressed while the floor decides: both lie in the mailbox, the digit first
        bench.switchboard.lines["c1"].post(DigitPressed("chan-1", "9"))
        bench.switchboard.dispatcher.submit(CallerLeft("c1"))
        bench.switchboard.lines["c1"].post(GiveUp("c1", "timeout", 1))
        await bench.pass_time(4)

    second = Enqueue("medical", CALM, max_wait=2.0, on_timeout=(Hangup(),))
    first = Enqueue("medical", CALM, keys={"9": (second,)}, on_timeout=(second,))
    bench = play(scenario, first)
    legs = [e.fields["leg"] for e in bench.of("c1") if e.kind == "offered"]
    assert legs == ["ring-c1-1-lea", "ring-c1-2-lea"]
    assert [e.fields["why"] for e in bench.of("c1") if e.kind == "dequeued"] == ["timeout"]


@pytest.mark.parametrize(
    ("where", "what"), [(living, "lost"), (living, "joined_unsaved"), (Overseers, "begun")]
)
def test_a_call_that_cannot_be_taken_over_costs_no_other_call_anything(
    where: object, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug in taking over the first of three; each start would crash on it again."""
    found = getattr(where, what)

    def crashes(*given: object) -> object:
        story = given[1].story if isinstance(given[1], Line) else given[0]
        if isinstance(story, Story) and story.call.id == "c1":
            raise ZeroDivisionError("a bug")
        return found(*given)

    async def scenario(bench: Bench) -> None:
        for n in (1, 2, 3):
            bench.telephone.call_in(f"chan-{n}", "0199001001", f"063998010{n}")
        await bench.pass_time(2)
        await bench.kill()
        monkeypatch.setattr(where, what, crashes)
        bench.start()
        await bench.pass_time(2)
        assert bench.failure() is None
        assert bench.telephone.handed_back == [("chan-1", "lilas", False)]
        assert bench.record("c1").outcome == "fallback"
        assert bench.switchboard is not None
        assert sorted(bench.switchboard.lines) == ["c2", "c3"]
        await bench.at_work("lea")
        await bench.pass_time(5)
        assert bench.telephone.joined == [("chan-2", "ring-c2-1-lea")]

    bench = play(scenario, Enqueue("medical", CALM))
    assert [bench.kinds("c1").count(kind) for kind in ("crashed", "ended")] == [1, 1]
