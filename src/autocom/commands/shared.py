"""What the commands share: the settings, the running exchange's card, and how a failure is said.

What goes wrong is one line on stderr with what to do, and exit 1. Everything heavy (the
configuration, HTTP, SQL) is imported where it is used: a command starts in a fraction of a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import click

from autocom.state import Card, NotRunning, read_card

if TYPE_CHECKING:
    from autocom.settings import Settings


def fail(message: str) -> NoReturn:
    """One line for the person at the terminal, exit 1."""
    click.echo(f"autocom: {message}", err=True)
    raise SystemExit(1)


def settings() -> Settings:
    """The settings, or one line saying which is wrong."""
    from autocom.settings import Settings, SettingsError  # noqa: PLC0415

    try:
        return Settings.read()
    except SettingsError as error:
        fail(str(error))


def card() -> Card:
    """Of the exchange that runs, or last ran, on the state folder."""
    try:
        return read_card(settings().state)
    except NotRunning as error:
        fail(str(error))


def ask_exchange(method: str, path: str) -> dict[str, Any]:
    """Ask the running exchange; an error answer is one line and exit 1."""
    import asyncio  # noqa: PLC0415

    import aiohttp  # noqa: PLC0415

    found = card()

    async def ask() -> dict[str, Any]:
        timeout = aiohttp.ClientTimeout(total=60)
        async with (
            aiohttp.ClientSession(
                timeout=timeout, headers={"Authorization": f"Bearer {found.token}"}
            ) as http,
            http.request(method, found.http + path) as response,
        ):
            answer: dict[str, Any] = await response.json()
            return answer

    try:
        answer = asyncio.run(ask())
    except (aiohttp.ClientError, TimeoutError, OSError):
        fail(f"no autocom answers at {found.http} (state {settings().state}): start it with `autocom up`")
    if "error" in answer:
        fail(answer["error"])
    return answer
