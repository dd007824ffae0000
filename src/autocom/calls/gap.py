"""The telephone is back after a gap: what happened meanwhile is taken in, and the last process's calls are taken over.

What Asterisk holds is compared with our records (`reconcile`); each difference becomes the fact that was missed. Law: no
time runs out and nobody is rung before that is done.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from autocom.calls.dispatcher import Dispatcher
from autocom.calls.errands import RETRY, Errands
from autocom.calls.line import Line
from autocom.calls.living import Lives
from autocom.calls.outside import Ports
from autocom.calls.ports import Gone, TelephoneDown
from autocom.calls.reconcile import compare
from autocom.core.floor_words import CallerLeft, LegRang
from autocom.core.journal import Entry
from autocom.core.telephony import ChannelAnswered, ChannelGone, Fact, TelephoneBack

log = structlog.get_logger()


def service_entry(at: float, event: str, detail: str) -> Entry:
    """What is written down of the telephone itself."""
    return Entry(at, "service", None, {"event": event, "detail": detail})


class Gap:
    """`hear` takes a fact in, as one that Asterisk told; the rest is the switchboard's. `adopted`: the last process's
    calls, whose stories start when the telephone is heard of for the first time."""

    def __init__(
        self,
        lines: dict[str, Line],
        by_channel: dict[str, str],
        ports: Ports,
        dispatcher: Dispatcher,
        lives: Lives,
        errands: Errands,
        hear: Callable[[Fact], None],
    ) -> None:
        self.adopted: list[Line] = []
        self._lines, self._by_channel, self._ports = lines, by_channel, ports
        self._dispatcher, self._lives, self._errands, self._hear = dispatcher, lives, errands, hear

    def over(self, fact: TelephoneBack) -> None:
        """Make our records true again, then let time run."""
        self._believe_the_rescuer(fact)
        lines, dispatcher = self._lines, self._dispatcher
        stories = [line.story for line in lines.values()]
        differences = compare(stories, dispatcher.floor, fact.seen, dispatcher.under_way)
        detail = (
            f"{len(lines)} calls open, {len(differences.missed)} facts missed, "
            f"{len(differences.newcomers)} newcomers, {len(differences.stray_legs)} stray legs"
        )
        self._ports.journal.save([service_entry(self._ports.clock.now(), "telephone_back", detail)])
        self._lives.lose(fact.seen)
        for line in self.adopted:
            with self._lives.containing(line):
                self._lives.join(line, fact.seen)
        for leg in differences.stray_legs:
            dispatcher.stop(leg)  # before anybody is rung: it may be at her phone
        for missed in differences.missed:
            self._missed(missed)
        for leg in differences.rang:
            dispatcher.submit(LegRang(leg))
        dispatcher.see(seeing=True)
        for line in lines.values():
            line.see(fact)
        for line in self.adopted:
            with self._lives.containing(line):
                self._ports.journal.save([line.entry("adopted", stage=type(line.story.stage).__name__)])
            self._lives.start(line, adopted=True)
        self.adopted.clear()
        for channel in differences.newcomers:
            self.meet(channel)
        for bridge in differences.stray_bridges:
            self._errands.disconnect(bridge)

    def meet(self, channel: str) -> None:
        """A caller in our application of whom nobody told."""
        self._errands.start(self._recall(channel))

    def _missed(self, fact: ChannelGone | ChannelAnswered) -> None:
        line = self._lines.get(self._by_channel.get(fact.channel, ""))
        if line is not None and isinstance(fact, ChannelGone):
            line.cut = True  # by an Asterisk that died, or by himself, unseen: he is believed
            if line.channel == fact.channel and line.id in self._dispatcher.floor.waiters:
                # his story hears it too late: no ring for him
                himself = not self._lives.rescued(line.channel)
                self._dispatcher.submit(CallerLeft(line.id, hung_up=himself))
        self._hear(fact)

    def _believe_the_rescuer(self, fact: TelephoneBack) -> None:
        """Who was handed to the fallback while we were away is no caller of ours any more: nothing may be done to him."""
        for line in list(self._lines.values()):
            held = fact.seen.channels.get(line.channel)
            if held is not None and not held.ours and self._lives.rescued(line.channel):
                self._missed(ChannelGone(line.channel, 0))

    async def _recall(self, channel: str) -> None:
        """A caller in our application without a story: its entry was lost with the last process. Asked for
        until it is had: without a story he hears nothing."""
        telephone, clock = self._ports.telephone, self._ports.clock
        while True:
            try:
                self._hear(await self._dialled(channel) or await telephone.ingress(channel))
            except Gone:
                return
            except TelephoneDown as down:
                log.warning("newcomer not read", channel=channel, why=str(down))
                await clock.until(clock.now() + RETRY)
            else:
                return

    async def _dialled(self, channel: str) -> Fact | None:
        """What a phone of the house dialled, where it is one: she hears it after all."""
        try:
            return await self._ports.telephone.dialled(channel)
        except Gone:
            return None
