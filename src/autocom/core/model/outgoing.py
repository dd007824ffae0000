"""What may be dialled outside, and how much of it: the bureau's limits and those of one client.

Judged by `core.dialling`, counted by `calls.tally`. Must not know who dials. Invariant: prefixes are
E.164.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be dialled in one name: numbers at the same time, calls in any hour, seconds of conversation on
    one day."""

    at_once: int = 2
    per_hour: int = 20
    seconds_a_day: float = 3600.0


@dataclass(frozen=True, slots=True)
class Dialling:
    """Which numbers outside people of the bureau may have dialled, and how many. `international`: prefixes abroad
    (E.164); `overseas`: whether the country's overseas departments count as home; `premium_abroad`: of the
    countries that may be dialled, the country code and the expression of numbers that cost more. At `alarm_at`
    of a limit (a part of it) the supervisor is told."""

    international: tuple[str, ...] = ()
    overseas: bool = True
    premium: bool = False
    premium_abroad: tuple[tuple[str, str], ...] = ()
    per_secretary: Limits = Limits()
    per_client: Limits = Limits(4, 60, 4 * 3600.0)
    alarm_at: float = 0.5
