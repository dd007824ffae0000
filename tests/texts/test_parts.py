"""How a text is cut into SMS, and what SMPP's bytes say."""

from __future__ import annotations

import struct

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from smpp34 import DeliverSm, SubmitSm, Tlv, decode

from autocom.core.texts import Outgoing
from autocom.texts import pdus
from autocom.texts.parts import cut, joined
from autocom.texts.provider import Receipt

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=700)


@pytest.mark.parametrize(
    ("text", "gsm", "sizes"),
    [
        ("", True, [0]),
        ("a" * 160, True, [160]),
        ("a" * 161, True, [153, 8]),
        ("é" * 160, True, [160]),
        ("€" * 80, True, [160]),
        ("€" * 81, True, [152, 10]),
        ("ê" * 70, False, [140]),
        ("ê" * 71, False, [134, 8]),
        ("🙂" * 35, False, [140]),
        ("🙂" * 36, False, [132, 12]),
        ("a" * 100 + "🙂", False, [134, 70]),
    ],
)
def test_as_many_parts_as_the_networks_count(text: str, gsm: bool, sizes: list[int]) -> None:
    made = cut(text)
    assert (made.gsm, [len(part) for part in made.parts]) == (gsm, sizes)


@settings(deadline=None)
@given(TEXTS)
@example("[" * 200)
@example("\x1b")
@example("👨‍👩‍👧‍👦" * 30)
def test_the_parts_together_are_the_text_and_each_can_be_read_by_itself(text: str) -> None:
    made = cut(text)
    assert joined(made.parts, gsm=made.gsm) == text
    assert "".join(joined([part], gsm=made.gsm) for part in made.parts) == text
    assert all(len(part) <= (160 if made.gsm else 140) for part in made.parts)
    if len(made.parts) > 1:
        assert all(len(part) <= (153 if made.gsm else 134) for part in made.parts)


def outgoing(body: str) -> Outgoing:
    return Outgoing("to1", "ABCDEF", "op", "lilas", "+33261912010", "+33639980101", body, 0.0, 0.0)


@settings(deadline=None)
@given(TEXTS.filter(bool))
def test_what_we_submit_another_library_reads_as_the_text(body: str) -> None:
    made = cut(body)
    read = b""
    for part in range(len(made.parts)):
        found = decode(pdus.submit(outgoing(body), part, 7))
        assert isinstance(found, SubmitSm)
        assert (found.source_addr, found.destination_addr) == ("33261912010", "33639980101")
        assert found.registered_delivery == 1
        data = bytes(found.short_message)
        if len(made.parts) > 1:
            assert found.esm_class == 0x40
            assert (data[:3], data[4], data[5]) == (b"\x05\x00\x03", len(made.parts), part + 1)
            data = data[6:]
        read += data
        assert found.data_coding == (0 if made.gsm else 8)
    assert joined([read], gsm=made.gsm) == body


def deliver(body: bytes, **fields: object) -> bytes:
    common = {"source_addr_ton": 1, "dest_addr_ton": 1, "sequence_number": 1}
    return DeliverSm("33639980101", "33199001001", body, **{**common, **fields}).encode()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (deliver(b"Bonjour \x05"), "Bonjour é"),
        (deliver("ê🙂".encode("utf-16-be"), data_coding=8), "ê🙂"),
        (deliver("déjà".encode("latin-1"), data_coding=3), "déjà"),
        (deliver(b"plain", data_coding=1), "plain"),
        (deliver("ê".encode("utf-16-be"), data_coding=0x18), "ê"),
        (deliver(b"", tlvs=[Tlv(0x0424, b"x" * 1000)]), "x" * 1000),
        (deliver(b"", data_coding=0), ""),
    ],
)
def test_texts_in_every_alphabet(raw: bytes, expected: str) -> None:
    found = pdus.delivered(raw)
    assert isinstance(found, pdus.Delivered)
    assert found.body == expected
    assert (found.sender_text, found.did_text, found.total) == ("+33639980101", "+33199001001", 1)


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (deliver(b"\x05\x00\x03\x2a\x03\x02abc", esm_class=0x40), (0x2A, 2, 3)),
        (deliver(b"\x06\x08\x04\x12\x34\x03\x02abc", esm_class=0x40), (0x1234, 2, 3)),
        (deliver(b"\x07\x01\x02\x05\x00\x24\x01\x04abc", esm_class=0x40), (0, 1, 1)),
        (deliver(b"\x05\x00\x03\x2a\x02\x03abc", esm_class=0x40), (0x2A, 1, 1)),
        (deliver(b"\x05\x00\x03\x2a\x00\x00abc", esm_class=0x40), (0x2A, 1, 1)),
        (
            deliver(b"abc", tlvs=[Tlv(0x020C, b"\x00\x09"), Tlv(0x020E, b"\x03"), Tlv(0x020F, b"\x02")]),
            (9, 2, 3),
        ),
    ],
)
def test_which_part_of_which_text_it_is(raw: bytes, place: tuple[int, int, int]) -> None:
    found = pdus.delivered(raw)
    assert isinstance(found, pdus.Delivered)
    assert (found.group, found.number, found.total) == place
    assert found.body == "abc"


def test_a_ring_tone_is_no_text() -> None:
    found = pdus.delivered(deliver(b"\x00\x01\x02", data_coding=4))
    assert isinstance(found, pdus.Delivered)
    assert (found.body, found.binary) == ("", True)


@pytest.mark.parametrize(
    ("body", "tlvs", "expected"),
    [
        (b"id:abc sub:001 dlvrd:001 stat:DELIVRD err:000 text:", [], Receipt("abc", True, "DELIVRD")),
        (b"id:abc stat:UNDELIV err:011", [], Receipt("abc", False, "UNDELIV")),
        (b"id:abc stat:ACCEPTD", [], Receipt("abc", None, "ACCEPTD")),
        (b"", [Tlv(0x001E, b"xyz\0"), Tlv(0x0427, b"\x02")], Receipt("xyz", True, "state 2")),
        (
            b"id:abc stat:DELIVRD",
            [Tlv(0x001E, b"xyz\0"), Tlv(0x0427, b"\x08")],
            Receipt("xyz", False, "state 8"),
        ),
    ],
)
def test_receipts(body: bytes, tlvs: list[Tlv], expected: Receipt) -> None:
    assert pdus.delivered(deliver(body, esm_class=4, tlvs=tlvs)) == expected


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(0, 255), st.integers(0, 255))
def test_whatever_an_smsc_sends_is_a_value_or_malformed(body: bytes, esm: int, coding: int) -> None:
    for raw in (
        deliver(body, esm_class=esm, data_coding=coding),
        body,
        struct.pack("!IIII", 16 + len(body), 5, 0, 1) + body,
    ):
        try:
            found = pdus.delivered(raw)
            assert isinstance(found, pdus.Delivered | Receipt)
        except pdus.Malformed:
            continue


@settings(deadline=None)
@given(st.binary(min_size=16, max_size=16))
def test_a_header_is_read_or_malformed(raw: bytes) -> None:
    try:
        assert 16 <= pdus.header(raw).length <= pdus.LARGEST
    except pdus.Malformed:
        return
