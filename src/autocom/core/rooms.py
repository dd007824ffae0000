"""Conference rooms: who is in one, who may command it, what keys mean there.

A room is nothing but the calls that stand at `InRoom` with its number; whoever came first of the secretaries
opened it. Invariants: nobody is let into a room that is locked or full; people from outside alone do not keep
one. Pure; the story of a member is `calls.rooms`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from autocom.core.model import Configuration
from autocom.core.stages import InRoom, Invited
from autocom.core.story import Story

MEMBERS_AT_MOST = 12
"""Who is being rung for it counts as well."""
WITHOUT_SECRETARY = 30.0
"""Seconds after which people from outside are let go who are left among themselves."""
BETWEEN_KEYS = 5.0
"""Seconds after which keys that were begun are forgotten."""
LONGEST = 24

Refusal = Literal["room_locked", "room_full"]
Verb = Literal["mute", "unmute", "end", "lock", "unlock"]
VERBS: tuple[Verb, ...] = ("mute", "unmute", "end", "lock", "unlock")
"""What is said to everybody in a room."""

_INVITATION = re.compile(r"\*3([0-9*]{1,20})#\Z")


@dataclass(frozen=True, slots=True)
class Member:
    """One who is in it, or enters now."""

    call: str
    stage: InRoom


@dataclass(frozen=True, slots=True)
class Everybody:
    """`*1` all are muted but who says so, `*2` unmuted, `*0` the room is ended, `*4` locked, `*5` unlocked."""

    verb: Verb


@dataclass(frozen=True, slots=True)
class Myself:
    """`*6`: her own microphone, off or on again."""


@dataclass(frozen=True, slots=True)
class Invite:
    """`*3NUMBER#`: ring an extension or a number for the room."""

    dialled: str


Key = Everybody | Myself | Invite

_PLAIN: dict[str, Key] = {
    "*1": Everybody("mute"),
    "*2": Everybody("unmute"),
    "*0": Everybody("end"),
    "*4": Everybody("lock"),
    "*5": Everybody("unlock"),
    "*6": Myself(),
}


@dataclass(frozen=True, slots=True)
class Keys:
    """What was pressed so far, and when last."""

    pressed: str = ""
    at: float = 0.0

    def and_then(self, digit: str, now: float) -> tuple[Keys, Key | None]:
        """One digit more: what is kept of it, and the command that it completes."""
        pressed = digit if now - self.at > BETWEEN_KEYS else self.pressed + digit
        known = _PLAIN.get(pressed)
        if known is not None:
            return Keys(), known
        invitation = _INVITATION.match(pressed)
        if invitation is not None:
            return Keys(), Invite(invitation[1])
        begun = pressed == "*" or (pressed.startswith("*3") and digit != "#" and len(pressed) < LONGEST)
        if begun:
            return Keys(pressed, now), None
        return Keys(digit, now) if digit == "*" else Keys(), None


def members(stories: Iterable[Story], room: str) -> list[Member]:
    """Whoever is in it or enters now, in the order in which they came."""
    found = [
        Member(story.call.id, story.stage)
        for story in stories
        if isinstance(story.stage, InRoom) and story.stage.room == room and not story.stage.left
    ]
    return sorted(found, key=lambda m: (m.stage.joined_at is None, m.stage.joined_at or 0.0, m.call))


def open_rooms(stories: Iterable[Story]) -> dict[str, list[Member]]:
    """Every room with somebody in it."""
    stories = list(stories)
    rooms = {s.stage.room for s in stories if isinstance(s.stage, InRoom) and not s.stage.left}
    return {room: members(stories, room) for room in sorted(rooms)}


def closed_to_more(stories: Iterable[Story], room: str) -> Refusal | None:
    """Why nobody more is let in; None where he is."""
    stories = list(stories)
    inside = members(stories, room)
    if any(member.stage.locked for member in inside):
        return "room_locked"
    rung = sum(isinstance(story.stage, Invited) and story.stage.room == room for story in stories)
    return "room_full" if len(inside) + rung >= MEMBERS_AT_MOST else None


def opened_by(inside: Iterable[Member]) -> str | None:
    """The secretary who opened it, or whoever of them is there the longest since she left."""
    return next((member.stage.secretary for member in inside if member.stage.secretary is not None), None)


def may_command(inside: Iterable[Member], secretary: str | None, configuration: Configuration) -> bool:
    """Whether she may mute, lock and end for everybody: she opened the room, or leads a team."""
    if secretary is None:
        return False
    leads = any(secretary in team.leads for team in configuration.teams.values())
    return leads or opened_by(inside) == secretary
