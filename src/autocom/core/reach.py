"""What the rules of a client lead to: every list of steps inside a step, every queue, every secretary.

Pure walks over the frozen values, for all who look at rules from outside (`explain`, `differences`, who is
asked by `nobody`). Must not decide which rule holds. Invariant: `branches` names every way that leads out
of a step, so that a walk over it misses no step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from autocom.core.model import Bureau, Client, Configuration, Enqueue, Menu, Secretary, Step, Team
from autocom.core.posts import Post


def branches(step: Step) -> Iterator[tuple[str, tuple[Step, ...]]]:
    """The steps inside a step, by the key of the YAML that leads to them (`on_timeout`, `key 1`)."""
    match step:
        case Enqueue():
            yield "on_timeout", step.on_timeout
            yield "on_full", step.on_full
            yield "on_nobody", step.on_nobody
            yield "on_closing", step.on_closing
            yield "on_long_wait", step.on_long_wait
            for digit, steps in step.keys.items():
                yield f"key {digit}", steps
        case Menu():
            for digit, steps in step.keys.items():
                yield f"key {digit}", steps
            yield "otherwise", step.otherwise
        case _:
            return


def every_step(steps: Iterable[Step]) -> Iterator[Step]:
    """Each step at any depth, a step before those inside it."""
    for step in steps:
        yield step
        for _, inside in branches(step):
            yield from every_step(inside)


def all_steps(client: Client) -> Iterator[Step]:
    """Each step, at any depth, to which a call of this client can come."""
    for steps in (*(rule.do for rule in client.rules), client.on_full, client.on_fax):
        yield from every_step(steps)


def queues(client: Client) -> Iterator[Enqueue]:
    """Every queue that any rule of the client leads to."""
    return (step for step in all_steps(client) if isinstance(step, Enqueue))


def teams_of(names: Iterable[str], teams: Mapping[str, Team]) -> frozenset[str]:
    """These teams and those they widen to."""
    found = set(names)
    for name in list(found):
        if (team := teams.get(name)) is not None:
            found.update(step.to for step in team.widen)
    return frozenset(found)


def suits(secretary: Secretary, client: Client, bureau: Bureau) -> bool:
    """Whether she speaks one of the client's languages and sits where the client allows it."""
    if client.languages and not set(client.languages) & set(secretary.languages):
        return False
    return sits_where_allowed(secretary, client, bureau)


def sits_where_allowed(secretary: Secretary, client: Client, bureau: Bureau) -> bool:
    """Whether she sits in one of the countries from which this client may be served."""
    return not client.countries or (secretary.country or bureau.country) in client.countries


def may_serve(secretary: str | None, client: Client, configuration: Configuration) -> bool:
    """Whether this secretary may talk for this client, as the files say now, by whatever way a call comes to her:
    a limit of law. What she speaks does not matter: whoever gives her the call knows. True for who is no secretary."""
    known = configuration.secretaries.get(secretary or "")
    today = configuration.clients.get(client.id, client)
    return known is None or sits_where_allowed(known, today, configuration.bureau)


def in_reach(
    client: Client, teams: Mapping[str, Team], secretaries: Mapping[str, Secretary], bureau: Bureau
) -> frozenset[str]:
    """Who could ever take a call of this client, by id; everybody where its rules have no queue."""
    names = {queue.team for queue in queues(client)}
    if not names:
        return frozenset(secretaries)
    wide = teams_of(names, teams)
    return frozenset(
        s.id for s in secretaries.values() if not wide.isdisjoint(s.teams) and suits(s, client, bureau)
    )


def nobody_since(reach: Iterable[str], posts: Mapping[str, Post]) -> float | None:
    """Since when none of these is registered and logged in (UTC epoch seconds; minus infinity where none of
    them has a post); None while one is.

    The last change of any of them is taken, so a phone that comes and goes without a login may put it off."""
    found = [posts[name] for name in reach if name in posts]
    if any(post.present for post in found):
        return None
    return max((post.since for post in found), default=float("-inf"))
