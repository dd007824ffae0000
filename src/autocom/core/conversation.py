"""A conversation of up to three: who is in the bridge, which order fits now, when she is reminded of who holds.

Everything follows from the stage alone (`core.stages.Talking`), so that a stage that is run again arranges the
same. Must not know how anybody is put there: that is `calls.arranging`. Invariant: the secretary is always
inside; nobody is inside and aside at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from autocom.core.orders import (
    Consult,
    Drop,
    Hold,
    Join,
    Leave,
    Mark,
    Order,
    Park,
    PutThrough,
    Record,
    Resume,
    SendTo,
)
from autocom.core.stages import Held, Talking
from autocom.core.targets import ToRoom, ToTeam


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Channels that hear each other; those that hear hold music alone; whether she hears ringing."""

    inside: tuple[str, ...]
    aside: tuple[str, ...] = ()
    rings: bool = False


def arrangement(stage: Talking, caller: str) -> Arrangement:
    """Who hears whom at this stage. Whom her own phone holds stays inside: Asterisk plays him the music."""
    inside: list[str] = [stage.leg]
    aside: list[str] = []
    held = stage.held is not None and stage.held.by != "phone"
    (aside if held else inside).append(caller)
    third = stage.third
    if third is not None and third.answered_at is not None:
        (inside if third.inside else aside).append(third.leg)
    ringing = third is not None and third.answered_at is None
    return Arrangement(tuple(inside), tuple(aside), ringing)


def is_conference(stage: Talking) -> bool:
    """Whether all three hear each other."""
    return stage.third is not None and stage.third.inside and stage.held is None


def why_not(stage: Talking, order: Order) -> str | None:
    """Why this order does not fit what the conversation is now, for people; None where it does."""
    held = stage.held
    match order:
        case Hold() if held is not None:
            return "the caller is on hold already"
        case Resume() if held is None:
            return "the caller is not on hold"
        case Resume() if held is not None and held.by == "phone":
            return "her own phone holds the caller: it has to let him go"
        case Record() if stage.private:
            return "the caller is gone: who is there now was not told that anything is recorded"
        case Consult() | Join() | Drop() | Leave() | Park():
            return _why_not_three(stage, order)
        case Hold() | Resume() | SendTo() | PutThrough() | Record() | Mark():
            return None


def _why_not_three(stage: Talking, order: Consult | Join | Drop | Leave | Park) -> str | None:
    held, third = stage.held, stage.third
    match order:
        case Consult(target=ToTeam() | ToRoom()):
            return "only an extension or a number can be consulted"
        case Consult() | Park():
            return None if third is None else "somebody is being consulted: let him go first"
        case Join() if third is not None and is_conference(stage):
            return "all three talk already"
        case Join():
            there = third is not None and third.answered_at is not None
            return None if there else "nobody has answered whom she wants to consult"
        case Drop() if held is not None and held.by != "phone":
            return None
        case Drop() | Leave():
            return None if third is not None else "nobody is being consulted"


def next_reminder(held: Held, every: float, now: float) -> float | None:
    """When she is next to be reminded of who is on hold, every so many seconds (0: never)."""
    if every <= 0:
        return None
    # the millisecond: a quotient that rounding put below a whole number would name this very instant again
    rounds = math.floor((now - held.since + 0.001) / every)
    return held.since + (max(0, rounds) + 1) * every


def reminder(name: str, held: Held, now: float, language: str) -> str:
    """What her phone shows of somebody who is on hold."""
    minutes, seconds = divmod(round(now - held.since), 60)
    parts = (f"{minutes} min" if minutes else "", f"{seconds} s" if seconds else "")
    how_long = " ".join(part for part in parts if part)
    if language == "fr":
        return f"autocom : {name}, en garde depuis {how_long}. *5 pour le reprendre."
    return f"autocom: {name}, on hold for {how_long}. *5 to take him back."
