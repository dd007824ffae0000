"""The file that the fallback goes by follows the configuration, and a disk that refuses is said once and tried again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from autocom import standby
from autocom.asterisk.clock import SteadyClock
from autocom.config import load
from autocom.core.model import Configuration
from autocom.core.numbers import FRANCE

CONFIG = Path(__file__).parents[1] / "config"


class Kept:
    """`keep_written` at work; `current` is the configuration in force."""

    def __init__(self, folder: Path, current: Configuration) -> None:
        self.folder, self.current = folder, current

    def version(self) -> str | None:
        path = self.folder / standby.NAME
        return json.loads(path.read_text().splitlines()[0])["version"] if path.is_file() else None

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not holds():
                await asyncio.sleep(0.01)

    async def run(self) -> None:
        await standby.keep_written(self.folder, lambda: self.current, FRANCE, SteadyClock())


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    monkeypatch.setattr(standby, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(standby, "RETRY", 0.05)
    return Kept(tmp_path / "asterisk", load(CONFIG, None, 2026).configuration)


async def test_a_new_configuration_is_written_at_once(kept: Kept) -> None:
    first = kept.current.version
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(kept.run())
        await kept.until(lambda: kept.version() == first)
        kept.current = replace(kept.current, version="another")
        await kept.until(lambda: kept.version() == "another")
        running.cancel()
    assert [path.name for path in kept.folder.iterdir()] == [standby.NAME]


async def test_a_disk_that_refuses_is_said_once_and_tried_until_it_does_not(kept: Kept) -> None:
    kept.folder.write_text("where the folder should be")
    with capture_logs() as said:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(kept.run())
            await kept.until(lambda: said)
            await asyncio.to_thread(kept.folder.unlink)
            await kept.until(kept.version)
            running.cancel()
    assert [line["log_level"] for line in said] == ["error", "info"]
