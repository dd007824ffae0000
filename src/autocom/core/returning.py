"""Who hung up a while ago, so that he has his place again when he comes back.

A caller who left the queue keeps the time he waited for the client's `returning_within`; whoever was cut off
by us or by Asterisk, for ten minutes, whatever the client says. Under whom Asterisk itself died has the very place he
had, as if he had never left: before everybody where he was talking. Also the secretary he talked to is known so
long. Callers who withhold their number are nobody. Pure: what is remembered is kept by `calls.guests`.
"""

from __future__ import annotations

from dataclasses import dataclass

from autocom.core.ingress import Identity
from autocom.core.model import Client
from autocom.core.stages import InRoom, Leaving, Parked, Patched, Promised, Talking, Waiting
from autocom.core.story import Story, outcome_of_hang_up

CUT_WITHIN = 600.0
"""Seconds in which a caller who was cut off finds his place again."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A call that is over. `waited`: seconds he has waited for nothing; `until`: how long that counts;
    `cut`: it was not he who ended it; `secretary`: whom he talked to. Where Asterisk died under him, `since` is the
    instant from which he counts as waiting, and `talked` whether he was in a conversation."""

    waited: float
    left_at: float
    until: float
    cut: bool
    secretary: str | None = None
    since: float | None = None
    talked: bool = False


def guest(client: Client, identity: Identity) -> str | None:
    """By what he is known again; None for who withholds his number."""
    if identity.anonymous or identity.caller is None:
        return None
    return f"{client.id}:{identity.caller}"


def visit_of(story: Story, now: float, *, cut: bool) -> Visit | None:
    """What is worth remembering of a call that ends now; None: nothing. Whom a secretary called has waited for
    nobody."""
    if story.call.direction != "in":
        return None
    if story.lost:
        return _lost(story, now)
    within = story.call.client.returning_within
    window = max(within, CUT_WITHIN) if cut else within
    waited = _waited(story, now, cut=cut)
    if window <= 0 or isinstance(story.stage, Promised) or (waited <= 0 and story.known is None):
        return None
    return Visit(waited, now, now + window, cut, story.known)


def _lost(story: Story, now: float) -> Visit | None:
    if isinstance(story.stage, Promised | Leaving):
        return None  # his place outlives the call, or it was over
    since = story.call.arrived_at if story.waiting_since is None else story.waiting_since
    waited = _waited(story, now, cut=True)
    return Visit(waited, now, now + CUT_WITHIN, True, story.known, since, _talked(story))


def _talked(story: Story) -> bool:
    """In a conversation, or before everybody since one of his was broken off."""
    match story.stage:
        case Talking(joined_at=float()) | Patched(joined_at=float()) | InRoom(joined_at=float()) | Parked():
            return True
        case Waiting(head=head):
            return head
        case _:
            return story.ahead and not story.served


def _waited(story: Story, now: float, *, cut: bool) -> float:
    since, stage = story.waiting_since, story.stage
    if since is None:
        return 0.0
    if isinstance(stage, Talking) and stage.joined_at is not None:
        return max(0.0, stage.joined_at - since) if cut else 0.0
    return max(0.0, now - since) if cut or outcome_of_hang_up(story) == "abandoned" else 0.0


def known_again(visit: Visit | None, now: float) -> Visit | None:
    """The visit, as long as it counts."""
    return visit if visit is not None and now <= visit.until else None
