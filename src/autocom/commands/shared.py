"""What the commands share: the settings, the running exchange's card, and how a failure is said.

What goes wrong is one line on stderr with what to do, and exit 1. Everything heavy (the
configuration, HTTP, SQL) is imported where it is used: a command starts in a fraction of a second.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from zoneinfo import ZoneInfo

import click

from autocom.refused import in_french
from autocom.speech import Sentences, Speech
from autocom.state import Card, NotRunning, read_card, user_name

if TYPE_CHECKING:
    from autocom.settings import Settings

_WITHIN = 60.0


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


def zone() -> ZoneInfo:
    """The bureau's time zone, as far as the exchange that runs or last ran said it."""
    try:
        return ZoneInfo(read_card(settings().state).timezone)
    except NotRunning:
        return ZoneInfo("UTC")


def language() -> str:
    """What people read here: as set, else the bureau's as far as the exchange said it."""
    try:
        return settings().language or read_card(settings().state).language
    except NotRunning:
        return "fr"


def speech(sentences: Sentences) -> Speech:
    """These sentences in the language that people read here."""
    return Speech(sentences, language())


def clock(instant: str, here: ZoneInfo) -> str:
    """An instant of the API or the journal (UTC), as the bureau's clocks show it."""
    return f"{datetime.fromisoformat(instant).astimezone(here):%Y-%m-%d %H:%M:%S}"


def minute(instant: str, here: ZoneInfo) -> str:
    """The same without its seconds."""
    return clock(instant, here)[: -len(":00")]


def author() -> str:
    """Who sits at the terminal, as the system knows him."""
    return user_name(os.getuid())


def ask_exchange(method: str, path: str, body: dict[str, Any] | None = None, within: float = _WITHIN) -> Any:
    """Ask the running exchange; an error answer is one line and exit 1. `within`: seconds for the answer."""
    found = card()
    answer = _ask(found, method, path, body, within)
    if answer is None:
        fail(f"no autocom answers at {found.http} (state {settings().state}): start it with `autocom up`")
    return answer


def fetch(path: str) -> bytes:
    """A file of the running exchange's; an error answer is one line and exit 1."""
    answer = ask_exchange("GET", path)
    assert isinstance(answer, bytes)
    return answer


def write_private(path: Path, content: bytes) -> None:
    """A file that its owner alone may read, also where another one was there: people's voices and pictures. Ends the
    command where it cannot be written."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            if path.is_file():
                os.fchmod(file.fileno(), 0o600)
            file.write(content)
    except OSError as error:
        fail(f"cannot write {path}: {error.strerror}")


def ask_if_running(method: str, path: str, body: dict[str, Any] | None = None) -> Any | None:
    """The same, or None where no exchange runs on the state folder."""
    try:
        found = read_card(settings().state)
    except NotRunning:
        return None
    return _ask(found, method, path, body)


def _ask(
    found: Card, method: str, path: str, body: dict[str, Any] | None, within: float = _WITHIN
) -> Any | None:
    import asyncio  # noqa: PLC0415

    import aiohttp  # noqa: PLC0415

    async def ask() -> Any:
        timeout = aiohttp.ClientTimeout(total=within)
        async with (
            aiohttp.ClientSession(
                timeout=timeout, headers={"Authorization": f"Bearer {found.token}"}
            ) as http,
            http.request(method, found.http + path, json=body) as response,
        ):
            if response.content_type == "application/json":
                return await response.json()
            if not response.ok:  # not of the API: its refusals are JSON
                return {"error": f"{found.http} answers {response.status} {response.reason}"}
            return await response.read()

    try:
        answer = asyncio.run(ask())
    except (aiohttp.ClientError, TimeoutError, OSError):
        return None
    if isinstance(answer, dict) and "error" in answer:
        words = str(answer["error"])
        fail(in_french(words) if language() == "fr" else words)
    return answer
