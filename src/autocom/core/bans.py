"""Which addresses are shut out after wrong passwords, for how long, and which never are.

Ten wrong answers to a challenge within a minute shut an address out for an hour, the next time for twice as long.
Senders of UDP can be forged, so spared are all whom it would harm: the operators' networks, this machine, and every
address from which a phone has proved itself in the last month; there, one wrong phone must not silence the others
either. Must not know sockets, files or Asterisk. Invariant: what is kept is bounded, however many addresses try. The
story goes on in `banning`.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from autocom.core.journal import Json

FAILURES: Final = 10
"""Wrong answers within `WINDOW` seconds that shut an address out."""
WINDOW: Final = 60.0
FIRST: Final = 3600.0
"""Seconds of the first ban; each further one is twice as long as the last."""
LONGEST: Final = 7 * 86400.0
FORGIVEN: Final = 30 * 86400.0
"""Seconds after which an old ban, or an old proof, says nothing any more."""
MOST: Final = 1000
"""Bans, and known addresses, that are kept; the oldest make room. Asterisk compares every packet with each."""
WATCHED: Final = 10_000
"""Addresses whose failures are counted at one time."""

ITSELF: Final = ("127.0.0.1/32", "::1/128")


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody answered our challenge from `address`, rightly or not."""

    address: str
    right: bool


@dataclass(frozen=True, slots=True)
class Ban:
    """`source` is an address, or the /64 of an IPv6 one. Instants are UTC epoch seconds; `times`: how often by now."""

    source: str
    since: float
    until: float
    times: int

    def row(self) -> dict[str, Json]:
        """As it is stored."""
        return {"source": self.source, "since": self.since, "until": self.until, "times": self.times}


def source_of(address: str) -> str | None:
    """By what an address is counted: itself, an IPv6 one by its /64 (whoever has one has them all). None: no address."""
    try:
        found = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            return str(ipaddress.ip_network((int(found), 64), strict=False))
        found = found.ipv4_mapped
    return str(found)


def is_in(source: str, networks: Iterable[str]) -> bool:
    """Whether an address or a /64 meets one of these networks."""
    mine = ipaddress.ip_network(source, strict=False)
    for each in networks:
        other = ipaddress.ip_network(each, strict=False)
        if mine.version == other.version and mine.overlaps(other):
            return True
    return False


def stored_ban(row: Json) -> Ban | None:
    """A stored row read back; None for what is none: a stranger's hand in the log opens or shuts no door."""
    if not isinstance(row, Mapping):
        return None
    source, since, until, times = (row.get(name) for name in ("source", "since", "until", "times"))
    if (
        isinstance(source, str)
        and isinstance(since, int | float)
        and isinstance(until, int | float)
        and isinstance(times, int)
        and _is_network(source)
    ):
        return Ban(source, since, until, times)
    return None


def _is_network(source: str) -> bool:
    try:
        ipaddress.ip_network(source)
    except ValueError:
        return False
    return True


@dataclass(slots=True)
class Watch:
    """What is known of every address. One writer; time is an argument."""

    bans: OrderedDict[str, Ban] = field(default_factory=OrderedDict)
    """By source, the oldest first; also those that are over, for as long as they make the next one longer."""
    known: OrderedDict[str, float] = field(default_factory=OrderedDict)
    """When a phone last proved itself from there."""
    _failures: OrderedDict[str, list[float]] = field(default_factory=OrderedDict)

    def proved(self, source: str, at: float) -> None:
        """A phone there knows its password: what went wrong before was a mistake."""
        self.known[source] = at
        self.known.move_to_end(source)
        self._failures.pop(source, None)
        while len(self.known) > MOST:
            self.known.popitem(last=False)

    def failed(self, source: str, at: float, spared: Iterable[str] = ()) -> Ban | None:
        """A wrong answer; the ban that follows from it, now in force. `spared`: networks never shut out."""
        if self.is_banned(source, at) or self.is_spared(source, at, spared):
            return None
        recent = [each for each in self._failures.pop(source, []) if at - each < WINDOW]
        recent.append(at)
        if len(recent) < FAILURES:
            self._failures[source] = recent
            while len(self._failures) > WATCHED:
                self._failures.popitem(last=False)
            return None
        return self._ban(source, at)

    def is_spared(self, source: str, at: float, networks: Iterable[str] = ()) -> bool:
        """Whether nothing from there leads to a ban."""
        seen = self.known.get(source)
        return (seen is not None and at - seen < FORGIVEN) or is_in(source, (*ITSELF, *networks))

    def is_banned(self, source: str, at: float) -> bool:
        """Whether it is shut out now."""
        ban = self.bans.get(source)
        return ban is not None and at < ban.until

    def in_force(self, at: float, spared: Iterable[str] = ()) -> list[Ban]:
        """Who is shut out now; never one of the networks that a new configuration made an operator's."""
        networks = tuple(spared)
        return [
            ban
            for ban in self.bans.values()
            if at < ban.until and not is_in(ban.source, (*ITSELF, *networks))
        ]

    def next_end(self, at: float) -> float | None:
        """When the next one is let in again."""
        return min((ban.until for ban in self.bans.values() if at < ban.until), default=None)

    def clear(self, source: str) -> Ban | None:
        """Let it in, and forget it; the ban that was, in force or over."""
        self._failures.pop(source, None)
        return self.bans.pop(source, None)

    def forget(self, at: float) -> list[str]:
        """Drop what says nothing any more; the sources of the bans that went."""
        old = [source for source, ban in self.bans.items() if at - ban.until > FORGIVEN]
        gone = set(old)
        left = [source for source in self.bans if source not in gone]
        old += left[: max(0, len(left) - MOST)]
        for source in old:
            del self.bans[source]
        for source in [source for source, seen in self.known.items() if at - seen > FORGIVEN]:
            del self.known[source]
        return old

    def _ban(self, source: str, at: float) -> Ban:
        before = self.bans.pop(source, None)
        times = 1 if before is None or at - before.until > FORGIVEN else before.times + 1
        # 2 ** 10 hours are more than the longest ban: the power stays small however often it happens
        ban = Ban(source, at, at + min(LONGEST, FIRST * 2 ** min(times - 1, 10)), times)
        self.bans[source] = ban
        return ban
