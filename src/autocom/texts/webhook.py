"""A provider over HTTP: its gateway takes our texts, and it posts what comes to us.

    POST url   Authorization: Bearer …   Idempotency-Key: to…
    {"id": "to…", "from": "+33261912010", "to": "+33639980101", "text": "…"}

How that is done is `autocom.gateway`; a JSON answer may name the text in the field `id`. What comes in is proved by
an HMAC of its bytes or a bearer token before a byte of it is read. Must not know whose a text is. Invariant: whatever
was posted, reading it gives values or `Malformed`, which says what is wrong.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl

from autocom.core.accounts import same
from autocom.core.texts import Arrival, Outgoing, TextProvider
from autocom.gateway import PATIENCE, post
from autocom.lane import plain
from autocom.texts.provider import Receipt

AT_ONCE = 100
"""Texts or receipts in one request."""

_NAME_AT_MOST = 200
_FILES = 20
_DELIVERED = frozenset({"delivered", "delivrd", "read", "ok"})
_FAILED = frozenset(
    {"failed", "undelivered", "undeliv", "expired", "rejected", "rejectd", "deleted", "error"}
)


class Malformed(ValueError):  # noqa: N818 - reads as what it is
    """What was posted is no text and no receipt; the message says why."""


class Webhook:
    """See `provider.Provider`. `patience`: seconds for the whole request."""

    whole = True

    def __init__(self, provider: TextProvider, patience: float = PATIENCE) -> None:
        self._provider, self._patience = provider, patience

    async def run(self) -> None:
        """Nothing beside sending."""

    async def send(self, text: Outgoing, part: int) -> str:  # noqa: ARG002 - it goes as a whole
        """See `Provider`."""
        provider = self._provider
        body = {"id": text.id, "from": text.number, "to": text.to, "text": text.body}
        said = await post(provider.url or "", body, text.id, provider.token, self._patience)
        return _named(said, provider.fields.get("id", "id"))


def _named(said: bytes, path: str) -> str:
    try:
        found = _at(json.loads(said), path)
    except (ValueError, RecursionError):
        return ""
    return plain(found) if isinstance(found, str | int) else ""


# --- what is posted to us ----------------------------------------------------------------------------------


def proved(provider: TextProvider, headers: Mapping[str, str], raw: bytes) -> bool:
    """Whether whoever posts this knows the secret. Compared in constant time."""
    if provider.secret is not None:
        given = headers.get(provider.signature, "").strip().lower().removeprefix("sha256=")
        return same(given, hmac.new(provider.secret.encode(), raw, hashlib.sha256).hexdigest())
    if provider.inbound_token is not None:
        return same(headers.get("Authorization", ""), f"Bearer {provider.inbound_token}")
    return False


@dataclass(frozen=True, slots=True)
class Posted:
    """One object that was posted, and the files beside it (multipart)."""

    fields: Mapping[str, Any]
    files: tuple[bytes, ...] = ()


def posted(content_type: str, raw: bytes) -> list[Posted]:
    """What stands in a body: JSON (one object or a list of them), a form, or multipart. Raises Malformed."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind in ("application/json", ""):
        return _from_json(raw)
    if kind == "application/x-www-form-urlencoded":
        try:
            pairs = parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=200, errors="replace")
        except ValueError as error:
            raise Malformed("no form") from error
        return [Posted(_gathered(pairs))]
    if kind == "multipart/form-data":
        return [_from_multipart(content_type, raw)]
    raise Malformed("a content type that is not understood: send JSON, a form or multipart/form-data")


def _from_json(raw: bytes) -> list[Posted]:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Malformed("no JSON") from error
    objects = found if isinstance(found, list) else [found]
    if not objects or len(objects) > AT_ONCE or not all(isinstance(each, dict) for each in objects):
        raise Malformed(f"a JSON object is expected, or a list of at most {AT_ONCE}")
    return [Posted(each) for each in objects]


def _gathered(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """A name that stands several times has a list."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        known = found.get(name)
        found[name] = value if known is None else [*(known if isinstance(known, list) else [known]), value]
    return found


def _from_multipart(content_type: str, raw: bytes) -> Posted:
    # the standard library's reader of MIME: lenient, never raises, and bytes stay bytes
    head = b"Content-Type: " + content_type.encode("ascii", "replace").replace(b"\n", b" ") + b"\r\n\r\n"
    message = BytesParser(policy=HTTP).parsebytes(head + raw)
    parts = message.get_payload()
    if not isinstance(parts, list):
        raise Malformed("no multipart body")
    pairs: list[tuple[str, str]] = []
    files: list[bytes] = []
    for part in parts[:200]:
        if not isinstance(part, Message):
            continue
        content = part.get_payload(decode=True)
        octets = content if isinstance(content, bytes) else b""
        name = part.get_param("name", header="content-disposition")
        if part.get_filename() is not None:
            files.append(octets)
        elif isinstance(name, str):
            pairs.append((name, octets.decode("utf-8", "replace")))
    return Posted(_gathered(pairs), tuple(files[:_FILES]))


def arrival(provider: TextProvider, item: Posted) -> Arrival:
    """A posted text. Raises Malformed."""
    names = {key: provider.fields.get(key, key) for key in ("id", "from", "to", "text", "media")}
    body = _at(item.fields, names["text"])
    media, inline = _media(_at(item.fields, names["media"]))
    content = (*item.files, *inline)[:_FILES]
    if body is None and not media and not content:
        raise Malformed(f"no `{names['text']}`")
    if body is not None and not isinstance(body, str):
        raise Malformed(f"`{names['text']}` is no text")
    return Arrival(
        provider=provider.id,
        did_text=_word(item.fields, names["to"]),
        sender_text=_word_or_none(item.fields, names["from"]),
        body=body or "",
        message=_word(item.fields, names["id"]),
        media=media,
        content=content,
    )


def receipt(provider: TextProvider, item: Posted) -> Receipt:
    """A posted delivery receipt. Raises Malformed."""
    names = {key: provider.fields.get(key, key) for key in ("message", "status", "error")}
    status = _word(item.fields, names["status"]).lower()
    delivered = True if status in _DELIVERED else False if status in _FAILED else None
    error = _at(item.fields, names["error"])
    why = plain(error) if isinstance(error, str | int) else ""
    return Receipt(plain(_word(item.fields, names["message"])), delivered, why or status)


def _at(fields: Any, path: str) -> Any:
    """The value at `a.b.c`, None where there is none."""
    for step in path.split("."):
        if not isinstance(fields, Mapping):
            return None
        fields = fields.get(step)
    return fields


def _word(fields: Mapping[str, Any], path: str) -> str:
    found = _at(fields, path)
    if isinstance(found, bool) or not isinstance(found, str | int):
        raise Malformed(f"no `{path}`")
    word = str(found).strip()
    if not word or len(word) > _NAME_AT_MOST:
        raise Malformed(f"`{path}` is empty or too long")
    return word


def _word_or_none(fields: Mapping[str, Any], path: str) -> str:
    """Empty where nothing is there: who withholds his number has none."""
    return "" if _at(fields, path) in (None, "") else _word(fields, path)


def _media(found: Any) -> tuple[tuple[str, ...], tuple[bytes, ...]]:
    """Addresses, and what was sent along in base64."""
    addresses: list[str] = []
    inline: list[bytes] = []
    for each in _several(found):
        if isinstance(each, str) and each:
            addresses.append(each)
        elif isinstance(each, Mapping) and isinstance(each.get("url"), str):
            addresses.append(each["url"])
        elif isinstance(each, Mapping) and isinstance(each.get("content"), str):
            try:
                inline.append(base64.b64decode(each["content"], validate=True))
            except (binascii.Error, ValueError) as error:
                raise Malformed("an attachment is no base64") from error
        else:
            raise Malformed("an attachment is an address, or `content` in base64")
    return tuple(addresses), tuple(inline)


def _several(found: Any) -> Iterator[Any]:
    if found is None or found == "":
        return
    yield from (found if isinstance(found, list) else [found])[:_FILES]
