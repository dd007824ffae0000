"""What the files may say but this version does not do yet.

A key that would be accepted and then ignored is worse than a refusal: an admin would believe in
it. So `check` refuses each with the words "not yet". The table is the whole of it: a feature
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
    """Keys that are refused: `route` matches `client.retention`, `bureau.rosters` and so on; where
    `values` is given, only those values are."""

    route: str
    values: tuple[str, ...] = ()


NOT_YET: tuple[NotYet, ...] = (
    NotYet(_IN_STEPS + "(?:forward|on_call|voicemail|message)$"),
    NotYet(_IN_STEPS + r"queue\.announce$"),
    NotYet(r"^bureau\.rosters$"),
    NotYet(r"^(?:client|bureau\.defaults)\.(?:outgoing|code|retention)$"),
    NotYet(r"^(?:client|bureau\.defaults)\.recording$", ("on_demand", "always")),
)


def not_served(kind: str, tree: Plain, table: Sequence[NotYet]) -> Iterator[tuple[Route, str]]:
    """Route and message of every key of the tree that is not served yet. `kind`: bureau or client."""
    patterns = [(re.compile(line.route), line.values) for line in table]
    for route, value in _keys(tree, ()):
        dotted = ".".join((kind, *map(str, route)))
        for pattern, values in patterns:
            if not pattern.search(dotted):
                continue
            if not values:
                yield route, f"`{route[-1]}` is not yet served by this version: remove it"
            elif isinstance(value, str) and value in values:
                yield route, f"`{route[-1]}: {value}` is not yet served by this version"


def _keys(tree: Plain, route: Route) -> Iterator[tuple[Route, Plain]]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield (*route, key), value
            yield from _keys(value, (*route, key))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from _keys(value, (*route, index))
