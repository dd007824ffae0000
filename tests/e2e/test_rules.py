"""Rules over time on the real Asterisk: closing time with a caller waiting, overrides, versions, diff, rollback.

One exchange for all of it. A closure's beginning and the ends of overrides are met to the second.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support import asked
from tests.support.bureau import CLOSED, MUSIC, VOICES, Bureau, client, play, queue
from tests.support.exchange import Exchange
from tests.support.leg import Leg
from tests.support.phones import Phones

pytestmark = [pytest.mark.timeout(150)]
PARIS = ZoneInfo("Europe/Paris")
CLOSED_RULE = {
    "name": "closed",
    "when": {"hours": "closed"},
    "do": [play("closed-tone", mode="answered"), {"hangup": "normal"}],
}
SOON = 0.3
"""Seconds within which the caller hears that something is another now."""


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """A bureau whose two secretaries are in a team each; `lilas` waits for the first one's."""
    bureau = Bureau.at(tmp_path_factory.mktemp("rules"), secretaries=2)
    for row, team in zip(bureau.bureau["secretaries"], ("medical", "legal"), strict=True):
        row["teams"] = {team: 1}
    bureau.bureau["teams"] = {"general": {}, "medical": {}, "legal": {}}
    open_rule = {"name": "open", "do": [queue(team="medical", ring_for="60s")]}
    bureau.add(client("lilas", "+33199001001", rules=[CLOSED_RULE, open_rule]))
    bureau.add(client("night", "+33199001002", hours={}, rules=[CLOSED_RULE, open_rule]))
    bureau.write()
    bureau.settings["AUTOCOM_LANGUAGE"] = "fr"
    running = Exchange(bureau)
    asyncio.run(running.start())
    try:
        yield running
    finally:
        asyncio.run(running.stop())
        leaked = running.sweep()
        bureau.tidy()
    assert not leaked


async def heard_at(leg: Leg, tone: int, expected: float) -> float:
    """The instant (UTC epoch seconds) at which this tone began to be heard."""
    await leg.hears(tone, within=expected - time.time() + 5, for_seconds=0.5)
    assert leg._origin is not None
    run = next(run for run in leg.timeline() if run.chord == (tone,))
    return time.time() - time.monotonic() + leg._origin + run.start


def instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


async def facts(exchange: Exchange, call: str) -> list[dict[str, Any]]:
    return (await exchange.call(call))["events"]


async def test_a_closure_written_while_he_waits_is_heard_at_its_second(exchange: Exchange) -> None:
    bureau = exchange.bureau
    begins = (time.time() + 9) // 1
    written = datetime.fromtimestamp(begins, PARIS)
    end = datetime.fromtimestamp(begins + 120, PARIS)
    async with Phones() as phones:
        caller = await phones.dial(bureau.uri("0199001001"))
        await caller.hears(MUSIC)
        version = (await asked.status(bureau))["config_version"]
        before = len([c for c in await exchange.calls() if c["ended_at"]])
        closure = {
            "from": f"{written:%Y-%m-%d %H:%M:%S}",
            "to": f"{end:%Y-%m-%d %H:%M:%S}",
            "name": "réunion",
        }
        bureau.client("lilas")["closures"] = [closure]
        bureau.write()
        await asked.until(bureau, lambda s: s["config_version"] != version)
        await asyncio.sleep(max(0.0, begins - time.time() - 1))
        assert caller.heard()[-1] == (MUSIC,), "the reload itself is not to be heard"
        assert -0.1 < await heard_at(caller, CLOSED, begins) - begins < SOON
        await caller.closed()
        call = await exchange.finished_call(before + 1)
    bureau.client("lilas")["closures"] = []
    bureau.write()
    assert (call["outcome"], call["rule"], call["config_version"]) == ("closed", "open", version)
    story = await facts(exchange, call["id"])
    changed = next(e for e in story if e["kind"] == "rule_changed")
    assert abs(instant(changed["at"]) - begins) < 0.1
    assert "réunion" in changed["hours"]
    told = await exchange.cli("call", call["id"])
    assert "fermé : fermeture réunion" in told
    assert "quitte la file : fermeture" in told


async def test_an_override_moves_who_waits_opens_closes_and_is_listed(exchange: Exchange) -> None:
    bureau = exchange.bureau
    assert (await asked.status(bureau))["overrides"] == []
    before = len(await exchange.calls())
    ines = bureau.secretaries[1]
    async with Phones() as phones:
        await phones.secretary(ines.id, ines.password, bureau.sip, say=VOICES[1], answer_after=0.2)
        await asked.are(bureau, ines="free")
        caller = await phones.dial(bureau.uri("0199001001"))
        await caller.hears(MUSIC)
        said = await exchange.cli(
            "override", "lilas", "team", "legal", "--until", "10m", "--reason", "pont", "--author", "chef"
        )
        until = r"\d{4}-\d\d-\d\d \d\d:\d\d"
        assert re.fullmatch(rf"lilas : vers l'équipe legal jusqu'au {until}, par chef \(pont\)\n", said)
        await caller.hears(VOICES[1])
        listed = json.loads(await exchange.cli("override", "--json"))
        assert [(o["client"], o["override"], o["team"], o["author"]) for o in listed] == [
            ("lilas", "team", "legal", "chef")
        ]
        trail = json.loads(await exchange.cli("explain", "--did", "0199001001", "--now", "--json"))
        assert (trail["team"], trail["at_work"]["ines"]) == ("legal", "talking")
        assert [row["secretary"] for row in trail["eligible"]] == ["ines"]
        await caller.hangup()
        assert (await exchange.finished_call(before + 1))["secretary"] == "ines"
        assert "1 consigne terminée" in await exchange.cli("override", "lilas", "clear")

        # closed all week, open by override; its end is a closing time
        until = instant(
            json.loads(await exchange.cli("override", "night", "open", "--until", "6s", "--json"))["until"]
        )
        late = await phones.dial(bureau.uri("0199001002"))
        await late.hears(MUSIC)
        assert -0.1 < await heard_at(late, CLOSED, until) - until < SOON
        await late.closed()
        call = await exchange.finished_call(before + 2)
    assert (call["client"], call["rule"], call["outcome"]) == ("night", "open", "closed")
    assert (await asked.status(bureau))["overrides"] == []


async def test_what_an_override_cannot_be_is_one_line(exchange: Exchange) -> None:
    for words, hint in (
        (("lila", "closed", "--until", "1h"), "did you mean 'lilas'?"),
        (("lilas", "team", "medica", "--until", "1h"), "did you mean 'medical'?"),
        (("lilas", "closed", "--until", "2020-01-01 10:00"), "in the past"),
        (("lilas", "closed", "--until", "8d"), "longer than 7 days"),
        (("lilas", "closed"), "--until is missing"),
        (("lilas", "team", "--until", "1h"), "team TEAM"),
        (("lilas",), "say what is to hold"),
    ):
        done = await exchange.run("override", *words)
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
        assert hint in done.stderr


async def test_versions_diff_and_rollback(exchange: Exchange) -> None:
    bureau = exchange.bureau
    file = bureau.config / "clients" / "lilas.yaml"
    first = (await asked.status(bureau))["config_version"]
    good = file.read_text(encoding="utf-8")
    bureau.client("lilas")["hours"] = {"mon-fri": ["08:00-18:00"], "sat": ["08:00-12:00"]}
    bureau.client("lilas")["priority"] = 70
    bureau.write()
    await asked.until(bureau, lambda s: s["config_version"] != first)
    second = (await asked.status(bureau))["config_version"]
    listed = json.loads(await exchange.cli("versions", "--json"))
    assert [(row["version"], row["in_force"]) for row in listed[:2]] == [(second, True), (first, False)]
    assert listed[0]["author"] == "file change"
    kept = bureau.state / "versions" / second / "clients" / "lilas.yaml"
    assert kept.stat().st_mode & 0o077 == 0

    told = await exchange.cli("diff", first, second)
    assert "client lilas" in told
    assert "priority : 70 au lieu de 50" in told
    assert "du lundi au vendredi : désormais 08:00-18:00 au lieu de 00:00-24:00" in told
    assert "le dimanche : désormais fermé" in told
    assert "rien ne change" in await exchange.cli("diff")
    replayed = json.loads(await exchange.cli("diff", first, second, "--since", "1h", "--json"))["replay"]
    assert replayed["calls"] == len(await exchange.calls())
    moved = [row["call"] for row in replayed["elsewhere"]]
    lilas = [call["id"] for call in await exchange.calls() if call["client"] == "lilas"]
    now = datetime.now(PARIS)
    closed_now = now.weekday() == 6 or not 8 <= now.hour < (12 if now.weekday() == 5 else 18)
    assert sorted(moved) == (sorted(lilas) if closed_now else [])

    assert f"la version {first} est en vigueur" in await exchange.cli("rollback", "--author", "chef")
    assert json.loads(file.read_text(encoding="utf-8")) == json.loads(good)
    assert (await asked.status(bureau))["config_version"] == first
    # what the folder held without ever being in force is kept too, also where it is no YAML at all
    file.write_text("{{{ not yaml", encoding="utf-8")
    said = await exchange.cli("rollback", second)
    aside = re.search(r"gardé sous (aside-\w+)", said)
    assert aside is not None
    assert (await asked.status(bureau))["config_version"] == second
    refused = await exchange.run("rollback", aside[1])
    assert refused.returncode == 1
    assert "rien n'a changé" in refused.stderr
    assert (await asked.status(bureau))["config_version"] == second
    unknown = await exchange.run("rollback", "nothing")
    assert (unknown.returncode, len(unknown.stderr.splitlines())) == (1, 1)
