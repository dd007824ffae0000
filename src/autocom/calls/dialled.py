"""The desk: what the phones of the house ask for, decided where they ask.

A phone that dialled, and a phone that sent a REFER, come here as facts. A call of her own becomes a story like
any other (`Story` with `dialled_by`): first `Reaching`, her channel in the caller's part; once the other side
answers, `Talking`, the other side in the caller's part. Everything that she can do with a caller she can
do with him. Law: opened means saved; what may not be is `Refused`, journalled and spoken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from autocom.calls import picking
from autocom.calls.beginning import begun, first_entries
from autocom.calls.containment import contained
from autocom.calls.errands import Errands
from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.notes import Asked, TakenBy
from autocom.calls.outgoing import refusal
from autocom.calls.outside import Ports
from autocom.calls.reminders import Reminders
from autocom.core.codes import (
    CallFor,
    Listen,
    Marks,
    NextOnList,
    PickUp,
    Says,
    SetForward,
    TakeBack,
    code,
)
from autocom.core.journal import Entry
from autocom.core.model import Client, HangupKind
from autocom.core.orders import Order
from autocom.core.reach import may_serve
from autocom.core.rooms import closed_to_more
from autocom.core.stages import InRoom, Reaching, Refused, Stage, Talking
from autocom.core.story import Story
from autocom.core.targets import (
    Colleague,
    Dialled,
    Nobody,
    Outside,
    ToRoom,
    ToTeam,
    by_short_code,
    contact_of,
    target,
)
from autocom.core.telephony import PhoneDialled, PhoneRefused

RING_COLLEAGUE = 30.0
"""Seconds a colleague's phone rings who is called."""
RING_OUTSIDE = 60.0
"""Seconds a number outside rings that a secretary dialled."""

Opener = Callable[[Story, tuple[Entry, ...]], None]


@dataclass(frozen=True, slots=True)
class Made:
    """What a call is made for: its id is known before it is opened, and the item of a list carries it."""

    call: str
    item: str | None = None


class Desk:
    """`lines`: the open calls by id, the switchboard's own. `open_line` saves a story and starts it. `reminders` and
    `listening`, where a lead's `*3201` leads to, are set before anything happens."""

    reminders: Reminders
    listening: Callable[[str, str], Stage]

    def __init__(
        self,
        house: House,
        lines: Mapping[str, Line],
        ports: Ports,
        errands: Errands,
        new_id: Callable[[], str],
        open_line: Opener,
    ) -> None:
        self.house, self.lines, self.ports, self.errands = house, lines, ports, errands
        self.new_id, self._open = new_id, open_line

    # --- a phone dialled

    def take(self, fact: PhoneDialled) -> None:
        """Open the call that she dialled."""
        with contained("dialled call crashed", lambda _: self.errands.hang_up(fact.channel)):
            self._begin(fact)

    def _begin(self, fact: PhoneDialled) -> None:
        """What was dialled, as the first stage of a story."""
        configuration = self.house.in_force
        match code(fact.dialled):
            case CallFor() | NextOnList() as wanted:
                self._for_a_client(fact, wanted)
            case Listen(extension):
                self.open(fact, self.listening(fact.secretary, extension), "internal", number=None)
            case PickUp() | TakeBack() as wanted:
                picking.take(self, fact, wanted)
            case None | Says() | Marks() | SetForward():  # the dialplan asks about these without a call
                self._call(fact, target(fact.dialled, configuration, self.house.plan))
            case _:
                self.refuse(fact, "unknown")

    def _call(self, fact: PhoneDialled, wanted: Dialled) -> None:
        match wanted:
            case Colleague(secretary) if secretary == fact.secretary:
                self.refuse(fact, "self")
            case Colleague():
                self.open(fact, reaching(self.house, wanted, fact.secretary), "internal", number=None)
            case Outside():
                self._call_outside(fact, wanted, None)
            case ToRoom(room):
                why = closed_to_more(self.house.stories, room)
                entered = InRoom(room, fact.secretary) if why is None else Refused(why)
                self.open(fact, entered, "internal", number=None)
            case ToTeam() | Nobody():
                self.refuse(fact, wanted.why if isinstance(wanted, Nobody) else "unknown")

    def _for_a_client(self, fact: PhoneDialled, wanted: CallFor | NextOnList) -> None:
        """In the name of the client whose short code she dialled: a number, or whoever is next on its list."""
        configuration = self.house.in_force
        client = by_short_code(wanted.code, configuration)
        if client is None:
            self.refuse(fact, "no_client")
        elif not may_serve(fact.secretary, client, configuration):
            self.refuse(fact, picking.ELSEWHERE, client)
        elif isinstance(wanted, NextOnList):
            self._next_on_list(fact, client)
        else:
            dialled = target(wanted.number, configuration, self.house.plan)
            if isinstance(dialled, Outside):
                self._call_outside(fact, dialled, client)
            else:
                self.refuse(fact, dialled.why if isinstance(dialled, Nobody) else "malformed", client)

    def _call_outside(
        self, fact: PhoneDialled, wanted: Outside, client: Client | None, made: Made | None = None
    ) -> None:
        """Call a number, for a client or for the bureau, if that may be (`outgoing.refusal`)."""
        now = self.ports.clock.now()
        why = refusal(self.house, wanted.number, client, fact.secretary, now)
        stage = reaching(self.house, wanted, fact.secretary) if why is None else Refused(why)
        self.open(fact, stage, "out", number=wanted.number, client=client, made=made)

    def _next_on_list(self, fact: PhoneDialled, client: Client) -> None:
        """Call whoever is next on a client's list: one, because she asked for him. Her phone shows why."""
        call = self.new_id()
        item = self.reminders.take(client.id, client.hours.zone, call)
        if isinstance(item, str):
            self.refuse(fact, item, client)
            return
        text = " · ".join(part for part in (client.display, item.name, item.note) if part)
        self.house.text(fact.secretary, text)
        self._call_outside(fact, Outside(item.number, item.name), client, Made(call, item.id))

    def turn_away(self, taken: TakenBy, why: str) -> None:
        """She dialled for a caller who is not to be had any more: she hears why."""
        fact = PhoneDialled(taken.leg, self.ports.clock.now(), taken.secretary, taken.dialled)
        with contained("refusal crashed", lambda _: self.errands.hang_up(taken.leg)):
            self.refuse(fact, why)

    def refuse(self, fact: PhoneDialled, why: str, client: Client | None = None) -> None:
        """Tell her why not."""
        kind = HangupKind.BUSY if why == "self" else HangupKind.REJECT
        outside = client is not None or fact.dialled.startswith(("0", "+"))
        direction = "out" if outside else "internal"
        self.open(fact, Refused(why, kind), direction, number=None, client=client)

    def open(
        self,
        fact: PhoneDialled,
        stage: Stage,
        direction: str,
        *,
        number: str | None,
        client: Client | None = None,
        made: Made | None = None,
        outside: int = 0,
    ) -> None:
        """The story of what she dialled. `client` None: the bureau's own call; `outside`: legs that it began with."""
        made = made or Made(self.new_id())
        configuration = self.house.in_force
        call = begun(fact, made.call, direction, configuration, number=number, client=client, item=made.item)
        self.begin(Story(call, stage, outside=outside))

    def begin(self, story: Story) -> None:
        """Write down a call of the house, and let it run."""
        why = story.stage.why if isinstance(story.stage, Refused) else None
        bureau, now = self.house.in_force.bureau, self.ports.clock.now()
        self._open(story, first_entries(story.call, bureau, now, why))

    def refused_before(self, fact: PhoneRefused) -> None:
        """The dialplan itself refused what she dialled, and she heard why: a call for the journal, and no more."""
        house, now = self.house.in_force, self.ports.clock.now()
        dialled = PhoneDialled("", now, fact.secretary, fact.dialled)
        call = begun(dialled, self.new_id(), "out", house, number=None)
        ended = Entry(now, "ended", call.id, {"outcome": "rejected"})
        self.ports.journal.save([*first_entries(call, house.bureau, now, fact.why), ended])

    def open_made(self, fact: PhoneDialled, stage: Stage, call: str) -> None:
        """A call of hers that a program asked for: her phone rings first."""
        self.open(fact, stage, "internal", number=None, made=Made(call))

    # --- a conversation

    def conversation(self, secretary: str) -> Line | None:
        """The call that she talks in now, in either part of two colleagues; where she is in two (one on hold by her
        phone), the later one."""
        mine = [
            line
            for line in self.lines.values()
            if isinstance(line.story.stage, Talking)
            and secretary in (line.story.stage.secretary, line.story.colleague)
        ]
        return max(mine, key=lambda line: line.story.stage.joined_at or 0.0, default=None)  # type: ignore[union-attr]

    def order(self, secretary: str, order: Order) -> str | None:
        """Give her conversation an order; the call's id, None where she is in none."""
        line = self.conversation(secretary)
        if line is None:
            return None
        line.post(Asked(order, secretary))
        return line.id


def reaching(house: House, wanted: Colleague | Outside, by: str) -> Reaching:
    """The stage of what a secretary has dialled: she hears it ring."""
    ring_for = RING_COLLEAGUE if isinstance(wanted, Colleague) else RING_OUTSIDE
    return Reaching((contact_of(wanted, house.in_force),), (), ring_for=ring_for, by=by, ringing=True)
