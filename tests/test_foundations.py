"""An Asterisk that is found running has callers in it: whatever goes wrong in taking it over, it lives on."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from autocom import foundations, keepers
from autocom.asterisk.installation import Installation
from autocom.asterisk.private import AsteriskFailed, PrivateAsterisk
from autocom.config import Loaded
from autocom.foundations import Told, lay
from autocom.settings import Settings
from tests.asterisk.host_support import DIALPLAN, bureau

NONE = Path("/none")
ASLEEP = (sys.executable, "-c", "import time; time.sleep(600)")


class Found(PrivateAsterisk):
    """A process that Asterisk's files are named to, and that answers what it is told here."""

    def __init__(self, state: Path) -> None:
        home = Installation(NONE, NONE, NONE, (22, 10, 1))
        super().__init__(home, state, dialplan=DIALPLAN)
        self._remembered.choose()
        self._remembered.note_start(self._settings)
        self.paths.run.mkdir(parents=True)
        self.process = subprocess.Popen((*ASLEEP, str(self.paths.etc)))
        while not Path(f"/proc/{self.process.pid}/cmdline").read_bytes():
            time.sleep(0.001)  # it has none in the instant in which its program begins
        (self.paths.run / "asterisk.pid").write_text(str(self.process.pid))
        self.wrong: Exception | None = None
        self.reloads = 0
        self.reloaded: list[str] = []

    async def _answering(self, until: float) -> None:
        if self.wrong is not None:
            raise self.wrong

    async def reload(self, module: str) -> None:
        if self.reloads:
            self.reloads -= 1
            raise AsteriskFailed("not within 10 s")
        self.reloaded.append(module)


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Found]:
    server = Found(tmp_path)

    async def made(*_: object) -> Found:
        return server

    monkeypatch.setattr(foundations, "_server", made)
    monkeypatch.setattr(keepers, "OWED_AGAIN", 0.01)
    yield server
    server.process.kill()
    server.process.wait()


async def adopted(found: Found) -> None:
    """As a start does it that ends at once."""
    loaded = Loaded(bureau(), {}, {})
    async with AsyncExitStack() as servers:
        await lay(Settings(), loaded, None, Told(lambda _: None), servers, private=True)
        servers.pop_all()


async def test_an_error_while_it_is_looked_at_does_not_end_it(found: Found) -> None:
    found.wrong = OSError(24, "Too many open files")
    with pytest.raises(OSError, match="Too many"):
        await adopted(found)
    assert found.process.poll() is None


async def test_one_that_does_not_answer_is_ended(found: Found) -> None:
    found.wrong = AsteriskFailed("Asterisk does not answer")
    with pytest.raises(AsteriskFailed):  # nor does the one that is started in its place
        await adopted(found)
    assert found.process.wait(5) is not None


async def test_one_that_cannot_be_told_the_configuration_serves_on_and_is_told_later(found: Found) -> None:
    found.paths.etc.write_text("a full disk has no room for this folder")
    await adopted(found)
    assert found.process.poll() is None
    found.paths.etc.unlink()
    async with asyncio.timeout(10):
        await keepers.catch_up(found)
    assert (found.paths.etc / "pjsip.conf").exists()
    assert "res_pjsip.so" in found.reloaded


async def test_one_whose_module_does_not_answer_in_time_serves_on_and_is_asked_again(found: Found) -> None:
    found.reloads = 2
    await adopted(found)
    async with asyncio.timeout(10):
        await keepers.catch_up(found)
    assert {"res_pjsip.so", "pbx_config.so"} <= set(found.reloaded)


async def test_what_was_refused_at_the_adoption_does_not_come_back_over_something_newer(found: Found) -> None:
    found.reloads = 1
    await adopted(found)
    waiting = asyncio.create_task(keepers.catch_up(found))
    await asyncio.sleep(0)
    await found.apply(bureau(secretaries=3))
    async with asyncio.timeout(10):
        await waiting
    assert "chloe" in (found.paths.etc / "pjsip.conf").read_text()


async def test_after_a_write_that_broke_off_everything_is_read_again(
    found: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    await found.apply(bureau())
    found.reloaded.clear()
    queues = found.paths.etc / "queues.conf"
    queues.unlink()
    queues.mkdir()  # pjsip.conf is new by then
    with pytest.raises(OSError, match=r"queues\.conf"):
        await found.apply(bureau(secretaries=3))
    shutil.rmtree(queues)
    await found.apply(bureau(secretaries=3))
    assert "res_pjsip.so" in found.reloaded
