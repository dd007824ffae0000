"""What a team lead does from outside: set, list and end overrides (`autocom override`, `/v1/overrides`).

Checks names against the configuration in force, with a suggestion for a mistyped one, then leaves the
rest to `calls.overriding`. Must not decide what an override means. Times are read in the bureau's zone.
"""

from __future__ import annotations

from collections.abc import Mapping

from autocom.calls.switchboard import Switchboard
from autocom.core.journal import Json
from autocom.core.model import Client, Configuration
from autocom.core.overrides import Override, read_until, refusal
from autocom.core.routing import hours_of
from autocom.timeline import iso
from autocom.wishes import known, text_of

MOST_LETTERS = 200


def rows(board: Switchboard) -> list[Json]:
    """Everything in force, the one that ends first first."""
    now = board.house.wall(board.ports.clock.now())
    return [row(each) for each in board.overrides.all() if each.until > now]


def row(override: Override) -> dict[str, Json]:
    """One override as the API shows it."""
    return {
        "client": override.client,
        "override": override.kind,
        "team": override.team,
        "since": iso(override.since),
        "until": iso(override.until),
        "author": override.author,
        "reason": override.reason,
    }


def set_override(board: Switchboard, wish: Mapping[str, Json]) -> dict[str, Json]:
    """Put in force what `wish` says (client, override, team, until, author, reason); what is in force then,
    with `unheard` where no rule of the client's asks for the hours.

    LookupError for an unknown client or team, ValueError for anything else that is wrong."""
    configuration = _configuration(board)
    client = known(text_of(wish, "client", MOST_LETTERS), configuration.clients, "client")
    kind = text_of(wish, "override", MOST_LETTERS)
    team = known(text_of(wish, "team", MOST_LETTERS), configuration.teams, "team") if kind == "team" else None
    now = board.house.wall(board.ports.clock.now())
    override = Override(
        client=client,
        kind=kind,
        until=read_until(text_of(wish, "until", MOST_LETTERS), configuration.bureau.timezone, now),
        author=text_of(wish, "author", MOST_LETTERS) or "api",
        since=now,
        team=team,
        reason=text_of(wish, "reason", MOST_LETTERS),
    )
    why_not = refusal(override, now)
    if why_not is not None:
        raise ValueError(why_not)
    board.overrides.set(override)
    return row(override) | ({"unheard": True} if unheard(configuration.clients[client], override) else {})


def unheard(client: Client, override: Override) -> bool:
    """Whether no rule of the client's asks what this override says: then it changes nothing for new calls."""
    if override.kind == "team":
        return False
    asked = [rule.when for rule in client.rules if rule.when is not None]
    if any(when.open is not None for when in asked):
        return False
    # it also ends an absence that is in force
    absent = hours_of(client, override.since).absence is not None
    return not (absent and any(when.absence is not None for when in asked))


def clear_overrides(board: Switchboard, client: str, author: str) -> dict[str, Json]:
    """End this client's; how many there were. LookupError where neither the client nor an override is known."""
    if not board.overrides.of(client):
        known(client, _configuration(board).clients, "client")
    return {"client": client, "cleared": board.overrides.clear(client, author)}


def _configuration(board: Switchboard) -> Configuration:
    if board.configuration is None:
        raise ValueError("no configuration is in force yet")
    return board.configuration
