"""The file that the fallback goes by follows the configuration, and a disk that refuses is said once and tried again."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from autocom import standby
from autocom.asterisk.clock import SteadyClock
from autocom.config import load
from autocom.core.model import Configuration
from autocom.core.numbers import FRANCE
from autocom.core.overrides import Override
from tests.support.eventually import eventually

CONFIG = Path(__file__).parents[1] / "config"


class Kept:
    """`keep_written` at work; `current` is the configuration in force."""

    def __init__(self, folder: Path, current: Configuration) -> None:
        self.folder, self.current = folder, current
        self.overrides: tuple[Override, ...] = ()

    def version(self) -> str | None:
        path = self.folder / standby.NAME
        return json.loads(path.read_text().splitlines()[0])["version"] if path.is_file() else None

    async def run(self) -> None:
        await standby.keep_written(
            self.folder, lambda: self.current, lambda: self.overrides, FRANCE, SteadyClock().wall
        )


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    monkeypatch.setattr(standby, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(standby, "RETRY", 0.05)
    return Kept(tmp_path / "asterisk", load(CONFIG, None, 2026).configuration)


async def test_a_new_configuration_is_written_at_once(kept: Kept) -> None:
    first = kept.current.version
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(kept.run())
        await eventually(lambda: kept.version() == first)
        kept.current = replace(kept.current, version="another")
        await eventually(lambda: kept.version() == "another")
        running.cancel()
    assert [path.name for path in kept.folder.iterdir()] == [standby.NAME]


async def test_a_disk_that_refuses_is_said_once_and_tried_until_it_does_not(kept: Kept) -> None:
    kept.folder.write_text("where the folder should be")
    with capture_logs() as said:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(kept.run())
            await eventually(lambda: said)
            await asyncio.to_thread(kept.folder.unlink)
            await eventually(lambda: len(said) > 1)
            running.cancel()
    assert kept.version()
    assert [line["log_level"] for line in said] == ["error", "info"]


async def test_an_override_is_written_as_well(kept: Kept) -> None:
    told = kept.folder / standby.NAME
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(kept.run())
        await eventually(kept.version)
        before = told.read_text().splitlines()
        name = json.loads(before[1])["client"]
        now = time.time()
        kept.overrides = (Override(name, "closed", now + 3600.0, "zoe", now),)
        await eventually(lambda: told.read_text().splitlines()[1] != before[1])
        assert told.read_text().splitlines()[2:] == before[2:], "the others' lines are kept"
        kept.overrides = ()
        await eventually(
            lambda: json.loads(told.read_text().splitlines()[1])["states"] == json.loads(before[1])["states"]
        )
        running.cancel()


async def test_only_what_is_another_now_is_made_anew_and_calls_go_on_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # each piece is too long: the loop's turns count them
    monkeypatch.setattr(standby, "SLICE", 0.0)
    monkeypatch.setattr(standby, "REST", 0.0)
    made = load(CONFIG, None, 2026).configuration
    some = next(iter(made.clients.values()))
    many = {f"c{n}": replace(some, id=f"c{n}") for n in range(40)}
    made = replace(made, clients=made.clients | many)
    foretelling = standby.Foretelling(FRANCE)
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(turn())
        first = await foretelling.lines(made, (), 1_795_373_872.0)
        running.cancel()
    assert turns > 20 * len(first), "the loop turned in the middle of every line"
    renamed = replace(many["c7"], display="another")
    house = replace(made, clients=made.clients | {"c7": renamed})
    second = await foretelling.lines(house, (), 1_795_377_472.0)
    place = list(house.clients).index("c7") + 1
    same = [old == new for old, new in zip(first, second, strict=True)]
    assert [n for n, kept in enumerate(same) if not kept] == [0, place]
    assert json.loads(second[place])["display"] == "another"
    third = await foretelling.lines(
        replace(house, bureau=replace(house.bureau, number="+33199001099")), (), 1_795_377_472.0
    )
    assert all(json.loads(line)["times"][0][0] == 1_795_377_472.0 for line in third[1:]), (
        "it concerns everybody"
    )
    later = await foretelling.lines(house, (), 1_795_377_472.0 + standby.DAY)
    assert all(json.loads(line)["times"][0][0] == 1_795_377_472.0 + standby.DAY for line in later[1:])
