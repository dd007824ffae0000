"""`db upgrade`, `db downgrade`, `db current`, `db roles`: migrations and roles of the database that the exchange uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

from autocom.commands.shared import card, fail, settings

T = TypeVar("T")


@click.group()
def db() -> None:
    """Migrations and roles."""


def _database_url() -> str:
    url = settings().database_url
    if url is None:
        url = card().database
    if url is None:
        fail("no database is known: set AUTOCOM_DATABASE_URL, or start `autocom up` once")
    return url


def _migrate(act: Callable[[str], T]) -> T:
    from alembic.util import CommandError  # noqa: PLC0415
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    try:
        return act(_database_url())
    except (CommandError, SQLAlchemyError, OSError, ValueError) as error:
        fail(f"the database refuses: {str(error).splitlines()[0]}")


@db.command()
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Migrate up, to the newest revision unless one is named."""
    from autocom.journal import migrate  # noqa: PLC0415

    _migrate(lambda url: migrate.upgrade(url, revision))
    click.echo(f"at {_migrate(migrate.current) or 'nothing'}")


@db.command()
@click.argument("revision", default="-1")
def downgrade(revision: str) -> None:
    """Migrate down, by one revision unless one is named (`base`: everything)."""
    from autocom.journal import migrate  # noqa: PLC0415

    _migrate(lambda url: migrate.downgrade(url, revision))
    click.echo(f"at {_migrate(migrate.current) or 'nothing'}")


@db.command()
def current() -> None:
    """The revision the database is at."""
    from autocom.journal import migrate  # noqa: PLC0415

    click.echo(_migrate(migrate.current) or "nothing")


@db.command()
@click.option("--apply", "now", is_flag=True, help="Run it on the database, as the owner of its tables.")
def roles(now: bool) -> None:
    """SQL for roles with least privilege: a writer for the service, a reader for reports."""
    from autocom.journal import roles as made  # noqa: PLC0415

    if now:
        _migrate(made.apply)
        click.echo(f"{made.WRITER}, {made.READER}")
        return
    for statement in made.statements():
        click.echo(f"{statement};")
