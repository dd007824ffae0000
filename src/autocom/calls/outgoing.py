"""The way out: by which trunk, showing whose number, and which numbers are never dialled.

Answers from the configuration in force and the calls in progress; nothing is kept and nothing is
commanded. Invariants: inbound calls find a channel before outgoing ones do (a reserve is left on
every trunk); no emergency, premium or own number is dialled, and none that this very call came by;
a client's number is shown only where it is verified. `reaching` asks before every leg, the
switchboard asks `looped` at the door.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from autocom.core.model import Bureau, Configuration, Trunk
from autocom.core.numbers import FRANCE, NumberingPlan, normalise
from autocom.core.sip import Diverted, diversions, history, parse_address, split_list
from autocom.core.stages import Call, Patched, Promised, Reaching, Story
from autocom.core.telephony import RawHeaders

RESERVE = 0.1
"""Part of a trunk's channels (at least one) that outgoing legs leave to callers."""

# Arcep's list of emergency numbers, and 3114. Only the short form exists, with or without a country code.
EMERGENCY = frozenset(
    {
        "15",
        "17",
        "18",
        "112",
        "114",
        "115",
        "119",
        "191",
        "196",
        "197",
        "3114",
        "911",
        "999",
        "116000",
        "116117",
    }
)
# 0800 to 0805 are free and 0806 to 0809 cost a normal call (Arcep); the others are paid by who dials
_PREMIUM = tuple(f"+338{digit}" for digit in "123456789")

Refusal = Literal["no_line", "loop", "barred"]


@dataclass(frozen=True, slots=True)
class Way:
    """The trunk to take, and what the called phone shows (`number` None: anonymous)."""

    trunk: str
    display: str
    number: str | None


def way_out(
    configuration: Configuration,
    stories: Iterable[Story],
    call: Call,
    number: str,
    present: str,
    plan: NumberingPlan = FRANCE,
) -> Way | Refusal:
    """How `number` is dialled for this call, or why it is not. `stories` are all that are open, this
    call's own with the leg it held before."""
    if barred(number, plan):
        return "barred"
    if number in _own(configuration) or number in came_by(call, plan):
        return "loop"
    trunk = free_trunk(configuration, list(stories), call.trunk)
    if trunk is None:
        return "no_line"
    return Way(trunk.id, call.client.display, shown(call, present, configuration.bureau))


def shown(call: Call, present: str, bureau: Bureau) -> str | None:
    """Whose number the called phone shows. A caller who withheld his stays anonymous; one who has none is
    shown as the bureau. The client's only where it was verified (law 2020-901), else the bureau's."""
    if present == "caller":
        return None if call.identity.anonymous else call.identity.caller or bureau.number
    if present == "client" and call.client.outgoing_verified and call.client.outgoing_number:
        return call.client.outgoing_number
    return bureau.number


def way_back(
    configuration: Configuration,
    stories: Iterable[Story],
    call: Call,
    number: str,
    plan: NumberingPlan = FRANCE,
) -> Way | Refusal:
    """How the caller himself is called back, or why he is not: as `way_out`, but his own number leads back to
    nobody."""
    if barred(number, plan):
        return "barred"
    if number in _own(configuration):
        return "loop"
    trunk = free_trunk(configuration, list(stories), call.trunk)
    if trunk is None:
        return "no_line"
    return Way(trunk.id, call.client.display, shown(call, "client", configuration.bureau))


def barred(number: str, plan: NumberingPlan = FRANCE) -> bool:
    """Emergency numbers (the call would reach the department of the trunk, not the caller's) and those
    that the one who dials pays dearly for."""
    digits = number.removeprefix("+").removeprefix(plan.country_code)
    return digits in EMERGENCY or (plan.country == "FR" and number.startswith(_PREMIUM))


# --- channels --------------------------------------------------------------------------------


def free_trunk(configuration: Configuration, stories: list[Story], first: str | None = None) -> Trunk | None:
    """The trunk for one more outgoing leg: the one that the caller came by, else the first with room."""
    usable = [trunk for trunk in configuration.trunks.values() if trunk.host is not None]
    usable.sort(key=lambda trunk: trunk.id != first)  # stable: the others keep the order of the file
    return next((trunk for trunk in usable if _has_room(trunk, stories)), None)


def _has_room(trunk: Trunk, stories: list[Story]) -> bool:
    if trunk.max_calls is None:
        return True
    return channels_used(trunk.id, stories) + 1 <= trunk.max_calls - reserve(trunk.max_calls)


def channels_used(trunk: str, stories: Iterable[Story]) -> int:
    """Channels of this trunk that open calls hold: callers', and legs to people outside."""
    return sum(
        (story.call.trunk == trunk and not story.absent) + (_leg_on(story) == trunk) for story in stories
    )


def reserve(max_calls: int) -> int:
    """Channels that stay free for callers whatever is forwarded."""
    return max(1, math.ceil(max_calls * RESERVE))


def _leg_on(story: Story) -> str | None:
    match story.stage:
        case Reaching(leg=str(), trunk=trunk) | Promised(outside=str(), trunk=trunk):
            return trunk
        case Patched(reaching=reaching):
            return reaching.trunk
        case _:
            return None


# --- loops -----------------------------------------------------------------------------------


def looped(headers: RawHeaders, stories: Iterable[Story], plan: NumberingPlan = FRANCE) -> Story | None:
    """The call whose outside leg this incoming one is: a number that is being dialled right now sent it
    back to us. Judged by every number that the headers name, withheld ones as well: none is kept. Of who is
    being called back only what was diverted counts: he may have been calling himself."""
    stories = list(stories)
    promised = {
        story.stage.number: story
        for story in stories
        if isinstance(story.stage, Promised) and story.stage.outside is not None
    }
    if promised:
        diverted = (normalise(entry.number_text, plan) for entry in _diverted(headers))
        found = next((promised[number] for number in diverted if number in promised), None)
        if found is not None:
            return found
    dialled = {
        story.stage.contact.number: story
        for story in stories
        if isinstance(story.stage, Reaching)
        and story.stage.leg is not None
        and story.stage.contact is not None
    }
    if not dialled:
        return None
    return next((dialled[number] for number in _named_in(headers, plan) if number in dialled), None)


def came_by(call: Call, plan: NumberingPlan = FRANCE) -> frozenset[str]:
    """The caller's number and the lines that sent him here: dialling one of them leads back to us."""
    identity = call.identity
    diverting = (normalise(entry.number_text, plan) for entry in identity.diversions)
    return frozenset(n for n in (identity.caller, identity.forwarded_from, *diverting) if n is not None)


def _own(configuration: Configuration) -> frozenset[str]:
    lines = {line.did for client in configuration.clients.values() for line in client.lines}
    return frozenset(lines | {configuration.bureau.number})


def _diverted(headers: RawHeaders) -> tuple[Diverted, ...]:
    return (*diversions(headers.diversion), *history(headers.history_info))


def _named_in(headers: RawHeaders, plan: NumberingPlan) -> Iterable[str]:
    asserted = [parse_address(entry).uri.user for entry in split_list(headers.p_asserted_identity)[:4]]
    texts = (
        parse_address(headers.from_).uri.user,
        *asserted,
        headers.caller_number,
        *(entry.number_text for entry in _diverted(headers)),
    )
    return [number for text in texts if (number := normalise(text, plan))]
