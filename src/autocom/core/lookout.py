"""What a look at the exchange finds wrong: nobody for an open client, callers who wait too long, parts that are away.

A `Sight` is what the exchange knows of itself at one instant; `findings` reads it. Pure. Must not know how often
one looks, nor whether anybody is told (`alerts`). Invariant: a bureau in health costs one question for each client
(whether an override sends his callers elsewhere); rules are asked only of clients for whom nobody is at work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from autocom.core.alerts import Alerting, Finding
from autocom.core.model import Client, Configuration, Enqueue
from autocom.core.overrides import Override
from autocom.core.reach import in_reach, queues, teams_of
from autocom.core.routing import Circumstances, choose, flatten

NAMES = 12
"""Clients that one finding names."""

STREAK = 5
"""Outgoing calls in a row that a trunk could not connect, after which it counts as down."""

CERTIFICATE_DAYS = 21


@dataclass(frozen=True, slots=True)
class Group:
    """Clients for whom the same secretaries may be asked. `name`: their queues' teams."""

    name: str
    secretaries: frozenset[str]
    clients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sight:
    """What is the case at the instant `now` (UTC epoch seconds). `waiters`: client and instant of joining of
    everybody who waits on the line; `present`: secretaries registered and logged in; `backlog`: entries that are not
    in PostgreSQL, the oldest for `behind` seconds; `outboxes`: since when something waits in each; `trunks`: those
    that do not answer, with the reason; `certificate`: days until it ends."""

    now: float
    connected: bool = True
    database: bool = True
    backlog: int = 0
    behind: float = 0.0
    waiters: Sequence[tuple[str, float]] = ()
    present: frozenset[str] = frozenset()
    outboxes: Mapping[str, float] = field(default_factory=dict)
    trunks: Mapping[str, str] = field(default_factory=dict)
    certificate: int | None = None


def groups(configuration: Configuration) -> tuple[Group, ...]:
    """The clients whose rules have a queue, by who may be asked for them, widening counted."""
    found: dict[tuple[str, frozenset[str]], list[str]] = {}
    known: dict[object, frozenset[str]] = {}  # thousands of clients are alike
    for client in configuration.clients.values():
        teams = sorted({queue.team for queue in queues(client)})
        if teams:
            alike = (*teams, client.languages, client.countries)
            if alike not in known:
                known[alike] = in_reach(
                    client, configuration.teams, configuration.secretaries, configuration.bureau
                )
            found.setdefault(("+".join(teams), known[alike]), []).append(client.id)
    return tuple(Group(name, reach, tuple(clients)) for (name, reach), clients in found.items())


def findings(
    sight: Sight,
    configuration: Configuration,
    staffed: Sequence[Group],
    is_open: Callable[[Client], bool],
    sent_to: Callable[[str], str | None] = lambda _: None,
) -> Iterator[Finding]:
    """Everything that is wrong. `staffed`: `groups` of this configuration; `is_open`: whether a client `takes_callers`
    now; `sent_to`: the team that an override sends a client's callers to."""
    alerting = configuration.bureau.alerts
    if not sight.connected:
        yield Finding("telephone_lost")
    if not sight.database:
        yield Finding("database_down", detail=str(sight.backlog))
    elif sight.behind > alerting.rules["journal_lag"].over:
        yield Finding("journal_lag", detail=f"{sight.backlog}, {span(sight.behind)}")
    for way, since in sight.outboxes.items():
        if sight.now - since > alerting.rules["outbox_stuck"].over:
            yield Finding("outbox_stuck", way, span(sight.now - since))
    for trunk, why in sight.trunks.items():
        yield Finding("trunk_down", trunk, why)
    if sight.certificate is not None and sight.certificate < CERTIFICATE_DAYS:
        yield Finding("certificate_expiring", detail=str(sight.certificate))
    yield from _waits(sight, alerting, configuration)
    yield from _unstaffed(sight, configuration, staffed, is_open, sent_to)


def takes_callers(client: Client, now: float, override: Override | None = None) -> bool:
    """Whether an ordinary caller of this instant would wait for a secretary: the rule that holds for him leads into a
    queue, not only by a menu's key. What a rule for an empty floor would say is not asked."""
    did = client.lines[0].did if client.lines else None
    choice = choose(client, Circumstances(now, did=did, override=override))
    return any(isinstance(step, Enqueue) for step in flatten(choice.rule, client))


def _waits(sight: Sight, alerting: Alerting, configuration: Configuration) -> Iterator[Finding]:
    """Clients with a limit of their own by themselves, all others together."""
    late: dict[str, list[float]] = {}
    names: dict[str, dict[str, None]] = {}
    for client, joined in sight.waiters:
        limit = alerting.clients.get(client, alerting.rules["long_wait"].over)
        if sight.now - joined > limit:
            subject = client if client in alerting.clients else ""
            late.setdefault(subject, []).append(joined)
            names.setdefault(subject, {})[client] = None
    for subject, since in late.items():
        about = "" if subject else f" ({_named(tuple(names[subject]), configuration)})"
        detail = f"{len(since)}, {span(sight.now - min(since))}{about}"
        yield Finding("long_wait", subject, detail, len(since))


def _unstaffed(
    sight: Sight,
    configuration: Configuration,
    staffed: Sequence[Group],
    is_open: Callable[[Client], bool],
    sent_to: Callable[[str], str | None],
) -> Iterator[Finding]:
    lacking: dict[str, list[str]] = {}
    for group in staffed:
        empty = group.secretaries.isdisjoint(sight.present)
        for client in group.clients:
            team = sent_to(client)
            if team is not None:
                lacks, name = _at_work(team, configuration).isdisjoint(sight.present), team
            else:
                lacks, name = empty, group.name
            if lacks and is_open(configuration.clients[client]):
                lacking.setdefault(name, []).append(client)
    for name, clients in lacking.items():
        yield Finding("no_secretary", name, _named(clients, configuration), len(clients))


def _at_work(team: str, configuration: Configuration) -> frozenset[str]:
    """Whoever may be asked for a caller who waits for this team."""
    wide = teams_of((team,), configuration.teams)
    return frozenset(s.id for s in configuration.secretaries.values() if not wide.isdisjoint(s.teams))


def _named(clients: Sequence[str], configuration: Configuration) -> str:
    known = [configuration.clients[client].name for client in clients if client in configuration.clients]
    more = f" +{len(known) - NAMES}" if len(known) > NAMES else ""
    return ", ".join(known[:NAMES]) + more


def span(seconds: float) -> str:
    """A time in words that are the same in both languages: `45 s`, `3 min 20 s`, `2 h 05 min`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
