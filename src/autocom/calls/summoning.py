"""A call that a secretary asked for by a program: her own phone rings first and shows whom it will call.

Once she picks up, it goes on as if she had dialled: `then` is the stage of what she asked for. Her phone's leg is
the story's own channel, named after the call, so that a restart finds it again. Must not judge the number: the
desk's rule does (`call_out`), and the door again before it is rung.
"""

from __future__ import annotations

from autocom.calls.dialled import Desk, Made, reaching
from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.notes import HungUp
from autocom.calls.outgoing import refusal
from autocom.calls.phoning import phone_leg
from autocom.calls.ports import Gone, Outbound
from autocom.core.journal import Entry, Json
from autocom.core.model import Client
from autocom.core.naming import outside_id
from autocom.core.numbers import national
from autocom.core.orders import NotPossible
from autocom.core.posts import InTalk, Offered
from autocom.core.presentation import Invitation
from autocom.core.reach import may_serve
from autocom.core.stages import Leaving, Stage, Summoning
from autocom.core.targets import Colleague, Nobody, Outside, target
from autocom.core.telephony import ChannelAnswered, PhoneDialled

SUMMONS = 20.0
"""Seconds that her own phone rings."""
SHOWN = 60


def call_out(desk: Desk, secretary: str, dialled: str, client: str | None) -> str:
    """Ring her phone, and once she picks up what was asked for; the call's id. LookupError: nobody of that name;
    NotPossible with a word of `StockSounds.refusals`, or `busy` or `offline`: not now."""
    house, now = desk.house, desk.ports.clock.now()
    configuration, post = house.in_force, house.post(secretary)
    whose = None if client is None else configuration.clients.get(client)
    if secretary not in configuration.secretaries:
        raise LookupError(f"there is no secretary {secretary!r}")
    if client is not None and whose is None:
        raise LookupError(f"there is no client {client!r}")
    wanted = _wanted(house, dialled, whose, secretary, now)
    if isinstance(wanted, str):
        fields: dict[str, Json] = {"secretary": secretary, "dialled": dialled[:SHOWN], "why": wanted}
        desk.ports.journal.save([Entry(now, "call_refused", None, fields)])
        raise NotPossible(wanted)
    if post is None or not post.registered:
        raise NotPossible("offline")
    if post.own_call or isinstance(post.engaged, Offered | InTalk):
        raise NotPossible("busy")
    call = desk.new_id()
    number = wanted.number if isinstance(wanted, Outside) else None
    desk.open(
        PhoneDialled(outside_id(call, 1), now, secretary, dialled[:SHOWN]),
        Summoning(secretary, reaching(house, wanted, secretary), now + SUMMONS),
        "internal" if number is None else "out",
        number=number,
        client=whose,
        made=Made(call),
        outside=1,
    )
    return call


def _wanted(
    house: House, dialled: str, client: Client | None, secretary: str, now: float
) -> Colleague | Outside | str:
    """Whom she wants; a word where she may not."""
    found = target(dialled, house.in_force, house.plan)
    match found:
        case Outside() if client is not None and not may_serve(secretary, client, house.in_force):
            return "not_allowed_here"
        case Outside(number):
            return refusal(house, number, client, secretary, now) or found
        case Colleague(other) if client is None:
            return "self" if other == secretary else found
        case Nobody(why=why):
            return why
        case _:
            return "unknown"


async def summon(house: House, line: Line, stage: Summoning) -> Stage:
    """Ring her until she picks up, refuses (`HungUp`) or her time is over."""
    try:
        if not line.lost(line.channel):  # else it is over already, and would ring for nobody
            await line.ports.telephone.ring(_order(house, line, stage))
    except Gone:
        # her phone left meanwhile: there is no channel whose end could be told
        line.become(Leaving("failed"))
        raise HungUp from None
    while (note := await line.next(stage.until if line.seeing else None)) is not None or not line.seeing:
        if isinstance(note, ChannelAnswered) and note.channel == line.channel:
            line.become(stage.then, line.entry("answered", why="dialled"), answered_at=line.now())
            return stage.then
    return Leaving("timeout")


def _order(house: House, line: Line, stage: Summoning) -> Outbound:
    call, contact = line.story.call, stage.then.contact
    number = "" if contact is None else contact.number
    whom = (contact.name if contact is not None else "") or national(number, house.plan)
    headers = {"X-Autocom-Call": call.id, "X-Autocom-Dials": number}
    if call.client.id:
        headers["X-Autocom-Client"] = call.client.id
    card = Invitation(f"→ {call.client.display} · {whom}"[:SHOWN], number, headers)
    return phone_leg(line.ports.telephone, stage.secretary, line.channel, card, SUMMONS)
