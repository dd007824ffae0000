"""Lists of numbers: reasons and ends, the client's own, and whom the bureau blocks for everybody."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from autocom.config.json_schema import schema
from autocom.config.lists_build import end_of
from autocom.core.model import Enqueue, Hangup, HangupKind, Jump, Listed
from autocom.core.routing import Circumstances, choose

from .conftest import BUREAU, load, tone

PARIS = ZoneInfo("Europe/Paris")
PERSON, OTHER = "+33199006666", "+33199006667"


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).timestamp()


def bureau(lists: str, more: str = "") -> str:
    return BUREAU.replace('  nuisance: ["+33199006666"]', f"  nuisance: {lists}") + more


NUISANCE = """
  - name: nuisance
    when: {caller: [nuisance]}
    do: [{hangup: busy}]
  - name: open
    do: [{queue: {team: general}}]"""


# --- an entry's end and reason ---------------------------------------------------------------


def test_an_entry_may_say_why_and_until_when_beside_bare_numbers(desk):
    lists = (
        '["+33 1 99 00 66 66", {number: "0199006667", reason: démarchage, until: "2026-12-31"}, '
        '{number: "0162*", until: "2026-12-31 18:00"}, {number: anonymous}]'
    )
    desk.write("bureau.yaml", bureau(lists))
    desk.client(rules=NUISANCE)
    when = desk.load().configuration.clients["cab-lilas"].rules[0].when
    assert when.caller == (PERSON, "anonymous"), "what counts for ever"
    assert when.listed == (
        Listed(OTHER, "nuisance", "démarchage", at("2027-01-01 00:00"), "2026-12-31"),
        Listed("+33162*", "nuisance", "", at("2026-12-31 18:00"), "2026-12-31 18:00"),
    ), "what has something to tell"


@pytest.mark.parametrize(
    ("until", "instant"),
    [
        ("2026-12-31", "2027-01-01 00:00"),
        ("2026-12-31 00:00", "2026-12-31 00:00"),
        ("2026-12-31 24:00", "2027-01-01 00:00"),
        ("2026-03-29", "2026-03-30 00:00"),
    ],
)
def test_a_day_counts_to_its_end_and_a_moment_until_it_comes(until, instant):
    assert end_of(until, "Europe/Paris") == at(instant)


def test_the_end_is_on_the_clock_of_the_bureau():
    assert end_of("2026-12-31 18:00", "Indian/Reunion") == at("2026-12-31 15:00")


def test_of_an_hour_that_comes_twice_the_later_one_ends_it():
    assert end_of("2026-10-25 02:30", "Europe/Paris") == at("2026-10-25 00:30") + 3 * 3600


@pytest.mark.parametrize(
    ("lists", "words"),
    [
        ("[{number: §nobody}]", "`nobody` is no number, no prefix ending in * and not `anonymous`"),
        ("[§nobody]", "`nobody` is no number, no prefix ending in * and not `anonymous`"),
        ("[§{reason: x}]", "key `number` is missing"),
        (
            '[{number: "+33199006666", §untill: "2026-12-31"}]',
            "unknown key `untill`: did you mean `until`?",
        ),
        ('[{number: "+33199006666", until: §"31/12/2026"}]', "is no moment"),
        ('[{number: "+33199006666", until: §"2026-02-30"}]', "is not in the calendar"),
        ('[{number: "+33199006666", reason: §"a\\nb"}]', "one line without control characters"),
        ("[§[x]]", "expected a mapping"),
    ],
)
def test_a_bad_entry_is_refused_at_its_place(desk, lists, words):
    desk.write("bureau.yaml", bureau(lists))
    desk.refuses(words)


def test_an_entry_that_is_over_is_noted_and_no_other(desk):
    lists = '[{number: "+33199006666", until: "2026-06-30"}, {number: "+33199006667", until: "2026-12-31"}]'
    desk.write("bureau.yaml", bureau(lists))
    desk.client(lists='{mine: [{number: "+33639981011", until: "2026-06-30 18:00"}]}')
    now = at("2026-07-01 00:00")
    notes = load(desk.folder, None, 2026, now=now).notes
    assert [note.message for note in notes] == [
        "this entry of list `nuisance` is over: it counted until 2026-06-30",
        "this entry of list `mine` is over: it counted until 2026-06-30 18:00",
    ]
    before = load(desk.folder, None, 2026, now=now - 1).notes
    assert [note.message for note in before] == [notes[1].message]
    assert load(desk.folder, None, 2026).notes == ()


def test_a_list_of_which_every_entry_ends_holds_nobody_afterwards(desk):
    desk.write("bureau.yaml", bureau('[{number: "+33199006666", until: "2026-06-30"}]'))
    desk.client(rules=NUISANCE)
    client = desk.load().configuration.clients["cab-lilas"]
    rules = {
        moment: choose(client, Circumstances(at(moment), PERSON)).rule.name
        for moment in ("2026-06-30 23:59", "2026-07-01 00:00")
    }
    assert rules == {"2026-06-30 23:59": "nuisance", "2026-07-01 00:00": "open"}


# --- rules that cover each other ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "reached"),
    [
        ("nuisance", '"+33199006666"', False),
        ("nuisance", '"+33199006667"', True),  # the list's entry ends one day
        ('"+33199006667"', "soon", False),
        ("nuisance", "soon", False),
        ("soon", "nuisance", True),
    ],
)
def test_a_rule_is_reached_where_what_stands_before_it_ends(desk, first, second, reached):
    lists = '["+33199006666", {number: "+33199006667", until: "2026-12-31"}]'
    desk.write("bureau.yaml", bureau(lists, '  soon: [{number: "+33199006667", until: "2026-06-30"}]\n'))
    desk.client(
        rules=f"""
  - name: a
    when: {{caller: [{first}]}}
    do: [{{hangup: busy}}]
  - name: b
    when: {{caller: [{second}]}}
    do: [{{hangup: busy}}]
  - name: open
    do: [{{queue: {{team: general}}}}]"""
    )
    if reached:
        assert desk.load()
    else:
        assert "rule `b` is never reached" in desk.refused()[0]


# --- a client's own --------------------------------------------------------------------------


def test_a_client_has_lists_of_its_own_beside_those_of_the_bureau(desk):
    desk.client(
        lists='{mine: ["+33639981011", {number: "+33639981012", reason: huissier}]}',
        vip='{callers: [mine, "+33639981013"]}',
        rules=NUISANCE.replace("[nuisance]", "[nuisance, mine]"),
    )
    client = desk.load().configuration.clients["cab-lilas"]
    assert client.rules[0].when.caller == (PERSON, "+33639981011", "+33639981012")
    assert client.rules[0].when.listed == (Listed("+33639981012", "mine", "huissier"),)
    assert client.vip == ("+33639981011", "+33639981012", "+33639981013")
    assert client.vip_listed == client.rules[0].when.listed


def test_one_client_does_not_see_the_lists_of_another(desk):
    desk.client(lists='{mine: ["+33639981011"]}')
    desk.write(
        "clients/other.yaml",
        """\
id: other
name: Other
numbers: [{did: "+33199001002"}]
hours: {mon-fri: ["08:00-12:00"]}
rules:
  - name: mine
    when: {caller: [§mine]}
    do: [{hangup: busy}]
  - name: open
    do: [{queue: {team: general}}]
""",
    )
    desk.refuses("`mine` is no number, no prefix ending in * and no list")


@pytest.mark.parametrize(
    ("lists", "words"),
    [
        ('{§nuisance: ["+33639981011"]}', "`nuisance` is a list of the bureau already"),
        ('{§platform: ["+33639981011"]}', "`platform` cannot name a list"),
        ("{mine: [§x]}", "`x` is no number"),
    ],
)
def test_a_bad_list_of_a_client_is_refused_at_its_place(desk, lists, words):
    desk.client(lists=lists)
    desk.refuses(words)


# --- blocked ---------------------------------------------------------------------------------


def test_whom_the_bureau_blocks_is_refused_before_any_rule_of_any_client(desk):
    desk.write("bureau.yaml", BUREAU + 'blocked: [nuisance, "0199007*", platform]\n')
    made = desk.load().configuration
    assert made.blocked is not None
    assert (made.blocked.name, made.blocked.do) == ("blocked", (Hangup(HangupKind.BUSY),))
    assert made.blocked.line == len(BUREAU.splitlines()) + 1
    for client in made.clients.values():
        for caller in (PERSON, "+33199007001", "+33162001122"):
            choice = choose(client, Circumstances(0.0, caller), made.blocked)
            assert (choice.rule.name, choice.blocked) == ("blocked", True)
        choice = choose(client, Circumstances(0.0, "+33639980101"), made.blocked)
        assert (choice.rule.name, choice.blocked) == ("open", False)


def test_nobody_is_blocked_by_default(desk):
    assert desk.load().configuration.blocked is None


def test_a_masked_caller_is_never_blocked_not_even_by_a_list_that_names_him(desk):
    desk.write(
        "bureau.yaml", bureau('[anonymous, {number: anonymous, until: "2036-01-01"}]', "blocked: nuisance\n")
    )
    made = desk.load().configuration
    masked = Circumstances(at("2026-07-01 10:00"), None, anonymous=True)
    assert choose(made.clients["cab-lilas"], masked, made.blocked).rule.name == "open"


@pytest.mark.parametrize(
    ("blocked", "words"),
    [
        ("[§anonymous]", "`anonymous` cannot be blocked for every client"),
        (
            "[§nuisances]",
            "`nuisances` is no number, no prefix ending in * and no list: did you mean `nuisance`?",
        ),
        ("§{}", "expected a list"),
    ],
)
def test_who_cannot_be_blocked_is_refused_at_its_place(desk, blocked, words):
    desk.write("bureau.yaml", BUREAU + f"blocked: {blocked}\n")
    desk.refuses(words)


def test_a_rule_of_a_client_has_another_name_than_the_bureaus_own(desk):
    rules = NUISANCE.replace("name: nuisance", "name: §blocked")
    desk.client(rules=rules.replace("§", ""))
    assert desk.load(), "without `blocked` in bureau.yaml it is a name as any other"
    desk.client(rules=rules)
    desk.write("bureau.yaml", BUREAU + "blocked: [nuisance]\n")
    desk.refuses("`blocked` is the rule of the callers that bureau.yaml blocks")


# --- keys of a queue that belong together -------------------------------------------------------


def queue(keys: str) -> str:
    return f"\n  - name: open\n    do: [{{queue: {{team: general, {keys}}}}}]"


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("§nobody: paused", "says when `on_nobody` is taken, and there is none"),
        ("§max_expected_wait: 5m", "needs `on_long_wait`"),
        ("§on_long_wait: [{hangup: busy}]", "is never taken: it needs `max_expected_wait`"),
        ("nobody: §pausd", "`pausd` is not one of logged_out, paused: did you mean `paused`?"),
        (f'on_answer: {{say: §"{"a" * 76}"}}', "has 76 characters, at most 75 are allowed"),
        ("on_answer: {sound: §long}", "lasts 5.5s, at most 5s are allowed"),
        ("on_answer: {sound: §missing}", "sound `missing` is not there"),
        ("on_answer: §{}", "needs either `sound` or `say`"),
    ],
)
def test_keys_that_say_nothing_alone_and_last_words_that_are_too_long_are_refused(desk, keys, words):
    tone(desk.folder / "sounds/long.wav", 5.5)
    desk.client(rules=queue(keys))
    desk.refuses(words)


def test_the_keys_of_the_queue_arrive_in_the_core(desk):
    tone(desk.folder / "sounds/short.wav", 4.9)
    desk.client(
        rules=f"""
  - name: known
    when: {{caller: [nuisance]}}
    do: [{{hangup: busy}}]{
            queue(
                "on_answer: {sound: short}, nobody: paused, on_nobody: [{hangup: busy}], "
                "max_expected_wait: 5m, on_long_wait: [{jump: known}]"
            )
        }"""
    )
    step = desk.load().configuration.clients["cab-lilas"].rules[1].do[0]
    assert isinstance(step, Enqueue)
    assert step.on_answer is not None
    assert step.on_answer.name == "short"
    assert (step.nobody_paused, step.max_expected_wait) == (True, 300.0)
    assert step.on_long_wait == (Jump("known"),)


def test_the_schema_knows_both_forms_of_an_entry():
    both = schema()
    for part in ("bureau", "client"):
        bare, mapping = both[part]["$defs"]["ListEntry"]["anyOf"]
        assert bare["type"] == "string"
        assert set(mapping["properties"]) == {"number", "reason", "until"}
    assert "blocked" in both["bureau"]["properties"]
