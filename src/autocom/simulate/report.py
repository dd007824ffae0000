"""The report of simulated days: tables for a terminal, CSV for a spreadsheet, JSON for programs.

All three show the same figures under the same names; JSON and CSV keep full precision and are in the
words of `figures`, whatever the language. Must not compute anything that is not a sum of what it is given.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from autocom.core.journal import Json
from autocom.simulate.compare import Change
from autocom.simulate.confidence import Estimate
from autocom.simulate.figures import Figures, Sheet, Work
from autocom.simulate.staffing import Need
from autocom.simulate.words import Language

_ANYBODY = 0.05  # below that somebody only ended her last call
_ESTIMATES = ("service_level", "asa", "p90", "p95", "abandons", "offers", "own", "misjudged")


@dataclass(frozen=True, slots=True)
class Report:
    """Everything there is to show. `patience`: the callers' mean, seconds; `goal`: the share to reach."""

    figures: Figures
    needs: Mapping[int, Need]
    team_needs: Mapping[str, Need]
    patience: float
    goal: float
    changes: tuple[Change, ...] = ()


# --- terminal --------------------------------------------------------------------------------

_Column = tuple[str, Callable[[Sheet], str]]


def _columns(say: Language) -> list[_Column]:
    return [
        ("calls", lambda s: say.number(s.calls, 1)),
        ("wanted", lambda s: say.number(s.wanted, 1)),
        ("service_level", lambda s: say.percent(s.service_level)),
        ("asa", lambda s: say.seconds(s.asa)),
        ("p90", lambda s: say.seconds(Estimate(s.p90.value))),
        ("p95", lambda s: say.seconds(Estimate(s.p95.value))),
        ("longest", lambda s: say.seconds(Estimate(s.longest))),
        ("abandons", lambda s: say.percent(s.abandons)),
        ("offers", lambda s: say.plain(Estimate(s.offers.value))),
        ("own", lambda s: say.percent(Estimate(s.own.value))),
    ]


def show(report: Report, console: Console, say: Language) -> None:
    """Every table, for a person."""
    figures = report.figures
    console.print(
        say(
            "head",
            date=say.day(figures.day.date),
            calls=say.number(figures.total.calls),
            seeds=figures.seeds,
            handling=say.number(figures.work.handling),
            patience=say.number(report.patience),
        )
    )
    console.print(_half_hours(report, say))
    console.print(
        say("note", goal=say.number(100 * report.goal), target=say.number(figures.target)), style="dim"
    )
    console.print(say("misjudged", seconds=say.seconds(figures.total.misjudged)))
    console.print(_teams(report, say))
    rows = {**figures.clients, say("all"): figures.total}
    console.print(_sheets(say("clients"), say("client"), rows, say))
    console.print(_secretaries(figures, say))
    if report.changes:
        console.print(_changes(report.changes, say))


def _table(title: str, first: str, headings: Iterable[str]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(first, no_wrap=True)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=False)
    return table


def _half_hours(report: Report, say: Language) -> Table:
    figures = report.figures
    words = (
        "calls",
        "service_level",
        "asa",
        "p90",
        "abandons",
        "occupancy",
        "present",
        "needed_c",
        "needed_a",
        "expected",
    )
    table = _table(say("half_hours"), say("time"), map(say, words))
    for slot, need in report.needs.items():
        sheet, work = figures.slots.get(slot), figures.slot_work[slot]
        table.add_row(
            figures.day.label(slot),
            say.number(need.calls, 1),
            say.percent(sheet.service_level) if sheet else "–",
            say.seconds(Estimate(sheet.asa.value)) if sheet else "–",
            say.seconds(Estimate(sheet.p90.value)) if sheet else "–",
            say.percent(Estimate(sheet.abandons.value)) if sheet else "–",
            say.percent(Estimate(work.occupancy.value if need.present >= _ANYBODY else None)),
            say.number(need.present, 1),
            str(need.patient),
            str(need.impatient),
            say.percent(Estimate(need.expected.service_level)) if need.expected and need.calls else "–",
        )
    return table


def _teams(report: Report, say: Language) -> Table:
    names = [*(name for name, _ in _columns(say)), "occupancy", "needed_c", "needed_a"]
    table = _table(say("teams"), say("team"), map(say, names))
    for team, sheet in report.figures.teams.items():
        need = report.team_needs.get(team)
        table.add_row(
            team,
            *(column(sheet) for _, column in _columns(say)),
            say.percent(Estimate(report.figures.team_work[team].occupancy.value)),
            str(need.patient) if need else "–",
            str(need.impatient) if need else "–",
        )
    return table


def _sheets(title: str, first: str, rows: Mapping[str, Sheet], say: Language) -> Table:
    columns = _columns(say)
    table = _table(title, first, (say(name) for name, _ in columns))
    for name, sheet in rows.items():
        table.add_row(name, *(column(sheet) for _, column in columns))
    return table


def _secretaries(figures: Figures, say: Language) -> Table:
    table = _table(say("secretaries"), say("secretary"), [say("occupancy")])
    for who, share in figures.occupancy.items():
        table.add_row(who, say.percent(Estimate(share)))
    table.add_row(say("all"), say.percent(figures.work.occupancy))
    table.add_row(say("spread"), say.percent(figures.work.spread))
    return table


def _changes(changes: Sequence[Change], say: Language) -> Table:
    """Of single clients only a service level whose change cannot be chance: each has few calls."""
    table = _table(say("compared"), "", [say("before"), say("after"), say("difference")])
    for change in changes:
        if change.group == "client" and not (change.sure and change.figure == "service_level"):
            continue
        in_seconds = change.figure in {"asa", "p90"}
        shown = say.seconds if in_seconds else say.percent
        difference = say.seconds(change.difference, digits=1) if in_seconds else say.points(change.difference)
        table.add_row(
            f"{change.name or say('all')}: {say(change.figure)}",
            shown(Estimate(change.before)),
            shown(Estimate(change.after)),
            difference + (" *" if change.sure else "  "),
        )
    return table


# --- for programs ----------------------------------------------------------------------------


def as_json(report: Report) -> dict[str, Json]:
    """Every figure; an estimate is its value and its error."""
    figures = report.figures
    return {
        "day": figures.day.date.isoformat(),
        "zone": figures.day.zone,
        "seeds": figures.seeds,
        "goal": report.goal,
        "target": figures.target,
        "patience": report.patience,
        "total": _sheet(figures.total),
        "work": _work(figures.work),
        "half_hours": [
            {
                "time": figures.day.label(slot),
                **(_sheet(figures.slots[slot]) if slot in figures.slots else {}),
                "work": _work(figures.slot_work[slot]),
                "need": _need(need),
            }
            for slot, need in report.needs.items()
        ],
        "teams": {
            team: {
                **_sheet(sheet),
                "work": _work(figures.team_work[team]),
                "need": _need(report.team_needs[team]) if team in report.team_needs else None,
            }
            for team, sheet in figures.teams.items()
        },
        "clients": {name: _sheet(sheet) for name, sheet in figures.clients.items()},
        "secretaries": dict(figures.occupancy),
        "changes": [
            {
                "group": change.group,
                "name": change.name,
                "figure": change.figure,
                "before": change.before,
                "after": change.after,
                **_estimate("difference", change.difference),
                "sure": change.sure,
            }
            for change in report.changes
        ],
    }


def _estimate(name: str, estimate: Estimate) -> dict[str, Json]:
    return {name: estimate.value, f"{name}_error": estimate.error}


def _sheet(sheet: Sheet) -> dict[str, Json]:
    found: dict[str, Json] = {"calls": sheet.calls, "wanted": sheet.wanted, "outcomes": dict(sheet.outcomes)}
    for name in _ESTIMATES:
        found |= _estimate(name, getattr(sheet, name))
    return {**found, "longest": sheet.longest}


def _work(work: Work) -> dict[str, Json]:
    return {
        **_estimate("occupancy", work.occupancy),
        **_estimate("spread", work.spread),
        "present": work.present,
        "talk": work.talk,
        "ring": work.ring,
        "wrap_up": work.wrap_up,
    }


def _need(need: Need) -> dict[str, Json]:
    expected = need.expected
    return {
        "calls": need.calls,
        "present": need.present,
        "erlang_c": need.patient,
        "erlang_a": need.impatient,
        "expected_service_level": expected.service_level if expected else None,
        "expected_abandons": expected.abandons if expected else None,
        "expected_wait": expected.asa if expected and math.isfinite(expected.asa) else None,
    }


_SHEET_HEAD = ("calls", "wanted", *(n for name in _ESTIMATES for n in (name, f"{name}_error")), "longest")


def write_csv(report: Report, folder: Path) -> list[Path]:
    """`half-hours.csv`, `teams.csv`, `clients.csv`, `secretaries.csv`."""
    figures = report.figures
    tables: dict[str, tuple[list[str], list[list[object]]]] = {
        "half-hours": (
            ["time", *_SHEET_HEAD, "occupancy", "present", "erlang_c", "erlang_a", "expected_service_level"],
            [
                [
                    figures.day.label(slot),
                    *_cells(figures.slots.get(slot)),
                    figures.slot_work[slot].occupancy.value,
                    need.present,
                    need.patient,
                    need.impatient,
                    need.expected.service_level if need.expected else None,
                ]
                for slot, need in report.needs.items()
            ],
        ),
        "teams": (["team", *_SHEET_HEAD], [[name, *_cells(sheet)] for name, sheet in figures.teams.items()]),
        "clients": (
            ["client", *_SHEET_HEAD],
            [[name, *_cells(sheet)] for name, sheet in (*figures.clients.items(), ("", figures.total))],
        ),
        "secretaries": (
            ["secretary", "occupancy"],
            [[who, share] for who, share in figures.occupancy.items()],
        ),
    }
    written = []
    for name, (head, rows) in tables.items():
        path = folder / f"{name}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([head, *rows])
        written.append(path)
    return written


def _cells(sheet: Sheet | None) -> list[object]:
    if sheet is None:
        return [None] * len(_SHEET_HEAD)
    flat = _sheet(sheet)
    return [flat[name] for name in _SHEET_HEAD]
