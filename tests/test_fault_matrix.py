"""Every fault of the page is done by a test that runs in `make test`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fault_matrix import SHARED, Measured, Table, faults

TESTS = Path(__file__).parent


def claimed() -> Iterator[str]:
    """The rows in all `pytest.mark.fault(…)` of the tests."""
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.fault":
                yield from (ast.literal_eval(argument) for argument in node.args)


def test_every_fault_of_the_page_has_its_test():
    assert list(faults()) == [f"F{n}" for n in range(1, 48)]
    assert set(faults()) - set(claimed()) == set()


def test_a_figure_is_held_to_its_limit_alone_and_to_four_times_of_it_beside_others():
    noted: list[object] = []
    alone = Measured(lambda _, value: noted.append(value), alone=True)
    beside = Measured(lambda _, value: noted.append(value), alone=False)
    alone("a", 1.0, at_most=1.0)
    beside("b", SHARED * 1.0, at_most=1.0)
    with pytest.raises(AssertionError):
        alone("c", 1.1, at_most=1.0)
    with pytest.raises(AssertionError):
        beside("d", SHARED * 1.0 + 0.1, at_most=1.0)
    assert noted[0] == "a: 1 s (at most 1)"
    assert len(noted) == 4


def report(outcome: str, when: str, *properties: tuple[str, object]) -> pytest.TestReport:
    return pytest.TestReport(
        nodeid="test_x", location=("x", 1, "x"), keywords={}, outcome=outcome, longrepr=None, when=when,
        user_properties=list(properties),
    )  # fmt: skip


def test_the_table_says_of_each_row_what_came_of_it_and_its_figures():
    table = Table()
    table.pytest_runtest_logreport(report("passed", "setup", ("fault", "F1")))
    table.pytest_runtest_logreport(report("passed", "call", ("fault", "F1"), ("figure", "silence: 0.2 s")))
    table.pytest_runtest_logreport(report("passed", "teardown", ("fault", "F1")))
    table.pytest_runtest_logreport(report("failed", "setup", ("fault", "F2")))
    lines = {line.split(" | ")[0].strip("| "): line for line in table.text().splitlines()}
    assert lines["F1"].endswith("| 1 passed | silence: 0.2 s |")
    assert "0 passed, 1 FAILED" in lines["F2"]
    assert "not run" in lines["F3"]
