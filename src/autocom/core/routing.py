"""Which rule of a client takes a call, and which steps that means.

`choose` asks the rules in order, `flatten` writes the steps of a rule out, `ending_outcome` names how a
call ended that a rule dismissed. Must not carry anything out (the stories in `autocom.calls` do) and must
not know where callers, hours or queue lengths come from: they are in `Circumstances`.
Invariants: the same circumstances give the same choice; `trail` says for every rule before the chosen one
the condition that failed, without any caller's number.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from autocom.core import hours as opening
from autocom.core.hours import WEEKDAYS, HoursStatus, covers, local, status
from autocom.core.journal import Json
from autocom.core.model import (
    Client,
    Closure,
    Enqueue,
    ForwardReason,
    Hangup,
    HangupKind,
    Jump,
    Listed,
    Menu,
    Mode,
    Play,
    Rule,
    Step,
    When,
)
from autocom.core.overrides import Override

# A menu may offer itself again (`otherwise: [jump: menu]`). Written out that has no end, so after this
# many rounds on one path, and beyond this many steps in all, a jump becomes a hang-up.
ROUNDS = 3
MOST_STEPS = 512


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the conditions of rules are asked about. `at` is UTC epoch seconds; `caller` and `did` E.164;
    `waiting` counts this client's callers in the queue; `nobody`: no secretary in reach is logged in;
    `override`: a team lead opened or closed the client for a while. `came`: when the call did, where that is
    not now: an entry of a list that ends while he waits still counts for him."""

    at: float
    caller: str | None = None
    anonymous: bool = False
    forward_reason: ForwardReason | None = None
    did: str | None = None
    waiting: int = 0
    nobody: bool = False
    override: Override | None = None
    came: float | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """One rule that was asked; `failed` is the condition that did not hold, None where all did. `because`: the
    list that the caller stands in, where that made it hold."""

    rule: str
    matched: bool
    failed: str | None = None
    because: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The rule that decides, how it was found, and the hours that were counted on."""

    rule: Rule
    trail: tuple[Trial, ...]
    open: bool
    absence: Closure | None = None
    hours_why: str = ""
    blocked: bool = False  # by the bureau, before any rule of the client was asked


def trials(choice: Choice) -> list[Json]:
    """The trail as it is written down."""
    rows: list[Json] = []
    for each in choice.trail:
        row: dict[str, Json] = {"rule": each.rule, "matched": each.matched, "failed": each.failed}
        rows.append(row | ({"because": each.because} if each.because else {}))
    return rows


def choose(client: Client, circumstances: Circumstances, blocked: Rule | None = None) -> Choice:
    """The first rule whose conditions all hold; that of the callers `blocked` by the bureau before all others.
    ValueError for a client without a last rule free of conditions, which no valid configuration has."""
    hours = hours_of(client, circumstances.at, circumstances.override)
    trail: list[Trial] = []
    for rule in client.rules if blocked is None else (blocked, *client.rules):
        question = _Question(rule.when or When(), circumstances, hours, client.hours.zone)
        failed = _failed(question)
        trail.append(Trial(rule.name, failed is None, failed, None if failed else _because(question)))
        if failed is None:
            return Choice(rule, tuple(trail), hours.open, hours.absence, hours.why, rule is blocked)
    raise ValueError(f"no rule of client {client.id} holds: its last rule has conditions")


def hours_of(client: Client, at: float, override: Override | None = None) -> HoursStatus:
    """Whether the client is open at an instant, and why; an override of the hours is stronger than all."""
    if override is None:
        return status(client.hours, client.absences, at)
    is_open = override.kind == "open"
    until = local(client.hours.zone, override.until)
    word = "open" if is_open else "closed"
    return HoursStatus(is_open, f"{word}: override by {override.author} until {until:%Y-%m-%d %H:%M}")


def next_change(client: Client, at: float) -> float | None:
    """The first instant after `at` (UTC epoch seconds) at which the clock alone may make another rule of
    this client hold; None where none is in sight. For every instant before it the answer is the same."""
    before = by_clock(client, at)
    return next((moment for moment in moments(client, at) if by_clock(client, moment) != before), None)


def by_clock(client: Client, at: float, override: Override | None = None) -> tuple[Hashable, ...]:
    """What the clock alone decides about this client's rules: as long as it is equal, no caller's rule differs."""
    hours = hours_of(client, at, override)
    wall = local(client.hours.zone, at)
    asked = (rule.when for rule in client.rules if rule.when and _on_calendar(rule.when))
    return hours.open, hours.absence, *(_off_calendar(when, wall) is None for when in asked)


def moments(client: Client, at: float, until: float | None = None) -> Iterator[float]:
    """The instants after `at` (UTC epoch seconds), in order, at which `by_clock` may change: every one before `until`,
    or, without an end, those up to a week from now and from each date that the files name."""
    hours, zone = client.hours, client.hours.zone
    exceptions = (*client.absences, *hours.openings, *hours.closures)
    calendars = [rule.when for rule in client.rules if rule.when and _on_calendar(rule.when)]
    walls = {wall for when in calendars for span in when.time for wall in (span.start, span.end)}
    if until is not None:
        first, last = local(zone, at).date(), local(zone, until).date()
        days = {first + timedelta(days=n) for n in range((last - first).days + 1)}
    else:
        # a night that begins on the last of the dates ends on the day after it
        days = {
            day
            for when in calendars
            for first, last in when.dates
            for day in (first, last, last + timedelta(days=min(1, (date.max - last).days)))
        }
        days |= {moment.date() for closure in exceptions for moment in (closure.start, closure.end)}
        days.update(hours.holidays if hours.week else ())

    def of_day(day: date) -> Iterator[datetime]:
        yield from opening.boundaries(hours, exceptions, day)
        yield from (datetime.combine(day, wall) for wall in walls)

    found = opening.instants(zone, at, days, of_day)
    return found if until is None else itertools.takewhile(lambda moment: moment < until, found)


def flatten(rule: Rule, client: Client) -> tuple[Step, ...]:
    """The steps of `rule` with every jump, at any depth, replaced by the steps it leads to.

    A jump does not come back: what stands behind it in its list is left out. ValueError for a jump to a
    rule that the client does not have."""
    rules = {other.name: other for other in client.rules}
    budget = MOST_STEPS

    def written_out(steps: tuple[Step, ...], path: tuple[str, ...]) -> tuple[Step, ...]:
        nonlocal budget
        out: list[Step] = []
        for step in steps:
            budget -= 1
            match step:
                case Jump(name):
                    if name not in rules:
                        raise ValueError(
                            f"rule {path[-1]} of client {client.id} jumps to {name}, which it lacks"
                        )
                    if path.count(name) >= ROUNDS or budget <= 0:
                        return (*out, Hangup())
                    return (*out, *written_out(rules[name].do, (*path, name)))
                case Enqueue():
                    out.append(
                        replace(
                            step,
                            on_timeout=written_out(step.on_timeout, path),
                            on_full=written_out(step.on_full, path),
                            on_nobody=written_out(step.on_nobody, path),
                            on_closing=written_out(step.on_closing, path),
                            on_long_wait=written_out(step.on_long_wait, path),
                            keys={key: written_out(steps, path) for key, steps in step.keys.items()},
                        )
                    )
                case Menu():
                    keys = {key: written_out(steps, path) for key, steps in step.keys.items()}
                    out.append(replace(step, keys=keys, otherwise=written_out(step.otherwise, path)))
                case _:
                    out.append(step)
        return tuple(out)

    return written_out(rule.do, (rule.name,))


def steps_of(choice: Choice, client: Client) -> tuple[Step, ...]:
    """What to do for this call. An absence in force that has a message of its own is heard instead of the
    messages that an absence's or a closing rule begins with; the rest of the rule stays."""
    steps = flatten(choice.rule, client)
    own = choice.absence.play if choice.absence is not None else None
    when = choice.rule.when or When()
    if own is None or not (when.absence or when.open is False):
        return steps
    rest = tuple(itertools.dropwhile(lambda step: isinstance(step, Play), steps))
    return (Play(own, Mode.ANSWERED), *rest)


def ending_outcome(rule: Rule, step: Hangup | None) -> str:
    """The outcome word (contract, section 4) of a call that `rule` dismissed by `step`, or whose steps ran
    out (None). Callers who reached a queue, a voicemail or a number have outcomes of their own."""
    when = rule.when or When()
    turned_away = step is not None and step.kind is not HangupKind.NORMAL
    if when.caller and turned_away:
        return "rejected"
    if when.open is False or when.absence:
        return "closed"
    if when.caller:
        return "rejected"
    if when.nobody:
        return "nobody"
    if when.waiting_over is not None:
        return "full"
    # a rule for certain days or times that dismisses is a closing time under another name
    if when.days or when.dates or when.time:
        return "closed"
    return "rejected"


# --- conditions ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Question:
    """The conditions of one rule, and all that they are asked about."""

    when: When
    now: Circumstances
    hours: HoursStatus
    zone: str


def _failed(question: _Question) -> str | None:
    """The first condition, in the contract's order, that does not hold, as `word: what is the case`."""
    return next((failed for asked in _CONDITIONS if (failed := asked(question)) is not None), None)


def _caller(question: _Question) -> str | None:
    when, now = question.when, question.now
    if not when.caller or any(_is_caller(entry, now) for entry in when.caller):
        return None
    meant = [listed for listed in when.listed if _is_caller(listed.entry, now)]
    if any(_counts(listed, now) for listed in meant):
        return None
    if meant:
        return f"caller: stood in list {meant[0].list} until {meant[0].last}"
    if now.anonymous:
        return "caller: is anonymous"
    return "caller: is not among them" if now.caller else "caller: has no number"


def _because(question: _Question) -> str | None:
    """The list that this caller stands in, with the reason where one was given; never his number."""
    now = question.now
    meant = [each for each in question.when.listed if _is_caller(each.entry, now) and _counts(each, now)]
    if not meant:
        return None
    told = next((each for each in meant if each.reason), meant[0])
    return f"the caller is in list {told.list}" + (f": {told.reason}" if told.reason else "")


def _counts(listed: Listed, now: Circumstances) -> bool:
    return listed.until is None or (now.at if now.came is None else now.came) < listed.until


def is_among(
    entries: tuple[str, ...],
    caller: str | None,
    *,
    anonymous: bool,
    listed: tuple[Listed, ...] = (),
    at: float = 0.0,
) -> bool:
    """Whether this caller is meant by one of these entries, as in a rule's `caller`; by those `listed` only
    as long as they count (`at`: UTC epoch seconds)."""
    now = Circumstances(at=at, caller=caller, anonymous=anonymous)
    return any(_is_caller(entry, now) for entry in entries) or any(
        _is_caller(each.entry, now) and _counts(each, now) for each in listed
    )


def next_expiry(rules: Iterable[Rule], circumstances: Circumstances) -> float | None:
    """When the next entry of a list that means this caller ends, in any of these rules; None: none does."""
    ends = (
        listed.until
        for rule in rules
        if rule.when is not None
        for listed in rule.when.listed
        if listed.until is not None and listed.until > circumstances.at
        if _is_caller(listed.entry, circumstances)
    )
    return min(ends, default=None)


def _is_caller(entry: str, now: Circumstances) -> bool:
    if entry == "anonymous":
        return now.anonymous
    if now.caller is None or now.anonymous:
        return False
    return now.caller.startswith(entry[:-1]) if entry.endswith("*") else now.caller == entry


def _open(question: _Question) -> str | None:
    return None if question.when.open in (None, question.hours.open) else f"hours: {question.hours.why}"


def _absence(question: _Question) -> str | None:
    asked, absence = question.when.absence, question.hours.absence
    if asked is None or asked == (absence is not None):
        return None
    return "absence: one is in force" if absence else "absence: none is in force"


def _forward_reason(question: _Question) -> str | None:
    asked, reason = question.when.forward_reason, question.now.forward_reason
    if not asked or reason in asked:
        return None
    return f"forward_reason: is {reason.value}" if reason else "forward_reason: was not forwarded"


def _did(question: _Question) -> str | None:
    asked, did = question.when.did, question.now.did
    return None if not asked or did in asked else f"did: is {did or 'not known'}"


def _calendar(question: _Question) -> str | None:
    if not _on_calendar(question.when):
        return None
    return _off_calendar(question.when, local(question.zone, question.now.at))


def _on_calendar(when: When) -> bool:
    return bool(when.days or when.dates or when.time)


def _off_calendar(when: When, wall: datetime) -> str | None:
    """`days`, `dates` and `time` together: a night range belongs to the day on which it starts, so
    Friday 22:00-06:00 holds on Saturday at five."""
    today = wall.date()
    meant = [today]
    if when.time:
        both = (today, today - timedelta(days=1))
        meant = [day for day in both if any(covers(span, day, wall) for span in when.time)]
    if not meant:
        return f"time: is {wall:%H:%M}"
    in_days = [day for day in meant if not when.days or day.isoweekday() in when.days]
    if not in_days:
        return f"days: is {WEEKDAYS[meant[0].weekday()]}"
    if when.dates and not any(first <= day <= last for day in in_days for first, last in when.dates):
        return f"dates: is {in_days[0]}"
    return None


def _waiting_over(question: _Question) -> str | None:
    asked, waiting = question.when.waiting_over, question.now.waiting
    return None if asked is None or waiting > asked else f"waiting_over: {waiting} wait"


def _nobody(question: _Question) -> str | None:
    asked, nobody = question.when.nobody, question.now.nobody
    if asked is None or asked == nobody:
        return None
    return "nobody: nobody is logged in" if nobody else "nobody: somebody is logged in"


_CONDITIONS: tuple[Callable[[_Question], str | None], ...] = (
    _caller,
    _open,
    _absence,
    _forward_reason,
    _did,
    _calendar,
    _waiting_over,
    _nobody,
)
