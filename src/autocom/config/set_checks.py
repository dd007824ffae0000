"""Whether the clients fit together: ids, numbers and codes that only one of them may have.

Must not know anything of a client but these. Invariant: a set that passes gives every pair of
DID and forwarded line to one client at most. The story goes on in `load`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from autocom.config.wording import told

if TYPE_CHECKING:
    from autocom.config import models
    from autocom.config.faults import Fault, Place
    from autocom.config.shape import Sheet

Member = tuple["models.Client", "Sheet"]


def check_set(members: Sequence[Member]) -> Iterator[Fault]:
    """Everything that two clients both claim."""
    yield from _ids(members)
    yield from _numbers(members)
    yield from _codes(members)


def _ids(members: Sequence[Member]) -> Iterator[Fault]:
    seen: dict[str, Place] = {}
    for client, sheet in members:
        place = sheet.at(("id",))
        if client.id in seen:
            yield place.fault(
                told("client id `{id}` is taken: {there}", id=client.id, there=_there(seen[client.id]))
            )
        seen.setdefault(client.id, place)


def _numbers(members: Sequence[Member]) -> Iterator[Fault]:
    seen: dict[tuple[str, str | None], tuple[str, Place]] = {}
    for client, sheet in members:
        for index, line in enumerate(client.numbers):
            key = (line.did, line.forwarded_from)
            place = sheet.at(("numbers", index, "did" if line.forwarded_from is None else "forwarded_from"))
            if key not in seen:
                seen[key] = (client.id, place)
                continue
            owner, first = seen[key]
            if owner == client.id and first.file == place.file:
                yield place.fault(
                    told("this number stands twice; the first is in line {line}", line=first.line)
                )
            elif line.forwarded_from is None:
                yield place.fault(
                    told(
                        "{did} is a number of client `{owner}` too ({there}): tell them apart by "
                        "`forwarded_from`",
                        did=line.did,
                        owner=owner,
                        there=_there(first),
                    )
                )
            else:
                yield place.fault(
                    told(
                        "{forwarded_from} forwarded to {did} is client `{owner}` too ({there})",
                        forwarded_from=line.forwarded_from,
                        did=line.did,
                        owner=owner,
                        there=_there(first),
                    )
                )


def _codes(members: Sequence[Member]) -> Iterator[Fault]:
    seen: dict[str, tuple[str, Place]] = {}
    for client, sheet in members:
        if client.code is None:
            continue
        place = sheet.at(("code",))
        if client.code in seen:
            owner, first = seen[client.code]
            yield place.fault(
                told(
                    "code {code} is that of client `{owner}` ({there})",
                    code=client.code,
                    owner=owner,
                    there=_there(first),
                )
            )
        seen.setdefault(client.code, (client.id, place))


def _there(place: Place) -> str:
    return f"{place.file}:{place.line}"
