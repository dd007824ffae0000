"""A conversation in which only one side is heard: the secretary is told, once, and it is written down."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from autocom.calls.quality import CALLER, SECRETARY, TEXTS, Quality
from autocom.core.telephony import ChannelGone, Flow
from tests.support.exchange_in_memory import Bench, configuration, nothing_left
from tests.support.virtual import run

LEG = "ring-c1-1-lea"


def talking(
    scenario: Callable[[Bench, Quality], Awaitable[None]], *quiet: str, language: str = "fr"
) -> Bench:
    """A conversation of a minute, two seconds after the call came; from the `quiet` channels nothing ever comes."""

    async def whole() -> Bench:
        made = configuration()
        bench = Bench(replace(made, bureau=replace(made.bureau, language=language)))
        bench.start()
        await bench.pass_time(0.01)
        assert bench.switchboard is not None
        quality = Quality(bench.switchboard, bench.telephone)
        watching = asyncio.ensure_future(quality.run())
        await bench.at_work("lea")
        bench.telephone.quiet_since = dict.fromkeys(quiet, 0.0)
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(2.5)
        assert bench.state("lea") == "talking"
        await scenario(bench, quality)
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(5)
        nothing_left(bench)
        assert quality.silent_side("c1") is None
        watching.cancel()
        await bench.kill()
        return bench

    return run(whole())


def faults(bench: Bench) -> list[tuple[object, object, object]]:
    found = [e for e in bench.journal.entries if e.kind == "fault"]
    assert all(e.call == "c1" and e.fields["fault"] == "one_way_audio" for e in found)
    return [(e.fields["where"], e.fields["detail"], e.fields["over"]) for e in found]


@pytest.mark.parametrize(
    ("side", "channel", "language"),
    [(CALLER, "chan-1", "fr"), (SECRETARY, LEG, "fr"), (SECRETARY, LEG, "en")],
)
def test_she_is_told_within_eight_seconds_which_side_is_not_heard(
    side: str, channel: str, language: str
) -> None:
    async def scenario(bench: Bench, quality: Quality) -> None:
        await bench.pass_time(9)
        assert bench.telephone.told == [("lea", TEXTS[side][language == "en"])]
        assert quality.silent_side("c1") == side
        await bench.pass_time(60)

    bench = talking(scenario, channel, language=language)
    assert faults(bench) == [("lea", f"no sound from the {side}", False)]
    assert len(bench.telephone.told) == 1


def test_a_conversation_in_which_both_are_heard_is_left_alone() -> None:
    async def scenario(bench: Bench, quality: Quality) -> None:
        await bench.pass_time(120)
        assert quality.silent_side("c1") is None

    bench = talking(scenario)
    assert faults(bench) == []
    assert bench.telephone.told == []


def test_where_nothing_comes_from_either_side_nobody_is_blamed() -> None:
    async def scenario(bench: Bench, quality: Quality) -> None:
        await bench.pass_time(60)

    assert faults(talking(scenario, "chan-1", LEG)) == []


def test_sound_that_stops_in_the_middle_is_noticed_and_its_return_is_too() -> None:
    async def scenario(bench: Bench, quality: Quality) -> None:
        await bench.pass_time(40)
        bench.telephone.quiet_since[LEG] = bench.clock.now()
        await bench.pass_time(45)
        assert quality.silent_side("c1") == SECRETARY
        del bench.telephone.quiet_since[LEG]
        await bench.pass_time(20)
        assert quality.silent_side("c1") is None

    assert [over for _, _, over in faults(talking(scenario))] == [False, True]


def test_nobody_is_judged_while_the_caller_is_on_hold_and_for_a_while_after() -> None:
    async def scenario(bench: Bench, quality: Quality) -> None:
        await bench.pass_time(40)
        bench.telephone.presses(LEG, "*5")
        await bench.pass_time(1)
        bench.telephone.quiet_since[LEG] = bench.clock.now()  # her phone sends nothing while she holds
        await bench.pass_time(60)
        del bench.telephone.quiet_since[LEG]
        bench.telephone.presses(LEG, "*5")
        await bench.pass_time(60)

    assert faults(talking(scenario)) == []


def test_nobody_is_judged_while_the_callers_own_phone_holds_the_secretary() -> None:
    async def scenario(bench: Bench, quality: Quality) -> None:
        await bench.pass_time(40)
        bench.telephone.holds("chan-1")
        bench.telephone.quiet_since["chan-1"] = bench.clock.now()
        await bench.pass_time(60)
        del bench.telephone.quiet_since["chan-1"]
        bench.telephone.holds("chan-1", held=False)
        await bench.pass_time(60)

    assert faults(talking(scenario)) == []


def test_a_statistic_that_cannot_be_had_costs_nothing() -> None:
    async def scenario(bench: Bench, quality: Quality) -> None:
        flow = bench.telephone.flow
        asked: list[str] = []

        async def broken(channel: str) -> Flow:
            asked.append(channel)
            if len(asked) < 3:
                raise ValueError("not a number")
            return await flow(channel)

        bench.telephone.flow = broken  # type: ignore[method-assign]
        await bench.pass_time(30)
        assert quality.silent_side("c1") == SECRETARY

    assert len(faults(talking(scenario, LEG))) == 1


def test_a_conversation_that_ends_in_the_instant_of_its_look_keeps_no_other_from_being_judged() -> None:
    async def scenario(bench: Bench, _: Quality) -> None:
        board, flow = bench.switchboard, bench.telephone.flow
        assert board is not None
        await bench.at_work("ines")
        bench.telephone.call_in("chan-2", "0199001001", "0639980102")
        await bench.pass_time(10)
        assert (bench.state("lea"), bench.state("ines")) == ("talking", "talking")
        asked: list[str] = []

        async def counted(channel: str) -> Flow:
            asked.append(channel)
            return await flow(channel)

        quality = Quality(board, bench.telephone)
        bench.telephone.flow = counted  # type: ignore[method-assign]
        # of the two that are due the first one's story runs before its look
        board.lines["c1"].post(ChannelGone("chan-1"))
        await quality.listen()
        assert {"chan-2", "ring-c2-1-ines"} <= set(asked)
        bench.telephone.caller_hangs_up("chan-2")
        await bench.pass_time(1)

    talking(scenario)


def test_a_conversation_costs_ten_requests_a_minute() -> None:
    asked: list[str] = []

    async def scenario(bench: Bench, quality: Quality) -> None:
        flow = bench.telephone.flow

        async def counted(channel: str) -> Flow:
            asked.append(channel)
            return await flow(channel)

        bench.telephone.flow = counted  # type: ignore[method-assign]
        await bench.pass_time(300)

    talking(scenario)
    assert len(asked) <= 2 * (2 + 300 / 15)
