from __future__ import annotations

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
