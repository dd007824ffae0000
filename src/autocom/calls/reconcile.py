"""After a gap: compare what we know with what Asterisk still holds, purely.

Asterisk keeps channels, bridges and music while nobody listens, but never repeats an event. So
on every (re)connection the difference is turned into the facts that were missed, and into the
things that nobody owns any more. Facts that turn out to be known already change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from autocom.core.conversation import arrangement
from autocom.core.naming import (
    bridge_id,
    call_of_bridge,
    call_of_ear,
    call_of_outside,
    ear_id,
    leg_of,
    patch_of,
    room_id,
    room_of,
)
from autocom.core.posts import Floor, InTalk, Offered
from autocom.core.stages import (
    InRoom,
    Invited,
    Parked,
    Patched,
    Promised,
    Reaching,
    Summoning,
    Supervising,
    Talking,
)
from autocom.core.story import Story
from autocom.core.telephony import ChannelAnswered, ChannelGone, Seen


@dataclass(frozen=True, slots=True)
class Differences:
    """`missed`: facts to take in now. `rang`: legs of secretaries that ring, of which we do not know it. `newcomers`: callers in our application without a story.
    `stray_legs`, `stray_bridges`: ours by name, belonging to nothing; to be ended."""

    missed: tuple[ChannelGone | ChannelAnswered, ...]
    rang: tuple[str, ...]
    newcomers: tuple[str, ...]
    stray_legs: tuple[str, ...]
    stray_bridges: tuple[str, ...]


def compare(
    stories: Iterable[Story], floor: Floor, seen: Seen, under_way: frozenset[str] = frozenset()
) -> Differences:
    """What happened meanwhile, as far as it can be told. Nothing is concluded about legs that are `under_way`."""
    stories = list(stories)
    missed: list[ChannelGone | ChannelAnswered] = []
    known = {story.channel for story in stories if not story.absent}
    missed += [ChannelGone(channel, 0) for channel in sorted(known) if channel not in seen.channels]
    legs = _legs(stories, floor)
    for leg, offered in legs.items():
        if leg in under_way:
            continue
        channel = seen.channels.get(leg)
        if channel is None:
            missed.append(ChannelGone(leg, 0))
        elif channel.up and offered:
            missed.append(ChannelAnswered(leg))
    bridges = {_bridge_of(story) for story in stories}
    return Differences(
        tuple(missed),
        tuple(leg for leg in _unrung(floor) if leg in seen.channels and seen.channels[leg].ringing),
        tuple(
            c.id
            for c in seen.channels.values()
            if c.ours and not _is_leg(c.id) and c.id not in known and c.id not in legs
        ),
        tuple(
            c for c in seen.channels if _is_leg(c) and c not in legs and c not in known and c not in under_way
        ),
        tuple(b for b in seen.bridges if _is_bridge(b) and b not in bridges),
    )


def on_the_line(story: Story) -> frozenset[str]:
    """The channels that this call cannot be without: where one of them is gone, the story is to hear of it. Less than
    what belongs to it: what it has left, or taken over, may have ended long ago."""
    found: list[str | None] = [None if story.absent else story.channel]
    match story.stage:
        case Talking(leg=leg, third=third):
            found += [leg, None if third is None else third.leg]
        case Patched(leg=leg) | Reaching(leg=leg) | Promised(outside=leg):
            found.append(leg)
        case Supervising(of=str(), ear=ear):
            found.append(ear_id(story.call.id, ear))
        case _:
            pass
    return frozenset(channel for channel in found if channel is not None)


def lost(story: Story, seen: Seen) -> bool:
    """Whether this call was in an Asterisk that is no more: the one that is there began after it."""
    if story.absent or story.channel in seen.channels:
        return False
    match story.stage:
        case Talking(joined_at=float() as there) | Patched(joined_at=float() as there):
            return max(there, story.call.arrived_at) < seen.begun
        case _:
            # who was called back as promised is there since then, which may be after it began
            called_back = story.call.direction == "in" and story.called_back is not None
            return not called_back and story.call.arrived_at < seen.begun


def joined_unsaved(story: Story, seen: Seen) -> Talking | None:
    """The stage of a call whose two were joined in the last instant of the process before, which did not save it, and
    whose caller hung up since: her leg is alone in their bridge, where nobody comes without the other. None for any
    other call; where both are still there, joining them again is what saves it."""
    match story.stage:
        case Talking(leg=leg, attempt=attempt, joined_at=None) as stage:
            inside = seen.bridges.get(bridge_id(story.call.id, attempt), frozenset())
            return stage if leg in inside and story.channel not in seen.channels else None
        case _:
            return None


def places(story: Story, since: float) -> dict[str, str]:
    """In which bridge a channel has to be, for each that was put there before the instant `since`."""
    match story.stage:
        case Talking(attempt=attempt, joined_at=float() as joined) as stage if joined <= since:
            inside = arrangement(stage, story.channel).inside
            return dict.fromkeys(inside, bridge_id(story.call.id, attempt))
        case Patched(leg=leg, bridge=bridge, joined_at=float() as joined) if joined <= since:
            return dict.fromkeys((story.channel, leg), bridge or patch_of(leg))
        case InRoom(room=room, joined_at=float() as joined, left=False) if joined <= since:
            return {story.channel: room_id(room)}
        case _:
            return {}


def _legs(stories: Sequence[Story], floor: Floor) -> dict[str, bool]:
    """Every leg that belongs to something, and whether it is only being rung."""
    legs: dict[str, bool] = {}
    for story in stories:
        # a secretary who dialled, once the other side is in the caller's part; channels taken over
        mine = () if story.call.dialled_by is None else (story.call.channel,)
        left = story.released
        parting = () if left is None else (left.leg, *left.legs)
        legs |= {channel: False for channel in (*mine, *story.foreign, *parting) if channel != story.channel}
    for post in floor.posts.values():
        if isinstance(post.engaged, Offered | InTalk):
            legs[post.engaged.leg] = isinstance(post.engaged, Offered)
    for story in stories:
        match story.stage:
            case Talking(leg=leg, third=third):
                legs.setdefault(leg, False)
                if third is not None:
                    legs.setdefault(third.leg, third.answered_at is None)
            case Patched(leg=leg) | Parked(leg=str() as leg):
                legs.setdefault(leg, False)
            case Supervising(of=str(), ear=ear):
                legs.setdefault(ear_id(story.call.id, ear), False)
            case Supervising(ringing=float()) | Invited() | Summoning():
                legs.setdefault(story.channel, True)
            case Reaching(leg=str() as leg, answered=answered):
                legs.setdefault(leg, not answered)
            case Promised(outside=str() as leg):
                legs.setdefault(leg, True)
            case _:
                pass
    return legs


def _unrung(floor: Floor) -> list[str]:
    """The legs of offers of which we have not heard that they ring."""
    offers = [post.engaged for post in floor.posts.values() if isinstance(post.engaged, Offered)]
    return [offer.leg for offer in offers if not offer.rang]


def _bridge_of(story: Story) -> str | None:
    match story.stage:
        case Talking(attempt=attempt):
            return bridge_id(story.call.id, attempt)
        case Patched(leg=leg, bridge=bridge):
            return bridge or patch_of(leg)
        case Reaching(early=True):
            return bridge_id(story.call.id, 0)
        case InRoom(room=room, left=False):
            return room_id(room)
        case Supervising(of=str()):
            return bridge_id(story.call.id, 1)
        case _:
            return None


def _is_bridge(bridge: str) -> bool:
    return call_of_bridge(bridge) is not None or room_of(bridge) is not None


def _is_leg(channel: str) -> bool:
    return any(named(channel) is not None for named in (leg_of, call_of_outside, call_of_ear))
