"""Ids of everything we make in Asterisk, derived from the call, the role and the attempt.

A derived id makes every create repeatable (Asterisk answers 409, "already done"), lets a
restarted process recognise what its predecessor made, and lets an event that overtakes the
reply to its own request find its owner. Random ids instead cost needless rings after a crash.
Invariant: `leg_of(leg_id(c, n, s)) == Leg(c, n, s)`; only `[a-z0-9-]` appear.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LEG = re.compile(r"ring-(c[0-9a-z]+)-([0-9]+)-([a-z0-9][a-z0-9-]*)")
_PLAYBACK = re.compile(r"play-(c[0-9a-z]+)-[0-9]+")
_BRIDGE = re.compile(r"(?:talk|patch)-(c[0-9a-z]+)-[0-9]+")
_OUTSIDE = re.compile(r"out-(c[0-9a-z]+)-[0-9]+")
_RECORDING = re.compile(r"(?:voice|tape)-(c[0-9a-z]+)-[0-9]+")
_EAR = re.compile(r"ear-(c[0-9a-z]+)-[0-9]+")
_ROOM = re.compile(r"room-(8[0-9]{2})")


@dataclass(frozen=True, slots=True)
class LegName:
    """What a leg's id says: the call, which offer of that call it is, whose phone it rings."""

    call: str
    attempt: int
    secretary: str


def leg_id(call: str, attempt: int, secretary: str) -> str:
    """The channel that rings a secretary for a call."""
    return f"ring-{call}-{attempt}-{secretary}"


def leg_of(channel: str) -> LegName | None:
    """The leg that this channel id names, None where it is no leg of ours."""
    found = _LEG.fullmatch(channel)
    return LegName(found[1], int(found[2]), found[3]) if found else None


def bridge_id(call: str, attempt: int) -> str:
    """The bridge that joins the caller and the secretary of that offer."""
    return f"talk-{call}-{attempt}"


def outside_id(call: str, number: int) -> str:
    """The channel of the n-th outside number that is rung for a call."""
    return f"out-{call}-{number}"


def call_of_outside(channel: str) -> str | None:
    """The call for which this outside channel was made, None where it is none of those."""
    return _named_in(_OUTSIDE, channel)


def patch_of(leg: str) -> str:
    """The bridge that joins the caller and this outside channel: `patch-<call>-<n>`."""
    return f"patch-{leg.removeprefix('out-')}"


def recording_id(call: str, number: int) -> str:
    """The n-th recording of a call; also its name in Asterisk's store."""
    return f"voice-{call}-{number}"


def tape_id(call: str, number: int) -> str:
    """The n-th recording of a conversation of a call; also its name in Asterisk's store."""
    return f"tape-{call}-{number}"


def call_of_tape(recording: str) -> str | None:
    """The call whose conversation this recording is of, None where it is none of those."""
    return call_of_recording(recording) if recording.startswith("tape-") else None


def ear_id(call: str, number: int) -> str:
    """The n-th channel through which the supervising call listens to another one (a snoop)."""
    return f"ear-{call}-{number}"


def call_of_ear(channel: str) -> str | None:
    """The supervising call whose ear this channel is, None where it is none."""
    return _named_in(_EAR, channel)


def room_id(room: str) -> str:
    """The bridge of a conference room, by its extension."""
    return f"room-{room}"


def room_of(bridge: str) -> str | None:
    """The conference room whose bridge this is, None where it is none."""
    return _named_in(_ROOM, bridge)


def letter_id(call: str, number: int) -> str:
    """What a call's n-th `message` step sends; one letter to each recipient has this and his number."""
    return f"note-{call}-{number}"


def call_of_recording(recording: str) -> str | None:
    """The call whose recording this is, None where it is not ours."""
    return _named_in(_RECORDING, recording)


def call_of_bridge(bridge: str) -> str | None:
    """The call whose bridge this is, None where it is not ours."""
    return _named_in(_BRIDGE, bridge)


def call_of_playback(playback: str) -> str | None:
    """The call whose sound this is, None where it is not ours."""
    return _named_in(_PLAYBACK, playback)


def playback_id(call: str, number: int) -> str:
    """The n-th sound of a call."""
    return f"play-{call}-{number}"


def _named_in(pattern: re.Pattern[str], name: str) -> str | None:
    found = pattern.fullmatch(name)
    return found[1] if found else None
