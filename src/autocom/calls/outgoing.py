"""The way out, the one door to every trunk: whether a number may be dialled, by which trunk, showing whose number.

Answers from the configuration in force, the calls in progress and what was dialled before; nothing is kept
and nothing is commanded. Invariants: no leg outside is rung that `way_for` (or `way_back`) was not asked
for; which numbers may be is `core.dialling`'s rule; inbound calls find a channel before outgoing ones do (a
reserve is left on every trunk); no own number is dialled, and none that this very call came by; a client's
number is shown only where it is verified. The switchboard asks `looped` at the door.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from autocom.calls.house import House
from autocom.core.dialling import Forbidden, forbidden, never_dialled, over, own_numbers, written_numbers
from autocom.core.model import Bureau, Client, Configuration, Contact, Trunk
from autocom.core.numbers import FRANCE, NumberingPlan, normalise
from autocom.core.sip import Diverted, diversions, history, parse_address, split_list
from autocom.core.stages import Invited, Patched, Promised, Reaching, Talking, Third
from autocom.core.story import Call, Story
from autocom.core.telephony import Cause, RawHeaders

RESERVE = 0.1
"""Part of a trunk's channels (at least one) that outgoing legs leave to callers."""

Refusal = Literal["no_line", "loop", "barred", "limit", "busy", "not_allowed_here"]
"""`busy`: a colleague who talks to somebody; `not_allowed_here`: one who may not serve the client where she sits."""


OPERATOR_OUT = frozenset({3, 27, Cause.CONGESTION, Cause.FAILURE, 41, 42, 102})
"""Causes by which the operator, and not who was called, says no (no route, out of order, 503, 500, network, congestion,
no answer to our INVITE at all): another operator may put the call through."""


@dataclass(frozen=True, slots=True)
class Way:
    """He may be rung: by this trunk (None: a phone of the house needs none)."""

    trunk: str | None


def way_for(
    house: House, call: Call, number: str, by: str | None, now: float, without: Collection[str] = ()
) -> Way | Refusal:
    """How `number` is dialled for this call because the secretary `by` wants it, within her limits and the
    client's, or why it is not; `by` None: because the files say so. Asked while the call still holds the leg that
    it had before. `without`: trunks that are not to be tried (again)."""
    configuration = house.in_force
    client = paying(call, configuration)
    if by is not None and over_limit(house, number, client, by, now):
        return "limit"
    if _kept_from(number, configuration, client, house.plan, by_rule=by is None) is not None:
        return "barred"
    if call.direction == "in" and number in came_by(call, house.plan):
        return "loop"
    return _way(house, call, number, without)


def refusal(house: House, number: str, client: Client | None, by: str, now: float) -> str | None:
    """Why this secretary may not have an E.164 number dialled for this client (None: for the bureau), in the words of
    `StockSounds.refusals` and of the entry `call_refused`; None where she may. Asked where she asks, so that
    she hears the reason; the door (`way_for`) is asked again before the leg is rung."""
    configuration = house.in_force
    why = _kept_from(number, configuration, client, house.plan)
    if why is not None:
        return why
    if number in own_numbers(configuration):
        return "own"
    if over_limit(house, number, client, by, now):
        return "limit"
    return None if free_trunk(configuration, list(house.stories)) is not None else "no_line"


def _kept_from(
    number: str,
    configuration: Configuration,
    client: Client | None,
    plan: NumberingPlan,
    *,
    by_rule: bool = False,
) -> Forbidden | None:
    """Why nobody may dial this number for this client (None: for the bureau). One that the files name may lie in
    another country."""
    if by_rule or number in written_numbers(configuration, client):
        return "premium" if never_dialled(number, plan) else None
    return forbidden(number, configuration.bureau.outgoing, client, plan)


def over_limit(house: House, number: str, client: Client | None, by: str, now: float) -> bool:
    """Whether one more call to this number would be too much. Numbers of the files are not counted."""
    configuration = house.in_force
    if number in written_numbers(configuration, client):
        return False
    return over(house.uses(), configuration, by, client.id if client is not None else "", now)


def paying(call: Call, configuration: Configuration) -> Client | None:
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


def way_back(house: House, call: Call, number: str) -> Way | Refusal:
    """How the caller himself is called back, or why he is not: as `way_for`, but his own number leads back to
    nobody. He chose the number that he showed, so it is judged as strictly as what a secretary dials."""
    if forbidden(number, house.in_force.bureau.outgoing, call.client, house.plan) is not None:
        return "barred"
    return _way(house, call, number)


def _way(house: House, call: Call, number: str, without: Collection[str] = ()) -> Way | Refusal:
    """By a trunk with room, unless the number is one of ours."""
    if number in own_numbers(house.in_force):
        return "loop"
    trunk = free_trunk(house.in_force, list(house.stories), call.trunk, without)
    return "no_line" if trunk is None else Way(trunk.id)


# --- channels --------------------------------------------------------------------------------


def free_trunk(
    configuration: Configuration,
    stories: list[Story],
    first: str | None = None,
    without: Collection[str] = (),
) -> Trunk | None:
    """The trunk for one more outgoing leg: the one that the caller came by, else the first with room; none of these."""
    usable = [
        trunk for trunk in configuration.trunks.values() if trunk.host is not None and trunk.id not in without
    ]
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
    dialled: dict[str, Story] = {}
    promised: dict[str, Story] = {}
    for story in stories:
        found = rung_outside(story)
        if found is not None:
            number, _ = found
            (promised if isinstance(story.stage, Promised) else dialled)[number] = story
    if promised:
        diverted = (normalise(entry.number_text, plan) for entry in _diverted(headers))
        back = next((promised[number] for number in diverted if number in promised), None)
        if back is not None:
            return back
    if not dialled:
        return None
    return next((dialled[number] for number in _named_in(headers, plan) if number in dialled), None)


def rung_outside(story: Story) -> tuple[str, str] | None:
    """The number that is being dialled for this call at this moment, and its leg; None where none is."""
    match story.stage:
        case Reaching(leg=str() as leg, contact=Contact(number=number)):
            return number, leg
        case Promised(outside=str() as leg, number=number):
            return number, leg
        case Talking(third=Third(contact=Contact(number=number), leg=leg, answered_at=None)):
            return number, leg
        case Invited(contact=Contact(number=number), answered=False):
            return number, story.channel
        case _:
            return None


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
