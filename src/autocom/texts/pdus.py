"""The messages of SMPP 3.4 that a transceiver session needs, and how a text is written in them.

The library `smpp34` knows submit_sm and deliver_sm; the few others have a body of at most some strings.
(Its own session is not used: it acknowledges a text before anybody has saved it.) Must not know sockets.
Invariant: whatever bytes a peer sends, reading them gives a value or `Malformed`.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from smpp34 import DeliverSm, SmppError, SubmitSm, Tlv, decode

from autocom.core.texts import Outgoing
from autocom.texts.parts import cut, joined
from autocom.texts.provider import Receipt

HEADER = 16
LARGEST = 70_000  # a message_payload has at most 65,535 bytes

SUBMIT_RESP, DELIVER, DELIVER_RESP = 0x80000004, 0x00000005, 0x80000005
BIND, BIND_RESP = 0x00000009, 0x80000009
UNBIND, UNBIND_RESP = 0x00000006, 0x80000006
ENQUIRE, ENQUIRE_RESP = 0x00000015, 0x80000015
NACK = 0x80000000

OK, SYSTEM_ERROR, INVALID_COMMAND = 0x00, 0x08, 0x03
NOT_NOW_FOR_ANYBODY = frozenset({0x04, 0x05, 0x08, 0x0D, 0x0E, 0x14, 0x58})
"""Not bound, already bound, system error, bind failed, wrong password, queue full, throttled."""
NEVER = frozenset({0x01, 0x02, 0x03, 0x06, 0x07, 0x0A, 0x0B, 0x11, 0x15, 0x33, 0x34, 0x40, 0x43, *range(0x48, 0x56), 0x61, 0x62, *range(0xC0, 0xC5)})  # fmt: skip
"""Statuses that say something about this text: its length, its numbers, its parameters."""

_VERSION = 0x34
_INTERNATIONAL, _ALPHANUMERIC, _ISDN = 1, 5, 1
_UDH, _RECEIPT, _RECEIPT_MASK = 0x40, 0x04, 0x3C
_UCS2 = 8
_PAYLOAD, _RECEIPTED, _MESSAGE_STATE = 0x0424, 0x001E, 0x0427
_SAR_REF, _SAR_TOTAL, _SAR_NUMBER = 0x020C, 0x020E, 0x020F
_DELIVERED = frozenset({2})
_FAILED = frozenset({3, 4, 5, 8})  # expired, deleted, undeliverable, rejected
_WORDS = {"DELIVRD": True, "EXPIRED": False, "DELETED": False, "UNDELIV": False, "REJECTD": False}
_ID = re.compile(r"\bid:\s*([!-~]{1,65})", re.IGNORECASE)
_STAT = re.compile(r"\bstat:\s*([A-Za-z]{1,10})", re.IGNORECASE)


class Malformed(ValueError):  # noqa: N818 - reads as what it is
    """Bytes that are no message of SMPP."""


@dataclass(frozen=True, slots=True)
class Header:
    """What every message begins with."""

    length: int
    command: int
    status: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """A text that the SMSC delivers: one part, or all of it (`total` 1). Numbers as written, with a plus where
    the SMSC says that they are international."""

    did_text: str
    sender_text: str
    body: str
    group: int = 0
    number: int = 1
    total: int = 1
    binary: bool = False


def header(raw: bytes) -> Header:
    """The first 16 bytes."""
    length, command, status, sequence = struct.unpack("!IIII", raw[:HEADER])
    if not HEADER <= length <= LARGEST:
        raise Malformed(f"a message of {length} bytes")
    return Header(length, command, status, sequence)


def bare(command: int, sequence: int, status: int = OK, body: bytes = b"") -> bytes:
    """A message whose body is written already."""
    return struct.pack("!IIII", HEADER + len(body), command, status, sequence) + body


def bind(user: str, password: str, sequence: int) -> bytes:
    """bind_transceiver."""
    names = b"".join(each.encode("ascii", "replace") + b"\0" for each in (user, password, ""))
    return bare(BIND, sequence, body=names + bytes((_VERSION, 0, 0)) + b"\0")


def message_id(raw: bytes) -> str:
    """Of a submit_sm_resp: what the SMSC calls the part."""
    return raw[HEADER:].split(b"\0", 1)[0].decode("ascii", "replace")[:65]


def submit(text: Outgoing, part: int, sequence: int) -> bytes:
    """submit_sm of this part of the text, with a receipt asked for."""
    made = cut(text.body)
    body, several = made.parts[part], len(made.parts) > 1
    if several:
        # the parts of one text have one number, also when they are sent again after a crash
        group = sum(text.id.encode()) & 0xFF
        body = bytes((5, 0, 3, group, len(made.parts), part + 1)) + body
    return SubmitSm(
        text.number.removeprefix("+"),
        text.to.removeprefix("+"),
        body,
        source_addr_ton=_INTERNATIONAL,
        source_addr_npi=_ISDN,
        dest_addr_ton=_INTERNATIONAL,
        dest_addr_npi=_ISDN,
        esm_class=_UDH if several else 0,
        registered_delivery=1,
        data_coding=0 if made.gsm else _UCS2,
        sequence_number=sequence,
    ).encode()


def delivered(raw: bytes) -> Delivered | Receipt:
    """A deliver_sm: a text, or a receipt for one of ours. Raises Malformed."""
    try:
        found = decode(raw)
    except SmppError as error:
        raise Malformed(str(error)) from error
    if not isinstance(found, DeliverSm):
        raise Malformed("not a deliver_sm")
    tlvs = {tlv.tag: tlv for tlv in found.tlvs}
    octets = bytes(found.short_message)
    if _PAYLOAD in tlvs and not octets:
        octets = bytes(tlvs[_PAYLOAD].value)
    if found.esm_class & _RECEIPT_MASK == _RECEIPT:
        return _receipt(octets, tlvs)
    group, number, total = _sar(tlvs)
    if found.esm_class & _UDH:
        (group, number, total), octets = _udh(octets)
    body, binary = _decoded(octets, found.data_coding)
    return Delivered(
        did_text=_address(found.destination_addr, found.dest_addr_ton),
        sender_text=_address(found.source_addr, found.source_addr_ton),
        body=body,
        group=group,
        number=number,
        total=total,
        binary=binary,
    )


def _address(text: str, kind: int) -> str:
    plus = kind == _INTERNATIONAL and text.isdigit() and not text.startswith("00")
    return ("+" if plus else "") + text


def _receipt(octets: bytes, tlvs: dict[int, Tlv]) -> Receipt:
    said = octets.decode("latin-1")
    name, word = _ID.search(said), _STAT.search(said)
    part = tlvs[_RECEIPTED].as_string() if _RECEIPTED in tlvs else None
    state = tlvs[_MESSAGE_STATE].as_int() if _MESSAGE_STATE in tlvs else None
    part = (part or "").rstrip("\0") or (name[1] if name else "")
    if not part:
        raise Malformed("a receipt that names no message")
    if state is not None:
        done = True if state in _DELIVERED else False if state in _FAILED else None
        return Receipt(part, done, f"state {state}")
    shown = word[1].upper() if word else ""
    return Receipt(part, _WORDS.get(shown), shown)


def _sar(tlvs: dict[int, Tlv]) -> tuple[int, int, int]:
    group, total, number = (
        tlvs[tag].as_int() if tag in tlvs else None for tag in (_SAR_REF, _SAR_TOTAL, _SAR_NUMBER)
    )
    return _place(group or 0, number or 1, total or 1)


def _udh(octets: bytes) -> tuple[tuple[int, int, int], bytes]:
    """What the header inside the text says of parts (3GPP TS 23.040, 9.2.3.24), and the text behind it."""
    if not octets:
        return (0, 1, 1), octets
    length = octets[0] + 1
    elements, rest = octets[1:length], octets[length:]
    place = (0, 1, 1)
    while len(elements) >= 2:
        kind, size = elements[0], elements[1]
        value, elements = elements[2 : 2 + size], elements[2 + size :]
        if kind == 0x00 and len(value) == 3:
            place = _place(value[0], value[2], value[1])
        elif kind == 0x08 and len(value) == 4:
            place = _place(value[0] << 8 | value[1], value[3], value[2])
    return place, rest


def _place(group: int, number: int, total: int) -> tuple[int, int, int]:
    """One that cannot be is a text by itself."""
    return (group, number, total) if 1 <= number <= total <= 255 else (group, 1, 1)


def _decoded(octets: bytes, coding: int) -> tuple[str, bool]:
    """The text, and whether it is none (a ring tone, a setting of the phone)."""
    if coding in (0x02, 0x04, 0xF4, 0xF5) or coding & 0xFC == 0x14:
        return "", True
    if coding == _UCS2 or coding & 0xCC == 0x08:
        return joined([octets], gsm=False), False
    if coding in (0x01, 0x03):
        return octets.decode("ascii" if coding == 1 else "latin-1", "replace"), False
    return joined([octets], gsm=True), False
