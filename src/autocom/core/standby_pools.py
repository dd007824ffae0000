"""Who is rung for a client's callers while autocom is away: one pool for each team, as a queue of Asterisk's.

A pool is a team with those it widens to, less the secretaries who may not serve the client (languages,
countries): clients with the same limits share it. The level is a penalty, 1 best; a team that is reached later
begins at 11, the next at 21, and the limit up to which penalties are asked rises with the caller's wait. Must
not know Asterisk's syntax (`asterisk.conf.queues` writes it) nor who is at work. Invariant: equal files give
equal pools, and a pool's name is one of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from autocom.core.model import Client, Configuration, Team
from autocom.core.reach import queues, suits

STRIDE = 10
"""Penalties between a team and the next one it widens to; levels are 1 to 3."""
FIRST = STRIDE - 1
"""The highest penalty that is asked from the beginning."""


@dataclass(frozen=True, slots=True)
class Pool:
    """`members`: each secretary's penalty, by id; `widening`: from so many seconds on, the highest penalty asked."""

    name: str
    team: str
    members: tuple[tuple[str, int], ...]
    widening: tuple[tuple[int, int], ...] = ()


def pool_of(team: str, client: Client, configuration: Configuration) -> Pool:
    """The pool that serves this client's callers who wait for this team."""
    known = configuration.teams.get(team, Team(team))
    steps = tuple(
        (max(1, round(widening.after)), STRIDE * place + FIRST)
        for place, widening in enumerate(known.widen, start=1)
    )
    penalties: dict[str, int] = {}
    left_out: list[str] = []
    for who, secretary in sorted(configuration.secretaries.items()):
        penalty = _penalty(team, known, secretary.teams)
        if penalty is None:
            continue
        if suits(secretary, client, configuration.bureau):
            penalties[who] = penalty
        else:
            left_out.append(who)
    name = team
    if left_out:
        # a dot stands in no id
        name = f"{team}.{hashlib.blake2s(' '.join(left_out).encode(), digest_size=4).hexdigest()}"
    return Pool(name, team, tuple(penalties.items()), steps)


def _penalty(team: str, known: Team, levels: Mapping[str, int]) -> int | None:
    """Her best one in this pool; None where she is never reached."""
    reached = (team, *(widening.to for widening in known.widen))
    found = [
        STRIDE * place + min(FIRST, max(1, levels[each]))
        for place, each in enumerate(reached)
        if each in levels
    ]
    return min(found, default=None)


def pools(configuration: Configuration) -> dict[str, Pool]:
    """Every pool to which a rule of any client may lead, by name: those of its queues, and of every other team, since a
    lead may have its callers wait for another one."""
    found: dict[str, Pool] = {}
    seen: set[tuple[object, ...]] = set()
    for client in configuration.clients.values():
        for team in sorted({queue.team for queue in queues(client)} | set(configuration.teams)):
            alike = (team, client.languages, client.countries)
            if alike not in seen:
                seen.add(alike)
                pool = pool_of(team, client, configuration)
                found[pool.name] = pool
    return dict(sorted(found.items()))
