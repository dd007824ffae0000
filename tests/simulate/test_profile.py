"""The file that describes a day, the usual day where it says nothing, and secretaries more or fewer."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path

import pytest

from autocom.config import ConfigurationRefused, load
from autocom.core.model import Enqueue, Hours, TimeRange
from autocom.simulate import arrivals, presence, profile
from autocom.simulate.arrivals import draw, scaled, synthetic
from autocom.simulate.calendar import Day
from autocom.simulate.profile import Given, Written, read_profile
from tests.simulate.queues import DAY, client, house

ROOT = Path(__file__).resolve().parents[2]
WEEK = Hours("Europe/Paris", {day: (TimeRange(time(8), time(12)),) for day in range(1, 6)})
BUREAU = house(
    [
        client("lilas", Enqueue("medical"), number=1, hours=WEEK, wrap_up_max=20.0),
        client("azur", Enqueue("technical"), number=2),
    ],
    {"lea": {"medical": 1, "technical": 2}, "ines": {"medical": 1}, "hugo": {"technical": 1}},
)
WHOLE = """\
calls: 200
shape: {"08:00": 4, "09:30": 10, "12:00": 0}
aht: 120s
patience: 80s
variation: 10%
pick_up: 5s
no_answer: 2
clients:
  azur: {calls: 50, aht: 150s, patience: 40s, shape: {"00:00": 1}}
shifts:
  lea: ["08:00-12:30", "13:30-17:00"]
  hugo: "20:00-02:00"
breaks:
  lea: "10:00-10:15"
"""


def written(tmp_path: Path, text: str) -> Written:
    path = tmp_path / "profile.yaml"
    path.write_text(text, encoding="utf-8")
    return read_profile(path, BUREAU)


def test_a_whole_profile_is_read(tmp_path):
    found = written(tmp_path, WHOLE)
    expected = profile.callers(found, BUREAU, DAY, Given())
    lilas, azur = expected.loads["lilas"], expected.loads["azur"]
    assert (round(sum(lilas.calls)), round(sum(azur.calls))) == (150, 50)
    assert lilas.talk.mean == 100.0  # 120 s less the wrap-up
    assert azur.talk.mean == 150.0
    assert (lilas.patience.mean, azur.patience.mean) == (80.0, 40.0)
    at = {DAY.label(n): calls for n, calls in enumerate(lilas.calls)}
    assert at["07:30"] == at["12:00"] == 0.0
    assert at["09:30"] == pytest.approx(at["08:00"] * 10 / 4)
    assert expected.variation == 0.1
    assert profile.mean_patience(expected) == pytest.approx(200 / (150 / 80 + 50 / 40))
    habits = profile.habits(found)
    assert (habits.pick_up.mean, habits.no_answer) == (5.0, 0.02)


def test_shifts_are_instants_and_whoever_has_none_stays_at_home(tmp_path):
    shifts = profile.shifts(written(tmp_path, WHOLE), BUREAU, DAY)
    assert set(shifts) == {"lea", "hugo"}
    lea = shifts["lea"]
    assert lea.works == ((DAY.at(time(8)), DAY.at(time(12, 30))), (DAY.at(time(13, 30)), DAY.at(time(17))))
    assert lea.breaks == ((DAY.at(time(10)), DAY.at(time(10, 15))),)
    assert lea.available(DAY.start, DAY.end) == 8 * 3600 - 900
    assert shifts["hugo"].works == ((DAY.start, DAY.at(time(2))), (DAY.at(time(20)), DAY.end))


def test_the_command_lines_words_go_before_the_files(tmp_path):
    found = profile.callers(written(tmp_path, WHOLE), BUREAU, DAY, Given(1050, 60.0, 30.0))
    assert round(sum(found.loads["lilas"].calls)) == 1000
    assert found.loads["lilas"].talk.mean == 40.0
    assert found.loads["lilas"].patience.mean == 30.0
    assert found.loads["azur"].patience.mean == 40.0  # what is special about a client stays so


def test_the_profile_that_the_page_shows_is_one_for_the_example_bureau(tmp_path):
    page = (ROOT / "docs/simulate.md").read_text(encoding="utf-8")
    (shown,) = (body for body in page.split("```text\n")[1:] if body.startswith("calls:"))
    example = load(ROOT / "config", None, 2026).configuration
    path = tmp_path / "profile.yaml"
    path.write_text(shown.split("```")[0], encoding="utf-8")
    found = read_profile(path, example)
    assert set(profile.shifts(found, example, DAY)) == {"lea", "zoe"}
    assert profile.callers(found, example, DAY, Given()).calls == pytest.approx(900)


def test_an_empty_profile_is_the_usual_day():
    found = profile.callers(Written(), BUREAU, DAY, Given())
    assert found.calls == pytest.approx(2 * profile.CALLS)
    shifts = profile.shifts(Written(), BUREAU, DAY)
    assert set(shifts) == {"lea", "ines", "hugo"}
    assert len({shift.breaks for shift in shifts.values()}) == 3, "colleagues take their noon in turn"
    at_noon = DAY.at(time(12, 10))
    assert sum(shift.available(at_noon, at_noon + 60) for shift in shifts.values()) == 120


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cals: 3", "profile.yaml:1:1: unknown key `cals`: did you mean `calls`?"),
        ("calls: many", "profile.yaml:1:8:"),
        (
            "clients: {lila: {calls: 3}}",
            "profile.yaml:1:11: there is no client `lila`: did you mean `lilas`?",
        ),
        ('shifts: {leah: "08:00-12:00"}', "there is no secretary `leah`: did you mean `lea`?"),
        ('breaks: {lea: "8-9"}', "8"),
        ('shape: {"08:10": 3}', "`08:10` is no half hour: write 08:00 or 08:30, in quotes"),
        ("no_answer: 120", "`120` is no percentage: from 0 to 100"),
        ("variation: lots", "`lots` is no percentage: write 5 or 5%"),
        ("aht: 2", "is no duration"),
        ("- 1", "must be a mapping"),
        ("calls: [", "profile.yaml:"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, text, said):
    with pytest.raises(ConfigurationRefused) as refused:
        written(tmp_path, text)
    assert said in str(refused.value)


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(ConfigurationRefused, match="cannot be read"):
        read_profile(tmp_path / "none.yaml", BUREAU)


# --- the synthetic day -----------------------------------------------------------------------


def test_a_synthetic_day_has_its_calls_where_the_clients_are_open():
    made = synthetic(BUREAU, DAY, 400)
    assert made.calls == pytest.approx(400)
    lilas = made.loads["lilas"].calls
    morning = sum(calls for n, calls in enumerate(lilas) if "08:00" <= DAY.label(n) < "12:00")
    assert morning / 200 > 0.9
    assert scaled(made, 100).calls == pytest.approx(100)
    sunday = Day.of(date(2026, 11, 22), "Europe/Paris")
    assert synthetic(BUREAU, sunday, 400).calls == pytest.approx(400)


def test_a_seed_is_a_day_and_the_days_mean_is_what_is_expected():
    made = synthetic(BUREAU, DAY, 300)
    assert draw(made, DAY, 3) == draw(made, DAY, 3)
    assert draw(made, DAY, 3) != draw(made, DAY, 4)
    days = [draw(made, DAY, seed) for seed in range(60)]
    assert sum(map(len, days)) / 60 == pytest.approx(300, rel=0.03)
    for day in days:
        assert [a.at for a in day] == sorted(a.at for a in day)
        assert all(DAY.start <= a.at < DAY.end for a in day)


def test_another_client_more_changes_nothing_about_a_clients_callers():
    both, one = synthetic(BUREAU, DAY, 200), synthetic(BUREAU, DAY, 200)
    alone = arrivals.Profile({"lilas": one.loads["lilas"]})
    assert draw(alone, DAY, 7) == tuple(a for a in draw(both, DAY, 7) if a.client == "lilas")


def test_variation_is_from_day_to_day():
    made = arrivals.Profile(synthetic(BUREAU, DAY, 300).loads, variation=0.3)
    days = [len(draw(made, DAY, seed)) for seed in range(200)]
    mean = sum(days) / 200
    deviation = (sum((n - mean) ** 2 for n in days) / 199) ** 0.5
    assert mean == pytest.approx(300, rel=0.08)
    assert deviation / mean == pytest.approx(0.3, abs=0.06)


# --- secretaries more or fewer ---------------------------------------------------------------


def test_one_more_is_the_double_of_who_knows_the_team_best():
    shifts = presence.usual(BUREAU.secretaries, DAY)
    more, there = presence.staffed_otherwise(BUREAU, shifts, ["+2:medical"])
    new = set(more.secretaries) - set(BUREAU.secretaries)
    assert new == {"extra-1", "extra-2"}
    assert more.secretaries["extra-1"].teams == {"medical": 1, "technical": 2}
    assert there["extra-2"] == shifts["lea"]
    fewer, there = presence.staffed_otherwise(BUREAU, shifts, ["-1:medical", "+1:technical"])
    assert set(fewer.secretaries) == {"lea", "hugo", "extra-1"}
    assert "ines" not in there
    assert set(BUREAU.secretaries) == {"lea", "ines", "hugo"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("2:medical", "write +2:medical or -1:medical"),
        ("+2:medicine", "there is no team medicine: medical, technical"),
        ("+2", "say the team, as +2:medical"),
        ("-4:technical", "nobody is (left) in team technical"),
    ],
)
def test_what_cannot_be_staffed_is_said(change, said):
    with pytest.raises(presence.Impossible) as impossible:
        presence.staffed_otherwise(BUREAU, {}, [change])
    assert said in str(impossible.value)


def test_the_only_team_need_not_be_named():
    one = house([client("lilas", Enqueue("medical"))], {"lea": {"medical": 1}})
    more, _ = presence.staffed_otherwise(one, {}, ["+3"])
    assert len(more.secretaries) == 4
