"""What a running exchange is made of, for those who build on it.

Only values that stand before the first call is taken over; what comes beside the calls is `surroundings`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autocom import faults

if TYPE_CHECKING:
    from autocom.asterisk.ami import Ami
    from autocom.asterisk.clock import SteadyClock
    from autocom.asterisk.telephone import AsteriskTelephone
    from autocom.calls.switchboard import Switchboard
    from autocom.config import Loaded
    from autocom.core.model import Configuration
    from autocom.exchange import RunningExchange
    from autocom.foundations import Ground, Told
    from autocom.handover import Predecessor
    from autocom.journal.log import LocalLog
    from autocom.leaving import Leaving
    from autocom.papers import Papers
    from autocom.rescue.diary import Diary
    from autocom.rescuing import Beside
    from autocom.settings import Settings


@dataclass(frozen=True, slots=True)
class Parts:
    """`private`: what is missing is started here, and stopped at the end. `loaded`: the configuration of the start.
    `predecessor`: the process that let go for us, which has not ended yet."""

    settings: Settings
    private: bool
    told: Told
    clock: SteadyClock
    local: LocalLog
    papers: Papers | None
    ground: Ground
    ami: Ami
    telephone: AsteriskTelephone
    switchboard: Switchboard
    exchange: RunningExchange
    loaded: Loaded
    rescuer: Beside
    diary: Diary
    leaving: Leaving
    predecessor: Predecessor | None = None

    def configuration(self) -> Configuration:
        """The one in force."""
        return self.switchboard.configuration or self.loaded.configuration

    def failed(self, what: str, kind: str) -> None:
        """A part had an error of ours, and is begun again (`steadfast`)."""
        faults.note(self.exchange.journal, self.clock, "part_failed", what, kind)
