"""`alerts` of bureau.yaml as the core's value: who is told of what is wrong with the exchange, and when.

A rule that is not written has the values of `core.alerts.RULES`. Must not know how anybody is told. Invariant: a
limit stands only at a rule that measures something, and a client with a limit of its own exists. The story goes on
in `autocom.alerting`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from autocom.config.faults import suggestion
from autocom.config.wording import told
from autocom.core.alerts import RULES, Alerting, AlertRule, Webhook

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from autocom.config import models
    from autocom.config.document import Document
    from autocom.config.faults import Fault


def build_alerts(written: models.Alerts) -> Alerting:
    """The core's value."""
    hook = written.webhook
    rules = {str(name): rule for name, rule in written.rules.items()}
    waits = rules.get("long_wait")
    return Alerting(
        mail=tuple(dict.fromkeys(written.mail)),
        webhook=Webhook(hook.url, hook.secret, hook.signature or "X-Signature") if hook else None,
        repeat=written.repeat,
        rules={name: _rule(rule, rules.get(name)) for name, rule in RULES.items()},
        clients=dict(waits.clients) if waits else {},
    )


def _rule(rule: AlertRule, written: models.AlertRule | None) -> AlertRule:
    if written is None:
        return rule
    return replace(
        rule,
        enabled=written.enabled,
        after=rule.after if written.after is None else written.after,
        over=rule.over if written.over is None else written.over,
        severity=written.severity or rule.severity,
    )


def check_alerts(house: models.Bureau, document: Document, clients: Sequence[str]) -> Iterator[Fault]:
    """Limits where nothing is measured, and of clients that do not exist; patience that outlasts what is to be told."""
    for name, rule in house.alerts.rules.items():
        route = ("alerts", "rules", name)
        if rule.over is not None and not RULES[name].over:
            yield document.key_at((*route, "over")).fault(
                told("`over` means nothing to `{name}`: nothing is measured there", name=name)
            )
        hold = RULES[name].hold
        if rule.after is not None and 0 < hold <= rule.after:
            yield document.key_at((*route, "after")).fault(
                told(
                    "`after` of `{name}` must be less than {limit}: it ends by itself then, before anybody was told",
                    name=name,
                    limit=f"{hold:.0f}s",
                )
            )
        if rule.clients and name != "long_wait":
            yield document.key_at((*route, "clients")).fault(
                told("`clients` means something to `long_wait` only")
            )
        for client in rule.clients if name == "long_wait" else ():
            if client not in clients:
                near = suggestion(client, clients)
                yield document.key_at((*route, "clients", client)).fault(
                    told("there is no client `{name}`{near}", name=client, near=near)
                )
