"""A team lead's temporary word about one client: open, closed, or waiting for another team, until an instant.

Pure: what is in force at an instant, what a new word replaces, when the next one ends. Must not know who
asks or where it is kept (`calls.overriding` does). An override of the hours is stronger than absences,
closures and the week; an override of the team holds for every queue of the client's rules. Invariant: of
each of the two sorts a client has at most one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

LONGEST = 7 * 86400.0
"""Seconds that an override may last: what holds longer belongs into the client's file."""
_SPAN = re.compile(r"([0-9]{1,5})(s|m|h|d)")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_CLOCK = re.compile(r"([01]?[0-9]|2[0-4])[:hH]([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class Override:
    """`kind`: team, open or closed; `team` for the first. `since`, `until`: UTC epoch seconds, the end
    exclusive. `author`: who said so."""

    client: str
    kind: str
    until: float
    author: str
    since: float
    team: str | None = None
    reason: str = ""

    @property
    def sort(self) -> str:
        """`team` or `hours`: a newer one of the same sort replaces it."""
        return "team" if self.kind == "team" else "hours"


def in_force(overrides: Iterable[Override], now: float) -> tuple[Override, ...]:
    """Those that hold at this instant."""
    return tuple(override for override in overrides if override.since <= now < override.until)


def of_hours(overrides: Iterable[Override], now: float) -> Override | None:
    """The one that opens or closes the client now."""
    return next((each for each in in_force(overrides, now) if each.sort == "hours"), None)


def of_team(overrides: Iterable[Override], now: float) -> Override | None:
    """The one that sends the client's callers to another team now."""
    return next((each for each in in_force(overrides, now) if each.sort == "team"), None)


def next_end(overrides: Iterable[Override], now: float) -> float | None:
    """The first end after this instant."""
    return min((each.until for each in overrides if each.until > now), default=None)


def replaced_by(overrides: Iterable[Override], new: Override) -> tuple[Override, ...]:
    """The client's overrides once `new` is said."""
    return (*(each for each in overrides if each.sort != new.sort), new)


def refusal(new: Override, now: float) -> str | None:
    """Why this cannot be said, None where it can. Whether client and team exist is not asked here."""
    if new.kind not in {"team", "open", "closed"}:
        return f"{new.kind!r} is not one of: team, open, closed"
    if (new.kind == "team") != (new.team is not None):
        return "a team belongs to an override of the team, and only to it"
    if new.until <= now:
        return "its end is in the past"
    if new.until - now > LONGEST:
        return "it would last longer than 7 days: write it into the client's file"
    return None


def read_until(text: str, zone: str, now: float) -> float:
    """The instant that a person means: `11:00` (the next time the clock shows it), `2026-12-24 09:30`, or
    a duration from now as `90m`, `2h`, `1d`. ValueError says how to write it."""
    text = text.strip()
    rules = ZoneInfo(zone)
    if (span := _SPAN.fullmatch(text)) is not None:
        return now + float(span[1]) * _SECONDS[span[2]]
    if (clock := _CLOCK.fullmatch(text)) is not None:
        hour, minute = int(clock[1]) % 24, int(clock[2])
        today = datetime.fromtimestamp(now, rules).date()
        for day in (today, today + timedelta(days=1)):
            instant = datetime.combine(day, time(hour, minute), rules).timestamp()
            if instant > now:
                return instant
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"until {text!r}: write 11:00, '2026-12-24 09:30' or a duration as 2h") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=rules)).timestamp()
