"""What `autocom alerts` prints, in both languages."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from autocom.commands.alerts import SENTENCES, told
from autocom.speech import Speech

PARIS = ZoneInfo("Europe/Paris")
ROW = {
    "alert": "no_secretary", "subject": "medical", "severity": "critical", "since": "2026-11-24T09:00:00.250Z",
    "over": "2026-11-24T09:30:00Z", "count": 1, "detail": "Lilas",
    "text": {
        "fr": {"title": "Personne pour medical", "sentence": "Connectez quelqu'un."},
        "en": {"title": "Nobody for medical", "sentence": "Log somebody in."},
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        (
            "fr",
            [
                "CRITIQUE   depuis 2026-11-24 10:00:00  Personne pour medical",
                "           Connectez quelqu'un.",
            ],
        ),
        ("en", ["CRITICAL   since 2026-11-24 10:00:00  Nobody for medical", "           Log somebody in."]),
    ],
)
def test_an_alert_is_a_line_and_what_to_do(language: str, lines: list[str]) -> None:
    found = list(told({"active": [ROW], "recent": []}, Speech(SENTENCES, language), PARIS))
    assert "\n".join(found).splitlines() == lines


def test_what_is_over_is_a_line_and_health_is_said() -> None:
    found = list(told({"active": [], "recent": [ROW]}, Speech(SENTENCES, "en"), PARIS))
    assert found == [
        "nothing is wrong",
        "over       2026-11-24 10:00:00 – 2026-11-24 10:30:00  Nobody for medical",
    ]


def test_an_exchange_that_has_just_started_has_nothing_to_say() -> None:
    assert list(told({}, Speech(SENTENCES, "fr"), PARIS)) == ["rien à signaler"]
