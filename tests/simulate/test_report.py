"""Figures, their comparison and their three forms."""

from __future__ import annotations

import csv
import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import time

import pytest
from rich.console import Console

from autocom.core.model import Enqueue, Team, Widening
from autocom.simulate import plot
from autocom.simulate.arrivals import draw, synthetic
from autocom.simulate.calendar import Day
from autocom.simulate.confidence import Estimate
from autocom.simulate.course import Course, Passed, Stint
from autocom.simulate.figures import figures
from autocom.simulate.presence import Habits, staffed_otherwise, usual
from autocom.simulate.report import as_json, show, write_csv
from autocom.simulate.staffing import needs
from autocom.simulate.study import House, Plan, study
from autocom.simulate.words import _WORDS, LANGUAGES, Language
from tests.simulate.queues import DAY, client, house

TEN = DAY.at(time(10))
BUREAU = house(
    [
        client("lilas", Enqueue("medical"), number=1),
        client("azur", Enqueue("technical"), number=2, target=10.0),
    ],
    {"lea": {"medical": 1, "technical": 2}, "hugo": {"technical": 1}},
    Team("medical", (Widening(20.0, "technical"),)),
)


def passed(after: float, outcome: str = "served", wait: float = 5.0, **more: object) -> Passed:
    fields: dict[str, object] = {
        "at": TEN + after, "client": "lilas", "outcome": outcome, "team": "medical", "wait": wait,
        "talk": 60.0 if outcome == "served" else 0.0, "offers": 1, "secretary": "lea", "own": True,
    }  # fmt: skip
    return Passed(**{**fields, **more})  # type: ignore[arg-type]


def found(*calls: Passed, stints: tuple[Stint, ...] = (), days: int = 1):
    return figures([Course(calls, stints, 0)] * days, BUREAU, DAY)


def test_the_service_level_is_of_all_who_wanted_a_secretary_at_their_clients_target():
    calls = (
        passed(0, wait=20.0),
        passed(1, wait=20.1),
        passed(2, client="azur", team="technical", wait=11.0, own=False),
        passed(3, "abandoned", 3.0),
        passed(4, "timeout", 300.0),
        passed(5, "full", 0.0, team=None, offers=0),
        passed(6, "closed", 8.0, team=None, offers=0),
        passed(7, "voicemail", 8.0, team=None, offers=0),
    )
    total = found(*calls).total
    assert (total.calls, total.wanted) == (8, 6)
    assert total.service_level.value == pytest.approx(1 / 6)
    assert total.abandons.value == pytest.approx(1 / 6)
    assert total.asa.value == pytest.approx((20 + 20.1 + 11) / 3)
    assert total.own.value == pytest.approx(2 / 3)
    assert total.longest == 300.0
    assert total.offers.value == pytest.approx(5 / 6)
    assert total.outcomes["served"] == 3


def test_figures_are_kept_by_client_team_and_half_hour():
    result = found(passed(0), passed(1800, "abandoned"), passed(10, client="azur", team="technical"))
    assert {name: sheet.calls for name, sheet in result.clients.items()} == {"azur": 1, "lilas": 2}
    assert {name: sheet.calls for name, sheet in result.teams.items()} == {"medical": 2, "technical": 1}
    assert {DAY.label(n): sheet.calls for n, sheet in result.slots.items()} == {"10:00": 2, "10:30": 1}


def test_occupancy_is_busy_of_there_across_half_hours_and_breaks():
    stints = (
        Stint("lea", "free", TEN, TEN + 600),
        Stint("lea", "talking", TEN + 600, TEN + 2400),  # across half past ten
        Stint("lea", "wrap_up", TEN + 2400, TEN + 2700),
        Stint("lea", "paused", TEN + 2700, TEN + 3600),
        Stint("hugo", "free", TEN, TEN + 3600),
        Stint("zoe", "logged_out", TEN, TEN + 3600),
    )
    result = found(passed(600), stints=stints, days=2)
    slot = DAY.slot(TEN)
    assert result.occupancy == {"hugo": 0.0, "lea": pytest.approx(2100 / 2700)}
    assert result.work.occupancy.value == pytest.approx(2100 / 6300)
    assert result.work.spread.value == pytest.approx(2100 / 2700)
    assert result.slot_work[slot].present == pytest.approx(2.0)
    assert result.slot_work[slot].occupancy.value == pytest.approx(1200 / 3600)
    assert result.slot_work[slot + 1].present == pytest.approx((900 + 1800) / 1800)
    assert (result.work.talk, result.work.wrap_up, result.work.handling) == (1800.0, 300.0, 2100.0)


def test_what_each_half_hour_needs_stands_beside_who_is_there():
    calls = tuple(passed(n * 10.0, "served", 5.0) for n in range(150))
    stints = (Stint("lea", "talking", TEN, TEN + 1800), Stint("hugo", "free", TEN, TEN + 1800))
    need = needs(found(*calls, stints=stints), 90.0)[DAY.slot(TEN)]
    assert (need.calls, need.present) == (150, 2.0)
    assert need.impatient <= need.patient
    assert need.expected is not None
    assert list(needs(found(), 90.0)) == []


def plan(**more: object) -> Plan:
    profile = synthetic(BUREAU, DAY, 250)
    made = Plan(
        DAY,
        House(BUREAU, usual(BUREAU.secretaries, DAY)),
        lambda seed: draw(profile, DAY, seed),
        Habits(),
        90.0,
        seeds=3,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def test_a_study_is_the_same_twice_and_tells_after_each_day():
    days: list[int] = []
    first = study(plan(), lambda: days.append(1))
    assert len(days) == plan().steps == 3
    assert first == study(plan())
    assert first.figures.total.service_level.error is not None


def test_another_house_is_compared_on_the_same_callers():
    before = plan().house
    after = House(*staffed_otherwise(BUREAU, before.presence, ["+3:medical", "+2:technical"]))
    report = study(plan(house=after, before=before))
    total = {c.figure: c for c in report.changes if c.group == "total"}
    assert total["service_level"].difference.value > 0.05
    assert total["service_level"].sure
    assert total["abandons"].difference.value < 0
    assert total["service_level"].after == report.figures.total.service_level.value
    same = study(plan(before=before))
    assert all(change.difference.value == 0 and not change.sure for change in same.changes)


def test_without_a_single_call_there_is_still_a_report(tmp_path):
    report = study(plan(callers=lambda _: ()))
    assert report.figures.total.service_level.value is None
    text = shown(report, "en")
    assert "–" in text
    json.dumps(as_json(report), allow_nan=False)
    write_csv(report, tmp_path)
    plot.write(report, tmp_path, Language("fr"))


def shown(report, language: str) -> str:
    console = Console(width=150, highlight=False, record=True, file=open("/dev/null", "w", encoding="utf-8"))  # noqa: SIM115, PTH123
    try:
        show(report, console, Language(language))
        return console.export_text()
    finally:
        console.file.close()


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fr", ("lundi 2026-11-23", "Par demi-heure", "Ensemble", "Niveau de service")),
        ("en", ("Monday 2026-11-23", "By half hour", "All", "Service level")),
    ],
)
def test_the_tables_speak_the_language_that_was_asked_for(language, words):
    before = plan().house
    after = House(*staffed_otherwise(BUREAU, before.presence, ["+1:medical"]))
    text = shown(study(plan(house=after, before=before)), language)
    for word in (*words, "medical", "azur", "hugo", "Erlang A", "08:00"):
        assert word in text


def test_programs_get_every_figure():
    report = study(plan())
    said = json.loads(json.dumps(as_json(report), allow_nan=False))
    assert said["seeds"] == 3
    assert set(said["teams"]) == {"medical", "technical"}
    assert 0 <= said["total"]["service_level"] <= 1
    assert said["half_hours"][0]["time"] == "07:00"
    assert {"erlang_c", "erlang_a", "present"} <= set(said["half_hours"][5]["need"])


def test_spreadsheets_and_pictures_are_written(tmp_path):
    report = study(plan())
    written = [*write_csv(report, tmp_path), *plot.write(report, tmp_path, Language("fr"))]
    assert {path.name for path in written} == {
        "half-hours.csv", "teams.csv", "clients.csv", "secretaries.csv",
        "service-level.svg", "waiting.svg", "staffing.svg",
    }  # fmt: skip
    with (tmp_path / "half-hours.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["time"] for row in rows][:2] == ["07:00", "07:30"]
    assert float(rows[6]["service_level"]) <= 1
    for picture in tmp_path.glob("*.svg"):
        text = picture.read_text(encoding="utf-8")
        assert ET.fromstring(text).tag.endswith("svg")  # noqa: S314 - our own file
        assert "<script" not in text, "a picture runs nothing"
        assert "08:00" in text
    again = tmp_path / "again"
    again.mkdir()
    plot.write(report, again, Language("fr"))
    assert (again / "waiting.svg").read_bytes() == (tmp_path / "waiting.svg").read_bytes()


def test_numbers_are_written_as_the_language_writes_them():
    french, english = Language("fr"), Language("en")
    assert french.percent(Estimate(0.8768, 0.0123), digits=1) == "87,7 % ±1,2"
    assert english.percent(Estimate(0.8768, 0.0123)) == "88 % ±1.2"
    assert english.seconds(Estimate(-0.2)) == "0 s"
    assert french.plain(Estimate(None)) == "–"
    assert all(len(both) == len(LANGUAGES) and all(both) for both in _WORDS.values())


def test_a_day_of_twenty_five_hours_is_reported_whole():
    autumn = Day.of(Day.of(DAY.date, "Europe/Paris").date.replace(month=10, day=25), "Europe/Paris")
    profile = synthetic(BUREAU, autumn, 200)
    report = study(
        plan(
            day=autumn,
            house=House(BUREAU, usual(BUREAU.secretaries, autumn)),
            callers=lambda s: draw(profile, autumn, s),
        )
    )
    assert report.figures.total.calls == pytest.approx(200, rel=0.2)
