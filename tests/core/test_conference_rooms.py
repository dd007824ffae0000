"""Conference rooms as values: keys, who commands, who is let in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from autocom.core.rooms import BETWEEN_KEYS, Everybody, Invite, Keys, Member, Myself, opened_by
from autocom.core.stages import InRoom


def pressed(digits: str, gap: float = 0.3) -> list[object]:
    keys, found, now = Keys(), [], 100.0
    for digit in digits:
        keys, command = keys.and_then(digit, now)
        now += gap
        if command is not None:
            found.append(command)
    return found


def test_keys_are_commands() -> None:
    assert pressed("*1") == [Everybody("mute")]
    assert pressed("*2*0") == [Everybody("unmute"), Everybody("end")]
    assert pressed("*4*5*6") == [Everybody("lock"), Everybody("unlock"), Myself()]
    assert pressed("*30639981099#") == [Invite("0639981099")]
    assert pressed("*3202#*6") == [Invite("202"), Myself()]


def test_what_is_no_command_does_nothing_and_is_forgotten() -> None:
    assert pressed("123#0") == []
    assert pressed("*9*6") == [Myself()]
    assert pressed("**6") == [Myself()]
    assert pressed("*3#*6") == [Myself()]
    assert pressed("*3" + "1" * 60 + "#*6") == [Myself()]


def test_keys_too_far_apart_do_not_belong_together() -> None:
    assert pressed("*0", gap=BETWEEN_KEYS + 0.1) == []


@given(st.text(alphabet="0123456789*#", max_size=80))
def test_whatever_is_pressed_little_is_kept_of_it(digits: str) -> None:
    keys = Keys()
    for digit in digits:
        keys, command = keys.and_then(digit, 1.0)
        assert len(keys.pressed) < 24
        assert command is None or keys == Keys()


def test_who_opened_it_is_the_secretary_who_is_there_the_longest() -> None:
    outside, lea, ines = (
        Member(call, InRoom("801", who, at)) for call, who, at in (("c1", None, 1.0), ("c2", "lea", 2.0), ("c3", "ines", 3.0))
    )  # fmt: skip
    assert opened_by([outside, lea, ines]) == "lea"
    assert opened_by([outside]) is None
