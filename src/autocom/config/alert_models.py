"""`alerts` of bureau.yaml as the admin writes it, key for key.

Only the shape; which rule measures something is decided in `alerts_build`. Invariant: the names are those of
`core.alerts.RULES` (a test holds them to it). `models` holds it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from autocom.config.scalars import Duration, HeaderName, Id, Link, Mail, OneOrMany, Secret, SomeTime, Yes
from autocom.config.steps import Strict

AlertName = Literal[
    "no_secretary",
    "long_wait",
    "telephone_lost",
    "asterisk_died",
    "asterisk_hung",
    "loop_blocked",
    "fallback_used",
    "calls_refused",
    "rescued",
    "call_crashed",
    "part_failed",
    "trunk_down",
    "one_way_audio",
    "sound_missing",
    "difference_repaired",
    "database_down",
    "journal_lag",
    "disk_low",
    "descriptors_low",
    "outbox_stuck",
    "certificate_expiring",
    "banned",
    "outgoing_limit",
    "no_answer_pause",
]


class AlertRule(Strict):
    """One of `rules` of `alerts`; what is not written is as it is."""

    enabled: Yes = True
    after: Duration | None = None
    over: SomeTime | None = None
    severity: Literal["critical", "warning"] | None = None
    clients: dict[Id, SomeTime] = Field(default_factory=dict)


class AlertWebhook(Strict):
    """`webhook` of `alerts`."""

    url: Link
    secret: Secret
    signature: HeaderName | None = None


class Alerts(Strict):
    """`alerts`: who is told of what is wrong with the exchange."""

    mail: Annotated[list[Mail], OneOrMany()] = Field(default_factory=list)
    webhook: AlertWebhook | None = None
    repeat: Duration = 1800.0
    rules: dict[AlertName, AlertRule] = Field(default_factory=dict)
