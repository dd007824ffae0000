"""What the rescuer does, from what it sees: pure rules, without a clock.

New callers are spared a service that does not answer (the gate) soon, those who wait in it are taken out of it late: a
restarted exchange adopts them within ten seconds, in their place, and to be taken out is to lose that. The reasons of
each number stand beside it; R and F are the targets and faults that `docs/rescue.md` lists. Invariant: whoever talks to
somebody is in nobody's list.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from autocom.rescue.beat import DRAINING, SERVING

GATE_AFTER: Final = 5.0
"""Seconds of silence after which new callers skip the exchange. Each of them waits 1 s for a claim until then, which
keeps R2 (2.5 s) by itself; sooner, a start of a garbage collection would close the exchange."""
MISSES: Final = 2
"""Requests to ARI without an answer, of 2 s each, that mean it is hung: with a second between them a caller who
comes in that time rings for 6 s at most (F12). One alone is a busy machine."""
HUNG_FOR: Final = 10.0
"""Seconds of a hung ARI after which also those who wait are taken out: no start of the exchange can adopt them, only an
Asterisk that is killed, with them in it; F12 wants it within 15 s. Not at once: a load peak ends by itself."""
AWAY_FOR: Final = 30.0
"""Seconds without a serving exchange after which those who wait are taken out. A frozen exchange ends itself after
5 s, a supervisor starts it after 0.5 s and it takes 2 to 4 s (R4, R5: 10 s); a slow machine, a second crash, an upgrade
by hand double or triple that. Until here their music plays (F2, F7) and their place is kept; from here on to be
served by the fallback is better than to be promised something."""

HEARD_AFTER: Final = 15.0
"""Seconds of service after which a client's message is taken for heard: to be greeted twice is odd, not to be greeted
and then left in silence is worse."""

INBOUND: Final = "autocom-inbound"
_OUR_LEG: Final = re.compile(r"(?:ring|out)-c[0-9a-z]+-[0-9]+(?:-[a-z0-9][a-z0-9-]*)?")
_NAME: Final = re.compile(r"[A-Za-z0-9]+/[A-Za-z0-9_.@:+-]{1,100}")
_UNIQUE: Final = re.compile(r"(?:[A-Za-z0-9_.-]+-)?([0-9]{6,12})\.([0-9]{1,10})")


@dataclass(frozen=True, slots=True)
class Look:
    """What is seen. `silent`: seconds since the exchange last said that it serves. `hung`: seconds since the first of
    the requests that ARI left without an answer was sent; None where it answers, or is not there at all."""

    silent: float
    word: str
    hung: float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done. `closed`: the gate's position, None: leave it. `take`: nobody, or callers who are at most so
    many seconds old (`inf`: all)."""

    closed: bool | None
    take: float
    why: str
    what: str = "gate_closed"  # the deed's name, where the gate is closed for it; empty: nothing worth a word


def judge(look: Look) -> Verdict:
    """What this look asks for."""
    if look.hung is not None:
        # who came while it hung was never claimed: nothing but the ringing tone keeps him
        take = float("inf") if look.hung >= HUNG_FOR else look.hung + 1.0
        return Verdict(
            closed=True, take=take, why=f"ARI has not answered for {look.hung:.0f} s", what="ari_hung"
        )
    if look.silent >= AWAY_FOR:
        return Verdict(closed=True, take=float("inf"), why=f"no exchange has served for {look.silent:.0f} s")
    if look.silent >= GATE_AFTER:
        return Verdict(closed=True, take=0.0, why=f"no exchange has served for {look.silent:.0f} s")
    if look.word == DRAINING:
        return Verdict(closed=True, take=0.0, why="the exchange is about to stop", what="")
    if look.word == SERVING and look.silent < 1.0:
        return Verdict(closed=False, take=0.0, why="the exchange serves")
    return Verdict(closed=None, take=0.0, why="not known yet")


@dataclass(frozen=True, slots=True)
class Stuck:
    """A channel that is to be taken out, by Asterisk's name for it and its unique id. `age`: seconds of its life."""

    name: str
    id: str
    age: float = 0.0


def callers(rows: Iterable[Mapping[str, str]], youngest: float) -> list[Stuck]:
    """Callers in a Stasis application who talk to nobody and came within the last `youngest` seconds, in the order of
    their arrival. `rows`: AMI's CoreShowChannel events."""
    rows = list(rows)
    alone = [row for row in _alone(rows) if _is_ours(row) and _age(row.get("Duration", "")) <= youngest]
    return [
        Stuck(row["Channel"], row["Uniqueid"], _age(row.get("Duration", "")))
        for row in sorted(alone, key=_arrival)
    ]


def inside(rows: Iterable[Mapping[str, str]]) -> list[str]:
    """The unique ids of all callers whom the exchange still has, whether they talk or not."""
    return [row.get("Uniqueid", "") for row in rows if _is_ours(row)]


def entry(caller: Stuck, look: Look) -> str:
    """The fallback's extension for him: one who was served for a while has heard his client's message."""
    served = caller.age - max(look.silent, look.hung or 0.0)
    return "again" if served > HEARD_AFTER else "s"


def legs(rows: Iterable[Mapping[str, str]]) -> list[Stuck]:
    """Phones that the exchange let ring, or that wait alone for the other side: nobody will ever come, and the
    fallback could ring them."""
    return [
        Stuck(row["Channel"], row["Uniqueid"])
        for row in _alone(list(rows))
        if _OUR_LEG.fullmatch(row.get("Uniqueid", ""))
    ]


def _alone(rows: list[Mapping[str, str]]) -> list[Mapping[str, str]]:
    together = Counter(row.get("BridgeId", "") for row in rows)
    return [
        row
        for row in rows
        if (not row.get("BridgeId") or together[row["BridgeId"]] < 2)
        and _NAME.fullmatch(row.get("Channel", ""))
        and row.get("Uniqueid")
    ]


def _is_ours(row: Mapping[str, str]) -> bool:
    return row.get("Context") == INBOUND and row.get("Application", "").startswith("Stasis")


def _age(duration: str) -> float:
    """`HH:MM:SS`, of a channel's life; what is no such text is taken for old."""
    parts = duration.split(":")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        return float("inf")
    hours, minutes, seconds = map(int, parts)
    return hours * 3600.0 + minutes * 60.0 + seconds


def _arrival(row: Mapping[str, str]) -> tuple[int, int]:
    """Asterisk's unique id is the second of its making and a number that grows; older first."""
    found = _UNIQUE.fullmatch(row["Uniqueid"])
    return (int(found[1]), int(found[2])) if found else (1 << 62, 0)
