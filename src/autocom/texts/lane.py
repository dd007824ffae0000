"""The texts that go by one provider, part by part, and the provider's own life beside them.

What became of a part is saved before the next one goes. How a lane tries, waits and gives up is `autocom.lane`.
Must not know what is said, nor how it is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from autocom import lane
from autocom.calls.containment import contained
from autocom.calls.ports import Clock
from autocom.core.texts import Outgoing
from autocom.lane import MOST
from autocom.texts.despatch import PATIENCE, Despatch
from autocom.texts.provider import Provider


class Lane(lane.Lane[Outgoing]):
    """`name`: the provider's id. `news` is set when something changed."""

    def __init__(
        self, name: str, provider: Provider, despatch: Despatch, clock: Clock, news: asyncio.Event
    ) -> None:
        super().__init__(name, "texts", clock, news, PATIENCE)
        self._provider, self._despatch = provider, despatch

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._live())
            tasks.create_task(super().run())

    async def _live(self) -> None:
        """The provider's own life; one that crashes is begun anew, and ends no other's."""
        while True:
            with contained("provider of texts crashed", lambda _: None, provider=self._name):
                await self._provider.run()
                return
            await self._clock.until(self._clock.now() + MOST)

    def _open(self) -> Sequence[Outgoing]:
        return self._despatch.queued(self._name)

    async def _send(self, going: Outgoing) -> None:
        part, more = len(going.parts), True
        while more:
            name = await self._provider.send(going, part)
            more = self._despatch.handed(going.id, name, whole=self._provider.whole)
            part += 1

    def _put_off(self, going: Outgoing, why: str, pause: float) -> None:
        self._despatch.again(going.id, why, pause)

    def _give_up(self, going: Outgoing, why: str) -> None:
        self._despatch.give_up(going.id, why)
