"""She sends him on: to a colleague, a number, a queue or a room; or leaves him with whom she consulted.

Every way out of a conversation that is no hang-up is saved here together with what releases her
(`Story.released`): her channel, their bridge and the floor's word follow in `release`, also after a crash in
between. What may not be is refused before she is released: she stays with him. Where nobody takes him he comes
back to her (`place_again`). Must not know how the new side is reached: that is `reaching`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from autocom.calls.diverting import reachable
from autocom.calls.errands import fared
from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.outgoing import came_by, paying, refusal
from autocom.calls.ports import Fares
from autocom.core.floor_words import TalkEnded
from autocom.core.journal import Entry
from autocom.core.model import Contact, Enqueue
from autocom.core.naming import bridge_id
from autocom.core.numbers import national
from autocom.core.orders import ACCEPT, PutThrough, SendTo
from autocom.core.reach import may_serve
from autocom.core.rooms import closed_to_more
from autocom.core.sending import coming_back, reason, staying
from autocom.core.stages import InRoom, Patched, Reaching, Stage, Talking, Third, Waiting
from autocom.core.story import Released, Story
from autocom.core.targets import Colleague, Outside, Target, ToRoom, ToTeam, contact_of, written

BACK_WITHIN = 12.0
"""Seconds beyond the last ring in which he may come back to her: nothing else is offered to her until then."""
RING_FOR = 25.0
"""Seconds that a colleague, or a number, is rung to whom he was sent."""
ASK = "patch_ask"
"""Among the house's notices: what is said to whoever must press a digit to take the call."""

_UNABLE = frozenset({"no_line", "limit"})


async def release(line: Line, *, leaving: bool = False) -> None:
    """End what is left of the conversation that a secretary has gone out of; nothing where nothing is left. Where
    Asterisk does not answer, the stage waits (`TelephoneDown`): a bridge that ends later would cut what the caller
    hears then. `leaving`: he is gone, and nothing waits."""
    left = line.story.released
    if left is None:
        return
    line.ports.submit(TalkEnded(line.id, left.secretary, left.until))
    telephone = line.ports.telephone
    if left.told is not None:  # before its channel ends: with it the subscription does
        await line.ports.surely(fared(telephone, left.told, Fares.UNDER_WAY, Fares.DONE))
    for leg in (left.leg, *left.legs):
        await line.end_leg(leg)
    for bridge in (left.bridge, *left.bridges):
        await (line.part(bridge) if leaving else telephone.disconnect(bridge))
    line.become(released=None)


def place_again(house: House, line: Line, stage: Talking, note: str = "") -> Waiting:
    """Where he waits if he comes back: at the head, for her. Whom she dialled herself: in a queue of her team.
    What he waited before they talked counts, the conversation does not."""
    now, place = line.now(), stage.waiting
    if place is None:
        hers = house.in_force.secretaries.get(stage.secretary)
        teams = sorted(hers.teams.items(), key=lambda team: team[1]) if hers is not None else []
        team = teams[0][0] if teams else next(iter(house.in_force.teams), "")
        place = Waiting(Enqueue(team, house.hold_music(line.story)), (), now, None)
    talked = 0.0 if stage.joined_at is None or stage.waiting is None else now - stage.joined_at
    joined = place.joined + max(0.0, talked)
    return replace(at_head(place), joined=joined, back_to=stage.secretary, note=note)


def at_head(place: Waiting) -> Waiting:
    """The place before all others, of one who has heard nothing of it yet."""
    return replace(
        place,
        notices=(),
        heard=0,
        music=False,
        announcing=(),
        head=True,
        dropped_by=None,
        back_to=None,
        note="",
    )


def again(place: Waiting, now: float) -> Waiting:
    """The place as he takes it now: its limits count from here."""
    queue = place.queue
    return replace(
        place,
        entered=now,
        max_wait_at=None if queue.max_wait is None else now + queue.max_wait,
        announce_at=None if queue.announce is None else now + queue.announce.first_after,
    )


def out_of_room(house: House, line: Line, room: str, back: Waiting) -> Waiting:
    """No secretary is in the room that he was sent into: he is hers again who sent him."""
    note = reason(house.language, "room", room)
    if back.back_to is not None:
        house.text(back.back_to, coming_back(house.language, "room", room))
    return returned(line, replace(back, note=note), "room")


def returned(line: Line, back: Waiting, why: str, *entries: Entry) -> Waiting:
    """Saved: he waits again, for her who had him."""
    place = again(back, line.now())
    line.become(
        place,
        *entries,
        line.entry("returned", secretary=back.back_to, why=why),
        queued(line, place),
    )
    return place


def queued(line: Line, place: Waiting) -> Entry:
    """That he waits there."""
    client, limit = line.story.call.client, place.queue.max_wait
    return line.entry("queued", team=place.reaches, priority=client.priority, max_wait=limit)


def note_for(stage: Stage, secretary: str) -> str | None:
    """What this secretary is shown of a caller who returns to her; None where he does not."""
    if isinstance(stage, Waiting) and stage.back_to == secretary:
        return stage.note
    return None


async def refuse(
    house: House, line: Line, stage: Talking, to: str, why: str, asked_on: str | None = None
) -> None:
    """He cannot be sent there: she stays with him, her phone shows why, and the one that asked by REFER is told."""
    failed = line.entry("transfer_failed", secretary=stage.secretary, to=to, why=why, stays=True)
    line.ports.journal.save([failed])
    if asked_on is not None:
        fares = Fares.UNREACHABLE if why in _UNABLE else Fares.REFUSED
        await line.ports.surely(fared(line.ports.telephone, asked_on, fares))
    house.text(stage.secretary, staying(house.language, why, to))


def come_back(house: House, line: Line, stage: Reaching, back: Waiting) -> Waiting:
    """Nobody took him where she sent him: he is hers again, before all other callers. Her phone shows why."""
    why, contact = stage.result or "failed", stage.contacts[-1]
    to = contact.name or national(contact.number, house.plan)
    if stage.by is not None:
        house.text(stage.by, coming_back(house.language, why, to))
    failed = line.entry("transfer_failed", secretary=stage.by, to=contact.number, why=why)
    return returned(line, replace(back, note=reason(house.language, why, to)), why, failed)


def why_not_there(house: House, line: Line, stage: Talking, target: Target) -> str | None:
    """Why he cannot be sent there at this moment, a word of `core.sending`; None where he can."""
    match target:
        case Colleague(secretary):
            if secretary == stage.secretary:
                return "self"
            if secretary == line.story.colleague:
                return "refused"  # it is she who would be sent to herself
            if not stage.private and not may_serve(secretary, line.story.call.client, house.in_force):
                return "not_allowed_here"
            # her phone is nowhere: he is better off where he is
            return None if reachable(house, secretary) else "unreachable"
        case Outside(number):
            call = line.story.call
            if call.direction == "in" and number in came_by(call, house.plan):
                return "loop"  # himself, or the line that sent him here
            return refusal(house, number, paying(call, house.in_force), stage.secretary, line.now())
        case ToRoom(room):
            return closed_to_more(house.stories, room)
        case ToTeam():
            return None


def send_to(house: House, line: Line, stage: Talking, order: SendTo | PutThrough) -> Stage:
    """The stage in which he is sent there; whether he may be is asked of `why_not_there` before."""
    now, target = line.now(), order.target
    back = place_again(house, line, stage)
    match target:
        case ToTeam(team):
            queue = replace(back.queue, team=team, prefer=(), prefer_for=0.0)
            place = again(replace(back, queue=queue, team=None, head=False, back_to=None, sent=True), now)
            return _leave(house, line, stage, place, order, None, queued(line, place))
        case ToRoom(room):
            return _leave(house, line, stage, InRoom(room, line.story.colleague, back=back), order, None)
        case Colleague() | Outside():
            contact = contact_of(target, house.in_force)
        case unreachable:
            assert_never(unreachable)
    patch = isinstance(order, PutThrough) and contact.post is None
    sent = replace(
        towards(house, line, contact, back),
        accept=ACCEPT if isinstance(order, PutThrough) else None,
        ask=house.stock.notices.get(ASK) if patch else None,
    )
    return _leave(house, line, stage, sent, order, now + RING_FOR + BACK_WITHIN)


def _leave(
    house: House,
    line: Line,
    stage: Talking,
    following: Stage,
    order: SendTo | PutThrough,
    until: float | None,
    *entries: Entry,
) -> Stage:
    way = {ToTeam: "team", ToRoom: "room"}.get(type(order.target), "blind")
    transferred = line.entry(
        "transferred",
        secretary=stage.secretary,
        to=written(order.target, house.in_force),
        way="patch" if isinstance(order, PutThrough) else way,
        how=order.how,
    )
    told = order.asked_on if isinstance(order, SendTo) else None
    return leave(line, stage, following, transferred, *entries, until=until, told=told)


def leave(
    line: Line,
    stage: Talking,
    following: Stage,
    *entries: Entry,
    until: float | None = None,
    told: str | None = None,
    **changes: object,
) -> Stage:
    """Save that she is out of the conversation and what comes next for him; `release` does the rest. Whoever else
    was in it goes with her, unless he is of what comes next."""
    line.become(
        following,
        line.entry("talk_ended", secretary=stage.secretary, by="secretary"),
        *entries,
        released=released(line, stage, following, until=until, told=told),
        **changes,
    )
    return following


def released(
    line: Line, stage: Talking, following: Stage, *, until: float | None = None, told: str | None = None
) -> Released:
    """What `release` has to do once this conversation is over."""
    third = stage.third.leg if stage.third is not None else None
    kept = getattr(following, "leg", None)
    return Released(
        stage.secretary,
        stage.leg,
        bridge_id(line.id, stage.attempt),
        until,
        legs=() if third is None or third == kept else (third,),
        told=told,
    )


def towards(
    house: House,
    line: Line,
    contact: Contact,
    back: Waiting,
    *,
    leg: str | None = None,
    until: float | None = None,
    trunk: str | None = None,
) -> Reaching:
    """On his way to whom a secretary sends him, whose `leg` may ring already; `back`: hers again where he is not
    taken."""
    return Reaching(
        (contact,),
        (),
        ring_for=RING_FOR,
        music=house.hold_music(line.story),
        leg=leg,
        until=until,
        trunk=trunk,
        began=None if leg is None else line.now(),
        by=back.back_to,
        back=back,
    )


def joining(story: Story, contact: Contact, leg: str, place: Waiting | None) -> Talking:
    """About to be joined with a colleague, by no offer of the floor's; her number is the next of the offers'."""
    assert contact.post is not None
    attempt = story.attempts + 1
    return Talking(contact.post, leg, attempt, place, whispered=True, greeted=True, party=contact)


async def stay_together(
    house: House, line: Line, stage: Talking, third: Third, how: str, *why: Entry
) -> Stage:
    """She leaves, and he is with the one she consulted; while that one still rings he waits for him."""
    contact = third.contact
    transferred = line.entry(
        "transferred", secretary=stage.secretary, to=contact.number, way="attended", how=how
    )
    # he goes on being rung, for the caller: "joined"
    result = "left" if third.answered_at is not None else "joined"
    ended = line.entry(
        "consult_ended", secretary=stage.secretary, leg=third.leg, result=result, post=contact.post
    )
    entries = (*why, ended, transferred)
    back = place_again(house, line, stage)
    sent = towards(house, line, contact, back, leg=third.leg, until=third.until, trunk=third.trunk)
    if third.answered_at is None:
        return leave(line, stage, sent, *entries, until=third.until + BACK_WITHIN)
    if contact.post is None:
        return leave(line, stage, Patched(contact, third.leg, sent), *entries)
    hers = joining(line.story, contact, third.leg, back)
    return leave(line, stage, hers, *entries, attempts=hers.attempt)
