"""Who may hear whom: teams, windows, modes, secrets."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

import pytest

from autocom.core.ingress import Identity
from autocom.core.model import Configuration, Supervision, Team, TimeRange
from autocom.core.stages import Held, Talking
from autocom.core.story import Call, Story
from autocom.core.supervision import (
    Allowed,
    Denied,
    allowed,
    conversation,
    mode_for,
    next_secretary,
    refused,
    said,
)
from tests.support.exchange_in_memory import client, configuration
from tests.support.virtual import EPOCH

NINE_TO_SIX = {day: (TimeRange(time(9), time(18)),) for day in range(1, 6)}
DAY = 86400.0
# EPOCH is a Monday, 16:13:20 in Paris
SIX = EPOCH + 6400.0


def bureau(**windows: Supervision | None) -> Configuration:
    """Awa leads `medical` and `general`; Lea is in both, Ines in general alone."""
    made = configuration(
        client("lilas", "+33199001001"),
        lea={"medical": 1, "general": 2},
        ines={"general": 1},
        awa={"leading": 1},
        rose={"leading": 1},
    )
    teams = {
        name: Team(name, leads=("awa",), supervision=windows.get(name)) for name in ("medical", "general")
    }
    return replace(made, teams={**teams, "leading": Team("leading")})


def call(made: Configuration, *, direction: str = "in", **changes: object) -> Call:
    whose = replace(made.clients["lilas"], **changes)  # type: ignore[arg-type]
    identity = Identity(whose.id, None, "", None, "", anonymous=False)
    return Call("c1", "chan-1", EPOCH, None, identity, whose, "", "", "", "v1", direction=direction)


def of(call_id: str, secretary: str, joined: float | None, held: Held | None = None) -> Story:
    made = call(bureau())
    return Story(replace(made, id=call_id), Talking(secretary, f"leg-{call_id}", 1, None, joined, held=held))


@pytest.mark.parametrize(
    ("lead", "secretary", "at", "why"),
    [
        ("awa", "lea", EPOCH, None),
        ("awa", "lea", SIX, "outside_window"),
        ("awa", "lea", EPOCH + 5 * DAY, "outside_window"),
        ("awa", "ines", EPOCH, "no_window"),
        ("rose", "lea", EPOCH, "not_lead"),
        ("lea", "ines", EPOCH, "not_lead"),
        ("awa", "awa", EPOCH, "oneself"),
        ("awa", "leo", EPOCH, "unknown"),
        ("leo", "lea", EPOCH, "unknown"),
    ],
)
def test_a_lead_hears_those_of_her_teams_within_the_window_and_nobody_else(
    lead: str, secretary: str, at: float, why: str | None
) -> None:
    found = allowed(bureau(medical=Supervision(NINE_TO_SIX)), lead, secretary, None, at)
    assert (found.why if isinstance(found, Denied) else None) == why


def test_it_is_known_when_the_window_ends() -> None:
    found = allowed(bureau(medical=Supervision(NINE_TO_SIX)), "awa", "lea", None, EPOCH)
    assert found == Allowed(frozenset({"listen", "whisper", "barge"}), SIX, beep=False)


def test_of_two_teams_each_allows_what_it_declares() -> None:
    made = bureau(
        medical=Supervision(NINE_TO_SIX, ("listen",), beep=True),
        general=Supervision({1: (TimeRange(time(9), time(17)),)}, ("whisper",)),
    )
    assert allowed(made, "awa", "lea", None, EPOCH) == Allowed(
        frozenset({"listen", "whisper"}), SIX - 3600.0, beep=True
    )
    later = allowed(made, "awa", "lea", None, SIX - 60.0)
    assert isinstance(later, Allowed)
    assert later.modes == frozenset({"listen"})


@pytest.mark.parametrize("profile", ["medical", "legal"])
def test_secrets_need_a_window_of_their_own_and_the_stricter_of_two_versions_counts(profile: str) -> None:
    made = bureau(medical=Supervision(NINE_TO_SIX), general=None)
    now = {"lilas": replace(made.clients["lilas"], profile=profile)}
    assert allowed(made, "awa", "lea", call(made, profile=profile), EPOCH) == Denied("confidential")
    assert allowed(replace(made, clients=now), "awa", "lea", call(made), EPOCH) == Denied("confidential")
    assert isinstance(allowed(made, "awa", "lea", call(made), EPOCH), Allowed)
    trusted = bureau(
        medical=Supervision(NINE_TO_SIX, ("listen",), confidential=True), general=Supervision(NINE_TO_SIX)
    )
    found = allowed(trusted, "awa", "lea", call(made, profile=profile), EPOCH)
    assert isinstance(found, Allowed)
    assert found.modes == frozenset({"listen"}), "what the other team allows is not for secrets"


@pytest.mark.parametrize("changes", [{"direction": "internal"}, {"id": ""}])
def test_what_is_no_clients_call_is_private(changes: dict[str, str]) -> None:
    made = bureau(medical=Supervision(NINE_TO_SIX, confidential=True))
    about = call(made, **changes)  # type: ignore[arg-type]
    assert allowed(made, "awa", "lea", about, EPOCH) == Denied("private")


def test_the_conversation_is_the_one_she_talks_in() -> None:
    held = Held(EPOCH, "phone")
    stories = [of("c1", "lea", 1.0), of("c2", "lea", 5.0, held), of("c3", "ines", 9.0), of("c4", "lea", None)]
    found = conversation(iter(stories), "lea")
    assert found is not None
    assert found.call.id == "c1"
    alone = conversation(iter([of("c2", "lea", 5.0, held)]), "lea")
    assert alone is not None
    assert alone.call.id == "c2"
    assert conversation(iter([]), "lea") is None


def test_the_next_one_comes_round_and_only_who_talks() -> None:
    made = bureau(medical=Supervision(NINE_TO_SIX))
    assert next_secretary(made, "awa", "lea", frozenset({"lea", "ines"})) == "ines"
    assert next_secretary(made, "awa", "ines", frozenset({"lea", "ines"})) == "lea"
    assert next_secretary(made, "awa", "lea", frozenset({"lea", "rose"})) is None


def test_a_mode_that_is_not_allowed_falls_back_to_the_quietest_that_is() -> None:
    assert mode_for("barge", frozenset({"barge", "listen"})) == "barge"
    assert mode_for("barge", frozenset({"whisper", "listen"})) == "listen"
    assert mode_for("listen", frozenset()) is None


@pytest.mark.parametrize("language", ["fr", "en"])
def test_everything_that_is_said_has_words(language: str) -> None:
    texts = {said(what, "Awa", mode, language) for what, mode in (
        ("started", "listen"), ("mode", "whisper"), ("mode", "barge"), ("ended", "listen"),
    )}  # fmt: skip
    assert len(texts) == 4
    assert all("Awa" in text for text in texts)
    for why in (
        "unknown",
        "oneself",
        "not_lead",
        "no_window",
        "outside_window",
        "mode",
        "private",
        "confidential",
    ):
        assert refused(why, language)
