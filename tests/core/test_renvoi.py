"""Forwards of phones: wherever they lead, they end, never twice at one phone and never further than allowed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom.core.renvoi import WHENS, Forwards, allowed, led
from autocom.core.targets import Colleague, Dialled, Nobody, Outside

NAMES = "abcdef"
NUMBER = "+33639981099"


def target(written: str) -> Dialled:
    """Extensions are the names themselves."""
    if written in NAMES and len(written) == 1:
        return Colleague(written)
    if written == "15":
        return Nobody(written, "emergency")
    return Outside(written) if written.startswith("+") else Nobody(written)


places = st.none() | st.sampled_from([*NAMES, NUMBER, "999"])
houses = st.dictionaries(st.sampled_from(NAMES), st.builds(Forwards, places, places, places))


@given(
    houses,
    st.sampled_from(NAMES),
    st.sampled_from(WHENS),
    st.lists(st.sampled_from(NAMES), unique=True, max_size=3),
    st.integers(0, 5),
    st.booleans(),
)
def test_a_chain_ends_without_a_phone_twice_and_within_its_limit(
    forwards: dict[str, Forwards], who: str, when: str, passed: list[str], limit: int, outside: bool
) -> None:
    before = tuple(name for name in passed if name != who)
    found = led(who, when, forwards, target, passed=before, limit=limit, outside=outside)
    if found is None:
        return
    assert found.passed[: len(before) + 1] == (*before, who)
    assert len(found.passed) <= limit
    assert len(set(found.passed)) == len(found.passed)
    match found.target:
        case Colleague(colleague):
            assert colleague not in found.passed
            further = forwards.get(colleague, Forwards()).always
            assert further is None or found.why is not None
        case Outside(number):
            assert outside
            assert number == NUMBER


@given(houses, st.sampled_from(NAMES), st.integers(0, 5))
def test_followed_turn_after_turn_a_call_comes_to_an_end(
    forwards: dict[str, Forwards], who: str, limit: int
) -> None:
    """Nobody ever answers: each phone's own `no_answer` is asked in turn, as a call does."""
    rung, passed = [who], ()
    for _ in range(20):
        found = led(rung[-1], "no_answer", forwards, target, passed=passed, limit=limit)
        if found is None or isinstance(found.target, Outside):
            break
        passed = found.passed
        rung.append(found.target.secretary)
    else:
        pytest.fail("it goes on for ever")
    assert len(set(rung)) == len(rung)


def test_an_always_chain_leads_to_its_last_phone() -> None:
    forwards = {"a": Forwards(always="b"), "b": Forwards(always="c")}
    found = led("a", "always", forwards, target)
    assert found is not None
    assert (found.target, found.passed, found.why) == (Colleague("c"), ("a", "b"), None)


def test_a_loop_rings_the_last_phone_before_it_closes() -> None:
    forwards = {"a": Forwards(always="b"), "b": Forwards(always="a")}
    found = led("a", "always", forwards, target)
    assert found is not None
    assert (found.target, found.why) == (Colleague("b"), "loop")


def test_the_limit_stops_a_chain_where_it_is() -> None:
    forwards = {name: Forwards(always=following) for name, following in zip("abcd", "bcde", strict=True)}
    found = led("a", "always", forwards, target, limit=2)
    assert found is not None
    assert (found.target, found.why) == (Colleague("c"), "limit")
    assert led("a", "always", forwards, target, limit=0) is None


def test_a_number_outside_is_followed_only_where_the_bureau_allows_it() -> None:
    forwards = {"a": Forwards(no_answer=NUMBER)}
    assert led("a", "no_answer", forwards, target, outside=False) is None
    found = led("a", "no_answer", forwards, target)
    assert found is not None
    assert found.target == Outside(NUMBER)


@pytest.mark.parametrize(
    ("written", "outside", "why"),
    [
        ("a", True, "self"),
        ("b", False, None),
        (NUMBER, False, "outside"),
        (NUMBER, True, None),
        ("9", True, "unknown"),
        ("15", True, "emergency"),
    ],
)
def test_what_she_may_set(written: str, outside: bool, why: str | None) -> None:
    assert allowed("a", written, target, outside=outside) == why


@given(st.sampled_from(WHENS), places)
def test_setting_one_forward_leaves_the_others_and_ending_it_brings_back_what_was(
    when: str, to: str | None
) -> None:
    before = Forwards("a", "b", "c")
    after = before.set(when, to)
    assert after.to(when) == to
    assert {w: after.to(w) for w in WHENS if w != when} == {w: before.to(w) for w in WHENS if w != when}
    assert after.set(when, before.to(when)) == before


def test_an_unknown_kind_is_an_error_in_words() -> None:
    with pytest.raises(ValueError, match="always, busy, no_answer"):
        Forwards().set("never", "202")
    assert Forwards("a", "b", "c").to("never") is None
