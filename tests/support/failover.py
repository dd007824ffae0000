"""A PostgreSQL with a standby, and the door before the two: what a failover is made of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import sqlalchemy as sa

from autocom.journal.postgres import PrivatePostgres
from autocom.journal.postgres_programs import account_for, find_programs


class Door:
    """A TCP proxy on loopback that can be turned to another server: what stands before a pair of servers."""

    def __init__(self, target: int) -> None:
        self.target, self.port, self.within = target, 0, 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Door]:
        server = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        self.within += 1

        async def on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            try:
                while piece := await source.read(65536):
                    sink.write(piece)
                    await sink.drain()
            except OSError:
                pass
            sink.transport.abort()

        async with asyncio.TaskGroup() as both:
            both.create_task(on(reader, far_writer))
            both.create_task(on(far_reader, writer))
        self.within -= 1

    async def left(self) -> bool:
        """Whether everybody went."""
        return self.within == 0


@contextmanager
def a_pair(folder: Path) -> Iterator[tuple[PrivatePostgres, PrivatePostgres]]:
    """A server and its standby."""
    first, second = PrivatePostgres(folder / "first"), PrivatePostgres(folder / "second")
    try:
        first.start()
        first.stop()
        settings = first.folder / "cluster" / "postgresql.auto.conf"
        with settings.open("a") as file:
            file.write("wal_level = replica\nmax_wal_senders = 4\nhot_standby = on\n")
        with (first.folder / "cluster" / "pg_hba.conf").open("a") as file:
            file.write("host replication all 127.0.0.1/32 scram-sha-256\n")
        first.start()
        programs = find_programs(None)
        second.folder.mkdir(parents=True)
        account = account_for(programs, second.folder)
        account.give(second.folder)
        (second.folder / "password").write_text((first.folder / "password").read_text())
        plain = first.url.replace("+psycopg", "").rpartition("/")[0] + "/postgres"
        done = account.run(
            [
                programs.path("pg_basebackup"),
                f"--dbname={plain}",
                f"--pgdata={second.folder / 'cluster'}",
                "--write-recovery-conf",
                "--checkpoint=fast",
            ]
        )
        assert done.returncode == 0, done.stdout
        second.start()
        yield first, second
    finally:
        first.stop()
        second.stop()


def port_of(server: PrivatePostgres) -> int:
    found = sa.make_url(server.url).port
    assert found is not None
    return found
