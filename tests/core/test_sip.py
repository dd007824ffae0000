"""Headers as operators really send them, and as nobody should."""

from __future__ import annotations

import unicodedata
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom.core.model import ForwardReason
from autocom.core.sip import (
    MOST,
    SHOWN,
    clean,
    diversions,
    history,
    is_anonymous,
    parse_address,
    parse_uri,
    privacy_words,
    split_list,
)

UNCONDITIONAL, NO_ANSWER, BUSY = ForwardReason.UNCONDITIONAL, ForwardReason.NO_ANSWER, ForwardReason.BUSY
UNAVAILABLE, UNKNOWN = ForwardReason.UNAVAILABLE, ForwardReason.UNKNOWN

HOSTILE = [
    "\x00" * 8192,
    '"' * 8191,
    '"\\' * 4096,
    '"' + '\\"' * 4095,
    "<" * 8192,
    ">" * 8192,
    "," * 8192,
    "a," * 4096,
    "<sip:a@b>," * 800,
    ";" * 8192,
    "<sip:a@b;" + "x=1;" * 2000,
    "<sip:a@b?" + "&Reason=" * 1000,
    "%" * 8192,
    "%ff%00" * 1365,
    "\u202e" * 8192,
    "\ud800" * 8192,
    "\\" * 8192,
    "(" * 8192,
    "<sip:%22%3Cx%3E@b>;reason=" + "9" * 8000,
    "<sip:1@b>;counter=" + "9" * 8000 + ";index=" + "1." * 4000,
]


# --- addresses -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "display", "user", "host"),
    [
        ("<sip:0199001001@op.example>", "", "0199001001", "op.example"),
        ("Jean Dupont <sip:0639980101@op.example>", "Jean Dupont", "0639980101", "op.example"),
        ('"Dupont, Jean" <sip:0639980101@op.example>;tag=x', "Dupont, Jean", "0639980101", "op.example"),
        (r'"Dit \"Le Grand\" \\" <sip:a@b>', r'Dit "Le Grand" \ '.strip(), "a", "b"),
        ('"<sip:fake@x>" <sip:real@b>', "<sip:fake@x>", "real", "b"),
        ("sip:0639980101@op.example;tag=x", "", "0639980101", "op.example"),
        ("<SIP:0639980101@OP.Example:5060;user=phone>", "", "0639980101", "op.example"),
        ("<sip:+33639980101;npdi=yes@op.example>", "", "+33639980101", "op.example"),
        ("sip:+33639980101;npdi@op.example", "", "+33639980101", "op.example"),
        ("<sip:0639980101:secret@op.example>", "", "0639980101", "op.example"),
        ("<sip:%2B33639980101@op.example>", "", "+33639980101", "op.example"),
        ("<tel:+33639980101;phone-context=+33>", "", "+33639980101", ""),
        ("tel:+33639980101", "", "+33639980101", ""),
        ("<sip:192.0.2.1>", "", "", "192.0.2.1"),
        ("<sip:lea@[2001:db8::1]:5060>", "", "lea", "[2001:db8::1]"),
        ("0639980101", "", "0639980101", ""),
        ("0639980101@op.example", "", "0639980101", "op.example"),
        ('"unbalanced <sip:0639980101@b>', "unbalanced", "0639980101", "b"),
        ("<sip:0639980101@b", "", "0639980101", "b"),
        ('"only a name"', "only a name", "", ""),
        ("", "", "", ""),
        ("<>", "", "", ""),
    ],
)
def test_an_address_is_read_whatever_its_form(text, display, user, host):
    address = parse_address(text)
    assert (address.display, address.uri.user, address.uri.host) == (display, user, host)


def test_without_brackets_the_parameters_belong_to_the_header():
    assert parse_address("sip:a@b;tag=1").params == {"tag": "1"}
    assert parse_address("sip:a@b;tag=1").uri.params == {}
    inside = parse_address("<sip:a@b;transport=udp>;tag=1")
    assert (inside.params, inside.uri.params) == ({"tag": "1"}, {"transport": "udp"})


def test_a_quoted_parameter_may_hold_separators_and_the_first_of_two_counts():
    assert parse_address(r'<sip:a@b>;X="1;2,\"3";x=4;flag').params == {"x": '1;2,"3', "flag": ""}


def test_embedded_headers_are_unescaped():
    uri = parse_uri("sip:a@b;cause=408?Reason=SIP%3Bcause%3D302%3Btext%3D%22x%22&Privacy=history")
    assert uri.params == {"cause": "408"}
    assert uri.headers == {"reason": 'SIP;cause=302;text="x"', "privacy": "history"}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a, b ,,c", ("a", "b", "c")),
        ('"x, y" <sip:a@b>, <sip:c,d@e>', ('"x, y" <sip:a@b>', "<sip:c,d@e>")),
        (r'"x \", y" <sip:a@b>,c', (r'"x \", y" <sip:a@b>', "c")),
        ('"x, <sip:a@b>, <sip:c@d>', ('"x', "<sip:a@b>", "<sip:c@d>")),
        ("<sip:a@b, <sip:c@d>", ("<sip:a@b", "<sip:c@d>")),
        ("", ()),
        (" , ", ()),
    ],
)
def test_a_list_is_split_at_top_level_commas_and_a_broken_element_spares_its_neighbours(text, parts):
    assert split_list(text) == parts


@pytest.mark.parametrize(
    ("uri", "hidden"),
    [
        ("sip:anonymous@anonymous.invalid", True),
        ("sip:Anonymous@op.example", True),
        ("sip:0639980101@anonymous.invalid:5060", True),
        ("sip:Restricted@op.example", True),
        ("sip:unavailable@op.example", True),
        ("sip:0639980101@op.example", False),
        ("sip:op.example", False),
        ("tel:+33639980101", False),
    ],
)
def test_an_anonymous_uri_is_recognised(uri, hidden):
    assert is_anonymous(parse_uri(uri)) is hidden


def test_privacy_words_are_read_with_semicolons_and_commas():
    assert privacy_words("Id;critical, HEADER") == {"id", "critical", "header"}


# --- Diversion -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("unconditional", UNCONDITIONAL),
        ("no-answer", NO_ANSWER),
        ("user-busy", BUSY),
        ("unavailable", UNAVAILABLE),
        ("out-of-service", UNAVAILABLE),
        ("follow-me", UNCONDITIONAL),
        ("time-of-day", UNCONDITIONAL),
        ("deflection", BUSY),
        ("unknown", UNKNOWN),
        ("something-new", UNKNOWN),
        ('"No-Answer"', NO_ANSWER),
        ("", UNKNOWN),
    ],
)
def test_a_diversion_says_why_the_line_sent_the_call_on(word, reason):
    assert diversions([f"<sip:0536490702@op.example>;reason={word}"])[0].reason is reason


def test_the_oldest_diversion_comes_first_whether_in_one_line_or_several():
    one = diversions(["<sip:3@b>;reason=user-busy, <sip:2@b>, <sip:1@b>"])
    several = diversions(["<sip:3@b>;reason=user-busy", "<sip:2@b>", "<sip:1@b>"])
    assert one == several
    assert [each.number_text for each in one] == ["1", "2", "3"]
    assert one[2].reason is BUSY


@pytest.mark.parametrize(
    ("params", "counter", "private"),
    [
        (";counter=3;privacy=off;screen=yes", 3, False),
        (";counter=x", 1, False),
        (";counter=-1", 1, False),
        (";counter=\u0663", 1, False),
        (";privacy=name", 1, False),
        (";privacy=full", 1, True),
        (";privacy=uri", 1, True),
        (";privacy=new-word", 1, True),
    ],
)
def test_counter_and_privacy_of_a_diversion_are_read(params, counter, private):
    entry = diversions([f"<sip:0536490702@b>{params}"])[0]
    assert (entry.counter, entry.private) == (counter, private)


def test_of_too_many_diversions_the_oldest_are_kept():
    entries = diversions([", ".join(f"<sip:{number}@b>" for number in range(300, 0, -1))])
    assert [each.number_text for each in entries] == [str(number) for number in range(1, MOST + 1)]


# --- History-Info ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("embedded", "reason"),
    [
        ("SIP%3Bcause%3D302", UNCONDITIONAL),
        ("SIP%3Bcause%3D486%3Btext%3D%22Busy%20Here%22", BUSY),
        ("SIP%3Bcause%3D408", NO_ANSWER),
        ("SIP%3Bcause%3D480", UNAVAILABLE),
        ("SIP;cause=486", BUSY),
        ("Q.850%3Bcause%3D19", NO_ANSWER),
        ("Q.850%3Bcause%3D17%3Btext%3D%22a%2Cb%22", BUSY),
        ("X%3Bcause%3D1%2CSIP%3Bcause%3D486", BUSY),
        ("SIP%3Bcause%3D200", UNKNOWN),
        ("garbage", UNKNOWN),
    ],
)
def test_an_embedded_reason_says_why_a_target_was_left(embedded, reason):
    assert history([f"<sip:0536490702@b?Reason={embedded}>;index=1"])[0].reason is reason


def test_the_cause_of_the_following_target_says_why_the_one_before_was_left():
    entries = history(["<sip:0536490702@b>;index=1, <sip:0199001005@b;cause=408>;index=1.1;mp=1"])
    assert [(each.number_text, each.reason) for each in entries] == [
        ("0536490702", NO_ANSWER),
        ("0199001005", UNKNOWN),
    ]


def test_history_is_ordered_by_its_index_and_not_by_the_wire():
    lines = ["<sip:c@b>;index=1.10", "<sip:b@b>;index=1.2, <sip:a@b>;index=1"]
    assert [each.number_text for each in history(lines)] == ["a", "b", "c"]


def test_history_without_a_complete_index_stays_as_it_came():
    lines = ["<sip:c@b>;index=2", "<sip:b@b>", "<sip:a@b>;index=1"]
    assert [each.number_text for each in history(lines)] == ["c", "b", "a"]


def test_a_private_history_entry_is_marked():
    private, public = history(
        ["<sip:1@b?Privacy=history&Reason=SIP%3Bcause%3D302>;index=1", "<sip:2@b>;index=1.1"]
    )
    assert (private.private, private.reason, public.private) == (True, UNCONDITIONAL, False)


# --- what must never happen ------------------------------------------------------------------


def test_nothing_that_is_shown_holds_control_or_bidirectional_characters():
    assert clean("a\x00b\r\nc\u202ed\u200be\ufeff\x1b[31m") == "ab cde[31m"
    assert clean(" \t Anne \u00a0 Lise ") == "Anne Lise"
    assert len(clean("é" * 8192)) == SHOWN
    assert parse_address('"a\u2067b" <sip:x@y>').display == "ab"


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_headers_neither_raise_nor_take_long(text):
    started = perf_counter()
    parse_address(text)
    diversions([text] * 8)
    history([text] * 8)
    privacy_words(text)
    assert perf_counter() - started < 2.0  # milliseconds when linear, minutes when not


PIECES = """ " \\ < > , ; = ? & @ : % %2 %3B sip: tel: é 0199001001 reason index=1.1 privacy=full anonymous"""
pieces = st.lists(
    st.sampled_from([*PIECES.split(), " ", "\x00", "\u202e"]) | st.text(max_size=3),
    max_size=40,
).map("".join)


@given(pieces)
def test_any_header_is_read_into_texts_that_may_be_shown(text):
    address = parse_address(text)
    for entry in (*diversions([text]), *history([text])):
        shown = entry.number_text
        assert len(shown) <= SHOWN
        assert not any(unicodedata.category(character).startswith("C") for character in shown)
    assert not any(unicodedata.category(character).startswith("C") for character in address.display)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters='",<>\\'), min_size=1), max_size=6))
def test_splitting_gives_back_what_was_joined(parts):
    wanted = tuple(part.strip() for part in parts if part.strip())
    assert split_list(", ".join(f'"{part}"' for part in parts)) == tuple(f'"{part}"' for part in parts)
    assert split_list(",".join(parts)) == wanted


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=SHOWN))
def test_a_quoted_display_name_comes_back_as_it_was(name):
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    assert parse_address(f'"{quoted}" <sip:0639980101@op.example>').display == name
