"""Somebody is rung for a conference room: a colleague, or a number outside; whoever answers is in it.

The leg that rings is the story's own channel, made under the call's name, so a restart finds it again. Law: an
outside number goes through the one door that all do (`outgoing`), and costs the secretary who asked for it.
Must not know who may command a room (`core.rooms`); the room itself is `rooms`.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from autocom.calls.beginning import begun
from autocom.calls.dialled import Desk
from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.notes import HungUp, Looped, RoomWord
from autocom.calls.outgoing import Way, refusal, way_for
from autocom.calls.phoning import leg_order, result_of
from autocom.calls.ports import Gone, Outbound
from autocom.calls.searching import ASK_PAUSE, time_to_accept
from autocom.calls.transferring import ASK
from autocom.core.dialling import unreadable
from autocom.core.journal import Entry, Json
from autocom.core.model import Mode
from autocom.core.naming import outside_id
from autocom.core.notices import notice
from autocom.core.orders import ACCEPT
from autocom.core.rooms import closed_to_more, members, opened_by
from autocom.core.stages import InRoom, Invited, Leaving, Stage
from autocom.core.story import Story
from autocom.core.targets import Colleague, Outside, contact_of, target
from autocom.core.telephony import ChannelAnswered, ChannelRinging, DigitPressed, PhoneDialled

RING_FOR = 45.0


class NotInvited(Exception):  # noqa: N818 - says what is the case
    """Nobody is rung; the word says why."""


def invite(desk: Desk, room: str, dialled: str, by: str | None = None) -> str:
    """Ring an extension or a number for a room; the new call's id. `by` None: in the name of who opened the
    room. NotInvited says why not, with a word of `StockSounds.refusals`."""
    house = desk.house
    inside = members(house.stories, room)
    who = by or opened_by(inside)
    if not inside or who is None or who not in house.in_force.secretaries:
        raise NotInvited("nobody_there")
    story = closed_to_more(house.stories, room) or _begun(desk, room, dialled, who)
    if isinstance(story, str):
        about: dict[str, Json] = {"secretary": who, "dialled": dialled, "why": story}
        refused = Entry(desk.ports.clock.now(), "call_refused", inside[0].call, about)
        desk.ports.journal.save([refused])
        raise NotInvited(story)
    desk.begin(story)
    if story.other is not None and story.other.post is not None:
        house.text(story.other.post, notice(house.language, "room", room=room))
    return story.call.id


def ask_in(desk: Desk, room: str, dialled: str, by: str) -> None:
    """The same, from a key in the room: nobody is told why not but the journal."""
    with suppress(NotInvited):
        invite(desk, room, dialled, by)


def _begun(desk: Desk, room: str, dialled: str, by: str) -> Story | str:
    """The call that rings who is meant, or why he may not be rung."""
    house, now = desk.house, desk.ports.clock.now()
    whom = target(dialled, house.in_force, house.plan)
    if not isinstance(whom, Colleague | Outside):
        return unreadable(dialled, house.plan)
    number = whom.number if isinstance(whom, Outside) else None
    why = None if number is None else refusal(house, number, None, by, now)
    if why is not None:
        return why
    call_id, direction = desk.new_id(), "internal" if number is None else "out"
    leg = outside_id(call_id, 1)
    call = begun(PhoneDialled(leg, now, by, room), call_id, direction, house.in_force, number=number)
    way = Way(None) if number is None else way_for(house, call, number, by, now)
    if isinstance(way, str):
        return way
    contact = contact_of(whom, house.in_force)
    stage = Invited(room, contact, by, now + RING_FOR)
    return Story(call, stage, outside=1, called_back=leg, trunk_out=way.trunk, other=contact)


async def ring_in(house: House, line: Line, stage: Invited) -> Stage:
    """Ring him until he answers, and ask a number outside to press the digit. Whoever does not is no member: the
    story ends."""
    if not stage.begun:  # of an open call: only those count for her limits
        contact = stage.contact
        started = line.entry(
            "forward_started",
            name=contact.name,
            number=contact.number,
            leg=line.channel,
            round=1,
            roster=None,
            present="bureau",
            by=stage.by,
        )
        stage = replace(stage, begun=True)
        line.become(stage, started)
    if not members(house.stories, stage.room):  # a restart came between
        return _over(line, "timeout", "withdrawn")
    if stage.answered:
        return await _asked(house, line, stage)
    try:
        if not line.lost(line.channel):  # else it is over already, and would ring for nobody
            await line.ports.telephone.ring(_order(house, line, stage))
    except Gone:
        _over(line, "failed", "unreachable")
        raise HungUp from None
    while True:
        match await line.next(stage.until if line.seeing else None):
            case None if line.now() >= stage.until:
                return _over(line, "timeout", "no_answer")
            case ChannelRinging(channel) if channel == line.channel and not stage.rang:
                stage = replace(stage, rang=True)
                line.become(stage, line.entry("forward_ringing", leg=channel))
            case ChannelAnswered(channel) if channel == line.channel:
                return await _answered(house, line, stage)
            case RoomWord():  # nobody is in it any more
                return _over(line, "timeout", "withdrawn")
            case Looped(channel) if channel == line.channel:
                return _over(line, "rejected", "loop")
            case _:
                pass


async def _answered(house: House, line: Line, stage: Invited) -> Stage:
    now, answered = line.now(), line.entry("forward_answered", leg=line.channel)
    if stage.contact.post is not None:
        member = InRoom(stage.room, stage.contact.post)
        line.become(member, answered, answered_at=now)
        return member
    stage = replace(stage, answered=True, until=now + time_to_accept(house.stock.notices.get(ASK)))
    line.become(stage, answered, answered_at=now)
    return await _asked(house, line, stage)


async def _asked(house: House, line: Line, stage: Invited) -> Stage:
    """He is told, again and again, what to press; until then nobody in the room hears him."""
    ask, ask_at = house.stock.notices.get(ASK), line.now()
    while True:
        if ask is not None and line.now() >= ask_at:
            await line.quiet_message()
            await line.play(ask, Mode.ANSWERED)
            ask_at = line.now() + ask.seconds + ASK_PAUSE
        until = stage.until if ask is None else min(stage.until, ask_at)
        match await line.next(until if line.seeing else None):
            case None if line.now() >= stage.until:
                return _over(line, "timeout", "not_accepted")
            case DigitPressed(channel, digit) if channel == line.channel and digit == ACCEPT:
                member = InRoom(stage.room)
                line.become(member, line.entry("forward_accepted", leg=channel, digit=digit))
                return member
            case RoomWord():
                return _over(line, "timeout", "withdrawn")
            case _:
                pass


async def part_invited(line: Line, stage: Invited) -> None:
    """He is not to be had: his phone refused, did not answer or is gone; or he put down instead of pressing."""
    result = "not_accepted" if stage.answered else result_of(line.cause)
    outcome = "timeout" if result in {"no_answer", "not_accepted"} else "failed"
    _over(line, outcome, result, line.cause)


def _order(house: House, line: Line, stage: Invited) -> Outbound:
    order = leg_order(
        house,
        line,
        stage.contact,
        line.channel,
        trunk=line.story.trunk_out,
        present="bureau",
        ring_for=RING_FOR,
        asking=stage.by,
    )
    # the whole name: a client's `display` is shorter
    return order if stage.contact.post is not None else replace(order, display=house.in_force.bureau.name)


def _over(line: Line, outcome: str, result: str, cause: int | None = None) -> Leaving:
    """Saved: he is no member."""
    leaving = Leaving(outcome)
    line.become(leaving, line.entry("forward_ended", leg=line.channel, result=result, cause=cause))
    return leaving
