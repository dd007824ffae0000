"""When an alert is told, told again and told to be over: tables, and the laws over random histories."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom.config.alert_models import AlertName
from autocom.core.alert_words import EN, FR, said
from autocom.core.alerts import (
    FLAPPING,
    KEPT,
    MOST,
    RENEW,
    RULES,
    SETTLE,
    Alert,
    Alerting,
    Finding,
    Notice,
    active,
    changed,
    looked,
    noted,
    recent,
    restored,
)
from autocom.core.faults import FAULTS, fault

LONG_AGO = -10_000.0
SETTINGS = Alerting()
DOWN = Finding("database_down", detail="12")


class Watch:
    """Looks once a second, as the exchange does; `told` is what came of it, with the second."""

    def __init__(self, settings: Alerting = SETTINGS, started: float = LONG_AGO) -> None:
        self.settings, self.started = settings, started
        self.alerts: dict[str, Alert] = {}
        self.now = 0.0
        self.told: list[tuple[float, str, str]] = []
        self.notices: list[Notice] = []

    def look(self, *findings: Finding, seconds: int = 1) -> None:
        for _ in range(seconds):
            self.now += 1.0
            self.alerts, notices = looked(self.alerts, findings, self.settings, self.now, self.started)
            self.told += [(self.now, n.what, n.alert.name) for n in notices]
            self.notices += notices

    def fact(self, name: str, where: str = "", detail: str = "", *, over: bool = False) -> None:
        found = Finding(name, where, detail)
        self.alerts = noted(self.alerts, self.settings.rules, found, self.now, over=over)

    @property
    def whats(self) -> list[str]:
        return [what for _, what, _ in self.told]


def test_a_condition_is_told_once_it_has_held_and_once_it_is_gone() -> None:
    watch = Watch()
    watch.look(DOWN, seconds=20)
    watch.look(seconds=20)
    assert watch.told == [(4.0, "raised", "database_down"), (23.0, "over", "database_down")]


def test_what_goes_before_its_time_is_told_to_nobody() -> None:
    watch = Watch()
    watch.look(DOWN, seconds=2)
    watch.look(seconds=60)
    assert watch.told == []
    assert watch.alerts == {}


def test_what_lasts_is_told_again() -> None:
    watch = Watch(replace(SETTINGS, repeat=600.0))
    watch.look(DOWN, seconds=1500)
    assert [(at, what) for at, what, _ in watch.told] == [
        (4.0, "raised"),
        (604.0, "again"),
        (1204.0, "again"),
    ]
    assert len({notice.id for notice in watch.notices}) == 3


def test_no_repeat_means_never_again() -> None:
    watch = Watch(replace(SETTINGS, repeat=0.0))
    watch.look(DOWN, seconds=8000)
    assert watch.whats == ["raised"]


def test_what_flaps_is_told_ever_more_seldom() -> None:
    watch = Watch()
    for _ in range(120):
        watch.look(DOWN, seconds=5)
        watch.look(seconds=5)
    assert len(watch.told) <= 8, watch.told
    watch.look(seconds=200)
    assert watch.whats[-1] == "over"


def test_after_a_quiet_time_it_is_told_at_once_again() -> None:
    watch = Watch()
    for _ in range(10):
        watch.look(DOWN, seconds=5)
        watch.look(seconds=5)
    watch.look(seconds=int(FLAPPING) + 200)
    before = len(watch.told)
    watch.look(DOWN, seconds=10)
    watch.look(seconds=10)
    assert watch.whats[before:] == ["raised", "over"]


def test_a_fact_without_an_end_counts_and_ends_by_itself() -> None:
    watch = Watch()
    for _ in range(3):
        watch.fact("fallback_used")
        watch.look()
    assert watch.told == [(1.0, "raised", "fallback_used")]
    (alert,) = active(watch.alerts)
    assert alert.count == 3
    watch.look(seconds=400)
    assert watch.whats == ["raised", "over"]
    assert [a.name for a in recent(watch.alerts)] == ["fallback_used"]
    watch.look(seconds=int(KEPT) // 100)
    watch.now += KEPT
    watch.look()
    assert watch.alerts == {}


def test_a_fact_with_an_end_holds_until_its_end() -> None:
    watch = Watch()
    watch.fact("disk_low", "/var", "3 GB")
    watch.look(seconds=1000)
    watch.fact("disk_low", "/var", over=True)
    watch.look(seconds=20)
    assert watch.whats == ["raised", "over"]
    (alert,) = recent(watch.alerts)
    assert (alert.subject, alert.detail) == ("/var", "3 GB")


def test_a_repeat_of_facts_says_only_what_is_new() -> None:
    watch = Watch(replace(SETTINGS, repeat=100.0))
    watch.fact("banned", "192.0.2.1")
    watch.look(seconds=300)
    assert watch.whats == ["raised"]
    watch.fact("banned", "192.0.2.2")
    watch.look(seconds=2)
    assert watch.whats == ["raised", "again"]


def test_an_attack_by_a_thousand_addresses_is_one_alert() -> None:
    watch = Watch()
    for n in range(1000):
        watch.fact("banned", f"192.0.2.{n}")
    watch.look()
    (alert,) = active(watch.alerts)
    assert (alert.count, alert.subject, alert.detail) == (1000, "", "192.0.2.999")


def test_there_are_never_more_alerts_than_can_be_read() -> None:
    watch = Watch()
    watch.look(*(Finding("no_secretary", f"team-{n}") for n in range(3 * MOST)), seconds=40)
    assert len(watch.alerts) == MOST + 1
    for n in range(3 * MOST):
        watch.fact("disk_low", f"disk-{n}")
    assert len(watch.alerts) == MOST + 2


def test_alerts_that_are_known_leave_room_for_as_many_as_can_be_read() -> None:
    watch = Watch()
    for subjects in (MOST // 2 + 10, MOST):
        watch.look(*(Finding("no_secretary", f"team-{n}") for n in range(subjects)), seconds=40)
        assert len(watch.alerts) == subjects
        assert all(alert.subject for alert in watch.alerts.values())


def test_what_is_told_as_one_is_counted_together() -> None:
    watch = Watch()
    watch.look(*(Finding("no_secretary", f"team-{n}", "Lilas", 2) for n in range(MOST + 3)), seconds=40)
    (rest,) = [alert for alert in watch.alerts.values() if not alert.subject]
    assert (rest.count, rest.detail) == (6, f"team-{MOST + 2}: Lilas")


def test_a_fault_that_flaps_before_it_is_told_to_be_over_has_to_stay_away_longer_each_time() -> None:
    watch = Watch()
    for _ in range(4):
        watch.fact("asterisk_hung")
        watch.look(seconds=2)
        watch.fact("asterisk_hung", over=True)
        watch.look(seconds=2)
    watch.fact("asterisk_hung")
    watch.fact("asterisk_hung", over=True)
    watch.look(seconds=60)
    assert watch.whats == ["raised"], "five times in 20 s: away for 80 s"
    watch.look(seconds=30)
    assert watch.whats == ["raised", "over"]


def test_a_fault_that_began_among_too_many_ends_when_there_are_few() -> None:
    watch = Watch()
    many = [Finding("no_secretary", f"team-{n}") for n in range(MOST)]
    watch.look(*many, seconds=40)
    watch.fact("disk_low", "/var", "3 GB")
    watch.look(*many, seconds=2)
    watch.look(seconds=10)
    watch.now += KEPT
    watch.look(seconds=2)
    assert [alert.name for alert in active(watch.alerts)] == ["disk_low"]
    watch.fact("disk_low", "/var", over=True)
    watch.look(seconds=20)
    assert list(active(watch.alerts)) == []


@pytest.mark.parametrize(
    "subjects", [("garde-nuit", "garde+nuit"), ("/var/a", "/var-a"), ("x" * 70 + "1", "x" * 70 + "2")]
)
def test_notices_of_two_subjects_never_have_one_id(subjects: tuple[str, str]) -> None:
    watch = Watch()
    watch.look(*(Finding("no_secretary", subject) for subject in subjects), seconds=40)
    assert len({notice.id for notice in watch.notices}) == 2


def test_a_plain_subject_stands_in_the_id_as_it_is() -> None:
    watch = Watch()
    watch.look(Finding("no_secretary", "medical"), seconds=40)
    assert [notice.id for notice in watch.notices] == ["alert-no-secretary-medical-31000-raised-1"]


def test_switched_off_is_silent_and_forgets() -> None:
    watch = Watch()
    watch.look(DOWN, seconds=10)
    off = {**RULES, "database_down": replace(RULES["database_down"], enabled=False)}
    watch.settings = Alerting(rules=off)
    watch.look(DOWN, seconds=10)
    watch.fact("database_down")
    watch.look(seconds=10)
    assert watch.whats == ["raised"]
    assert watch.alerts == {}


# --- a new process -----------------------------------------------------------------------------------------


def again(watch: Watch) -> Watch:
    """The next process, with what was saved."""
    rows = json.loads(json.dumps(changed({}, watch.alerts)))
    after = Watch(watch.settings, started=watch.now)
    after.alerts, broken = restored(rows)
    after.now = watch.now
    assert broken == []
    return after


def test_after_a_kill_nothing_is_told_twice() -> None:
    watch = Watch()
    watch.look(DOWN, seconds=10)
    watch.fact("disk_low", "/var")
    watch.look(DOWN)
    after = again(watch)
    after.look(DOWN, seconds=30)
    assert after.told == []


def test_after_a_start_nothing_is_over_before_one_can_know() -> None:
    watch = Watch()
    watch.look(DOWN, seconds=10)
    after = again(watch)
    after.look(seconds=int(SETTLE) - 2)
    after.look(DOWN, seconds=5)
    assert after.told == []
    over = again(watch)
    over.look(seconds=60)
    assert [(what, at - watch.now) for at, what, _ in over.told] == [("over", SETTLE)]


def test_a_fault_that_nobody_says_again_after_a_start_is_over() -> None:
    watch = Watch()
    watch.fact("asterisk_hung")
    watch.look(seconds=5)
    forgotten, said_again = again(watch), again(watch)
    forgotten.look(seconds=int(RENEW) + 30)
    assert forgotten.whats == ["over"]
    said_again.look(seconds=5)
    said_again.fact("asterisk_hung")
    said_again.look(seconds=int(RENEW) + 30)
    assert said_again.told == []


# --- laws ----------------------------------------------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("look"), st.sampled_from([(), (DOWN,), (DOWN, Finding("trunk_down", "op"))]), st.integers(1, 40)),
        st.tuples(st.just("fact"), st.sampled_from(["banned", "disk_low", "rescued"]), st.booleans()),
        st.just(("kill", None, None)),
    ),
    max_size=25,
)  # fmt: skip


@given(STEPS)
def test_every_alert_is_raised_before_it_is_over_and_never_twice_in_between(steps: Sequence[tuple]) -> None:
    watch = Watch()
    standing: dict[str, int] = {}
    ids: set[str] = set()
    for kind, what, value in steps:
        before = len(watch.notices)
        if kind == "look":
            watch.look(*what, seconds=value)
        elif kind == "fact":
            watch.fact(what, "somewhere", over=value)
        else:
            told, notices = watch.told, watch.notices
            watch = again(watch)
            watch.told, watch.notices = told, notices
        for notice in watch.notices[before:]:
            key = notice.alert.key
            assert notice.id not in ids
            ids.add(notice.id)
            assert standing.get(key, 0) == (0 if notice.what == "raised" else 1), notice
            standing[key] = 0 if notice.what == "over" else 1
    assert {alert.key for alert in active(watch.alerts)} == {key for key, told in standing.items() if told}


@given(STEPS)
def test_what_is_saved_is_what_is_known(steps: Sequence[tuple]) -> None:
    watch, rows = Watch(), {}
    for kind, what, value in steps:
        before = dict(watch.alerts)
        if kind == "look":
            watch.look(*what)
        elif kind == "fact":
            watch.fact(what, "somewhere", over=value)
        rows = {**rows, **changed(before, watch.alerts)}
    kept, broken = restored({key: row for key, row in rows.items() if row is not None})
    assert broken == []
    assert kept.keys() == watch.alerts.keys()
    for key, alert in watch.alerts.items():
        assert replace(kept[key], detail="", count=0) == replace(alert, detail="", count=0)


# --- words ---------------------------------------------------------------------------------------------------


def test_every_alert_has_its_words_and_its_key_in_the_files() -> None:
    assert set(RULES) == set(FR) == set(EN) == set(get_args(AlertName))
    assert set(FAULTS) <= set(RULES)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("what", ["raised", "again", "over"])
def test_every_alert_can_be_said(name: str, language: str, what: str) -> None:
    title, sentence = said(language, name, subject="Léa", detail="x", count=3, limit="2 min 00 s", what=what)
    assert title
    assert sentence.endswith((".", "x"))
    assert "{" not in title + sentence
    empty, _ = said(language, name, subject="", detail="", count=1, limit="", what=what)
    assert empty == empty.strip()


@pytest.mark.parametrize("language", ["fr", "en"])
def test_what_is_over_is_not_said_to_be_the_case(language: str) -> None:
    wrong, right = (
        said(language, "telephone_lost", subject="", detail="", count=1, limit="", what=what)
        for what in ("again", "over")
    )
    assert right[0].endswith(wrong[0].partition(": ")[2])
    assert right[1] == {"fr": "C'est terminé.", "en": "It is over."}[language]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_certificate_that_has_ended_does_not_end_in_less_than_no_days(language: str) -> None:
    words = [
        " ".join(said(language, "certificate_expiring", subject="", detail=days, count=1, limit=""))
        for days in ("0", "-1")
    ]
    assert "0" in words[0]
    assert "1" not in words[1]


def test_a_fault_is_one_line_whatever_was_said() -> None:
    entry = fault(1.0, "disk_low", "op\nerator", "x" * 1000)
    assert entry.fields["where"] == "op erator"
    assert len(str(entry.fields["detail"])) == 300
    with pytest.raises(KeyError):
        fault(1.0, "no_such_fault", "", "")
