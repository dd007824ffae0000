"""How many calls a second `autocom simulate` passes through the real floor, by the size of the bureau.

    .venv/bin/python bench/simulate.py [--calls 20000] [--json]

Each bureau is loaded to nine tenths; teams of ten secretaries reach the whole bureau after twenty seconds.
Pure Python on one core, in processor time; beside it what one decision of the floor costs on average.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from autocom.core.model import Enqueue, Team, Widening
from autocom.simulate.arrivals import Arrival
from autocom.simulate.chance import Exponential, Lognormal
from autocom.simulate.day import simulate
from autocom.simulate.presence import Habits, Shift
from tests.simulate.queues import DAY, FOR_EVER, HANDLING, Kind, callers, client, house

SIZES = ((8, 8), (30, 200), (100, 200), (300, 400))
LOAD = 0.9
TEAM = 10


def measure(secretaries: int, clients: int, calls: int) -> dict[str, float]:
    teams = max(1, secretaries // TEAM)
    rate = LOAD * secretaries / HANDLING / clients
    kinds = {
        f"k{n}": Kind(rate, team=f"t{n % teams}", talk=Lognormal(HANDLING - 4), patience=Exponential(90.0))
        for n in range(clients)
    }
    bureau = house(
        [client(name, Enqueue(kind.team), number=n % 100) for n, (name, kind) in enumerate(kinds.items())],
        {f"s{n}": {f"t{n % teams}": 1, "all": 2} for n in range(secretaries)},
        *(Team(f"t{n}", (Widening(20.0, "all"),)) for n in range(teams)),
    )
    arrivals: tuple[Arrival, ...] = callers(kinds, calls, seed=1)
    presence = {who: Shift(((DAY.start, FOR_EVER),)) for who in bureau.secretaries}
    began = time.process_time()
    course = simulate(bureau, arrivals, presence, Habits(), start=DAY.start, seed=1)
    seconds = time.process_time() - began
    return {
        "secretaries": secretaries,
        "clients": clients,
        "calls": len(course.calls),
        "calls_a_second": len(course.calls) / seconds,
        "decisions": course.facts,
        "us_a_decision": 1e6 * seconds / course.facts,
        "served": sum(passed.outcome == "served" for passed in course.calls) / len(course.calls),
    }


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--calls", type=int, default=20_000)
    asked.add_argument("--json", action="store_true")
    words = asked.parse_args()
    rows = [measure(secretaries, clients, words.calls) for secretaries, clients in SIZES]
    if words.json:
        print(json.dumps(rows))
        return
    print("secretaries  clients    calls  calls/s  µs/decision  served")
    for row in rows:
        print(
            f"{row['secretaries']:11.0f}  {row['clients']:7.0f}  {row['calls']:7.0f}  {row['calls_a_second']:7.0f}"
            f"  {row['us_a_decision']:11.0f}  {row['served']:6.1%}"
        )


if __name__ == "__main__":
    main()
