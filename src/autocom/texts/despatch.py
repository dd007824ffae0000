"""Takes in what is to be sent, and what became of it: handed over, delivered, failed.

Decides by `core.texting`, saves, then the lanes find their part. Must not know providers' protocols.
Invariants: a wish that is uttered twice is one text; a part that was handed over is not handed over again
once that is saved; an entry names no number of people outside and no word.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

from autocom.core import texting
from autocom.core.journal import Entry
from autocom.core.texts import Outgoing, Text
from autocom.lane import plain
from autocom.texts.ledger import Ledger
from autocom.texts.parts import cut
from autocom.texts.provider import Receipt

PATIENCE = 86400.0
"""Seconds after which a text is given up: a day later it says what is no longer true."""

_EARLY = 1000


class Despatch:
    """Over one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        # a receipt may overtake the answer to the message that it is about
        self._early: OrderedDict[tuple[str, str], Receipt] = OrderedDict()

    def send(self, wish: texting.Wish) -> Outgoing | texting.Refusal:
        """Take in a text to be sent, or say why it is not. One that was taken before is given as it is."""
        ledger = self._ledger
        known = ledger.outgoing(wish.id)
        if known is not None:
            return known
        wish = replace(wish, parts=len(cut(texting.body_of(wish.body)).parts))
        now = ledger.clock.now()
        made = texting.outgoing(wish, ledger.configuration(), ledger.all(), now, ledger.plan)
        client, secretary, author = wish.client, wish.secretary, wish.author
        if not isinstance(made, Outgoing):
            ledger.put(
                [], ledger.entry("text_refused", client=client, secretary=secretary, author=author, why=made)
            )
            return made
        changed: list[Text] = [made]
        answered = ledger.incoming(wish.answers.id) if wish.answers is not None else None
        if answered is not None and answered.answered is None and secretary is not None:
            changed.append(replace(answered, answered=secretary, kept=False))
        entry = ledger.entry(
            "text_queued",
            text=made.id,
            client=client,
            secretary=secretary,
            author=author,
            reference=made.reference,
            provider=made.provider,
            number=made.number,
            parts=made.wanted,
            answers=made.answers,
        )
        ledger.put(changed, entry)
        return made

    def queued(self, provider: str) -> list[Outgoing]:
        """What this provider has to send; behind the others what failed more often."""
        found = [text for text in self._ledger.busy() if isinstance(text, Outgoing)]
        mine = [text for text in found if text.state == "queued" and text.provider == provider]
        return sorted(mine, key=lambda text: text.tries)

    def reroute(self) -> None:
        """Texts whose provider is gone from the configuration, or sends no more, go by another one; with none there
        they wait, and are given up like any other."""
        ledger = self._ledger
        configuration, now = ledger.configuration(), ledger.clock.now()
        sending = {each.id for each in configuration.texts.providers.values() if each.sends}
        for text in ledger.busy():
            if not isinstance(text, Outgoing) or text.state != "queued" or text.provider in sending:
                continue
            client = configuration.clients.get(text.client or "")
            other = texting.provider_for(configuration, client)
            if other is not None and not text.parts:
                ledger.put([replace(text, provider=other, due=now, kept=False)])
            elif now - text.at >= PATIENCE:
                self.give_up(text.id, "its provider is no longer in bureau.yaml")

    def handed(self, text: str, part: str, *, whole: bool) -> bool:
        """The provider took the next part, or all of it, and calls it so. Whether it is to get a further one."""
        known = self._ledger.outgoing(text)
        if known is None:
            return False
        now = self._ledger.clock.now()
        parts = (*known.parts, part or f"{known.id}-{len(known.parts) + 1}")
        changed = replace(known, parts=parts, wanted=1 if whole else known.wanted, kept=False)
        entries: list[Entry] = []
        # a receipt may have said meanwhile that a part before this one failed, and with it the text
        if known.state == "queued":
            changed = replace(changed, error="")
        if known.state == "queued" and len(parts) >= changed.wanted:
            changed = replace(changed, state="sent", since=now)
            entries.append(
                self._ledger.entry(
                    "text_sent",
                    text=text,
                    provider=known.provider,
                    parts=known.wanted,
                    tries=known.tries + 1,
                )
            )
        early = self._early.pop((known.provider, parts[-1]), None)
        if early is not None and early.delivered is not None:
            changed, more = self._after(changed, early)
            entries += more
        self._ledger.put([changed], *entries)
        return changed.state == "queued"

    def again(self, text: str, why: str, pause: float) -> None:
        """It was not taken, and is tried again. The first failure is written down."""
        known = self._queued(text)
        if known is not None:
            due = self._ledger.clock.now() + pause
            later = replace(known, tries=known.tries + 1, due=due, error=plain(why), kept=False)
            self._ledger.put([later], *(() if known.tries else (self._failed(known, why, final=False),)))

    def give_up(self, text: str, why: str) -> None:
        """It will never be taken."""
        known = self._queued(text)
        if known is not None:
            now = self._ledger.clock.now()
            lost = replace(known, state="failed", since=now, error=plain(why), kept=False)
            self._ledger.put([lost], self._failed(known, why, final=True))

    def _queued(self, text: str) -> Outgoing | None:
        """As it is now, while anything is to be done for it: a receipt may have ended that."""
        known = self._ledger.outgoing(text)
        return known if known is not None and known.state == "queued" else None

    def receipt(self, provider: str, receipt: Receipt) -> bool:
        """What became of a part. False where no text is known that has it."""
        if receipt.delivered is None:
            return True
        known = self._ledger.with_part(provider, receipt.part)
        if known is not None:
            if receipt.part not in known.receipts:
                changed, entries = self._after(known, receipt)
                self._ledger.put([changed], *entries)
            return True
        self._early[provider, receipt.part] = receipt
        while len(self._early) > _EARLY:
            self._early.popitem(last=False)
        return False

    def _after(self, text: Outgoing, receipt: Receipt) -> tuple[Outgoing, list[Entry]]:
        now = self._ledger.clock.now()
        changed = texting.receipted(text, receipt.part, delivered=bool(receipt.delivered), now=now)
        if changed.state == text.state:
            return changed, []
        if changed.state == "failed":
            changed = replace(changed, error=plain(receipt.error))
            return changed, [self._failed(changed, changed.error, final=True)]
        return changed, [self._ledger.entry("text_delivered", text=text.id, provider=text.provider)]

    def _failed(self, text: Outgoing, why: str, *, final: bool) -> Entry:
        return self._ledger.entry(
            "text_failed", text=text.id, provider=text.provider, error=plain(why), final=final
        )
