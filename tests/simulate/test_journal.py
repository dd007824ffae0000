"""`journal.history` on a real PostgreSQL, and `autocom simulate --from-journal` over it."""

from __future__ import annotations

import json
from datetime import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy.ext.asyncio import AsyncEngine

from autocom.cli import main
from autocom.core.journal import Entry
from autocom.journal import history
from autocom.journal.log import LocalLog
from tests.simulate.queues import DAY
from tests.support.shipping import shipping

ROOT = Path(__file__).resolve().parents[2]
TEN = DAY.at(time(10))


def a_call(name: str, at: float, *, pick_up: float | None, client: str = "cab-lilas") -> list[Entry]:
    """Offered after a second; picked up after so long, or let ring until the caller gives up."""
    who = {"secretary": "lea", "leg": f"ring-{name}-1-lea", "attempt": 1}
    found = [
        Entry(at, "arrived", name, {"trunk": "operator", "channel": name}),
        Entry(at, "identified", name, {"client": client, "did": "+33199001001", "caller": "+33639980101"}),
        Entry(at, "queued", name, {"team": "medical"}),
        Entry(at + 1, "offered", name, who),
    ]
    if pick_up is None:
        found.append(Entry(at + 13, "offer_ended", name, {**who, "result": "no_answer"}))
        found.append(Entry(at + 40, "ended", name, {"outcome": "abandoned"}))
        return found
    joined = at + 1 + pick_up
    return [
        *found,
        Entry(joined, "offer_ended", name, {**who, "result": "answered"}),
        Entry(joined, "bridged", name, who),
        Entry(joined + 50, "talk_ended", name, {"secretary": "lea", "by": "caller"}),
        Entry(joined + 50, "wrap_up_started", name, {"secretary": "lea"}),
        Entry(joined + 50, "ended", name, {"outcome": "served"}),
        Entry(joined + 62, "wrap_up_ended", name, {"secretary": "lea", "by": "time"}),
    ]


def a_state(at: float, who: str, state: str) -> Entry:
    return Entry(at, "secretary_state", None, {"secretary": who, "state": state, "call": None})


async def filled(log: LocalLog, engine: AsyncEngine) -> None:
    async with shipping(log, engine) as shipper:
        log.save([a_state(DAY.start - 7200, "lea", "free"), a_state(DAY.start - 3600, "marc", "free")])
        log.save([a_state(DAY.start - 60, "marc", "logged_out"), a_state(TEN + 3600, "lea", "logged_out")])
        log.save(a_call("cearly", DAY.start - 90, pick_up=2.0))
        for number in range(30):
            log.save(a_call(f"c{number:03d}", TEN + 90 * number, pick_up=4.0))
        log.save(a_call("cgone", TEN + 3000, pick_up=None))
        log.save(a_call("clate", DAY.end + 5, pick_up=2.0))
        log.save(
            [Entry(TEN, "arrived", "copen", {}), Entry(TEN, "identified", "copen", {"client": "cab-lilas"})]
        )
        assert await shipper.flush(10)


async def test_a_day_is_read_from_its_first_to_its_last_instant(log, engine):
    await filled(log, engine)
    past = await history.day(engine, DAY.start, DAY.end)
    assert [call.id for call in past.calls] == [*(f"c{n:03d}" for n in range(30)), "cgone"]
    first, gone = past.calls[0], past.calls[-1]
    assert (first.at, first.client, first.outcome, first.queued) == (TEN, "cab-lilas", "served", True)
    assert (first.wait, first.talk, first.caller) == (5.0, 50.0, "+33639980101")
    assert (gone.outcome, gone.wait, gone.talk) == ("abandoned", 40.0, 0.0)
    assert past.pick_ups == (4.0,) * 30
    assert past.missed == 1
    assert past.wrap_ups == (12.0,) * 30
    assert [(s.at, s.secretary, s.state) for s in past.states] == [
        (DAY.start, "lea", "free"),
        (DAY.start, "marc", "logged_out"),
        (TEN + 3600, "lea", "logged_out"),
    ]


async def test_the_command_replays_a_day_of_the_journal(log, engine, url, tmp_path, monkeypatch):
    await filled(log, engine)
    monkeypatch.setenv("AUTOCOM_DATABASE_URL", url)
    monkeypatch.setenv("AUTOCOM_STATE", str(tmp_path))
    asked = [
        "simulate",
        "--config",
        str(ROOT / "config"),
        "--from-journal",
        "2026-11-23",
        "--seeds",
        "3",
        "--json",
    ]
    found = await _run(asked)
    assert found.exit_code == 0, found.output
    said = json.loads(found.stdout)
    assert said["day"] == "2026-11-23"
    assert said["total"]["calls"] == 31
    assert said["work"]["talk"] == pytest.approx(50.0, abs=3.0)
    assert said["half_hours"][-1]["time"] == "10:30"
    like = await _run([*asked, "--resample", "--secretaries", "+1:medical"])
    assert like.exit_code == 0, like.output
    assert json.loads(like.stdout)["changes"]
    empty = await _run([*asked[:4], "2026-11-20"])
    assert empty.exit_code == 1
    assert "the journal has no call of that day" in empty.output


async def _run(arguments):
    import asyncio

    # the command has a loop of its own
    return await asyncio.to_thread(CliRunner().invoke, main, arguments)
