"""`simulate`: how long callers would wait, and how many secretaries a day needs.

Reads a configuration, a profile or the journal of a real day; says in one line what is wrong with any of
them. What is simulated stands in `autocom.simulate`; here are only the words of the command line.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from zoneinfo import ZoneInfo

import click

from autocom.commands.shared import fail, settings

if TYPE_CHECKING:
    from autocom.core.model import Configuration
    from autocom.simulate.calendar import Day
    from autocom.simulate.report import Report
    from autocom.simulate.study import Plan

_WIDTH = 150  # of the tables where the output is no terminal


class _Duration(click.ParamType[float]):
    """A length of time as the YAML files write it; seconds."""

    name = "duration"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from autocom.config.scalars import duration  # noqa: PLC0415

        if isinstance(value, float):
            return value
        try:
            found = duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if found <= 0:
            self.fail("must be longer than nothing", param, ctx)
        return found


_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.option("--config", type=_FOLDER, help="The bureau to simulate; AUTOCOM_CONFIG if left out.")
@click.option("--day", "on", help="YYYY-MM-DD: whose hours and holidays count. Left out: next Monday.")
@click.option(
    "--calls",
    type=click.IntRange(0, 1_000_000),
    help="Calls a day in all, as a day of practices spreads them.",
)
@click.option(
    "--profile",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A YAML file with calls, shifts, habits.",
)
@click.option("--from-journal", "real", help="YYYY-MM-DD: the callers and shifts of that real day.")
@click.option("--resample", is_flag=True, help="With --from-journal: other days like that one.")
@click.option(
    "--seeds", type=click.IntRange(1, 1000), default=10, show_default=True, help="Days to simulate."
)
@click.option("--secretaries", multiple=True, metavar="+N:TEAM", help="So many more (or -N fewer) in a team.")
@click.option("--against", type=_FOLDER, help="Another configuration: what it would change.")
@click.option("--aht", type=_Duration(), help="Handling time, wrap-up included.  [usual: 110s]")
@click.option("--patience", type=_Duration(), help="How long callers wait on average.  [usual: 90s]")
@click.option(
    "--goal",
    type=click.IntRange(1, 99),
    default=80,
    show_default=True,
    help="Percent in target, for the staffing.",
)
@click.option("--out", type=_FOLDER, help="Write CSV, JSON and SVG there.")
@click.option("--json", "as_json", is_flag=True)
@click.option("--lang", type=click.Choice(["fr", "en"]), help="Of the report; the bureau's if left out.")
def simulate(**words: Any) -> None:
    """Simulate a day: the real dispatcher on a virtual clock, beside Erlang C and A."""
    from autocom.simulate.presence import Impossible  # noqa: PLC0415

    asked = _Asked(**words)
    if asked.real and (asked.calls is not None or asked.profile or asked.on or asked.aht or asked.patience):
        fail("--from-journal takes day, calls, times and shifts from the journal: leave the other words out")
    if asked.resample and not asked.real:
        fail("--resample needs --from-journal")
    configuration = _configuration(asked.config or settings().config)
    day = _day(asked, configuration.bureau.timezone)
    plan = _of_journal(asked, configuration, day) if asked.real else _of_profile(asked, configuration, day)
    try:
        plan = _with(plan, asked)
    except Impossible as impossible:
        fail(str(impossible))
    _tell(_simulated(plan), asked.out, asked.lang or configuration.bureau.language, as_json=asked.as_json)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The words of the command line, as click hands them over."""

    config: Path | None
    on: str | None
    calls: int | None
    profile: Path | None
    real: str | None
    resample: bool
    seeds: int
    secretaries: tuple[str, ...]
    against: Path | None
    aht: float | None
    patience: float | None
    goal: int
    out: Path | None
    as_json: bool
    lang: str | None


def _configuration(folder: Path) -> Configuration:
    """The folder's; where it is refused, every fault on stderr and exit 1."""
    from autocom.config import ConfigurationRefused, load, stock_folder  # noqa: PLC0415
    from autocom.simulate.measure import MeasuringShelf  # noqa: PLC0415

    shelf = MeasuringShelf(folder / "sounds", stock_folder())
    try:
        return load(folder, shelf, datetime.now(tz=UTC).year, language=settings().language).configuration
    except ConfigurationRefused as refused:
        _refuse(refused.faults)


def _refuse(faults: Iterable[object]) -> NoReturn:
    for fault in faults:
        click.echo(str(fault), err=True)
    raise SystemExit(1)


def _day(asked: _Asked, zone: str) -> Day:
    from autocom.simulate.calendar import Day  # noqa: PLC0415

    text = asked.real or asked.on
    if text is None:
        today = datetime.now(tz=ZoneInfo(zone)).date()
        return Day.of(today + timedelta(days=7 - today.weekday()), zone)
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            raise ValueError(text)
        return Day.of(date.fromisoformat(text), zone)
    except (ValueError, OverflowError):
        fail(f"{'--from-journal' if asked.real else '--day'} {text}: write it as 2026-11-23")


def _of_profile(asked: _Asked, configuration: Configuration, day: Day) -> Plan:
    from autocom.config import ConfigurationRefused  # noqa: PLC0415
    from autocom.simulate import profile as files  # noqa: PLC0415
    from autocom.simulate.arrivals import draw  # noqa: PLC0415
    from autocom.simulate.study import House, Plan  # noqa: PLC0415

    try:
        written = files.read_profile(asked.profile, configuration) if asked.profile else files.Written()
    except ConfigurationRefused as refused:
        _refuse(refused.faults)
    given = files.Given(asked.calls, asked.aht, asked.patience)
    callers = files.callers(written, configuration, day, given)
    return Plan(
        day,
        House(configuration, files.shifts(written, configuration, day)),
        lambda seed: draw(callers, day, seed),
        files.habits(written),
        files.mean_patience(callers),
    )


def _of_journal(asked: _Asked, configuration: Configuration, day: Day) -> Plan:
    from autocom.commands.journal import ask_journal  # noqa: PLC0415
    from autocom.journal import history as journal  # noqa: PLC0415
    from autocom.simulate import history  # noqa: PLC0415
    from autocom.simulate.arrivals import draw  # noqa: PLC0415
    from autocom.simulate.study import House, Plan  # noqa: PLC0415

    past = ask_journal(lambda engine: journal.day(engine, day.start, day.end))
    if not past.calls:
        fail(f"--from-journal {day.date}: the journal has no call of that day")
    found = history.laws(past, configuration)
    like = history.profile(past, found, day)
    return Plan(
        day,
        House(configuration, history.presence(past, day)),
        lambda seed: draw(like, day, seed) if asked.resample else history.replay(past, found, seed),
        history.habits(past),
        history.mean_patience(found),
    )


def _with(plan: Plan, asked: _Asked) -> Plan:
    """The plan with what is changed, compared to what is."""
    from autocom.simulate.presence import staffed_otherwise, usual  # noqa: PLC0415
    from autocom.simulate.study import House  # noqa: PLC0415

    mine = plan.house.configuration
    other = _configuration(asked.against) if asked.against else mine
    new = [who for who in other.secretaries if who not in mine.secretaries]
    presence = {**plan.house.presence, **usual(new, plan.day)}
    house = House(*staffed_otherwise(other, presence, asked.secretaries))
    before = plan.house if asked.against or asked.secretaries else None
    return replace(plan, house=house, before=before, seeds=asked.seeds, goal=asked.goal / 100)


def _simulated(plan: Plan) -> Report:
    from autocom.simulate.study import study  # noqa: PLC0415

    with _progress(plan.steps) as step:
        return study(plan, step)


@contextmanager
def _progress(steps: int) -> Iterator[Callable[[], None]]:
    """A bar on stderr, where that is a terminal."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("simulate", total=steps)
        yield lambda: bar.advance(task)


def _tell(report: Report, out: Path | None, language: str, *, as_json: bool) -> None:
    from rich.console import Console  # noqa: PLC0415

    from autocom.simulate.report import as_json as values  # noqa: PLC0415
    from autocom.simulate.report import show, write_csv  # noqa: PLC0415
    from autocom.simulate.words import Language  # noqa: PLC0415

    say = Language(language)
    if out is not None:
        from autocom.simulate import plot  # noqa: PLC0415

        try:
            out.mkdir(parents=True, exist_ok=True)
            (out / "figures.json").write_text(
                json.dumps(values(report), ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
            )
            written = [*write_csv(report, out), *plot.write(report, out, say)]
        except OSError as error:
            fail(f"--out {out}: {error.strerror}")
        click.echo(", ".join(str(path) for path in (out / "figures.json", *written)), err=True)
    if as_json:
        click.echo(json.dumps(values(report), ensure_ascii=False))
        return
    terminal = sys.stdout.isatty()
    show(report, Console(width=None if terminal else _WIDTH, highlight=False), say)
