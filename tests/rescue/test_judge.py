"""The rescuer's rules: when the gate closes, who is taken out, and who is never touched."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom.rescue.beat import DRAINING, LOST, SERVING, STARTING
from autocom.rescue.judge import AWAY_FOR, GATE_AFTER, HUNG_FOR, Look, Stuck, callers, entry, judge, legs

INF = math.inf


def row(unique: str, **fields: str) -> dict[str, str]:
    """A CoreShowChannel of a caller who waits, unless `fields` say otherwise."""
    return {
        "Channel": f"PJSIP/trunk-operator-{unique[-4:].replace('.', '0')}",
        "Uniqueid": unique,
        "Context": "autocom-inbound",
        "Application": "StasisBroadcast",
        "Duration": "00:01:00",
        "BridgeId": "",
    } | fields


@pytest.mark.parametrize(
    ("silent", "word", "hung", "closed", "take"),
    [
        (0.2, SERVING, None, False, 0.0),
        (1.5, SERVING, None, None, 0.0),
        (GATE_AFTER, SERVING, None, True, 0.0),
        (GATE_AFTER, STARTING, None, True, 0.0),
        (GATE_AFTER, LOST, None, True, 0.0),
        (AWAY_FOR - 0.1, "", None, True, 0.0),
        (AWAY_FOR, SERVING, None, True, INF),
        (AWAY_FOR, STARTING, None, True, INF),
        (0.2, DRAINING, None, True, 0.0),
        (0.2, STARTING, None, None, 0.0),
        (0.2, SERVING, 4.0, True, 5.0),
        (0.2, SERVING, HUNG_FOR, True, INF),
        (60.0, SERVING, 4.0, True, 5.0),
    ],
)
def test_what_is_done_follows_from_silence_and_from_the_canary(
    silent: float, word: str, hung: float | None, closed: bool | None, take: float
) -> None:
    verdict = judge(Look(silent, word, hung))
    assert (verdict.closed, verdict.take) == (closed, take)
    assert verdict.why


@given(
    st.builds(
        Look,
        st.floats(0, 100),
        st.sampled_from([SERVING, STARTING, LOST, DRAINING, ""]),
        st.none() | st.floats(0, 100),
    )
)
def test_nobody_is_taken_out_while_the_gate_is_open_and_it_opens_only_to_a_living_exchange(
    look: Look,
) -> None:
    verdict = judge(look)
    if verdict.take:
        assert verdict.closed
    if verdict.closed is False:
        assert look.word == SERVING
        assert look.silent < 1.0
        assert look.hung is None


def test_callers_are_taken_out_in_the_order_of_their_arrival() -> None:
    rows = [row("1795374403.12"), row("1795374403.9"), row("1795374399.70"), row("odd", Channel="PJSIP/x-1")]
    assert [caller.id for caller in callers(rows, INF)] == [
        "1795374399.70",
        "1795374403.9",
        "1795374403.12",
        "odd",
    ]


def test_only_who_came_late_is_taken_out_at_first() -> None:
    rows = [row("1795374403.1"), row("1795374460.2", Duration="00:00:03"), row("1795374461.3", Duration="?")]
    assert [caller.id for caller in callers(rows, 5.0)] == ["1795374460.2"]


@pytest.mark.parametrize(
    "fields",
    [
        {"BridgeId": "talk"},
        {"Context": "autocom-phone"},
        {"Context": "autocom-fallback", "Application": "MusicOnHold"},
        {"Application": "Dial"},
        {"Channel": "PJSIP/x\tAction: Originate"},
        {"Channel": ""},
        {"Uniqueid": ""},
    ],
)
def test_whoever_talks_or_is_none_of_the_exchange_is_never_taken_out(fields: dict[str, str]) -> None:
    partner = row("ring-c01-1-lea", Context="autocom-phone", BridgeId="talk", Application="Stasis")
    assert callers([row("1795374403.1", **fields), partner], INF) == []


def test_who_is_left_alone_in_a_bridge_is_taken_out() -> None:
    assert [each.id for each in callers([row("1795374403.1", BridgeId="talk")], INF)] == ["1795374403.1"]


def test_phones_that_ring_for_nobody_are_freed_and_those_that_talk_are_not() -> None:
    rows = [
        row("ring-c0a1-3-lea", Channel="PJSIP/lea-00000001", Context="autocom-phone"),
        row("out-c0a1-2", Channel="PJSIP/trunk-operator-00000002"),
        row("ring-c0b1-1-ines", Channel="PJSIP/ines-00000003", BridgeId="talk"),
        row("1795374403.1", BridgeId="talk"),
        row("1795374403.2"),
        row("ear-c0a1-1", Channel="PJSIP/lea-00000004"),
    ]
    assert [leg.id for leg in legs(rows)] == ["ring-c0a1-3-lea", "out-c0a1-2"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "b1", "b2", "b3"]),
            st.sampled_from(["ring-c1-1-lea", "out-c1-1", "17953744.1"]),
        )
    )
)
def test_no_list_ever_holds_one_of_two_in_a_bridge(members: list[tuple[str, str]]) -> None:
    rows = [
        row(unique, Channel=f"PJSIP/x-{number:08x}", BridgeId=bridge)
        for number, (bridge, unique) in enumerate(members)
    ]
    together = {
        r["Channel"] for r in rows if r["BridgeId"] and sum(o["BridgeId"] == r["BridgeId"] for o in rows) > 1
    }
    taken = {each.name for each in (*callers(rows, INF), *legs(rows))}
    assert not taken & together


@pytest.mark.parametrize(("age", "silent", "hung", "exten"), [
    (90.0, 30.0, None, "again"), (40.0, 30.0, None, "s"), (3.0, 0.2, 4.0, "s"), (60.0, 0.2, 11.0, "again"),
])  # fmt: skip
def test_who_was_served_before_is_not_greeted_twice(
    age: float, silent: float, hung: float | None, exten: str
) -> None:
    assert entry(Stuck("PJSIP/x-1", "1.1", age), Look(silent, SERVING, hung)) == exten
