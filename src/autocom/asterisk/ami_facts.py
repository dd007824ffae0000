"""AMI's events as facts about phones: who can be reached, who is in a call of her own.

A `PhoneBook` holds the contacts and channels of every secretary's endpoints as AMI tells them; it
answers with the facts that changed. `lea` and `lea@web` are both Léa's; endpoints of trunks are
nobody's phone, and channels whose id begins with `ring-` are our own offers, which the stories know
better. It knows no sockets.
Invariant: contacts and channels are sets, so events may come twice or before the inventory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from autocom.core.naming import call_of_outside
from autocom.core.telephony import (
    CallRefused,
    Fact,
    LegQuality,
    PhoneInUse,
    PhoneRefused,
    PhoneRegistered,
    RawHeaders,
)

TRUNK = "trunk-"
WEB = "@web"  # behind a secretary's id: her endpoint for phones in a browser
OUR_OFFER = "ring-"
NO_ROOM = "42"  # Q.850: switching equipment congestion
UNKNOWN = "<unknown>"
# NonQualified: registered, and nobody asks her phone whether it is still there
ABSENT = frozenset({"Unreachable", "Removed", "Unavailable"})

_WEB_SOCKET = re.compile(r"transport=wss?\b", re.IGNORECASE)
_NOT_DIGITS = re.compile(r"[^0-9]")
_LONGEST_ROUND_TRIP = 60.0  # seconds

Event = Mapping[str, str]


@dataclass(slots=True)
class PhoneBook:
    """What is known of every phone."""

    _contacts: dict[str, set[str]] = field(default_factory=dict)
    _channels: dict[str, set[str]] = field(default_factory=dict)
    _told: dict[str, tuple[bool, bool]] = field(default_factory=dict)
    _moved: set[str] = field(default_factory=set)
    trunks: dict[str, str] = field(
        default_factory=dict
    )  # the state of each trunk's contact, as Asterisk calls it

    def inventory(
        self, endpoints: Iterable[Event], contacts: Iterable[Event], channels: Iterable[Event]
    ) -> None:
        """Everything anew, from EndpointList, ContactList and CoreShowChannel events."""
        owners = {_owner(event.get("ObjectName", "")) for event in endpoints} - {None}
        before, moved = self._contacts, set(self._moved)
        self._contacts = {owner: set() for owner in owners if owner}
        self._channels = {owner: set() for owner in owners if owner}
        for event in contacts:
            self._contact(event.get("Endpoint", ""), event.get("Uri", ""), event.get("Status", ""))
        # what was known is no news because it is told again
        self._moved = moved | {who for who, uris in self._contacts.items() if uris - before.get(who, set())}
        for event in channels:
            self._channel(event, there=True)

    def forget_told(self) -> None:
        """The next `facts` are complete: the connection is new, and its reader may be too."""
        self._told.clear()

    def on(self, event: Event) -> str | None:
        """Take in an event; the secretary whose phone it is about, None where nobody's."""
        match event.get("Event"):
            case "ContactStatus":
                name = event.get("EndpointName") or event.get("AOR", "")
                return self._contact(name, event.get("URI", ""), event.get("ContactStatus", ""))
            case "Newchannel":
                return self._channel(event, there=True)
            case "Hangup":
                return self._channel(event, there=False)
            case _:
                return None

    def reachable(self, secretary: str) -> bool:
        """Whether any phone of hers is."""
        return bool(self._contacts.get(secretary))

    def in_browser(self, secretary: str) -> bool:
        """Whether her phone registered over a web socket and has to be rung at that endpoint."""
        return any(_WEB_SOCKET.search(uri) for uri in self._contacts.get(secretary, ()))

    def facts(self, secretary: str) -> list[Fact]:
        """What has to be told about her now."""
        before = self._told.get(secretary)
        now = (self.reachable(secretary), bool(self._channels.get(secretary)))
        self._told[secretary] = now
        out: list[Fact] = []
        if before is None or before[0] != now[0]:
            out.append(PhoneRegistered(secretary, reachable=now[0]))
        elif now[0] and secretary in self._moved:
            out.append(PhoneRegistered(secretary, reachable=True, moved=True))
        self._moved.discard(secretary)
        if before is None or before[1] != now[1]:
            out.append(PhoneInUse(secretary, in_use=now[1]))
        return out

    def secretaries(self) -> list[str]:
        """Every phone that Asterisk or we have heard of."""
        return sorted({*self._contacts, *self._channels, *self._told})

    def _contact(self, endpoint: str, uri: str, status: str) -> str | None:
        owner = _owner(endpoint)
        if endpoint.startswith(TRUNK) and uri:
            # the list says Unavailable where the event says Unreachable (22.10)
            self.trunks[endpoint.removeprefix(TRUNK)] = "Unreachable" if status in ABSENT else status
        if owner is None or not uri:
            return None
        known = self._contacts.setdefault(owner, set())
        if status in ABSENT:
            known.discard(uri)
        else:
            if uri not in known:
                self._moved.add(owner)
            known.add(uri)
        return owner

    def _channel(self, event: Event, *, there: bool) -> str | None:
        technology, _, rest = event.get("Channel", "").partition("/")
        owner, unique = _owner(rest.rpartition("-")[0]), event.get("Uniqueid", "")
        if technology != "PJSIP" or owner is None or unique.startswith(OUR_OFFER):
            return None
        known = self._channels.setdefault(owner, set())
        if there:
            known.add(unique)
        else:
            known.discard(unique)
        return owner


def _owner(endpoint: str) -> str | None:
    return None if endpoint.startswith(TRUNK) else endpoint.removesuffix(WEB) or None


def refused(event: Event) -> PhoneRefused | None:
    """What the dialplan says of an emergency number that a phone dialled; None for other events."""
    if event.get("Event") != "UserEvent" or event.get("UserEvent") != "AutocomEmergencyRefused":
        return None
    secretary = _owner(event.get("Secretary", ""))
    return PhoneRefused(secretary, _NOT_DIGITS.sub("", event.get("Dialled", ""))[:16]) if secretary else None


def turned_away(event: Event) -> CallRefused | None:
    """A caller whom Asterisk refused at `maxcalls` (22.10: its channel ends before the dialplan's first step); None for
    other events, and for what we or the dialplan dial there, which an operator may refuse with the same cause."""
    if event.get("Event") != "Hangup" or event.get("Cause") != NO_ROOM or event.get("Priority") != "1":
        return None
    channel = event.get("Uniqueid", "")
    if call_of_outside(channel) or event.get("Linkedid", channel) != channel:
        return None
    endpoint = event.get("Channel", "").removeprefix("PJSIP/").rpartition("-")[0]
    if not endpoint.startswith(TRUNK):
        return None
    number, name = (event.get(field, "") for field in ("CallerIDNum", "CallerIDName"))
    headers = RawHeaders(
        request_user=event.get("Exten", ""),
        caller_number="" if number == UNKNOWN else number,
        caller_name="" if name == UNKNOWN else name,
    )
    return CallRefused(channel, endpoint.removeprefix(TRUNK), headers)


def quality(event: Event) -> LegQuality | None:
    """The figures of a leg that ends, from its VarSet of RTPAUDIOQOS; None for other events.

    Chosen over ARI's rtp_statistics: it comes for both legs whoever hangs up, costs no request, and
    Asterisk keeps no statistics of a channel that is gone."""
    if event.get("Event") != "VarSet" or event.get("Variable") != "RTPAUDIOQOS":
        return None
    pairs = dict(part.partition("=")[::2] for part in event.get("Value", "").split(";"))
    try:
        received, lost = int(pairs["rxcount"]), int(pairs["lp"])
        return LegQuality(
            channel=event["Uniqueid"],
            sent=int(pairs["txcount"]),
            received=received,
            lost_percent=round(100 * lost / (received + lost), 2) if received + lost > 0 else None,
            # 22.10 calls what it measured itself `tx` (it goes out in its reports); seconds
            jitter_ms=round(float(pairs["txjitter"]) * 1000, 2),
            round_trip_ms=_round_trip(float(pairs["rtt"])),
        )
    except (KeyError, ValueError):
        return None


def _round_trip(seconds: float) -> float | None:
    """0 is no report that came back. A report that seems to come before its question (clocks of 1/65536 s)
    is told by 22.10 as nearly 65536 seconds."""
    return round(seconds * 1000, 2) or None if seconds < _LONGEST_ROUND_TRIP else None
