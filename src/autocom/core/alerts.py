"""When somebody is told that something is wrong, how often, and when that it is over: one state for each alert.

An `Alert` is one name and one subject. It begins with what a look at the exchange found (`lookout`) or with an
entry `fault`, is told once it has held for its rule's `after`, again after `repeat`, and as over once it has been
gone for `calm`; one that comes and goes has to stay away longer each time. Pure: time is an argument. Must not
know who is told, nor how a condition is seen. Invariant: what `looked` returns as notices has been entered in the
alerts that it returns with them, so who saves both in one transaction tells nothing twice.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from autocom.core.codec import Codec
from autocom.core.journal import Json

ALERT: Final = "alert:"
"""What the keys of the rows begin with."""

Severity = Literal["critical", "warning"]
"""`critical`: callers or calls are concerned now; `warning`: they will be, or nobody notices yet."""

What = Literal["raised", "again", "over"]

REPEAT: Final = 1800.0
FLAPPING: Final = 600.0
"""Seconds after its end in which an alert that comes back counts as flapping."""

MOST_FLAPS: Final = 6
"""The pause before "over" is doubled that often at most."""

SETTLE: Final = 15.0
"""Seconds after a start in which nothing is said to be over: what a look needs is not there yet."""

RENEW: Final = 60.0
"""Seconds after a start in which whoever noticed a fault before must say it again, or it is over."""

KEPT: Final = 86400.0
"""Seconds for which an alert that is over is remembered."""

MOST: Final = 200
"""Alerts that are kept; beyond, the subjects of one name are told as one."""

LONGEST: Final = 300


@dataclass(frozen=True, slots=True)
class AlertRule:
    """How one name is told. `after`: seconds for which it must hold; `calm`: for which it must be gone; `hold`: for
    which a fact without an end counts (0: it has an end); `over`: the limit of what is measured, in seconds (0: there
    is none); `each`: whether every subject has an alert of its own, or all have one."""

    severity: Severity
    after: float = 0.0
    calm: float = 5.0
    hold: float = 0.0
    over: float = 0.0
    each: bool = False
    enabled: bool = True


RULES: Final[Mapping[str, AlertRule]] = {
    "no_secretary": AlertRule("critical", after=30.0, each=True),
    "long_wait": AlertRule("warning", over=120.0, each=True),
    "telephone_lost": AlertRule("critical", after=3.0),
    "asterisk_died": AlertRule("critical", hold=600.0),
    "asterisk_hung": AlertRule("critical"),
    "loop_blocked": AlertRule("critical", hold=300.0),
    "fallback_used": AlertRule("critical", hold=300.0),
    "calls_refused": AlertRule("critical", hold=300.0),
    "rescued": AlertRule("critical", hold=300.0),
    "call_crashed": AlertRule("critical", hold=600.0),
    "part_failed": AlertRule("critical", hold=600.0, each=True),
    "trunk_down": AlertRule("critical", after=10.0, each=True),
    "one_way_audio": AlertRule("warning", hold=600.0),
    "sound_missing": AlertRule("warning", hold=3600.0),
    "difference_repaired": AlertRule("warning", hold=600.0),
    "database_down": AlertRule("warning", after=3.0, calm=2.0),
    "journal_lag": AlertRule("warning", over=60.0),
    "disk_low": AlertRule("critical", each=True),
    "descriptors_low": AlertRule("critical"),
    "outbox_stuck": AlertRule("warning", over=900.0, each=True),
    "certificate_expiring": AlertRule("warning", calm=60.0),
    "banned": AlertRule("warning", hold=3600.0),
    "outgoing_limit": AlertRule("warning", hold=3600.0, each=True),
    "no_answer_pause": AlertRule("warning", hold=600.0, each=True),
}
"""Every alert there is, with the rule that holds where `alerts` of bureau.yaml says no other."""

LOOKED_FOR: Final = frozenset(
    {
        "no_secretary",
        "long_wait",
        "telephone_lost",
        "trunk_down",
        "database_down",
        "journal_lag",
        "outbox_stuck",
        "certificate_expiring",
    }
)
"""Those that a look finds (`lookout`), with the limits that are in force; a fact of the same name says nothing more."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where alerts are posted to. `secret`: the key of the HMAC-SHA256 of the body in the header `signature`."""

    url: str
    secret: str = field(repr=False)
    signature: str = "X-Signature"


@dataclass(frozen=True, slots=True)
class Alerting:
    """`alerts` of bureau.yaml. `clients`: the wait (seconds) that is too long for one client's callers; `repeat` in
    seconds, 0: never again."""

    mail: tuple[str, ...] = ()
    webhook: Webhook | None = None
    repeat: float = REPEAT
    rules: Mapping[str, AlertRule] = field(default_factory=lambda: dict(RULES))
    clients: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """What is the case now. `detail` holds numbers and names where a look found it, so that every language can say it;
    what a fact says it says in English. No caller's number."""

    name: str
    subject: str = ""
    detail: str = ""
    count: int = 1

    @property
    def key(self) -> str:
        """Of its alert's row."""
        return f"{ALERT}{self.name}:{self.subject}"


@dataclass(frozen=True, slots=True)
class Alert:
    """One name and one subject (empty: there is only one). Instants are UTC epoch seconds. `since`: when it began;
    `raised`, `told`: the first and the last telling; `tellings` of this time; `gone`: since when it does not hold any
    more, not yet told; `until`: a fact without an end counts until then; `latched`: a fact that has an end, which did
    not come yet; `noted`: its last fact; `flaps`: how often it came back lately; `over`: when it was told to be
    over."""

    name: str
    subject: str
    since: float
    detail: str = ""
    count: int = 1
    raised: float | None = None
    told: float = 0.0
    tellings: int = 0
    told_count: int = 0
    gone: float | None = None
    until: float | None = None
    latched: bool = False
    noted: float = 0.0
    flaps: int = 0
    over: float | None = None

    @property
    def key(self) -> str:
        """Its row."""
        return f"{ALERT}{self.name}:{self.subject}"

    @property
    def active(self) -> bool:
        """Told, and not over."""
        return self.raised is not None and self.over is None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell: `alert` as it is kept from now on."""

    alert: Alert
    what: What

    @property
    def id(self) -> str:
        """The same however often it is decided, and no other notice's: what its letters lose of the subject is in a
        digest."""
        alert = self.alert
        subject = re.sub(r"[^A-Za-z0-9]+", "-", alert.subject).strip("-")[:60]
        if subject != alert.subject:
            subject += "-" + hashlib.sha256(alert.subject.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        began = round((alert.raised or 0.0) * 1000)
        about = "-".join(part for part in (alert.name.replace("_", "-"), subject) if part)
        return f"alert-{about}-{began}-{self.what}-{alert.tellings}"


Alerts = Mapping[str, Alert]
"""By key; those that are over for a while, too."""

CODEC: Final = Codec((Alert,))


def noted(
    alerts: Alerts, rules: Mapping[str, AlertRule], found: Finding, now: float, *, over: bool = False
) -> dict[str, Alert]:
    """The alerts after a fact. One whose rule has no `hold` counts until a fact says that it is over."""
    rule = rules.get(found.name)
    after = dict(alerts)
    if rule is None or not rule.enabled:
        return after
    if over:  # it may have begun when there were too many for one of its own
        known = alerts.get(found.key) or alerts.get(replace(found, subject="").key)
        if known is not None and known.latched:
            after[known.key] = replace(known, latched=False)
        return after
    found = _gathered(found, rule, alerts)
    before = alerts.get(found.key)
    alert = _begun(found, before, now) if before is None or before.over is not None else before
    counted = found.count if alert is not before else alert.count + found.count
    after[found.key] = replace(
        alert,
        count=counted if rule.hold else alert.count,
        detail=found.detail[:LONGEST],
        gone=None,
        flaps=alert.flaps + (alert.gone is not None),
        until=now + rule.hold if rule.hold else alert.until,
        latched=not rule.hold,
        noted=now,
    )
    return after


def looked(
    alerts: Alerts, findings: Iterable[Finding], alerting: Alerting, now: float, started: float
) -> tuple[dict[str, Alert], list[Notice]]:
    """The alerts after a look at what is the case, and what is to be told. `started`: when this process began to
    look; what is remembered of the one before it is believed for a while."""
    seen: dict[str, Finding] = {}
    new = 0
    for found in findings:
        rule = alerting.rules.get(found.name)
        if rule is not None and rule.enabled:
            mine = _gathered(found, rule, alerts, new)
            if (other := seen.get(mine.key)) is not None:
                mine = replace(mine, count=mine.count + other.count)
            elif mine.key not in alerts:
                new += 1
            seen[mine.key] = mine
    after: dict[str, Alert] = {}
    notices: list[Notice] = []
    for key in (*alerts, *(key for key in seen if key not in alerts)):
        alert = _next(alerts.get(key), seen.get(key), alerting, now, started)
        if alert is None:
            continue
        told = _telling(alert, alerting, now, started)
        notices += [told] if told is not None else []
        after[key] = alert if told is None else told.alert
    return after, notices


def _next(
    alert: Alert | None, found: Finding | None, alerting: Alerting, now: float, started: float
) -> Alert | None:
    """The alert with what is the case now entered; None where there is nothing to remember."""
    if alert is not None and alert.over is not None:
        if found is not None:
            return _begun(found, alert, now)
        return alert if now - alert.over < KEPT else None
    if alert is None:
        return None if found is None else _begun(found, None, now)
    rule = alerting.rules.get(alert.name)
    if rule is None or not rule.enabled:
        return None  # switched off: nobody wants to hear that it is over either
    if alert.latched and alert.noted < started and now - started >= RENEW:
        alert = replace(alert, latched=False)  # whoever noticed it is gone with the last process
    if found is not None or alert.latched or (alert.until is not None and now < alert.until):
        flaps = alert.flaps + (alert.gone is not None)
        counted = (found.detail[:LONGEST], found.count) if found else (alert.detail, alert.count)
        return replace(alert, gone=None, flaps=flaps, detail=counted[0], count=counted[1])
    if alert.raised is None:
        return None  # it went before anybody was told
    return alert if alert.gone is not None else replace(alert, gone=now)


def _telling(alert: Alert, alerting: Alerting, now: float, started: float) -> Notice | None:
    """What is to be told of it now."""
    if alert.over is not None:
        return None
    rule = alerting.rules[alert.name]
    if alert.gone is not None:
        calm = 0.0 if alert.until is not None and not alert.latched else _calm(rule, alert)
        if now - alert.gone < calm or now - started < SETTLE:
            return None
        return Notice(replace(alert, over=now, tellings=alert.tellings + 1), "over")
    if alert.raised is None:
        if now - alert.since < rule.after:
            return None
        return Notice(_told(replace(alert, raised=now), now), "raised")
    new = alert.until is None or alert.count > alert.told_count
    if alerting.repeat and new and now - alert.told >= alerting.repeat:
        return Notice(_told(alert, now), "again")
    return None


def _calm(rule: AlertRule, alert: Alert) -> float:
    return float(rule.calm * 2 ** min(alert.flaps, MOST_FLAPS))


def _told(alert: Alert, now: float) -> Alert:
    return replace(alert, told=now, tellings=alert.tellings + 1, told_count=alert.count)


def _begun(found: Finding, before: Alert | None, now: float) -> Alert:
    """A new time of an alert; `before`: the last one, where it is remembered."""
    lately = before is not None and before.over is not None and now - before.over < FLAPPING
    flaps = before.flaps + 1 if before is not None and lately else 0
    return Alert(found.name, found.subject, now, found.detail[:LONGEST], found.count, flaps=flaps)


def _gathered(found: Finding, rule: AlertRule, alerts: Alerts, more: int = 0) -> Finding:
    """Under the subject of its alert: none where all subjects have one, or there are too many, with `more` of them
    beside those that are known."""
    if not found.subject or (rule.each and (found.key in alerts or len(alerts) + more < MOST)):
        return found
    words = ": ".join(part for part in (found.subject, found.detail) if part)
    return replace(found, subject="", detail=words)


# --- rows --------------------------------------------------------------------------------------------------


def changed(before: Alerts, after: Alerts) -> dict[str, Json]:
    """The rows to save. What only a look says (how many, how long) is saved with the next change."""
    rows: dict[str, Json] = {key: None for key in before if key not in after}
    for key, alert in after.items():
        if (known := before.get(key)) is None or _kept(known) != _kept(alert):
            rows[key] = CODEC.dump(alert)
    return rows


def _kept(alert: Alert) -> Alert:
    return replace(alert, detail="", count=0)


def restored(rows: Mapping[str, Json]) -> tuple[dict[str, Alert], list[str]]:
    """The alerts of these rows, and the keys of those that cannot be read, or whose name another version knew."""
    found, broken = CODEC.rows(Alert, ALERT, rows)
    strange = [alert.key for alert in found if alert.name not in RULES]
    return {alert.key: alert for alert in found if alert.name in RULES}, broken + strange


def active(alerts: Alerts, rules: Mapping[str, AlertRule] = RULES) -> Iterator[Alert]:
    """Those that were told and are not over, the worst by these rules first, then the oldest."""
    told = (alert for alert in alerts.values() if alert.active)
    yield from sorted(
        told, key=lambda alert: (rules[alert.name].severity != "critical", alert.since, alert.subject)
    )


def recent(alerts: Alerts) -> Iterator[Alert]:
    """Those that are over since less than a day, the last one first."""
    gone = [alert for alert in alerts.values() if alert.over is not None]
    yield from sorted(gone, key=lambda alert: -(alert.over or 0.0))
