"""PostgreSQL that does not start, or answers with what nobody expects: a start that has run before serves calls all the same."""

from __future__ import annotations

import asyncio
import errno
from contextlib import AsyncExitStack
from pathlib import Path

import psycopg
import pytest
from structlog.testing import capture_logs

from autocom import archive
from autocom.foundations import Told
from autocom.journal.postgres import PostgresUnavailable, PrivatePostgres
from autocom.settings import Settings


def former(state: Path) -> str:
    """A cluster as an earlier start left it; its URL."""
    folder = state / "postgres"
    (folder / "cluster").mkdir(parents=True)
    (folder / "password").write_text("secret")
    (folder / "cluster" / "postgresql.conf").write_text("port = 5999\n")
    return "postgresql+psycopg://autocom:secret@127.0.0.1:5999/autocom"


@pytest.mark.parametrize(
    "refusal", [OSError(errno.ENOSPC, "No space left on device"), PostgresUnavailable("it does not start")]
)
async def test_a_postgresql_that_ran_before_and_does_not_start_ends_no_exchange(
    refusal: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_: PrivatePostgres) -> str:
        raise refusal

    monkeypatch.setattr(PrivatePostgres, "start", start)
    settings = Settings(state=tmp_path)
    told = Told(lambda _: None)
    async with AsyncExitStack() as servers:
        with pytest.raises(type(refusal)):  # the very first start: there is no journal to do without
            await archive.lay(settings, told, servers)
        known = former(tmp_path)
        with capture_logs() as said:
            assert await archive.lay(settings, told, servers) == known
    assert [line["why"] for line in said] == [str(refusal)]


@pytest.mark.parametrize("error", [OSError(), psycopg.OperationalError("the connection is closed")])
async def test_whatever_a_migration_says_of_the_server_it_is_tried_again(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[str] = []
    shipped = asyncio.Event()

    def migrate(url: str) -> None:
        tries.append(url)
        if len(tries) < 3:
            raise error

    class Shipper:
        async def run(self) -> None:
            shipped.set()

    monkeypatch.setattr(archive, "_migrate", migrate)
    monkeypatch.setattr(archive, "RETRY_FIRST", 0.01)
    await archive.ship("url", Shipper())
    assert tries == ["url"] * 3
    assert shipped.is_set()
