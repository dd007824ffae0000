"""Versions of a mapping: whoever holds one sees it for ever as it was; and deadlines kept in one heap."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from autocom.core.alarms import Alarms
from autocom.core.versions import Version

keys = st.sampled_from("abcdef")
changes = st.dictionaries(keys, st.none() | st.integers(), max_size=4)


def succeed(version: Version[int], own: dict[str, int], change: dict[str, int | None]) -> Version[int]:
    """Change the dict in place, as the floor does, and take the next version."""
    undo: dict[str, int | None] = {}
    for key, value in change.items():
        undo[key] = own.get(key)
        if value is None:
            own.pop(key, None)
        else:
            own[key] = value
    return version.succeed(undo)


@given(st.lists(changes, max_size=12), st.data())
def test_every_version_stays_what_it_was_in_whatever_order_they_are_read(
    history: list[dict[str, int | None]], data: st.DataObject
) -> None:
    own: dict[str, int] = {}
    versions, expected = [Version(own)], [dict[str, int]()]
    for change in history:
        versions.append(succeed(versions[-1], own, change))
        expected.append(dict(own))
        looked_at = data.draw(st.integers(0, len(versions) - 1))
        assert dict(versions[looked_at]) == expected[looked_at]
    for number in data.draw(st.permutations(range(len(versions)))):
        assert versions[number] == expected[number]
        assert sorted(versions[number]) == sorted(expected[number])
        assert len(versions[number]) == len(expected[number])


def test_an_older_version_that_was_read_may_have_a_future_of_its_own() -> None:
    own = {"a": 1}
    first = Version(own)
    second = succeed(first, own, {"a": 2})
    assert first["a"] == 1
    other = dict(first)
    third = succeed(Version(other), other, {"a": 3, "b": 4})
    assert (dict(first), dict(second), dict(third)) == ({"a": 1}, {"a": 2}, {"a": 3, "b": 4})


def test_a_version_has_one_successor() -> None:
    own = {"a": 1}
    first = Version(own)
    succeed(first, own, {"a": 2})
    with pytest.raises(ValueError, match="succeeded before"):
        first.succeed({})


def test_a_reader_may_go_through_a_version_while_the_next_one_is_made() -> None:
    own = dict.fromkeys("abc", 0)
    version = Version(own)
    seen = []
    for name, value in version.items():
        seen.append((name, value))
        if name == "a":
            succeed(version, own, {"b": 9, "c": None, "d": 1})
    assert seen == [("a", 0), ("b", 0), ("c", 0)]


# --- alarms ----------------------------------------------------------------------------------

instants = st.none() | st.floats(0, 100)


@given(st.lists(st.tuples(keys, instants), max_size=200), st.floats(0, 100))
def test_each_name_has_its_last_deadline_only(history: list[tuple[str, float | None]], now: float) -> None:
    alarms, plain = Alarms(), dict[str, float]()
    for name, at in history:
        alarms.set(name, at)
        if at is None:
            plain.pop(name, None)
        else:
            plain[name] = at
        assert alarms.next() == min(plain.values(), default=None)
    due = alarms.due(now)
    assert due == sorted((n for n, at in plain.items() if at <= now), key=lambda n: (plain[n], n))
    assert alarms.next() == min((at for at in plain.values() if at > now), default=None)
    assert alarms.due(now) == []
