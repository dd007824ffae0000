"""`parking` and `forwarding` of the bureau: what stands there arrives, what cannot be is refused."""

from __future__ import annotations

import pytest

from .conftest import BUREAU


def with_keys(keys: str) -> str:
    return BUREAU.replace("  holidays: FR\n", f"  holidays: FR\n  {keys}\n")


def test_without_them_a_parked_caller_returns_after_90_seconds_and_no_phone_forwards_outside(desk):
    house = desk.load().configuration.bureau
    assert (house.parking_return, house.forwarding_outside, house.forwarding_depth) == (90.0, False, 3)


def test_what_is_written_arrives(desk):
    desk.write(
        "bureau.yaml", with_keys("parking: {return_after: 2m}\n  forwarding: {outside: true, depth: 1}")
    )
    house = desk.load().configuration.bureau
    assert (house.parking_return, house.forwarding_outside, house.forwarding_depth) == (120.0, True, 1)


@pytest.mark.parametrize(
    "keys",
    [
        "parking: {return_after: §soon}",
        "parking: {return_after: §0s}",
        "parking: {§back: 90s}",
        "forwarding: {outside: §perhaps}",
        "forwarding: {depth: §three}",
    ],
)
def test_what_cannot_be_is_refused_at_its_place(desk, keys):
    desk.write("bureau.yaml", with_keys(keys))
    desk.refuses("")
