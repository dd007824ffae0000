"""What a team lead may say for a while, which word replaces which, and how a person writes its end."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom.core.codec import Codec
from autocom.core.overrides import (
    LONGEST,
    Override,
    in_force,
    next_end,
    of_hours,
    of_team,
    read_until,
    refusal,
    replaced_by,
)

PARIS = "Europe/Paris"


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(PARIS)).timestamp()


NOW = at("2026-11-23 10:00")


def said(kind: str, until: float = NOW + 60, team: str | None = None) -> Override:
    return Override("lilas", kind, until, "chef", NOW, team)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("11:00", "2026-11-23 11:00"),
        ("11h00", "2026-11-23 11:00"),
        ("09:30", "2026-11-24 09:30"),
        ("10:00", "2026-11-24 10:00"),
        ("24:00", "2026-11-24 00:00"),
        ("90m", "2026-11-23 11:30"),
        ("2h", "2026-11-23 12:00"),
        ("1d", "2026-11-24 10:00"),
        ("2026-11-23 18:15", "2026-11-23 18:15"),
        ("2026-11-23T17:15:00+00:00", "2026-11-23 18:15"),
    ],
)
def test_an_end_is_read_as_people_write_it(written: str, meant: str) -> None:
    assert read_until(written, PARIS, NOW) == at(meant)


@pytest.mark.parametrize("written", ["", "soon", "25:00", "11:60", "2026-13-01 10:00", "-2h", "2 h"])
def test_another_end_is_refused_with_how_to_write_it(written: str) -> None:
    with pytest.raises(ValueError, match="write 11:00"):
        read_until(written, PARIS, NOW)


@given(st.text(max_size=30))
def test_any_text_is_an_instant_or_a_refusal(written: str) -> None:
    try:
        assert isinstance(read_until(written, PARIS, NOW), float)
    except ValueError as error:
        assert "write 11:00" in str(error)  # noqa: PT017 - either is right


def test_the_hour_of_an_end_is_the_one_on_the_wall_also_when_the_clock_changes_meanwhile() -> None:
    evening = at("2026-10-24 20:00")
    assert read_until("06:00", PARIS, evening) - evening == 11 * 3600


def test_a_new_word_replaces_one_of_its_sort_and_leaves_the_other() -> None:
    kept = replaced_by((said("closed"), said("team", team="legal")), said("open"))
    assert [override.kind for override in kept] == ["team", "open"]
    assert of_hours(kept, NOW) == said("open")
    assert of_team(kept, NOW) == said("team", team="legal")


def test_an_override_holds_from_its_beginning_until_just_before_its_end() -> None:
    override = said("closed")
    assert in_force((override,), NOW) == (override,)
    assert in_force((override,), NOW + 60) == ()
    assert of_hours((override,), NOW - 1) is None
    assert next_end((override, said("team", NOW + 30, "legal")), NOW) == NOW + 30
    assert next_end((override,), NOW + 60) is None


@pytest.mark.parametrize(
    ("override", "why"),
    [
        (said("closed"), None),
        (said("team", team="legal"), None),
        (said("sleep"), "is not one of"),
        (said("closed", team="legal"), "a team belongs"),
        (said("team"), "a team belongs"),
        (said("closed", NOW), "in the past"),
        (said("closed", NOW + LONGEST + 1), "longer than 7 days"),
    ],
)
def test_what_cannot_be_said_is_refused_with_the_reason(override: Override, why: str | None) -> None:
    found = refusal(override, NOW)
    assert found == why if why is None else why in (found or "")


def test_an_override_comes_back_from_where_it_is_stored() -> None:
    codec = Codec((Override,))
    override = said("team", team="legal")
    assert codec.load(Override, codec.dump(override)) == override
