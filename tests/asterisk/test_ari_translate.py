from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autocom.asterisk.ari import generated as ari
from autocom.asterisk.ari.translate import (
    Claim,
    Confirm,
    Enter,
    Failed,
    Translator,
    epoch,
    in_application,
    seen,
)
from autocom.core.telephony import (
    CallEntered,
    ChannelAnswered,
    ChannelGone,
    ChannelRinging,
    DigitPressed,
    EarlyMedia,
    FaxHeard,
    PlaybackEnded,
    RawHeaders,
    RecordingEnded,
)
from tests.asterisk.ari_support import channel_json

CALLER = "1795336643.0"
LEG = "ring-c1-1-lea"


def message(kind: str, **fields: Any) -> ari.Message:
    base = {"type": kind, "application": "autocom", "timestamp": "2026-11-22T08:00:00.000+0000"}
    parsed = ari.parse_message(base | fields)
    assert parsed is not None
    return parsed


def start(channel: str, argument: str = "inbound", **more: Any) -> ari.Message:
    return message("StasisStart", args=[argument] if argument else [], channel=channel_json(channel, **more))


def end(name: str) -> ari.Message:
    return message("StasisEnd", channel=channel_json(name))


def hangup(name: str, **fields: Any) -> ari.Message:
    return message("ChannelHangupRequest", channel=channel_json(name), **fields)


def destroyed(name: str, cause: int, **fields: Any) -> ari.Message:
    return message("ChannelDestroyed", channel=channel_json(name), cause=cause, cause_txt="", **fields)


def state(name: str, now: str) -> ari.Message:
    return message("ChannelStateChange", channel=channel_json(name, state=now))


def dial(name: str, status: str) -> ari.Message:
    return message("Dial", peer=channel_json(name), dialstatus=status)


def finished(playback: str, state_: str = "done") -> ari.Message:
    return message(
        "PlaybackFinished",
        playback={
            "id": playback,
            "media_uri": "",
            "target_uri": f"channel:{CALLER}",
            "language": "",
            "state": state_,
        },
    )


def entered(name: str = CALLER) -> CallEntered:
    return CallEntered(name, 1.0, "operator", RawHeaders("+33199001001"))


def told(translator: Translator, *messages: ari.Message) -> list[Any]:
    return [outcome for m in messages for outcome in translator.on(m)]


@pytest.fixture
def caller() -> Translator:
    translator = Translator()
    translator.on(start(CALLER))
    translator.entered(entered())
    return translator


@pytest.fixture
def leg() -> Translator:
    translator = Translator()
    assert translator.on(start(LEG, "leg", state="Down")) == []
    return translator


def test_a_caller_who_is_offered_is_claimed_at_once():
    assert Translator().on(message("CallBroadcast", channel=channel_json(CALLER))) == [Claim(CALLER)]


def test_a_caller_is_told_of_only_when_his_headers_were_read():
    translator = Translator()
    asked = translator.on(start(CALLER))
    assert [type(o) for o in asked] == [Enter]
    assert translator.entered(entered()) == [entered()]
    assert translator.on(start(CALLER)) == []  # events come twice


def test_what_happens_before_his_headers_were_read_is_told_after_them():
    translator = Translator()
    translator.on(start(CALLER))
    digit = message("ChannelDtmfReceived", channel=channel_json(CALLER), digit="5", duration_ms=100)
    assert told(translator, digit, hangup(CALLER, cause=16), end(CALLER)) == []
    out = translator.entered(entered())
    assert out == [entered(), DigitPressed(CALLER, "5"), ChannelGone(CALLER, 16)]
    assert translator.lines == {}


@pytest.mark.parametrize(
    "stranger",
    [
        start("x", ""),
        start("x", "dialed"),
        start("x", name="Local/0639981011@autocom-phone-00000001;1"),
        start("x", "leg", name="Local/1@a-00000001;2"),
    ],
)
def test_channels_that_nobody_claimed_or_rang_do_not_exist(stranger):
    translator = Translator()
    assert (
        told(translator, stranger, state("x", "Up"), hangup("x", cause=16), end("x"), destroyed("x", 16))
        == []
    )


def test_a_callers_hang_up_is_told_at_its_first_sign_and_once(caller):
    assert told(caller, hangup(CALLER, cause=127, tech_cause=487), end(CALLER)) == [
        ChannelGone(CALLER, 127, 487)
    ]


def test_a_hang_up_without_a_cause_is_a_normal_one(caller):
    assert told(caller, hangup(CALLER)) == [ChannelGone(CALLER, 16)]
    assert told(caller, end(CALLER)) == []


def test_our_own_hang_up_of_a_caller_is_told_by_his_leaving(caller):
    assert told(caller, hangup(CALLER, cause=32, soft=True), end(CALLER)) == [ChannelGone(CALLER, 16)]


def test_a_refused_leg_has_the_phones_cause(leg):
    events = (hangup(LEG, cause=17, tech_cause=486), end(LEG), destroyed(LEG, 17, tech_cause=486))
    assert told(leg, *events) == [ChannelGone(LEG, 17, 486)]


def test_a_leg_that_timed_out_has_the_cause_of_its_end_and_not_of_its_request(leg):
    before = told(leg, hangup(LEG, cause=32, soft=True), end(LEG))
    assert before == [Confirm(LEG)]
    assert told(leg, destroyed(LEG, 19, tech_cause=480)) == [ChannelGone(LEG, 19, 480)]
    assert leg.left(LEG) == []  # the confirmation that comes too late


def test_a_leg_that_was_taken_away_is_gone_when_nothing_followed(leg):
    assert told(leg, end(LEG)) == [Confirm(LEG)]
    assert leg.left(LEG) == [ChannelGone(LEG, 16)]


def back(name: str = CALLER) -> ari.Message:
    """A caller who was taken out of the application for a fax tone comes back to it."""
    return message("StasisStart", args=["fax"], channel=channel_json(name, argument="fax", state="Up"))


def test_a_caller_who_is_back_with_a_fax_tone_was_never_gone(caller):
    assert told(caller, end(CALLER)) == [Confirm(CALLER)]
    assert told(caller, back()) == [FaxHeard(CALLER)]
    assert caller.left(CALLER) == []
    assert told(caller, hangup(CALLER, cause=16)) == [ChannelGone(CALLER, 16)]


def test_a_fax_tone_is_told_once_also_when_it_came_in_a_gap(caller):
    channel = ari.Channel.from_json(channel_json(CALLER, argument="fax", state="Up"))
    assert caller.resume([channel]) == [ChannelAnswered(CALLER), FaxHeard(CALLER)]
    assert told(caller, back()) == []
    assert caller.resume([channel]) == []
    assert Translator().resume([channel]) == [FaxHeard(CALLER)], "the next process does not know"


def test_a_caller_who_was_taken_away_for_good_is_gone_a_moment_later(caller):
    assert told(caller, end(CALLER)) == [Confirm(CALLER)]
    assert caller.left(CALLER) == [ChannelGone(CALLER, 16)]
    assert told(caller, back()) == [FaxHeard(CALLER)], (
        "should he come back all the same, somebody must end him"
    )


def test_a_leg_rings_once_and_is_answered_once_however_often_it_is_said(leg):
    events = (
        dial(LEG, ""),
        state(LEG, "Ringing"),
        dial(LEG, "RINGING"),
        dial(LEG, "PROGRESS"),
        state(LEG, "Up"),
        dial(LEG, "ANSWER"),
        state(LEG, "Ringing"),
    )
    assert told(leg, *events) == [ChannelRinging(LEG), EarlyMedia(LEG), ChannelAnswered(LEG)]


def test_a_playback_ends_once_and_a_strangers_never(caller):
    caller.playbacks["play-c1-1"] = CALLER
    assert told(caller, finished("play-c1-1"), finished("play-c1-1")) == [PlaybackEnded("play-c1-1", ok=True)]
    assert told(caller, finished("somebody-elses")) == []
    caller.playbacks["play-c1-2"] = CALLER
    assert told(caller, finished("play-c1-2", "failed")) == [Failed("play-c1-2")], "not before a fax tone"
    assert caller.playback_ended("play-c1-2", ok=False) == [PlaybackEnded("play-c1-2", ok=False)]


@pytest.mark.parametrize(
    ("kind", "fields", "fact"),
    [
        (
            "RecordingFinished",
            {"state": "done", "duration": 7, "talking_duration": 5},
            RecordingEnded("voice-c1-1", ok=True, seconds=5.0),
        ),
        ("RecordingFinished", {"state": "done"}, RecordingEnded("voice-c1-1", ok=True)),
        ("RecordingFailed", {"state": "failed", "cause": "no space"}, RecordingEnded("voice-c1-1", ok=False)),
    ],
)
def test_the_end_of_a_recording_is_told_also_when_its_caller_is_gone(kind, fields, fact):
    live = {"name": "voice-c1-1", "format": "wav", "target_uri": f"channel:{CALLER}", **fields}
    assert Translator().on(message(kind, recording=live)) == [fact]


def test_after_a_gap_what_happened_in_it_is_told_once(caller):
    caller.on(start(LEG, "leg", state="Down"))
    caller.on(start("ring-c1-2-zoe", "leg", state="Down"))
    up = ari.Channel.from_json(channel_json("ring-c1-2-zoe", state="Up", argument="leg"))
    new = ari.Channel.from_json(channel_json("1795336643.9"))
    assert caller.resume([up, new]) == [
        ChannelGone(CALLER),
        ChannelGone(LEG),
        ChannelAnswered("ring-c1-2-zoe"),
    ]
    assert caller.resume([up, new]) == []
    # the newcomer is a line: what happens to it is told, and its late StasisStart is not
    assert told(caller, start("1795336643.9"), hangup("1795336643.9", cause=16)) == [
        ChannelGone("1795336643.9", 16)
    ]


def test_the_phone_of_a_leg_is_known_also_where_another_process_dialled_it():
    adopted = ari.Channel.from_json(
        {**channel_json(LEG, state="Up", argument="leg"), "name": "PJSIP/marie-anne-0000001f"}
    )
    translator = Translator()
    translator.resume([adopted])
    assert translator.lines[LEG].endpoint == "PJSIP/marie-anne"


def test_a_caller_who_waits_unclaimed_is_not_ours():
    application = ari.Application.from_json(
        {
            "name": "autocom", "channel_ids": ["a", "c"], "bridge_ids": [], "endpoint_ids": [], "device_names": [],
            "events_allowed": [], "events_disallowed": [],
        }
    )  # fmt: skip
    fallback = channel_json("c")
    fallback["dialplan"] = fallback["dialplan"] | {"app_name": "Playback", "app_data": "x"}
    channels = [ari.Channel.from_json(raw) for raw in (channel_json("a"), channel_json("b"), fallback)]
    assert [c.id for c in in_application(channels, application)] == ["a"]


def test_what_is_seen_knows_where_each_channel_is():
    channels = [
        ari.Channel.from_json(channel_json("a", state="Up")),
        ari.Channel.from_json(channel_json("b")),
        ari.Channel.from_json(channel_json("c", state="Ringing")),
    ]
    bridge = ari.Bridge.from_json(
        {
            "id": "talk-c1-1", "technology": "simple_bridge", "bridge_type": "mixing", "bridge_class": "stasis",
            "creator": "Stasis", "name": "", "channels": ["a"], "creationtime": "2026-11-22T08:00:00.000+0000",
        }
    )  # fmt: skip
    found = seen(channels, [bridge], channels[:1])
    assert found.bridges == {"talk-c1-1": frozenset({"a"})}
    assert (found.channels["a"].ours, found.channels["a"].up, found.channels["a"].bridge) == (
        True,
        True,
        "talk-c1-1",
    )
    assert (found.channels["b"].ours, found.channels["b"].up, found.channels["b"].bridge) == (
        False,
        False,
        None,
    )
    assert found.channels["a"].created_at == 1795334400.0
    assert [name for name, channel in found.channels.items() if channel.ringing] == ["c"]


def test_asterisks_time_is_utc_whatever_its_offset():
    assert epoch("2026-11-22T08:37:23.024+0000") == epoch("2026-11-22T09:37:23.024+0100") == 1795336643.024


EVENTS = st.sampled_from(
    [
        start(CALLER), start(LEG, "leg"), state(CALLER, "Up"), state(LEG, "Ringing"), state(LEG, "Up"), dial(LEG, "RINGING"),
        dial(LEG, "ANSWER"), hangup(CALLER, cause=16), hangup(LEG, cause=17, tech_cause=486),
        hangup(LEG, cause=32, soft=True), hangup(CALLER, cause=32, soft=True), end(CALLER), end(LEG), destroyed(LEG, 19),
        destroyed(CALLER, 16), finished("play-c1-1"), finished("play-c1-1", "failed"), back(),
        message("ChannelDtmfReceived", channel=channel_json(CALLER), digit="1", duration_ms=80),
    ]
)  # fmt: skip


@settings(max_examples=300, deadline=None)  # the machine may be busy with calls
@given(st.lists(EVENTS | st.sampled_from(["entered", "confirm", "gap"]), max_size=40))
def test_in_any_order_of_events_the_laws_of_the_facts_hold(events):
    translator = Translator(playbacks={"play-c1-1": CALLER})
    facts: list[Any] = []
    starts = 0
    for event in events:
        if event == "entered":
            facts += translator.entered(entered())
        elif event == "confirm":
            facts += [*translator.left(LEG), *translator.left(CALLER)]
        elif event == "gap":
            facts += translator.resume([])
        elif event.type != "StasisStart" or event.args != ("fax",) or CALLER in translator.lines:
            out = translator.on(event)
            starts += sum(isinstance(o, Enter) for o in out)
            facts += [o for o in out if not isinstance(o, Claim | Enter | Confirm | Failed)]
    lives = facts.count(entered())
    assert lives <= starts
    caller = [f for f in facts if getattr(f, "channel", None) == CALLER]
    assert sum(isinstance(f, ChannelGone) for f in caller) <= starts
    assert sum(isinstance(f, FaxHeard) for f in caller) <= starts
    if caller:
        assert caller[0] == entered()
    for before, after in pairwise(caller):
        # after the end nothing comes but a new entry
        assert not isinstance(before, ChannelGone) or after == entered()
    assert sum(isinstance(f, PlaybackEnded) for f in facts) <= 1


def test_a_caller_who_was_found_by_asking_is_told_of_from_then_on() -> None:
    state = Translator()
    assert state.met(CALLER, up=True) == []
    assert state.on(hangup(CALLER, cause=16)) == [ChannelGone(CALLER, 16)]


def test_what_was_held_back_for_his_headers_is_told_once_he_is_found_by_asking() -> None:
    state = Translator()
    state.on(start(CALLER))
    digit = message("ChannelDtmfReceived", channel=channel_json(CALLER), digit="5", duration_ms=100)
    assert state.on(digit) == []
    assert state.met(CALLER) == [DigitPressed(CALLER, "5")]
    assert state.on(digit) == [DigitPressed(CALLER, "5")]
    assert state.entered(CallEntered(CALLER, 0.0, None, RawHeaders("1"))) == []


def test_a_leg_whose_answer_was_found_by_asking_is_not_told_again() -> None:
    state = Translator()
    state.met(LEG, leg=True, up=True)
    assert state.on(message("ChannelStateChange", channel=channel_json(LEG, state="Up"))) == []
    assert state.on(destroyed(LEG, 17)) == [ChannelGone(LEG, 17)]


def test_who_is_found_by_asking_and_has_gone_meanwhile_is_nobody_any_more() -> None:
    state = Translator()
    state.on(start(CALLER))
    assert state.on(hangup(CALLER, cause=16)) == []
    assert state.met(CALLER) == [ChannelGone(CALLER, 16)]
    assert state.lines == {}


def test_a_known_leg_whose_answer_was_found_by_asking_is_not_told_again() -> None:
    state = Translator()
    state.on(start(LEG, "leg"))
    state.met(LEG, leg=True, up=True)
    assert state.on(message("ChannelStateChange", channel=channel_json(LEG, state="Up"))) == []
