"""The matrix of faults: which tests do which row of `docs/faults.md`, what they measured, and the table of both.

    @pytest.mark.fault("F7", "F8")
    async def test_…(exchange, measured, rounds):
        for _ in range(rounds(20, 500)):      # in `make test`, in `make chaos`
            …
        measured("a new caller is answered", seconds, "s", at_most=2.5)

`make chaos` runs these tests alone on the machine, at full length, and holds every figure to its limit. In `make test`
they share the machine with others, so that a figure may be four times its limit there; what must be, and not how fast,
is for the test's own assertions, which hold in both.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
SHARED = 4
"""How many times its limit a figure may be where other tests run beside."""
ROW = re.compile(r"^\| (F\d+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Fault:
    """A row of the page."""

    number: str
    what: str
    must: str


@dataclass(slots=True)
class Outcome:
    """What the tests of a row came to, and what they measured."""

    passed: int = 0
    failed: list[str] = field(default_factory=list)
    figures: list[str] = field(default_factory=list)


def faults() -> dict[str, Fault]:
    """The rows of `docs/faults.md` by their number."""
    return {row[1]: Fault(*(part.strip() for part in row.groups())) for row in ROW.finditer(PAGE.read_text())}


class Measured:
    """Called with each figure of a test."""

    def __init__(self, record: Callable[[str, object], None], *, alone: bool) -> None:
        self._record = record
        self._alone = alone

    def __call__(self, what: str, value: float, unit: str = "s", *, at_most: float | None = None) -> None:
        """Note a figure; AssertionError where it is over its limit."""
        limit = "" if at_most is None else f" (at most {at_most:g})"
        self._record("figure", f"{what}: {value:.3g} {unit}{limit}")
        if at_most is not None:
            allowed = at_most if self._alone else SHARED * at_most
            assert value <= allowed, f"{what}: {value:.3f} {unit}, at most {allowed:g}"


@pytest.fixture
def measured(record_property: Callable[[str, object], None], request: pytest.FixtureRequest) -> Measured:
    """Notes figures of this test for the table."""
    return Measured(record_property, alone=request.config.getoption("--chaos"))


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> Callable[[float, float], Any]:
    """How often, or for how long: the first in `make test`, the second in `make chaos`."""
    whole = request.config.getoption("--chaos")
    return lambda short, full: full if whole else short


def add_options(parser: pytest.Parser) -> None:
    """`--chaos` and `--fault-table`."""
    group = parser.getgroup("faults")
    group.addoption(
        "--chaos", action="store_true", help="faults at full length, figures held to their limits"
    )
    group.addoption("--fault-table", metavar="FILE", help="write what each row of docs/faults.md came to")


def rows_of(item: pytest.Item) -> list[str]:
    """The rows that a test says it does."""
    return [number for mark in item.iter_markers("fault") for number in mark.args]


def note_rows(items: list[pytest.Item]) -> None:
    """Each test's rows into its report, also over the processes of a parallel run. UsageError for an unknown row."""
    known = faults()
    for item in items:
        for number in rows_of(item):
            if number not in known:
                raise pytest.UsageError(f"{item.nodeid}: {number} is no row of {PAGE.name}")
            item.user_properties.append(("fault", number))


class Table:
    """Collects the reports of a run, as a plugin of pytest; printed and written to `path` where one is given."""

    def __init__(self, path: str | None = None) -> None:
        self.path = path
        self.rows: dict[str, Outcome] = {number: Outcome() for number in faults()}

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.path is not None:
            Path(self.path).parent.mkdir(parents=True, exist_ok=True)
            Path(self.path).write_text(f"{self.text()}\n")
            terminalreporter.section(f"faults, also in {self.path}")
            terminalreporter.write_line(self.text())

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One report; what failed before or after the test itself counts as failed too."""
        if report.passed and report.when != "call":
            return
        for number in (value for name, value in report.user_properties if name == "fault"):
            row = self.rows[str(number)]
            row.passed += report.passed
            row.figures += [str(value) for name, value in report.user_properties if name == "figure"]
            if not report.passed:
                row.failed.append(report.nodeid)

    def text(self) -> str:
        """As Markdown."""
        lines = ["| # | fault | tests | measured |", "|---|---|---|---|"]
        for number, fault in faults().items():
            row = self.rows[number]
            tests = f"{row.passed} passed" + (f", {len(row.failed)} FAILED" if row.failed else "")
            if not row.passed and not row.failed:
                tests = "not run"
            figures = "; ".join(dict.fromkeys(row.figures))
            lines.append(f"| {number} | {fault.what} | {tests} | {figures} |")
        return "\n".join(lines)
