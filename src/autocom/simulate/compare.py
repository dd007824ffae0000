"""What another configuration changes, on the same callers: differences, and whether they can be chance.

Both bureaus were simulated with the same seeds, so the differences are taken seed by seed and scatter far
less than the figures themselves. Must not know what was changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autocom.core.model import Configuration
from autocom.simulate.calendar import Day
from autocom.simulate.confidence import Estimate, mean
from autocom.simulate.course import Course
from autocom.simulate.figures import Sheet, Sheets, sheets

_FIGURES = ("service_level", "asa", "p90", "abandons")


@dataclass(frozen=True, slots=True)
class Change:
    """One figure of one group (`total`, `team`, `client`; `name` empty for the total), before and after."""

    group: str
    name: str
    figure: str
    before: float | None
    after: float | None
    difference: Estimate

    @property
    def sure(self) -> bool:
        """Whether chance alone is no explanation, with 95 % confidence."""
        value, error = self.difference.value, self.difference.error
        return value is not None and error is not None and abs(value) > error


def changes(
    before: tuple[Configuration, Sequence[Course]], after: tuple[Configuration, Sequence[Course]], day: Day
) -> tuple[Change, ...]:
    """From one bureau's days to the other's, the same seeds in the same order."""
    one, other = sheets(before[1], before[0], day), sheets(after[1], after[0], day)
    pairs = [
        (sheets([a], before[0], day), sheets([b], after[0], day))
        for a, b in zip(before[1], after[1], strict=True)
    ]
    return tuple(
        Change(
            group, name, figure, _value(one, group, name, figure), _value(other, group, name, figure), found
        )
        for group, name in _groups(one, other)
        for figure in _FIGURES
        if (found := _difference(pairs, group, name, figure)).value is not None
    )


def _groups(one: Sheets, other: Sheets) -> Iterator[tuple[str, str]]:
    yield "total", ""
    for team in sorted(one.teams.keys() | other.teams.keys()):
        yield "team", team
    for client in sorted(one.clients.keys() & other.clients.keys()):
        yield "client", client


def _sheet(of: Sheets, group: str, name: str) -> Sheet | None:
    match group:
        case "team":
            return of.teams.get(name)
        case "client":
            return of.clients.get(name)
        case _:
            return of.total if not name else None


def _value(of: Sheets, group: str, name: str, figure: str) -> float | None:
    sheet = _sheet(of, group, name)
    if sheet is None:
        return None
    found = getattr(sheet, figure)
    assert isinstance(found, Estimate)
    return found.value


def _difference(pairs: Sequence[tuple[Sheets, Sheets]], group: str, name: str, figure: str) -> Estimate:
    found = []
    for before, after in pairs:
        a, b = _value(before, group, name, figure), _value(after, group, name, figure)
        if a is not None and b is not None:
            found.append(b - a)
    return mean(found) if found else Estimate(None)
