"""A PostgreSQL with a standby; the door before the two is a `Wire`, whose `target` changes: what a failover is made of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from autocom.journal.postgres import PrivatePostgres
from autocom.journal.postgres_programs import account_for, find_programs


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
