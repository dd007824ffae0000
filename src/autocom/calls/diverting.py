"""A call to an extension follows what its owner set: always and busy before her phone is rung, no answer after.

Each link is journalled on the call. Law: what the queue offers never comes here, so no client's caller lands
on a private mobile by a forward that she forgot. Where it leads is decided in `core.renvoi`, whether a number
may be dialled in `outgoing`, at each dialling.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.phoning import engaged
from autocom.core.dialling import forbidden, own_numbers
from autocom.core.journal import Entry
from autocom.core.model import Contact
from autocom.core.renvoi import Led, allowed, led
from autocom.core.stages import Reaching
from autocom.core.targets import Dialled, Outside, contact_of, target

_AFTER = {"no_answer": "no_answer", "unreachable": "no_answer", "refused": "busy"}
"""What the end of her turn means: a phone that refuses is busy, one that is not there does not answer."""


def forward(house: House, secretary: str, when: str, to: str | None) -> str | None:
    """She sets one of her forwards (None: ends it); why that may not be, or None."""
    written = None if to is None else _canonical(house, to)
    if written is not None:
        bureau = house.in_force.bureau
        refused = allowed(secretary, written, _lookup(house), outside=bureau.forwarding_outside)
        if refused is not None:
            return refused
        if written.startswith("+"):
            if written in own_numbers(house.in_force):
                return "own"
            if (why := forbidden(written, bureau.outgoing, None, house.plan)) is not None:
                return why
    house.forwards.set(secretary, when, written)
    return None


def before_ringing(house: House, line: Line, stage: Reaching) -> Reaching:
    """Whose phone is rung instead of hers, since she forwards always, or is busy and forwards then."""
    contact = stage.contact
    found = _at_once(house, contact, stage.passed, _asking(line, stage.by))
    if contact is None or found is None:
        return stage
    when, led_to = found
    instead = contact_of(led_to.target, house.in_force)
    contacts = tuple(instead if n == stage.place else known for n, known in enumerate(stage.contacts))
    changed = replace(stage, contacts=contacts, passed=led_to.passed)
    line.become(changed, _link(line, contact, when, instead))
    return changed


def instead_of(house: House, line: Line, contact: Contact, asking: str) -> Contact:
    """The same for one whom `asking` wants to talk to in a conversation; who it is then."""
    found = _at_once(house, contact, (), frozenset({asking}))
    if found is None:
        return contact
    instead = contact_of(found[1].target, house.in_force)
    line.ports.journal.save([_link(line, contact, found[0], instead)])
    return instead


def after_ringing(house: House, line: Line, stage: Reaching, result: str) -> Reaching:
    """Her turn is over without an answer: whoever she named for that is the next."""
    contact, when = stage.contact, _AFTER.get(result)
    if contact is None or contact.post is None or when is None or stage.round > stage.rounds:
        return stage
    found = _led(house, contact.post, when, stage.passed, _asking(line, stage.by))
    if found is None:
        return stage
    place, following = stage.place + 1, contact_of(found.target, house.in_force)
    contacts = (*stage.contacts[:place], following, *stage.contacts[place:])
    changed = replace(stage, contacts=contacts, passed=found.passed)
    line.become(changed, _link(line, contact, when, following))
    return changed


def reachable(house: House, secretary: str) -> bool:
    """Whether a call to her has somewhere to go: her phone, or where she forwards it."""
    post, hers = house.post(secretary), house.forwards.of(secretary)
    return (post is not None and post.registered) or bool(hers.always or hers.no_answer)


def _asking(line: Line, by: str | None) -> frozenset[str]:
    return frozenset(who for who in (by, line.story.call.dialled_by) if who is not None)


def _link(line: Line, contact: Contact, when: str, to: Contact) -> Entry:
    return line.entry("forwarded_post", secretary=contact.post, forward=when, to=to.number)


def _at_once(
    house: House, contact: Contact | None, passed: tuple[str, ...], never: frozenset[str]
) -> tuple[str, Led] | None:
    if contact is None or contact.post is None:
        return None
    found = _led(house, contact.post, "always", passed, never)
    if found is not None:
        return "always", found
    if not engaged(house.post(contact.post)):
        return None
    found = _led(house, contact.post, "busy", passed, never)
    return None if found is None else ("busy", found)


def _led(
    house: House, secretary: str, when: str, passed: tuple[str, ...], never: frozenset[str]
) -> Led | None:
    bureau = house.in_force.bureau
    return led(
        secretary,
        when,
        house.forwards.all,
        _lookup(house),
        passed=passed,
        never=never,
        limit=bureau.forwarding_depth,
        outside=bureau.forwarding_outside,
    )


def _lookup(house: House) -> Callable[[str], Dialled]:
    """What digits lead to in the configuration in force."""
    return lambda written: target(written, house.in_force, house.plan)


def _canonical(house: House, to: str) -> str:
    """As it is kept: a number as E.164, so that it means the same whatever is reloaded."""
    found = target(to, house.in_force, house.plan)
    return found.number if isinstance(found, Outside) else to.strip()
