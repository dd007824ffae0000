"""One task per call: opened at the door, adopted after a gap, contained when it crashes.

Takes the telephone's facts in order and hands each to the call, or to the floor, that it is
about. A story that crashes is written down and its caller given to the dialplan's fallback,
never to silence; no other call notices. Law: a call is saved before its story's first effect.
The stories are in `inbound.py`, the floor in `dispatcher.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import structlog

from autocom.calls.containment import contained
from autocom.calls.dialled import Desk
from autocom.calls.dispatcher import Dispatcher
from autocom.calls.errands import Errands
from autocom.calls.gap import Gap, service_entry
from autocom.calls.gauge import Gauge
from autocom.calls.guests import Guests
from autocom.calls.hearing import Hearing
from autocom.calls.house import House
from autocom.calls.inviting import ask_in
from autocom.calls.line import Line
from autocom.calls.living import Lives, quietly
from autocom.calls.merging import Merger
from autocom.calls.messages import alert_rows
from autocom.calls.notes import Looped, ReadAgain
from autocom.calls.opening import decided, first_stage, met, opening, returned, returning, staff_of
from autocom.calls.outgoing import looped, rung_outside
from autocom.calls.outside import Ports
from autocom.calls.overriding import Overrides
from autocom.calls.overseeing import Overseers
from autocom.calls.phoning import offer_order
from autocom.calls.ports import Outbound, Stored
from autocom.calls.referring import Referring
from autocom.calls.reminders import Reminders
from autocom.calls.renvoi import PostForwards
from autocom.calls.results import NoResult, Results
from autocom.calls.tally import Tally
from autocom.calls.transferring import note_for
from autocom.calls.unheard import Unheard
from autocom.core.codec import Undecodable
from autocom.core.features import told
from autocom.core.floor_words import (
    PhoneSeen,
    PhoneUsed,
    Ring,
    Staffed,
)
from autocom.core.journal import Entry
from autocom.core.model import Configuration, HangupKind
from autocom.core.numbers import NumberingPlan
from autocom.core.record import NO_ROOM
from autocom.core.stages import Leaving, Promised, Waiting
from autocom.core.story import Story
from autocom.core.telephony import (
    CallEntered,
    CallRefused,
    Fact,
    PhoneDialled,
    PhoneInUse,
    PhoneRefused,
    PhoneRegistered,
    TelephoneBack,
    TelephoneLost,
)

log = structlog.get_logger()


class Switchboard:
    """Every open call. `new_id` makes call ids (time-ordered); `plan` reads numbers. `met` is set once the
    telephone has been heard of for the first time."""

    def __init__(
        self, ports: Ports, dispatcher: Dispatcher, plan: NumberingPlan, new_id: Callable[[], str]
    ) -> None:
        gauge = Gauge(ports.journal)
        self.errands = Errands(ports.telephone, ports.clock)
        self.lines: dict[str, Line] = {}
        self.overseers = Overseers(ports.clock, new_id)
        self.ports = ports = replace(
            ports,
            journal=gauge,
            surely=self.errands.surely,
            restaged=self.overseers.restaged,
            unheard=Unheard(ports.clock.now, gauge.save),
        )
        self.dispatcher, self.plan, self._new_id = dispatcher, plan, new_id
        self.overrides = Overrides(ports.journal, ports.clock, self._read_again)
        self.house = House(
            plan,
            lambda: dispatcher.floor,
            lambda: (line.story for line in self.lines.values()),
            self.overrides.of,
        )
        self.guests = Guests(ports.journal)
        self.results = Results(ports.journal, ports.clock)
        self.tally = Tally(ports.journal, ports.clock, self._story_of, lambda: self.configuration)
        self.house.uses = self.tally.uses
        gauge.beside = lambda entries: {**self.results.rows(entries), **self.tally.rows(entries)}
        self.reminders = Reminders(ports.journal, ports.clock, lambda: f"r{new_id()[1:]}")
        self.results.listed, self.results.told = self._is_listed, self.reminders.said
        self.connected = False
        self.met = asyncio.Event()
        self.draining = False
        self._by_channel: dict[str, str] = {}
        self.hearing = Hearing(self.lines, self._by_channel, dispatcher, ports, self.errands)
        self.lives = Lives(
            self.house,
            self.lines,
            self._by_channel,
            ports,
            self.errands,
            dispatcher,
            (self.guests, self.reminders, self.overseers),
        )
        self._gap = Gap(self.lines, self._by_channel, ports, dispatcher, self.lives, self.errands, self._on)
        self._phones: dict[tuple[str, type], PhoneSeen | PhoneUsed] = {}
        self._present: frozenset[str] = frozenset()
        self.desk = Desk(self.house, self.lines, ports, self.errands, new_id, self._begin)
        self.desk.reminders = self.reminders
        self.overseers.house, self.overseers.open_call = self.house, self.desk.open_made
        self.desk.listening = self.overseers.dialled
        self.house.forwards = PostForwards(ports.journal, ports.clock)
        self.house.text, self.house.turn_away = self.errands.text, self.desk.turn_away
        self.house.invite = lambda room, dialled, by: ask_in(self.desk, room, dialled, by)
        self.house.mark = self._mark
        merger = Merger(self.house, self.lines, ports, self.errands)
        self.hearing.transfer = Referring(self.house, self.lines, ports, self.errands, merger).take
        self.house.pace = lambda: gauge.pace
        dispatcher.written = gauge.count
        dispatcher.mailed = lambda told: alert_rows(self.configuration, told)
        dispatcher.staffing = self._staffing
        dispatcher.invite = self._invite
        dispatcher.wording = lambda tell: told(tell, self.house.language)
        dispatcher.deliver = self.house.tell = self.hearing.tell
        self.house.take_over = self._take_over

    # --- configuration and start ---

    @property
    def configuration(self) -> Configuration | None:
        """The one in force."""
        return self.house.configuration

    def use(self, configuration: Configuration) -> None:
        """New calls are decided by this configuration; calls in progress keep theirs, and who waits follows
        its hours and staff."""
        self.house.use(configuration)
        self.ports.unheard.stock = configuration.stock.music.moh_class
        self.dispatcher.submit(Staffed(staff_of(configuration)))
        # who is new may have a phone that was told of before
        for fact in self._phones.values():
            self.dispatcher.submit(fact)
        self._read_again(None)

    def _read_again(self, client: str | None) -> None:
        """Callers who wait (of this client, None: of all) ask their rules anew; who listens, what she may."""
        self.overseers.look_again()
        for line in self.lines.values():
            concerned = client in (None, line.story.call.client.id)
            if concerned and isinstance(line.story.stage, Waiting | Promised):
                line.post(ReadAgain())

    def wall_clock(self, ahead: float) -> None:
        """It has jumped, and is so many seconds ahead of ours: whoever waits for an hour of the day reads it anew."""
        self.house.ahead = self.overrides.ahead = self.reminders.ahead = ahead
        self.overrides.look()
        self._read_again(None)

    def _story_of(self, call: str) -> Story | None:
        line = self.lines.get(call)
        return line.story if line is not None else None

    def _is_listed(self, call: str) -> bool:
        story = self._story_of(call)
        return story is not None and story.call.listed is not None

    def _staffing(self) -> None:
        present = frozenset(name for name, post in self.dispatcher.floor.posts.items() if post.present)
        if present != self._present:
            self._present = present
            self._read_again(None)

    def restore(self, stored: Stored) -> None:
        """Take the last process's calls over. Their stories start at the first `TelephoneBack`."""
        for key, row in stored.calls.items():
            try:
                story = self.ports.codec.load(Story, row)
            except Undecodable as error:
                # written by a newer version, or damaged: its caller is met again as a newcomer
                log.error("stored call unreadable", call=key, why=str(error))
                self.ports.journal.save(calls={key: None})
                continue
            line = Line(story, self.ports)
            self.lines[key] = line
            self._by_channel.setdefault(story.call.channel, key)
            # a channel that was taken over: it may have come with a call of its own
            self._by_channel.update(dict.fromkeys(story.foreign, key))
            self._gap.adopted.append(line)
        self.dispatcher.restore(stored.floor, set(self.lines))
        self.overrides.restore(stored.floor)
        self.guests.restore(stored.floor)
        self.house.forwards.restore(stored.floor)
        self.tally.restore(stored.floor)
        self.results.restore(stored.floor)
        self.reminders.restore(stored.floor, self.lines)

    async def run(self, configuration: Configuration) -> None:
        """Serve, for as long as the telephone has facts."""
        async with asyncio.TaskGroup() as tasks:
            self.errands.tasks = self.dispatcher.tasks = tasks
            self.use(configuration)
            tasks.create_task(self.dispatcher.run())
            tasks.create_task(self.overrides.run())
            async for fact in self.ports.telephone.facts():
                self._on(fact)

    # --- facts ---

    def hear(self, fact: Fact) -> None:
        """A fact that was found by asking, as if Asterisk had told it."""
        self._on(fact)

    def meet(self, channel: str) -> None:
        """A caller in our application of whom nobody told."""
        self._gap.meet(channel)

    def doubt(self) -> None:
        """The process stood still, and everything may have changed: nothing is concluded and no time runs out until the
        telephone is back, for which its owner asks anew."""
        self.dispatcher.see(seeing=False)
        for line in self.lines.values():
            line.doubt()

    def _on(self, fact: Fact) -> None:
        self.tally.take(fact)
        match fact:
            case CallEntered():
                self._enter(fact)
            case PhoneDialled():
                self._dialled(fact)
            case TelephoneBack():
                self.connected = True
                self.met.set()
                self._gap.over(fact)
            case TelephoneLost(why):
                self.connected = False
                self.dispatcher.see(seeing=False)
                for line in self.lines.values():
                    line.seeing = False
                self.ports.journal.save([service_entry(self.ports.clock.now(), "telephone_lost", why)])
            case PhoneRegistered(secretary, reachable, moved):
                self._about_a_phone(PhoneSeen(secretary, reachable, moved))
            case CallRefused():
                self._no_room(fact)
            case PhoneRefused():
                self.desk.refused_before(fact)
            case PhoneInUse(secretary, in_use):
                self._about_a_phone(PhoneUsed(secretary, in_use))
            case _:
                self.hearing.take(fact)

    def _about_a_phone(self, fact: PhoneSeen | PhoneUsed) -> None:
        self._phones[fact.secretary, type(fact)] = fact
        self.dispatcher.submit(fact)

    # --- a call comes in ---

    def _enter(self, fact: CallEntered) -> None:
        if fact.channel in self._by_channel:
            return
        if self.draining:
            self.errands.to_fallback(fact.channel)
            return
        with contained("call crashed", lambda error: self.lives.crashed(error, fact.channel, None)):
            self._begin(*self._decide(fact))

    def _decide(self, fact: CallEntered) -> tuple[Story, tuple[Entry, ...]]:
        """Whose call it is and by which rule: the story at its first stage, and what is written down of it."""
        house, now = self.house, self.ports.clock.now()
        identity, client = house.whose(fact)
        back = self.guests.back(client, identity, now)
        if back is not None and (back.waited or back.since is not None):
            identity = replace(identity, flags=(*identity.flags, "returning"))
        looping = looped(fact.headers, house.stories, self.plan)
        if looping is not None:
            identity = replace(identity, flags=(*identity.flags, "loop"))
        waiting = house.waiting(client)
        choice = house.choice(client, identity, now, waiting, fact.at)
        call = decided(self._new_id(), fact, identity, client, choice, house.version, waiting)
        stage = first_stage(choice, client, now) if looping is None else self._refuse_loop(looping)
        entries = (*opening(call, fact, house.in_force, choice, now), *returning(call, back, now))
        return returned(Story(call, stage), back, now), entries

    def _no_room(self, fact: CallRefused) -> None:
        """A call for the journal, and no more: whoever reads it has to know that the line was full."""
        now = self.ports.clock.now()
        came = CallEntered(fact.channel, now, fact.trunk, fact.headers)
        with contained("refused call not written", lambda _: None, channel=fact.channel):
            identity, _ = self.house.whose(came)
            call = self._new_id()
            ended = Entry(now, "ended", call, {"outcome": "full", "cause": NO_ROOM})
            self.ports.journal.save([*met(call, came, identity, self.house.in_force, now), ended])

    def _begin(self, story: Story, entries: tuple[Entry, ...]) -> None:
        """Save a new call, and let it run."""
        line = Line(story, self.ports)
        line.seeing = self.connected
        line.become(None, *entries)
        self.lines[line.id] = line
        self._by_channel[story.call.channel] = line.id
        self.lives.start(line, adopted=False)

    def _dialled(self, fact: PhoneDialled) -> None:
        if fact.channel in self._by_channel:
            return
        if self.draining:
            self.errands.hang_up(fact.channel)
            return
        self.desk.take(fact)

    def _take_over(self, line: Line, channel: str) -> None:
        self._by_channel[channel] = line.id

    def _mark(self, secretary: str, said: str) -> None:
        """She pressed a result's key in a conversation: nothing of it depends on that key."""
        try:
            self.results.say(secretary, said)
        except NoResult as none:
            log.info("no result", secretary=secretary, why=str(none))

    def _refuse_loop(self, dialling: Story) -> Leaving:
        """A number that we dial for that call sent it back to us: busy, and its turn is over."""
        found = rung_outside(dialling)
        if found is not None:
            _, leg = found
            self.hearing.tell(dialling.call.id, Looped(leg))
        return Leaving("rejected", HangupKind.BUSY)

    # --- how many there are ---

    @property
    def busy(self) -> int:
        """Calls with somebody on the line. A promise to call back outlives a stop; while it is being kept a
        secretary holds the line."""
        return sum(not line.story.absent or line.story.held for line in self.lines.values())

    async def hang_up_all(self, within: float = 2.0) -> None:
        """End every call, and let the stories write down their ends; what is left after `within` seconds
        is told by the next start."""
        for line in list(self.lines.values()):
            channels: list[str | None] = [line.channel]
            if isinstance(line.story.stage, Promised):
                channels += [line.story.stage.outside, line.story.stage.leg]
            for channel in channels:
                if channel is not None:
                    await quietly(self.ports.telephone.hang_up(channel))
        deadline = self.ports.clock.now() + within
        while self.busy and self.ports.clock.now() < deadline:
            await self.ports.clock.until(self.ports.clock.now() + 0.02)

    def _invite(self, ring: Ring) -> Outbound | None:
        line = self.lines.get(ring.call)
        if line is None or self.configuration is None:
            return None
        return offer_order(self.house, line, ring, note_for(line.story.stage, ring.secretary))
