from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom.core.journal import CallRecord, Entry
from autocom.journal.database import normalise_url
from autocom.journal.rows import call_row, clean, instant, text


@pytest.mark.parametrize(
    "given_url",
    [
        "postgresql://u:p%40ss@db.example:5433/autocom",
        "postgres://u:p%40ss@db.example:5433/autocom",
        "postgresql+psycopg2://u:p%40ss@db.example:5433/autocom",
        "postgresql+asyncpg://u:p%40ss@db.example:5433/autocom",
        "postgresql+psycopg://u:p%40ss@db.example:5433/autocom",
        "  postgresql://u:p%40ss@db.example:5433/autocom\n",
    ],
)
def test_every_spelling_of_a_postgresql_url_means_our_driver(given_url):
    assert normalise_url(given_url) == "postgresql+psycopg://u:p%40ss@db.example:5433/autocom"


def test_the_options_of_a_url_stay_and_asyncpgs_ssl_becomes_libpqs():
    assert normalise_url("postgresql://h/d?host=/run/pg&sslmode=require").endswith(
        "?host=%2Frun%2Fpg&sslmode=require"
    )
    assert normalise_url("postgresql+asyncpg://h/d?ssl=require").endswith("?sslmode=require")


@pytest.mark.parametrize("bad", ["sqlite:///x", "mysql://u:secret@h/d", "secret", "", "://secret"])
def test_what_is_no_postgresql_url_is_refused_without_showing_it(bad):
    with pytest.raises(ValueError) as refused:
        normalise_url(bad)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("raw", "stored"),
    [
        ("Léa 👩", "Léa 👩"),
        ("a\0b", "a\ufffdb"),
        ("a\ud83d", "a\ufffd"),
        ("\udc69\ud83d", "\ufffd\ufffd"),
        ("\ud83d\udc69", "👩"),
    ],
)
def test_text_that_postgresql_cannot_store_becomes_a_replacement_character(raw, stored):
    assert text(raw) == stored


@given(st.text(st.characters()))
def test_any_text_becomes_one_that_is_utf8_without_nul(raw):
    assert "\0" not in text(raw).encode().decode()


def test_json_is_cleaned_at_every_depth():
    raw = {"a\0": [float("nan"), float("-inf"), 1.5, {"b": "\ud800", "c": (True, None, 3)}]}

    assert clean(raw) == {"a\ufffd": [None, None, 1.5, {"b": "\ufffd", "c": [True, None, 3]}]}


@pytest.mark.parametrize("at", [1e17, -1e17, 1e300])
def test_an_instant_of_no_calendar_is_a_value_error(at):
    with pytest.raises(ValueError):
        instant(at)


def test_an_instant_is_rounded_to_the_millisecond():
    assert instant(1_764_000_000.12351).microsecond == 124_000


def test_a_call_without_entries_has_no_row():
    with pytest.raises(ValueError):
        call_row(CallRecord("c1"), "main")


def test_entries_compare_by_value():
    assert Entry(1.0, "arrived", "c1", {"a": 1}) == Entry(1.0, "arrived", "c1", {"a": 1})
