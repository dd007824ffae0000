"""How fast the bureau works and how long its callers wait: a fold over the journal's entries.

`Pace.after(entry)` takes entries as they are written and keeps three figures: the mean time a
secretary is taken by a call (ring, talk and wrap-up), the mean patience of callers (an exponential
fit: time waited over abandons, so who was served counts as censored), and who began a conversation
lately. Old days fade. Must not know the floor or a clock: `estimate` reads the figures. Invariant: entries
of calls it never saw begin change nothing; without any entry the priors stand (after a restart, too).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from autocom.core.journal import Entry

PRIOR_HANDLING = 120.0
PRIOR_PATIENCE = 120.0
PRIOR_WEIGHT = 5.0
"""As many calls as the priors (seconds) are worth."""

FADING = 0.995
"""What an older call is worth for each newer one: the last two hundred or so are what counts."""

WINDOW = 600.0
MOST_STARTS = 512


@dataclass(frozen=True, slots=True)
class Course:
    """One call so far: since when it waits, was last offered, is talked. None: not (or no longer)."""

    queued: float | None = None
    offered: float | None = None
    talking: float | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """The figures. `starts`: (instant, secretary) of the conversations that began in the last ten minutes."""

    handled: float = 0.0
    calls: float = 0.0
    waited: float = 0.0
    abandons: float = 0.0
    starts: tuple[tuple[float, str], ...] = ()
    courses: Mapping[str, Course] = field(default_factory=dict)
    wrapping: Mapping[str, float] = field(default_factory=dict)

    @property
    def handling(self) -> float:
        """Mean seconds that a call takes of a secretary."""
        return (PRIOR_WEIGHT * PRIOR_HANDLING + self.handled) / (PRIOR_WEIGHT + self.calls)

    @property
    def patience(self) -> float:
        """Mean seconds after which a caller who is not served gives up."""
        return (PRIOR_WEIGHT * PRIOR_PATIENCE + self.waited) / (PRIOR_WEIGHT + self.abandons)

    def gap(self, secretaries: Iterable[str], now: float, least: int = 20) -> float | None:
        """Mean seconds between two beginnings of a conversation with one of these lately; None where there
        were fewer than `least`, which say nothing."""
        among = frozenset(secretaries)
        lately = [at for at, who in self.starts if who in among and at > now - WINDOW]
        return (now - min(lately)) / len(lately) if len(lately) >= least else None

    def after(self, entry: Entry) -> Pace:
        """With this entry taken in."""
        fold = _FOLDS.get(entry.kind)
        return self if fold is None else fold(self, entry)


def _queued(pace: Pace, entry: Entry) -> Pace:
    call = entry.call or ""
    begun = pace.courses.get(call, Course())
    # joining a second queue is one wait with the first
    return _with(pace, call, begun if begun.queued is not None else replace(begun, queued=entry.at))


def _offered(pace: Pace, entry: Entry) -> Pace:
    course = pace.courses.get(entry.call or "")
    return pace if course is None else _with(pace, entry.call or "", replace(course, offered=entry.at))


def _bridged(pace: Pace, entry: Entry) -> Pace:
    course = pace.courses.get(entry.call or "")
    if course is None or course.talking is not None:  # written again by the process that adopted the call
        return pace
    kept = [start for start in pace.starts if start[0] > entry.at - WINDOW][-MOST_STARTS:]
    begun = replace(pace, starts=(*kept, (entry.at, _who(entry))))
    return _with(_waited(begun, course, entry.at), entry.call or "", Course(None, course.offered, entry.at))


def _talked(pace: Pace, entry: Entry) -> Pace:
    course = pace.courses.get(entry.call or "")
    if course is None or course.talking is None:
        return pace
    began = course.talking if course.offered is None else min(course.offered, course.talking)
    counted = replace(pace, handled=pace.handled * FADING + entry.at - began, calls=pace.calls * FADING + 1)
    return _with(counted, entry.call or "", Course())


def _left_the_queue(pace: Pace, entry: Entry) -> Pace:
    course = pace.courses.get(entry.call or "")
    if course is None:
        return pace
    return _with(_waited(pace, course, entry.at), entry.call or "", replace(course, queued=None))


def _ended(pace: Pace, entry: Entry) -> Pace:
    course = pace.courses.get(entry.call or "")
    if course is None:
        return pace
    gave_up = entry.fields.get("outcome") == "abandoned"
    return _with(_waited(pace, course, entry.at, gave_up=gave_up), entry.call or "", None)


def _wraps_up(pace: Pace, entry: Entry) -> Pace:
    return replace(pace, wrapping={**pace.wrapping, _who(entry): entry.at})


def _wrapped_up(pace: Pace, entry: Entry) -> Pace:
    who = _who(entry)
    since = pace.wrapping.get(who)
    if since is None:
        return pace
    left = {name: began for name, began in pace.wrapping.items() if name != who}
    return replace(pace, handled=pace.handled + entry.at - since, wrapping=left)


def _waited(pace: Pace, course: Course, at: float, *, gave_up: bool = False) -> Pace:
    """A wait is over: by giving up, or by anything else (which says only that he was patient so long)."""
    if course.queued is None:
        return pace
    return replace(
        pace,
        waited=pace.waited * FADING + at - course.queued,
        abandons=pace.abandons * FADING + gave_up,
    )


def _with(pace: Pace, call: str, course: Course | None) -> Pace:
    courses = dict(pace.courses)
    if course is None:
        courses.pop(call, None)
    else:
        courses[call] = course
    return replace(pace, courses=courses)


def _who(entry: Entry) -> str:
    return str(entry.fields.get("secretary"))


_FOLDS: Mapping[str, Callable[[Pace, Entry], Pace]] = {
    "queued": _queued,
    "offered": _offered,
    "bridged": _bridged,
    "talk_ended": _talked,
    "dequeued": _left_the_queue,
    "callback_promised": _left_the_queue,
    "ended": _ended,
    "wrap_up_started": _wraps_up,
    "wrap_up_ended": _wrapped_up,
}
