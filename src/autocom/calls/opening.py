"""What is decided at the door, purely: which circumstances the rules are asked under, what the call is
from then on, and what is written down first.

Only values go in and out; `switchboard._open` saves the result before the story begins.
"""

from __future__ import annotations

from autocom.core.ingress import Identity
from autocom.core.journal import Entry
from autocom.core.model import Client, Configuration, Hangup, HangupKind
from autocom.core.posts import Floor, Staff
from autocom.core.routing import Choice, Circumstances, ending_outcome
from autocom.core.stages import Call
from autocom.core.telephony import CallEntered


def staff_of(configuration: Configuration) -> Staff:
    """What the floor needs of a configuration."""
    return Staff(
        levels={s.id: dict(s.teams) for s in configuration.secretaries.values()},
        teams=configuration.teams,
        wrap_up={c.id: (c.wrap_up_min, c.wrap_up_max) for c in configuration.clients.values()},
        auto_login=frozenset(s.id for s in configuration.secretaries.values() if s.auto_login),
        pause_after=configuration.bureau.pause_after,
    )


def circumstances(floor: Floor, client: Client, identity: Identity, now: float) -> Circumstances:
    """What the conditions of the client's rules are asked about."""
    return Circumstances(
        at=now,
        caller=identity.caller,
        anonymous=identity.anonymous,
        forward_reason=identity.forward_reason,
        did=identity.did,
        waiting=sum(waiter.client == client.id for waiter in floor.waiters.values()),
        nobody=not any(post.present for post in floor.posts.values()),
    )


def decided(
    call: str, fact: CallEntered, identity: Identity, client: Client, choice: Choice, version: str
) -> Call:
    """The call as it will be remembered."""
    return Call(
        id=call,
        channel=fact.channel,
        arrived_at=fact.at,
        trunk=fact.trunk,
        identity=identity,
        client=client,
        rule=choice.rule.name,
        by_rule=ending_outcome(choice.rule, None),
        by_refusal=ending_outcome(choice.rule, Hangup(HangupKind.REJECT)),
        config_version=version,
    )


def opening(call: Call, choice: Choice, now: float) -> tuple[Entry, ...]:
    """The first entries of a call: it came, whose it is, which rule took it and why."""
    identity = call.identity
    return (
        Entry(call.arrived_at, "arrived", call.id, {"trunk": call.trunk, "channel": call.channel}),
        Entry(
            now,
            "identified",
            call.id,
            {
                "client": identity.client,
                "name": call.client.name,
                "did": identity.did,
                "caller": identity.caller,
                "anonymous": identity.anonymous,
                "forwarded_from": identity.forwarded_from,
                "forward_reason": identity.forward_reason.value if identity.forward_reason else None,
                "diversions": [
                    {"number": d.number_text, "reason": d.reason.value, "counter": d.counter}
                    for d in identity.diversions
                ],
                "flags": list(identity.flags),
                "why": list(identity.why),
                "config_version": call.config_version,
            },
        ),
        Entry(
            now,
            "rule",
            call.id,
            {
                "rule": call.rule,
                "open": choice.open,
                "why": [{"rule": t.rule, "matched": t.matched, "failed": t.failed} for t in choice.trail],
            },
        ),
    )
