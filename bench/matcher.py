"""How fast the floor decides: `floor.apply` beside the plain shape, at 10 … 1,000 waiting and 10 … 300 secretaries.

    python bench/matcher.py [--seconds 0.5] [--json]

A bureau at full load: everybody talks, W callers wait. Then, over and over: a conversation ends, she is offered the
most urgent caller she may take, picks up, is joined; and somebody else joins the queue. Each fact and the question
for the next deadline that follows it is one event, as in the dispatcher. The plain shape copies both maps and looks at
every caller and every secretary for each event: what the floor did until it kept a board.
Times are those of the processor: what else runs on the machine does not count.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from time import process_time

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

from autocom.core import floor as rules
from autocom.core import ranking
from autocom.core.floor_words import (
    CallerJoined,
    FloorFact,
    Joined,
    LegAnswered,
    LoggedIn,
    PhoneSeen,
    Staffed,
    TalkEnded,
)
from autocom.core.model import Team, Widening
from autocom.core.naming import leg_id
from autocom.core.posts import Floor, Idle, InTalk, Offered, Staff, Waiter, WrapUp

TEAMS = 10
CLIENTS = 200
Apply = Callable[[Floor, FloorFact, float], Floor]


@dataclass(frozen=True, slots=True)
class Figures:
    """Events a second, and the slow ones in milliseconds."""

    waiting: int
    secretaries: int
    shape: str
    events_per_s: float
    p50_ms: float
    p99_ms: float
    worst_ms: float


def staff_of(secretaries: int) -> Staff:
    """Everybody knows one team well and the next one a little; teams widen to the next after 20 s."""
    levels = {f"s{n}": {f"t{n % TEAMS}": 1, f"t{(n + 1) % TEAMS}": 2} for n in range(secretaries)}
    teams = {f"t{n}": Team(f"t{n}", (Widening(20.0, f"t{(n + 1) % TEAMS}"),)) for n in range(TEAMS)}
    languages = {name: ("fr", "de") if n % 5 == 0 else ("fr",) for n, name in enumerate(levels)}
    return Staff(levels, teams, languages=languages)


def caller(number: int, now: float) -> Waiter:
    """Of one of the clients: teams, priorities and targets differ; some ask for a language."""
    client = number * 7 % CLIENTS
    return Waiter(
        call=f"c{number}",
        client=f"client{client}",
        team=f"t{client % TEAMS}",
        joined=now,
        priority=40 + client % 5 * 10,
        target=(15.0, 20.0, 30.0)[client % 3],
        advance=60.0 if number % 50 == 0 else 0.0,
        languages=("fr",) if client % 4 == 0 else (),
    )


class Load:
    """A bureau at full load, and the facts that keep it there."""

    def __init__(self, apply: Apply, waiting: int, secretaries: int) -> None:
        self.apply, self.now, self.number = apply, 1000.0, waiting
        staff = staff_of(secretaries)
        self.floor = rules.apply(Floor(staff), Staffed(staff), self.now).floor
        for name in staff.levels:
            self.floor = rules.apply(self.floor, PhoneSeen(name, reachable=True), self.now).floor
            self.floor = rules.apply(self.floor, LoggedIn(name), self.now).floor
        posts = {
            name: replace(post, engaged=InTalk(f"x{name}", leg_id(f"x{name}", 1, name), 1, "client0", 0.0))
            for name, post in self.floor.posts.items()
        }
        waiters = {f"c{n}": caller(n, self.now - (waiting - n) * 0.1) for n in range(waiting)}
        self.floor = Floor(staff, posts, waiters)
        self.floor = apply(self.floor, LoggedIn("s0"), self.now)
        self.talks = {name: f"x{name}" for name in posts}

    def facts(self) -> Iterator[FloorFact]:
        """For ever."""
        for name in itertools.cycle(list(self.talks)):
            self.now += 0.05
            yield TalkEnded(self.talks[name], name)
            yield from self._pick_up(name)
            new = caller(self.number, self.now)
            self.number += 1
            yield CallerJoined(new)
            # somebody was free whom nobody had needed
            for other in self.floor.waiters[new.call].ringing:
                yield from self._pick_up(other)

    def _pick_up(self, name: str) -> Iterator[FloorFact]:
        engaged = self.floor.posts[name].engaged
        if isinstance(engaged, Offered):
            self.talks[name] = engaged.call
            yield LegAnswered(engaged.leg)
            yield Joined(engaged.call)

    def run(self, seconds: float, deadline: Callable[[Floor, float], float | None]) -> list[float]:
        """The time of each event, in seconds."""
        times: list[float] = []
        end = process_time() + seconds
        for fact in self.facts():
            before = process_time()
            self.floor = self.apply(self.floor, fact, self.now)
            deadline(self.floor, self.now)
            after = process_time()
            times.append(after - before)
            if after >= end and len(times) >= 100:
                return times
        raise AssertionError("facts never end")


# --- the plain shape -------------------------------------------------------------------------


def plain_apply(floor: Floor, fact: FloorFact, now: float) -> Floor:
    """The same facts, with copies and sorted lists; only what this load needs."""
    posts, waiters = dict(floor.posts), dict(floor.waiters)
    match fact:
        case TalkEnded(_, secretary):
            posts[secretary] = replace(posts[secretary], engaged=Idle(), idle_since=now)
        case LegAnswered(leg):
            name = leg.rpartition("-")[2]
            offer = posts[name].engaged
            assert isinstance(offer, Offered)
            posts[name] = replace(posts[name], engaged=InTalk(offer.call, leg, offer.attempt, "", now))
            waiters[offer.call] = replace(waiters[offer.call], ringing=(), held=name)
        case Joined(call):
            del waiters[call]
        case CallerJoined(waiter):
            waiters[waiter.call] = waiter
        case _:
            pass
    empty: dict[str, float] = {}
    teams: dict[str, bool] = {}
    for waiter in waiters.values():
        if waiter.team not in teams:
            teams[waiter.team] = ranking.staffed(waiter, Floor(floor.staff, posts))
    if any(post.free(now) for post in posts.values()):
        for waiter in ranking.callers((w for w in waiters.values() if not w.held and not w.ringing), now):
            found = ranking.candidates(waiter, Floor(floor.staff, posts, waiters), now)
            if found:
                post = found[0][1]
                leg = leg_id(waiter.call, waiter.attempts + 1, post.secretary)
                engaged = Offered(waiter.call, leg, waiter.attempts + 1, now, now + waiter.ring_for)
                posts[post.secretary] = replace(post, engaged=engaged, last_offer=now)
                waiters[waiter.call] = replace(
                    waiter, attempts=waiter.attempts + 1, ringing=(post.secretary,)
                )
            if not any(post.free(now) for post in posts.values()):
                break
    return Floor(floor.staff, posts, waiters, empty)


def plain_deadline(floor: Floor, now: float) -> float | None:
    """By looking at everybody."""
    found: list[float] = []
    engaged = (post.engaged for post in floor.posts.values())
    found += [offer.until for offer in engaged if isinstance(offer, Offered | WrapUp)]
    for waiter in floor.waiters.values():
        team = floor.staff.teams.get(waiter.team)
        found += [at for step in (team.widen if team else ()) if (at := waiter.joined + step.after) > now]
    return min(found, default=None)


def board_apply(floor: Floor, fact: FloorFact, now: float) -> Floor:
    """The floor's own."""
    return rules.apply(floor, fact, now).floor


def measure(waiting: int, secretaries: int, shape: str, seconds: float) -> Figures:
    """One cell of the table."""
    plain = shape == "plain"
    load = Load(plain_apply if plain else board_apply, waiting, secretaries)
    deadline = plain_deadline if plain else rules.next_deadline
    load.run(seconds / 5, deadline)
    gc.collect()
    gc.freeze()  # else most of what is slow is the collector walking over the interpreter's own modules
    times = sorted(load.run(seconds, deadline))
    assert waiting * 0.5 <= len(load.floor.waiters) <= waiting * 1.5 + 10, "the load is not what it says"
    gc.unfreeze()
    count = len(times)
    return Figures(
        waiting,
        secretaries,
        shape,
        round(count / sum(times)),
        round(times[count // 2] * 1000, 3),
        round(times[int(count * 0.99)] * 1000, 3),
        round(times[-1] * 1000, 3),
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--seconds", type=float, default=0.5, help="of processor time, measured for each cell"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = [
        measure(waiting, secretaries, shape, options.seconds)
        for waiting in (10, 100, 1000)
        for secretaries in (10, 100, 300)
        for shape in ("plain", "board")
    ]
    if options.json:
        print(json.dumps([{name: getattr(f, name) for name in f.__slots__} for f in figures], indent=1))
        return
    print(f"{'waiting':>8} {'secretaries':>12} {'shape':>6} {'events/s':>9} {'p50 ms':>8} {'p99 ms':>8}")
    for f in figures:
        print(
            f"{f.waiting:>8} {f.secretaries:>12} {f.shape:>6} {f.events_per_s:>9} {f.p50_ms:>8} {f.p99_ms:>8}"
        )


if __name__ == "__main__":
    main()
