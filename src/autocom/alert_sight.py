"""What the alerts look at: the running exchange's parts, asked once a second for what is wrong with them.

Gathers; `core.lookout` judges. What costs something (the outboxes, who may be asked for whom) is asked less often,
or once for each configuration. Must not know who is told. `alerting` asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from autocom.calls.line import Line
from autocom.calls.ports import Clock
from autocom.calls.switchboard import Switchboard
from autocom.core.alerts import Alert, Finding
from autocom.core.journal import Entry, Json
from autocom.core.lookout import STREAK, Group, Sight, findings, groups, takes_callers
from autocom.core.model import Client, Configuration
from autocom.core.overrides import Override, of_hours, of_team
from autocom.core.stages import Patched, Promised, Reaching, Talking, Third
from autocom.core.trunk_health import TrunkHealth
from autocom.exchange import RunningExchange
from autocom.journal.shipper import Shipper

OUTBOXES_EVERY: Final = 10.0
BELIEVED: Final = 10.0
"""Seconds at least for which it is believed that a client takes callers, or does not; more where there are so many
clients that all of them cannot be asked that often."""

OPTIONS: Final = "OPTIONS"
"""The detail of a trunk that does not answer when Asterisk asks."""

AT_ONCE: Final = 100
"""Clients whose rules are asked in one look: some 6 ms of the loop, also in a night in which all are missed."""


class AlertSight:
    """`trunks`: the state of each trunk's contact, as Asterisk tells it; `database`: whether PostgreSQL answers when it
    is asked; `behind`: for how many seconds the oldest fact that is not there has been in the local log."""

    def __init__(
        self,
        exchange: RunningExchange,
        shipper: Shipper,
        clock: Clock,
        trunks: Callable[[], Mapping[str, str]],
        database: Callable[[], bool],
        behind: Callable[[], float],
    ) -> None:
        self._exchange, self._shipper, self._clock, self._trunks = exchange, shipper, clock, trunks
        self._database, self._behind = database, behind
        self._health = TrunkHealth(self._trunk_of)
        self._waits: dict[str, float] = {}  # since when each outbox holds something
        self._asked = 0.0
        self._staffed: tuple[str, tuple[Group, ...]] = ("", ())
        self._taking: dict[str, tuple[float, Override | None, bool]] = {}
        self._may_ask = 0
        self.hear: Callable[[Entry], None] = self._health.take

    def remember(self, told: Iterable[Alert]) -> None:
        """What the process before this one told, and was not over: a trunk that took no call takes none until one
        gets through, however often we are started again meanwhile."""
        for alert in told:
            if alert.name == "trunk_down" and alert.detail != OPTIONS:
                self._health.suspect(alert.subject, STREAK)

    def find(self) -> Sequence[Finding]:
        """Everything that is wrong now; nothing before there is a configuration."""
        board = self._exchange.switchboard
        configuration = board.configuration
        if configuration is None:
            return ()
        if self._staffed[0] != configuration.version:
            self._staffed = (configuration.version, groups(configuration))
            self._taking.clear()
        now, self._may_ask = self._clock.now(), AT_ONCE
        return tuple(
            findings(
                self._sight(board, configuration, now),
                configuration,
                self._staffed[1],
                lambda client: self._is_open(board, client, now),
                lambda client: self._sent_to(board, client, now),
            )
        )

    def _sight(self, board: Switchboard, configuration: Configuration, now: float) -> Sight:
        floor = board.dispatcher.floor
        certificate = self._exchange.certificate()
        days = certificate.get("days") if isinstance(certificate, dict) else None
        return Sight(
            now=now,
            connected=board.connected,
            database=self._shipper.connected and self._database(),
            backlog=self._shipper.backlog(),
            behind=self._behind(),
            waiters=[
                (waiter.client, waiter.joined)
                for waiter in floor.waiters.values()
                if is_on_the_line(board.lines.get(waiter.call))
            ],
            present=frozenset(name for name, post in floor.posts.items() if post.present),
            outboxes=self._outboxes(now),
            trunks=dict(self._down(configuration)),
            certificate=days if isinstance(days, int) else None,
        )

    def _outboxes(self, now: float) -> Mapping[str, float]:
        if now - self._asked >= OUTBOXES_EVERY:
            self._asked = now
            for name, figures in (("mail", self._exchange.mail()), ("texts", self._exchange.texts())):
                if _waiting(figures):
                    self._waits.setdefault(name, now)
                else:
                    self._waits.pop(name, None)
        return self._waits

    def _down(self, configuration: Configuration) -> list[tuple[str, str]]:
        states = self._trunks()
        found = []
        for trunk in configuration.trunks.values():
            if trunk.host is None:
                continue
            failed = self._health.failed.get(trunk.id, 0)
            if trunk.qualify and states.get(trunk.id) == "Unreachable":
                found.append((trunk.id, OPTIONS))
            elif failed >= STREAK:
                found.append((trunk.id, f"{STREAK}+"))
        return found

    def _trunk_of(self, call: str) -> str | None:
        """The trunk by which the call's newest leg outside is rung."""
        line = self._exchange.switchboard.lines.get(call)
        match line.story.stage if line is not None else None:
            case Reaching(trunk=trunk) | Promised(trunk=trunk) | Patched(reaching=Reaching(trunk=trunk)):
                return trunk
            case Talking(third=Third(trunk=trunk)):
                return trunk
            case _:
                return line.story.trunk_out if line is not None else None

    def _is_open(self, board: Switchboard, client: Client, now: float) -> bool:
        wall = board.house.wall(now)  # what rules and overrides go by; how long it is believed does not
        override = of_hours(board.overrides.of(client.id), wall)
        until, before, taking = self._taking.get(client.id, (0.0, None, False))
        if (now >= until or override is not before) and self._may_ask > 0:
            self._may_ask -= 1
            taking = takes_callers(client, wall, override)
            believed = max(BELIEVED, 2 * len(self._taking) / AT_ONCE)
            self._taking[client.id] = (now + believed, override, taking)
        return taking

    @staticmethod
    def _sent_to(board: Switchboard, client: str, now: float) -> str | None:
        overrides = board.overrides.of(client)
        team = of_team(overrides, board.house.wall(now)) if overrides else None
        return team.team if team is not None else None


def is_on_the_line(line: Line | None) -> bool:
    """One who is promised a callback does not wait with the receiver in his hand."""
    return line is not None and not line.story.absent and not isinstance(line.story.stage, Promised)


def _waiting(figures: Json) -> bool:
    return isinstance(figures, dict) and bool(figures.get("waiting"))
