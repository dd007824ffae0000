"""Texts (SIP MESSAGE) that Asterisk took, read from where `dialplan/record_text.py` wrote them.

A phone's From is its secretary's id, since she was identified by it and proved it by digest (`conf.pjsip`);
an operator's is whatever he wrote. Must not know what becomes of them. Invariant: a text that is shown again after a
crash has the same name (`spool_folder`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autocom.asterisk import spool_folder
from autocom.core.sip import parse_address
from autocom.core.telephony import RawHeaders
from autocom.core.texts import Spooled


def read(spool: Path) -> list[Spooled]:
    """Every text found, oldest first."""
    return spool_folder.read(spool, _text)


def forget(spool: Path, text: Spooled) -> None:
    """Remove its file, once it is saved elsewhere."""
    spool_folder.forget(spool, text.name)


def put_aside(spool: Path, text: Spooled) -> None:
    """Leave it for a person to see: nobody reads it again."""
    spool_folder.put_aside(spool, text.name)


def _text(name: str, record: dict[str, Any]) -> Spooled:
    def word(key: str) -> str:
        return str(record[key])

    others = record["headers"]
    if not isinstance(others, dict):
        raise TypeError("headers")
    kind, body = word("kind"), word("body")
    if kind not in ("phone", "trunk"):
        raise ValueError("neither of a phone nor of a trunk")
    sender = parse_address(word("from")).uri.user
    headers = RawHeaders(
        request_user=word("extension"),
        from_=word("from"),
        to=word("to"),
        p_asserted_identity=word("p_asserted_identity"),
        privacy=word("privacy"),
        p_called_party_id=word("p_called_party_id"),
    )
    length = word("content_length").strip()
    expected = int(length) if length.isascii() and length.isdigit() else len(body)
    return Spooled(
        name=name,
        secretary=sender if kind == "phone" else None,
        headers=headers,
        address=word("address"),
        body=body,
        others={str(key): str(value) for key, value in others.items()},
        complete=bool(body) or expected == 0,
    )
