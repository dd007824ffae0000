from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from autocom.journal.database import make_engine
from autocom.journal.log import LocalLog
from autocom.journal.postgres import PrivatePostgres
from tests.support.postgres import fresh_database, private_postgres


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivatePostgres]:
    with private_postgres(tmp_path_factory.mktemp("journal")) as server:
        yield server


@pytest.fixture
def url(postgres: PrivatePostgres) -> Iterator[str]:
    with fresh_database(postgres) as found:
        yield found


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
