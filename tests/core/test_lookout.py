"""What a look finds wrong: nobody for an open client, waits, trunks; and who is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

import pytest

from autocom.core.alerts import RULES, Alerting, Finding
from autocom.core.journal import Entry
from autocom.core.lookout import CERTIFICATE_DAYS, Sight, findings, groups, span, takes_callers
from autocom.core.model import (
    Audio,
    Client,
    Configuration,
    Enqueue,
    Hangup,
    HangupKind,
    Hours,
    Jump,
    Menu,
    Rule,
    Secretary,
    Team,
    TimeRange,
    When,
    Widening,
)
from autocom.core.overrides import Override
from autocom.core.trunk_health import TrunkHealth
from tests.support.exchange_in_memory import CALM, client, configuration
from tests.support.virtual import EPOCH

NOW = EPOCH


def bureau(alerting: Alerting | None = None) -> Configuration:
    """Lilas and Roses wait for `medical`, which widens to `general`; Port for `legal`; Mur has no queue."""
    clients = [
        client("lilas", "+33199001001"),
        client("roses", "+33199001002"),
        client("port", "+33199001003", Enqueue("legal", CALM)),
        client("mur", "+33199001004", Hangup(HangupKind.NORMAL)),
    ]
    base = configuration(*clients, lea={"medical": 1}, ines={"general": 1}, marc={"legal": 1})
    teams = {
        "medical": Team("medical", (Widening(20.0, "general"),)),
        "general": Team("general"),
        "legal": Team("legal"),
    }
    house = base.bureau if alerting is None else replace(base.bureau, alerts=alerting)
    return replace(base, teams=teams, bureau=house)


def look(
    sight: Sight, config: Configuration, *, closed: frozenset[str] = frozenset(), **sent: str
) -> list[Finding]:
    def is_open(who: Client) -> bool:
        return who.id not in closed

    return list(findings(sight, config, groups(config), is_open, sent.get))


@pytest.mark.parametrize(
    ("present", "lacking"),
    [
        ({"lea", "marc"}, {}),
        ({"ines", "marc"}, {}),  # of the team that is reached by widening
        ({"lea"}, {"legal": "Port"}),
        ({"marc"}, {"medical": "Lilas, Roses"}),
        (set(), {"medical": "Lilas, Roses", "legal": "Port"}),
    ],
)
def test_an_open_client_needs_somebody_within_reach(present: set[str], lacking: dict[str, str]) -> None:
    found = look(Sight(NOW, present=frozenset(present)), bureau())
    assert {f.subject: f.detail for f in found} == lacking
    assert {f.name for f in found} <= {"no_secretary"}


def test_a_closed_client_needs_nobody() -> None:
    (found,) = look(Sight(NOW, present=frozenset({"marc"})), bureau(), closed=frozenset({"roses"}))
    assert (found.subject, found.detail, found.count) == ("medical", "Lilas", 1)
    assert look(Sight(NOW, present=frozenset({"marc"})), bureau(), closed=frozenset({"roses", "lilas"})) == []


def test_hours_are_asked_only_where_nobody_is_at_work() -> None:
    asked: list[str] = []

    def is_open(who: Client) -> bool:
        asked.append(who.id)
        return True

    config = bureau()
    sight = Sight(NOW, present=frozenset({"lea"}))
    list(findings(sight, config, groups(config), is_open))
    assert asked == ["port"]


def test_an_override_of_the_team_is_what_counts() -> None:
    present = Sight(NOW, present=frozenset({"lea"}))
    found = look(present, bureau(), port="medical", lilas="legal")
    assert {f.subject: f.detail for f in found} == {"legal": "Lilas"}


CLOSED = When(open=False)
MORNING = Hours("Europe/Paris", {day: (TimeRange(time(8), time(12)),) for day in range(1, 8)})
QUEUE = Enqueue("medical", CALM)
URGENT = Menu(Audio("m", "m", 1.0), {"1": (QUEUE,)}, 6.0, ())
BYE = Hangup(HangupKind.NORMAL)


@pytest.mark.parametrize(
    ("rules", "morning", "afternoon"),
    [
        ((Rule("closed", CLOSED, (BYE,)), Rule("open", None, (QUEUE,))), True, False),
        ((Rule("open", None, (QUEUE,)),), True, True),  # whatever its hours say
        (
            (Rule("closed", CLOSED, (URGENT,)), Rule("open", None, (QUEUE,))),
            True,
            False,
        ),  # a key is no promise
        ((Rule("nobody", When(nobody=True), (BYE,)), Rule("open", None, (QUEUE,))), True, True),
        ((Rule("closed", CLOSED, (Jump("open"),)), Rule("open", None, (QUEUE,))), True, True),
    ],
)
def test_a_client_is_open_when_an_ordinary_caller_would_wait(
    rules: tuple[Rule, ...], morning: bool, afternoon: bool
) -> None:
    lilas = client("lilas", "+33199001001", rules=rules, hours=MORNING)
    assert takes_callers(lilas, NOW - 5 * 3600) is morning  # 11:13 in Paris
    assert takes_callers(lilas, NOW) is afternoon
    shut = Override("lilas", "closed", NOW + 60, "chef", NOW - 86400)
    assert takes_callers(lilas, NOW - 5 * 3600, shut) is afternoon


def test_many_clients_are_named_shortly() -> None:
    many = [client(f"cab-{n}", f"+331990011{n:02d}") for n in range(40)]
    (found,) = look(Sight(NOW), configuration(*many))
    assert found.detail.endswith(" +28")
    assert found.count == 40


def test_who_waits_too_long_is_told_for_all_clients_together() -> None:
    waiters = [("lilas", NOW - 121), ("roses", NOW - 300), ("port", NOW - 119)]
    (found,) = look(Sight(NOW, waiters=waiters, present=frozenset({"lea", "marc"})), bureau())
    assert found == Finding("long_wait", "", "2, 5 min 00 s (Lilas, Roses)", 2)


def test_a_client_with_a_limit_of_its_own_is_told_by_itself() -> None:
    rules = {**RULES, "long_wait": replace(RULES["long_wait"], over=60.0)}
    config = bureau(Alerting(rules=rules, clients={"port": 20.0, "lilas": 600.0}))
    waiters = [("lilas", NOW - 500), ("roses", NOW - 61), ("port", NOW - 21)]
    found = look(Sight(NOW, waiters=waiters, present=frozenset({"lea", "marc"})), config)
    assert {(f.subject, f.detail) for f in found} == {("", "1, 1 min 01 s (Roses)"), ("port", "1, 21 s")}


def test_every_part_that_is_away_is_found() -> None:
    sight = Sight(
        NOW,
        connected=False,
        database=False,
        backlog=7,
        present=frozenset({"lea", "marc"}),
        outboxes={"mail": NOW - 901, "texts": NOW - 899},
        trunks={"operator": "OPTIONS"},
        certificate=CERTIFICATE_DAYS - 1,
    )
    assert {(f.name, f.subject, f.detail) for f in look(sight, bureau())} == {
        ("telephone_lost", "", ""),
        ("database_down", "", "7"),
        ("outbox_stuck", "mail", "15 min 01 s"),
        ("trunk_down", "operator", "OPTIONS"),
        ("certificate_expiring", "", "20"),
    }


def test_a_lag_is_told_while_the_database_is_there() -> None:
    sight = Sight(NOW, backlog=9, behind=61.0, present=frozenset({"lea", "marc"}))
    assert [f.name for f in look(sight, bureau())] == ["journal_lag"]
    assert [f.name for f in look(replace(sight, database=False), bureau())] == ["database_down"]
    assert look(replace(sight, behind=59.0), bureau()) == []


def test_nobody_is_missed_whose_client_allows_no_one_there_is() -> None:
    config = bureau()
    lilas = replace(config.clients["lilas"], languages=("de",))
    config = replace(config, clients={**config.clients, "lilas": lilas})
    found = look(Sight(NOW, present=frozenset({"lea", "marc", "ines"})), config)
    assert {f.subject: f.detail for f in found} == {"medical": "Lilas"}
    speaks = Secretary("uta", "Uta", "209", "x", {"medical": 1}, languages=("de",))
    config = replace(config, secretaries={**config.secretaries, "uta": speaks})
    assert look(Sight(NOW, present=frozenset({"lea", "marc", "uta"})), config) == []


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.9, "59 s"), (60, "1 min 00 s"), (3599, "59 min 59 s"), (3660, "1 h 01 min")],
)
def test_a_time_is_said_alike_in_both_languages(seconds: float, words: str) -> None:
    assert span(seconds) == words


# --- trunks --------------------------------------------------------------------------------------------------


def leg(
    health: TrunkHealth, n: int, *ends: tuple[str, dict[str, object]], kind: str = "forward_started"
) -> None:
    fields = {"leg": f"out-c1-{n}", "number": "+33639981011"}
    health.take(Entry(NOW, kind, "c1", fields))
    for name, more in ends:
        health.take(Entry(NOW, name, "c1", {"leg": f"out-c1-{n}", **more}))  # type: ignore[dict-item]


UNREACHABLE = ("forward_ended", {"result": "unreachable", "cause": 38})


@pytest.mark.parametrize(
    ("end", "counts"),
    [
        (UNREACHABLE, True),
        (("forward_ended", {"result": "unreachable", "cause": None}), True),
        (
            ("forward_ended", {"result": "unreachable", "cause": 1}),
            False,
        ),  # no such number: the trunk said so
        (("forward_ended", {"result": "no_answer", "cause": 19}), True),  # nobody answered the INVITE
        (("forward_ended", {"result": "withdrawn", "cause": None}), False),
        (("consult_ended", {"result": "unreachable", "cause": 34}), True),
        (("forward_ended", {"result": "refused", "cause": 21}), True),  # 403 to every call
        (("consult_ended", {"result": "refused", "cause": 21}), False),  # perhaps by a person
    ],
)
def test_what_speaks_against_a_trunk(end: tuple[str, dict[str, object]], counts: bool) -> None:
    health = TrunkHealth(lambda _: "operator")
    for n in range(5):
        leg(health, n, end)
    assert health.failed.get("operator", 0) == (5 if counts else 0)


@pytest.mark.parametrize(
    "ends",
    [
        [("forward_ringing", {}), ("forward_ended", {"result": "no_answer", "cause": 19})],
        [("forward_answered", {})],
        [("forward_ended", {"result": "refused", "cause": 17})],
        [("forward_ended", {"result": "refused", "cause": 16})],
        [("forward_ringing", {}), ("forward_ended", {"result": "refused", "cause": 21})],
    ],
)
def test_one_call_that_gets_through_proves_the_trunk(ends: list[tuple[str, dict[str, object]]]) -> None:
    health = TrunkHealth(lambda _: "operator")
    for n in range(4):
        leg(health, n, UNREACHABLE)
    leg(health, 5, *ends)
    assert health.failed == {}


def test_a_colleague_is_no_trunk() -> None:
    health = TrunkHealth(lambda _: "operator")
    health.take(Entry(NOW, "consult_started", "c1", {"leg": "x", "number": "201"}))
    health.take(Entry(NOW, "consult_ended", "c1", {"leg": "x", "result": "unreachable", "cause": 38}))
    assert health.failed == {}
