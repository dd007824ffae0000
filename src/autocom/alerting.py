"""The alerts of a running exchange: looks every second, hears every fact, tells by log, mail and webhook.

What is told is decided in `core.alerts`; here it is saved, in one transaction with the letters and postings that
tell it, so that a kill -9 neither loses an alert nor tells it twice. Facts that were saved before a crash and not
yet heard are read again from the local log. Must not know how anything is sent (`mail`, `alert_post`). Invariant:
nothing here raises into the exchange, and nothing waits for it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

import structlog

from autocom.alert_post import POST, Post, posting
from autocom.calls.containment import contained
from autocom.calls.ports import Clock, Log
from autocom.core import alerts as rules
from autocom.core.alert_words import said
from autocom.core.alerts import ALERT, Alert, Finding, Notice
from autocom.core.faults import FAULTS
from autocom.core.journal import Entry, Json
from autocom.core.letters import Alert as Words
from autocom.core.letters import Letter, row_of
from autocom.core.lookout import span
from autocom.core.model import Configuration
from autocom.core.record import NO_ROOM
from autocom.timeline import iso

log = structlog.get_logger()

EVERY: Final = 1.0
CURSOR: Final = "alerts-heard"
SAVED_EVERY: Final = 500
"""Entries after which it is saved that they were heard: the next process reads those again that were not, and calls wait."""
MAILED_ALREADY: Final = frozenset({"outgoing_limit", "no_answer_pause"})
"""Told to `supervisor` in words of their own (`calls.messages`)."""
ABOUT_SOMEBODY: Final = frozenset({"long_wait", *MAILED_ALREADY})
"""Whose subject is a client's or a secretary's id, and is told by the name."""

_READ_AT_ONCE: Final = 500


class Written(Protocol):
    """The local log, as far as what was written before goes."""

    @property
    def last(self) -> int:
        """The number of the newest entry."""
        ...

    def read(self, after: int, limit: int) -> list[tuple[int, Entry]]:
        """Entries after that number, in order."""
        ...


class Told(Log, Protocol):
    """The journal that is saved to and followed."""

    @property
    def unheard(self) -> int:
        """The number of the newest entry that somebody who begins to follow now does not hear."""
        ...


class AlertRoom:
    """One for each exchange; `run` it in a task group. `configuration`: the one in force; `find`: everything that is
    wrong now; `heard`: whoever else reads every fact, in order."""

    def __init__(
        self,
        journal: Told,
        written: Written,
        clock: Clock,
        configuration: Callable[[], Configuration],
        find: Callable[[], Sequence[Finding]],
        heard: Callable[[Entry], None] = lambda _: None,
    ) -> None:
        self._journal, self._written, self._clock = journal, written, clock
        self._configuration, self._find, self._heard = configuration, find, heard
        self._alerts, broken = rules.restored(journal.rows(ALERT))
        for key in broken:
            log.error("alert unreadable, forgotten", key=key)
            journal.save((), floor={key: None})
        self._started = clock.now()
        row, last = journal.rows(CURSOR).get(CURSOR), journal.unheard
        # the newest entry that has certainly been heard
        self._passed = self._saved = row if isinstance(row, int) and row <= last else last
        self._listening = False
        self.post = Post(journal, clock, lambda: configuration().bureau.alerts.webhook)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self.post.run())
            while True:
                with contained("alerts crashed", lambda _: None):
                    self.look()
                await self._clock.until(self._clock.now() + EVERY)

    # --- what others see ---

    def active(self) -> tuple[Alert, ...]:
        """Those that were told and are not over, the worst first."""
        return tuple(rules.active(self._alerts, self._in_force.rules))

    def counts(self) -> dict[tuple[str, str], int]:
        """How many are not over, by name and severity."""
        return dict(Counter((alert.name, self._rule(alert).severity) for alert in self.active()))

    def rows(self) -> dict[str, Json]:
        """For the status and `autocom alerts`: `active`, the worst first, and `recent`, over since less than a day."""
        return {
            "active": [self._row(alert) for alert in self.active()],
            "recent": [self._row(alert) for alert in rules.recent(self._alerts)],
        }

    def _row(self, alert: Alert) -> dict[str, Json]:
        over = "over" if alert.over is not None else "raised"
        texts: dict[str, Json] = {
            language: dict(zip(("title", "sentence"), self._said(alert, language, over), strict=True))
            for language in ("fr", "en")
        }
        return {
            "alert": alert.name,
            "subject": alert.subject,
            "severity": self._rule(alert).severity,
            "since": iso(alert.since),
            "over": None if alert.over is None else iso(alert.over),
            "count": alert.count,
            "detail": alert.detail,
            "text": texts,
        }

    # --- facts ---

    async def _listen(self) -> None:
        with contained("alerts not caught up", lambda _: None):
            self._catch_up()
        self._passed, self._listening = self._written.last, True
        try:
            # nothing is saved since `unheard` was read: following begins before anybody else runs
            async for entry in self._journal.follow():
                with contained("alert crashed", lambda _: None, kind=entry.kind):
                    self._heard(entry)
                    self.take(entry)
        finally:
            self._listening = False  # what comes until somebody listens again has not been heard

    def _catch_up(self) -> None:
        """What the last process saved and did not hear any more, and what this one wrote and nobody will tell."""
        last = self._journal.unheard
        if CURSOR not in self._journal.rows(CURSOR):
            self._journal.save((), floor={CURSOR: self._passed})  # from here on no fact is passed over
        while self._passed < last and (facts := self._written.read(self._passed, _READ_AT_ONCE)):
            for seq, entry in facts:
                self._passed = seq  # saved with what follows from the fact
                if seq <= last:
                    self.take(entry, again=True)

    def take(self, entry: Entry, *, again: bool = False) -> None:
        """A fact of the journal. `again`: perhaps it was heard by the process before this one."""
        fact = fact_of(entry)
        if fact is None:
            return
        found, over = fact
        known = self._alerts.get(f"{ALERT}{found.name}:{found.subject}") or self._alerts.get(
            f"{ALERT}{found.name}:"
        )
        if again and known is not None and known.noted >= entry.at:
            return
        after = rules.noted(self._alerts, self._in_force.rules, found, self._clock.now(), over=over)
        self._keep(after, [])

    # --- a look ---

    @property
    def _in_force(self) -> rules.Alerting:
        return self._configuration().bureau.alerts

    def look(self) -> None:
        """Once: what is wrong now, and who is to be told of what."""
        now = self._clock.now()
        after, notices = rules.looked(self._alerts, self._find(), self._in_force, now, self._started)
        self._keep(after, notices)
        if self._listening:
            self._passed = self._written.last  # by the next look these have been heard

    def _keep(self, after: Mapping[str, Alert], notices: Sequence[Notice]) -> None:
        """Save what changed with what is to be told of it."""
        floor = rules.changed(self._alerts, after)
        entries: list[Entry] = []
        for notice in notices:
            told, letters = self._told(notice)
            entries += told
            floor |= letters
        self._alerts = dict(after)
        if floor or entries or self._passed - self._saved >= SAVED_EVERY:
            self._journal.save(entries, floor={**floor, CURSOR: self._passed})
            self._saved = self._passed
        for notice in notices:
            self._say(notice)
        if any(key.startswith(POST) for key in floor):
            self.post.news.set()

    def _say(self, notice: Notice) -> None:
        alert = notice.alert
        # a warning: whoever noticed an error of ours has logged it as one
        log.warning(
            "alert",
            state=notice.what,
            name=alert.name,
            severity=self._rule(alert).severity,
            subject=alert.subject,
            count=alert.count,
            detail=alert.detail,
            lasted_s=round(self._clock.now() - alert.since),
        )

    # --- words ---

    def _told(self, notice: Notice) -> tuple[list[Entry], dict[str, Json]]:
        """The entry, the letters and the posting of a notice."""
        alert, now = notice.alert, self._clock.now()
        configuration, settings = self._configuration(), self._in_force
        severity = self._rule(alert).severity
        entries = [
            Entry(
                now,
                "alert",
                None,
                {
                    "alert": alert.name,
                    "subject": alert.subject,
                    "severity": severity,
                    "state": notice.what,
                    "since": alert.since,
                    "count": alert.count,
                    "detail": alert.detail,
                },
            )
        ]
        rows: dict[str, Json] = {}
        for number, to in enumerate(self._readers(notice), start=1):
            letter = self._letter(notice, f"{notice.id}-to-{number}", to, now)
            rows |= row_of(letter)
            about: dict[str, Json] = {"mail": letter.id, "to": to, "about": alert.name}
            entries.append(Entry(now, "mail_queued", None, about))
        if settings.webhook is not None:
            body = {
                "event": notice.what,
                "at": iso(now),
                "bureau": configuration.bureau.name,
                **self._row(alert),
            }
            rows |= posting(notice.id, now, body)
        return entries, rows

    def _readers(self, notice: Notice) -> Sequence[str]:
        """Who is mailed: nobody is told that a thing without an end is over, nor what he is mailed already."""
        bureau, alert = self._configuration().bureau, notice.alert
        if notice.what == "over" and self._rule(alert).hold:
            return ()
        already = bureau.supervisor if alert.name in MAILED_ALREADY else ()
        return [to for to in bureau.alerts.mail if to not in already]

    def _letter(self, notice: Notice, name: str, to: str, now: float) -> Letter:
        alert, bureau = notice.alert, self._configuration().bureau
        title, sentence = self._said(alert, bureau.language, notice.what)
        fields = {"title": title, "sentence": sentence}
        return Letter(
            name,
            to,
            now,
            bureau.language,
            Words("exchange", alert.subject, bureau.name, alert.since, bureau.timezone, fields),
        )

    def _said(self, alert: Alert, language: str, what: str) -> tuple[str, str]:
        configuration = self._configuration()
        subject = alert.subject
        known = None
        if alert.name in ABOUT_SOMEBODY:
            known = configuration.clients.get(subject) or configuration.secretaries.get(subject)
        own = configuration.bureau.alerts.clients.get(subject) if alert.name == "long_wait" else None
        return said(
            language,
            alert.name,
            subject=known.name if known is not None else subject,
            detail=alert.detail,
            count=alert.count,
            limit=span(self._rule(alert).over if own is None else own),
            what=what,
        )

    def _rule(self, alert: Alert) -> rules.AlertRule:
        return self._in_force.rules[alert.name]


def fact_of(entry: Entry) -> tuple[Finding, bool] | None:
    """The alert that a fact of the journal is about, and whether it is over; None for other facts."""
    fields = entry.fields
    match entry.kind:
        case "fault" if fields.get("fault") in FAULTS and fields["fault"] not in rules.LOOKED_FOR:
            found = Finding(
                str(fields["fault"]), str(fields.get("where") or ""), str(fields.get("detail") or "")
            )
            return found, bool(fields.get("over"))
        case "ended" if fields.get("outcome") == "fallback":
            return Finding("fallback_used"), False
        case "ended" if fields.get("cause") == NO_ROOM:
            return Finding("calls_refused"), False
        case "crashed":
            return Finding("call_crashed"), False
        case "service" if fields.get("event") == "asterisk_died":
            return Finding("asterisk_died", detail=str(fields.get("detail") or "")), False
        case "alert" if fields.get("alert") in MAILED_ALREADY and "state" not in fields:
            subject = str(fields.get("secretary") or fields.get("client") or "")
            return Finding(str(fields["alert"]), subject, _figures(fields)), False
        case _:
            return None


def _figures(fields: Mapping[str, Json]) -> str:
    if "misses" in fields:
        return str(fields["misses"])
    return f"{fields.get('used')}/{fields.get('limit')} {fields.get('what')}"
