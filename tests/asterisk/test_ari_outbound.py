from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autocom.asterisk.ari import outbound
from autocom.calls.ports import Outbound


@settings(deadline=None)
@given(st.text() | st.text(alphabet='\r\n\t\0\x7f\x85\u2028\u2029\ud800aé"\\:;,<>', max_size=60))
def test_no_text_can_start_another_header(text):
    line = outbound.one_line(text)
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in line)
    assert "\n" not in line
    line.encode("utf-8")


@settings(deadline=None)
@given(st.text(), st.text())
def test_whatever_a_caller_calls_himself_an_invite_stays_an_invite(display, value):
    leg = Outbound("ring-c1-1-lea", "PJSIP/lea", display, None, {"X-Autocom-Phrase": value})
    variables = outbound.variables(leg)
    assert set(variables) == {
        "CONNECTEDLINE(name,i)",
        "CONNECTEDLINE(num,i)",
        "PJSIP_HEADER(add,X-Autocom-Phrase)",
    }
    assert len(variables["CONNECTEDLINE(name,i)"]) <= outbound.MAX_DISPLAY
    assert len(variables["PJSIP_HEADER(add,X-Autocom-Phrase)"].encode()) <= outbound.MAX_HEADER_BYTES


@settings(deadline=None)
@given(st.text(alphabet="é€😀", min_size=200, max_size=900))
def test_a_long_header_is_cut_between_characters(text):
    leg = Outbound("ring-c1-1-lea", "PJSIP/lea", "x", None, {"X-Long": text})
    assert text.startswith(outbound.variables(leg)["PJSIP_HEADER(add,X-Long)"])


@pytest.mark.parametrize(
    ("number", "user"),
    [
        ("+33261912010", "+33261912010"),
        (None, "anonymous"),
        ("", "anonymous"),
        ("<sip:x@y>;\r\nEvil: 1", "sipxyEvil1"),
        ("@@@", "anonymous"),
        ("0" * 200, "0" * 64),
    ],
)
def test_the_user_of_from_is_a_number_or_anonymous(number, user):
    assert outbound.user_part(number) == user


@pytest.mark.parametrize("name", ["", "X Y", "X:Y", "X)", "1X", "é", "X\r\nY", "X,Y", "x" * 80])
def test_a_header_name_that_is_none_is_an_error(name):
    with pytest.raises(ValueError, match="header name"):
        outbound.variables(Outbound("ring-c1-1-lea", "PJSIP/lea", "x", None, {name: "v"}))


def test_a_browser_is_rung_at_its_own_endpoint():
    assert outbound.phone("lea") == "PJSIP/lea"
    assert outbound.phone("lea", in_browser=True) == "PJSIP/lea@web"


@pytest.mark.parametrize(
    "secretary", ["", "lea/x", "lea&PJSIP/zoe", "lea@trunk-operator", "../x", "lea,1", "é"]
)
def test_a_secretarys_id_is_never_a_dial_string(secretary):
    with pytest.raises(ValueError, match="secretary"):
        outbound.phone(secretary)


def test_an_outside_number_goes_through_its_trunk():
    assert outbound.outside("+33639981011", "operator") == "PJSIP/+33639981011@trunk-operator"


@pytest.mark.parametrize(
    ("number", "trunk"),
    [
        ("0639981011", "operator"),
        ("+33639981011@evil", "operator"),
        ("+", "operator"),
        ("+33639981011", ""),
        ("+33639981011", "a/b"),
        ("+33639981011\n", "operator"),
        ("+٣٣٦٣٩٩٨١٠١١", "operator"),
    ],
)
def test_a_malformed_outside_call_is_an_error(number, trunk):
    with pytest.raises(ValueError, match=r"E\.164"):
        outbound.outside(number, trunk)
