"""Somebody is rung for a conference room: a colleague, or a number outside; whoever answers is in it.

The leg that rings is the story's own channel, made under the call's name, so a restart finds it again. Law: an
outside number goes through the one door that all do (`outgoing`), and costs the secretary who asked for it.
Must not know who may command a room (`core.rooms`); the room itself is `rooms`.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.notes import HungUp
from autocom.calls.outgoing import refusal, way_for
from autocom.calls.phoning import leg_order, result_of
from autocom.calls.ports import Gone, Outbound
from autocom.calls.searching import ACCEPT_WITHIN, AFTER_ASK, ASK_PAUSE
from autocom.calls.transferring import ASK
from autocom.core.dialling import unreadable
from autocom.core.ingress import Identity
from autocom.core.journal import Entry, Json
from autocom.core.model import Client, Contact, Hours, Mode
from autocom.core.naming import outside_id
from autocom.core.notices import notice
from autocom.core.rooms import closed_to_more, members, opened_by
from autocom.core.stages import Call, InRoom, Invited, Leaving, Stage
from autocom.core.story import Story
from autocom.core.targets import Colleague, Outside, contact_of, target
from autocom.core.telephony import ChannelAnswered, ChannelRinging, DigitPressed

if TYPE_CHECKING:
    from autocom.calls.dialled import Desk

RING_FOR = 45.0
ACCEPT = "1"
"""What somebody outside presses to come in: a voicemail that answers is no guest."""


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
    why = closed_to_more(house.stories, room)
    contact = why or _contact(house, dialled, who, desk.ports.clock.now())
    if isinstance(contact, str):
        refused = Entry(
            desk.ports.clock.now(),
            "call_refused",
            inside[0].call,
            {"secretary": who, "dialled": dialled, "why": contact},
        )
        desk.ports.journal.save([refused])
        raise NotInvited(contact)
    return _open(desk, room, contact, who)


def ask_in(desk: Desk, room: str, dialled: str, by: str) -> None:
    """The same, from a key in the room: nobody is told why not but the journal."""
    with suppress(NotInvited):
        invite(desk, room, dialled, by)


def _contact(house: House, dialled: str, by: str, now: float) -> Contact | str:
    """Who is meant, or why he may not be rung."""
    match target(dialled, house.in_force, house.plan):
        case Colleague() as colleague:
            return contact_of(colleague, house.in_force)
        case Outside(number) as outside:
            return refusal(house, number, None, by, now) or contact_of(outside, house.in_force)
        case _:
            return unreadable(dialled, house.plan)


def _open(desk: Desk, room: str, contact: Contact, by: str) -> str:
    house, now, call_id = desk.house, desk.ports.clock.now(), desk.new_id()
    bureau, leg = house.in_force.bureau, outside_id(call_id, 1)
    whose = Client("", bureau.name, bureau.name[:20], "general", (), Hours(bureau.timezone, {}), ())
    outside = contact.post is None
    call = Call(
        id=call_id,
        channel=leg,
        arrived_at=now,
        trunk=None,
        identity=Identity("", None, room, contact.number if outside else None, "", anonymous=False),
        client=whose,
        rule="",
        by_rule="rejected",
        by_refusal="rejected",
        config_version=house.version,
        direction="out" if outside else "internal",
        dialled_by=by,
        dialled=contact.number,
    )
    way = way_for(house, call, contact.number, "bureau", by, now) if outside else None
    if isinstance(way, str):
        raise NotInvited(way)
    came: dict[str, Json] = {"trunk": None, "channel": leg, "direction": call.direction, "secretary": by}
    whom: dict[str, Json] = {
        "client": None,
        "name": bureau.name,
        "did": bureau.number if outside else None,
        "caller": contact.number if outside else None,
        "anonymous": False,
        "forwarded_from": None,
        "forward_reason": None,
        "flags": [],
        "config_version": house.version,
    }
    entries = (
        Entry(now, "arrived", call_id, came),
        Entry(now, "identified", call_id, whom),
        Entry(now, "dialled", call_id, {"secretary": by, "dialled": room, "direction": call.direction}),
    )
    stage = Invited(room, contact, by, now + RING_FOR)
    trunk = None if way is None else way.trunk
    desk.begin(Story(call, stage, outside=1, called_back=leg, trunk_out=trunk, other=contact), entries)
    if contact.post is not None:
        house.text(contact.post, notice(house.language, "room", room=room))
    return call_id


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
    if stage.answered:
        return await _asked(house, line, stage)
    try:
        if not line.lost(line.channel):  # else it is over already, and would ring for nobody
            await line.ports.telephone.ring(_order(house, line, stage))
    except Gone:
        line.become(Leaving("failed"), _ended(line, "unreachable"))
        raise HungUp from None
    while True:
        match await line.next(stage.until if line.seeing else None):
            case None if line.now() >= stage.until:
                line.become(Leaving("timeout"), _ended(line, "no_answer"))
                return line.story.stage
            case ChannelRinging(channel) if channel == line.channel and not stage.rang:
                stage = replace(stage, rang=True)
                line.become(stage, line.entry("forward_ringing", leg=channel))
            case ChannelAnswered(channel) if channel == line.channel:
                answered = line.entry("forward_answered", leg=channel)
                if stage.contact.post is not None:
                    member = InRoom(stage.room, stage.contact.post)
                    line.become(member, answered, answered_at=line.now())
                    return member
                stage = replace(stage, answered=True, until=line.now() + _time_to_accept(house))
                line.become(stage, answered, answered_at=line.now())
                return await _asked(house, line, stage)
            case _:
                pass


def _time_to_accept(house: House) -> float:
    ask = house.stock.notices.get(ASK)
    return max(ACCEPT_WITHIN, 0.0 if ask is None else ask.seconds + AFTER_ASK)


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
                line.become(Leaving("timeout"), _ended(line, "not_accepted"))
                return line.story.stage
            case DigitPressed(channel, digit) if channel == line.channel and digit == ACCEPT:
                member = InRoom(stage.room)
                line.become(member, line.entry("forward_accepted", leg=channel, digit=digit))
                return member
            case _:
                pass


async def part_invited(line: Line, stage: Invited) -> None:
    """He is not to be had: his phone refused, did not answer or is gone; or he put down instead of pressing."""
    result = "not_accepted" if stage.answered else result_of(line.cause)
    outcome = "timeout" if result in {"no_answer", "not_accepted"} else "failed"
    line.become(Leaving(outcome), _ended(line, result, line.cause))


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


def _ended(line: Line, result: str, cause: int | None = None) -> Entry:
    return line.entry("forward_ended", leg=line.channel, result=result, cause=cause)
