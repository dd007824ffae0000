"""What the softphone shows before it is picked up."""

from __future__ import annotations

from dataclasses import replace

from autocom.core.ingress import Identity
from autocom.core.presentation import invitation
from autocom.core.stages import Call
from tests.support.exchange_in_memory import client

WHO = Identity("lilas", "+33199001001", "0199001001", "+33639980101", "Jean D", anonymous=False)
CALL = Call(
    "c1",
    "chan-1",
    0.0,
    "operator",
    WHO,
    client("lilas", "+33199001001", display="Cab. Lilas", phrase="Bonjour.", card="https://agenda.example/l"),
    "open",
    "rejected",
    "rejected",
    "v1",
)


def test_the_client_comes_first_then_the_caller_as_people_write_his_number() -> None:
    shown = invitation(CALL)
    assert shown.display == "Cab. Lilas · 06 39 98 01 01"
    assert shown.number == "+33639980101"
    assert shown.headers["X-Autocom-Call"] == "c1"
    assert shown.headers["X-Autocom-Phrase"] == '"Bonjour."'
    assert shown.headers["Call-Info"] == "<https://agenda.example/l>;purpose=info"


def test_a_withheld_number_is_masked_in_the_language_of_the_house() -> None:
    hidden = replace(CALL, identity=replace(WHO, caller=None, caller_text="", anonymous=True))
    assert invitation(hidden).display == "Cab. Lilas · Masqué"
    assert invitation(hidden, "en").display == "Cab. Lilas · Withheld"
    assert invitation(hidden).number is None


def test_a_foreign_caller_is_shown_in_international_form() -> None:
    abroad = replace(CALL, identity=replace(WHO, caller="+41215550101"))
    assert invitation(abroad).display == "Cab. Lilas · +41215550101"


def test_a_caller_whose_number_is_none_is_shown_by_what_he_sent() -> None:
    odd = replace(CALL, identity=replace(WHO, caller=None, caller_text="Standard\x07 " + "x" * 80))
    shown = invitation(odd)
    assert shown.display == "Cab. Lilas · Standard " + "x" * 15
    assert shown.number is None


def test_headers_with_nothing_to_say_are_left_out() -> None:
    bare = replace(CALL, client=client("bare", "+33199001001"))
    assert "Call-Info" not in invitation(bare).headers
    assert "X-Autocom-Phrase" not in invitation(bare).headers


def test_a_phrase_with_quotes_stays_one_quoted_string() -> None:
    odd = replace(CALL, client=client("odd", "+33199001001", phrase='Cabinet "Lilas" \\ été'))
    assert invitation(odd).headers["X-Autocom-Phrase"] == '"Cabinet \\"Lilas\\" \\\\ été"'
