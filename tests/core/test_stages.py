"""Stages as values: what a queue begins with, how a hang-up is counted, and that all survives storage."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom.core.codec import Codec
from autocom.core.model import Answer, Client, Contact, Enqueue, Hangup, HangupKind, Mode, Play
from autocom.core.naming import (
    bridge_id,
    call_of_bridge,
    call_of_outside,
    call_of_playback,
    leg_id,
    leg_of,
    outside_id,
    patch_of,
    playback_id,
)
from autocom.core.posts import Post, Waiter
from autocom.core.stages import Following, Leaving, Patched, Reaching, Talking, Waiting
from autocom.core.story import Story, in_queue, outcome_of_hang_up, waiter
from tests.core.test_presentation import CALL
from tests.support.exchange_in_memory import CALM, WELCOME

QUEUE = Enqueue("medical", CALM, max_wait=60.0)


def test_messages_before_a_queue_belong_to_it_and_repeats_are_written_out() -> None:
    stage = in_queue((Play(WELCOME, repeat=2), Play(WELCOME, Mode.ANSWERED, must_hear=True), QUEUE), 100.0)
    assert stage is not None
    assert len(stage.notices) == 3
    assert (stage.joined, stage.max_wait_at) == (100.0, 160.0)
    assert stage.must_hear
    assert not replace(stage, heard=3).must_hear
    assert replace(stage, heard=3).notice is None


@pytest.mark.parametrize("steps", [(), (Play(WELCOME),), (Play(WELCOME), Answer(), QUEUE), (Hangup(), QUEUE)])
def test_anything_else_first_is_no_queue_yet(steps: tuple[object, ...]) -> None:
    assert in_queue(steps, 0.0) is None  # type: ignore[arg-type]


def test_only_a_queue_with_a_way_out_sends_callers_away_from_an_empty_floor() -> None:
    stage = Waiting(QUEUE, (Play(WELCOME),), 100.0, None)
    assert waiter(Story(CALL, stage), stage).nobody_from is None
    out = replace(stage, queue=replace(QUEUE, on_nobody=(Hangup(),)))
    assert waiter(Story(CALL, out), out).nobody_from == 100.0 + WELCOME.seconds


@pytest.mark.parametrize(
    ("stage", "changes", "outcome"),
    [
        (Waiting(QUEUE, (), 0.0, None), {}, "abandoned"),
        (Talking("lea", "l", 1, Waiting(QUEUE, (), 0.0, None)), {}, "abandoned"),
        (Talking("lea", "l", 1, Waiting(QUEUE, (), 0.0, None), joined_at=1.0), {}, "served"),
        (Following(()), {}, "abandoned"),
        (Following(()), {"call": replace(CALL, by_rule="closed")}, "closed"),
        (Following(()), {"way_out": "timeout"}, "timeout"),
        (Leaving("full", HangupKind.BUSY), {}, "full"),
    ],
)
def test_a_hang_up_is_counted_by_where_the_story_stood(
    stage: object, changes: dict[str, object], outcome: str
) -> None:
    assert outcome_of_hang_up(replace(Story(CALL, stage), **changes)) == outcome  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "stage",
    [
        Following((Play(WELCOME), QUEUE)),
        Waiting(QUEUE, (Play(WELCOME),), 1.5, None, heard=1, music=True),
        Talking("lea", "ring-c1-1-lea", 1, Waiting(QUEUE, (), 0.0, 9.0), joined_at=2.5),
        Reaching((Contact("Anne", "+33639981021"),), (Hangup(),), accept="1", ask=WELCOME, until=3.5),
        Patched(Contact("Anne", "+33639981021"), "out-c1-1", Reaching((), (), rounds=0), joined_at=2.5),
        Leaving("served"),
    ],
    ids=lambda s: type(s).__name__,
)
def test_every_stage_is_read_back_from_the_log_as_it_was(stage: object) -> None:
    codec = Codec((Story, Post, Waiter), kept=(Client,))
    story = Story(CALL, stage, answered_at=1.0, sounds=3, way_out="timeout", attempts=2)  # type: ignore[arg-type]
    assert codec.load(Story, json.loads(json.dumps(codec.dump(story)))) == story


def test_ids_say_whose_they_are_and_nothing_else_is_taken_for_one() -> None:
    found = leg_of(leg_id("c1abc", 12, "anne-marie-2"))
    assert found is not None
    assert (found.call, found.attempt, found.secretary) == ("c1abc", 12, "anne-marie-2")
    assert call_of_bridge(bridge_id("c1abc", 3)) == "c1abc"
    assert call_of_playback(playback_id("c1abc", 7)) == "c1abc"
    for other in ("1795338172.0", "ring-c1-x-lea", "ring-1-1-lea", "talk-c1", "play-c1", "ring-c1-1-", ""):
        assert leg_of(other) is None
        assert call_of_bridge(other) is None
        assert call_of_playback(other) is None


def test_an_outside_leg_and_its_bridge_say_whose_they_are() -> None:
    assert call_of_outside(outside_id("c1abc", 12)) == "c1abc"
    assert patch_of(outside_id("c1abc", 12)) == "patch-c1abc-12"
    assert call_of_bridge(patch_of(outside_id("c1abc", 12))) == "c1abc"
    assert call_of_outside("ring-c1-1-lea") is None
    assert leg_of("out-c1-1") is None


LEAST = 15.0


@given(
    people=st.integers(1, 4),
    rounds=st.integers(1, 4),
    pause=st.floats(0, 40),
    turns=st.lists(st.floats(0, 30), min_size=17, max_size=17),
    lead=st.booleans(),
)
def test_everybody_has_his_turn_in_every_round_and_the_fallback_one_at_the_end(
    people: int, rounds: int, pause: float, turns: list[float], *, lead: bool
) -> None:
    contacts = tuple(Contact(str(n), f"+3363998102{n}") for n in range(people))
    last = Contact("lead", "+33639981029") if lead else None
    at: Reaching = Reaching(contacts, (), rounds=rounds, pause=pause, fallback=last)
    rung: list[str] = []
    now, began = 1000.0, [0.0] * (rounds + 2)
    for length in turns:
        if at.contact is None:
            break
        if at.until is not None:
            assert at.place == 0, "nobody waits in the middle of a round"
            assert at.until > now
            now = at.until
        if at.place == 0 and 1 < at.round <= rounds:
            assert now >= began[at.round - 1] + LEAST - 1e-6
        began[at.round] = now if at.place == 0 else began[at.round]
        rung.append(at.contact.name)
        at = replace(at, leg="out-c1-1", until=now + length, trunk="one", answered=True, again=True)
        now += length
        at = at.after(began[at.round], now, LEAST)
        assert (at.leg, at.trunk, at.answered, at.again) == (None, None, False, False)
    assert at.contact is None
    assert rung == [contact.name for contact in contacts] * rounds + ["lead"] * lead
