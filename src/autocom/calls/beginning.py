"""What a call is that begins in the house: a phone dialled, a program asked for it, a room rings somebody.

The counterpart of `opening`, which meets the callers. Only values go in and out; who asks for them (`dialled`,
`inviting`) saves them before the story begins. Invariant: whatever is dialled leaves the same first entries, so
that one who reads the journal finds every call of the house by the same words.
"""

from __future__ import annotations

from autocom.calls.outgoing import shown
from autocom.core.ingress import Identity
from autocom.core.journal import Entry, Json
from autocom.core.model import Bureau, Client, Configuration, Hours
from autocom.core.story import Call
from autocom.core.telephony import PhoneDialled


def bureau_itself(bureau: Bureau) -> Client:
    """Whose call it is that is no client's."""
    return Client("", bureau.name, bureau.name[:20], "general", (), Hours(bureau.timezone, {}), ())


def begun(
    fact: PhoneDialled,
    call: str,
    direction: str,
    configuration: Configuration,
    *,
    number: str | None,
    client: Client | None = None,
    item: str | None = None,
) -> Call:
    """The call of that id as it will be remembered. `client` None: the bureau's own; `number`: E.164, None for a phone
    of the house; `item`: of the call list that it is made for."""
    whose = client or bureau_itself(configuration.bureau)
    return Call(
        id=call,
        channel=fact.channel,
        arrived_at=fact.at,
        trunk=None,
        identity=Identity(whose.id, None, fact.dialled, number, "", anonymous=False),
        client=whose,
        rule="",
        by_rule="rejected",
        by_refusal="rejected",
        config_version=configuration.version,
        direction=direction,
        dialled_by=fact.secretary,
        listed=item,
    )


def first_entries(call: Call, bureau: Bureau, now: float, why: str | None = None) -> tuple[Entry, ...]:
    """It came, whose it is, what was dialled; and, where it is refused, `why`."""
    identity, direction, by = call.identity, call.direction, call.dialled_by
    about: dict[str, Json] = {"secretary": by, "dialled": identity.did_text}
    came: dict[str, Json] = {
        "trunk": None,
        "channel": call.channel or None,
        "direction": direction,
        "secretary": by,
    }
    who: dict[str, Json] = {
        "client": call.client.id or None,
        "name": call.client.name,
        "did": shown(call, "client", bureau) if direction == "out" else None,
        "caller": identity.caller,
        "anonymous": False,
        "forwarded_from": None,
        "forward_reason": None,
        "diversions": [],
        "flags": [],
        "why": [],
        "direction": direction,
        "config_version": call.config_version,
    }
    entries = [
        Entry(call.arrived_at, "arrived", call.id, came),
        Entry(now, "identified", call.id, who),
        Entry(now, "dialled", call.id, {**about, "direction": direction}),
    ]
    if why is not None:
        entries.append(Entry(now, "call_refused", call.id, {**about, "why": why}))
    return tuple(entries)
