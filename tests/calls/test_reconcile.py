"""The difference between what we know and what Asterisk holds."""

from __future__ import annotations

from dataclasses import replace

from autocom.calls.reconcile import compare
from autocom.core.model import Enqueue
from autocom.core.posts import Floor, InTalk, Offered, Post, Staff
from autocom.core.stages import Story, Talking, Waiting
from autocom.core.telephony import ChannelAnswered, ChannelGone, Seen, SeenChannel
from tests.core.test_presentation import CALL

WAITING = Waiting(Enqueue("medical"), (), 0.0, None)
STORY = Story(CALL, WAITING)
LEG = "ring-c1-1-lea"
OFFERED = Floor(Staff({}, {}), {"lea": Post("lea", engaged=Offered("c1", LEG, 1, 0.0, 12.0))})
TALKS = Floor(Staff({}, {}), {"lea": Post("lea", engaged=InTalk("c1", LEG, 1, "lilas", 0.0))})


def seen(*channels: SeenChannel, **bridges: frozenset[str]) -> Seen:
    return Seen({c.id: c for c in channels}, {k.replace("_", "-"): v for k, v in bridges.items()})


CALLER = SeenChannel("chan-1", up=True, ours=True, created_at=0.0)
RINGING = SeenChannel(LEG, up=False, ours=True, created_at=0.0)
ANSWERED = replace(RINGING, up=True)


def test_nothing_happened_is_nothing_to_do() -> None:
    found = compare([STORY], OFFERED, seen(CALLER, RINGING))
    assert found.missed == ()
    assert found.newcomers == found.stray_legs == found.stray_bridges == ()


def test_a_caller_who_hung_up_meanwhile_is_gone() -> None:
    assert compare([STORY], OFFERED, seen(RINGING)).missed == (ChannelGone("chan-1", 0),)


def test_a_phone_that_was_picked_up_or_put_down_meanwhile_is_told() -> None:
    assert compare([STORY], OFFERED, seen(CALLER, ANSWERED)).missed == (ChannelAnswered(LEG),)
    assert compare([STORY], OFFERED, seen(CALLER)).missed == (ChannelGone(LEG, 0),)


def test_an_answered_leg_of_a_conversation_is_no_news() -> None:
    talking = replace(STORY, stage=Talking("lea", LEG, 1, WAITING, joined_at=1.0))
    assert compare([talking], TALKS, seen(CALLER, ANSWERED)).missed == ()
    assert compare([talking], TALKS, seen(CALLER)).missed == (ChannelGone(LEG, 0),)


def test_a_conversation_is_watched_even_where_the_floor_forgot_it() -> None:
    talking = replace(STORY, stage=Talking("lea", LEG, 1, WAITING, joined_at=1.0))
    assert compare([talking], Floor(Staff({}, {})), seen(CALLER)).missed == (ChannelGone(LEG, 0),)


def test_callers_without_a_story_are_newcomers_and_other_peoples_channels_are_not() -> None:
    new = SeenChannel("chan-2", up=False, ours=True, created_at=0.0)
    phone = SeenChannel("chan-3", up=True, ours=False, created_at=0.0)
    assert compare([STORY], OFFERED, seen(CALLER, RINGING, new, phone)).newcomers == ("chan-2",)


def test_legs_and_bridges_of_calls_that_are_over_are_stray() -> None:
    old = SeenChannel("ring-c9-1-lea", up=True, ours=True, created_at=0.0)
    found = compare(
        [STORY],
        OFFERED,
        seen(CALLER, RINGING, old, talk_c9_1=frozenset({old.id}), talk_c1_1=frozenset(), other=frozenset()),
    )
    assert found.stray_legs == ("ring-c9-1-lea",)
    assert found.stray_bridges == ("talk-c9-1",)
