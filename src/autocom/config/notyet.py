"""What the files may say but this version does not do yet.

The language of the files is fixed, so all of it is accepted; but an admin must not believe in a key
that has no effect, so `check` says so in a note beside each. The table is the whole of it: a feature
that is finished removes its line. Must not know models. Invariant: every line names keys of the
contract. The story goes on in `load`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from autocom.config.document import Plain, Route

_IN_STEPS = r"(?:^|\.)(?:do|on_timeout|on_full|on_nobody|otherwise|keys\.[^.]+)\.\d+\."


@dataclass(frozen=True, slots=True)
class NotYet:
    """Keys without effect: `route` matches `client.retention`, `bureau.rosters` and so on; where
    `values` is given, only those values are meant. `instead` says what happens."""

    route: str
    values: tuple[str, ...] = ()
    instead: str = "it has no effect"


NOT_YET: tuple[NotYet, ...] = (
    NotYet(
        _IN_STEPS + "(?:forward|on_call|voicemail|message)$",
        instead="the caller hears the house's `nobody` message instead, and is hung up",
    ),
    NotYet(_IN_STEPS + r"queue\.announce$"),
    NotYet(r"^bureau\.rosters$"),
    NotYet(r"^bureau\.trunks\.\d+\.(?:host|max_calls)$"),
    NotYet(r"^(?:client|bureau\.defaults)\.(?:outgoing|code|retention)$"),
    NotYet(r"^(?:client|bureau\.defaults)\.recording$", ("on_demand", "always")),
)


def not_served(kind: str, tree: Plain, table: Sequence[NotYet] = NOT_YET) -> Iterator[tuple[Route, str]]:
    """Route and message of every key of the tree that is not served yet. `kind`: bureau or client."""
    patterns = [(re.compile(line.route), line.values, line.instead) for line in table]
    for route, value in _keys(tree, ()):
        dotted = ".".join((kind, *map(str, route)))
        for pattern, values, instead in patterns:
            if not pattern.search(dotted):
                continue
            if not values:
                yield route, f"`{route[-1]}` is not yet served by this version: {instead}"
            elif isinstance(value, str) and value in values:
                yield route, f"`{route[-1]}: {value}` is not yet served by this version: {instead}"


def _keys(tree: Plain, route: Route) -> Iterator[tuple[Route, Plain]]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield (*route, key), value
            yield from _keys(value, (*route, key))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from _keys(value, (*route, index))
