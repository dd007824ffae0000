"""The installation that is looked at: its settings, its folder, what runs on it and how that is reached.

Gathered once, before any check, from files and from the running exchange's API; whatever cannot be had is None, and
is for the checks to complain about. Nothing is started or written. Must not judge.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from autocom import assets
from autocom.asterisk.clock import SteadyClock
from autocom.asterisk.private import Doors, running_on
from autocom.config import ConfigurationRefused, Loaded, load
from autocom.core.model import Configuration
from autocom.journal.postgres import PostgresUnavailable, PrivatePostgres
from autocom.settings import Settings
from autocom.state import Card, NotRunning, owned_by_another, read_card

LONGEST_QUESTION = aiohttp.ClientTimeout(total=1.5)


@dataclass(frozen=True, slots=True)
class Patient:
    """`alive`: an exchange holds the folder's lock; `status`: what its API says, None where it does not answer.
    `survivor`: the process of our own Asterisk, where that outlived the exchange; `owner`: the user whose the state
    folder is, None where that is us. `private`: Asterisk and PostgreSQL are ours. `mail`: whether the mail server may be logged in at. `python`, `root`
    and `now` (UTC epoch seconds) are the machine's; a test may say otherwise."""

    settings: Settings
    alive: bool = False
    survivor: int | None = None
    owner: int | None = None
    card: Card | None = None
    status: Mapping[str, Any] | None = None
    loaded: Loaded | None = None
    faults: tuple[str, ...] = ()
    doors: Doors | None = None
    database: str | None = field(default=None, repr=False)
    mail: bool = False
    python: tuple[int, int] = (sys.version_info.major, sys.version_info.minor)
    root: Path = field(default_factory=assets.root)
    now: float = field(default_factory=lambda: SteadyClock().now())

    @property
    def configuration(self) -> Configuration | None:
        """As the folder has it; None where it is refused."""
        return self.loaded.configuration if self.loaded is not None else None

    @property
    def private(self) -> bool:
        """Whether Asterisk is started and stopped by us."""
        return self.settings.ari_url is None

    @property
    def blind(self) -> bool:
        """Whether we are a user who cannot even see if an exchange runs."""
        return self.owner is not None and not os.access(self.settings.state / "lock", os.R_OK)

    @property
    def asterisk_state(self) -> Path:
        """Where everything of our own Asterisk lies."""
        return self.settings.state / "asterisk"


async def meet(settings: Settings, *, mail: bool = False) -> Patient:
    """Everything that the checks ask about, as it is now."""
    card = _card(settings.state)
    alive = is_locked(settings.state / "lock")
    found, status = await asyncio.gather(
        asyncio.to_thread(_configuration, settings), _status(card if alive else None)
    )
    loaded, faults = found
    return Patient(
        settings=settings,
        alive=alive,
        survivor=None if alive or settings.ari_url else _survivor(settings.state),
        owner=owned_by_another(settings.state),
        card=card,
        status=status,
        loaded=loaded,
        faults=faults,
        doors=_doors(settings),
        database=_database(settings, card),
        mail=mail,
    )


def _card(state: Path) -> Card | None:
    try:
        return read_card(state)
    except NotRunning:
        return None


def is_locked(file: Path) -> bool:
    """Whether a process that lives has locked it, wherever its pid may mean something."""
    try:
        with file.open() as opened:
            # shared, and let go at once: who starts in this instant asks again (`app._locked`, the rescuer's supervisors)
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _survivor(state: Path) -> int | None:
    try:
        return running_on(state.resolve() / "asterisk")
    except OSError:
        return None


def _configuration(settings: Settings) -> tuple[Loaded | None, tuple[str, ...]]:
    now = datetime.fromtimestamp(SteadyClock().now(), UTC)
    try:
        loaded = load(settings.config, None, now.year, language=settings.language, now=now.timestamp())
    except ConfigurationRefused as refused:
        return None, tuple(map(str, refused.faults))
    except OSError as error:
        return None, (f"{error.filename}: {error.strerror}",)
    return loaded, ()


async def _status(card: Card | None) -> Mapping[str, Any] | None:
    if card is None:
        return None
    headers = {"Authorization": f"Bearer {card.token}"}
    try:
        async with (
            aiohttp.ClientSession(timeout=LONGEST_QUESTION, headers=headers) as http,
            http.get(f"{card.http}/v1/status") as reply,
        ):
            answer = await reply.json()
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return None
    return answer if isinstance(answer, dict) and "error" not in answer else None


def _doors(settings: Settings) -> Doors | None:
    if settings.ari_url:
        return Doors(
            settings.ari_url,
            settings.ari_user or "",
            settings.ari_password or "",
            settings.ami_host or "127.0.0.1",
            settings.ami_port,
            settings.ami_user or settings.ari_user or "",
            settings.ami_password or settings.ari_password or "",
        )
    folder = settings.state / "asterisk"
    try:
        ports = json.loads((folder / "ports.json").read_text())
        known = json.loads((folder / "secrets.json").read_text())
        return Doors(
            f"http://127.0.0.1:{int(ports['http'])}/ari",
            known.get("ari_user", "autocom"),
            known["ari_password"],
            "127.0.0.1",
            int(ports["ami"]),
            known.get("ami_user", "autocom"),
            known["ami_password"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _database(settings: Settings, card: Card | None) -> str | None:
    if settings.database_url:
        return settings.database_url
    try:
        return PrivatePostgres(settings.state).url
    except (PostgresUnavailable, OSError):
        return card.database if card is not None else None
