"""How fast autocom is, beside app_queue on the same Asterisk and the same machine.

    .venv/bin/python bench/latency.py [--calls 100] [--only set_up,free] [--json]

Starts `autocom up` and a tuned app_queue, each on its own folders and ports, and measures both in short
alternating rounds with real SIP callers and phones (loopback, stamps of the kernel). Absolute
values drift with the machine: the ratio of one run is the result. Exit code 1 where autocom misses a target.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from autocom.asterisk.installation import find
from bench import scenarios
from bench.engines import AppQueue, Autocom, bureau_to_measure
from bench.scenarios import Room, Samples
from tests.support.exchange import Exchange

IDLE = 2.0
CPU_LIMIT = 2.5  # times app_queue's


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of the table, and what autocom promises: `target(autocom, app_queue)` of (p50, p95)."""

    key: str
    title: str
    target: str = ""
    holds: Callable[[list[float], list[float]], bool] = lambda _mine, _theirs: True


def p50(samples: list[float]) -> float:
    return statistics.median(samples)


def p95(samples: list[float]) -> float:
    return sorted(samples)[min(len(samples) - 1, int(len(samples) * 0.95))]


FIGURES = (
    Figure(
        "set_up",
        "caller's INVITE -> phone's INVITE",
        "<= app_queue + 8 ms",
        lambda a, b: p50(a) <= p50(b) + 8,
    ),
    Figure(
        "voice",
        "her 200 -> her voice at the caller",
        "p95 <= app_queue + 10 ms",
        lambda a, b: p95(a) <= p95(b) + 10,
    ),
    Figure("parting", "caller's BYE -> her BYE"),
    Figure(
        "free", "her BYE -> her next INVITE, 5 wait", "<= app_queue / 50", lambda a, b: p50(a) <= p50(b) / 50
    ),
    Figure("wrap_up", "end of wrap-up -> her next INVITE"),
    Figure("resume", "resume -> her INVITE"),
    Figure("hop", "end of ring time -> next phone", "<= 100 ms", lambda a, _: p95(a) <= 100),
)

Scenario = Callable[[Room, int], Awaitable[Samples]]


async def voice(room: Room, count: int) -> Samples:
    return await scenarios.served(room, count, sound=True)


# key, scenario, share of the calls, rounds
PLAN: tuple[tuple[str, Scenario, float, int], ...] = (
    ("set_up", scenarios.served, 1.0, 4),
    ("voice", voice, 1.0, 2),
    ("free", scenarios.free, 1.0, 2),
    ("wrap_up", scenarios.wrap_up, 0.2, 1),
    ("resume", scenarios.resume, 0.25, 1),
    ("hop", scenarios.hop, 0.4, 1),
)


@dataclass(slots=True)
class Result:
    """What was measured of one engine. CPU in milliseconds per call, what it uses at rest taken off."""

    samples: dict[str, list[float]] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    idle: dict[str, float] = field(default_factory=dict)

    def add(self, found: Samples) -> None:
        for key, values in found.items():
            self.samples.setdefault(key, []).extend(values)


async def measure(rooms: list[Room], calls: int, only: set[str]) -> dict[str, Result]:
    """All scenarios in alternating rounds."""
    results = {room.engine.name: Result() for room in rooms}
    await rest(rooms, results)
    for key, scenario, share, rounds in PLAN:
        if only and key not in only:
            continue
        count = max(1, round(calls * share / rounds))
        for _ in range(rounds):
            for room in rooms:
                result = results[room.engine.name]
                before, began = room.engine.cpu(), time.monotonic()
                result.add(await scenario(room, count))
                took = time.monotonic() - began
                if key == "set_up":
                    for part, used in room.engine.cpu().items():
                        own = max(0.0, used - before[part] - result.idle[part] * took)
                        result.cpu[part] = result.cpu.get(part, 0.0) + own * 1000 / (count * rounds)
        print(f"{key} measured", file=sys.stderr, flush=True)
    return results


async def rest(rooms: list[Room], results: dict[str, Result]) -> None:
    """What the engines use without a call, in seconds per second."""
    for room in rooms:
        warm = await scenarios.served(room, 10)  # pools, caches, the first look at every file
        assert warm["set_up"]
    before = {room.engine.name: room.engine.cpu() for room in rooms}
    await asyncio.sleep(IDLE)
    for room in rooms:
        name = room.engine.name
        results[name].idle = {part: (v - before[name][part]) / IDLE for part, v in room.engine.cpu().items()}


def table(results: dict[str, Result]) -> str:
    """For people."""
    mine, theirs = results["autocom"], results["app_queue"]
    lines = [
        f"{'milliseconds':36} {'autocom':>17} {'app_queue':>17} {'ratio of':>9}",
        f"{'':36} {'p50':>8} {'p95':>8} {'p50':>8} {'p95':>8} {'medians':>9}   target",
    ]
    for figure in FIGURES:
        a, b = mine.samples.get(figure.key), theirs.samples.get(figure.key)
        if not a or not b:
            continue
        # app_queue counts wrap-up in whole seconds of the clock: its median may lie before the end
        ratio = f"{p50(a) / p50(b):9.3f}" if p50(b) > 0 else f"{'-':>9}"
        said = f"{figure.target}: {'met' if figure.holds(a, b) else 'MISSED'}" if figure.target else ""
        lines.append(
            f"{figure.title:36} {p50(a):8.1f} {p95(a):8.1f} {p50(b):8.1f} {p95(b):8.1f} "
            f"{ratio}   {said}  n={len(a)}"
        )
    if mine.cpu:
        parts = ", ".join(f"{part} {value:.1f}" for part, value in mine.cpu.items())
        own, other = service_cpu(mine), theirs.cpu["asterisk"]
        met = "met" if own <= CPU_LIMIT * other else "MISSED"
        lines.append(
            f"CPU ms per call: {parts}; app_queue {other:.1f}; without PostgreSQL {own / other:.2f} times "
            f"(<= {CPU_LIMIT}: {met})"
        )
        rest_of = ", ".join(f"{part} {value * 1000:.0f}" for part, value in mine.idle.items())
        lines.append(f"CPU ms per second at rest: {rest_of}; app_queue {theirs.idle['asterisk'] * 1000:.0f}")
    if "overtaken" in mine.samples:
        counts = (sum(r.samples["overtaken"]) for r in (mine, theirs))
        lines.append("callers overtaken: autocom {:.0f}, app_queue {:.0f}".format(*counts))
    return "\n".join(lines)


def service_cpu(result: Result) -> float:
    """Asterisk and autocom; the journal's PostgreSQL is shown apart."""
    return sum(value for part, value in result.cpu.items() if part != "postgresql")


def as_json(results: dict[str, Result]) -> str:
    """For programs."""
    out = {
        name: {
            **{
                key: {"p50": round(p50(v), 3), "p95": round(p95(v), 3), "max": round(max(v), 3), "n": len(v)}
                for key, v in result.samples.items()
                if v and key != "overtaken"
            },
            "overtaken": sum(result.samples.get("overtaken", [])),
            "cpu_ms_per_call": {k: round(v, 2) for k, v in result.cpu.items()},
            "cpu_ms_per_second_idle": {k: round(v * 1000, 1) for k, v in result.idle.items()},
        }
        for name, result in results.items()
    }
    return json.dumps(out, indent=2)


def misses(results: dict[str, Result]) -> list[str]:
    """Targets that were not met."""
    mine, theirs = results["autocom"], results["app_queue"]
    costly = bool(mine.cpu) and service_cpu(mine) > CPU_LIMIT * theirs.cpu["asterisk"]
    return ["cpu"] * costly + [
        figure.key
        for figure in FIGURES
        if figure.key in mine.samples
        and not figure.holds(mine.samples[figure.key], theirs.samples[figure.key])
    ]


async def run(calls: int, only: set[str], command: Path, log: Path | None) -> dict[str, Result]:
    installation = await find(os.environ)
    assert installation is not None, "no Asterisk: `make setup` gets one"
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bureau = bureau_to_measure(Path(folder))
        async with (
            Exchange(bureau, command=command) as exchange,
            AppQueue(bureau, installation.program) as app_queue,
            aiohttp.ClientSession() as session,
        ):
            autocom = Autocom(exchange, session)
            async with Room(autocom, bureau.secretaries) as a, Room(app_queue, bureau.secretaries) as b:
                await exchange.free()
                gc.collect()
                gc.freeze()
                gc.disable()
                results = await measure([a, b], calls, only)
            if log is not None:
                await asyncio.to_thread(log.write_text, exchange.output)
            return results


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--only", default="", help="comma-separated: " + ",".join(key for key, *_ in PLAN))
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--command",
        type=Path,
        default=Path(sys.executable).with_name("autocom"),
        help="the autocom to measure, to hold two of them against each other",
    )
    parser.add_argument("--log", type=Path, help="where autocom's own log goes, for a look at the outliers")
    given = parser.parse_args()
    began = time.monotonic()
    only = set(filter(None, given.only.split(",")))
    results = asyncio.run(run(given.calls, only, given.command, given.log))
    print(as_json(results) if given.json else table(results))
    if not given.json:
        print(
            f"{given.calls} calls of a kind, {time.monotonic() - began:.0f} s, load {os.getloadavg()[0]:.1f}"
        )
    return 1 if misses(results) else 0


if __name__ == "__main__":
    sys.exit(main())
