"""kill -9 of a process that saves and ships: nothing acknowledged is lost, nothing is doubled."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from autocom.journal.log import LocalLog
from tests.support.postgres import execute
from tests.support.shipping import shipping

WRITER = """
import asyncio, sys
from pathlib import Path
from autocom.core.journal import Entry
from autocom.journal.database import make_engine
from autocom.journal.log import LocalLog
from autocom.journal.shipper import Shipper

async def main(path, url, first):
    log = LocalLog(Path(path))
    shipper = Shipper(log, make_engine(url), linger=0, batch=7)
    async with asyncio.TaskGroup() as group:
        group.create_task(shipper.run())
        for n in range(int(first), 10**9):
            log.save([Entry(1e9 + n / 1000, "step", f"c{n // 10}", {"n": n})], floor={"n": n})
            print(n, flush=True)
            if n % 5 == 0:
                await asyncio.sleep(0)

asyncio.run(main(*sys.argv[1:]))
"""


def killed_after(lines: int, path: Path, url: str, first: int) -> int:
    """Let a writer go on from `first`, kill it after that many acknowledged saves; the last of them."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), url, str(first)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        last = first - 1
        for _ in range(lines):
            last = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        told = writer.stdout.read().split("\n")[:-1]  # acknowledged before it died; a half line is not
    return int(told[-1]) if told else last


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_writer_killed_at_random_moments_loses_and_doubles_no_fact(seed, engine, url, tmp_path):
    path = tmp_path / "log.sqlite"
    dice = random.Random(seed)
    saved = -1
    for _ in range(3):
        acknowledged = killed_after(dice.randint(1, 250), path, url, saved + 1)
        log = LocalLog(path)
        saved = log.stored().floor["n"]
        # the kill may fall between the save and its acknowledgement
        assert saved in {acknowledged, acknowledged + 1}
        log.close()

    log = LocalLog(path)
    async with shipping(log, engine, linger=0) as shipper:
        assert await shipper.flush(30)
    log.close()

    stored = [row[0] for row in execute(url, "SELECT (fields->>'n')::int FROM events ORDER BY at")]
    assert stored == list(range(saved + 1))
    assert execute(url, "SELECT count(*) FROM calls") == [(saved // 10 + 1,)]
