"""Codes that secretaries dial from idle: each means one thing, and nothing else is one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom.core import codes
from autocom.core.codes import (
    CallFor,
    Code,
    Listen,
    Marks,
    NextOnList,
    PickUp,
    Says,
    SetForward,
    TakeBack,
    code,
)


@pytest.mark.parametrize(
    ("dialled", "meant"),
    [
        ("*912*0639981099", CallFor("12", "0639981099")),
        ("*912*+33639981099", CallFor("12", "+33639981099")),
        ("*8", PickUp()),
        ("*8201", PickUp("201")),
        ("*51", TakeBack("1")),
        ("*59", TakeBack("9")),
        ("*3201", Listen("201")),
        ("*4912", NextOnList("12")),
        ("*45", Says("login")),
        ("*46", Says("logout")),
        ("*47", Says("pause")),
        ("*471", Says("pause", "1")),
        ("*48", Says("resume")),
        ("*73", Marks("3")),
        ("*21*202", SetForward("always", "202")),
        ("*21", SetForward("always", None)),
        ("*67*0639981099", SetForward("busy", "0639981099")),
        ("*67", SetForward("busy", None)),
        ("*61*+33639981099", SetForward("no_answer", "+33639981099")),
        ("*61", SetForward("no_answer", None)),
    ],
)
def test_each_code_has_its_meaning(dialled: str, meant: Code) -> None:
    assert code(dialled) == meant


@pytest.mark.parametrize(
    "dialled",
    [
        *("", "*", "*4", "*44", "*451", "*475", "*4711", "*49", "45", "*48 ", "*48\n"),
        *("*61*", "*62*202", "*21*202#", "*21*20 2", "*21*202\n", "*21*" + "1" * 40, "21*202"),
        *("*7", "*71\n", "*7٣", "*712", "*50", "*5", "*3", "*31", "*9*0639981099", "*912*", "*912"),
    ],
)
def test_what_nobody_defined_means_nothing(dialled: str) -> None:
    assert code(dialled) is None


@given(st.text(alphabet="0123456789*#+", max_size=12).map(lambda digits: f"*{digits}"))
def test_no_code_means_two_things(dialled: str) -> None:
    assert sum(pattern.fullmatch(dialled) is not None for pattern, _ in codes._CODES) <= 1
