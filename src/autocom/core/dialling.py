"""One rule for every number outside that somebody wants dialled: may it be, and has it not been too much.

Whatever way it was asked for (dialled from idle, a transfer, a forwarded post, the API, a call list, a text), it is
judged here and nowhere else. Denied unless allowed: emergency numbers in every disguise, satellites and networks
without a country always; premium numbers and other countries unless the files say otherwise. Every number that
a person chose is counted: calls at a time, calls in an hour, conversation in a day, by secretary and by client.
Pure; what was dialled is kept by `calls.tally`, the trunk is found by `calls.outgoing`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from autocom.core.model import Client, Configuration, Dialling, Forward, Limits
from autocom.core.numbers import FRANCE, NumberingPlan
from autocom.core.reach import all_steps

Forbidden = Literal["emergency", "premium", "satellite", "international"]
"""Why a number is not dialled, whoever asks."""
Unreadable = Literal["emergency", "premium", "unknown", "malformed"]
"""What digits are that lead nowhere."""

HOUR = 3600.0

# Arcep's list of emergency numbers, and 3114; 911 and 999 are dialled by who is used to them. None has a longer
# form, so whatever stands before one (a plus, a country code, the 0 of an exchange) is a disguise.
EMERGENCY = frozenset(
    {
        "15",
        "17",
        "18",
        "112",
        "114",
        "115",
        "119",
        "191",
        "196",
        "197",
        "3114",
        "911",
        "999",
        "116000",
        "116117",
    }
)
# 0800 to 0805 are free and 0806 to 0809 cost a normal call (Arcep); the others are paid by who dials
_PREMIUM_FRANCE = tuple(f"+338{digit}" for digit in "123456789")
# directory enquiries and the four-digit numbers: priced by whom they belong to, some at 3 € a minute (Arcep)
_SHORT_FRANCE = re.compile(r"(?:118[0-9]{3}|10[0-9]{2}|[36][0-9]{3})\Z")
# ITU E.164: Inmarsat, GMSS, international networks, and what is shared by no country (UPT, audiotex, freephone)
SATELLITE = ("+870", "+871", "+872", "+873", "+874", "+881", "+882", "+883", "+878", "+888", "+979", "+808")
_LONGEST_CODE = 3
_MASKS = ("3651", "#31#", "*31#", "*67")
"""Prefixes that withhold the number on some networks: a short number behind one is that number."""


def is_emergency(dialled: str, plan: NumberingPlan = FRANCE) -> bool:
    """Whether these digits, in whatever disguise, are an emergency number: `15`, `0 15`, `+3315`, `003315`, `+352112`."""
    text = re.sub(r"[^0-9+*#]", "", dialled)
    for mask in _MASKS:
        text = text.removeprefix(mask)
    digits = re.sub(r"[^0-9]", "", text)
    if digits in EMERGENCY:
        return True
    rest = digits.lstrip("0")  # the 0 of an exchange, 00 of an international call, both
    if rest in EMERGENCY or rest.removeprefix(plan.country_code).lstrip("0") in EMERGENCY:
        return True
    abroad = "+" in text or digits.startswith(plan.international_prefix or "00")
    return abroad and any(rest[n:].lstrip("0") in EMERGENCY for n in range(1, _LONGEST_CODE + 1))


def unreadable(dialled: str, plan: NumberingPlan = FRANCE) -> Unreadable:
    """What to tell somebody whose digits are neither an extension nor a number."""
    if is_emergency(dialled, plan):
        return "emergency"
    digits = re.sub(r"[^0-9]", "", dialled)
    bare = digits.lstrip("0").removeprefix(plan.country_code)
    if plan.country == "FR" and (_SHORT_FRANCE.match(digits) or _SHORT_FRANCE.match(bare)):
        return "premium"
    return "malformed" if dialled.startswith(("0", "+")) else "unknown"


def never_dialled(number: str, plan: NumberingPlan = FRANCE) -> bool:
    """Whether this number (E.164, or digits) is one that nothing may dial, not even the files."""
    return is_emergency(number, plan) or number.startswith(SATELLITE) or _premium(number, Dialling(), plan)


def forbidden(
    number: str, rules: Dialling, client: Client | None = None, plan: NumberingPlan = FRANCE
) -> Forbidden | None:
    """Why this E.164 number may not be dialled for this client (None: for the bureau)."""
    if is_emergency(number, plan):
        return "emergency"
    if number.startswith(SATELLITE):
        return "satellite"
    if not rules.premium and _premium(number, rules, plan):
        return "premium"
    allowed = (*rules.international, *(client.outgoing_international if client is not None else ()))
    if at_home(number, rules, plan) or (allowed and number.startswith(allowed)):
        return None
    return "international"


def at_home(number: str, rules: Dialling, plan: NumberingPlan = FRANCE) -> bool:
    """Whether it is a number of the bureau's country; its overseas departments count unless the files say no."""
    codes = {plan.country_code, *(plan.overseas.values() if rules.overseas else ())}
    return number.startswith(tuple(f"+{code}" for code in codes))


def _premium(number: str, rules: Dialling, plan: NumberingPlan) -> bool:
    if plan.country == "FR" and number.startswith(_PREMIUM_FRANCE):
        return True
    return any(
        number.startswith(f"+{code}") and _compiled(pattern).fullmatch(number[1 + len(code) :])
        for code, pattern in rules.premium_abroad
    )


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def own_numbers(configuration: Configuration) -> frozenset[str]:
    """Numbers that lead to this bureau: dialled, they would come in again."""
    lines = {line.did for client in configuration.clients.values() for line in client.lines}
    return frozenset(lines | {configuration.bureau.number})


# --- numbers that stand in the files -----------------------------------------------------------


def written_numbers(configuration: Configuration, client: Client | None) -> frozenset[str]:
    """Numbers that the admin wrote for this client: forwards of its rules, its contacts, and whoever is on call. They
    may lie in another country, and are not counted: nobody's password lets anybody else be called by them."""
    found: set[str] = set()
    for roster in configuration.rosters.values():
        for shift in roster.shifts:
            found.update(contact.number for contact in shift.order)
        if roster.fallback is not None:
            found.add(roster.fallback.number)
    if client is not None:
        known = configuration.clients.get(client.id, client)
        found.update(contact.number for contact in known.contacts)
        found.update(step.to for step in all_steps(known) if isinstance(step, Forward))
    return frozenset(found)


# --- how much ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Use:
    """A number that somebody had dialled. `at`: when; `answered`, `ended`: None as long as it is not. `client`: empty
    for the bureau's own."""

    by: str
    client: str
    at: float
    answered: float | None = None
    ended: float | None = None

    def seconds(self, now: float) -> float:
        """Of conversation so far."""
        if self.answered is None:
            return 0.0
        return max(0.0, (now if self.ended is None else self.ended) - self.answered)


@dataclass(frozen=True, slots=True)
class Usage:
    """What was dialled in somebody's name: numbers dialled at this moment, calls in the last hour, seconds of
    conversation today."""

    at_once: int = 0
    last_hour: int = 0
    today: float = 0.0


@dataclass(frozen=True, slots=True)
class Alarm:
    """Somebody has come near a limit. `secretary` or `client` says who; `what`: per_hour, minutes_a_day; `used` and
    `limit` are calls, or minutes."""

    secretary: str | None
    client: str | None
    what: str
    used: int
    limit: int


def midnight(now: float, zone: str, days: int = 0) -> float:
    """When the day of this instant began in that zone; `days`: so many days later."""
    day = datetime.fromtimestamp(now, ZoneInfo(zone)).date() + timedelta(days=days)
    return datetime.combine(day, time(0), ZoneInfo(zone)).timestamp()


def forgettable(use: Use, now: float, today: float) -> bool:
    """Whether it counts for nothing any more. `today`: since midnight."""
    return use.ended is not None and use.at <= now - HOUR and use.ended < today


def usage(uses: Iterable[Use], now: float, zone: str) -> Usage:
    """What these amount to. A conversation over midnight counts for the day from then on."""
    today, at_once, last_hour, seconds = midnight(now, zone), 0, 0, 0.0
    for use in uses:
        at_once += use.ended is None
        last_hour += use.at > now - HOUR
        seconds += max(0.0, min(use.seconds(now), (use.ended or now) - today))
    return Usage(at_once, last_hour, seconds)


def too_much(used: Usage, limits: Limits) -> bool:
    """Whether one more would be over a limit."""
    return (
        used.at_once >= limits.at_once
        or used.last_hour >= limits.per_hour
        or used.today >= limits.seconds_a_day
    )


def limits_of(client: Client | None, rules: Dialling) -> Limits | None:
    """What may be dialled for this client; None: only the secretary's limits count."""
    return None if client is None else client.outgoing_limits or rules.per_client


def over(
    uses: Iterable[Use],
    configuration: Configuration,
    by: str | None,
    client: str,
    now: float,
) -> bool:
    """Whether one more number, dialled by this secretary (None: by nobody in particular) for this client (empty: for
    the bureau), would be over a limit of hers or of its."""
    rules, zone, uses = configuration.bureau.outgoing, configuration.bureau.timezone, tuple(uses)
    if by is not None:
        hers = usage((use for use in uses if use.by == by), now, zone)
        if too_much(hers, rules.per_secretary):
            return True
    limits = limits_of(configuration.clients.get(client), rules)
    if limits is None:
        return False
    return too_much(usage((use for use in uses if use.client == client), now, zone), limits)


def alarms(uses: Iterable[Use], configuration: Configuration, use: Use, now: float) -> list[Alarm]:
    """Whoever this call brought, or keeps, at `alarm_at` of a limit or beyond."""
    rules, zone, uses = configuration.bureau.outgoing, configuration.bureau.timezone, tuple(uses)
    found: list[Alarm] = []
    hers = usage((other for other in uses if other.by == use.by), now, zone)
    for what, used, limit in _near(hers, rules.per_secretary, rules.alarm_at):
        found.append(Alarm(use.by, None, what, used, limit))
    limits = limits_of(configuration.clients.get(use.client), rules)
    if limits is not None:
        its = usage((other for other in uses if other.client == use.client), now, zone)
        for what, used, limit in _near(its, limits, rules.alarm_at):
            found.append(Alarm(None, use.client, what, used, limit))
    return found


def _near(used: Usage, limits: Limits, at: float) -> Iterator[tuple[str, int, int]]:
    if used.last_hour >= at * limits.per_hour:
        yield "per_hour", used.last_hour, limits.per_hour
    if used.today >= at * limits.seconds_a_day:
        yield "minutes_a_day", round(used.today / 60), round(limits.seconds_a_day / 60)
