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
from autocom.calls.outgoing import refusal, shown, way_for
from autocom.calls.phoning import MARGIN, phone_order
from autocom.calls.ports import Gone, Outbound
from autocom.core.dialling import unreadable
from autocom.core.ingress import Identity
from autocom.core.journal import Entry, Json
from autocom.core.model import Client, Contact, Hours
from autocom.core.naming import outside_id
from autocom.core.notices import notice
from autocom.core.rooms import closed_to_more, members, opened_by
from autocom.core.stages import Call, InRoom, Invited, Leaving, Stage
from autocom.core.story import Story
from autocom.core.targets import Colleague, Outside, target
from autocom.core.telephony import ChannelAnswered, ChannelRinging

if TYPE_CHECKING:
    from autocom.calls.dialled import Desk

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
        case Colleague(secretary):
            known = house.in_force.secretaries[secretary]
            return Contact(known.name, known.extension, post=secretary)
        case Outside(number, name):
            return refusal(house, number, None, by, now) or Contact(name, number)
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
    desk.begin(Story(call, stage, outside=1, called_back=leg, trunk_out=trunk), entries)
    if contact.post is not None:
        house.text(contact.post, notice(house.language, "room", room=room))
    return call_id


async def ring_in(house: House, line: Line, stage: Invited) -> Stage:
    """Ring him until he answers. Whoever does not is no member: the story ends."""
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
    try:
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
                member = InRoom(stage.room, stage.contact.post)
                line.become(member, line.entry("forward_answered", leg=channel), answered_at=line.now())
                return member
            case _:
                pass


async def part_invited(line: Line, stage: Invited) -> None:
    """He is not to be had: his phone refused, or is gone."""
    line.ports.journal.save([_ended(line, "refused" if stage.rang else "unreachable")])


def _order(house: House, line: Line, stage: Invited) -> Outbound:
    telephone, leg, contact = line.ports.telephone, line.channel, stage.contact
    if contact.post is not None:
        return phone_order(house, telephone, line.story, contact.post, leg, RING_FOR)
    bureau = house.in_force.bureau
    return Outbound(
        channel=leg,
        endpoint=telephone.outside(contact.number, line.story.trunk_out or ""),
        display=bureau.name,
        number=shown(line.story.call, "bureau", bureau),
        timeout=RING_FOR + MARGIN,
    )


def _ended(line: Line, result: str) -> Entry:
    return line.entry("forward_ended", leg=line.channel, result=result, cause=None)
