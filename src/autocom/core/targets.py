"""Where a secretary may send a caller, or call herself: what she dials, or names, as a destination.

`target` reads digits as a softphone sends them (also as the user of a REFER) and never fails: what is
nobody's is `Nobody`, with the reason. Whether an outside number may be dialled at all is not decided here
but in `core.dialling`. Pure; the configuration in force is an argument.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from autocom.core.dialling import unreadable
from autocom.core.model import Client, Configuration, Contact, Secretary
from autocom.core.numbers import FRANCE, NumberingPlan, normalise

LONGEST = 48
"""Characters of what is nobody's that are looked at."""

ROOMS = re.compile(r"8[0-9]{2}\Z")
"""Conference rooms (contract, section 5). No secretary may have such an extension."""


@dataclass(frozen=True, slots=True)
class Colleague:
    """A secretary's phone, whether she is logged in or not."""

    secretary: str


@dataclass(frozen=True, slots=True)
class Outside:
    """A number beyond the trunk, E.164. `name`: who it is, where the configuration says so."""

    number: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class ToTeam:
    """The queue of a team: a caller keeps the waiting time that he came with."""

    team: str


@dataclass(frozen=True, slots=True)
class ToRoom:
    """A conference room, by its extension (`801`)."""

    room: str


@dataclass(frozen=True, slots=True)
class Nobody:
    """No destination. `why`: unknown (nobody has that extension), malformed, or what it is instead: an emergency
    number, a short number that costs more (premium)."""

    dialled: str
    why: str = "unknown"


Target = Colleague | Outside | ToTeam | ToRoom
Dialled = Target | Nobody


def target(dialled: str, configuration: Configuration, plan: NumberingPlan = FRANCE) -> Dialled:
    """What these digits lead to: an extension, a team's extension, a room, or a number as it is written in
    the bureau's country. Whether that number may be dialled is asked of `core.dialling`."""
    text = dialled.strip()
    colleague = by_extension(text, configuration)
    if colleague is not None:
        return Colleague(colleague.id)
    for team in configuration.teams.values():
        if team.extension is not None and team.extension == text:
            return ToTeam(team.id)
    if ROOMS.match(text):
        return ToRoom(text)
    if text.startswith(("0", "+")):
        number = normalise(text, plan)
        if number is not None:
            return Outside(number)
    return Nobody(text[:LONGEST], unreadable(text[:LONGEST], plan))


def by_extension(extension: str, configuration: Configuration) -> Secretary | None:
    """Whose extension that is."""
    people = configuration.secretaries.values()
    return next((person for person in people if person.extension == extension), None)


def by_short_code(code: str, configuration: Configuration) -> Client | None:
    """The client for whom secretaries dial this code (`*9CODE*NUMBER`)."""
    return next((client for client in configuration.clients.values() if client.code == code), None)


def contact_of(wanted: Colleague | Outside, configuration: Configuration) -> Contact:
    """Whom to ring there; KeyError for a secretary whom this configuration does not know."""
    match wanted:
        case Colleague(secretary):
            known = configuration.secretaries[secretary]
            return Contact(known.name, known.extension, post=secretary)
        case Outside(number, name):
            return Contact(name, number)


def written(wanted: Target, configuration: Configuration) -> str:
    """The destination for the journal and for people: an extension, a number, a team or a room."""
    match wanted:
        case Colleague(secretary):
            known = configuration.secretaries.get(secretary)
            return secretary if known is None else known.extension
        case Outside(number):
            return number
        case ToTeam(team):
            return team
        case ToRoom(room):
            return room
