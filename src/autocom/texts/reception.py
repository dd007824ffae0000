"""Takes texts in: whose each is, and what becomes of it until it was shown and its attachments are here.

Decides by `core.texting`, saves, and only then may the other side be told that we have it. Must not know by
which protocol a text came. Invariants: what is handed over twice is one text; an entry names no number of
people outside and no word of theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from autocom.core import texting
from autocom.core.telephony import RawHeaders
from autocom.core.texts import Arrival, Attachment, Incoming, incoming_id
from autocom.lane import plain
from autocom.texts.ledger import Ledger


class Reception:
    """Over one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._unnamed = 0

    def received(
        self,
        arrival: Arrival,
        attachments: Sequence[Attachment] = (),
        *,
        headers: RawHeaders | None = None,
        trunk: str | None = None,
    ) -> Incoming | None:
        """Take a text in; None where it is known already. It is saved when this returns. `attachments`: what came
        with it and is in the store; `headers`, `trunk`: of a SIP MESSAGE."""
        ledger, name = self._ledger, arrival.message
        now = ledger.clock.now()
        if name is None:
            self._unnamed += 1
            name = f"{arrival.session}#{self._unnamed}"
        text, identity = texting.arrived(
            arrival,
            incoming_id(arrival.provider, name),
            now,
            ledger.configuration(),
            ledger.book(),
            ledger.plan,
            headers=headers,
            trunk=trunk,
        )
        if self.knows(arrival) or (arrival.message is None and self._again(arrival, text, now)):
            return None
        text = replace(text, attachments=tuple(attachments))
        entry = ledger.entry(
            "text_received",
            text=text.id,
            client=text.client,
            reference=text.reference,
            provider=text.provider,
            did=text.did,
            attachments=text.pieces,
            flags=list(text.flags),
            why=[word for word in identity.why if text.peer is None or text.peer not in word],
        )
        ledger.put([text], entry)
        return text

    def knows(self, arrival: Arrival) -> bool:
        """Whether a text of this name came before."""
        named = arrival.message
        return named is not None and self._ledger.incoming(incoming_id(arrival.provider, named)) is not None

    def _again(self, arrival: Arrival, new: Incoming, now: float) -> bool:
        return any(
            texting.same_again(arrival, text, now)
            and isinstance(text, Incoming)
            and (text.did, text.peer, text.sender) == (new.did, new.peer, new.sender)
            for text in self._ledger.all()
        )

    def attached(
        self,
        text: str,
        attachments: Sequence[Attachment],
        *,
        lost: int,
        why: str = "",
        pending: tuple[str, ...] = (),
    ) -> None:
        """What became of its attachments: kept, or refused because of `why`. `pending`: still to be fetched."""
        known = self._ledger.incoming(text)
        if known is None:
            return
        now = replace(
            known,
            attachments=(*known.attachments, *attachments),
            media=pending,
            lost=known.lost + lost,
            lost_why="; ".join(dict.fromkeys(each for each in (known.lost_why, plain(why)) if each)),
            kept=False,
        )
        types = [each.type for each in attachments]
        entry = self._ledger.entry(
            "text_attachments", text=text, types=list(types), refused=lost, why=plain(why)
        )
        self._ledger.put([now], entry)

    def fetch_later(self, text: str, pause: float) -> None:
        """Its attachments could not be fetched now."""
        known = self._ledger.incoming(text)
        if known is not None:
            due = self._ledger.clock.now() + pause
            self._ledger.put([replace(known, tries=known.tries + 1, due=due)])

    def shown(self, text: str, secretaries: Sequence[str]) -> None:
        """Their phones were told of it."""
        known = self._ledger.incoming(text)
        fresh = [name for name in secretaries if known is not None and name not in known.shown]
        if known is not None and fresh:
            changed = replace(known, shown=(*known.shown, *fresh), kept=False)
            self._ledger.put([changed], self._ledger.entry("text_shown", text=text, secretaries=list(fresh)))
