"""What a terminal and a softphone show of a text, to the letter."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autocom.calls.ports import Gone, TelephoneDown
from autocom.commands.texts import line
from autocom.core.texting import MOST_PARTS, body_of
from autocom.core.texts import Attachment, Incoming, Outgoing, TextProvider, is_reference, reference
from autocom.journal.texts import as_told
from autocom.lane import Refused, Unreachable
from autocom.texts import office, words
from autocom.texts.office import _listed
from autocom.texts.trunk import TrunkProvider
from tests.support.exchange_in_memory import client
from tests.texts.office import Phones

PARIS = ZoneInfo("Europe/Paris")
AT = 1_795_510_800.25
LILAS = client("lilas", "+33199001001", display="Cab. Lilas")
CAME = Incoming(
    "ti1", "4F7K2M", "op", "lilas", "Bonjour", AT, AT, did="+33199001001", peer="+33639980101",
    attachments=(Attachment("ab" * 32, "image/png", 216),),
)  # fmt: skip
WENT = Outgoing("to1", "9ABCDE", "op", None, "+33199001000", "+33639980202", "Oui", AT, AT, since=AT)


@pytest.mark.parametrize(
    ("text", "language", "shown"),
    [
        (CAME, "fr", "2026-11-24 10:00  4F7K2M  lilas                <- +33639980101   reçu  [1 p.j.]"),
        (
            replace(CAME, discreet=True, shown=("lea",)),
            "en",
            "2026-11-24 10:00  4F7K2M  lilas                <- withheld       shown  [1 att.]",
        ),
        (WENT, "fr", "2026-11-24 10:00  9ABCDE  (bureau)             -> +33639980202   à envoyer"),
        (
            replace(WENT, state="failed", error="no such number"),
            "en",
            "2026-11-24 10:00  9ABCDE  (bureau)             -> +33639980202   failed  no such number",
        ),
        (
            replace(WENT, state="sent"),
            "en",
            "2026-11-24 10:00  9ABCDE  (bureau)             -> +33639980202   sent",
        ),
    ],
)
def test_a_line_of_the_list(text: Incoming | Outgoing, language: str, shown: str) -> None:
    assert line(_listed(as_told(text)), PARIS, language) == shown


@pytest.mark.parametrize(
    ("text", "body"),
    [
        (CAME, "Bonjour\n[1 attachment: autocom text 4F7K2M]"),
        (replace(CAME, body="", attachments=()), "[without text]"),
        (
            replace(CAME, body="", attachments=(), media=("a", "b")),
            "[2 attachments: autocom text 4F7K2M]",
        ),
        (
            replace(CAME, lost=2),
            "Bonjour\n[1 attachment: autocom text 4F7K2M]\n[2 attachments were not kept]",
        ),
        (
            replace(CAME, attachments=(), flags=("incomplete", "unknown_did")),
            "Bonjour\n[a part of it is missing]",
        ),
        (
            replace(CAME, discreet=True, body="secret"),
            "1 message for Cab. Lilas, ref. 4F7K2M. To read it: autocom text 4F7K2M",
        ),
    ],
)
def test_what_her_phone_shows(text: Incoming, body: str) -> None:
    (shown,) = words.shown(text, LILAS, "en")
    assert shown.body == body


@pytest.mark.parametrize(
    ("peer", "sender", "display"),
    [
        ("+33639980101", "", "Cab. Lilas · 06 39 98 01 01"),
        (None, "Doctolib", "Cab. Lilas · Doctolib"),
        (None, "", "Cab. Lilas · numéro masqué"),
    ],
)
def test_who_wrote_is_behind_the_client(peer: str | None, sender: str, display: str) -> None:
    (shown,) = words.shown(replace(CAME, peer=peer, sender=sender), LILAS, "fr")
    assert shown.display == display
    assert shown.user == (f"{peer}*lilas" if peer else "4F7K2M*lilas")


@settings(deadline=None)
@given(st.text(max_size=4000))
def test_pieces_fit_into_a_message_and_together_are_the_text(body: str) -> None:
    clean = body_of(body)
    found = words.pieces(clean)
    assert all(len(piece.encode()) <= words.PIECE for piece in found)
    if len(found) > 1:
        assert "".join(piece.partition(") ")[2] for piece in found) == clean
    else:
        assert found == [clean]


@settings(deadline=None)
@given(st.text())
def test_nothing_that_could_forge_a_screen_is_kept(body: str) -> None:
    kept = body_of(body)
    assert not set(kept) & set("\0\r\x1b\u202e\u2066\u200e\ufeff")
    assert body_of(kept) == kept


def test_emoji_families_and_line_ends_are_kept() -> None:
    assert body_of("\r\n👨‍👩‍👧‍👦 oui\r\nnon\rpeut-être  ") == "👨‍👩‍👧‍👦 oui\nnon\npeut-être"


@settings(deadline=None)
@given(st.text(min_size=1))
def test_every_text_has_a_reference_that_can_be_read_out(name: str) -> None:
    assert is_reference(reference(name))
    assert not set(reference(name)) & set("01IO")


def test_every_refusal_is_said_to_programs_and_to_secretaries_in_both_languages() -> None:
    assert str(MOST_PARTS) in office.WHY["too_long"]
    for why in office.WHY:
        assert words.refusal("fr", why).startswith("Texto non envoyé")
        assert words.refusal("en", why).startswith("Text not sent")


@pytest.mark.parametrize(
    ("error", "becomes"),
    [
        (TelephoneDown("away"), Unreachable),
        (Gone("no trunk"), Unreachable),
        (ValueError("no number"), Refused),
    ],
)
async def test_a_trunk_takes_a_text_in_pieces_and_says_why_it_does_not(
    error: Exception, becomes: type[Exception]
) -> None:
    provider = TextProvider("sip", "trunk", trunk="operator", host="sip.example")
    phones = Phones()
    made = TrunkProvider(provider, phones)
    assert await made.send(replace(WENT, body="é" * 800), 0) == ""
    assert [(trunk, host, to, sender) for trunk, host, to, sender, _ in phones.outside] == [
        ("operator", "sip.example", "+33639980202", "+33199001000")
    ] * 2
    phones.failure = error
    with pytest.raises(becomes):
        await made.send(WENT, 0)
