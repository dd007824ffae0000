"""The rule by which addresses are shut out."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom.core.bans import (
    FAILURES,
    FIRST,
    FORGIVEN,
    LONGEST,
    MOST,
    WATCHED,
    WINDOW,
    Ban,
    Watch,
    is_in,
    source_of,
    stored_ban,
)

STRANGER = "192.0.2.66"
TRUNKS = ("198.51.100.0/24",)


def fail(watch: Watch, source: str, times: int, at: float, every: float = 1.0) -> Ban | None:
    """So many wrong answers; what came of the last."""
    ban = None
    for n in range(times):
        ban = watch.failed(source, at + n * every, TRUNKS)
    return ban


def test_ten_wrong_answers_in_a_minute_are_a_ban_of_an_hour() -> None:
    watch = Watch()
    assert fail(watch, STRANGER, FAILURES - 1, 0) is None
    ban = watch.failed(STRANGER, 20, TRUNKS)
    assert ban == Ban(STRANGER, 20, 20 + FIRST, 1)
    assert watch.is_banned(STRANGER, 20 + FIRST - 1)
    assert not watch.is_banned(STRANGER, 20 + FIRST)


def test_a_phone_with_a_wrong_password_that_tries_now_and_then_is_not_shut_out() -> None:
    assert fail(Watch(), STRANGER, 500, 0, every=WINDOW / (FAILURES - 1)) is None


def test_each_further_ban_is_twice_as_long_up_to_a_week_and_a_month_of_peace_forgives() -> None:
    watch, at, lengths = Watch(), 0.0, []
    for _ in range(12):
        ban = fail(watch, STRANGER, FAILURES, at)
        assert ban is not None
        lengths.append(ban.until - ban.since)
        at = ban.until + 1
    assert lengths[:4] == [FIRST, 2 * FIRST, 4 * FIRST, 8 * FIRST]
    assert lengths[-1] == LONGEST
    again = fail(watch, STRANGER, FAILURES, at + FORGIVEN + 1)
    assert again is not None
    assert again.times == 1


@pytest.mark.parametrize("source", ["198.51.100.7", "127.0.0.1", "::/64"])
def test_an_operator_and_this_machine_are_never_shut_out(source: str) -> None:
    watch = Watch()
    assert fail(watch, source, 50, 0, every=0.1) is None
    assert watch.in_force(5) == []


def test_an_address_from_which_a_phone_proved_itself_is_spared_for_a_month() -> None:
    watch = Watch()
    watch.proved(STRANGER, 0)
    assert fail(watch, STRANGER, 50, 10, every=0.1) is None
    assert fail(watch, STRANGER, FAILURES, FORGIVEN + 1) is not None


def test_a_network_that_becomes_an_operators_is_let_in_at_once() -> None:
    watch = Watch()
    fail(watch, STRANGER, FAILURES, 0)
    assert [ban.source for ban in watch.in_force(10)] == [STRANGER]
    assert watch.in_force(10, ["192.0.2.0/24"]) == []


def test_cleared_is_forgotten_so_that_the_next_ban_is_a_first_one() -> None:
    watch = Watch()
    fail(watch, STRANGER, FAILURES, 0)
    assert watch.clear(STRANGER) is not None
    assert not watch.is_banned(STRANGER, 11)
    ban = fail(watch, STRANGER, FAILURES, 12)
    assert ban is not None
    assert ban.times == 1


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8::1]", "2001:db8::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", None),
        ("192.0.2.1\n", None),
        ("0.0.0.0/0", None),
        ("sip.example.com", None),
    ],
)
def test_what_an_address_is_counted_as(address: str, source: str | None) -> None:
    assert source_of(address) == source


@given(st.ip_addresses())
def test_every_address_has_a_source_that_holds_it(address: ipaddress.IPv4Address) -> None:
    source = source_of(str(address))
    assert source is not None
    assert is_in(source, [source])


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans(), st.floats(0, 30)), max_size=300))
def test_whatever_comes_the_known_and_the_operators_are_in_and_bans_end(
    steps: list[tuple[int, bool, float]],
) -> None:
    watch, at = Watch(), 0.0
    for number, right, pause in steps:
        at += pause
        source = f"198.51.100.{number}" if number < 5 else f"192.0.2.{number}"
        if right:
            watch.proved(source, at)
        else:
            ban = watch.failed(source, at, TRUNKS)
            assert ban is None or (ban.since == at and at < ban.until <= at + LONGEST)
            assert ban is None or source not in watch.known
        for ban in watch.in_force(at, TRUNKS):
            assert not is_in(ban.source, TRUNKS)
    end = watch.next_end(at)
    assert (end is None) == (watch.in_force(at) == [])


def test_what_is_kept_is_bounded_however_many_addresses_try() -> None:
    watch = Watch()
    for number in range(WATCHED + 500):
        watch.failed(str(ipaddress.IPv4Address(0x0A000000 + number)), 0)
        watch.proved(str(ipaddress.IPv4Address(0x0B000000 + number)), 0)
    assert len(watch._failures) == WATCHED
    assert len(watch.known) == MOST
    for number in range(MOST + 20):
        fail(watch, str(ipaddress.IPv4Address(0x0C000000 + number)), FAILURES, 0, every=0)
    assert len(watch.forget(1)) == 20
    assert len(watch.bans) == MOST


def test_what_is_forgiven_leaves_its_room_to_others() -> None:
    watch = Watch()
    for number in range(200):
        fail(watch, str(ipaddress.IPv4Address(0x0A000000 + number)), FAILURES, 0, every=0)
    later = 2 * FORGIVEN
    for number in range(MOST + 100):
        fail(watch, str(ipaddress.IPv4Address(0x0C000000 + number)), FAILURES, later, every=0)
    gone = watch.forget(later + 1)
    assert len(watch.bans) == MOST
    assert len(gone) == len(set(gone)) == 300


@pytest.mark.parametrize(
    "row",
    [None, [], {}, {"source": "x", "since": 1, "until": 2, "times": 1},
     {"source": "0.0.0.0/0 ; deny", "since": 1, "until": 2, "times": 1},
     {"source": "192.0.2.1", "since": "1", "until": 2, "times": 1}],
)  # fmt: skip
def test_a_row_that_is_no_ban_is_none(row: object) -> None:
    assert stored_ban(row) is None  # type: ignore[arg-type]


def test_a_ban_is_read_back_as_it_was_stored() -> None:
    for source in (STRANGER, "2001:db8::/64"):
        ban = Ban(source, 1.5, 3601.5, 1)
        assert stored_ban(ban.row()) == ban
