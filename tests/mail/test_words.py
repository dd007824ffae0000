"""What stands in mails, and that a caller's own text cannot be more than text."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import SMTP as WIRE
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom.core.letters import Alert, Letter, Note, VoiceNotice
from autocom.mail.route import Parcel
from autocom.mail.smtp import compose
from autocom.mail.words import words

SENDER = "secretariat@tilleuls.example"
AT = 1_790_000_000.0  # 2026-09-21 16:13:20 in Paris


def notice(caller: str | None = "06 39 98 01 01", *, discreet: bool = False, seconds: float | None = 65.0):
    client = "" if discreet else "Cabinet des Lilas"
    return VoiceNotice(
        "voice-c1-1", "4F7K", client, "Tilleuls", AT, "Europe/Paris", seconds, caller, discreet
    )


def letter(content: object, language: str = "fr") -> Letter:
    return Letter("voice-c1-1-to-1", "a@lilas.example", AT, language, content, "c1", "lilas")  # type: ignore[arg-type]


def test_a_notice_says_who_called_whom_when_and_for_how_long() -> None:
    subject, body = words(letter(notice()), has_audio=True)
    assert subject == "Message vocal pour Cabinet des Lilas : 06 39 98 01 01"
    for word in ("Cabinet des Lilas", "06 39 98 01 01", "21/09/2026 à 16:13", "1 min 05 s", "4F7K", "joint"):
        assert word in body
    subject, body = words(letter(notice(None, seconds=None), "en"), has_audio=False)
    assert subject == "Voice message for Cabinet des Lilas: number withheld"
    assert "could not be retrieved" in body
    assert "unknown" in body


@pytest.mark.parametrize(
    ("language", "subject"), [("fr", "1 message, réf. 4F7K"), ("en", "1 message, ref. 4F7K")]
)
def test_a_discreet_notice_has_a_reference_and_nothing_else(language: str, subject: str) -> None:
    # also where a row of another version holds more than it may
    found, body = words(letter(notice("06 39 98 01 01", discreet=True), language), has_audio=False)
    assert found == subject
    assert "4F7K" in body
    assert "Lilas" not in body
    assert "39 98" not in body


def test_an_alert_tells_the_supervisor_what_happened_and_what_to_do() -> None:
    alert = Alert("no_answer_pause", "lea", "Tilleuls", AT, "Europe/Paris", {"misses": "3"})
    subject, body = words(letter(alert), has_audio=False)
    assert subject == "lea a été mise en pause : appels sans réponse"
    assert "3 appels" in body
    assert "autocom secretary lea resume" in body
    limit = Alert(
        "outgoing_limit",
        "lea",
        "Tilleuls",
        AT,
        "Europe/Paris",
        {"secretary": "lea", "what": "per_hour", "used": "10", "limit": "20"},
    )
    subject, body = words(letter(limit), has_audio=False)
    assert subject == "lea : beaucoup d'appels sortants"
    assert "10 sur 20 (per_hour)" in body
    subject, body = words(
        letter(Alert("new_kind", "x", "T", AT, "Europe/Paris", {"n": "1"})), has_audio=False
    )
    assert "new_kind" in subject
    assert "n: 1" in body


def test_the_mail_has_a_derived_id_a_date_and_asks_for_no_absence_note() -> None:
    message = compose(Parcel(letter(notice()), "Sujet", "Corps"), SENDER)
    assert message["Message-ID"] == "<voice-c1-1-to-1@tilleuls.example>"
    assert message["Date"] == "Mon, 21 Sep 2026 14:13:20 +0000"
    assert message["Auto-Submitted"] == "auto-generated"
    assert compose(Parcel(letter(notice()), "Sujet", "Corps"), SENDER).as_bytes() == message.as_bytes()


def test_the_recording_is_attached_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "voice-c1-1.wav").write_bytes(b"RIFF" + bytes(range(256)))
    parcel = Parcel(letter(notice()), "Sujet", "Corps", tmp_path / "voice-c1-1.wav")
    parsed = message_from_bytes(compose(parcel, SENDER).as_bytes(), policy=WIRE)
    (attachment,) = parsed.iter_attachments()  # type: ignore[attr-defined]
    assert attachment.get_filename() == "voice-c1-1.wav"
    assert attachment.get_content() == b"RIFF" + bytes(range(256))


HOSTILE = st.text(
    st.one_of(st.sampled_from('\r\n\0\t<>@,;:"\\=?{}%é\u2028\u202e'), st.characters(codec="utf-8")),
    max_size=80,
)


@given(HOSTILE, HOSTILE)
def test_whatever_a_caller_calls_himself_no_header_is_added_and_nobody_else_is_written_to(
    caller: str, text: str
) -> None:
    for content in (notice(caller), Note(text, caller)):
        made = letter(content)
        subject, body = words(made, has_audio=False)
        raw = compose(Parcel(made, subject, body), SENDER).as_bytes()
        parsed = message_from_bytes(raw, policy=WIRE)
        assert sorted(parsed.keys()) == sorted(
            [
                "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version",
                "Content-Type", "Content-Transfer-Encoding",
            ]
        )  # fmt: skip
        assert parsed["To"] == "a@lilas.example"
        assert parsed["From"] == SENDER


def test_a_line_break_in_a_callers_name_stays_in_the_subject() -> None:
    hostile = "Léa\r\nBcc: everybody@example.org\r\n\r\nHello"
    made = letter(notice(hostile))
    subject, body = words(made, has_audio=False)
    parsed = message_from_bytes(compose(Parcel(made, subject, body), SENDER).as_bytes(), policy=WIRE)
    assert parsed["Bcc"] is None
    assert "Bcc: everybody@example.org" in parsed["Subject"]
