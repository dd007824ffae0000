"""The figures of a running exchange for Prometheus: counted as facts are written, read when somebody asks.

Counters and histograms follow the journal's entries as they are saved; gauges are asked of the exchange at a scrape,
of what it holds in memory: no scrape asks PostgreSQL or Asterisk. Must not know HTTP. Invariants: labels are words of
ours and of the configuration (outcomes, states, trunks, teams, clients), never what a caller sent; a scrape's cost
depends on neither the calls of the day nor how often one asks. `docs/alerts.md` lists them all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from autocom.calls.ports import Clock
from autocom.core.journal import Entry
from autocom.core.record import OUTCOMES

CLIENTS: Final = 300
"""With more clients than that, no figure is kept for each of them."""

COURSES: Final = 5000
"""Open calls whose instants are remembered."""

AGAIN: Final = 1.0
"""Seconds for which an answer is good: whoever asks more often gets the same."""

VERSION: Final = version("autocom")
"""Of the code that runs: at a scrape another one may have been installed."""

LAG_EVERY: Final = 0.25

_QUICK: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_WAITS: Final = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
_DIRECTIONS: Final = frozenset({"in", "out", "internal"})


@dataclass(frozen=True, slots=True)
class Now:
    """What the exchange holds at a scrape. Seconds, counts and bytes; a mapping's keys become labels."""

    connected: bool = False
    ami: bool = False
    database: bool = False
    ready: bool = False
    calls: int = 0
    waiting: dict[str, int] = field(default_factory=dict)
    oldest_wait: float = 0.0
    secretaries: dict[str, int] = field(default_factory=dict)
    trunks: dict[str, tuple[int, int]] = field(default_factory=dict)
    backlog: int = 0
    backlog_age: float = 0.0
    log_bytes: int = 0
    held: int = 0
    unread: float = 0.0
    canary: float = 0.0
    mails: dict[str, int] = field(default_factory=dict)
    texts: dict[str, int] = field(default_factory=dict)
    alerts: dict[tuple[str, str], int] = field(default_factory=dict)
    configuration: str = ""
    refused: bool = False


@dataclass(slots=True)
class _Course:
    """The instants of an open call."""

    arrived: float
    direction: str
    client: str = ""
    offered: bool = False
    answered: dict[str, float] = field(default_factory=dict)
    bridged: bool = False
    queued: float | None = None


class Metrics:
    """One for each exchange. `hear` every fact, `run` beside it; `text` is the answer to a scrape."""

    def __init__(self, clock: Clock, now: Callable[[], Now]) -> None:
        self._clock, self._now = clock, now
        self._courses: dict[str, _Course] = {}
        self._text, self._asked = b"", float("-inf")
        self.clients = 0  # how many are configured
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.registry.register(_Gauges(now))
        self._make()

    def _make(self) -> None:
        def counter(name: str, says: str, *labels: str) -> Counter:
            return Counter(f"autocom_{name}", says, labels, registry=self.registry)

        def histogram(name: str, says: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(f"autocom_{name}", says, labels, buckets=buckets, registry=self.registry)

        self._calls = counter("calls", "Calls that ended", "direction", "outcome")
        self._of_client = counter("client_calls", "Calls of each client that ended", "client", "outcome")
        self._offers = counter("offers", "Offers to secretaries that ended", "result")
        self._entries = counter("journal_entries", "Facts that were written down")
        self._crashes = counter("crashes", "Errors of ours in a call or a decision")
        self._faults = counter("faults", "Faults of the exchange that were noticed", "fault")
        self._alerts = counter("alerts", "Alerts that were told", "alert", "state")
        self._mails = counter("mails", "Mails sent, failed and given up", "result")
        self._texts = counter("texts", "Texts sent, delivered and given up", "result")
        self._requests = counter("ari_requests", "Requests to Asterisk", "method", "resource", "outcome")
        self._set_up = histogram("setup_seconds", "From a call's arrival to its first offer", _QUICK)
        self._join = histogram("answer_to_bridge_seconds", "From her answer to their conversation", _QUICK)
        self._wait = histogram("wait_seconds", "Waiting time of callers who queued", _WAITS, "result")
        self._latency = histogram(
            "ari_request_seconds", "How long Asterisk takes to answer", _QUICK, "resource"
        )
        self._age = histogram("ari_event_age_seconds", "How long events of Asterisk wait for us", _QUICK)
        self._lag = histogram("loop_lag_seconds", "How late the event loop comes to what is due", _QUICK)
        for outcome in OUTCOMES:  # a rate over a series that is not there yet says nothing
            self._calls.labels("in", outcome)

    def text(self) -> bytes:
        """Prometheus' text format. The same for a moment, however often one asks."""
        now = self._clock.now()
        if now - self._asked >= AGAIN:
            self._text, self._asked = generate_latest(self.registry), now
        return self._text

    async def run(self) -> None:
        """Measure the event loop, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_EVERY
            await asyncio.sleep(LAG_EVERY)
            self._lag.observe(max(0.0, loop.time() - due))

    # --- what Asterisk's client tells ---

    def request(self, method: str, path: str, outcome: str, seconds: float) -> None:
        """A request to Asterisk ended. `path`: only its first part becomes a label."""
        resource = path.strip("/").partition("/")[0] or "none"
        self._requests.labels(method, resource, outcome).inc()
        self._latency.labels(resource).observe(seconds)

    def event(self, seconds: float) -> None:
        """An event of Asterisk was taken up after so long."""
        self._age.observe(seconds)

    # --- what is written down ---

    def hear(self, entry: Entry) -> None:
        """A fact of the journal, in order."""
        self._entries.inc()
        fields = entry.fields
        match entry.kind:
            case "offer_ended":
                self._offers.labels(str(fields.get("result"))).inc()
            case "crashed":
                self._crashes.inc()
            case "fault" if not fields.get("over"):
                self._faults.labels(str(fields.get("fault"))).inc()
            case "alert" if "state" in fields:
                self._alerts.labels(str(fields.get("alert")), str(fields["state"])).inc()
            case "mail_sent":
                self._mails.labels("sent").inc()
            case "mail_failed":
                self._mails.labels("given_up" if fields.get("final") else "failed").inc()
            case "text_sent" | "text_delivered":
                self._texts.labels(entry.kind.removeprefix("text_")).inc()
            case "text_failed":
                self._texts.labels("given_up" if fields.get("final") else "failed").inc()
            case _:
                pass
        if entry.call is not None:
            self._follow(entry, entry.call)

    def _follow(self, entry: Entry, call: str) -> None:
        if entry.kind == "arrived":
            if len(self._courses) < COURSES:
                self._courses[call] = _Course(entry.at, str(entry.fields.get("direction") or "in"))
            return
        course = self._courses.get(call)
        if entry.kind == "ended":
            self._ended(entry, self._courses.pop(call, None))
        elif course is not None:
            self._goes_on(entry, course)

    def _goes_on(self, entry: Entry, course: _Course) -> None:
        leg = str(entry.fields.get("leg"))
        match entry.kind:
            case "identified":
                course.client = str(entry.fields.get("client") or "")
            case "queued" if course.queued is None:
                course.queued = entry.at
            case "offered" if not course.offered:
                course.offered = True
                self._set_up.observe(max(0.0, entry.at - course.arrived))
            case "offer_ended" if entry.fields.get("result") == "answered":
                course.answered[leg] = entry.at
            case "bridged":
                if (answered := course.answered.pop(leg, None)) is not None:
                    self._join.observe(max(0.0, entry.at - answered))
                if not course.bridged and course.queued is not None:
                    self._wait.labels("served").observe(max(0.0, entry.at - course.arrived))
                course.bridged = True
            case _:
                pass

    def _ended(self, entry: Entry, course: _Course | None) -> None:
        outcome = str(entry.fields.get("outcome"))
        direction = course.direction if course is not None and course.direction in _DIRECTIONS else "in"
        self._calls.labels(direction, outcome).inc()
        if course is None:
            return
        if course.client and 0 < self.clients <= CLIENTS:
            self._of_client.labels(course.client, outcome).inc()
        if course.queued is not None and not course.bridged:
            result = "abandoned" if outcome == "abandoned" else "other"
            self._wait.labels(result).observe(max(0.0, entry.at - course.arrived))


class _Gauges(Collector):
    """What is asked at a scrape."""

    def __init__(self, now: Callable[[], Now]) -> None:
        self._now = now

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked at the registration."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The gauges of this moment."""
        now = self._now()
        yield _one("asterisk_up", "Whether events of Asterisk arrive", now.connected)
        yield _one("ami_up", "Whether AMI is connected", now.ami)
        yield _one("ari_unread_seconds", "How long the oldest unread event of Asterisk waits", now.unread)
        yield _one(
            "ari_silence_seconds",
            "Since when Asterisk has answered no request for our application",
            now.canary,
        )
        yield _one("database_up", "Whether PostgreSQL takes facts", now.database)
        yield _one("ready", "Whether calls are taken", now.ready)
        yield _one("calls_open", "Calls in progress", now.calls)
        yield _one("oldest_wait_seconds", "Waiting time of the caller who waits longest", now.oldest_wait)
        yield _one("journal_backlog", "Facts that are not in PostgreSQL yet", now.backlog)
        yield _one("journal_backlog_age_seconds", "Age of the oldest of them", now.backlog_age)
        yield _one("local_log_bytes", "Size of the local log on disk", now.log_bytes)
        yield _one("local_log_held", "Steps held in memory, the disk refusing them", now.held)
        yield _one("configuration_refused", "Whether the files of the folder were refused", now.refused)
        yield _one("tasks", "Tasks of the event loop", len(asyncio.all_tasks()))
        yield _many("waiting", "Callers who wait", "team", now.waiting)
        yield _many("secretaries", "Secretaries by state", "state", now.secretaries)
        yield _many("mails_queued", "Mails and texts of rules, waiting or given up", "state", now.mails)
        yield _many("texts_queued", "Texts, waiting or given up", "state", now.texts)
        used = {trunk: calls for trunk, (calls, _) in now.trunks.items()}
        most = {trunk: limit for trunk, (_, limit) in now.trunks.items() if limit}
        yield _many("trunk_calls", "Channels in use", "trunk", used)
        yield _many("trunk_max_calls", "Channels that were bought", "trunk", most)
        active = GaugeMetricFamily(
            "autocom_alerts_active", "Alerts that are not over", labels=("alert", "severity")
        )
        for (alert, severity), count in now.alerts.items():
            active.add_metric((alert, severity), count)
        yield active
        yield _info("config_info", "The configuration in force", "version", now.configuration)
        yield _info("build_info", "This version of autocom", "version", VERSION)


def _one(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(f"autocom_{name}", says, value=float(value))


def _many(name: str, says: str, label: str, values: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(f"autocom_{name}", says, labels=(label,))
    for key, value in values.items():
        family.add_metric((key,), value)
    return family


def _info(name: str, says: str, label: str, value: str) -> Metric:
    return _many(name, says, label, {value: 1})
