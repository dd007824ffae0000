"""Keys in a conversation and in a room: every code, and that nothing else is one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom.core.keypad import (
    CONVERSATION,
    LONGER,
    LONGEST,
    ROOM,
    TIME_OUT,
    Keypad,
    Keys,
    Pressed,
    press,
    settle,
)

WORDS = {
    "consult",
    "transfer",
    "patch",
    "mark",
    "drop",
    "join",
    "leave",
    "hold_or_resume",
    "park",
    "record",
    "record_stop",
}


def typed(keys: str, pause: float = 0.2, then: float = 0.0, place: Keys = CONVERSATION) -> list[Pressed]:
    """What these keys mean, pressed one after the other; then so long nothing."""
    keypad, at, found = Keypad(place), 1000.0, []
    for key in keys:
        keypad, pressed = press(keypad, key, at)
        found += pressed
        at += pause
    if then:
        found += settle(keypad, at - pause + then)[1]
    return found


@pytest.mark.parametrize(
    ("keys", "word", "digits"),
    [
        ("*10639981021#", "consult", "0639981021"),
        ("*1202#", "consult", "202"),
        ("*11#", "consult", "1"),
        ("*2202#", "transfer", "202"),
        ("*2801#", "transfer", "801"),
        ("*90639981021#", "patch", "0639981021"),
        ("*0", "drop", ""),
        ("*3", "join", ""),
        ("*4", "leave", ""),
        ("*5", "hold_or_resume", ""),
        ("*6", "park", ""),
        ("*73", "mark", "3"),
        ("*80", "record_stop", ""),
        ("*8#", "record", ""),
        ("*12*3", "join", ""),
        ("12#*5", "hold_or_resume", ""),
        ("**5", "hold_or_resume", ""),
    ],
)
def test_each_code_is_one_word(keys: str, word: str, digits: str) -> None:
    assert typed(keys) == [Pressed(word, digits)]


@pytest.mark.parametrize(
    "keys", ["", "#", "5", "0639981021#", "*", "*#", "*1", "*1#", "*2", "*10639981021", "*7", "*7#"]
)
def test_an_unfinished_code_changes_nothing(keys: str) -> None:
    assert typed(keys, then=TIME_OUT + 1) == []


def test_a_code_that_could_be_longer_counts_after_a_moment() -> None:
    assert typed("*8", then=LONGER - 0.1) == []
    assert typed("*8", then=LONGER) == [Pressed("record")]
    assert typed("*85") == [Pressed("record")]
    assert typed("*8*5") == [Pressed("record"), Pressed("hold_or_resume")]


def test_what_was_typed_is_forgotten_after_a_pause() -> None:
    assert typed("*5", pause=TIME_OUT + 0.1) == []
    assert typed("*5", pause=TIME_OUT - 0.1) == [Pressed("hold_or_resume")]


def test_more_digits_than_any_number_has_lead_nowhere() -> None:
    assert typed("*1" + "0" * LONGEST + "#") == [Pressed("consult", "0" * LONGEST)]
    assert typed("*1" + "0" * (LONGEST + 1) + "#") == []
    assert typed("*1" + "0" * 500 + "#*5") == [Pressed("hold_or_resume")]


def test_several_codes_in_a_row_are_several_words() -> None:
    assert [p.word for p in typed("*5*5*1202#*3*4")] == [
        "hold_or_resume",
        "hold_or_resume",
        "consult",
        "join",
        "leave",
    ]


events = st.lists(st.tuples(st.sampled_from("0123456789*#ABCD"), st.floats(0.0, 8.0)), max_size=60)


@given(events)
def test_whatever_is_pressed_only_words_come_out_and_little_is_kept(keys: list[tuple[str, float]]) -> None:
    keypad, at = Keypad(), 0.0
    for key, pause in keys:
        at += pause
        keypad, pressed = press(keypad, key, at)
        assert all(p.word in WORDS for p in pressed)
        assert all(set(p.digits) <= set("0123456789") and len(p.digits) <= LONGEST for p in pressed)
        assert all(p.digits for p in pressed if p.word in {"consult", "transfer", "patch", "mark"})
        assert len(keypad.typed) <= LONGEST + 3
        assert keypad.until is None or keypad.until > at


@given(events)
def test_every_code_takes_a_star_of_its_own(keys: list[tuple[str, float]]) -> None:
    keypad, at, words = Keypad(), 0.0, 0
    for key, pause in keys:
        at += pause
        keypad, pressed = press(keypad, key, at)
        words += len(pressed)
    words += len(settle(keypad, at + 100)[1])
    assert words <= sum(key == "*" for key, _ in keys)


@given(events, st.sampled_from(["*5", "*3", "*1202#", "*80"]))
def test_after_a_pause_a_code_means_the_same_whatever_came_before(
    keys: list[tuple[str, float]], code: str
) -> None:
    keypad, at = Keypad(), 0.0
    for key, pause in keys:
        at += pause
        keypad, _ = press(keypad, key, at)
    keypad, _ = settle(keypad, at + 100)
    assert keypad == Keypad()
    found: list[Pressed] = []
    for key in code:
        keypad, pressed = press(keypad, key, at + 100)
        found += pressed
    assert found == typed(code)


# --- in a room -------------------------------------------------------------------------------

MYSELF = Pressed("myself")


def test_keys_in_a_room_are_commands() -> None:
    assert typed("*1", place=ROOM) == [Pressed("mute")]
    assert typed("*2*0", place=ROOM) == [Pressed("unmute"), Pressed("end")]
    assert typed("*4*5*6", place=ROOM) == [Pressed("lock"), Pressed("unlock"), MYSELF]
    assert typed("*30639981099#", place=ROOM) == [Pressed("invite", "0639981099")]
    assert typed("*3202#*6", place=ROOM) == [Pressed("invite", "202"), MYSELF]
    assert typed("*320*3202#", place=ROOM) == [Pressed("invite", "202")], "a star begins anew, as everywhere"


@pytest.mark.parametrize("keys", ["*9*6", "*86*6", "**6", "*3#*6", "*3" + "1" * 60 + "#*6", "123#0*6"])
def test_what_is_no_command_of_a_room_does_nothing_and_is_forgotten(keys: str) -> None:
    assert typed(keys, place=ROOM) == [MYSELF]


def test_keys_in_a_room_too_far_apart_do_not_belong_together() -> None:
    assert typed("*0", pause=TIME_OUT + 0.1, place=ROOM) == []


@given(st.text(alphabet="0123456789*#", max_size=80))
def test_in_a_room_every_command_is_one_at_a_time_and_little_is_kept(digits: str) -> None:
    keypad = Keypad(ROOM)
    for digit in digits:
        keypad, codes = press(keypad, digit, 1.0)
        assert len(keypad.typed) <= LONGEST + 3
        assert not codes or (len(codes), keypad) == (1, Keypad(ROOM))
