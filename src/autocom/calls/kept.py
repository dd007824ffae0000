"""What a part of the house keeps in the floor's rows, read back at start.

One row for each value, its key a prefix and the value's name. Invariant: a row that cannot be read (of a newer
version, or damaged) costs that value and no more; it stays where it is, and is not logged: a name may be a
caller's number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import structlog

from autocom.core.codec import Codec, Undecodable
from autocom.core.journal import Json

T = TypeVar("T")

log = structlog.get_logger()


def read_back(codec: Codec, kind: type[T], prefix: str, rows: Mapping[str, Json]) -> dict[str, T]:
    """The values by name, in the order of the rows."""
    found: dict[str, T] = {}
    for key, row in rows.items():
        if key.startswith(prefix):
            try:
                found[key.removeprefix(prefix)] = codec.load(kind, row)
            except Undecodable as error:
                log.error("row unreadable", rows=prefix, why=str(error))
    return found
