"""The INVITE to a secretary's phone for a call that is not offered to her by the floor: a colleague who calls, a
caller who is transferred, the call that she asked for by API. The client's identity travels along, as with an
offer. And what the phone of who dialled is told where nobody took the call.

Must not decide whether she is rung, nor for how long.
"""

from __future__ import annotations

from autocom.calls.house import House
from autocom.calls.ports import Outbound, Telephone
from autocom.core.hours import status
from autocom.core.model import HangupKind
from autocom.core.posts import InTalk, Post
from autocom.core.presentation import invitation
from autocom.core.stages import Leaving, Reaching
from autocom.core.story import Story
from autocom.core.telephony import Cause

MARGIN = 5.0
"""Seconds after the end of her turn at which Asterisk gives the leg up by itself, should we be gone."""


def phone_order(
    house: House, telephone: Telephone, story: Story, secretary: str, leg: str, ring_for: float
) -> Outbound:
    """Ring her on the channel `leg`, for `ring_for` seconds."""
    call, bureau = story.call, house.in_force.bureau
    if call.direction == "internal":
        caller = house.in_force.secretaries.get(call.dialled_by or "")
        return Outbound(
            channel=leg,
            endpoint=telephone.phone_of(secretary),
            display=bureau.name if caller is None else caller.name,
            number=None if caller is None else caller.extension,
            headers={"X-Autocom-Call": call.id},
            timeout=ring_for + MARGIN,
            phone=True,
        )
    absence = status(call.client.hours, call.client.absences, call.arrived_at).absence
    shown = invitation(call, bureau.language, house.plan, absence)
    return Outbound(
        channel=leg,
        endpoint=telephone.phone_of(secretary),
        display=shown.display,
        number=shown.number,
        headers=shown.headers,
        timeout=ring_for + MARGIN,
        phone=True,
    )


def engaged(post: Post | None) -> bool:
    """Whether she talks to somebody: a colleague who calls finds her busy, whatever her phone would say."""
    return post is not None and (isinstance(post.engaged, InTalk) or post.own_call)


def missed(stage: Reaching) -> Leaving:
    """Nobody took the call that a secretary dialled: its outcome, and the cause by which her phone knows why
    (486 busy, 480 no answer, 404 no such number, 603 declined, 503 no line)."""
    match stage.result:
        case "no_answer" | "withdrawn" | None:
            return Leaving("timeout", HangupKind.NO_ANSWER)
        case "no_line":
            return Leaving("full", HangupKind.CONGESTION)
        case "barred" | "limit" | "loop":
            return Leaving("rejected", HangupKind.REJECT)
        case _:
            pass
    if stage.cause == Cause.BUSY or stage.result == "busy":
        return Leaving("failed", HangupKind.BUSY)
    if stage.cause == Cause.UNALLOCATED:
        return Leaving("failed", HangupKind.UNKNOWN)
    if stage.result == "refused":
        return Leaving("failed", HangupKind.NORMAL)
    post = stage.contacts[-1].post if stage.contacts else None  # unreachable: no phone of hers is there
    return Leaving("failed", HangupKind.NO_ANSWER if post is not None else HangupKind.CONGESTION)
