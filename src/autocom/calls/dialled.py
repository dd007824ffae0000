"""The desk: what the phones of the house ask for, decided where they ask.

A phone that dialled, and a phone that sent a REFER, come here as facts. A call of her own becomes a story like
any other (`Story` with `dialled_by`): first `Reaching`, her channel in the caller's part; once the other side
answers, `Talking`, the other side in the caller's part. Everything that she can do with a caller she can
do with him. Law: opened means saved; what may not be is `Refused`, journalled and spoken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from autocom.calls import picking
from autocom.calls.containment import contained
from autocom.calls.errands import Errands
from autocom.calls.house import House
from autocom.calls.line import Line, Ports
from autocom.calls.notes import Asked, TakenBy
from autocom.calls.outgoing import refusal, shown
from autocom.calls.ports import Gone, TelephoneDown
from autocom.calls.reminders import Reminders
from autocom.core.codes import CallFor, Listen, NextOnList, PickUp, TakeBack, code
from autocom.core.ingress import Identity
from autocom.core.journal import Entry, Json
from autocom.core.model import Client, Contact, HangupKind, Hours
from autocom.core.orders import Order
from autocom.core.reach import may_serve
from autocom.core.reminders import Item
from autocom.core.rooms import closed_to_more
from autocom.core.stages import Call, InRoom, Reaching, Refused, Stage, Talking
from autocom.core.story import Story
from autocom.core.targets import Colleague, Nobody, Outside, Target, ToRoom, ToTeam, target
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
    """`lines`: the open calls by id, the switchboard's own. `open_line` saves a story and starts it."""

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
        self._new_id, self._open = new_id, open_line
        self.new_id, self.begin = new_id, open_line  # for `inviting`
        self.take_over: Callable[[Line, str], None] = lambda _line, _channel: None
        self.reminders: Reminders | None = None
        self.listening: Callable[[str, str], Stage] = lambda _lead, _extension: Refused("unknown")

    # --- a phone dialled

    def take(self, fact: PhoneDialled) -> None:
        """Open the call that she dialled."""
        with contained("dialled call crashed", lambda _: self.errands.hang_up(fact.channel)):
            self._begin(fact)

    def _begin(self, fact: PhoneDialled) -> None:
        """What was dialled, as the first stage of a story."""
        configuration = self.house.in_force
        match code(fact.dialled):
            case CallFor(short, number):
                client = next((c for c in configuration.clients.values() if c.code == short), None)
                if client is None:
                    self.refuse(fact, "no_client")
                    return
                if not may_serve(fact.secretary, client, configuration):
                    self.refuse(fact, picking.ELSEWHERE, client)
                    return
                dialled = target(number, configuration, self.house.plan)
                if isinstance(dialled, Outside):
                    self.call_outside(fact, dialled, client)
                else:
                    self.refuse(fact, dialled.why if isinstance(dialled, Nobody) else "malformed", client)
            case NextOnList(short):
                self._next_on_list(fact, short)
            case Listen(extension):
                self.open(fact, self.listening(fact.secretary, extension), "internal", number=None)
            case PickUp() | TakeBack() as wanted:
                picking.take(self, fact, wanted)
            case None:
                self._call(fact, target(fact.dialled, configuration, self.house.plan))
            case _:
                self.refuse(fact, "unknown")

    def _call(self, fact: PhoneDialled, wanted: Target | Nobody) -> None:
        match wanted:
            case Colleague(secretary) if secretary == fact.secretary:
                self.refuse(fact, "self")
            case Colleague(secretary):
                self.open(
                    fact, reaching_colleague(self.house, secretary, fact.secretary), "internal", number=None
                )
            case Outside():
                self.call_outside(fact, wanted, None)
            case ToRoom(room):
                why = closed_to_more(self.house.stories, room)
                entered = InRoom(room, fact.secretary) if why is None else Refused(why)
                self.open(fact, entered, "internal", number=None)
            case ToTeam() | Nobody():
                self.refuse(fact, wanted.why if isinstance(wanted, Nobody) else "unknown")

    def call_outside(
        self, fact: PhoneDialled, wanted: Outside, client: Client | None, made: Made | None = None
    ) -> None:
        """Call a number, for a client or for the bureau, if that may be (`outgoing.refusal`)."""
        now = self.ports.clock.now()
        why = refusal(self.house, wanted.number, client, fact.secretary, now)
        stage: Stage = reaching(wanted, fact.secretary) if why is None else Refused(why)
        self.open(fact, stage, "out", number=wanted.number, client=client, made=made)

    def _next_on_list(self, fact: PhoneDialled, short: str) -> None:
        """Call whoever is next on a client's list: one, because she asked for him."""
        client = next((c for c in self.house.in_force.clients.values() if c.code == short), None)
        if client is None or self.reminders is None:
            self.refuse(fact, "no_client")
            return
        if not may_serve(fact.secretary, client, self.house.in_force):
            self.refuse(fact, picking.ELSEWHERE, client)
            return
        call = self._new_id()
        item = self.reminders.take(client.id, client.hours.zone, call)
        if isinstance(item, str):
            self.refuse(fact, item, client)
            return
        self.errands.start(self._show(fact.secretary, client, item))
        self.call_outside(fact, Outside(item.number, item.name), client, Made(call, item.id))
        if call not in self.lines:
            self.reminders.ended(call, "rejected")

    async def _show(self, secretary: str, client: Client, item: Item) -> None:
        """Tell her on her phone whom she calls and why; she may have no phone that shows texts."""
        text = " · ".join(part for part in (client.display, item.name, item.note) if part)
        with suppress(Gone, TelephoneDown):
            await self.ports.telephone.tell(secretary, text)

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
        house, now = self.house, self.ports.clock.now()
        bureau = house.in_force.bureau
        whose = client or _bureau_itself(bureau.name, bureau.timezone)
        identity = Identity(whose.id, None, fact.dialled, number, "", anonymous=False)
        call = Call(
            id=self._new_id() if made is None else made.call,
            channel=fact.channel,
            arrived_at=fact.at,
            trunk=None,
            identity=identity,
            client=whose,
            rule="",
            by_rule="rejected",
            by_refusal="rejected",
            config_version=house.version,
            direction=direction,
            dialled_by=fact.secretary,
            dialled=fact.dialled,
            listed=None if made is None else made.item,
        )
        did = shown(call, "client", bureau) if direction == "out" else None
        came: dict[str, Json] = {
            "trunk": None,
            "channel": fact.channel,
            "direction": direction,
            "secretary": fact.secretary,
        }
        who: dict[str, Json] = {
            "client": client.id if client else None,
            "name": whose.name,
            "did": did,
            "caller": number,
            "anonymous": False,
            "forwarded_from": None,
            "forward_reason": None,
            "diversions": [],
            "flags": [],
            "why": [],
            "direction": direction,
            "config_version": house.version,
        }
        dialled: dict[str, Json] = {
            "secretary": fact.secretary,
            "dialled": fact.dialled,
            "direction": direction,
        }
        entries = [
            Entry(fact.at, "arrived", call.id, came),
            Entry(now, "identified", call.id, who),
            Entry(now, "dialled", call.id, dialled),
        ]
        if isinstance(stage, Refused):
            entries.append(
                Entry(
                    now,
                    "call_refused",
                    call.id,
                    {"secretary": fact.secretary, "dialled": fact.dialled, "why": stage.why},
                )
            )
        self._open(Story(call, stage, outside=outside), tuple(entries))

    def refused_before(self, fact: PhoneRefused) -> None:
        """The dialplan itself refused what she dialled, and she heard why: a call for the journal, and no more."""
        house, now, call = self.house.in_force, self.ports.clock.now(), self._new_id()
        about: dict[str, Json] = {"secretary": fact.secretary, "dialled": fact.dialled}
        came: dict[str, Json] = {
            "trunk": None,
            "channel": None,
            "direction": "out",
            "secretary": fact.secretary,
        }
        who: dict[str, Json] = {
            "client": None,
            "name": house.bureau.name,
            "anonymous": False,
            "direction": "out",
            "config_version": house.version,
        }
        self.ports.journal.save(
            [
                Entry(now, "arrived", call, came),
                Entry(now, "identified", call, who),
                Entry(now, "dialled", call, {**about, "direction": "out"}),
                Entry(now, "call_refused", call, {**about, "why": fact.why}),
                Entry(now, "ended", call, {"outcome": "rejected"}),
            ]
        )

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


def reaching(wanted: Outside, by: str) -> Reaching:
    """The stage of a number that a secretary has dialled: she hears it ring."""
    contact = Contact(wanted.name, wanted.number)
    return Reaching((contact,), (), ring_for=RING_OUTSIDE, by=by, ringing=True)


def reaching_colleague(house: House, secretary: str, by: str) -> Reaching:
    """The same of a colleague's extension."""
    known = house.in_force.secretaries[secretary]
    contact = Contact(known.name, known.extension, post=secretary)
    return Reaching((contact,), (), ring_for=RING_COLLEAGUE, by=by, ringing=True)


def _bureau_itself(name: str, zone: str) -> Client:
    """Whose call it is that is no client's."""
    return Client("", name, name[:20], "general", (), Hours(zone, {}), ())
