"""Texts (SIP MESSAGE) that Asterisk took, read from where `dialplan/record_text.py` wrote them.

A phone's From is its secretary's id, since she was identified by it and proved it by digest (`conf.pjsip`);
an operator's is whatever he wrote. Must not know what becomes of them. Invariant: a file is removed only by
`forget`, after the reader has saved the text, so a crash in between shows it again, under the same name.
"""

from __future__ import annotations

import json
from pathlib import Path

import structlog

from autocom.core.sip import parse_address
from autocom.core.telephony import RawHeaders
from autocom.core.texts import Spooled

log = structlog.get_logger()

_BIGGEST = 200_000
UNREADABLE = ".unreadable"


def read(spool: Path) -> list[Spooled]:
    """Every text found, oldest first. A file that is none of ours is put aside and logged."""
    found: list[Spooled] = []
    for path in sorted(spool.glob("*.json")):
        try:
            if path.stat().st_size > _BIGGEST:
                raise ValueError("too big")
            found.append(_text(path.stem, json.loads(path.read_text(encoding="utf-8"))))
        except FileNotFoundError:
            continue
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as wrong:
            log.error("text unreadable", file=path.name, why=str(wrong))
            path.replace(path.with_suffix(UNREADABLE))
        except OSError as wrong:
            log.warning("text not read, tried again", file=path.name, why=str(wrong))
    return found


def forget(spool: Path, text: Spooled) -> None:
    """Remove its file, once it is saved elsewhere."""
    (spool / f"{text.name}.json").unlink(missing_ok=True)


def put_aside(spool: Path, text: Spooled) -> None:
    """Leave it for a person to see: nobody reads it again."""
    path = spool / f"{text.name}.json"
    path.replace(path.with_suffix(UNREADABLE))


def _text(name: str, record: dict[str, object]) -> Spooled:
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
