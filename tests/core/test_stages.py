"""Stages as values: what a queue begins with, how a hang-up is counted, and that all survives storage."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from autocom.core.codec import Codec
from autocom.core.model import Answer, Client, Enqueue, Hangup, HangupKind, Mode, Play
from autocom.core.naming import bridge_id, call_of_bridge, call_of_playback, leg_id, leg_of, playback_id
from autocom.core.posts import Post, Waiter
from autocom.core.stages import (
    Following,
    Leaving,
    Story,
    Talking,
    Waiting,
    in_queue,
    outcome_of_hang_up,
    waiter,
)
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
