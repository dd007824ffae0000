"""Where configurations come from: the folder, and the shelf its sounds are put on.

`first` is for the start: what was kept of the last reading, where nothing has changed since; callers may be waiting.
Every other reading reads. Must not know who uses a configuration (`exchange`), nor what is right (`config`).
"""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

import structlog

from autocom.calls.ports import Clock
from autocom.config import AudioShelf, Loaded, kept

log = structlog.get_logger()


class ConfigurationSource:
    """`language`: of the faults; None: the bureau's. `memory`: the file in which the last reading is kept."""

    def __init__(
        self, folder: Path, shelf: AudioShelf, clock: Clock, language: str | None, memory: Path
    ) -> None:
        self.folder, self._shelf, self._clock, self._language = folder, shelf, clock, language
        self._memory = memory

    async def first(self) -> Loaded:
        """The folder as it is now. Raises ConfigurationRefused."""
        sources = self._sources()
        found = kept.recall(self._memory, sources) if sources is not None else None
        return found or await self.read()

    async def read(self) -> Loaded:
        """Read the folder as it is now, in a thread. Raises ConfigurationRefused."""
        return await asyncio.to_thread(self._read)

    def _read(self) -> Loaded:
        # YAML, pydantic and holidays: a start that finds what it kept does without
        from autocom.config import load  # noqa: PLC0415

        before = self._sources()
        self._shelf.given.clear()
        loaded = load(self.folder, self._shelf, self._year(), language=self._language)
        # what changed meanwhile belongs to the next reading
        if before is not None and before == self._sources():
            kept.keep(self._memory, before, loaded, self._shelf)
        return loaded

    def _sources(self) -> kept.Sources | None:
        try:
            return kept.look(self.folder, self._shelf, self._year(), os.environ)
        except OSError as error:
            log.debug("the configuration's files cannot be looked at", why=str(error))
            return None

    def _year(self) -> int:
        return datetime.fromtimestamp(self._clock.now(), UTC).year
