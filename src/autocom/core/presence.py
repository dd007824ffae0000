"""What the lamps of the softphones show: posts, queues, clients, message boxes, from the floor as it is.

Pure: a floor and the messages left in, a lamp for every name that can be subscribed to out. A secretary's
lamp is put together in Asterisk of her phones (ringing, talking, on hold, unreachable) and of what only we
know, which is here: so nothing is sent while a call is set up, and lamps go on when we are away. Invariants:
total (every name of the configuration has a lamp), stable (the same between two facts until `next_change`).
`calls.lamps` sends the differences; the subscribable names are written by `asterisk.conf.hints`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from autocom.core.letters import Voice
from autocom.core.model import Configuration, Voicemail
from autocom.core.posts import Floor, InTalk, Post, Staff, Waiter
from autocom.core.reach import all_steps, queues, teams_of


class Lamp(Enum):
    """What a lamp shows."""

    IDLE = "idle"
    RINGING = "ringing"
    BUSY = "busy"
    HELD = "held"  # her phone is there, she takes no calls: paused, or logged out
    SILENT = "silent"  # nothing to add: what her phone itself shows holds


@dataclass(frozen=True, slots=True)
class Box:
    """How many messages of a client nobody has listened to, and how many somebody has."""

    new: int = 0
    old: int = 0


NO_MESSAGES = Box()


def post_lamp(secretary: str) -> str:
    """The lamp of a secretary."""
    return f"post-{secretary}"


def team_lamp(team: str) -> str:
    """The lamp of a team's queue."""
    return f"team-{team}"


def client_lamp(client: str) -> str:
    """The lamp of the callers of one client, in whatever queue."""
    return f"client-{client}"


def box_lamp(client: str) -> str:
    """The lamp of a client's messages."""
    return f"box-{client}"


@dataclass(frozen=True, slots=True)
class Panel:
    """What there is to be shown, of one configuration. `posts`: whether she is in any team; `teams`: each with
    those it widens to; `members`: each secretary's teams; `boxed`: clients who have a box."""

    posts: Mapping[str, bool]
    teams: Mapping[str, frozenset[str]]
    members: Mapping[str, frozenset[str]]
    clients: tuple[str, ...]
    boxed: tuple[str, ...]


def panel_of(configuration: Configuration) -> Panel:
    """Computed once for a configuration: it walks through every rule."""
    return Panel(
        posts={name: bool(each.teams) for name, each in configuration.secretaries.items()},
        teams={team: teams_of((team,), configuration.teams) for team in configuration.teams},
        members={name: frozenset(each.teams) for name, each in configuration.secretaries.items()},
        clients=tuple(configuration.clients),
        boxed=boxed(configuration),
    )


def lamps(panel: Panel, floor: Floor, boxes: Mapping[str, Box], now: float) -> dict[str, Lamp]:
    """Every lamp by its name."""
    shown = {
        post_lamp(each): _post(floor.posts.get(each), floor.staff, at_queues=at_queues)
        for each, at_queues in panel.posts.items()
    }
    by_team = dict.fromkeys(panel.teams, Lamp.IDLE)
    by_client = dict.fromkeys(panel.clients, Lamp.IDLE)
    for waiter in floor.waiters.values():
        if waiter.held is not None:
            continue  # somebody picked up: he is on his way to her
        lamp = Lamp.BUSY if _late_from(waiter) <= now else Lamp.RINGING
        for name, found in ((waiter.team, by_team), (waiter.client, by_client)):
            if found.get(name) in (Lamp.IDLE, Lamp.RINGING):
                found[name] = lamp
    staffed = _staffed(panel, floor)
    for team, reached in panel.teams.items():
        shown[team_lamp(team)] = by_team[team] if reached & staffed else Lamp.BUSY
    shown |= {client_lamp(client): lamp for client, lamp in by_client.items()}
    for client in panel.boxed:
        shown[box_lamp(client)] = Lamp.BUSY if boxes.get(client, NO_MESSAGES).new else Lamp.IDLE
    return shown


def _staffed(panel: Panel, floor: Floor) -> frozenset[str]:
    """Teams in which somebody is at work, paused or busy as she may be."""
    found: set[str] = set()
    for name, teams in panel.members.items():
        post = floor.posts.get(name)
        if post is not None and post.present:
            found |= teams
    return frozenset(found)


def next_change(floor: Floor, now: float) -> float | None:
    """When a lamp changes next although nothing happens: the next caller will have waited for his target."""
    instants = (_late_from(waiter) for waiter in floor.waiters.values() if waiter.held is None)
    return min((instant for instant in instants if instant > now), default=None)


def _post(post: Post | None, staff: Staff, *, at_queues: bool) -> Lamp:
    match post.state if post is not None else "offline":
        case "wrap_up":
            return Lamp.BUSY
        case "talking" if post is not None and _will_wrap_up(post, staff):
            return Lamp.BUSY  # before her phone is idle again, or she would seem free for a moment
        case "paused":
            return Lamp.HELD
        case "logged_out":
            # who is in no team has nothing to log in to: her phone says all there is to say
            return Lamp.HELD if at_queues else Lamp.SILENT
        case _:
            return Lamp.SILENT


def _will_wrap_up(post: Post, staff: Staff) -> bool:
    match post.engaged:
        case InTalk(client=client):
            return staff.wrap_up.get(client, (0.0, 0.0))[1] > 0
        case _:
            return False


def _late_from(waiter: Waiter) -> float:
    return waiter.joined + waiter.target


# --- messages --------------------------------------------------------------------------------


def boxed(configuration: Configuration) -> tuple[str, ...]:
    """The clients whose rules can take a message, in order: they have a box."""
    return tuple(
        sorted(
            name
            for name, client in configuration.clients.items()
            if any(isinstance(step, Voicemail) for step in all_steps(client))
        )
    )


def boxes_of(configuration: Configuration) -> dict[str, tuple[str, ...]]:
    """Whose messages light the lamp on each secretary's phone: of the clients that she knows well (level 1
    in a team that one of their queues names)."""
    found: dict[str, list[str]] = {name: [] for name in configuration.secretaries}
    for client in boxed(configuration):
        teams = {queue.team for queue in queues(configuration.clients[client])}
        for name, secretary in configuration.secretaries.items():
            if any(secretary.teams.get(team) == 1 for team in teams):
                found[name].append(client)
    return {name: tuple(clients) for name, clients in found.items()}


def count(voices: Iterable[Voice]) -> dict[str, Box]:
    """The messages that are kept, by client."""
    found: dict[str, Box] = {}
    for voice in voices:
        box = found.get(voice.client, NO_MESSAGES)
        new = voice.heard is None
        found[voice.client] = Box(box.new + new, box.old + (not new))
    return found
