"""The difference between what we know and what Asterisk holds."""

from __future__ import annotations

from dataclasses import replace

from autocom.calls.reconcile import compare
from autocom.core.model import Callback, Contact, Enqueue
from autocom.core.posts import Floor, InTalk, Offered, Post, Staff
from autocom.core.stages import Patched, Promised, Reaching, Talking, Waiting
from autocom.core.story import Story
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


def test_a_phone_that_rings_and_was_not_heard_to_is_told_once() -> None:
    rings = replace(RINGING, ringing=True)
    assert compare([STORY], OFFERED, seen(CALLER, RINGING)).rang == ()
    assert compare([STORY], OFFERED, seen(CALLER, rings)).rang == (LEG,)
    assert compare([STORY], OFFERED, seen(CALLER, rings)).missed == ()
    known = Floor(Staff({}, {}), {"lea": Post("lea", engaged=Offered("c1", LEG, 1, 0.0, 12.0, rang=True))})
    assert compare([STORY], known, seen(CALLER, rings)).rang == ()
    assert compare([STORY], TALKS, seen(CALLER, rings)).rang == ()
    outside = replace(rings, id="out-c1-1")
    assert compare([STORY], OFFERED, seen(CALLER, RINGING, outside)).rang == ()


def test_who_is_to_be_called_back_is_not_missed_and_his_ringing_leg_is_known() -> None:
    promised = Promised(WAITING, Callback(), "+33639980101", (), 0.0, gone=True)
    away = replace(STORY, stage=promised)
    assert compare([away], Floor(Staff({}, {})), seen()).missed == ()
    dialling = replace(STORY, stage=replace(promised, outside="out-c1-1"))
    rung = SeenChannel("out-c1-1", up=False, ours=True, created_at=0.0)
    found = compare([dialling], TALKS, seen(ANSWERED, rung))
    assert (found.missed, found.stray_legs, found.newcomers) == ((), (), ())
    answered = compare([dialling], TALKS, seen(ANSWERED, replace(rung, up=True)))
    assert answered.missed == (ChannelAnswered("out-c1-1"),)
    assert compare([dialling], TALKS, seen(ANSWERED)).missed == (ChannelGone("out-c1-1", 0),)


def test_who_was_called_back_is_on_the_outside_leg_from_then_on() -> None:
    talking = Talking("lea", LEG, 1, WAITING, joined_at=1.0)
    back = replace(STORY, stage=talking, called_back="out-c1-1")
    his = SeenChannel("out-c1-1", up=True, ours=True, created_at=0.0)
    found = compare([back], TALKS, seen(ANSWERED, his))
    assert (found.missed, found.stray_legs, found.newcomers) == ((), (), ())
    assert compare([back], TALKS, seen(ANSWERED)).missed == (ChannelGone("out-c1-1", 0),)


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
    talking = replace(STORY, stage=Talking("lea", LEG, 2, WAITING))
    found = compare(
        [talking],
        OFFERED,
        seen(CALLER, RINGING, old, talk_c9_1=frozenset({old.id}), talk_c1_2=frozenset(), other=frozenset()),
    )
    assert found.stray_legs == ("ring-c9-1-lea",)
    assert found.stray_bridges == ("talk-c9-1",)


def test_a_bridge_of_a_conversation_that_is_over_is_stray_though_its_caller_waits_on() -> None:
    found = compare([STORY], OFFERED, seen(CALLER, RINGING, talk_c1_1=frozenset({CALLER.id})))
    assert found.stray_bridges == ("talk-c1-1",)


OUT = "out-c1-1"
REACHING = Reaching((Contact("Anne", "+33639981021"),), (), leg=OUT)
RUNG = SeenChannel(OUT, up=False, ours=True, created_at=0.0)
NOBODY = Floor(Staff({}, {}))


def test_an_outside_leg_that_was_picked_up_or_lost_meanwhile_is_told() -> None:
    story = replace(STORY, stage=REACHING)
    assert compare([story], NOBODY, seen(CALLER, RUNG)).missed == ()
    assert compare([story], NOBODY, seen(CALLER, replace(RUNG, up=True))).missed == (ChannelAnswered(OUT),)
    assert compare([story], NOBODY, seen(CALLER)).missed == (ChannelGone(OUT, 0),)


def test_an_outside_leg_that_was_answered_before_the_gap_is_no_news() -> None:
    up = replace(RUNG, up=True)
    asked = replace(STORY, stage=replace(REACHING, answered=True))
    joined = replace(STORY, stage=Patched(REACHING.contacts[0], OUT, REACHING, joined_at=1.0))
    for story in (asked, joined):
        assert compare([story], NOBODY, seen(CALLER, up)).missed == ()
        assert compare([story], NOBODY, seen(CALLER)).missed == (ChannelGone(OUT, 0),)


def test_outside_legs_whose_turn_is_over_are_stray_and_never_newcomers() -> None:
    over = replace(STORY, stage=replace(REACHING, leg="out-c1-2"))
    other = SeenChannel("out-c1-2", up=False, ours=True, created_at=0.0)
    found = compare([over], NOBODY, seen(CALLER, RUNG, other, patch_c9_1=frozenset()))
    assert found.stray_legs == (OUT,)
    assert found.stray_bridges == ("patch-c9-1",)
    assert found.newcomers == ()
