"""Fixtures for every folder of tests; what stands behind them is in `tests/support`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy.ext.asyncio import AsyncEngine

from autocom.journal.database import make_engine
from autocom.journal.log import LocalLog
from autocom.journal.postgres import PrivatePostgres
from tests.support import fault_matrix
from tests.support.bureau import Bureau
from tests.support.exchange import Exchange
from tests.support.fault_matrix import measured, rounds  # noqa: F401 - fixtures
from tests.support.postgres import fresh_database, private_postgres

# no deadline for a single example: speed is measured in bench/, and a shared machine stalls for longer than that
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")
# `make properties`: the laws of the floor with twenty times as many examples
settings.register_profile("properties", deadline=None)


def pytest_addoption(parser: pytest.Parser) -> None:
    fault_matrix.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault(*rows): does these rows of docs/faults.md")
    config.pluginmanager.register(fault_matrix.Table(config.getoption("--fault-table")))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    fault_matrix.note_rows(items)
    # who waits for Asterisk goes first: at the end every processor has short tests left, and none waits for a long one
    items.sort(key=lambda item: item.path.parent.name != "e2e")


@pytest.fixture(scope="session", autouse=True)
def _sounds_are_converted_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    Exchange.converted = tmp_path_factory.getbasetemp() / "converted-sounds"


@pytest.fixture
def bureau(tmp_path: Path) -> Iterator[Bureau]:
    """A bureau of two secretaries, written; change it and `write()` before an exchange starts on it."""
    made = Bureau.at(tmp_path)
    yield made
    made.tidy()


@pytest.fixture
async def exchange(bureau: Bureau) -> AsyncIterator[Exchange]:
    """`autocom up` on `bureau`, ready for calls."""
    async with Exchange(bureau) as running:
        yield running


@pytest.fixture
async def start_exchange() -> AsyncIterator[Callable[..., object]]:
    """Starts `autocom up` on a bureau of the test's own making: `await start_exchange(bureau)`."""
    async with AsyncExitStack() as running:

        async def start(bureau: Bureau, *arguments: str) -> Exchange:
            return await running.enter_async_context(Exchange(bureau, *arguments))

        yield start


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivatePostgres]:
    with private_postgres(tmp_path_factory.mktemp("journal")) as server:
        yield server


@pytest.fixture
def url(postgres: PrivatePostgres) -> Iterator[str]:
    with fresh_database(postgres) as found:
        yield found


@pytest.fixture(scope="module")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivatePostgres]:
    """A server that tests may stop, freeze and kill."""
    with private_postgres(tmp_path_factory.mktemp("fragile")) as server:
        yield server


@pytest.fixture
def own_server(fragile: PrivatePostgres) -> Iterator[tuple[PrivatePostgres, str]]:
    """The server, and a database on it."""
    with fresh_database(fragile) as found:
        yield fragile, found
        fragile.start()


@pytest.fixture
async def engine(url: str) -> AsyncIterator[AsyncEngine]:
    made = make_engine(url)
    yield made
    await made.dispose()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[LocalLog]:
    opened = LocalLog(tmp_path / "journal" / "log.sqlite")
    yield opened
    opened.close()
