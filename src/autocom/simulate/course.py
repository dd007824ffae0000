"""What a simulated day leaves behind: its callers, and the secretaries' states.

Plain values; `day` makes them, `figures` counts them.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Passed:
    """What became of a caller. `wait`: from the call's arrival to the conversation, or to its end without
    one. `own`: whether the secretary belongs to the team he waited for. `team` None: he never waited.
    `misjudged`: by how many seconds the wait that could have been announced to him when he joined fell short
    of the one he had; None where nobody had to tell him, or he was not served."""

    at: float
    client: str
    outcome: str
    team: str | None
    wait: float
    talk: float
    offers: int
    secretary: str | None
    own: bool
    misjudged: float | None = None


@dataclass(frozen=True, slots=True)
class Stint:
    """One secretary, one state, from `start` to `end`."""

    secretary: str
    state: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Course:
    """A day that has been simulated: its callers in the order in which their calls ended, and the
    secretaries' states. `facts`: how often the floor decided."""

    calls: tuple[Passed, ...]
    stints: tuple[Stint, ...]
    facts: int


@dataclass(slots=True)
class Watch:
    """Keeps the secretaries' states as the floor's entries tell them."""

    since: dict[str, tuple[str, float]] = field(default_factory=dict)
    stints: list[Stint] = field(default_factory=list)

    def note(self, who: str, state: str, at: float) -> None:
        """She is in this state from now on."""
        before = self.since.get(who)
        if before is not None and before[1] < at:
            self.stints.append(Stint(who, before[0], before[1], at))
        self.since[who] = (state, at)

    def close(self, at: float) -> tuple[Stint, ...]:
        """The day is over: all her states, in the order of their ends."""
        for who in list(self.since):
            self.note(who, "end", at)
        return tuple(self.stints)
