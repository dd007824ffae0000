from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from autocom.journal import migrate
from autocom.journal.tables import metadata
from tests.support.postgres import execute, fresh_database

SHAPE = {
    "columns": """SELECT table_name, column_name, data_type, datetime_precision, is_nullable, collation_name
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'""",
    "constraints": """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND contype <> 'n' AND conrelid::regclass::text <> 'alembic_version'""",
    "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'",
}


def shape(url: str) -> dict[str, set[tuple[object, ...]]]:
    return {what: set(execute(url, question)) for what, question in SHAPE.items()}


@pytest.fixture
def empty(postgres):
    with fresh_database(postgres, migrated=False) as url:
        yield url


def test_up_and_down_and_up_again(empty):
    assert migrate.current(empty) is None
    before = shape(empty)

    migrate.upgrade(empty)
    assert migrate.current(empty) == migrate.newest()
    up = shape(empty)
    migrate.upgrade(empty)  # nothing left to do
    assert shape(empty) == up

    migrate.downgrade(empty, "base")
    assert migrate.current(empty) is None
    assert shape(empty) == before

    migrate.upgrade(empty)
    assert shape(empty) == up


def test_every_step_down_can_be_taken_alone(empty):
    migrate.upgrade(empty)
    while migrate.current(empty) is not None:
        migrate.downgrade(empty, "-1")

    assert shape(empty)["columns"] == set()


def test_migrations_and_tables_describe_the_same_database(empty, postgres):
    migrate.upgrade(empty)
    engine = sa.create_engine(empty, poolclass=sa.NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    with fresh_database(postgres, migrated=False) as other:
        made = sa.create_engine(other, poolclass=sa.NullPool)
        metadata.create_all(made)
        assert shape(other) == shape(empty)  # checks and collations too, which alembic does not compare


def test_two_processes_that_migrate_at_once_both_succeed(empty):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate.current, [empty] * 4))
    commands = [
        subprocess.Popen(
            [sys.executable, "-c", f"from autocom.journal import migrate; migrate.upgrade({empty!r})"]
        )
        for _ in range(3)
    ]

    assert [command.wait(30) for command in commands] == [0, 0, 0]
    assert migrate.current(empty) == migrate.newest()


def test_the_database_refuses_an_outcome_that_the_contract_does_not_know(empty):
    migrate.upgrade(empty)
    row = "INSERT INTO calls (id, node, anonymous, flags, arrived_at, ended_at, talk_ms, offers, outcome, cause, caller)"
    good = f"{row} VALUES ('c1', 'main', false, '[]', now(), now(), 0, 0, 'served', NULL, NULL)"
    execute(empty, good)

    for words in (
        "false, '[]', now(), now(), 0, 0, 'lost', NULL, NULL",
        "false, '[]', now(), now(), 0, 0, 'abandoned', 'bored', NULL",
        "false, '[]', now(), now(), 0, 0, 'abandoned', NULL, NULL",
        "false, '[]', now(), now(), 0, 0, NULL, NULL, NULL",
        "true, '[]', now(), now(), 0, 0, 'served', NULL, '+33639980101'",
    ):
        with pytest.raises(Exception, match="violates check constraint"):
            execute(empty, f"{row} VALUES ('c2', 'main', {words})")


@pytest.mark.parametrize("place", ["checkout", "package", "AUTOCOM_HOME"])
def test_the_migrations_are_found_wherever_autocom_is_installed(place, tmp_path: Path, empty):
    ours = migrate.folder()
    site = tmp_path / "home" / "src" if place == "checkout" else tmp_path / "site"
    home = {
        "checkout": tmp_path / "home",
        "package": site / "autocom",
        "AUTOCOM_HOME": tmp_path / "elsewhere",
    }[place]
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(migrate.__file__).parents[1], site / "autocom", ignore=ignore)
    shutil.copytree(ours, home / "migrations", ignore=ignore)
    script = f"from autocom.journal import migrate; print(migrate.folder()); migrate.upgrade({empty!r})"
    environment = {"PYTHONPATH": str(site)} | ({"AUTOCOM_HOME": str(home)} if place == "AUTOCOM_HOME" else {})
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == str(home / "migrations")
    assert migrate.current(empty) == migrate.newest()
