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

from autocom.config.wording import told

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from autocom.config.document import Plain, Route


@dataclass(frozen=True, slots=True)
class NotYet:
    """Keys that are refused: `route` matches `client.code`, `bureau.defaults.code` and so on; where
    `values` is given, only those values are."""

    route: str
    values: tuple[str, ...] = ()


NOT_YET: tuple[NotYet, ...] = ()


def not_served(kind: str, tree: Plain, table: Sequence[NotYet]) -> Iterator[tuple[Route, str]]:
    """Route and message of every key of the tree that is not served yet. `kind`: bureau or client."""
    patterns = [(re.compile(line.route), line.values) for line in table]
    words = {word for line in table for word in re.findall(r"[a-z_]+", line.route)}
    for route, value in _keys(tree, ()):
        if route[-1] not in words:
            continue  # most keys: a thousand clients have many
        dotted = ".".join((kind, *map(str, route)))
        for pattern, values in patterns:
            if not pattern.search(dotted):
                continue
            if not values:
                yield route, told("`{key}` is not yet served by this version: remove it", key=route[-1])
            elif isinstance(value, str) and value in values:
                yield (
                    route,
                    told("`{key}: {value}` is not yet served by this version", key=route[-1], value=value),
                )


def _keys(tree: Plain, route: Route) -> Iterator[tuple[Route, Plain]]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield (*route, key), value
            yield from _keys(value, (*route, key))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from _keys(value, (*route, index))
