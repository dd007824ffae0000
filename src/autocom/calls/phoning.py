"""The INVITE to a secretary's phone for a call that is not offered to her by the floor: a colleague who calls, a
caller who is transferred, the call that she asked for by API. The client's identity travels along, as with an
offer. The same to somebody outside, and what the phone of who dialled is told where nobody took the call.

Must not decide whether she is rung, nor for how long.
"""

from __future__ import annotations

from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.outgoing import shown
from autocom.calls.ports import Outbound, Telephone
from autocom.core.floor_words import Ring
from autocom.core.hours import status
from autocom.core.model import Contact, HangupKind
from autocom.core.posts import InTalk, Post
from autocom.core.presentation import Invitation, invitation
from autocom.core.stages import Leaving, Promised, Reaching
from autocom.core.story import Story
from autocom.core.telephony import Cause

MARGIN = 5.0
"""Seconds after the end of her turn at which Asterisk gives the leg up by itself, should we be gone."""

REFUSED = frozenset({Cause.NORMAL, Cause.BUSY, Cause.REJECTED})
"""Causes by which a phone, or who held it, says no."""
_NO_ANSWER = frozenset({Cause.NO_ANSWER, Cause.NO_RESPONSE})


def offer_order(house: House, line: Line, ring: Ring, note: str | None) -> Outbound:
    """An offer of the floor: the client's name first, then the caller; until the offer's end. `note`: what she wrote
    down when she sent him on, or parked him."""
    call, telephone = line.story.call, line.ports.telephone
    absence = status(call.client.hours, call.client.absences, house.wall(line.now())).absence
    card = invitation(
        call,
        house.language,
        house.plan,
        absence,
        callback=isinstance(line.story.stage, Promised),
        returned=note,
    )
    return phone_leg(telephone, ring.secretary, ring.leg, card, ring.until - line.now())


def phone_leg(telephone: Telephone, secretary: str, leg: str, card: Invitation, ring_for: float) -> Outbound:
    """Ring her softphone on the channel `leg`, for `ring_for` seconds: it shows `card`."""
    return Outbound(
        channel=leg,
        endpoint=telephone.phone_of(secretary),
        display=card.display,
        number=card.number,
        headers=card.headers,
        timeout=ring_for + MARGIN,
        phone=True,
    )


def card_of(house: House, story: Story, asking: str | None = None) -> Invitation:
    """What a phone of the house shows of this call. Among colleagues, who she will talk to: `asking`, where that one
    does not call for a client, else whoever is in the caller's part."""
    call, bureau = story.call, house.in_force.bureau
    if call.direction == "internal" or story.colleague is not None:
        caller = partner(house, story, asking)
        display = bureau.name if caller is None else caller.name or caller.number
        return Invitation(display, None if caller is None else caller.number, {"X-Autocom-Call": call.id})
    absence = status(call.client.hours, call.client.absences, house.wall(call.arrived_at)).absence
    return invitation(call, bureau.language, house.plan, absence)


def leg_order(
    house: House,
    line: Line,
    contact: Contact,
    leg: str,
    *,
    trunk: str | None,
    present: str,
    ring_for: float,
    asking: str | None = None,
) -> Outbound:
    """Ring this contact on the channel `leg`, for `ring_for` seconds: a phone of the house, or a number beyond
    `trunk`, which is shown the number of whoever `present` names."""
    story, telephone = line.story, line.ports.telephone
    if contact.post is not None:
        return phone_leg(telephone, contact.post, leg, card_of(house, story, asking), ring_for)
    return Outbound(
        channel=leg,
        endpoint=telephone.outside(contact.number, trunk or ""),
        display=story.call.client.display,
        number=shown(story.call, present, house.in_force.bureau),
        timeout=ring_for + MARGIN,
    )


def partner(house: House, story: Story, asking: str | None = None) -> Contact | None:
    """Who is in the caller's part of a call among colleagues, or `asking`, as a phone shows them."""
    who = asking or story.colleague
    known = house.in_force.secretaries.get(who or "")
    if known is not None:
        return Contact(known.name, known.extension, post=known.id)
    return story.other


def engaged(post: Post | None) -> bool:
    """Whether she talks to somebody: a colleague who calls finds her busy, whatever her phone would say."""
    return post is not None and (isinstance(post.engaged, InTalk) or post.own_call)


def result_of(cause: int | None) -> str:
    """What the end of a leg that did not answer means, in the words of the entry `forward_ended`."""
    if cause in REFUSED:
        return "refused"
    return "no_answer" if cause in _NO_ANSWER else "unreachable"


def missed(stage: Reaching) -> Leaving:
    """Nobody took the call that a secretary dialled: its outcome, and the cause by which her phone knows why
    (486 busy, 480 no answer, 404 no such number, 603 declined, 503 no line)."""
    match stage.result:
        case "no_answer" | "withdrawn" | None:
            return Leaving("timeout", HangupKind.NO_ANSWER)
        case "no_line":
            return Leaving("full", HangupKind.CONGESTION)
        case "barred" | "limit" | "loop" | "not_allowed_here":
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
