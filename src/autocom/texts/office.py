"""What programs and people ask of texts: what a provider posts, sending one, reading what came.

Answers in the words of the API; who may ask is the door's matter, except that a provider proves itself by
its own secret. Reading a text is written down with who read it. Must not know HTTP's server. Invariants: a
provider is told "taken" only once the text is saved; a list shows no content, and of discreet clients no
number either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import structlog

from autocom.core import texting
from autocom.core.journal import Json
from autocom.core.texts import Arrival, Attachment, Incoming, Outgoing, TextProvider, outgoing_id
from autocom.lane import plain
from autocom.texts import webhook
from autocom.texts.provider import Receipt
from autocom.texts.room import TextRoom
from autocom.texts.shelf import MOST, Unwanted

log = structlog.get_logger()

_SENDABLE = 20_000
_NO_CONTENT = ("body", "attachments", "author")
WHY = {
    "empty": "the text is empty",
    "too_long": f"the text takes more than {texting.MOST_PARTS} SMS",
    "no_number": "`to` is no telephone number",
    "emergency": "an emergency number is never written to",
    "premium": "this is a premium number",
    "satellite": "this number is barred",
    "international": "texts to this country are not allowed (`outgoing: {international: …}` of the bureau or the client)",
    "loop": "this is a number of this bureau",
    "no_provider": "no provider sends texts: see `texts.providers` in bureau.yaml",
    "client_limit": "the client's texts of this hour are used up (`texts.limits`)",
    "secretary_limit": "her texts of this hour are used up (`texts.limits`)",
    "not_hers": "this secretary's teams do not serve the client",
    "unknown": "there is no such client",
}


class TextOffice:
    """Over one room. `new_key` names a text that its sender gave no name."""

    def __init__(self, room: TextRoom, new_key: Callable[[], str]) -> None:
        self._room, self._new_key = room, new_key

    # --- providers ---

    async def posted(
        self, name: str, what: str, headers: Mapping[str, str], raw: bytes
    ) -> tuple[int, dict[str, Json]]:
        """`what`: texts or receipts. The status and the answer for the provider."""
        provider = self._room.ledger.configuration().texts.providers.get(name)
        if provider is None or provider.kind != "webhook":
            return 404, {"error": "there is no such provider"}
        if not webhook.proved(provider, headers, raw):
            log.warning("a text was posted without proof", provider=name)
            return 401, {"error": "the signature or token is wrong"}
        try:
            items = webhook.posted(headers.get("Content-Type", ""), raw)
            if what == "receipts":
                return 200, {"taken": self._receipts(provider, items)}
            arrivals = [webhook.arrival(provider, item) for item in items]
        except webhook.Malformed as why:
            return 400, {"error": str(why)}
        try:
            taken: list[Json] = [await self._take(arrival) for arrival in arrivals]
        except OSError as error:
            log.error("attachments cannot be kept", why=str(error))
            return 503, {"error": "attachments cannot be kept now: try again"}
        return 200, {"taken": taken}

    def _receipts(self, provider: TextProvider, items: list[webhook.Posted]) -> int:
        receipts = [webhook.receipt(provider, item) for item in items]
        known = 0
        for each in receipts:
            # a gateway that names nothing in its answers reports by our own name
            ours = self._room.ledger.outgoing(each.part)
            part = ours.parts[0] if ours is not None and ours.parts else each.part
            found = Receipt(part, each.delivered, each.error)
            known += self._room.despatch.receipt(provider.id, found)
        return known

    async def _take(self, arrival: Arrival) -> str | None:
        """The text's id; None where it came before."""
        if self._room.reception.knows(arrival):
            return None
        kept: list[Attachment] = []
        refused: list[str] = []
        for content in arrival.content[:MOST]:
            try:
                kept.append(await asyncio.to_thread(self._room.shelf.put, content))
            except Unwanted as why:
                refused.append(str(why))
        text = self._room.reception.received(arrival, kept)
        if text is None:
            return None
        lost = len(arrival.content) - len(kept)
        if lost:
            because = "; ".join(dict.fromkeys(refused)) or f"more than {MOST}"
            self._room.reception.attached(text.id, (), lost=lost, why=because, pending=text.media)
        return text.id

    # --- people and programs ---

    def send(self, wish: Mapping[str, Any]) -> dict[str, Json]:
        """Take in a text to be sent: `client` (none: for the bureau), `to` or `answer` (a reference), `text`, and
        `secretary`, `author`, `id`. LookupError and ValueError say what is wrong."""
        client, text = _optional(wish, "client"), _optional(wish, "text")
        author = plain(_optional(wish, "author") or "api")[:80]
        if text is None:
            raise ValueError("`text` is missing")
        if len(text) > _SENDABLE:
            raise ValueError(WHY["too_long"])
        answered = self._answered(_optional(wish, "answer"))
        if answered is not None:
            client = answered.client
        to = answered.peer if answered is not None else _optional(wish, "to")
        if not to:
            raise ValueError("the sender of this text has no number" if answered else "`to` is missing")
        secretary = _optional(wish, "secretary")
        if secretary is not None and secretary not in self._room.ledger.configuration().secretaries:
            raise LookupError(f"there is no secretary {secretary!r}")
        name = outgoing_id(f"api:{author}", _optional(wish, "id") or self._new_key())
        made = self._room.despatch.send(
            texting.Wish(name, client, to, text, secretary=secretary, author=author, answers=answered)
        )
        if isinstance(made, Outgoing):
            return _listed(self._room.library.told(made))
        if made == "unknown":
            raise LookupError(f"there is no client {client!r}")
        raise ValueError(WHY[made])

    def _answered(self, reference: str | None) -> Incoming | None:
        if reference is None:
            return None
        wanted = reference.strip().upper()
        texts = [t for t in self._room.ledger.all() if isinstance(t, Incoming) and t.reference == wanted]
        if not texts:
            raise LookupError(f"no text {reference!r} came in the last days: write to its number")
        return texts[-1]

    async def listed(self, client: str | None, limit: int) -> list[dict[str, Json]]:
        """The newest texts without their content."""
        rows = {str(row["id"]): row for row in await self._room.library.listed(client, limit)}
        known = [text for text in self._room.ledger.all() if client in (None, text.client)]
        rows |= {text.id: self._room.library.told(text) for text in known[-limit:]}
        newest = sorted(rows.values(), key=lambda row: (str(row["at"]), str(row["id"])), reverse=True)
        return [_listed(row) for row in newest[:limit]]

    async def read(self, wanted: str, reader: str) -> dict[str, Json]:
        """One text with its content, by reference or id. Who read it is written down. LookupError."""
        row = await self._one(wanted)
        self._was_read(row, reader)
        return row

    def _was_read(self, row: Mapping[str, Json], reader: str, **what: Json) -> None:
        named = {"text": row["id"], "reference": row["reference"], "reader": plain(reader)[:80]}
        self._room.ledger.put([], self._room.ledger.entry("text_read", **named, **what))

    async def attachment(self, wanted: str, number: int, reader: str) -> tuple[Path, str]:
        """The file of a text's attachment (from 1), and its type. Who read it is written down. LookupError."""
        row = await self._one(wanted)
        attachments = row["attachments"]
        if isinstance(attachments, list) and 1 <= number <= len(attachments):
            found = attachments[number - 1]
            assert isinstance(found, dict)
            path = self._room.shelf.path(str(found["digest"]))
            if path.is_file():
                self._was_read(row, reader, attachment=number)
                return path, str(found["type"])
        raise LookupError(f"text {wanted} has no attachment {number}")

    async def _one(self, wanted: str) -> dict[str, Json]:
        name = wanted.strip()
        rows = {str(row["id"]): row for row in await self._room.library.found(name)}
        if not rows:
            rows = {str(row["id"]): row for row in await self._room.library.found(name.upper())}
        for text in self._room.ledger.all():
            if name == text.id or name.upper() == text.reference:
                rows[text.id] = self._room.library.told(text)
        if len(rows) > 1:
            raise LookupError(f"several texts have the reference {name}: {', '.join(sorted(rows))}")
        if not rows:
            raise LookupError(f"there is no text {name!r}")
        return next(iter(rows.values()))


def _listed(row: Mapping[str, Json]) -> dict[str, Json]:
    attachments = row.get("attachments")
    shown = {key: value for key, value in row.items() if key not in _NO_CONTENT}
    if row.get("discreet"):
        shown |= {"peer": None, "sender": None}
    return shown | {"attachments": len(attachments) if isinstance(attachments, list) else 0}


def _optional(wish: Mapping[str, Any], key: str) -> str | None:
    value = wish.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ValueError(f"`{key}` is no text")  # noqa: TRY004 - the API reports ValueError
    return value
