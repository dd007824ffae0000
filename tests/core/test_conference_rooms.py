"""Conference rooms as values: who opened one."""

from __future__ import annotations

from autocom.core.rooms import Member, opened_by
from autocom.core.stages import InRoom


def test_who_opened_it_is_the_secretary_who_is_there_the_longest() -> None:
    outside, lea, ines = (
        Member(call, InRoom("801", who, at)) for call, who, at in (("c1", None, 1.0), ("c2", "lea", 2.0), ("c3", "ines", 3.0))
    )  # fmt: skip
    assert opened_by([outside, lea, ines]) == "lea"
    assert opened_by([outside]) is None
