"""The one whom a secretary consults in a conversation: rung, there, gone.

While he rings the caller hears music and she hears ringing; once he is there the two talk alone. Where he cannot
be had she hears why for a moment, and has the caller back without doing anything. Must not decide who may be
dialled (`outgoing`), nor what she wants next (`conversing`). Invariant: nobody rings here whose leg is not saved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from autocom.calls.arranging import Conversation
from autocom.calls.diverting import instead_of
from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.outgoing import Refusal, Way, paying, refusal, way_for
from autocom.calls.phoning import leg_order, result_of
from autocom.calls.ports import Gone, Outbound
from autocom.core.conversation import is_conference
from autocom.core.journal import Entry
from autocom.core.model import Contact
from autocom.core.naming import outside_id
from autocom.core.orders import Consult
from autocom.core.reach import may_serve
from autocom.core.stages import Held, Talking, Third
from autocom.core.targets import Colleague, Outside, Target, contact_of, written

RING_COLLEAGUE = 30.0
RING_OUTSIDE = 45.0
"""Seconds that he is rung: she hears it, and ends it herself where she has enough."""
MARGIN = 5.0
"""Seconds after that at which Asterisk gives the leg up by itself, should we be gone."""
BUSY = 2.0
"""Seconds that she hears the busy tone before the caller is back."""
BUSY_TONE = "tone:busy"
MARGIN_SPOKEN = 0.3
"""Seconds that a sentence may take beyond its length: from the command until it is heard."""


async def consult(talk: Conversation, order: Consult) -> None:
    """Put the caller on hold and ring him; or say why not, to her who asked by keys. A program was told already."""
    house, line, stage, now = talk.house, talk.line, talk.stage, talk.line.now()
    contact = _contact(talk, order)
    way = "unknown" if contact is None else _way(house, line, stage, contact)
    if contact is None or isinstance(way, str):
        refused = talk.entry("call_refused", dialled=written(order.target, house.in_force), why=str(way))
        line.ports.journal.save([refused])
        if order.how == "code":
            await say_why(talk, str(way))
        return
    await talk.hush()
    held, entries = held_for(talk, "consult")
    number = line.story.outside + 1
    ring_for = RING_COLLEAGUE if contact.post is not None else RING_OUTSIDE
    third = Third(contact, outside_id(line.id, number), now + ring_for, trunk=way.trunk)
    started = talk.entry(
        "consult_started",
        name=contact.name,
        number=contact.number,
        post=contact.post,
        leg=third.leg,
        how=order.how,
    )
    talk.save(replace(stage, held=held, third=third, back_at=None), *entries, started, outside=number)
    await talk.arrange()
    await ring(talk, third)


async def ring(talk: Conversation, third: Third) -> None:
    """Send the INVITE, if it is not sent yet."""
    if talk.line.lost(third.leg):
        return  # the note of its end says what comes next
    try:
        await talk.line.ports.telephone.ring(_order(talk, third))
    except Gone:
        await failed(talk, "unreachable", None)


async def answered(talk: Conversation, third: Third) -> None:
    """He is there: he and she talk, the caller does not hear it."""
    there = replace(third, answered_at=talk.line.now(), inside=True)
    talk.save(replace(talk.stage, third=there), talk.entry("consult_answered", leg=third.leg))
    await talk.arrange()


async def gone(talk: Conversation, third: Third, cause: int) -> None:
    """His leg ended: not answered, or he put down."""
    if third.answered_at is None:
        await failed(talk, result_of(cause), cause)
        return
    await back(talk, "gone", by="third")


async def failed(talk: Conversation, result: str, cause: int | None) -> None:
    """He did not answer: she hears the busy tone for a moment, then has the caller back."""
    third = talk.stage.third
    if third is None:
        return
    ended = talk.entry("consult_ended", leg=third.leg, result=result, cause=cause)
    await _cannot(talk, replace(talk.stage, third=None), result, ended)
    await talk.line.end_leg(third.leg)


async def back(talk: Conversation, result: str, *, by: str) -> None:
    """Without him again: she is with the caller. `result` and `by` are the words of the journal."""
    stage = talk.stage
    entries = let_go(talk, result, by=by)
    if stage.held is not None:
        entries.append(talk.entry("resumed", by=stage.held.by))
    talk.save(replace(stage, third=None, held=None, back_at=None), *entries)
    await talk.hush()
    if stage.third is not None:
        await talk.line.end_leg(stage.third.leg)
    await talk.arrange()


async def nobody(talk: Conversation, digits: str, why: str) -> None:
    """Her code named nobody: she hears why (an emergency number is told as one)."""
    talk.line.ports.journal.save([talk.entry("call_refused", dialled=digits, why=why)])
    await say_why(talk, why)


async def say_why(talk: Conversation, why: str) -> None:
    """What she asked for by keys cannot be: she hears why while the caller hears music, then has him back. Nothing
    is said where somebody else is with her."""
    if talk.stage.third is not None:
        return
    await talk.hush()
    held, entries = held_for(talk, "consult")
    await _cannot(talk, replace(talk.stage, held=held), why, *entries)


# --- who is aside


async def hold(talk: Conversation) -> None:
    """The caller aside; whom she consulted, if he was aside, with her."""
    stage, third = talk.stage, talk.stage.third
    held, entries = held_for(talk, "order" if third is None else "consult")
    if is_conference(stage) and third is not None:
        ended = talk.entry("conference_ended", leg=third.leg, by="secretary")
        entries.insert(0, ended)
    inside = None if third is None else replace(third, inside=True)
    talk.save(replace(stage, held=held, third=inside), *entries)
    await talk.arrange()


async def resume(talk: Conversation) -> None:
    """The caller with her; whom she consulted aside, or given up where he still rings."""
    stage, third = talk.stage, talk.stage.third
    if stage.held is None or stage.back_at is not None or (third is not None and third.answered_at is None):
        await back(talk, "dropped", by="secretary")
        return
    aside = None if third is None else replace(third, inside=False)
    talk.save(replace(stage, held=None, third=aside), talk.entry("resumed", by=stage.held.by))
    await talk.arrange()


async def join(talk: Conversation) -> None:
    """All three together."""
    stage, third = talk.stage, talk.stage.third
    if third is None:
        return
    started = talk.entry("conference_started", leg=third.leg)
    talk.save(replace(stage, held=None, third=replace(third, inside=True)), started)
    await talk.arrange()


# --- words of the journal


def let_go(talk: Conversation, result: str, *, by: str) -> list[Entry]:
    """What is written where he is part of it no more; nothing without him."""
    return parted(talk.line.entry, talk.stage, result, by=by)


def parted(entry: Callable[..., Entry], stage: Talking, result: str, *, by: str) -> list[Entry]:
    """The same, made by `entry`."""
    third, her = stage.third, stage.secretary
    if third is None:
        return []
    ended = entry("consult_ended", secretary=her, leg=third.leg, result=result, cause=None)
    if not is_conference(stage):
        return [ended]
    return [entry("conference_ended", secretary=her, leg=third.leg, by=by), ended]


def held_for(talk: Conversation, by: str) -> tuple[Held, list[Entry]]:
    """The caller on hold, and what is written of it. Who is on hold already only changes why."""
    held = talk.stage.held
    if held is not None:
        return replace(held, by=by), []
    return Held(talk.line.now(), by), [talk.entry("held", by=by)]


async def _cannot(talk: Conversation, stage: Talking, why: str, *entries: Entry) -> None:
    """She hears why for so long, then has the caller back."""
    spoken = talk.house.stock.refusals.get(why)
    heard = BUSY if spoken is None else spoken.seconds + MARGIN_SPOKEN
    talk.save(replace(stage, third=None, back_at=talk.line.now() + heard), *entries)
    await talk.arrange()
    await talk.tell_her(BUSY_TONE if spoken is None else spoken.media)


def _contact(talk: Conversation, order: Consult) -> Contact | None:
    configuration = talk.house.in_force
    match order.target:
        case Colleague(secretary) as colleague if secretary != talk.stage.secretary:
            if secretary not in configuration.secretaries:
                return None
            contact = contact_of(colleague, configuration)
            return instead_of(talk.house, talk.line, contact, talk.stage.secretary)
        case Outside() as outside:
            return contact_of(outside, configuration)
        case _:
            return None


def why_not_rung(house: House, line: Line, stage: Talking, target: Target) -> str | None:
    """Why whom she wants to consult will not be rung, as far as it is known before; a word of `call_refused`."""
    match target:
        case Colleague(secretary) if secretary == stage.secretary:
            return "unknown"
        case Colleague() | Outside():
            way = _way(house, line, stage, contact_of(target, house.in_force))
            return way if isinstance(way, str) else None
        case _:
            return "unknown"


def _way(house: House, line: Line, stage: Talking, contact: Contact) -> Way | Refusal | str:
    """By which trunk, or why not; a phone of the house needs none."""
    call, now = line.story.call, line.now()
    if contact.post is not None:
        if not stage.private and not may_serve(contact.post, call.client, house.in_force):
            return "not_allowed_here"
        return Way(None)
    why = refusal(house, contact.number, paying(call, house.in_force), stage.secretary, now)
    if why is not None:
        return why
    return way_for(house, call, contact.number, stage.secretary, now)


def _order(talk: Conversation, third: Third) -> Outbound:
    ring_for = max(1.0, third.until - talk.line.now())
    return leg_order(
        talk.house,
        talk.line,
        third.contact,
        third.leg,
        trunk=third.trunk,
        present="client",
        ring_for=ring_for,
        asking=talk.stage.secretary,
    )
