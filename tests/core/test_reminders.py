"""Whose turn it is on a call list, what becomes of him, and how a list is read from CSV."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom.core.reminders import (
    AGAIN_AFTER,
    KEPT_FOR,
    TRIES,
    Item,
    after_call,
    after_result,
    forgotten,
    in_hours,
    next_item,
    read_csv,
)
from autocom.core.results import LIST_RESULTS, RESULTS, last_call, result

NOW = 1_790_000_000.0
ITEM = Item("r1", "lilas", "+33639981234", "Mme Roux", "RDV", added_at=NOW)


def test_the_one_who_is_due_the_longest_is_next():
    early = replace(ITEM, id="r2", not_before=NOW - 60)
    late = replace(ITEM, id="r3", not_before=NOW + 60)
    assert next_item([ITEM, early, late], NOW) == early
    assert next_item([late], NOW) is None
    assert next_item([late], NOW + 60) == late


@given(st.lists(st.sampled_from([ITEM, replace(ITEM, call="c1"), replace(ITEM, done_at=NOW)])))
def test_nobody_is_called_who_is_being_called_or_is_done(items: list[Item]):
    found = next_item([replace(item, id=f"r{n}") for n, item in enumerate(items)], NOW)
    assert (found is None) == (ITEM not in items)
    assert found is None or found.state == "open"


def test_who_does_not_answer_comes_up_again_and_is_given_up_at_last():
    item = ITEM
    for tries in range(1, TRIES):
        item = after_call(replace(item, call="c1"), "timeout", NOW)
        assert (item.state, item.tries, item.not_before) == ("open", tries, NOW + AGAIN_AFTER)
    item = after_call(replace(item, call="c1"), "failed", NOW)
    assert (item.state, item.result, item.note) == ("done", "given_up", "")


def test_who_answered_is_done_with_what_she_says_of_it_before_or_after_the_end():
    during = after_result(replace(ITEM, call="c1"), "confirmed", NOW)
    assert during.state == "under_way"
    assert (after_call(during, "served", NOW).result, after_call(during, "served", NOW).note) == (
        "confirmed",
        "",
    )
    afterwards = after_call(replace(ITEM, call="c1"), "served", NOW)
    assert (afterwards.state, afterwards.result, afterwards.last_call) == ("done", "reached", "c1")
    assert after_result(afterwards, "cancelled", NOW).result == "cancelled"


@pytest.mark.parametrize("when", ["during", "after"])
def test_who_is_to_be_called_again_comes_up_again(when: str):
    item = replace(ITEM, call="c1")
    if when == "during":
        item = after_call(after_result(item, "call_again", NOW), "served", NOW)
    else:
        item = after_result(after_call(item, "served", NOW), "call_again", NOW)
    assert (item.state, item.not_before, item.result) == ("open", NOW + AGAIN_AFTER, None)


def test_who_is_done_is_forgotten_after_a_month_and_nobody_else_is():
    done = after_call(replace(ITEM, call="c1"), "served", NOW)
    assert not forgotten(done, NOW + KEPT_FOR - 1)
    assert forgotten(done, NOW + KEPT_FOR)
    assert not forgotten(ITEM, NOW + 10 * KEPT_FOR)


@pytest.mark.parametrize(
    ("hour", "allowed"), [("05:59", False), ("06:00", True), ("17:59", True), ("18:00", False)]
)
def test_people_are_called_in_the_daytime_of_the_client(hour: str, allowed: bool):
    hours, minutes = map(int, hour.split(":"))
    midnight = 1_789_948_800.0  # 2026-09-21 00:00 UTC: Paris is two hours ahead
    assert in_hours(midnight + hours * 3600 + minutes * 60, "Europe/Paris") == allowed


@pytest.mark.parametrize(
    "text",
    [
        "number;name;note;at\n0639981234;Mme Roux;RDV;11:00\n",
        "0639981234;Mme Roux;RDV;11:00",
        "\ufeffname,at,number,note\nMme Roux,11:00,0639981234,RDV\n",
        "number;name;note;at\r0639981234;Mme Roux;RDV;11:00\r",
        "number;name;note;at\r\n0639981234;Mme Roux;RDV;11:00\r\n",
    ],
)
def test_a_list_is_read_with_or_without_a_first_line_in_any_order(text: str):
    assert read_csv(text) == [{"number": "0639981234", "name": "Mme Roux", "note": "RDV", "at": "11:00"}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the list is empty"),
        ("number;phone\n1;2", "line 1: unknown column 'phone': there are number, name, note, at"),
        ("0639981234;a;b;c;d", "line 1: 5 columns, at most 4 are expected"),
        ("number\n0639981234\n0639981234;x", "line 3: 2 columns, at most 1 are expected"),
        ("number\n0639981234\n" + "1" * 200_000, "line 3: field larger than field limit"),
    ],
)
def test_a_list_that_cannot_be_read_says_which_line(text: str, said: str):
    with pytest.raises(ValueError, match="^" + said):
        read_csv(text)


def test_a_result_is_said_by_digit_or_by_word():
    assert [result(digit) for digit in RESULTS] == list(RESULTS.values())
    assert [result(word) for word in RESULTS.values()] == list(RESULTS.values())
    assert [result(digit, listed=True) for digit in LIST_RESULTS] == list(LIST_RESULTS.values())
    assert (result("8"), result("7", listed=True), result("confirmed")) == (None, None, None)


@pytest.mark.parametrize("row", [None, 3, {}, {"call": 1, "at": 2.0, "listed": False}, {"call": "c1"}])
def test_a_row_that_is_damaged_is_no_call(row: object):
    assert last_call(row) is None  # type: ignore[arg-type]
