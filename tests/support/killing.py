"""kill -9 around one effect of an exchange, and the start of the next one after an outage.

For plots that are told once for each of their effects: `Death` counts them, dies around the one it was given, and
brings the exchange back. A dying process does nothing more, so every later effect dies as well.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.support.exchange_in_memory import Bench


class Killed(BaseException):
    """kill -9: goes through everything."""


class Death:
    """`at`: around which effect, counted from 0 (None: none, they are only counted); `when`: before or after it;
    `outage`: seconds until the next start. `counts`: whether effects count at this moment."""

    def __init__(
        self,
        bench: Bench,
        at: int | None,
        outage: float,
        when: str,
        counts: Callable[[], bool] = lambda: True,
    ) -> None:
        self.bench, self.at, self.outage, self.when, self.counts = bench, at, outage, when, counts
        self.effects = 0
        self.killed = False

    def lurk(self) -> None:
        """From now on."""
        setattr(self.bench.telephone, self.when, self._around)

    def _around(self, _: str) -> None:
        if not self.counts():
            return
        if self.killed:
            raise Killed
        self.effects += 1
        if self.at is not None and self.effects == self.at + 1:
            self.killed = True
            raise Killed

    async def start_again(self) -> None:
        """To be asked again and again: once the exchange is dead, the next one is started, and lives."""
        if not self.killed or not self.bench.over():
            return
        setattr(self.bench.telephone, self.when, lambda _: None)
        self.killed = False
        await self.bench.kill()
        await self.bench.pass_time(self.outage)
        self.bench.start()
