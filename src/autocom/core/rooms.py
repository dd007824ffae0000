"""Conference rooms: who is in one, who is let in, who may command it.

A room is nothing but the calls that stand at `InRoom` with its number; whoever came first of the secretaries
opened it. Invariants: nobody is let into a room that is locked or full; people from outside alone do not keep
one. Pure; the story of a member is `calls.rooms`, the keys that he presses are `core.keypad`.
"""

from __future__ import annotations

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

Refusal = Literal["room_locked", "room_full"]
VERBS = ("mute", "unmute", "end", "lock", "unlock")
"""What is said to everybody in a room: words of the API, and of `keypad.ROOM`."""


@dataclass(frozen=True, slots=True)
class Member:
    """One who is in it, or enters now."""

    call: str
    stage: InRoom


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
