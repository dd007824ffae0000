from __future__ import annotations

import pytest
import sqlalchemy as sa

from autocom.core.journal import Entry
from autocom.forgetting import NO_LONGER_CONFIGURED, forget_once
from autocom.journal import queries, retention
from autocom.journal.database import make_engine
from autocom.journal.tables import events, segments
from tests.support.exchange_in_memory import MemoryJournal, client, configuration
from tests.support.shipping import shipping

NOW = 1_764_000_000.0
DAY = 86_400.0


def ended(call: str, client_id: str, days_ago: float) -> list[Entry]:
    at = NOW - days_ago * DAY
    return [
        Entry(at - 60, "arrived", call, {"trunk": "operator", "channel": "1.1"}),
        Entry(at - 60, "identified", call, {"client": client_id, "caller": "+33639980101"}),
        Entry(at - 50, "queued", call, {"team": "medical"}),
        Entry(at, "ended", call, {"outcome": "abandoned"}),
    ]


@pytest.fixture
async def journal(log, engine):
    async with shipping(log, engine) as shipper:
        log.save(ended("cold", "lilas", 31))
        log.save(ended("cyoung", "lilas", 29))
        log.save(ended("cother", "ferrand", 31))
        log.save(ended("cgone", "closed-down", 400))
        log.save(ended("crecent", "closed-down", 31))
        log.save(ended("copen", "lilas", 40)[:3])
        log.save([Entry(NOW - 100 * DAY, "secretary_state", None, {"secretary": "lea", "state": "free"})])
        assert await shipper.flush(10)
    return engine


BUREAU = configuration(
    client("lilas", "+33199001001", retention_calls=30 * DAY),
    client("ferrand", "+33199001002", retention_calls=90 * DAY),
)


async def left(engine) -> set[str]:
    return {str(row["id"]) for row in await queries.calls(engine, limit=None)}


async def test_a_call_is_kept_as_long_as_its_client_wants_and_then_nothing_of_it_is_left(journal):
    told = MemoryJournal()
    await forget_once(journal, told, NOW, BUREAU)
    assert await left(journal) == {"cyoung", "cother", "crecent", "copen"}
    async with journal.connect() as connection:
        about = set((await connection.execute(sa.select(events.c.call).distinct())).scalars())
        parts = set((await connection.execute(sa.select(segments.c.call).distinct())).scalars())
    assert about == {"cyoung", "cother", "crecent", "copen", None}
    assert parts == {"cyoung", "cother", "crecent", "copen"}
    assert {(e.kind, e.fields["client"], e.fields["calls"]) for e in told.entries} == {
        ("forgotten", "lilas", 1),
        ("forgotten", "closed-down", 1),
    }


async def test_a_second_round_finds_nothing_and_says_nothing(journal):
    await forget_once(journal, MemoryJournal(), NOW, BUREAU)
    again = MemoryJournal()
    await forget_once(journal, again, NOW, BUREAU)
    assert again.entries == []


async def test_more_calls_than_one_step_takes_are_all_forgotten(log, engine, monkeypatch):
    monkeypatch.setattr(retention, "AT_ONCE", 3)
    async with shipping(log, engine) as shipper:
        for n in range(10):
            log.save(ended(f"c{n}", "lilas", 31))
        assert await shipper.flush(10)
    assert await retention.forget_calls(engine, {"lilas": 30 * DAY}, NO_LONGER_CONFIGURED, NOW) == {
        "lilas": 10
    }
    assert await left(engine) == set()


async def test_a_database_that_is_away_costs_nothing_but_the_round(tmp_path):
    away = make_engine(f"postgresql+psycopg://autocom@/nothing?host={tmp_path}")
    told = MemoryJournal()
    await forget_once(away, told, NOW, BUREAU)
    assert told.entries == []
    await away.dispose()
