"""What is decided at the door, purely: which circumstances the rules are asked under, what the call is
from then on, and what is written down first.

Only values go in and out; `Switchboard._begin` saves the result before the story begins.
"""

from __future__ import annotations

from dataclasses import replace

from autocom.core.ingress import Identity
from autocom.core.journal import Entry, Json
from autocom.core.model import Client, Configuration, Hangup, HangupKind
from autocom.core.overrides import Override
from autocom.core.posts import Staff
from autocom.core.returning import Visit
from autocom.core.routing import Choice, Circumstances, ending_outcome, steps_of, trials
from autocom.core.stages import Deciding, Following
from autocom.core.story import Call, Story
from autocom.core.telephony import CallEntered


def staff_of(configuration: Configuration) -> Staff:
    """What the floor needs of a configuration."""
    bureau = configuration.bureau
    return Staff(
        levels={s.id: dict(s.teams) for s in configuration.secretaries.values()},
        teams=configuration.teams,
        wrap_up={c.id: (c.wrap_up_min, c.wrap_up_max) for c in configuration.clients.values()},
        auto_login=frozenset(s.id for s in configuration.secretaries.values() if s.auto_login),
        pause_after=bureau.pause_after,
        languages={s.id: s.languages for s in configuration.secretaries.values()},
        countries={s.id: s.country or bureau.country for s in configuration.secretaries.values()},
        breather=bureau.breather,
        quotas=bureau.quotas,
        zone=bureau.timezone,
    )


def circumstances(
    identity: Identity,
    now: float,
    waiting: int,
    *,
    nobody: bool,
    override: Override | None,
    came: float | None = None,
) -> Circumstances:
    """What the conditions of the client's rules are asked about. `waiting`: the client's callers in the queue;
    `came`: when the call did."""
    return Circumstances(
        at=now,
        caller=identity.caller,
        anonymous=identity.anonymous,
        forward_reason=identity.forward_reason,
        did=identity.did,
        waiting=waiting,
        nobody=nobody,
        override=override,
        came=came,
    )


def decided(
    call: str,
    fact: CallEntered,
    identity: Identity,
    client: Client,
    choice: Choice,
    version: str,
    waiting: int,
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
        waiting=waiting,
        open=choice.open,
    )


def first_stage(choice: Choice, client: Client, now: float) -> Deciding | Following:
    """Where the story begins: with the rule's steps, or with asking the client's own system, which has no say
    about whom the bureau blocks."""
    steps = steps_of(choice, client)
    decision = None if choice.blocked else client.decision
    return Following(steps) if decision is None else Deciding(steps, now + decision.within)


def identified(identity: Identity, name: str, version: str) -> dict[str, Json]:
    """Whose call it is, as the journal has it; `name`: the client's."""
    return {
        "client": identity.client,
        "name": name,
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
        "config_version": version,
    }


def met(
    call: str, fact: CallEntered, identity: Identity, configuration: Configuration, now: float
) -> tuple[Entry, Entry]:
    """The first entries of any caller: he came, and whose call it is."""
    name = configuration.clients[identity.client].name
    return (
        Entry(fact.at, "arrived", call, {"trunk": fact.trunk, "channel": fact.channel}),
        Entry(now, "identified", call, identified(identity, name, configuration.version)),
    )


def opening(
    call: Call, fact: CallEntered, configuration: Configuration, choice: Choice, now: float
) -> tuple[Entry, ...]:
    """The first entries of a call: it came, whose it is, which rule took it and why."""
    return (
        *met(call.id, fact, call.identity, configuration, now),
        Entry(
            now,
            "rule",
            call.id,
            {
                "rule": call.rule,
                "open": choice.open,
                "hours": choice.hours_why,
                "why": trials(choice),
            },
        ),
    )


def returned(story: Story, visit: Visit | None, now: float) -> Story:
    """The story of one who was here a while ago: he has waited already, and knows somebody."""
    if visit is None:
        return story
    since = visit.since
    if since is None and visit.waited:
        since = now - visit.waited
    return replace(story, waiting_since=since, known=visit.secretary, ahead=visit.talked)


def returning(call: Call, visit: Visit | None, now: float) -> tuple[Entry, ...]:
    """That he came back, and with what."""
    if visit is None:
        return ()
    fields: dict[str, Json] = {
        "waited_ms": round(visit.waited * 1000),
        "left_ms_ago": round((now - visit.left_at) * 1000),
        "cut": visit.cut,
        "secretary": visit.secretary,
        "lost": visit.since is not None,
        "talked": visit.talked,
    }
    return (Entry(now, "returning", call.id, fields),)
