"""Puts the parts of a long text together as an SMSC delivers them: one by one, in any order, some twice.

Each part is saved before it is acknowledged, so a crash in the middle loses none. What is not complete after
a while is a text all the same, marked as incomplete. Must not know the protocol's bytes. Invariant: the text
that becomes of the parts has one name however often that is tried, so that it is one text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import structlog

from autocom.core.codec import Codec
from autocom.core.texts import Arrival
from autocom.texts.ledger import Ledger
from autocom.texts.reception import Reception

log = structlog.get_logger()

PART = "textpart:"
COMPLETE_WITHIN = 600.0
"""Seconds for which the missing parts of a text are waited for."""

_LOOK_EVERY = 60.0


@dataclass(frozen=True, slots=True)
class Part:
    """One part: `number` of `total` (from 1) of the text that its sender gave this `group`. `at`: when it came."""

    provider: str
    did_text: str
    sender_text: str
    group: int
    number: int
    total: int
    body: str
    at: float

    @property
    def whose(self) -> tuple[str, str, str, int, int]:
        """Equal for the parts of one text."""
        return self.provider, self.did_text, self.sender_text, self.group, self.total


CODEC = Codec((Part,))


class Segments:
    """Over the rows of one ledger."""

    def __init__(self, ledger: Ledger, reception: Reception) -> None:
        self._ledger, self._reception = ledger, reception
        self._told: set[str] = set()

    def take(self, part: Part) -> None:
        """It is saved when this returns; the text is taken in where it is complete."""
        self._ledger.save_rows({_key(part): CODEC.dump(part)})
        group = [each for each in self._parts(_group(part)) if each.whose == part.whose]
        if {each.number for each in group} >= set(range(1, part.total + 1)):
            self._join(group)

    async def run(self) -> None:
        """Until cancelled: give up waiting for what does not come."""
        while True:
            await self._ledger.clock.until(self._ledger.clock.now() + _LOOK_EVERY)
            self.give_up()

    def give_up(self) -> None:
        """Take in what was waited for long enough."""
        parts = self._parts(PART)
        for whose in {part.whose for part in parts}:
            group = [part for part in parts if part.whose == whose]
            if min(part.at for part in group) + COMPLETE_WITHIN <= self._ledger.clock.now():
                self._join(group)

    def _join(self, group: Iterable[Part]) -> None:
        parts = sorted(group, key=lambda part: part.number)
        first = parts[0]
        complete = len(parts) >= first.total
        began = min(part.at for part in parts)
        arrival = Arrival(
            provider=first.provider,
            did_text=first.did_text,
            sender_text=first.sender_text,
            body=_paired("".join(part.body for part in parts)),
            message=f"{first.sender_text} {first.did_text} {first.group} {first.total} {began}",
            flags=() if complete else ("incomplete",),
        )
        self._reception.received(arrival)
        self._ledger.save_rows({_key(part): None for part in parts})

    def _parts(self, prefix: str) -> list[Part]:
        found, broken = CODEC.rows(Part, prefix, self._ledger.rows(prefix))
        for key in broken:
            if key not in self._told:
                self._told.add(key)
                log.error("part of a text unreadable", key=key)
        return found


def _paired(text: str) -> str:
    """With the halves of an emoji that was cut in two as one character again."""
    return text.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")


def _group(part: Part) -> str:
    """What the keys of the parts of one text begin with."""
    return f"{PART}{part.provider}:{part.sender_text}:{part.did_text}:{part.group}:{part.total}:"


def _key(part: Part) -> str:
    return f"{_group(part)}{part.number}"
