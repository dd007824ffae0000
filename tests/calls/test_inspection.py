"""An event that is lost is found by asking, each kind once; and where none is lost nothing is ever "repaired"."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from autocom.calls.inspection import EVERY, WORDS, Difference, Inspection
from autocom.calls.ports import TelephoneDown
from autocom.core.model import Enqueue, Forward, Play, Trunk
from autocom.core.posts import InTalk, Waiter
from autocom.core.stages import Waiting
from autocom.core.telephony import (
    CallEntered,
    ChannelAnswered,
    ChannelGone,
    Fact,
    Flow,
    PhoneDialled,
    Seen,
)
from tests.calls.everything_storm import EverythingStorm
from tests.support.exchange_in_memory import CALM, WELCOME, Bench, client, configuration, nothing_left, over
from tests.support.fake_telephone import FakeChannel, Habit
from tests.support.virtual import run

WITHIN = 25.0
"""Seconds until a lost event must have been made up for."""
LONG = (Play(WELCOME), Enqueue("medical", CALM, ring_for=40.0))
OUTSIDE = "+33639981021"
Scenario = Callable[[Bench], Awaitable[None]]


def inspected(scenario: Scenario, *steps: object) -> Bench:
    """Run a scenario on a bench that is inspected all the time; all is well afterwards."""

    async def whole() -> Bench:
        made = configuration(client("lilas", "+33199001001", *(steps or LONG)), lea={"medical": 1})
        operator = Trunk("operator", ("127.0.0.1",), host="operator.test")
        bench = Bench(replace(made, trunks={"operator": operator}))
        bench.start()
        await bench.pass_time(0.01)
        assert bench.switchboard is not None
        inspection = Inspection(bench.switchboard, bench.telephone)
        looking = asyncio.ensure_future(inspection.run())
        await scenario(bench)
        await over(bench)
        looking.cancel()
        await bench.kill()
        return bench

    return run(whole())


def lose(bench: Bench, kind: type[Fact], begins: str = "") -> None:
    """The next event of this kind, about a channel whose name begins so, does not arrive."""
    lost: list[Fact] = []

    def once(fact: Fact) -> bool:
        if lost or not isinstance(fact, kind) or not fact.channel.startswith(begins):  # type: ignore[union-attr]
            return False
        lost.append(fact)
        return True

    bench.telephone.lost = once


def unanswered_once(bench: Bench, command: str) -> asyncio.Event:
    """The next such command gets no answer and is not carried out; set when it was given."""
    given = asyncio.Event()

    def lose_it(what: str) -> None:
        if what == command and not given.is_set():
            given.set()
            raise TelephoneDown(what)

    bench.telephone.before = lose_it
    return given


def repairs(bench: Bench) -> list[str]:
    entries = [e.fields for e in bench.journal.entries if e.kind == "fault"]
    assert all(fields["fault"] == "difference_repaired" and not fields["over"] for fields in entries)
    return [str(fields["where"]) for fields in entries]


def test_the_hang_up_of_a_caller_who_waits_is_found() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(8)
        lose(bench, ChannelGone)
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(WITHIN)
        assert not bench.journal.calls

    bench = inspected(scenario)
    assert repairs(bench) == ["gone"]
    assert bench.record().outcome == "abandoned"
    assert bench.telephone.forgotten == ["chan-1"]


def test_the_hang_up_of_a_caller_in_conversation_frees_the_secretary() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(8)
        assert bench.state("lea") == "talking"
        lose(bench, ChannelGone)
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(WITHIN)
        assert bench.state("lea") == "free"
        nothing_left(bench)

    assert repairs(inspected(scenario)) == ["gone"]


def test_the_hang_up_of_a_secretary_in_conversation_is_found() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(8)
        lose(bench, ChannelGone, "ring-")
        bench.telephone.phone_hangs_up("ring-c1-1-lea")
        await bench.pass_time(WITHIN)
        assert bench.state("lea") == "free"
        nothing_left(bench)

    bench = inspected(scenario)
    assert repairs(bench) == ["gone"]
    assert bench.record().outcome == "served"


def test_the_answer_of_a_phone_joins_the_two_all_the_same() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        lose(bench, ChannelAnswered, "ring-")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(WITHIN)
        assert bench.state("lea") == "talking"
        assert bench.telephone.channels["chan-1"].bridge == "talk-c1-1"

    bench = inspected(scenario)
    assert repairs(bench) == ["answered"]
    assert bench.telephone.remembered == ["ring-c1-1-lea"]


def test_a_refusal_of_a_phone_that_was_not_told_ends_the_offer() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        bench.telephone.habits["lea"] = Habit(refuses=17)
        lose(bench, ChannelGone, "ring-")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(1)
        bench.telephone.habits["lea"] = Habit(1.0)
        await bench.pass_time(WITHIN)
        assert bench.state("lea") == "talking"

    assert repairs(inspected(scenario)) == ["gone"]


def test_a_caller_whose_entry_was_lost_is_served() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        lose(bench, CallEntered)
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(WITHIN)
        assert bench.state("lea") == "talking"

    assert repairs(inspected(scenario)) == ["stranger"]


def test_what_a_phone_dialled_is_carried_out_though_its_entry_was_lost() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        lose(bench, PhoneDialled)
        bench.telephone.dials("lea", "0639981021")
        await bench.pass_time(WITHIN)

    bench = inspected(scenario)
    assert repairs(bench) == ["stranger"]
    assert "dialled" in bench.kinds()


@pytest.mark.parametrize("kind", [ChannelAnswered, ChannelGone])
def test_a_person_outside_whose_answer_or_end_was_lost_is_found(kind: type[Fact]) -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.habits[OUTSIDE] = Habit(2.0) if kind is ChannelAnswered else Habit(refuses=17)
        lose(bench, kind, "out-")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(WITHIN)

    bench = inspected(scenario, Forward(OUTSIDE, ring_for=60.0))
    assert repairs(bench) == ["answered" if kind is ChannelAnswered else "gone"]
    assert ("patched" in bench.kinds()) == (kind is ChannelAnswered)


def test_what_belongs_to_no_call_is_ended() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(1)
        bench.telephone.channels["ring-c9-1-lea"] = replace(
            bench.telephone.channels["chan-1"], id="ring-c9-1-lea"
        )
        bench.telephone.bridges["talk-c9-1"] = set()
        await bench.pass_time(WITHIN)
        assert list(bench.telephone.channels) == ["chan-1"]
        assert not bench.telephone.bridges

    assert sorted(repairs(inspected(scenario))) == ["stray_bridge", "stray_leg"]


def test_who_fell_out_of_the_bridge_is_put_back() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(8)
        await bench.telephone.take_out("talk-c1-1", "chan-1")
        await bench.pass_time(WITHIN)
        assert bench.telephone.bridges["talk-c1-1"] == {"chan-1", "ring-c1-1-lea"}

    assert repairs(inspected(scenario)) == ["apart"]


def test_somebody_who_is_on_hold_by_her_order_stays_out_of_the_bridge() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(8)
        bench.telephone.presses("ring-c1-1-lea", "*5")
        await bench.pass_time(3 * EVERY)
        assert bench.telephone.bridges["talk-c1-1"] == {"ring-c1-1-lea"}

    assert repairs(inspected(scenario)) == []


def test_a_secretary_who_talks_with_nobody_and_a_waiter_without_a_call_are_freed() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        assert bench.switchboard is not None
        floor = bench.switchboard.dispatcher.floor
        lea = replace(floor.posts["lea"], engaged=InTalk("c9", "ring-c9-1-lea", 1, "lilas", 0.0))
        ghost = Waiter("c8", "lilas", "medical", bench.clock.now())
        bench.switchboard.dispatcher.floor = replace(
            floor, posts={"lea": lea}, waiters={"c8": ghost}, board=None
        )
        await bench.pass_time(WITHIN)
        assert bench.state("lea") == "free"
        assert not bench.switchboard.dispatcher.floor.waiters

    assert sorted(repairs(inspected(scenario))) == ["engaged", "ghost"]


def test_a_caller_who_lost_his_place_in_the_queue_has_it_again() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(6)
        assert bench.switchboard is not None
        dispatcher = bench.switchboard.dispatcher
        dispatcher.floor = replace(dispatcher.floor, waiters={}, board=None)
        await bench.pass_time(WITHIN)
        stage = bench.switchboard.lines["c1"].story.stage
        assert isinstance(stage, Waiting)
        assert dispatcher.floor.waiters["c1"].joined == stage.joined

    assert repairs(inspected(scenario)) == ["unplaced"]


async def waits_in_silence(bench: Bench) -> FakeChannel:
    """A caller whose music has died."""
    bench.telephone.call_in("chan-1", "0199001001")
    await bench.pass_time(6)
    chan = bench.telephone.channels["chan-1"]
    chan.heard.append((bench.clock.now(), "silence"))
    return chan


def test_music_that_died_begins_anew_and_where_that_does_not_help_he_hears_ringing() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(6)
        chan = bench.telephone.channels["chan-1"]
        for expected in ("music:music-calm", "ringing"):
            chan.heard.append((bench.clock.now(), "silence"))
            await bench.pass_time(WITHIN)
            assert chan.heard[-1][1] == expected
        chan.heard.append((bench.clock.now(), "silence"))
        await bench.pass_time(4 * EVERY)  # nothing else can be done, and it is not told over and over

    assert repairs(inspected(scenario)) == ["soundless", "soundless"]


def test_a_repair_that_is_not_answered_is_not_repeated_into_what_follows() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(8)
        await bench.telephone.take_out("talk-c1-1", "chan-1")
        repaired = unanswered_once(bench, "connect")
        await repaired.wait()
        bench.telephone.presses("ring-c1-1-lea", "*5")
        await bench.pass_time(3)
        assert bench.telephone.channels["chan-1"].bridge is None, "she has put him on hold meanwhile"

    assert repairs(inspected(scenario)) == ["apart"]


def test_music_that_is_to_begin_anew_does_not_begin_in_a_conversation() -> None:
    async def scenario(bench: Bench) -> None:
        chan = await waits_in_silence(bench)
        repaired = unanswered_once(bench, "start_music")
        await repaired.wait()
        bench.telephone.habits["lea"] = Habit(0.1)
        await bench.at_work("lea")
        await bench.pass_time(3)
        assert bench.state("lea") == "talking"
        assert chan.music is None

    assert repairs(inspected(scenario)) == ["soundless"]


def test_a_repair_of_the_sound_that_was_not_answered_counts_for_nothing() -> None:
    async def scenario(bench: Bench) -> None:
        chan = await waits_in_silence(bench)
        await unanswered_once(bench, "start_music").wait()
        await bench.pass_time(WITHIN)
        assert chan.heard[-1][1] == "music:music-calm"

    assert repairs(inspected(scenario)) == ["soundless", "soundless"]


def test_who_is_served_between_the_two_looks_at_something_else_gets_no_music() -> None:
    async def scenario(bench: Bench) -> None:
        await waits_in_silence(bench)
        await bench.pass_time(EVERY)  # a first look: from now on he should have been sent something
        bench.telephone.bridges["talk-c9-1"] = set()
        look = bench.telephone.look

        async def and_she_comes() -> Seen:
            bench.telephone.look = look  # type: ignore[method-assign]
            bench.telephone.habits["lea"] = Habit(0.1)
            await bench.at_work("lea")
            return await look()

        bench.telephone.look = and_she_comes  # type: ignore[method-assign]
        await bench.pass_time(EVERY + 5)
        assert bench.state("lea") == "talking"

    assert repairs(inspected(scenario)) == ["stray_bridge"]


def test_a_caller_whose_own_phone_holds_us_hears_nothing_of_ours_and_that_is_no_difference() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(6)
        bench.telephone.holds("chan-1")
        bench.telephone.channels["chan-1"].heard.append((bench.clock.now(), "silence"))
        await bench.pass_time(4 * EVERY)

    assert repairs(inspected(scenario)) == []


def test_nothing_is_concluded_while_asterisks_events_are_away() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(6)
        with bench.telephone.deaf():
            bench.telephone.caller_hangs_up("chan-1")
            await bench.pass_time(3 * EVERY)
        await bench.pass_time(WITHIN)

    assert repairs(inspected(scenario)) == []


def test_a_look_that_asterisk_does_not_answer_is_no_end_of_looking() -> None:
    async def scenario(bench: Bench) -> None:
        look, times = bench.telephone.look, []

        async def down() -> object:
            times.append(1)
            if len(times) < 3:
                raise TelephoneDown("no answer")
            return await look()

        bench.telephone.look = down  # type: ignore[method-assign, assignment]
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(6)
        lose(bench, ChannelGone)
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(2 * EVERY + WITHIN)
        assert not bench.journal.calls

    assert repairs(inspected(scenario)) == ["gone"]


def test_a_statistic_that_is_not_answered_keeps_nothing_else_from_being_found() -> None:
    async def scenario(bench: Bench) -> None:
        async def down(_: str) -> Flow:
            raise TelephoneDown("no answer")

        bench.telephone.flow = down  # type: ignore[method-assign]
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(6)
        bench.telephone.bridges["talk-c9-1"] = set()
        await bench.pass_time(WITHIN)
        assert not bench.telephone.bridges

    assert repairs(inspected(scenario)) == ["stray_bridge"]


def test_every_kind_of_difference_has_its_words() -> None:
    assert all(Difference(kind, "x", None).kind and words for kind, words in WORDS.items())
    assert len(WORDS) == 10


# --- no false alarm ---------------------------------------------------------------------------


class Inspected(EverythingStorm):
    """The storm of everything, looked at far more often than the service does."""

    async def _watch(self) -> None:
        assert self.bench.switchboard is not None
        inspection = Inspection(self.bench.switchboard, self.bench.telephone)

        async def look() -> None:
            while True:
                await asyncio.sleep(self.chance_of_looks.random() * 2)
                for found in await inspection.inspect():
                    self._fault(f"{found.kind} {found.name} {type(found.anchor).__name__}")

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(look())
            tasks.create_task(super()._watch())

    def __post_init__(self) -> None:
        super().__post_init__()
        self.chance_of_looks = random.Random(self.seed)


@pytest.mark.parametrize("seed", range(12))
def test_in_a_storm_of_everything_there_is_no_difference(seed: int) -> None:
    storm = run(Inspected(seed, violent=False, acts=80).run())
    assert storm.faults == []
