"""Whose call it is: the scenarios S1–S8 of the trade, and headers that lie, lack or overflow."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from enum import Enum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autocom.core.ingress import Identity, NumberBook, identify
from autocom.core.model import (
    Audio,
    Bureau,
    Client,
    Configuration,
    ForwardReason,
    Hours,
    Line,
    Music,
    Rule,
    StockSounds,
    Trunk,
)
from autocom.core.telephony import RawHeaders

LILAS, VAUBAN, SHARED, PLAIN_AND_SHARED = "+33199001001", "+33199001002", "+33199001005", "+33199001013"
ROUX, FERRAND, OTHER = "+33536490701", "+33536490702", "+33465711880"
OPERATOR = Trunk("operator", ("127.0.0.1",))


def client(name: str, *lines: Line) -> Client:
    return Client(name, name, name, "medical", lines, Hours("Europe/Paris", {}), (Rule("always", None, ()),))


CLIENTS = (
    client("accueil", Line("+33199001000")),
    client("cab-lilas", Line(LILAS)),
    client("cardio-vauban", Line(VAUBAN)),
    client("kine-roux", Line(SHARED, ROUX)),
    client("kine-ferrand", Line(SHARED, FERRAND)),
    client("sf-aubepine", Line(PLAIN_AND_SHARED)),
    client("sf-chene", Line(PLAIN_AND_SHARED, "+33261914455")),
    client("veto", Line("+33199001009", "+33353012288")),
)
SOUND = Audio("x", "x", 1.0)
CONFIGURATION = Configuration(
    version="1",
    bureau=Bureau("Secrétariat", "+33199001000", "FR", "Europe/Paris", "fr", "accueil"),
    trunks={OPERATOR.id: OPERATOR},
    secretaries={},
    teams={},
    clients={each.id: each for each in CLIENTS},
    stock=StockSounds(SOUND, SOUND, SOUND, SOUND, Music("m", "m")),
)
BOOK = NumberBook.of(CONFIGURATION)


def received(
    user: str, from_: str = "<sip:0639980101@op.example>", did_in: str = "request_uri", **rest
) -> Identity:
    return identify(RawHeaders(user, from_, **rest), Trunk("t", (), did_in), BOOK)


# --- the number called -----------------------------------------------------------------------


def test_s1_the_request_uri_in_national_form_finds_the_client_and_the_caller():
    call = received("0199001001", '"Jean Dupont" <sip:0639980101@op.example>;tag=1')
    assert (call.client, call.did, call.caller, call.caller_text) == (
        "cab-lilas",
        LILAS,
        "+33639980101",
        "Jean Dupont",
    )
    assert (call.anonymous, call.forwarded_from, call.forward_reason) == (False, None, None)
    assert (call.flags, call.candidates, call.diversions) == ((), (), ())


def test_s8_a_caller_from_an_automated_platform_is_flagged_and_a_withheld_one_is_not():
    call = received("0199001010", "<sip:0162001234@op.example>")
    assert (call.caller, call.flags) == ("+33162001234", ("unknown_did", "platform"))
    assert "automated platforms" in call.why[-1]
    asserted = received("0199001001", p_asserted_identity="<sip:+33948001234@op.example>")
    assert asserted.flags == ("platform",)
    hidden = received("0199001001", "<sip:0162001234@op.example>", privacy="id")
    assert (hidden.caller, hidden.flags) == (None, ())


@pytest.mark.parametrize(
    ("did_in", "headers"),
    [
        ("to", {"to": "<sip:0033199001002@op.example>"}),
        ("p_called_party_id", {"p_called_party_id": '"Ligne" <tel:+33-1-99-00-10-02>'}),
        ("header:X-Called", {"did_header": "33199001002"}),
        ("header:X-Called", {"did_header": "<sip:0199001002@op.example>;x=1"}),
    ],
)
def test_s2_the_did_stands_where_the_trunk_says(did_in, headers):
    call = received("trunk-line", did_in=did_in, **headers)
    assert (call.client, call.did, call.flags) == ("cardio-vauban", VAUBAN, ())


@pytest.mark.parametrize(
    ("did_in", "user", "headers"),
    [
        ("to", "0199001002", {"to": "<sip:trunk@op.example>"}),
        ("p_called_party_id", "0199001002", {"to": "<sip:0199001001@op.example>"}),
        ("p_called_party_id", "s", {"to": "<sip:0199001002@op.example>"}),
        ("header:X-Called", "0199001002", {"did_header": "anonymous"}),
        ("request_uri", "trunk-line", {"to": "<sip:0199001002@op.example>"}),
    ],
)
def test_where_the_named_place_holds_no_number_the_request_uri_and_then_to_are_read(did_in, user, headers):
    call = received(user, did_in=did_in, **headers)
    assert (call.client, call.flags) == ("cardio-vauban", ("did_elsewhere",))
    assert "holds no telephone number" in call.why[0]


def test_s6_an_unknown_did_is_served_by_the_general_client_and_flagged():
    call = received("0199001077")
    assert (call.client, call.did, call.did_text) == ("accueil", "+33199001077", "0199001077")
    assert call.flags == ("unknown_did",)
    assert any("no client's number" in sentence for sentence in call.why)


def test_an_unknown_did_beside_a_known_one_points_at_the_trunk():
    call = received("0199001099", to="<sip:0199001002@op.example>")
    assert (call.client, call.flags) == ("accueil", ("unknown_did",))
    assert any("cardio-vauban" in sentence and "did_in" in sentence for sentence in call.why)


@pytest.mark.parametrize("user", ["", "s", "trunk-line", "15", "\x00" * 8192, "٠١٩٩٠٠١٠٠١"])
def test_a_call_without_any_number_called_is_served_and_flagged(user):
    call = received(user)
    assert (call.client, call.did, call.flags) == ("accueil", None, ("no_did",))


def test_a_trunk_that_asterisk_did_not_name_is_read_by_its_request_uri():
    assert identify(RawHeaders("0199001001"), None, BOOK).client == "cab-lilas"


# --- forwarded lines -------------------------------------------------------------------------


def test_s3_the_forwarded_line_tells_apart_who_shares_a_did():
    call = received("0199001005", diversion=("<sip:0536490702@op.example>;reason=no-answer;counter=1",))
    assert (call.client, call.forwarded_from) == ("kine-ferrand", FERRAND)
    assert (call.forward_reason, call.flags) == (ForwardReason.NO_ANSWER, ())


def test_s4_a_shared_did_without_a_forwarded_line_is_ambiguous():
    call = received("0199001005")
    assert (call.client, call.flags) == ("accueil", ("ambiguous",))
    assert call.candidates == ("kine-roux", "kine-ferrand")


@pytest.mark.parametrize(
    "lines",
    [
        (
            "<sip:0465711880@b?Reason=SIP%3Bcause%3D302>;index=1",
            "<sip:0536490702@b?Reason=SIP%3Bcause%3D486>;index=1.1",
        ),
        ("<sip:0536490702@b?Reason=SIP%3Bcause%3D486>;index=1, <sip:0465711880@b?Reason=x>;index=1.1",),
        ("<sip:0199001005@b;cause=486>;index=1.1, <tel:+33536490702>;index=1",),
    ],
)
def test_s5_with_history_info_alone_the_known_line_wins_whatever_its_position(lines):
    call = received("0199001005", history_info=lines)
    assert (call.client, call.forwarded_from) == ("kine-ferrand", FERRAND)
    assert call.forward_reason is ForwardReason.BUSY


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_known_line_wins_at_every_place_of_the_diversions(place):
    lines = ["<sip:0465711880@b>;reason=unconditional", "<sip:+33261912010@b>;reason=unavailable"]
    lines.insert(place, "<sip:+33536490701@b>;reason=user-busy")
    call = received("0199001005", diversion=tuple(lines))
    assert (call.client, call.forwarded_from, call.forward_reason) == ("kine-roux", ROUX, ForwardReason.BUSY)
    assert len(call.diversions) == 3


def test_of_two_known_lines_the_one_first_called_is_meant():
    newest_first = ("<sip:0536490702@b>;reason=user-busy", "<sip:0536490701@b>;reason=no-answer")
    call = received("0199001005", diversion=newest_first)
    assert (call.client, call.forward_reason) == ("kine-roux", ForwardReason.NO_ANSWER)


def test_without_a_known_line_the_original_one_is_reported():
    call = received("0199001001", diversion=("<sip:+33465711880@b>", "<sip:0261912010@b>;reason=user-busy"))
    assert (call.client, call.forwarded_from) == ("cab-lilas", "+33261912010")
    assert (call.forward_reason, call.flags) == (ForwardReason.BUSY, ())
    assert [each.number_text for each in call.diversions] == ["0261912010", "+33465711880"]


def test_a_shared_did_with_a_strange_line_is_ambiguous_and_says_so():
    call = received("0199001005", diversion=("<sip:0465711880@b>;reason=unconditional",))
    assert (call.client, call.flags) == ("accueil", ("ambiguous", "unknown_line"))
    assert call.forwarded_from == OTHER


def test_the_client_without_a_line_has_every_call_that_no_line_takes_from_him():
    assert received("0199001013").client == "sf-aubepine"
    assert received("0199001013", diversion=("<sip:0465711880@b>",)).client == "sf-aubepine"
    by_line = received("0199001013", diversion=("<sip:0261914455@b>",))
    assert (by_line.client, by_line.flags) == ("sf-chene", ())


def test_a_did_that_one_client_has_alone_is_his_even_without_the_forwarded_line():
    assert received("0199001009").client == "veto"
    strange = received("0199001009", diversion=("<sip:0465711880@b>",))
    assert (strange.client, strange.flags) == ("veto", ("unknown_line",))


def test_what_one_header_leaves_open_the_other_one_says():
    call = received(
        "0199001005",
        diversion=("<sip:0536490702@b>;reason=unknown",),
        history_info=("<sip:+33536490702@b?Reason=SIP%3Bcause%3D408>;index=1,<sip:0199001005@b>;index=1.1",),
    )
    assert (call.client, call.forward_reason) == ("kine-ferrand", ForwardReason.NO_ANSWER)
    assert [each.source for each in call.diversions] == ["diversion", "history-info"]


@pytest.mark.parametrize(
    "headers",
    [
        {"history_info": ("<sip:0199001001@b>;index=1",)},
        {"history_info": ("<sip:+33199001001@b>;index=1,<sip:line@10.0.0.1>;index=1.1",)},
        {"diversion": ("<sip:0199001001@b>;reason=unconditional",)},
        {"diversion": ("", " , ")},
    ],
)
def test_a_history_of_nothing_but_the_number_called_is_no_forwarding(headers):
    call = received("0199001001", **headers)
    assert (call.forwarded_from, call.forward_reason, call.diversions) == (None, None, ())


def test_a_private_line_is_used_to_find_its_client_and_not_kept_where_it_is_a_strangers():
    known = received("0199001005", diversion=("<sip:0536490702@b>;reason=user-busy;privacy=full",))
    assert (known.client, known.forwarded_from) == ("kine-ferrand", FERRAND)
    strange = received("0199001001", diversion=("<sip:0465711880@b>;reason=user-busy;privacy=full",))
    assert (strange.forwarded_from, strange.forward_reason) == (None, ForwardReason.BUSY)
    hidden = received(
        "0199001001", privacy="history", history_info=("<sip:0465711880@b?Reason=SIP%3Bcause%3D486>;index=1",)
    )
    assert (hidden.anonymous, hidden.forwarded_from, hidden.forward_reason) == (
        False,
        None,
        ForwardReason.BUSY,
    )
    for call in (strange, hidden):
        assert "465711880" not in " ".join(texts_of(call))


# --- the caller ------------------------------------------------------------------------------

SECRET = "639980177"


def texts_of(value: object) -> list[str]:
    """Every text anywhere inside a value."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Enum):
        return [str(value.value)]
    if isinstance(value, tuple):
        return [text for each in value for text in texts_of(each)]
    if is_dataclass(value):
        return [text for each in fields(value) for text in texts_of(getattr(value, each.name))]
    return []


@pytest.mark.parametrize(
    "headers",
    [
        {"from_": "<sip:anonymous@anonymous.invalid>", "privacy": "id"},
        {"from_": '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1'},
        {"from_": f"<sip:0{SECRET}@op.example>", "privacy": "id"},
        {"from_": f"<sip:0{SECRET}@op.example>", "privacy": "header;critical"},
        {"from_": f"<sip:0{SECRET}@op.example>", "privacy": "USER"},
        {"from_": f"<sip:0{SECRET}@op.example>", "privacy": "full"},
        {"from_": f'"Anonymous" <sip:0{SECRET}@op.example>'},
        {"from_": f"<sip:0{SECRET}@anonymous.invalid>"},
        {"from_": "<sip:Restricted@op.example>"},
        {"from_": "<sip:unavailable@op.example>"},
        {"from_": "<sip:op.example>"},
        {"from_": "<sip:@op.example>"},
        {"from_": "", "caller_number": "anonymous"},
        {
            "from_": f"<sip:0{SECRET}@op.example>",
            "p_asserted_identity": "<sip:anonymous@anonymous.invalid>",
        },
        {"from_": "", "caller_number": ""},
    ],
)
def test_s7_of_a_caller_who_withholds_his_number_nothing_is_kept(headers):
    call = received(
        "0199001001",
        **{
            "caller_number": f"0{SECRET}" if headers["from_"] else "",
            "caller_name": "Camille Secret",
            "p_asserted_identity": f'"Camille Secret" <sip:+33{SECRET}@op.example>',
            **headers,
        },
    )
    assert (call.client, call.anonymous, call.caller, call.caller_text) == ("cab-lilas", True, None, "")
    kept = " ".join(texts_of(call))
    assert SECRET not in kept
    assert "Secret" not in kept


@pytest.mark.parametrize(
    ("headers", "number", "text"),
    [
        (
            {"from_": "<sip:0639980101@b>", "p_asserted_identity": "<sip:+33639980102@b>"},
            "+33639980102",
            "+33639980102",
        ),
        (
            {"from_": '"Zoé" <sip:x@b>', "p_asserted_identity": "<sip:op@b>, <tel:+33639980102>"},
            "+33639980102",
            "Zoé",
        ),
        (
            {"from_": "<sip:0639980101@b>", "p_asserted_identity": "<sip:switch@b>"},
            "+33639980101",
            "0639980101",
        ),
        ({"from_": "<sip:0639980101@b>", "privacy": "none"}, "+33639980101", "0639980101"),
        ({"from_": "", "caller_number": "0639980103", "caller_name": "Zoé"}, "+33639980103", "Zoé"),
        ({"from_": "<sip:3949@b>"}, None, "3949"),
        ({"from_": '"Standard" <sip:3949@b>'}, None, "Standard"),
        ({"from_": "<sip:0692123456@b>"}, "+262692123456", "0692123456"),
    ],
)
def test_the_networks_word_counts_before_the_callers_own(headers, number, text):
    call = received("0199001001", **headers)
    assert (call.caller, call.caller_text, call.anonymous) == (number, text, False)


def test_no_sentence_of_the_decision_holds_the_callers_number():
    call = received("0199001005", f"<sip:0{SECRET}@b>", diversion=("<sip:0536490702@b>;reason=no-answer",))
    assert call.caller == f"+33{SECRET}"
    assert SECRET not in " ".join(call.why)
    assert any(FERRAND in sentence for sentence in call.why)


def test_a_name_that_hides_its_direction_is_shown_without_it():
    call = received("0199001001", '"\u202e1010 00 99 10\x00" <sip:0639980101@b>')
    assert call.caller_text == "1010 00 99 10"


# --- whatever comes --------------------------------------------------------------------------

JUNK = [
    "0199001001",
    "<sip:0199001005@b>",
    "<sip:0536490702@b>;reason=no-answer",
    "<sip:1@b?Reason=x>;index=1.1.1",
    "<sip:anonymous@anonymous.invalid>",
    "id",
    '"',
    "<",
    "sip:,;?&=",
    "\x00" * 9000,
    "a," * 5000,
]
junk = st.text(max_size=30) | st.sampled_from(JUNK)
raw_headers = st.builds(
    RawHeaders,
    junk,
    from_=junk,
    to=junk,
    p_asserted_identity=junk,
    privacy=junk,
    p_called_party_id=junk,
    did_header=junk,
    diversion=st.lists(junk, max_size=8).map(tuple),
    history_info=st.lists(junk, max_size=8).map(tuple),
    caller_number=junk,
    caller_name=junk,
)
places = st.sampled_from(["request_uri", "to", "p_called_party_id", "header:X-Called", "header:\x00", "?"])


@settings(deadline=None)
@given(raw_headers, places)
def test_every_call_gets_a_client_whatever_its_headers_hold(raw, did_in):
    call = identify(raw, Trunk("t", (), did_in), BOOK)
    assert call.client in CONFIGURATION.clients
    assert call.why
    assert (call.forward_reason is None) == (not call.diversions)
    if call.anonymous:
        assert (call.caller, call.caller_text) == (None, "")
    for text in texts_of(call):
        assert text.isprintable()
        assert len(text) < 400


def test_the_book_keeps_the_order_of_the_configuration_and_each_client_once():
    twice = client("x", Line(SHARED, "+33261912010"), Line(SHARED, "+33261912011"))
    book = NumberBook.of(
        Configuration(
            **{
                **{each.name: getattr(CONFIGURATION, each.name) for each in fields(CONFIGURATION)},
                "clients": {**CONFIGURATION.clients, "x": twice},
            }
        )
    )
    assert book.clients_of(SHARED) == ("kine-roux", "kine-ferrand", "x")
    assert book.clients_of("+33199001099") == ()
    assert book.forwarded[SHARED, "+33261912011"] == "x"
