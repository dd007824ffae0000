"""A softphone's own transfer button: what a REFER means, and that it may.

Blind (a destination) becomes an order to the conversation, attended (another call of her own) joins the two calls.
Only the phone of the secretary who is in the conversation may ask, and only for calls of her own; a star code is
obeyed where it has a meaning in a conversation (`*5`: park). Whatever is refused leaves her and the caller
together, and her phone is told. Must not carry anything out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from autocom.calls.errands import Errands, fared
from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.merging import Merger
from autocom.calls.notes import Asked
from autocom.calls.outside import Ports
from autocom.calls.ports import Fares
from autocom.core.conversation import why_not
from autocom.core.orders import Park, SendTo
from autocom.core.parking import BUTTON as PARKING
from autocom.core.parking import free_slot
from autocom.core.stages import InRoom, Reaching, Talking
from autocom.core.story import Story
from autocom.core.targets import Colleague, Nobody, Outside, ToRoom, ToTeam, target
from autocom.core.telephony import TransferAsked


class Referring:
    """`lines`: the open calls by id, the switchboard's own."""

    def __init__(
        self, house: House, lines: Mapping[str, Line], ports: Ports, errands: Errands, merger: Merger
    ) -> None:
        self._house, self._lines, self._ports, self._errands = house, lines, ports, errands
        self._merger = merger

    def take(self, fact: TransferAsked) -> None:
        """Her phone wants this; it is told how that fares."""
        asked = self._holder(fact.channel)
        secretary = None if asked is None else _whose(asked.story, fact.channel)
        if asked is None or secretary is None:
            self._refuse(fact)
        elif fact.replaces is not None:
            self._attended(fact, asked, secretary, fact.replaces)
        elif not isinstance(asked.story.stage, Talking):
            self._refuse(fact)
        elif fact.destination == PARKING:
            self._park(fact, asked, asked.story.stage, secretary)
        else:
            self._blind(fact, asked, secretary)

    def _attended(self, fact: TransferAsked, asked: Line, secretary: str, replaces: str) -> None:
        other = self._holder(replaces)
        if other is None or other is asked or _whose(other.story, replaces) != secretary:
            self._refuse(fact)
            return
        self._merger.join(asked, other, secretary, fact.channel)

    def _park(self, fact: TransferAsked, asked: Line, stage: Talking, secretary: str) -> None:
        """Told before it is done: she hears his slot on her line, which her phone ends at the word."""
        order = Park(how="refer")
        if stage.joined_at is None or why_not(stage, order) or free_slot(self._house.stories) is None:
            self._refuse(fact)
            return
        self._tell(fact, Fares.UNDER_WAY, Fares.DONE)
        asked.post(Asked(order, secretary))

    def _blind(self, fact: TransferAsked, asked: Line, secretary: str) -> None:
        match target(fact.destination, self._house.in_force, self._house.plan):
            case Nobody():
                self._refuse(fact)
            case (Colleague() | Outside() | ToTeam() | ToRoom()) as wanted:
                asked.post(Asked(SendTo(wanted, "refer", fact.channel), secretary))
            case unreachable:
                assert_never(unreachable)

    def _holder(self, channel: str) -> Line | None:
        """The call that this phone's channel is part of."""
        return next((line for line in self._lines.values() if _whose(line.story, channel) is not None), None)

    def _tell(self, fact: TransferAsked, *fares: Fares) -> None:
        words = fared(self._ports.telephone, fact.channel, *fares)
        self._errands.start(self._errands.until_done(words))

    def _refuse(self, fact: TransferAsked) -> None:
        self._tell(fact, Fares.REFUSED)


def _whose(story: Story, channel: str) -> str | None:
    """The secretary whose phone this channel is in this call; None where it is nobody's, or a caller's."""
    match story.stage:
        case Talking(secretary=who, leg=leg) if leg == channel:
            return who
        case Talking(joined_at=float()) if story.channel == channel:
            return story.colleague
        case Reaching() if story.dialling and story.call.channel == channel:
            return story.call.dialled_by
        case InRoom(secretary=str() as who) if story.channel == channel:
            return who
        case _:
            return None
