"""Frozen values go to JSON and come back equal, also from other versions, never from damaged text."""

from __future__ import annotations

import json
import math
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, time
from enum import Enum, IntEnum
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autocom.core import model
from autocom.core.codec import Codec, Undecodable
from autocom.core.journal import Entry, Json


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    ONE = 1
    TWO = 2


@dataclass(frozen=True, slots=True)
class Leaf:
    pass


@dataclass(frozen=True, slots=True)
class Node:
    name: str
    children: tuple[Node | Leaf, ...] = ()


@dataclass(frozen=True, slots=True)
class Everything:
    text: str
    number: int
    real: float
    flag: bool
    maybe: str | None
    colour: Colour
    level: Level
    day: date
    moment: datetime
    hour: time
    pair: tuple[int, date]
    words: frozenset[str]
    colours: frozenset[Colour]
    by_day: Mapping[date, str]
    by_number: Mapping[int, tuple[Colour, ...]]
    by_colour: dict[Colour, int]
    node: Node | None
    mixed: int | str | float | date | time | Colour | tuple[int, ...] | Node | Leaf | None
    literal: Literal["a", "b"] = "a"
    items: list[Node] = field(default_factory=list)
    free: Json = None
    derived: int = field(init=False, default=7)


@dataclass(frozen=True, slots=True)
class Older:
    name: str
    size: int = 3


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Watched:
    number: int


@dataclass(frozen=True, slots=True)
class Positive:
    value: int

    def __post_init__(self) -> None:
        if self.value <= 0:
            raise ValueError("not positive")


CODEC = Codec((model.Client, Entry, Everything, Node, Older, Positive))


def returned(hint: object, value: object) -> Any:
    """By way of text, as a database does it."""
    return CODEC.load(hint, json.loads(json.dumps(CODEC.dump(value), allow_nan=False)))


# --- there and back --------------------------------------------------------------------------

EXAMPLE = Everything(
    text="Léa\x00\u2028",
    number=-3,
    real=0.1,
    flag=True,
    maybe=None,
    colour=Colour.BLUE,
    level=Level.TWO,
    day=date(2026, 2, 28),
    moment=datetime(2026, 10, 25, 0, 30, 0, 123456, tzinfo=UTC),
    hour=time(23, 59, 1),
    pair=(1, date(2027, 1, 1)),
    words=frozenset({"b", "a"}),
    colours=frozenset(Colour),
    by_day={date(2026, 12, 25): "Noël"},
    by_number={1: (Colour.RED,), -2: ()},
    by_colour={Colour.RED: 1},
    node=Node("a", (Leaf(), Node("b", (Node("c"),)))),
    mixed=None,
    items=[Node("x")],
    free={"a": [1, 2.5, None, {"b": True}]},
)


def test_every_kind_of_field_comes_back_equal():
    assert returned(Everything, EXAMPLE) == EXAMPLE


@pytest.mark.parametrize(
    "value",
    [None, 1, "x", 1.5, date(2026, 1, 1), time(8), Colour.RED, (1, 2), (), Node("n"), Leaf(), "2026-01-01"],
)
def test_a_union_tells_its_members_apart(value):
    back = returned(Everything, replace_example(mixed=value)).mixed
    assert (type(back), back) == (type(value), value)


def replace_example(**changes: object) -> Everything:
    return Everything(
        **{each.name: getattr(EXAMPLE, each.name) for each in fields(EXAMPLE) if each.init} | changes
    )


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_numbers_that_json_lacks_come_back(value):
    assert repr(returned(Everything, replace_example(real=value)).real) == repr(value)


def test_equal_sets_give_equal_json():
    one, other = frozenset(map(str, range(100))), frozenset(map(str, reversed(range(100))))
    assert json.dumps(CODEC.dump(replace_example(words=one))) == json.dumps(
        CODEC.dump(replace_example(words=other))
    )


def test_a_class_is_named_in_the_json_and_its_defaults_are_written():
    assert CODEC.dump(Node("a", (Leaf(),))) == {"_": "Node", "name": "a", "children": [{"_": "Leaf"}]}
    assert CODEC.dump(Older("a")) == {"_": "Older", "name": "a", "size": 3}
    assert CODEC.dump(None) is None


def test_values_that_are_no_dataclass_are_written_by_their_hint():
    hint = tuple[Node | Leaf, ...]
    assert CODEC.load(hint, CODEC.dump((Leaf(), Node("a")), hint)) == (Leaf(), Node("a"))
    assert CODEC.load(Node | Leaf, CODEC.dump(Leaf())) == Leaf()


numbers = st.from_regex(r"\+33(19900|63998)[0-9]{4}", fullmatch=True)
audio = st.builds(model.Audio, st.text(max_size=5), st.text(max_size=5), st.floats(0, 1e6))
moments = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1))  # noqa: DTZ001 - local times are naive
leaf_steps = (
    st.builds(model.Play, audio)
    | st.builds(model.Ringback, st.floats(0, 60))
    | st.just(model.Answer())
    | st.builds(model.Forward, numbers, accept=st.none() | st.just("1"))
    | st.builds(model.OnCall, st.text(max_size=5))
    | st.builds(model.Voicemail, st.none() | audio, mail=st.lists(st.text(max_size=5), max_size=2).map(tuple))
    | st.builds(model.SendMessage, st.text(max_size=5), st.text(max_size=5))
    | st.builds(model.Hangup, st.sampled_from(model.HangupKind))
    | st.builds(model.Jump, st.text(max_size=5))
)
music = st.builds(model.Music, st.text(max_size=3), st.text(max_size=3), st.just(("a", "b")))


def nested(inner: st.SearchStrategy[model.Step]) -> st.SearchStrategy[model.Step]:
    some = st.lists(inner, max_size=2).map(tuple)
    keys = st.dictionaries(st.sampled_from("0123456789*#"), some, max_size=2)
    announced = st.none() | st.builds(model.Announcements, st.booleans())
    return st.builds(model.Menu, audio, keys, otherwise=some) | st.builds(
        model.Enqueue,
        st.text(max_size=5),
        st.none() | music,
        ring=st.sampled_from(model.Ringing),
        announce=announced,
        max_wait=st.none() | st.floats(0, 600),
        on_timeout=some,
        on_full=some,
        on_nobody=some,
    )


steps = st.recursive(leaf_steps, nested, max_leaves=6)
ranges = st.builds(model.TimeRange, st.times(), st.times())
closures = st.builds(model.Closure, moments, moments, st.text(max_size=5), st.none() | audio)
whens = st.builds(
    model.When,
    caller=st.lists(numbers, max_size=2).map(tuple),
    open=st.none() | st.booleans(),
    forward_reason=st.lists(st.sampled_from(model.ForwardReason), max_size=2).map(tuple),
    days=st.lists(st.integers(1, 7), max_size=2).map(tuple),
    dates=st.lists(st.tuples(st.dates(), st.dates()), max_size=2).map(tuple),
    time=st.lists(ranges, max_size=2).map(tuple),
)
hours = st.builds(
    model.Hours,
    st.just("Europe/Paris"),
    st.dictionaries(st.integers(1, 7), st.lists(ranges, max_size=2).map(tuple), max_size=3),
    st.dictionaries(st.dates(), st.text(max_size=5), max_size=3),
    st.lists(closures, max_size=1).map(tuple),
)
rules = st.builds(
    model.Rule, st.text(max_size=5), st.none() | whens, st.lists(steps, max_size=2).map(tuple), st.integers(0)
)
clients = st.builds(
    model.Client,
    *[st.text(max_size=8)] * 4,
    st.lists(st.builds(model.Line, numbers, st.none() | numbers), max_size=2).map(tuple),
    hours,
    st.lists(rules, max_size=2).map(tuple),
    max_calls=st.none() | st.integers(),
    absences=st.lists(closures, max_size=1).map(tuple),
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(clients)
def test_a_client_with_nested_steps_comes_back_equal(client):
    assert returned(model.Client, client) == client


def test_the_time_that_ends_a_day_and_a_naive_instant_keep_their_form():
    span = model.TimeRange(time(8), time(0))
    codec = Codec((model.TimeRange, model.Closure))
    assert codec.load(model.TimeRange, codec.dump(span)) == span
    naive = datetime(2026, 12, 24, 12)  # noqa: DTZ001 - local times are naive
    assert codec.load(model.Closure, codec.dump(model.Closure(naive, naive))).start.tzinfo is None


# --- other versions, damage ------------------------------------------------------------------


def test_what_a_newer_version_added_is_ignored_and_what_an_older_one_lacked_is_the_default():
    assert CODEC.load(Older, {"_": "Older", "name": "a", "size": 4, "colour": "red"}) == Older("a", 4)
    assert CODEC.load(Older, {"_": "Older", "name": "a"}) == Older("a", 3)


@pytest.mark.parametrize(
    ("hint", "damaged"),
    [
        (Older, None),
        (Older, []),
        (Older, {}),
        (Older, {"_": "Node", "name": "a"}),
        (Older, {"_": ["Older"], "name": "a"}),
        (Older, {"_": "Older"}),
        (Older, {"_": "Older", "name": 3}),
        (Older, {"_": "Older", "name": "a", "size": "3"}),
        (Older, {"_": "Older", "name": "a", "size": True}),
        (Node | Leaf, {"_": "Nobody"}),
        (Node | Leaf, {"_": {}}),
        (Node | Leaf, "Node"),
        (Node | Leaf, None),
        (Node, {"_": "Node", "name": "a", "children": {}}),
        (Colour, "green"),
        (Colour, []),
        (date, "2026-13-01"),
        (date, "yesterday"),
        (tuple[int, int], [1]),
        (frozenset[str], [["a"]]),
        (Mapping[int, str], {"x": "y"}),
        (Mapping[Colour, str], {"green": "y"}),
        (Literal["a", "b"], "c"),
        (float, "many"),
        (Positive, {"_": "Positive", "value": 0}),
    ],
)
def test_what_does_not_fit_is_undecodable_and_nothing_else(hint, damaged):
    with pytest.raises(Undecodable):
        CODEC.load(hint, damaged)


def test_the_fault_names_its_place():
    damaged = {"_": "Node", "name": "a", "children": [{"_": "Node", "name": None}]}
    with pytest.raises(Undecodable, match=r"Node\.children: Node\.name: str expected, NoneType found"):
        CODEC.load(Node, damaged)


def test_nesting_without_end_is_undecodable():
    deep: Json = {"_": "Leaf"}
    for _ in range(20_000):
        deep = {"_": "Node", "name": "a", "children": [deep]}
    with pytest.raises(Undecodable, match="deep"):
        CODEC.load(Node, deep)


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["_", "name", "children", "is", "steps", "text", "x"]), inner, max_size=4),
)  # fmt: skip
HINTS = [Everything, Node, Node | Leaf, model.Client, model.Step, Mapping[int, Node], frozenset[Colour], time]


@given(st.sampled_from(HINTS), any_json)
def test_any_json_is_undecodable_or_a_value_that_is_written_and_read_alike(hint, found):
    try:
        value = CODEC.load(hint, found)
    except Undecodable:
        return
    written = CODEC.dump(value, hint)
    assert CODEC.dump(CODEC.load(hint, written), hint) == written


# --- what a codec refuses to learn -----------------------------------------------------------


def test_only_classes_that_were_named_are_written_or_built():
    small = Codec((Leaf,))
    with pytest.raises(TypeError, match="Older"):
        small.dump(Older("a"))
    with pytest.raises(Undecodable):
        small.load(Leaf, {"_": "Older", "name": "a"})


def test_two_classes_of_one_name_are_refused():
    other = type("Leaf", (), {})
    with pytest.raises(TypeError, match="no dataclass"):
        Codec((other,))
    with pytest.raises(TypeError, match="two classes are called Leaf"):
        Codec((Leaf, dataclass(other)))


def test_a_type_without_a_form_in_json_is_refused_by_name():
    @dataclass
    class Bad:
        when: complex

    with pytest.raises(TypeError, match=r"Bad\.when"):
        Codec((Bad,))


def test_a_union_that_nobody_could_tell_apart_is_refused():
    with pytest.raises(TypeError, match="apart"):
        Codec(()).dump((), tuple[int, ...] | tuple[str, ...])


def test_a_kept_value_is_written_once_and_an_equal_one_for_itself():
    codec = Codec((Node,), kept=(Older,))
    codec_older = Codec((Older,), kept=(Older,))
    first, second = Older("a"), Older("a")
    assert codec_older.dump(first) is codec_older.dump(first)
    assert codec_older.dump(second) == codec_older.dump(first)
    assert codec_older.dump(replace(first, size=9)) == {"_": "Older", "name": "a", "size": 9}
    assert codec.dump(Node("a")) is not codec.dump(Node("a"))


def test_kept_values_that_come_and_go_are_never_confused():
    codec = Codec((Older,), kept=(Older,))
    for number in range(5_000):
        assert codec.dump(Older(str(number)))["name"] == str(number)


def test_kept_values_do_not_pile_up_over_many_reloads():
    codec = Codec((Watched,), kept=(Watched,))
    seen = []
    for number in range(5_000):
        value = Watched(number)
        seen.append(weakref.ref(value))
        codec.dump(value)
    assert sum(each() is not None for each in seen) <= 2_000
