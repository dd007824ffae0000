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
from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.outgoing import came_by, refusal
from autocom.calls.ports import Fares
from autocom.core.floor_words import TalkEnded
from autocom.core.journal import Entry
from autocom.core.model import Enqueue
from autocom.core.naming import bridge_id
from autocom.core.numbers import national
from autocom.core.orders import PutThrough, SendTo
from autocom.core.reach import may_serve
from autocom.core.rooms import closed_to_more
from autocom.core.sending import coming_back, reason, staying
from autocom.core.stages import InRoom, Patched, Reaching, Stage, Talking, Third, Waiting
from autocom.core.story import Released
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
    if left.told is not None:
        asked = left.told
        for fares in (Fares.UNDER_WAY, Fares.DONE):  # before its channel ends: with it the subscription does
            await line.ports.surely(lambda fares=fares: telephone.transfer_fares(asked, fares))  # type: ignore[misc]
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
    return replace(
        place,
        notices=(),
        heard=0,
        joined=place.joined + max(0.0, talked),
        music=False,
        announcing=(),
        announce_at=None,
        max_wait_at=None,
        entered=now,
        head=True,
        dropped_by=None,
        back_to=stage.secretary,
        note=note,
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
    return _returned(line, replace(back, note=note), "room")


def _returned(line: Line, back: Waiting, why: str, *entries: Entry) -> Waiting:
    place = again(back, line.now())
    client, queue = line.story.call.client, place.queue
    line.become(
        place,
        *entries,
        line.entry("returned", secretary=back.back_to, why=why),
        line.entry("queued", team=place.reaches, priority=client.priority, max_wait=queue.max_wait),
    )
    return place


def note_for(stage: Stage, secretary: str) -> str | None:
    """What this secretary is shown of a caller who returns to her; None where he does not."""
    if isinstance(stage, Waiting) and stage.back_to == secretary:
        return stage.note
    return None


async def send_to(house: House, line: Line, stage: Talking, order: SendTo | PutThrough) -> Stage | None:
    """The stage in which he is sent there; None where that cannot be: she stays with him, and is told why."""
    to = written(order.target, house.in_force)
    why = why_not_there(house, line, stage, order.target)
    if why is not None:
        line.ports.journal.save(
            [line.entry("transfer_failed", secretary=stage.secretary, to=to, why=why, stays=True)]
        )
        if isinstance(order, SendTo) and order.asked_on is not None:
            asked, fares = order.asked_on, Fares.UNREACHABLE if why in _UNABLE else Fares.REFUSED
            await line.ports.surely(lambda: line.ports.telephone.transfer_fares(asked, fares))
        house.text(stage.secretary, staying(house.language, why, to))
        return None
    return _sent(house, line, stage, order)


def come_back(house: House, line: Line, stage: Reaching, back: Waiting) -> Waiting:
    """Nobody took him where she sent him: he is hers again, before all other callers. Her phone shows why."""
    why, contact = stage.result or "failed", stage.contacts[-1]
    to = contact.name or national(contact.number, house.plan)
    if stage.by is not None:
        house.text(stage.by, coming_back(house.language, why, to))
    failed = line.entry("transfer_failed", secretary=stage.by, to=contact.number, why=why)
    return _returned(line, replace(back, note=reason(house.language, why, to)), why, failed)


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
            whose = house.in_force.clients.get(call.client.id, call.client) if call.client.id else None
            return refusal(house, number, whose, stage.secretary, line.now())
        case ToRoom(room):
            return closed_to_more(house.stories, room)
        case ToTeam():
            return None


def _sent(house: House, line: Line, stage: Talking, order: SendTo | PutThrough) -> Stage:
    now, target = line.now(), order.target
    back = place_again(house, line, stage)
    match target:
        case ToTeam(team):
            queue = replace(back.queue, team=team, prefer=(), prefer_for=0.0)
            place = replace(back, queue=queue, team=None, head=False, back_to=None, sent=True)
            entered = line.entry(
                "queued", team=team, priority=line.story.call.client.priority, max_wait=queue.max_wait
            )
            return _leave(house, line, stage, again(place, now), order, None, entered)
        case ToRoom(room):
            return _leave(house, line, stage, InRoom(room, line.story.colleague, back=back), order, None)
        case Colleague() | Outside():
            contact = contact_of(target, house.in_force)
        case unreachable:
            assert_never(unreachable)
    patch = isinstance(order, PutThrough) and contact.post is None
    sent = Reaching(
        (contact,),
        (),
        ring_for=RING_FOR,
        accept=order.accept if isinstance(order, PutThrough) else None,
        ask=house.stock.notices.get(ASK) if patch else None,
        music=house.hold_music(line.story),
        by=stage.secretary,
        back=back,
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
) -> Stage:
    """Save that she is out of the conversation and what comes next for him; `release` does the rest. Whoever else
    was in it goes with her, unless he is of what comes next."""
    third = stage.third.leg if stage.third is not None else None
    kept = getattr(following, "leg", None)
    line.become(
        following,
        line.entry("talk_ended", secretary=stage.secretary, by="secretary"),
        *entries,
        released=Released(
            stage.secretary,
            stage.leg,
            bridge_id(line.id, stage.attempt),
            until,
            legs=() if third is None or third == kept else (third,),
            told=told,
        ),
    )
    return following


async def stay_together(house: House, line: Line, stage: Talking, third: Third, how: str) -> Stage:
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
    sent = Reaching(
        (contact,),
        (),
        ring_for=RING_FOR,
        music=house.hold_music(line.story),
        leg=third.leg,
        until=third.until,
        trunk=third.trunk,
        began=line.now(),
        by=stage.secretary,
        back=place_again(house, line, stage),
    )
    if third.answered_at is None:
        return leave(line, stage, sent, ended, transferred, until=third.until + BACK_WITHIN)
    if contact.post is None:
        return leave(line, stage, Patched(contact, third.leg, sent), ended, transferred)
    attempt = line.story.attempts + 1
    hers = Talking(contact.post, third.leg, attempt, sent.back, whispered=True, greeted=True, party=contact)
    line.become(attempts=attempt)
    return leave(line, stage, hers, ended, transferred)
