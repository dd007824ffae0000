from __future__ import annotations

import json

import pytest

from autocom.core.journal import Entry
from autocom.journal import queries
from tests.support.shipping import shipping

CONTRACT_KEYS = [
    "id", "client", "did", "caller", "anonymous", "forwarded_from", "forward_reason", "rule", "config_version",
    "arrived_at", "answered_at", "queued_at", "bridged_at", "ended_at", "secretary", "outcome", "cause",
    "wait_ms", "talk_ms", "offers",
]  # fmt: skip


def a_call(call: str, at: float, client: str = "cab-lilas") -> list[Entry]:
    return [
        Entry(at, "arrived", call, {"trunk": "operator", "channel": "1.1"}),
        Entry(
            at + 0.0004, "identified", call, {"client": client, "did": "+33199001001", "flags": ["shared"]}
        ),
        Entry(at + 0.5, "message_started", call, {"sound": "bonjour", "at": "hidden", "mode": "early"}),
        Entry(at + 7.1234, "ended", call, {"outcome": "abandoned"}),
    ]


@pytest.fixture
async def journal(log, engine):
    """Four calls of two clients, one of which bears another's id as the beginning of its own."""
    async with shipping(log, engine) as shipper:
        log.save(a_call("cab", 1_764_000_000.0))
        log.save(a_call("cabc", 1_764_000_100.0, "kine-ferrand"))
        log.save(a_call("cxyz1", 1_764_000_200.0))
        log.save(a_call("cxyz2", 1_764_000_200.0))
        assert await shipper.flush(10)
    return engine


async def ids(engine, **filters):
    return [row["id"] for row in await queries.calls(engine, **filters)]


async def test_calls_come_newest_first(journal):
    assert await ids(journal) == ["cxyz2", "cxyz1", "cabc", "cab"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"limit": 2}, ["cxyz2", "cxyz1"]),
        ({"limit": None}, ["cxyz2", "cxyz1", "cabc", "cab"]),
        ({"limit": 0}, []),
        ({"client": "kine-ferrand"}, ["cabc"]),
        ({"client": "nobody"}, []),
        ({"since": 1_764_000_100.0}, ["cxyz2", "cxyz1", "cabc"]),
        ({"since": 1_764_000_100.001, "client": "cab-lilas", "limit": 1}, ["cxyz2"]),
    ],
)
async def test_calls_are_filtered_by_client_time_and_number(journal, filters, expected):
    assert await ids(journal, **filters) == expected


async def test_calls_are_asked_for_by_who_began_them(journal, log, engine):
    dialled = {"trunk": None, "channel": "1.2", "direction": "out", "secretary": "lea"}
    async with shipping(log, engine) as shipper:
        log.save([Entry(1_764_000_300.0, "arrived", "cout", dialled)])
        log.save([Entry(1_764_000_301.0, "ended", "cout", {"outcome": "timeout"})])
        assert await shipper.flush(10)
    assert await ids(journal, direction="out") == ["cout"]
    assert await ids(journal, direction="internal") == []
    assert "cout" not in await ids(journal, direction="in")
    row = (await queries.calls(journal, direction="out"))[0]
    assert (row["direction"], row["secretary"], row["outcome"]) == ("out", "lea", "timeout")


async def test_a_call_has_the_contracts_keys_in_the_contracts_order(journal):
    row = (await queries.calls(journal, client="kine-ferrand"))[0]

    assert list(row)[: len(CONTRACT_KEYS)] == CONTRACT_KEYS
    assert json.loads(json.dumps(row)) == row


async def test_instants_are_utc_with_milliseconds(journal):
    row = (await queries.calls(journal, client="kine-ferrand"))[0]

    assert (row["arrived_at"], row["ended_at"]) == ("2025-11-24T16:01:40.000Z", "2025-11-24T16:01:47.123Z")
    assert row["wait_ms"] == 7123
    assert row["bridged_at"] is None


async def test_one_call_tells_its_events_and_segments_in_order(journal):
    found = await queries.call(journal, "cabc")

    assert found is not None
    assert found["outcome"] == "abandoned"
    assert found["cause"] == "during_message"
    assert [event["kind"] for event in found["events"]] == [
        "arrived",
        "identified",
        "message_started",
        "ended",
    ]
    assert found["events"][2] == {
        "at": "2025-11-24T16:01:40.500Z",
        "kind": "message_started",
        "sound": "bonjour",
        "mode": "early",
    }
    assert found["segments"] == [
        {
            "kind": "message",
            "start": "2025-11-24T16:01:40.500Z",
            "end": "2025-11-24T16:01:47.123Z",
            "secretary": None,
        }
    ]
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    ("asked", "found"), [("cab", "cab"), ("cabc", "cabc"), ("cxyz1", "cxyz1"), ("cx", None)]
)
async def test_an_exact_id_wins_over_one_that_only_begins_so(journal, asked, found):
    if found is None:
        with pytest.raises(queries.AmbiguousId, match="cxyz1, cxyz2"):
            await queries.call(journal, asked)
    else:
        row = await queries.call(journal, asked)
        assert row is not None
        assert row["id"] == found


@pytest.mark.parametrize("asked", ["", "d", "cab%", "%", "c_b", "cabcd", "'; --"])
async def test_an_id_that_no_call_has_finds_none(journal, asked):
    assert await queries.call(journal, asked) is None


async def test_states_come_with_the_one_that_held_when_the_time_began(log, engine):
    def state(at: float, who: str, word: str, reason: str | None = None) -> Entry:
        return Entry(at, "secretary_state", None, {"secretary": who, "state": word, "reason": reason})

    async with shipping(log, engine) as shipper:
        log.save([state(1_764_000_000.0, "lea", "free"), state(1_764_000_010.0, "lea", "paused", "break")])
        log.save([state(1_764_000_020.0, "ines", "free"), state(1_764_000_030.5, "lea", "free")])
        assert await shipper.flush(10)
    assert await queries.states(engine, since=1_764_000_020.0) == [
        (1_764_000_010.0, "lea", "paused", "break"),
        (1_764_000_020.0, "ines", "free", None),
        (1_764_000_030.5, "lea", "free", None),
    ]
    assert await queries.states(engine, since=1_764_000_025.0, secretary="ines") == [
        (1_764_000_020.0, "ines", "free", None)
    ]
