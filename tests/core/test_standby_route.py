"""The script that identifies callers without us, held against the rules that it repeats in plain Python."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from dataclasses import asdict, replace
from datetime import date, datetime, time
from pathlib import Path
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autocom.core.ingress import NumberBook, identify
from autocom.core.model import (
    Answer,
    Audio,
    Bureau,
    Client,
    Closure,
    Configuration,
    Contact,
    Enqueue,
    Forward,
    ForwardReason,
    Hangup,
    HangupKind,
    Hours,
    Line,
    Listed,
    Menu,
    Mode,
    Music,
    OnCall,
    Play,
    Ringback,
    Roster,
    Rule,
    Secretary,
    Shift,
    StockSounds,
    Team,
    TimeRange,
    Trunk,
    Voicemail,
    When,
    Widening,
)
from autocom.core.numbers import FRANCE, NumberingPlan, normalise
from autocom.core.oncall import on_duty
from autocom.core.overrides import Override, of_hours
from autocom.core.routing import Circumstances, choose
from autocom.core.standby import DAY, foretell
from autocom.core.standby_pools import pools
from autocom.core.standby_steps import MOST, Around, operations
from autocom.core.telephony import RawHeaders

SCRIPT = Path(__file__).parents[2] / "dialplan" / "standby_route.py"
NOW = 1_795_373_872.0  # a Sunday evening


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("standby_route", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sound(name: str, seconds: float = 2.0) -> Audio:
    return Audio(name, f"/sounds/{name}", seconds)


MUSIC = Music("calme", "music-calme")
STOCK = StockSounds(sound("nobody"), sound("closed"), sound("please"), sound("unknown"), MUSIC)
WEEK = {day: (TimeRange(time(8), time(12, 30)), TimeRange(time(13, 30), time(19))) for day in range(1, 6)}
NIGHT = {day: (TimeRange(time(22), time(6)),) for day in range(1, 8)}
OPEN = Rule("open", None, (Play(sound("hello")), Enqueue("medical")))
TRUNKS = {
    "operator": Trunk("operator", ("127.0.0.1",), host="sip.example", max_calls=10),
    "other": Trunk("other", ("127.0.0.2",), did_in="to"),
    "called": Trunk("called", ("127.0.0.3",), did_in="p_called_party_id"),
    "named": Trunk("named", ("127.0.0.4",), did_in="header:X-Did"),
}


def client(name: str, *lines: Line, rules: tuple[Rule, ...] = (OPEN,), **more: Any) -> Client:
    hours = more.pop("hours", Hours("Europe/Paris", WEEK))
    return Client(name, name.title(), f"Cab. {name}"[:20], "medical", lines, hours, rules, **more)


def bureau(*clients: Client, **more: Any) -> Configuration:
    people = {
        "lea": Secretary("lea", "Léa", "201", "p", {"medical": 1}),
        "ines": Secretary("ines", "Inès", "202", "p", {"medical": 3, "general": 1}),
        "zoe": Secretary("zoe", "Zoé", "203", "p", {"general": 2}, languages=("en",)),
    }
    house = client("accueil", Line("+33199001000"), rules=(Rule("all", None, (Enqueue("general"),)),))
    settings_ = {
        "version": "v1",
        "bureau": Bureau("B", "+33199001000", "FR", "Europe/Paris", "fr", "accueil"),
        "trunks": TRUNKS,
        "secretaries": people,
        "teams": {"medical": Team("medical", (Widening(20.0, "general"),)), "general": Team("general")},
        "clients": {each.id: each for each in (house, *clients)},
        "stock": STOCK,
    }
    return Configuration(**(settings_ | more))


SHARED, PLAIN, BOTH = "+33199001005", "+33199001001", "+33199001013"
ROUX, FERRAND = "+33536490701", "+33536490702"
NUMBERS = bureau(
    client("lilas", Line(PLAIN)),
    client("roux", Line(SHARED, ROUX)),
    client("ferrand", Line(SHARED, FERRAND)),
    client("aubepine", Line(BOTH)),
    client("chene", Line(BOTH, "+33261914455")),
    client("veto", Line("+33199001009", "+33353012288")),
    client("twice", Line("+33199001020")),
    client("again", Line("+33199001020")),
)
HEAD = json.loads(next(foretell(NUMBERS, NOW)))

# --- whose call it is ------------------------------------------------------------------------

KNOWN = (
    "0199001001", "+33199001001", "0033199001001", "33199001001", "01 99 00 10 05", "+33 (0)1 99 00 10 05",
    "0199001005", "0199001013", "0199001009", "0199001020", "0536490701", "+33536490702", "0261914455",
    "0353012288", "0639980101", "+33639980101", "+41225550100", "0692123456", "+33692123456", "0162001122",
    "15", "3114", "anonymous", "unavailable", "Restricted", "", "fax", "s", "+", "0", "00", "٣٣٣",
    "+33%31%39%39001001", "0199-001-001", "0199001001;npdi", "masqué", "tel:+33199001001",
)  # fmt: skip
number = st.one_of(st.sampled_from(KNOWN), st.from_regex(r"(\+33|0033|33|0)[1-9][0-9]{8}", fullmatch=True))
host = st.sampled_from(
    ("op.example", "anonymous.invalid", "192.0.2.1:5060", "op.example;user=phone", "[::1]")
)
display = st.sampled_from(
    (
        "",
        "Jean ",
        '"Jean Dupont" ',
        '"Jo \\"x\\", é" ',
        "Anonymous ",
        '"anonyme" ',
        '"Numéro masqué" ',
        '"\u202ex" ',
    )
)
reason = st.sampled_from(
    ("", ";reason=unconditional", ";reason=no-answer", ";reason=user-busy;counter=3", ";reason=unknown",
     ';reason="cfnr"', ";reason=out_of_order;privacy=full", ";privacy=name", ";privacy=off", ";index=1.1",
     ";index=1", ";index=1.2;cause=486", ";reason=deflection")
)  # fmt: skip
embedded = st.sampled_from(
    ("", "?Reason=SIP%3Bcause%3D302", "?Reason=Q.850%3Bcause%3D17", "?Privacy=history", ";cause=408",
     "?Reason=SIP%3Bcause%3D1%2CQ.850%3Bcause%3D19")
)  # fmt: skip
wild = st.text(alphabet='<>"\\,;=@:%+0123456789sipteabcé \u202e\t', max_size=60)


@st.composite
def address(draw: st.DrawFn) -> str:
    if draw(st.integers(0, 9)) == 0:
        return draw(wild)
    scheme = draw(st.sampled_from(("sip:", "sips:", "SIP:", "")))
    uri = f"{scheme}{draw(number)}@{draw(host)}{draw(embedded)}"
    if draw(st.integers(0, 5)) == 0:
        uri = f"tel:{draw(number)}"
    if draw(st.integers(0, 5)) == 0:
        return uri + draw(reason)
    return f"{draw(display)}<{uri}>{draw(reason)}"


headers = st.lists(st.lists(address(), min_size=1, max_size=3).map(", ".join), max_size=3).map(tuple)
privacy = st.sampled_from(("", "id", "none", "history", "header;id", "user, id", "critical", "ID"))
raw = st.builds(
    RawHeaders,
    request_user=number,
    from_=st.one_of(address(), st.just("")),
    to=st.one_of(st.just(""), address()),
    p_asserted_identity=st.one_of(st.just(""), address(), st.lists(address(), max_size=5).map(",".join)),
    privacy=privacy,
    p_called_party_id=st.one_of(st.just(""), address()),
    did_header=st.one_of(st.just(""), address(), number),
    diversion=headers,
    history_info=headers,
    caller_number=number,
    caller_name=st.sampled_from(("", "Jean", "ANONYMOUS")),
)
BOOK = NumberBook.of(NUMBERS)


@settings(max_examples=800, deadline=None)
@given(raw=raw, trunk=st.sampled_from((*TRUNKS, "unheard-of")))
def test_the_script_answers_as_the_rules_whatever_the_headers_hold(
    script: ModuleType, raw: RawHeaders, trunk: str
) -> None:
    right = identify(raw, TRUNKS.get(trunk), BOOK)
    said = script.identify(asdict(raw) | {"trunk": trunk}, HEAD)
    assert said == {
        "client": right.client,
        "did": right.did,
        "caller": right.caller,
        "caller_text": right.caller_text,
        "anonymous": right.anonymous,
        "forwarded_from": right.forwarded_from,
        "forward_reason": right.forward_reason.value if right.forward_reason else None,
    }


PLANS = (
    FRANCE,
    NumberingPlan("CH", "41", national_lengths=(9,)),
    NumberingPlan("IT", "39", trunk_prefix="", national_lengths=(9, 10)),
    NumberingPlan("US", "1", trunk_prefix="1", international_prefix="011", national_lengths=(10,)),
)


@settings(max_examples=500, deadline=None)
@given(text=st.one_of(number, wild, st.from_regex(r"[+0-9 ().-]{0,20}")), plan=st.sampled_from(PLANS))
def test_the_script_reads_numbers_of_every_country_as_the_rules_do(
    script: ModuleType, text: str, plan: NumberingPlan
) -> None:
    row = json.loads(next(foretell(NUMBERS, NOW, plan)))["plan"] if plan is FRANCE else _plan_row(plan)
    assert script.Plan(row).normalise(text) == normalise(text, plan)


def _plan_row(plan: NumberingPlan) -> dict[str, Any]:
    return {
        "code": plan.country_code,
        "trunk": plan.trunk_prefix,
        "abroad": plan.international_prefix,
        "lengths": list(plan.national_lengths),
        "overseas": plan.overseas,
        "fiction": list(plan.fiction),
    }


# --- which rule ------------------------------------------------------------------------------

RULES = (
    Rule("nuisance", When(caller=("+33199006666", "+3326191*")), (Hangup(HangupKind.BUSY),)),
    Rule(
        "listed",
        When(caller=("nobody",), listed=(Listed("+33639980102", "vip", until=NOW + 3 * DAY),)),
        (Enqueue("general"),),
    ),
    Rule("masked", When(caller=("anonymous",), open=True), (Hangup(HangupKind.REJECT),)),
    Rule("absent", When(absence=True), (Play(sound("closed"), Mode.ANSWERED), Hangup())),
    Rule("lunch", When(time=(TimeRange(time(12, 30), time(13, 30)),), days=(1, 2, 3)), (Hangup(),)),
    Rule("busy line", When(forward_reason=(ForwardReason.BUSY,)), (Enqueue("general"),)),
    Rule("crowd", When(waiting_over=3), (Hangup(HangupKind.BUSY),)),
    Rule("this number", When(did=(PLAIN,), open=False), (Voicemail(),)),
    Rule("nobody", When(nobody=True), (Forward("+33639981011"),)),
    Rule("dated", When(dates=((date(2026, 11, 25), date(2026, 11, 26)),)), (Hangup(),)),
    Rule("closed", When(open=False), (Play(sound("closed"), Mode.ANSWERED), Hangup())),
    OPEN,
)
ABSENCE = Closure(
    datetime.fromisoformat("2026-12-01 09:00"),
    datetime.fromisoformat("2026-12-02 12:00"),
    "x",
    sound("own"),
)
CALLERS = (None, "+33639980101", "+33199006666", "+33261912010", "+33639980102")


def rows(
    configuration: Configuration, at: float = NOW, *overrides: Override
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    head, *others = (json.loads(line) for line in foretell(configuration, at, FRANCE, overrides))
    return head, {row["client"]: row for row in others}


RULED = bureau(
    client(
        "lilas",
        Line(PLAIN),
        Line(SHARED),
        rules=RULES,
        hours=Hours("Europe/Paris", WEEK),
        absences=(ABSENCE,),
    ),
    client("nuit", Line(BOTH), rules=RULES, hours=Hours("Indian/Reunion", NIGHT)),
    blocked=Rule("blocked", When(caller=("+33639980199",)), (Hangup(HangupKind.REJECT),)),
)
RULED_HEAD, RULED_ROWS = rows(RULED)
SPRING, AUTUMN = 1_805_544_000.0, 1_824_292_800.0
"""A week before the clock is put forward in 2027, and some days before it is put back."""
RULED_AT = {at: rows(RULED, at)[1] for at in (NOW, SPRING, AUTUMN)}


@settings(max_examples=500, deadline=None)
@given(
    moment=st.tuples(
        st.sampled_from(tuple(RULED_AT)),
        st.one_of(st.floats(0, 14 * DAY - 1), st.integers(0, 14 * 96 - 1).map(lambda n: n * 900.0)),
    ),
    caller=st.sampled_from((*CALLERS, "+33639980199")),
    anonymous=st.booleans(),
    why=st.sampled_from((None, *ForwardReason)),
    did=st.sampled_from((None, PLAIN, SHARED)),
    nobody=st.booleans(),
    name=st.sampled_from(("lilas", "nuit")),
)
def test_the_script_finds_the_rule_that_a_live_call_would_follow(
    script: ModuleType,
    moment: tuple[float, float],
    caller: str | None,
    anonymous: bool,
    why: ForwardReason | None,
    did: str | None,
    nobody: bool,
    name: str,
) -> None:
    made, later = moment
    at = made + later
    now = Circumstances(at, caller, anonymous, why, did, nobody=nobody)
    right = choose(RULED.clients[name], now, RULED.blocked)
    who = {
        "caller": caller,
        "anonymous": anonymous,
        "forward_reason": why.value if why else None,
        "did": did,
    }
    found, _ = script.rule_of(RULED_HEAD, RULED_AT[made][name], who, at, lambda: nobody)
    assert found == right.rule.name


ANYBODY = {"caller": None, "anonymous": False, "forward_reason": None, "did": None}
SAID = {
    kind: Override("lilas", kind, NOW + 1.7 * DAY, "zoe", NOW - 60.0, "general" if kind == "team" else None)
    for kind in ("open", "closed", "team")
}
OVERRIDDEN = {kind: rows(RULED, NOW, said)[1]["lilas"] for kind, said in SAID.items()}


@settings(max_examples=200, deadline=None)
@given(
    at=st.floats(NOW, NOW + 3 * DAY),
    caller=st.sampled_from(CALLERS),
    nobody=st.booleans(),
    kind=st.sampled_from(tuple(SAID)),
)
def test_what_a_lead_said_holds_until_its_end_also_without_us(
    script: ModuleType, at: float, caller: str | None, nobody: bool, kind: str
) -> None:
    now = Circumstances(at, caller, nobody=nobody, override=of_hours((SAID[kind],), at))
    who = ANYBODY | {"caller": caller}
    name, program = script.rule_of(RULED_HEAD, OVERRIDDEN[kind], who, at, lambda: nobody)
    assert name == choose(RULED.clients["lilas"], now, RULED.blocked).rule.name
    if name == "open":
        moved = kind == "team" and at < SAID[kind].until
        assert [what[2] for what in program if what[0] == "queue"] == ["general" if moved else "medical"]


def test_whoever_waits_for_another_team_by_override_finds_its_pool_and_one_that_is_gone_is_not_followed() -> (
    None
):
    moved = Override("lilas", "team", NOW + DAY, "zoe", NOW, "spare")
    house = bureau(client("lilas", Line(PLAIN), languages=("fr",)))
    unknown = rows(house, NOW, moved)[1]["lilas"]
    assert {what[2] for program in unknown["programs"] for what in program if what[0] == "queue"} == {
        "medical"
    }
    house = replace(house, teams=house.teams | {"spare": Team("spare", (Widening(1.0, "general"),))})
    row = rows(house, NOW, moved)[1]["lilas"]
    named = {what[1] for program in row["programs"] for what in program if what[0] == "queue"}
    assert f"spare.{digest('zoe')}" in named
    assert named <= set(pools(house))


def test_whom_the_bureau_blocks_stands_once_however_many_clients_there_are() -> None:
    many = tuple(client(f"c{n}", Line(f"+33199003{n:03}")) for n in range(20))
    blocked = Rule(
        "blocked", When(caller=tuple(f"+33261{n:06}" for n in range(500))), (Hangup(HangupKind.BUSY),)
    )
    text = "".join(foretell(bureau(*many, blocked=blocked), NOW))
    assert text.count("+33261000499") == 1


def instant(*wall: int) -> float:
    return datetime(*wall, tzinfo=ZoneInfo("Europe/Paris")).timestamp()


def test_an_absence_with_a_message_of_its_own_is_heard_instead(script: ModuleType) -> None:
    found = script.rule_of(RULED_HEAD, RULED_ROWS["lilas"], ANYBODY, instant(2026, 12, 1, 10), lambda: False)
    assert found == ("absent", [["play", "/sounds/own", "answered", "own", 2.0], ["end", 16]])


def test_an_old_file_is_believed_for_a_day_and_one_of_the_future_for_a_day_as_well(
    script: ModuleType,
) -> None:
    row = RULED_ROWS["lilas"]
    for at in (NOW - 0.9 * DAY, NOW + 14.9 * DAY):
        assert script.rule_of(RULED_HEAD, row, ANYBODY, at, lambda: False)
    for at in (NOW - 1.1 * DAY, NOW + 15.1 * DAY):
        with pytest.raises(script.Unusable):
            script.rule_of(RULED_HEAD, row, ANYBODY, at, lambda: False)


# --- what to do ------------------------------------------------------------------------------


def done(*steps: Any, **more: Any) -> list[Any]:
    house = bureau(client("lilas", Line(PLAIN), **more))
    return operations(steps, house.clients["lilas"], Around.of(house))


NOT_THERE = ["play", "/sounds/nobody", "answered", "nobody", 2.0]


def test_a_queue_names_its_ways_out_and_the_early_limit_ends_what_is_free_for_him() -> None:
    forward = Forward("+33639981011", accept="1", ask=sound("ask"))
    queue = Enqueue("medical", max_wait=60.0, on_nobody=(forward,), ringing=True)
    assert done(Play(sound("long", 20.0)), Play(sound("more", 20.0)), queue) == [
        ["play", "/sounds/long", "early", "long", 20.0],
        ["play", "/sounds/more", "answered", "more", 20.0],
        ["queue", "medical", "medical", "music-calme", 60, True, 3, 5, ["ines", "lea", "zoe"]],
        NOT_THERE,
        ["end", 16],
        ["dial", ["+33639981011"], "+33199001000", 25, "1", "/sounds/ask"],
        NOT_THERE,
        ["end", 16],
    ]  # fmt: skip


OUTSIDE, ROSTER = Forward("+33639981011", ring_for=15.0), OnCall("r")
DIALLED = ["dial", ["+33639981011"], "+33199001000", 15, "", ""]
ASKED = ["roster", "r", ""]


@pytest.mark.parametrize(
    ("steps", "made"),
    [
        ((Play(sound("hello", 10.0)), OUTSIDE), [DIALLED]),
        ((Play(sound("hello", 10.0)), OUTSIDE, Ringback(3.0)), [DIALLED, ["answer"], ["ring", 3]]),
        ((Play(sound("hello", 11.0)), OUTSIDE, OUTSIDE), [["answer"], DIALLED, DIALLED]),
        ((Play(sound("hello", 2.0)), ROSTER), [["answer"], ASKED]),
        ((Answer(), OUTSIDE, ROSTER), [["answer"], DIALLED, ASKED]),
    ],
)
def test_who_would_hear_ringing_for_longer_than_the_early_limit_is_answered_before_it(
    steps: tuple[Any, ...], made: list[Any]
) -> None:
    asked = [operation for operation in done(*steps) if operation[0] not in ("play", "end")]
    assert asked == made


def digest(*left_out: str) -> str:
    return hashlib.blake2s(" ".join(left_out).encode(), digest_size=4).hexdigest()


@pytest.mark.parametrize(
    "number", ["+3315", "+33112", "+33899123456", "+881612345678", PLAIN, "+33199001000"]
)
def test_what_nothing_may_dial_and_our_own_numbers_are_never_told_to_the_dialplan(number: str) -> None:
    assert done(Forward(number), Hangup(HangupKind.BUSY)) == [["end", 17]]


def test_a_menu_becomes_the_way_to_somebody_and_a_voicemail_a_sentence() -> None:
    menu = Menu(sound("menu"), {"1": (Voicemail(),), "2": (Enqueue("general"),)}, otherwise=(Hangup(),))
    assert done(menu)[0][:3] == ["queue", "general", "general"]
    assert done(Menu(sound("menu"), {"1": (Voicemail(),)}, otherwise=(OnCall("r"),))) == [
        ["answer"],
        ["roster", "r", ""],
        ["play", "/sounds/nobody", "answered", "nobody", 2.0],
        ["end", 16],
    ]
    assert done(Voicemail(sound("speak"))) == [NOT_THERE, ["end", 16]]


def test_a_path_that_the_dialplan_could_misread_is_left_out() -> None:
    assert done(Play(Audio("x", "/a&b", 1.0)), Play(Audio("y", "/a${b}", 1.0))) == [["end", 16]]


def test_however_long_a_rule_is_its_operations_are_few() -> None:
    nested: tuple[Any, ...] = (Hangup(),)
    for _ in range(12):
        nested = (Play(sound("x")), Enqueue("general", on_timeout=nested, on_nobody=(*nested, Hangup())))
    made = done(*nested)
    assert len(made) <= 3 * MOST
    assert all(operation for operation in made)
    for what, *with_ in made:
        if what == "queue":
            assert all(place < len(made) for place in with_[5:7])


def test_a_pool_has_levels_as_penalties_widens_with_time_and_leaves_out_who_may_not_serve() -> None:
    english = client("en", Line(PLAIN), languages=("en",))
    french = client("fr", Line(BOTH), languages=("fr",), rules=(Rule("r", None, (Enqueue("medical"),)),))
    found = pools(bureau(english, french))
    (of_english,) = (
        pool for pool in found.values() if pool.team == "medical" and pool.members == (("zoe", 12),)
    )
    (of_french,) = (pool for name, pool in found.items() if name == f"medical.{digest('zoe')}")
    assert of_french.members == (("ines", 3), ("lea", 1))
    assert of_english.widening == of_french.widening == ((20, 19),)
    assert "general" in found, "the house's own, with everybody"


def test_rosters_are_read_at_the_instant_of_the_call(script: ModuleType) -> None:
    day = Shift((Contact("day", "+33639981021"),), span=TimeRange(time(8), time(20)))
    night = Shift((Contact("night", "+33639981022"), Contact("lea", "201", post="lea")))
    roster = Roster("r", (day, night), fallback=Contact("lead", "+33639981029"))
    house = bureau(rosters={"r": roster})
    head, _ = rows(house)
    for at in (instant(2026, 11, 25, 9), instant(2026, 11, 25, 21), instant(2026, 12, 3, 7, 59)):
        outside = [c.number for c in on_duty(roster, at, "Europe/Paris") if c.post is None]
        program = [["roster", "r", ""], ["end", 16]]
        made = script.written_out(program, head, at, False)
        assert made[0] == ("dial", [[*outside, "+33639981029"], "+33199001000", 30, "1", ""])


def test_a_message_that_he_heard_is_left_out_unless_there_is_nothing_else(script: ModuleType) -> None:
    head, _ = rows(bureau())
    hello = ["play", "/sounds/hello", "early", "hello", 2.0]
    queue = ["queue", "g", "g", "m", 60, False, 3, 2, []]
    end = ["end", 16]
    assert [what for what, _ in script.written_out([hello, end], head, NOW, True)] == ["play", "end"]
    made = script.written_out([hello, queue, NOT_THERE, end], head, NOW, True)
    assert [what for what, _ in made] == ["queue", "play", "end"]
    assert made[0][1][5:7] == [2, 1], "what stands behind has moved"


def test_the_file_is_not_searched_for_a_client_whom_nobody_has_named(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "standby.jsonl"
    path.write_text("".join(f"{line}\n" for line in foretell(NUMBERS, NOW)))
    asked: list[str] = []

    def row_of(_: object, client: str) -> None:
        asked.append(client)

    monkeypatch.setattr(script, "begin", lambda _: {})
    monkeypatch.setattr(script, "row_of", row_of)
    for named in ("", "lilas"):
        monkeypatch.setattr(script, "variable", lambda name, named=named: named if "CLIENT" in name else "")
        with pytest.raises(script.Unusable):
            script.route(path, NOW)
    assert asked == ["accueil", "lilas", "accueil"]
