"""`up`, `serve`, `demo`: the commands that are the exchange until they are stopped.

Every error that a person can do something about is one line; whatever else is a bug and shows itself.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import click

from autocom.commands.shared import settings
from autocom.state import StateBusy

if TYPE_CHECKING:
    from autocom.parts import Parts
    from autocom.settings import Settings


TAKE_OVER = "From the process that serves on this state folder, without ending a call."


def _run(*, private: bool, calls: int | None, take_over: bool = False) -> None:
    # all that is made while we start lives for ever: to look through it again and again costs a third of the start
    gc.disable()
    from autocom import app, logs  # noqa: PLC0415 - only who serves loads the whole exchange
    from autocom.asterisk.conf.text import Unwritable  # noqa: PLC0415
    from autocom.asterisk.installation import NoAsterisk  # noqa: PLC0415
    from autocom.asterisk.private import AsteriskFailed  # noqa: PLC0415
    from autocom.asterisk.telephone import Replaced, TooOld  # noqa: PLC0415
    from autocom.config import ConfigurationRefused  # noqa: PLC0415
    from autocom.foundations import CannotServe  # noqa: PLC0415
    from autocom.journal.postgres import PostgresUnavailable  # noqa: PLC0415

    chosen = settings()
    # for everything written from here on, by us and by the servers that we start: callers' voices among it
    os.umask(0o077)
    logs.set_up(chosen.log, chosen.log_format)

    def say(text: str) -> None:
        try:
            click.echo(text)
            sys.stdout.flush()
        except OSError:  # a full disk under a redirected output ends no call
            if calls != 0:
                raise

    when_ready = None if calls == 0 else _demonstration(chosen, say, calls)
    expected = (
        CannotServe, Replaced, TooOld, StateBusy, Unwritable, NoAsterisk, AsteriskFailed, PostgresUnavailable, OSError, ValueError
    )  # fmt: skip
    refused = False
    try:
        asyncio.run(app.run(chosen, private=private, say=say, when_ready=when_ready, take_over=take_over))
    except* (ConfigurationRefused, *expected) as group:
        for error in _flat(group):
            lines = (
                map(str, error.faults) if isinstance(error, ConfigurationRefused) else [f"autocom: {error}"]
            )
            for line in lines:
                click.echo(line, err=True)
        refused = True
    if refused:  # raised in there, it would come out as a group, with its traceback (Python 3.11.2)
        raise SystemExit(1)


def _flat(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    """The errors of a group of groups."""
    found: list[BaseException] = []
    for error in group.exceptions:
        found += _flat(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


@click.command()
@click.option("--demo", is_flag=True, help="Place one demonstration call when ready, and tell it live.")
@click.option("--take-over", is_flag=True, help=TAKE_OVER)
def up(demo: bool, take_over: bool) -> None:
    """Start all that is missing (PostgreSQL, Asterisk), migrate, serve."""
    _run(private=True, calls=1 if demo else 0, take_over=take_over)


@click.command()
@click.option("--take-over", is_flag=True, help=TAKE_OVER)
def serve(take_over: bool) -> None:
    """The service alone, against an Asterisk and a PostgreSQL that run elsewhere."""
    _run(private=False, calls=0, take_over=take_over)


@click.command()
@click.option(
    "--calls", type=click.IntRange(min=1), help="Stop calling after so many; without: until Ctrl-C."
)
def demo(calls: int | None) -> None:
    """A running bureau with real SIP callers and secretaries, told live in the terminal."""
    _run(private=True, calls=calls)


def _demonstration(
    chosen: Settings, say: Callable[[str], None], calls: int | None
) -> Callable[[Parts], Awaitable[None]]:
    from autocom import demonstration  # noqa: PLC0415

    return lambda parts: demonstration.show(parts, chosen, say, calls=calls)
