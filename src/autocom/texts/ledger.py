"""The texts that are under way: rows of the local log, and in memory, since nobody else writes them.

A text is saved together with the journal's entry about it; then everybody who does something with texts is
told that something changed, and looks for his part. Must not know what is decided (`reception`,
`despatch`). Invariant: a row goes only once PostgreSQL has it and nothing can come of it any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import structlog

from autocom.calls.ports import Clock, Rows
from autocom.core import texting
from autocom.core.ingress import NumberBook
from autocom.core.journal import Entry, Json
from autocom.core.model import Configuration
from autocom.core.numbers import NumberingPlan
from autocom.core.texts import TEXT, Incoming, Outgoing, Text, row_of, texts

log = structlog.get_logger()


class Ledger:
    """`configuration` is asked at each decision."""

    def __init__(
        self,
        rows: Rows,
        clock: Clock,
        plan: NumberingPlan,
        configuration: Callable[[], Configuration],
    ) -> None:
        self._rows = rows
        self.clock, self.plan, self.configuration = clock, plan, configuration
        self._listeners: list[asyncio.Event] = []
        self._book: tuple[Configuration, NumberBook] | None = None
        self._texts: dict[str, Text] = {}
        # those for which something is to be done, and which text has a part: there are thousands that rest
        self._busy: dict[str, Text] = {}
        self._parts: dict[tuple[str, str], str] = {}
        found, broken = texts(rows.rows(TEXT))
        for text in found:
            self._know(text)
        for key in broken:
            log.error("text unreadable", key=key)

    def news(self) -> asyncio.Event:
        """An event that is set whenever something changed: clear it, look, wait."""
        made = asyncio.Event()
        self._listeners.append(made)
        return made

    def all(self) -> list[Text]:
        """Every text that is known, oldest first."""
        return list(self._texts.values())

    def busy(self) -> list[Text]:
        """Those for which something is to be done."""
        return list(self._busy.values())

    def incoming(self, text: str) -> Incoming | None:
        """The text that came, as it is now."""
        found = self._texts.get(text)
        return found if isinstance(found, Incoming) else None

    def outgoing(self, text: str) -> Outgoing | None:
        """The text that goes out, as it is now."""
        found = self._texts.get(text)
        return found if isinstance(found, Outgoing) else None

    def with_part(self, provider: str, part: str) -> Outgoing | None:
        """The text of which this provider calls a part so."""
        return self.outgoing(self._parts.get((provider, part), ""))

    def figures(self) -> dict[str, Json]:
        """For the status: texts that wait to be sent, that were given up, that nobody has been shown."""
        found = list(self._texts.values())
        going = [text.state for text in found if isinstance(text, Outgoing)]
        unseen = sum(isinstance(text, Incoming) and not text.shown for text in found)
        return {"waiting": going.count("queued"), "failed": going.count("failed"), "unseen": unseen}

    def put(self, changed: Sequence[Text], *entries: Entry) -> None:
        """Save these texts as they are now with what is to be written down, then let everybody know."""
        rows: dict[str, Json] = {}
        for text in changed:
            self._know(text)
            rows |= row_of(text)
        self._rows.save(entries, floor=rows)
        if changed:
            for listener in self._listeners:
                listener.set()

    def rows(self, prefix: str) -> Mapping[str, Json]:
        """Further rows of the log, for parts of texts."""
        return self._rows.rows(prefix)

    def save_rows(self, rows: Mapping[str, Json]) -> None:
        """Save such rows (None deletes one)."""
        self._rows.save(floor=rows)

    def entry(self, kind: str, **fields: Json) -> Entry:
        """An entry of this instant."""
        return Entry(self.clock.now(), kind, None, fields)

    def archived(self, text: Text) -> None:
        """PostgreSQL has it as it was then; a row of which nothing can come any more goes."""
        known = self._texts.get(text.id)
        if known is None:
            return
        now = replace(known, kept=True) if known == text else known
        if texting.done_with(now, self.clock.now()):
            self.forget(now)
        elif now.kept != known.kept:
            self._know(now)
            self._rows.save(floor=row_of(now))

    def forget(self, text: Text) -> None:
        """Its row goes."""
        known = self._texts.pop(text.id, None)
        if known is None:
            return
        self._busy.pop(text.id, None)
        if isinstance(known, Outgoing):
            for part in known.parts:
                self._parts.pop((known.provider, part), None)
        self._rows.save(floor={TEXT + text.id: None})

    def _know(self, text: Text) -> None:
        self._texts[text.id] = text
        if isinstance(text, Outgoing):
            self._parts |= {(text.provider, part): text.id for part in text.parts}
        if texting.rests(text):
            self._busy.pop(text.id, None)
        else:
            self._busy[text.id] = text

    def book(self) -> NumberBook:
        """The numbers of the configuration in force, made once for each version."""
        current = self.configuration()
        if self._book is None or self._book[0] is not current:
            self._book = (current, NumberBook.of(current))
        return self._book[1]
