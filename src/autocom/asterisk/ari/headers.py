"""A caller's raw SIP headers, read from the variables that `dialplan/inbound` sets.

One request brings the fixed ones; Asterisk answers 404 for all when one is missing, so a dialplan
of another version costs one request per variable and never the call. The values are text of
strangers: they are passed on untouched, and only `core.ingress` reads them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from autocom.asterisk.ari.client import Refused
from autocom.asterisk.ari.generated import Ari, Channel
from autocom.asterisk.ari.translate import digits_of, epoch
from autocom.calls.ports import TelephoneDown
from autocom.core.telephony import CallEntered, PhoneDialled, RawHeaders

log = structlog.get_logger()

FIXED = tuple(
    f"AUTOCOM_{name}"
    for name in (
        "TRUNK",
        "REQUEST_USER",
        "FROM",
        "TO",
        "PAI",
        "PRIVACY",
        "PCPI",
        "DID_VALUE",
        "DIVERSIONS",
        "HISTORIES",
    )
)
MOST_LINES = 8
_TRIES = 3


async def fixed(ari: Ari, channel: str) -> dict[str, str]:
    """The variables that every caller has; may be asked before he is in our application (22.10)."""
    return await _variables(ari, channel, FIXED)


async def call_entered(ari: Ari, channel: Channel, found: Mapping[str, str] | None = None) -> CallEntered:
    """The fact, always: with what Asterisk itself knows where the variables cannot be had, since a
    caller in our hands who is never told of would wait in silence. `found`: what `fixed` brought."""
    found = found or await fixed(ari, channel.id)
    numbered = [
        f"AUTOCOM_{kind}_{i}"
        for kind, counter in (("DIVERSION", "DIVERSIONS"), ("HISTORY", "HISTORIES"))
        for i in range(1, _count(found.get(f"AUTOCOM_{counter}", "")) + 1)
    ]
    if numbered:
        found = {**found, **await _variables(ari, channel.id, numbered)}
    return CallEntered(
        channel=channel.id,
        at=epoch(channel.creationtime),
        trunk=found.get("AUTOCOM_TRUNK") or None,
        headers=_headers(found, channel),
    )


async def phone_dialled(ari: Ari, channel: Channel) -> PhoneDialled:
    """What a secretary's phone dialled. Raises Refused where `dialplan/phone.conf` noted nothing: no phone of
    ours."""
    await ari.channels.get_channel_var(channel.id, "AUTOCOM_DIALLED")
    who = (await ari.channels.get_channel_var(channel.id, "AUTOCOM_SECRETARY")).value
    if not who:
        raise Refused(404, "no phone of ours", channel.id)
    return PhoneDialled(channel.id, epoch(channel.creationtime), who, dialled(channel.dialplan.exten))


def dialled(extension: str) -> str:
    """What was dialled, without parameters of its own (`;phone-context=`); nothing where it is no number or code."""
    return digits_of(extension.split(";", 1)[0])


def _headers(found: Mapping[str, str], channel: Channel) -> RawHeaders:
    def lines(kind: str) -> tuple[str, ...]:
        keys = (f"AUTOCOM_{kind}_{i}" for i in range(1, MOST_LINES + 1))
        return tuple(found[key] for key in keys if found.get(key))

    return RawHeaders(
        request_user=found.get("AUTOCOM_REQUEST_USER") or channel.dialplan.exten,
        from_=found.get("AUTOCOM_FROM", ""),
        to=found.get("AUTOCOM_TO", ""),
        p_asserted_identity=found.get("AUTOCOM_PAI", ""),
        privacy=found.get("AUTOCOM_PRIVACY", ""),
        p_called_party_id=found.get("AUTOCOM_PCPI", ""),
        did_header=found.get("AUTOCOM_DID_VALUE", ""),
        diversion=lines("DIVERSION"),
        history_info=lines("HISTORY"),
        caller_number=channel.caller.number,
        caller_name=channel.caller.name,
    )


def _count(text: str) -> int:
    return min(int(text), MOST_LINES) if text.isascii() and text.isdigit() else 0


async def _variables(ari: Ari, channel: str, names: Sequence[str]) -> dict[str, str]:
    for _ in range(_TRIES):
        try:
            answer = await ari.channels.get_channel_vars(channel, names)
        except TelephoneDown as down:
            log.warning("headers_not_read", channel=channel, why=str(down))
        except Refused:
            # one is missing, or the caller is gone
            values = await asyncio.gather(*(_variable(ari, channel, name) for name in names))
            return {name: value for name, value in zip(names, values, strict=True) if value}
        else:
            return {name: str(value) for name, value in dict(answer.variables).items()}
    return {}


async def _variable(ari: Ari, channel: str, name: str) -> str:
    try:
        return (await ari.channels.get_channel_var(channel, name)).value
    except (Refused, TelephoneDown):
        return ""
