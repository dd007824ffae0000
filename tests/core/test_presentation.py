"""What the softphone shows before it is picked up."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from autocom.core.ingress import Identity
from autocom.core.model import Closure, ForwardReason
from autocom.core.presentation import invitation
from autocom.core.story import Call
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


def test_a_call_back_says_so_within_the_twenty_characters_of_the_client() -> None:
    shown = invitation(CALL, callback=True)
    assert shown.display == "Rappel Cab. Lilas · 06 39 98 01 01"
    assert shown.headers["X-Autocom-Callback"] == "1"
    assert invitation(CALL, "en", callback=True).display == "Callback Cab. Lilas · 06 39 98 01 01"
    long = replace(CALL, client=replace(CALL.client, display="Cabinet des Tilleuls"))
    assert invitation(long, callback=True).display.partition(" · ")[0] == "Rappel Cabinet des T"
    assert "X-Autocom-Callback" not in invitation(CALL).headers


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


def test_the_phrase_is_the_one_for_the_reason_why_the_line_was_forwarded() -> None:
    phrases = {ForwardReason.NO_ANSWER: "Je prends le relais.", ForwardReason.BUSY: "La ligne est occupée."}
    owner = client("lilas", "+33199001001", phrase="Bonjour.", phrases=phrases)

    def shown(reason: ForwardReason | None) -> dict[str, str]:
        return invitation(replace(CALL, client=owner, identity=replace(WHO, forward_reason=reason))).headers

    assert shown(ForwardReason.NO_ANSWER)["X-Autocom-Phrase"] == '"Je prends le relais."'
    assert shown(ForwardReason.BUSY)["X-Autocom-Phrase"] == '"La ligne est occupée."'
    assert shown(ForwardReason.UNCONDITIONAL)["X-Autocom-Phrase"] == '"Bonjour."'
    assert shown(None)["X-Autocom-Phrase"] == '"Bonjour."'
    assert shown(ForwardReason.NO_ANSWER)["X-Autocom-Forwarded"] == "no-answer"
    assert "X-Autocom-Forwarded" not in shown(None)
    assert "X-Autocom-Forwarded" not in shown(ForwardReason.UNKNOWN)


def test_an_absence_in_force_is_named_with_its_end() -> None:
    away = Closure(
        datetime.fromisoformat("2026-12-21"),
        datetime.fromisoformat("2027-01-03T08:00"),
        'Congés d\'été "bis"',
    )
    assert invitation(CALL, absence=away).headers["X-Autocom-Absence"] == (
        '"Congés d\'été \\"bis\\"";until=2027-01-03T08:00'
    )
    assert "X-Autocom-Absence" not in invitation(CALL).headers
