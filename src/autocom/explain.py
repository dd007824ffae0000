"""`autocom explain`: what would happen to a call at any moment, and why, as one decision trail.

Runs the same pure functions as a live call (`identify`, `choose`, `steps_of`), so it cannot say
anything else than what the exchange would do. What only a running exchange knows (who is at work, who
waits, overrides, the version in force) comes in as its status, `live`; without it nobody waits and
somebody is at work. Must not ask the exchange itself. The words for a terminal are in `explained`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from autocom.core.hours import local
from autocom.core.ingress import Identity, NumberBook, identify
from autocom.core.journal import Json
from autocom.core.model import (
    Client,
    Configuration,
    Enqueue,
    ForwardReason,
    OnCall,
    Rule,
    Secretary,
    Step,
    Trunk,
)
from autocom.core.numbers import NumberingPlan
from autocom.core.oncall import on_duty
from autocom.core.overrides import Override, of_hours, of_team
from autocom.core.reach import every_step, in_reach, suits
from autocom.core.routing import Choice, Circumstances, choose, next_change, next_expiry, steps_of
from autocom.core.telephony import RawHeaders
from autocom.wordings import in_words, tree

AT_WORK = frozenset({"free", "ringing", "talking", "wrap_up", "paused"})


@dataclass(frozen=True, slots=True)
class Asked:
    """The call that is asked about. `at`: UTC epoch seconds; `caller` None: withheld; `reason` a word of the
    YAML's `forward_reason`."""

    did: str
    at: float
    caller: str | None = None
    forwarded_from: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Live:
    """What the running exchange says: its status, and whether the call is asked about for this very moment
    (else who is at work now says nothing)."""

    status: Mapping[str, Json] = field(default_factory=dict)
    now: bool = False

    def rows(self, key: str) -> list[dict[str, Json]]:
        """A list of the status."""
        listed = self.status.get(key)
        return [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []

    def overrides(self, client: str) -> tuple[Override, ...]:
        """The client's, as values again."""
        return tuple(
            Override(
                client=client,
                kind=str(row["override"]),
                until=_instant(row["until"]),
                author=str(row["author"]),
                since=_instant(row["since"]),
                team=str(row["team"]) if row["team"] else None,
                reason=str(row["reason"]),
            )
            for row in self.rows("overrides")
            if row["client"] == client
        )

    def waiting(self, client: str) -> int:
        """How many of the client's callers wait."""
        return sum(row["client"] == client for row in self.rows("waiting")) if self.now else 0

    def states(self) -> dict[str, str]:
        """Each secretary's state; empty where it does not count."""
        return {str(row["id"]): str(row["state"]) for row in self.rows("secretaries")} if self.now else {}


def explain(
    configuration: Configuration,
    plan: NumberingPlan,
    asked: Asked,
    live: Live | None = None,
    language: str | None = None,
) -> dict[str, Json]:
    """The decision trail; steps are told in `language`, else the bureau's."""
    live = live or Live()
    speaks = language or configuration.bureau.language
    identity = _identity(configuration, plan, asked)
    client = configuration.clients[identity.client]
    overrides = live.overrides(client.id)
    now = _circumstances(configuration, client, identity, asked.at, live)
    choice = choose(client, now, configuration.blocked)
    steps = steps_of(choice, client)
    queue = next((step for step in steps if isinstance(step, Enqueue)), None)
    team_by = of_team(overrides, asked.at)
    moved = team_by.team if team_by is not None and team_by.team in configuration.teams else None
    return {
        "at": _iso(asked.at),
        "client": client.id,
        "name": client.name,
        "display": client.display,
        "did": identity.did,
        "caller": identity.caller,
        "anonymous": identity.anonymous,
        "forwarded_from": identity.forwarded_from,
        "forward_reason": identity.forward_reason.value if identity.forward_reason else None,
        "flags": list(identity.flags),
        "candidates": list(identity.candidates),
        "identified_by": list(identity.why),
        "open": choice.open,
        "hours": choice.hours_why,
        "absence": choice.absence.name if choice.absence else None,
        "next_change": _next_change(configuration, client, now, overrides),
        "overrides": [
            {
                "override": o.kind,
                "team": o.team,
                "until": _iso(o.until),
                "author": o.author,
                "reason": o.reason,
            }
            for o in overrides
            if o.until > asked.at
        ],
        "decision": None if choice.blocked else _decision(client),
        "rule": choice.rule.name,
        "line": choice.rule.line,
        "blocked": choice.blocked,
        "trail": [
            {
                "rule": t.rule,
                "matched": t.matched,
                "failed": t.failed,
                "because": t.because,
                "line": _line(configuration, client, t.rule),
            }
            for t in choice.trail
        ],
        "steps": [in_words(step, speaks) for step in steps],
        "steps_in_full": list(tree(steps, speaks, unsaid=True)),
        "on_full": list(tree(client.on_full, speaks)),
        "team": (moved or queue.team) if queue else None,
        "queue": _queue(client, queue) if queue else None,
        "eligible": list(_eligible(configuration, client, moved or queue.team)) if queue else [],
        "not_eligible": list(_unfit(configuration, client, moved or queue.team)) if queue else [],
        "further_queues": _further(steps, queue),
        "cut_off": next(
            (row for row in live.rows("cut_off") if live.now and _is(row, client, identity)), None
        ),
        "on_call": [_duty(configuration, name, asked.at) for name in _rosters((*steps, *client.on_full))],
        "at_work": {name: state for name, state in live.states().items() if state in AT_WORK}
        if live.now
        else None,
        "why": _why(identity, choice),
        "config_version": configuration.version,
        "version_in_force": live.status.get("config_version"),
        "timezone": configuration.bureau.timezone,
    }


def _is(row: Mapping[str, Json], client: Client, identity: Identity) -> bool:
    """Whether it is this caller whom the end of Asterisk cut off."""
    return not identity.anonymous and (row["client"], row["caller"]) == (client.id, identity.caller)


def _identity(configuration: Configuration, plan: NumberingPlan, asked: Asked) -> Identity:
    diversion = (
        (f"<sip:{asked.forwarded_from}@explain.invalid>;reason={asked.reason or 'unknown'}",)
        if asked.forwarded_from
        else ()
    )
    withheld = asked.caller is None or asked.caller == "anonymous"
    raw = RawHeaders(
        request_user=asked.did,
        from_="<sip:anonymous@anonymous.invalid>" if withheld else f"<sip:{asked.caller}@explain.invalid>",
        diversion=diversion,
    )
    identity = identify(raw, Trunk("explain", ()), NumberBook.of(configuration), plan)
    if asked.reason and not asked.forwarded_from:
        identity = replace(identity, forward_reason=ForwardReason(asked.reason))
    return identity


def _circumstances(
    configuration: Configuration, client: Client, identity: Identity, at: float, live: Live
) -> Circumstances:
    reach = in_reach(client, configuration.teams, configuration.secretaries, configuration.bureau)
    states = live.states()
    return Circumstances(
        at,
        identity.caller,
        identity.anonymous,
        identity.forward_reason,
        identity.did,
        live.waiting(client.id),
        nobody=live.now and not any(states.get(name) in AT_WORK for name in reach),
        override=of_hours(live.overrides(client.id), at),
    )


def _why(identity: Identity, choice: Choice) -> list[Json]:
    trials = (
        f"rule {t.rule}: "
        + (
            f"its conditions hold{f' because {t.because}' if t.because else ''}"
            if t.matched
            else f"no, {t.failed}"
        )
        for t in choice.trail
    )
    return [*identity.why, *trials]


def _decision(client: Client) -> Json:
    """Who is asked first in a live call; the rest of the address may hold a secret."""
    asked = client.decision
    return None if asked is None else {"host": urlsplit(asked.url).hostname, "within_s": asked.within}


def _rules(configuration: Configuration, client: Client) -> tuple[Rule, ...]:
    """In the order in which they are asked."""
    blocked = configuration.blocked
    return client.rules if blocked is None else (blocked, *client.rules)


def _line(configuration: Configuration, client: Client, name: str) -> int:
    return next((rule.line for rule in _rules(configuration, client) if rule.name == name), 0)


def _next_change(
    configuration: Configuration, client: Client, now: Circumstances, overrides: tuple[Override, ...]
) -> Json:
    """When the clock alone may make another rule hold, in UTC and on the client's wall."""
    at = now.at
    found = [next_change(client, at), next_expiry(_rules(configuration, client), now)]
    found += [o.until for o in overrides if o.until > at]
    instant = min((each for each in found if each is not None), default=None)
    if instant is None:
        return None
    return {"at": _iso(instant), "local": f"{local(client.hours.zone, instant):%Y-%m-%d %H:%M}"}


def _queue(client: Client, queue: Enqueue) -> dict[str, Json]:
    return {
        "ring": queue.ring.value,
        "ring_for_s": queue.ring_for,
        "priority": client.priority,
        "target_s": client.target,
        "max_wait_s": queue.max_wait,
        "max_calls": client.max_calls,
        "preferred": list(queue.prefer),
        "preferred_for_s": queue.prefer_for,
        "max_expected_wait_s": queue.max_expected_wait,
        "nobody": "paused" if queue.nobody_paused else "logged_out",
        "languages": list(client.languages),
        "countries": list(client.countries),
    }


def _further(steps: tuple[Step, ...], first: Enqueue | None) -> list[Json]:
    """Teams of the queues that the ways out of this one lead to."""
    teams = [step.team for step in every_step(steps) if isinstance(step, Enqueue) and step is not first]
    return list(dict.fromkeys(teams))


def _rosters(steps: tuple[Step, ...]) -> list[str]:
    """The rosters that any way of these steps leads to."""
    return list(dict.fromkeys(step.roster for step in every_step(steps) if isinstance(step, OnCall)))


def _duty(configuration: Configuration, name: str, at: float) -> Json:
    """Who would be rung, did the caller come to that step at this moment."""
    roster = configuration.rosters[name]
    duty = on_duty(roster, at, configuration.bureau.timezone)
    fallback = roster.fallback
    return {
        "roster": name,
        "on_duty": [{"name": who.name, "number": who.number} for who in duty],
        "ring_for_s": roster.ring_for,
        "rounds": roster.rounds,
        "accept": roster.accept,
        "fallback": {"name": fallback.name, "number": fallback.number} if fallback else None,
    }


def _members(configuration: Configuration, team: str) -> Iterator[tuple[float, str, Secretary]]:
    """Everybody whom a caller of this team reaches in time, once: after how many seconds, in which team."""
    known = configuration.teams[team]
    seen: set[str] = set()
    for after, name in ((0.0, team), *((step.after, step.to) for step in known.widen)):
        for secretary in configuration.secretaries.values():
            if name in secretary.teams and secretary.id not in seen:
                seen.add(secretary.id)
                yield after, name, secretary


def _eligible(configuration: Configuration, client: Client, team: str) -> Iterator[Json]:
    """In the order in which they are asked, were all of them free."""
    reach = [team, *(step.to for step in configuration.teams[team].widen)]

    def place(found: tuple[float, str, Secretary]) -> tuple[float, int, int, str]:
        _, name, secretary = found
        spoken = len(set(client.languages) & set(secretary.languages))
        return reach.index(name), secretary.teams[name], -spoken, secretary.id

    for after, name, secretary in sorted(_members(configuration, team), key=place):
        if suits(secretary, client, configuration.bureau):
            yield {
                "secretary": secretary.id,
                "team": name,
                "level": secretary.teams[name],
                "after_s": after,
            }


def _unfit(configuration: Configuration, client: Client, team: str) -> Iterator[Json]:
    """Who is in a team that he reaches, and yet may not take him."""
    for _, name, secretary in _members(configuration, team):
        if not suits(secretary, client, configuration.bureau):
            language = client.languages and not set(client.languages) & set(secretary.languages)
            yield {"secretary": secretary.id, "team": name, "why": "language" if language else "country"}


def _iso(instant: float) -> str:
    return datetime.fromtimestamp(instant, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _instant(text: Json) -> float:
    return datetime.fromisoformat(str(text)).timestamp()
