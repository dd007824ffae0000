"""Callers whom the rescuer took out of an exchange that was away, and an exchange that stood still itself."""

from __future__ import annotations

import pytest

from autocom.core.model import Configuration, Enqueue
from autocom.core.telephony import Seen, SeenChannel, TelephoneBack
from tests.support.exchange_in_memory import CALM, Bench, client, configuration
from tests.support.fake_telephone import Habit
from tests.support.virtual import run

DID = "0199001001"


def bureau() -> Configuration:
    return configuration(client("lilas", "+33199001001", Enqueue("medical", CALM, max_wait=30.0)))


class Rescued:
    """A bench whose rescuer's marks are in `marks`; `known`: those that the exchange has written down."""

    def __init__(self) -> None:
        self.bench, self.marks, self.known = Bench(bureau()), set[str](), list[str]()

    async def start(self) -> None:
        self.bench.start()
        assert self.bench.switchboard is not None
        lives = self.bench.switchboard.lives
        lives.rescued, lives.believed = self.marks.__contains__, self.known.append
        await self.bench.pass_time(0.01)

    async def called(self, *channels: str) -> None:
        for number, channel in enumerate(channels):
            self.bench.telephone.call_in(channel, DID, f"06399801{number:02}")
            await self.bench.pass_time(5.0)

    def taken(self, channel: str) -> None:
        """Marked, and gone to the fallback, where he has hung up meanwhile."""
        self.marks.add(channel)
        self.bench.telephone.past[channel] = self.bench.telephone.channels.pop(channel)

    def back(self, *, still_there: str) -> TelephoneBack:
        """What Asterisk holds: everybody of ours, and one who is in the fallback now."""
        there = self.bench.telephone.channels
        return TelephoneBack(
            Seen(
                {c.id: SeenChannel(c.id, c.up, c.id != still_there, 0.0, c.bridge) for c in there.values()},
                {},
            )
        )


def test_who_was_taken_from_a_dead_exchange_ended_with_the_fallback_and_the_others_keep_their_place() -> None:
    async def story() -> None:
        made = Rescued()
        bench = made.bench
        await made.start()
        await made.called("chan-1", "chan-2")
        await bench.kill()
        made.taken("chan-1")
        await made.start()
        await bench.pass_time(1.0)
        assert bench.record("c1").outcome == "fallback"
        assert bench.kinds("c1")[-2:] == ["rescued", "ended"]
        assert bench.journal.rows("fallback:") == {"fallback:chan-1": "c1"}, (
            "his record there is no call more"
        )
        assert made.known == ["chan-1"]
        assert bench.switchboard is not None
        assert list(bench.switchboard.dispatcher.floor.waiters) == ["c2"]
        await bench.kill()

    run(story())


def test_nothing_is_done_to_a_caller_who_is_in_the_fallback_when_the_exchange_wakes_up() -> None:
    async def story() -> None:
        made = Rescued()
        bench = made.bench
        await made.start()
        await made.called("chan-1")
        assert bench.switchboard is not None
        bench.switchboard.doubt()
        made.marks.add("chan-1")
        await bench.pass_time(40.0)
        bench.switchboard.hear(made.back(still_there="chan-1"))
        await bench.at_work("lea")
        await bench.pass_time(5.0)
        assert bench.record("c1").outcome == "fallback"
        assert "chan-1" in bench.telephone.channels, "he was not hung up"
        assert bench.telephone.leg_of("lea") is None, "nobody is rung for him"
        await bench.kill()

    run(story())


@pytest.mark.parametrize("killed", [False, True])
def test_no_phone_rings_for_a_caller_in_the_fallback_when_a_wrap_up_ran_out_meanwhile(killed: bool) -> None:
    async def story() -> None:
        made = Rescued()
        bench = made.bench
        lilas = client("lilas", "+33199001001", Enqueue("medical", CALM), wrap_up_min=20.0, wrap_up_max=20.0)
        bench.configuration = configuration(lilas)
        bench.telephone.habits["lea"] = Habit(1.0)
        await made.start()
        await bench.at_work("lea")
        await made.called("chan-0")
        bench.telephone.phone_hangs_up("ring-c1-1-lea")
        await made.called("chan-1")
        assert bench.state("lea") == "wrap_up"
        assert bench.switchboard is not None
        if killed:
            await bench.kill()
        else:
            bench.switchboard.doubt()
        made.marks.add("chan-1")
        await bench.pass_time(40.0)
        commands: list[str] = []
        bench.telephone.before = commands.append
        back = made.back(still_there="chan-1")
        if killed:
            bench.telephone._seen = lambda: back.seen  # type: ignore[method-assign]
            await made.start()
        else:
            bench.switchboard.hear(back)
        await bench.pass_time(5.0)
        assert "ring" not in commands, "he is in the fallback"
        assert bench.state("lea") == "free"
        assert bench.record("c2").outcome == "fallback"
        await bench.kill()

    run(story())


def test_a_mark_of_a_caller_who_never_left_us_means_nothing_while_he_is_here() -> None:
    async def story() -> None:
        made = Rescued()
        bench = made.bench
        await made.start()
        await made.called("chan-1")
        made.marks.add("chan-1")
        assert bench.switchboard is not None
        bench.switchboard.hear(made.back(still_there="nobody"))
        await bench.at_work("lea")
        await bench.pass_time(3.0)
        assert bench.telephone.joined == [("chan-1", "ring-c1-1-lea")]
        await bench.kill()

    run(story())


@pytest.mark.parametrize("stood_still", [0.0, 40.0])
def test_after_standing_still_no_deadline_is_acted_on_before_the_telephone_is_back(
    stood_still: float,
) -> None:
    async def story() -> None:
        made = Rescued()
        bench = made.bench
        await made.start()
        await made.called("chan-1")
        assert bench.switchboard is not None
        if stood_still:
            bench.switchboard.doubt()
        await bench.pass_time(40.0)
        assert ("dequeued" in bench.kinds("c1")) is not bool(stood_still)
        bench.switchboard.hear(made.back(still_there="nobody"))
        await bench.pass_time(1.0)
        assert "dequeued" in bench.kinds("c1"), "now it is"
        await bench.kill()

    run(story())


@pytest.mark.parametrize("ringing", [False, True])
def test_an_adopted_caller_hears_what_he_heard_also_after_an_answer_that_nobody_waits_for(
    ringing: bool,
) -> None:
    async def story() -> None:
        made = Rescued()
        bench = made.bench
        queue = Enqueue("medical", CALM, ringing=ringing)
        bench.configuration = configuration(client("lilas", "+33199001001", queue))
        await made.start()
        await made.called("chan-1")
        await bench.kill()
        begun: list[str] = []
        bench.telephone.before = begun.append
        await made.start()
        await bench.pass_time(1.0)
        # Asterisk stops it at the answer, and whoever answers must know what to begin anew
        assert ("start_ringback" if ringing else "start_music") in begun
        await bench.pass_time(30.0)
        assert "answered" in bench.kinds("c1")
        begun.clear()
        await bench.kill()
        await made.start()
        await bench.pass_time(1.0)
        assert "start_music" not in begun, "answered: what plays goes on by itself"
        await bench.kill()

    run(story())
