from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SPEAKER = """
import logging, structlog
from autocom import logs

logs.set_up("info", "{form}")
for _ in range(3):
    structlog.get_logger().error("something", why="words " * 2000)
    logging.getLogger("a library").error("words " * 2000)
print("alive")
"""


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_log_on_a_full_disk_ends_nobody(form):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", SPEAKER.format(form=form)],
            stdout=subprocess.PIPE,
            stderr=full,
            text=True,
            check=False,
        )
    assert done.stdout == "alive\n"


def test_what_a_library_logs_is_one_line_of_json_with_its_traceback_inside() -> None:
    script = """
import logging
from autocom import logs

logs.set_up("info", "json")
logging.getLogger("a.library").info("too quiet")
try:
    raise ValueError("two\\nlines")
except ValueError:
    logging.getLogger("a.library").exception("of %s", "one\\r\\nline")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    (line,) = done.stderr.splitlines()
    told = json.loads(line)
    assert (told["logger"], told["level"], told["event"]) == ("a.library", "error", "of one\\r\\nline")
    assert "ValueError: two" in told["exception"]


@pytest.mark.parametrize("form", ["json", "console"])
def test_what_an_error_says_moves_no_terminals_cursor(form: str) -> None:
    script = f"""
import structlog
from autocom import logs

logs.set_up("info", "{form}")
try:
    raise ValueError("a stranger's \\x1b[2J and \\x9b2J")
except ValueError:
    structlog.get_logger().exception("of \\x9b2J")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    said = json.loads(done.stderr)["exception"] if form == "json" else done.stderr
    assert "ValueError: a stranger's \\x1b[2J and \\x9b2J" in said
    assert "\x1b" not in said
    assert "\x9b" not in done.stderr


def test_a_librarys_slip_in_its_own_log_ends_nothing() -> None:
    script = """
import logging
from autocom import logs

logs.set_up("info", "json")
library = logging.getLogger("a.library")
library.error("%d of %s", "one")
library.error("%(two)s", {"one": 1})
library.log(35, "between two levels")
library.log(99, "beyond all")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    told = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["level"] for line in told] == ["error", "error", "warning", "critical"]
    assert told[0]["event"].startswith("%d of %s")
