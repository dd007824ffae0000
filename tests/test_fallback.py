"""Calls that the dialplan served without us: each comes into the journal once, and what is none of ours only once to the eye."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from autocom import fallback
from autocom.calls.living import FALLBACK, LEFT
from autocom.calls.ports import TelephoneDown
from autocom.config import load, plan_of
from autocom.core.journal import Entry
from autocom.core.model import Configuration
from autocom.core.posts import Pause, Post, Staff
from autocom.core.record import project
from autocom.journal.log import LocalLog

CONFIG = Path(__file__).parents[1] / "config"
PLAN = plan_of("FR")


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return load(CONFIG, None, 2026).configuration


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[LocalLog]:
    log = LocalLog(tmp_path / "journal.sqlite")
    yield log
    log.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "fallback"
    made.mkdir()
    return made


def served(folder: Path, channel: str, **variables: str) -> None:
    """What `dialplan/record_fallback.py` writes."""
    about = {
        "AUTOCOM_TRUNK": "operator",
        "AUTOCOM_REQUEST_USER": "0199001001",
        "AUTOCOM_FROM": "<sip:0639980101@operator.example>",
        "AUTOCOM_DIVERSIONS": "1",
        "AUTOCOM_DIVERSION_1": "<sip:0261912010@operator.example>;reason=no-answer",
        "AUTOCOM_ENTERED": "1795000000",
        **variables,
    }
    record = {"version": 1, "channel": channel, "ended_at": 1_795_000_030.5, "variables": about}
    (folder / f"{channel}.json").write_text(json.dumps(record))


def kinds(journal: LocalLog) -> list[str]:
    return [entry.kind for _, entry in journal.read(0, 100)]


async def test_a_call_is_written_once_and_its_file_is_gone(
    folder: Path, journal: LocalLog, configuration: Configuration
) -> None:
    talked = {"DIALSTATUS": "ANSWER", "DIALEDPEERNAME": "PJSIP/lea-00000003", "ANSWEREDTIME": "12"}
    served(folder, "1795000000.7", **talked)
    assert await fallback.take_in(folder, journal, lambda: configuration, PLAN) == 1
    assert kinds(journal) == ["arrived", "identified", "bridged", "talk_ended", "ended"]
    assert list(folder.iterdir()) == []
    who = journal.read(1, 1)[0][1].fields
    assert (who["client"], who["caller"]) == ("cab-lilas", "+33639980101")
    assert who["diversions"] == [{"number": "0261912010", "reason": "no-answer", "counter": 1}]
    served(folder, "1795000000.7", **talked)  # its file came back: killed between the two
    await fallback.take_in(folder, journal, lambda: configuration, PLAN)
    assert len({entry.call for _, entry in journal.read(0, 100)}) == 1
    assert await fallback.take_in(folder, journal, lambda: configuration, PLAN) == 0


async def test_what_the_dialplan_knew_of_a_call_is_told_as_of_a_live_one(
    folder: Path, journal: LocalLog, configuration: Configuration
) -> None:
    knew = {
        "AUTOCOM_CLIENT": "cardio-vauban",
        "AUTOCOM_RULE": "open",
        "AUTOCOM_SAID": "accueil-lilas",
        "AUTOCOM_SAID_AT": "1795000001",
        "AUTOCOM_SAID_END": "1795000004",
    }
    waited = {
        "AUTOCOM_TEAM": "medical",
        "AUTOCOM_QUEUED": "1795000005",
        "QEHOLDTIME": "7",
        "MEMBERNAME": "lea",
    }
    served(folder, "1795000000.7", **knew, **waited)
    outside = {"DIALSTATUS": "ANSWER", "DIALEDPEERNAME": "PJSIP/trunk-operator-00000004", "ANSWEREDTIME": "9"}
    served(folder, "1795000000.8", **outside, AUTOCOM_NUMBER="+33639981021")
    gave_up = {"AUTOCOM_TEAM": "medical", "AUTOCOM_QUEUED": "1795000005"}
    served(folder, "1795000000.9", **gave_up)
    assert await fallback.take_in(folder, journal, lambda: configuration, PLAN) == 3
    found: dict[str | None, list[Entry]] = {}
    for _, entry in journal.read(0, 100):
        found.setdefault(entry.call, []).append(entry)
    calls = [project(call, entries) for call, entries in found.items() if call is not None]
    first, second, third = sorted(calls, key=lambda call: found[call.id][0].fields["channel"])
    assert (first.client, first.rule, first.secretary) == ("cardio-vauban", "open", "lea")
    assert (first.queued_at, first.wait_ms, first.talk_ms) == (1_795_000_005.0, 12_500, 18_000)
    assert [e.kind for e in found[first.id]] == [
        "arrived", "identified", "rule", "message_started", "message_ended", "queued", "bridged", "talk_ended", "ended",
    ]  # fmt: skip
    assert (second.client, second.secretary, second.talk_ms) == ("cab-lilas", None, 9_000)
    assert "patched" in [e.kind for e in found[second.id]]
    assert (third.secretary, third.talk_ms, third.wait_ms) == (None, 0, 30_500)
    assert {call.outcome for call in calls} == {"fallback"}


async def test_a_record_with_an_impossible_instant_is_put_aside(
    folder: Path, journal: LocalLog, configuration: Configuration
) -> None:
    for number, wrong in enumerate(("-5", "99999999999", "x")):
        served(folder, f"1795000000.{number}", AUTOCOM_QUEUED=wrong)
    assert await fallback.take_in(folder, journal, lambda: configuration, PLAN) == 0
    assert sorted(path.suffix for path in folder.iterdir()) == [".unreadable"] * 3


def test_who_may_come_to_work_while_we_are_away_is_rung_and_who_is_paused_is_not() -> None:
    staff = Staff(levels={}, teams={}, auto_login=frozenset({"lea"}))
    at_home = Post("lea")
    assert fallback.takes_calls(at_home, staff)
    assert not fallback.takes_calls(replace(at_home, registered=True), staff), "she logged out herself"
    assert not fallback.takes_calls(replace(at_home, secretary="ines"), staff)
    working = replace(at_home, registered=True, logged_in=True)
    assert fallback.takes_calls(working, staff)
    assert not fallback.takes_calls(replace(working, pause=Pause("lunch", 0.0)), staff)


async def test_a_call_whose_story_crashed_has_its_record_already(
    folder: Path, journal: LocalLog, configuration: Configuration
) -> None:
    journal.save(floor={"fallback:1795000000.7": "c1", "other": 1})
    served(folder, "1795000000.7")
    await fallback.take_in(folder, journal, lambda: configuration, PLAN)
    assert kinds(journal) == []
    assert journal.stored().floor == {"other": 1}, "the mark is gone with the file"
    assert list(folder.iterdir()) == []


async def test_a_call_whose_story_ends_while_others_are_brought_in_is_told_once(
    folder: Path, journal: LocalLog, configuration: Configuration
) -> None:
    served(folder, "1795000000.1")
    served(folder, "1795000000.2")
    talking = {"1795000000.2"}

    def close() -> None:
        journal.save([Entry(1.0, "ended", "c2", {})], floor={f"{FALLBACK}1795000000.2": "c2"})
        talking.clear()

    def in_force() -> Configuration:
        asyncio.get_running_loop().call_soon(close)
        return configuration

    await fallback.take_in(folder, journal, in_force, PLAN, lambda channel: channel in talking)
    ended = [entry.call for _, entry in journal.read(0, 100) if entry.kind == "ended"]
    assert len(ended) == 2
    assert "c2" in ended
    assert list(folder.iterdir()) == []
    assert not journal.rows(FALLBACK)


def test_marks_whose_record_never_comes_are_swept(journal: LocalLog) -> None:
    journal.save(floor={f"{LEFT}1": "c1", f"{FALLBACK}2": "c2", f"{FALLBACK}3": "c3", "other": 1})
    since: dict[str, float] = {}
    assert fallback.stale(journal, since, 1000.0) == []
    journal.save(floor={f"{FALLBACK}3": None})
    assert fallback.stale(journal, since, 1000.0 + fallback.SWEPT_EVERY) == [f"{LEFT}1"]
    journal.save(floor={f"{LEFT}1": None})
    assert fallback.stale(journal, since, 1000.0 + fallback.FALLBACK_LASTS - 1) == [], "he may still talk"
    assert fallback.stale(journal, since, 1000.0 + fallback.FALLBACK_LASTS) == [f"{FALLBACK}2"]
    assert set(since) == {f"{FALLBACK}2"}


async def test_a_file_that_is_none_of_ours_is_put_aside_and_told_once(
    folder: Path, journal: LocalLog, configuration: Configuration
) -> None:
    (folder / "0.json").write_text("[]")
    served(folder, "1795000000.7")
    with capture_logs() as said:
        assert await fallback.take_in(folder, journal, lambda: configuration, PLAN) == 1
        assert await fallback.take_in(folder, journal, lambda: configuration, PLAN) == 0
    assert [line["file"] for line in said if "unreadable" in line["event"]] == ["0.json"]
    assert [path.name for path in folder.iterdir()] == ["0.unreadable"]


async def test_who_hung_up_before_anybody_had_him_is_written_down_at_the_second_look(
    folder: Path, journal: LocalLog, configuration: Configuration
) -> None:
    served(folder, "1795000000.1", AUTOCOM_ENTERED="", AUTOCOM_LEFT="1795000029")
    looked_at: set[str] = set()
    assert await fallback.take_in(folder, journal, lambda: configuration, PLAN, looked_at=looked_at) == 0
    assert kinds(journal) == [], "his own story may be about to"
    await fallback.take_in(folder, journal, lambda: configuration, PLAN, looked_at=looked_at)
    assert kinds(journal) == ["arrived", "identified", "ended"]
    assert list(folder.iterdir()) == []
    await fallback.take_in(folder, journal, lambda: configuration, PLAN, looked_at=looked_at)
    assert looked_at == set(), "of whom nothing is left to be looked at"
    record = project("x", [replace(entry, call="x") for _, entry in journal.read(0, 10)])
    assert (record.outcome, record.cause, record.arrived_at) == ("abandoned", "short", 1_795_000_029)


async def test_who_has_a_record_of_his_own_is_not_written_down_again(
    folder: Path, journal: LocalLog, configuration: Configuration
) -> None:
    for channel in ("1795000000.1", "1795000000.2"):
        served(folder, channel, AUTOCOM_ENTERED="", AUTOCOM_LEFT="1795000029")
    journal.save(floor={f"{LEFT}1795000000.1": "c1"})  # his story is over
    looked_at = {"1795000000.1", "1795000000.2"}
    await fallback.take_in(
        folder, journal, lambda: configuration, PLAN, "1795000000.2".__eq__, looked_at=looked_at
    )
    assert kinds(journal) == []
    assert list(folder.iterdir()) == []
    assert not journal.rows(LEFT)


async def test_everybody_is_told_of_again_to_a_fallback_that_missed_something() -> None:
    posts = {name: Post(name, registered=True, logged_in=name == "lea") for name in ("lea", "ines", "chloe")}
    dispatcher = SimpleNamespace(floor=SimpleNamespace(posts=posts, staff=Staff({}, {})))
    exchange = SimpleNamespace(switchboard=SimpleNamespace(dispatcher=dispatcher))
    told: list[tuple[str, bool]] = []

    class Telephone:
        async def tell_fallback(self, secretary: str, *, at_work: bool) -> None:
            if secretary == "ines":
                raise TelephoneDown("no answer")
            told.append((secretary, at_work))

    await fallback.tell_all(exchange, Telephone(), known := {})
    assert told == [("lea", True), ("chloe", False)]
    await fallback.tell_all(exchange, Telephone(), known)
    assert len(told) == 2, "they are known"
