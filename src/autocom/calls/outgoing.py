"""The way out, the one door to every trunk: whether a number may be dialled, by which trunk, showing whose number.

Answers from the configuration in force, the calls in progress and what was dialled before; nothing is kept
and nothing is commanded. Invariants: no leg outside is rung that `way_out` (or `way_back`) was not asked
for; which numbers may be is `core.dialling`'s rule; inbound calls find a channel before outgoing ones do (a
reserve is left on every trunk); no own number is dialled, and none that this very call came by; a client's
number is shown only where it is verified. The switchboard asks `looped` at the door.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from autocom.core.dialling import forbidden, never_dialled, over, own_numbers, written_numbers
from autocom.core.model import Bureau, Client, Configuration, Trunk
from autocom.core.numbers import FRANCE, NumberingPlan, normalise
from autocom.core.sip import Diverted, diversions, history, parse_address, split_list
from autocom.core.stages import Call, Patched, Promised, Reaching, Talking, Third
from autocom.core.story import Story
from autocom.core.telephony import RawHeaders

if TYPE_CHECKING:
    from autocom.calls.house import House

RESERVE = 0.1
"""Part of a trunk's channels (at least one) that outgoing legs leave to callers."""

Refusal = Literal["no_line", "loop", "barred", "limit", "busy", "not_allowed_here"]
"""`busy`: a colleague who talks to somebody; `not_allowed_here`: one who may not serve the client where she sits."""


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
    *,
    by_rule: bool = False,
) -> Way | Refusal:
    """How `number` is dialled for this call, or why it is not. `stories` are all that are open, this
    call's own with the leg it held before. `by_rule`: the files say so, nobody chose it; what they name may lie
    in another country. Limits are not asked for here: `way_for` does."""
    if by_rule or number in written_numbers(configuration, call.client):
        if never_dialled(number, plan):
            return "barred"
    elif forbidden(number, configuration.bureau.outgoing, _paying(call, configuration), plan):
        return "barred"
    if number in own_numbers(configuration) or (call.direction == "in" and number in came_by(call, plan)):
        return "loop"
    trunk = free_trunk(configuration, list(stories), call.trunk)
    if trunk is None:
        return "no_line"
    return Way(trunk.id, call.client.display, shown(call, present, configuration.bureau))


def way_for(house: House, call: Call, number: str, present: str, by: str | None, now: float) -> Way | Refusal:
    """How `number` is dialled for this call because the secretary `by` wants it, within her limits and the
    client's; `by` None: because the files say so."""
    configuration = house.in_force
    if by is not None and over_limit(house, number, _paying(call, configuration), by, now):
        return "limit"
    return way_out(configuration, house.stories, call, number, present, house.plan, by_rule=by is None)


def refusal(house: House, number: str, client: Client | None, by: str, now: float) -> str | None:
    """Why this secretary may not have an E.164 number dialled for this client (None: for the bureau), in the words of
    `StockSounds.refusals` and of the entry `call_refused`; None where she may. Asked where she asks, so that
    she hears the reason; the door (`way_for`) is asked again before the leg is rung."""
    configuration, plan = house.in_force, house.plan
    known = number in written_numbers(configuration, client)
    if not known and (why := forbidden(number, configuration.bureau.outgoing, client, plan)):
        return why
    if known and never_dialled(number, plan):
        return "premium"
    if number in own_numbers(configuration):
        return "own"
    if over_limit(house, number, client, by, now):
        return "limit"
    return None if free_trunk(configuration, list(house.stories)) is not None else "no_line"


def over_limit(house: House, number: str, client: Client | None, by: str, now: float) -> bool:
    """Whether one more call to this number would be too much. Numbers of the files are not counted."""
    configuration = house.in_force
    if number in written_numbers(configuration, client):
        return False
    return over(house.uses(), configuration, by, client.id if client is not None else "", now)


def _paying(call: Call, configuration: Configuration) -> Client | None:
    """The call's client as the files know it now; None: the call is the bureau's own."""
    return configuration.clients.get(call.client.id, call.client) if call.client.id else None


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
    nobody. He chose the number that he showed, so it is judged as strictly as what a secretary dials."""
    if forbidden(number, configuration.bureau.outgoing, call.client, plan):
        return "barred"
    if number in own_numbers(configuration):
        return "loop"
    trunk = free_trunk(configuration, list(stories), call.trunk)
    if trunk is None:
        return "no_line"
    return Way(trunk.id, call.client.display, shown(call, "client", configuration.bureau))


def barred(number: str, plan: NumberingPlan = FRANCE) -> bool:
    """Whether nothing may ever dial this: an emergency number in any form (the call would reach the department of
    the trunk, not the caller's), a satellite, or a number that the one who dials pays dearly for."""
    return never_dialled(number, plan)


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
        (story.call.trunk == trunk and not story.absent) + _legs_on(story).count(trunk) for story in stories
    )


def reserve(max_calls: int) -> int:
    """Channels that stay free for callers whatever is forwarded."""
    return max(1, math.ceil(max_calls * RESERVE))


def _legs_on(story: Story) -> tuple[str | None, ...]:
    """The trunks of the legs outside that this call holds beside its caller's own channel."""
    match story.stage:
        case Reaching(leg=str(), trunk=trunk) | Promised(outside=str(), trunk=trunk):
            return (story.trunk_out, trunk)
        case Patched(reaching=reaching):
            return (story.trunk_out, reaching.trunk)
        case Talking(third=Third(trunk=trunk)):
            return (story.trunk_out, trunk)
        case _:
            return (story.trunk_out,)


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
