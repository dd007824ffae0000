"""A real day's callers once more: the same instants, the same conversations, before the same or another house.

What the journal knows of a caller is kept: when he called, how long he talked, after how long he gave up.
What it cannot know is drawn: the patience of one who was answered, beyond the wait he had (Kaplan and Meier's
curve), and the conversation of one who was not. Clients with too few calls borrow the whole house's laws.
Must not read the journal itself (`journal.history` does).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from random import Random

from autocom.core.ingress import Identity
from autocom.core.model import Configuration, ForwardReason
from autocom.journal.history import PastCall, PastDay, PastState
from autocom.simulate.arrivals import HANDLING, PATIENCE, Arrival, Load, Profile, talk_of
from autocom.simulate.calendar import Day
from autocom.simulate.chance import Observed, Survival, Times, survival
from autocom.simulate.presence import Habits, Shift

ENOUGH = 20
"""Conversations, or callers who gave up, from which on a client has a law of his own."""

_AWAY = frozenset({"offline", "logged_out"})
_REASONS = {reason.value: reason for reason in ForwardReason}


@dataclass(frozen=True, slots=True)
class Laws:
    """How long the day's callers talked and waited, by client and of the whole house (`""`)."""

    talk: Mapping[str, Times]
    patience: Mapping[str, Survival]

    def talk_of(self, client: str) -> Times:
        """His own where there are enough."""
        return self.talk.get(client, self.talk[""])

    def patience_of(self, client: str) -> Survival:
        """His own where there are enough."""
        return self.patience.get(client, self.patience[""])


def laws(past: PastDay, configuration: Configuration) -> Laws:
    """As measured; the usual ones where the day has nothing to measure."""
    talks: dict[str, list[float]] = defaultdict(list)
    waits: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for call in past.calls:
        if call.outcome == "served":
            for name in (call.client, ""):
                talks[name].append(call.talk)
        if call.queued:
            for name in (call.client, ""):
                waits[name].append((call.wait, call.outcome == "abandoned"))
    some = next(iter(configuration.clients.values()))
    talk: dict[str, Times] = {"": talk_of(some, HANDLING)}
    talk.update(
        {name: Observed.of(found) for name, found in talks.items() if not name or len(found) >= ENOUGH}
    )
    patience = {"": survival(waits[""], PATIENCE)}
    for name, found in waits.items():
        if sum(gave_up for _, gave_up in found) >= ENOUGH:
            patience[name] = survival(found, PATIENCE)
    return Laws(talk, patience)


def replay(past: PastDay, found: Laws, seed: int) -> tuple[Arrival, ...]:
    """The day's callers at their own instants."""
    chance = Random(f"{seed} replay")  # noqa: S311 - a lottery, no secret
    arrivals = []
    for call in past.calls:
        talk = found.talk_of(call.client).draw(chance)
        patience = found.patience_of(call.client).draw_beyond(call.wait, chance)
        arrivals.append(
            Arrival(
                call.at,
                call.client,
                call.talk if call.outcome == "served" else talk,
                call.wait if call.outcome == "abandoned" else patience,
                _identity(call),
            )
        )
    return tuple(arrivals)


def profile(past: PastDay, found: Laws, day: Day) -> Profile:
    """Days like this one: as many callers to expect of each client in each half hour."""
    calls: dict[str, list[float]] = {}
    identities: dict[str, Identity] = {}
    for call in past.calls:
        calls.setdefault(call.client, [0.0] * day.slots)[day.slot(call.at)] += 1.0
        identities.setdefault(call.client, _identity(call))
    return Profile(
        {
            name: Load(tuple(expected), found.talk_of(name), found.patience_of(name), identities[name])
            for name, expected in calls.items()
        }
    )


def _identity(call: PastCall) -> Identity:
    return Identity(
        client=call.client,
        did=call.did,
        did_text=call.did or "",
        caller=call.caller,
        caller_text="",
        anonymous=call.anonymous,
        forwarded_from=call.forwarded_from,
        forward_reason=_REASONS.get(call.forward_reason or ""),
    )


def habits(past: PastDay) -> Habits:
    """How that day's secretaries picked up and wrapped up."""
    usual = Habits()
    offers = len(past.pick_ups) + past.missed
    return Habits(
        pick_up=Observed.of(past.pick_ups) if past.pick_ups else usual.pick_up,
        no_answer=past.missed / offers if offers else 0.0,
        wrap_up=Observed.of(past.wrap_ups) if past.wrap_ups else None,
    )


def presence(past: PastDay, day: Day) -> dict[str, Shift]:
    """Who was at work and on a break when. A pause that we set for missed calls is no break."""
    by_secretary: dict[str, list[PastState]] = defaultdict(list)
    for state in past.states:
        by_secretary[state.secretary].append(state)
    found = {}
    for who, states in by_secretary.items():
        works = _while(states, day, lambda s: s.state not in _AWAY)
        if works:
            found[who] = Shift(
                works, _while(states, day, lambda s: s.state == "paused" and s.reason != "no_answer")
            )
    return found


def _while(
    states: Iterable[PastState], day: Day, holds: Callable[[PastState], bool]
) -> tuple[tuple[float, float], ...]:
    spans: list[tuple[float, float]] = []
    since: float | None = None
    for state in states:
        at = min(max(state.at, day.start), day.end)
        if holds(state) and since is None:
            since = at
        elif not holds(state) and since is not None:
            spans.append((since, at))
            since = None
    if since is not None:
        spans.append((since, day.end))
    return tuple(span for span in spans if span[1] > span[0])


def mean_patience(found: Laws) -> float:
    """Of the whole house, for Erlang A."""
    return found.patience[""].mean
