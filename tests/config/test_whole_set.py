"""What only the whole set can tell: rosters, rules that cover each other, who can answer, numbers outside."""

from __future__ import annotations

from datetime import datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom.config.rule_cover import covered_rules
from autocom.config.week import MINUTES, WHOLE, minutes_of, runs, written
from autocom.core.model import Client, Closure, Hours, Rule, TimeRange, When
from autocom.core.routing import Circumstances, choose

from .conftest import BUREAU, CLIENT

CONTACT = '{name: A, number: "+33639981031"}'


def roster(*shifts: str, more: str = "") -> str:
    """A bureau with one roster `night`."""
    lines = "".join(f"      - {{{shift}order: [{CONTACT}]}}\n" for shift in shifts)
    return f"{BUREAU}rosters:\n  night:\n    shifts:\n{lines}{more}"


ON_CALL = """
  - name: %s
    %sdo: [{on_call: {roster: §night}}%s]
  - name: last
    do: [{hangup: busy}]"""


# --- rosters ---------------------------------------------------------------------------------


def test_a_roster_that_a_rule_asks_at_a_time_when_nobody_is_on_call_is_refused(desk):
    desk.write("bureau.yaml", roster('days: mon-fri, time: "20:00-08:00", '))
    desk.client(rules=ON_CALL % ("night", 'when: {time: "19:00-07:00"}\n    ', ", {hangup: normal}"))
    desk.refuses("nobody is on call in roster `night` sun 19:00 to mon 07:00, and 6 times more, it has no")


@pytest.mark.parametrize(
    ("when", "behind", "fallback"),
    [
        ('when: {days: mon-fri, time: "20:00-07:00"}\n    ', "", False),
        ('when: {time: "19:00-07:00"}\n    ', ", {voicemail: {}}", False),
        ('when: {time: "19:00-07:00"}\n    ', "", True),
    ],
    ids=["the rule never asks in the gap", "a step behind goes on", "with a fallback"],
)
def test_a_gap_that_leaves_nobody_alone_is_only_noted(desk, when, behind, fallback):
    more = f"    fallback: {CONTACT}\n" if fallback else ""
    desk.write("bureau.yaml", roster('days: mon-fri, time: "20:00-08:00", ', more=more))
    desk.client(rules=(ON_CALL % ("night", when, behind)).replace("§", ""))
    notes = [note.message for note in desk.load().notes]
    assert any(
        note.startswith("nobody is on call sat 08:00 to mon 20:00, and 4 times more") for note in notes
    )


def test_a_roster_with_somebody_at_every_minute_of_the_week_has_no_note(desk):
    desk.write("bureau.yaml", roster('time: "20:00-08:00", ', 'time: ["08:00-12:00", "12:00-20:00"], '))
    desk.client(rules=(ON_CALL % ("night", "when: {hours: closed}\n    ", "")).replace("§", ""))
    assert desk.load().notes == ()


def test_shifts_of_certain_dates_may_replace_the_week_and_are_noted_where_they_never_hold(desk):
    dated = 'dates: {from: "2026-12-24", to: "2026-12-26"}, '
    desk.client(rules=(ON_CALL % ("night", "when: {hours: closed}\n    ", "")).replace("§", ""))
    desk.write("bureau.yaml", roster(dated, ""))
    assert desk.load().notes == ()
    desk.write("bureau.yaml", roster("", dated))
    assert [note.message for note in desk.load().notes] == [
        "this shift overlaps the one in line 20, which goes first"
    ]
    desk.write("bureau.yaml", roster(dated, dated.replace("24", "20").replace("26", "23"), ""))
    assert desk.load().notes == ()


def test_a_roster_that_no_rule_asks_is_noted(desk):
    desk.write("bureau.yaml", roster(""))
    assert [note.message for note in desk.load().notes] == ["no rule asks roster `night`"]


@pytest.mark.parametrize(
    ("written_", "words"),
    [
        ("  §night: {ring_for: 10s}\n", "needs either `order` or `shifts`"),
        (f"  §night: {{order: [{CONTACT}], shifts: [{{order: [{CONTACT}]}}]}}\n", "needs either"),
        ('  night: {order: [{name: A, number: §"01 99 00 10 01"}]}\n', "is a number of this bureau"),
        ('  night: {order: [{name: A, number: §"0899000000"}]}\n', "is a premium number"),
        ('  night: {order: [{name: A, number: §"15"}]}\n', "`15` is an emergency number"),
        (
            f'  night: {{order: [{CONTACT}], fallback: {{name: B, number: §"0199001000"}}}}\n',
            "is a number of this bureau",
        ),
        (
            f'  night: {{shifts: [{{dates: {{from: "2026-12-24", to: §"2026-12-23"}}, order: [{CONTACT}]}}]}}\n',
            "ends before",
        ),
        (f'  night: {{order: [{CONTACT}], accept: §"11"}}\n', "is not one key of a telephone"),
    ],
)
def test_a_roster_that_cannot_work_is_refused_at_its_place(desk, written_, words):
    desk.write("bureau.yaml", BUREAU + "rosters:\n" + written_)
    desk.refuses(words)


# --- rules that take no call -----------------------------------------------------------------


def rules(*conditions: str) -> str:
    lines = [
        f"\n  - name: r{n}\n    when: {{{when}}}\n    do: [{{hangup: busy}}]"
        for n, when in enumerate(conditions)
    ]
    return "".join(lines).replace("- name: r§", "- §name: r") + "\n  - name: last\n    do: [{hangup: busy}]"


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        (
            ("caller: [nuisance]", 'caller: ["+33199006666"]'),
            "rule `r1` is never reached: `r0` before it holds",
        ),
        (('caller: ["0199*"]', 'caller: ["+33199006666", "0199007*"]'), "rule `r1` is never"),
        (("caller: [platform]", 'caller: ["0162001122"]'), "rule `r1` is never"),
        (
            ("hours: open", "hours: closed", "days: sun"),
            "rule `r2` is never reached: one of `r0`, `r1` before it",
        ),
        (("days: mon-fri", "days: [sat, sun]", 'time: "20:00-06:00"'), "rule `r2` is never"),
        (('time: "06:00-22:00"', 'time: "22:00-06:00"', "days: mon"), "rule `r2` is never"),
        (("forward_reason: [busy, no-answer]", "forward_reason: busy, days: sun"), "rule `r1` is never"),
        (("waiting_over: 2", "waiting_over: 5"), "rule `r1` is never"),
        (("nobody: true", "hours: open, nobody: true"), "rule `r1` is never"),
        (("nobody: true", "nobody: false", "waiting_over: 3"), "rule `r2` is never"),
        (("hours: closed", "absence: true"), "rule `r1` is never"),
        (
            (
                'dates: [{from: "2026-12-01", to: "2026-12-31"}]',
                'dates: [{from: "2026-12-24", to: "2026-12-26"}]',
            ),
            "rule `r1` is never",
        ),
    ],
)
def test_a_rule_that_takes_no_call_is_refused(desk, conditions, words):
    desk.client(rules=rules(*conditions))
    (fault, *more) = desk.refused()
    assert words in fault
    # what is behind all callers of two rules is `last` too, sometimes
    assert all("rule `last` is never reached" in other for other in more)


@pytest.mark.parametrize(
    "conditions",
    [
        ('caller: ["+33199006666"]', "caller: [nuisance, anonymous]"),
        ("hours: closed, days: sun", "hours: closed"),
        ("absence: true", "hours: closed"),
        ("absence: false", "absence: true"),
        ("waiting_over: 5", "waiting_over: 2"),
        ('time: "08:00-20:00"', 'time: "08:00-20:01"'),
        ('days: mon, time: "22:00-06:00"', 'days: tue, time: "05:00-07:00"'),
        ("forward_reason: busy", "forward_reason: [busy, no-answer]"),
        ('did: "+33199001001"', "days: sun"),
    ],
)
def test_a_rule_that_takes_some_call_is_accepted(desk, conditions):
    desk.client(
        rules=rules(*conditions),
        numbers='[{did: "+33199001001"}, {did: "+33199001002"}]',
    )
    assert len(desk.load().configuration.clients["cab-lilas"].rules) == 3


def test_a_rule_for_an_open_absence_can_never_hold(desk):
    desk.client(rules=rules("hours: open, absence: true").replace("when: {", "when: §{"))
    desk.refuses("can never hold: during an absence the client is closed")


def test_a_list_without_entries_holds_nobody_instead_of_everybody(desk):
    desk.write("bureau.yaml", BUREAU.replace('nuisance: ["+33199006666"]', "nuisance: []"))
    desk.client(rules=rules("caller: [nuisance]"))
    client = desk.load().configuration.clients["cab-lilas"]
    now = Circumstances(at=1_790_000_000.0, caller="+33639980101")
    assert choose(client, now).rule.name == "last"


def test_more_waiting_than_the_client_has_calls_is_noted(desk):
    desk.client(rules=rules("waiting_over: 6"), max_calls="6")
    assert ["can never hold: of 6 calls" in note.message for note in desk.load().notes] == [True]


NIGHTS = Hours("Europe/Paris", {day: (TimeRange(time(8), time(23)),) for day in range(1, 6)})
AWAY = (Closure(datetime.fromisoformat("2000-01-01"), datetime.fromisoformat("2100-01-01")),)
WHENS = st.builds(
    When,
    caller=st.sampled_from([(), ("+33199*",), ("+33199006666",), ("anonymous",), ("+33199*", "anonymous")]),
    open=st.sampled_from([None, True, False]),
    absence=st.sampled_from([None, True, False]),
    days=st.sampled_from([(), (1, 2, 3, 4, 5), (6, 7), (1,)]),
    time=st.sampled_from([(), (TimeRange(time(22), time(6)),), (TimeRange(time(6), time(22)),)]),
    waiting_over=st.sampled_from([None, 0, 2]),
    nobody=st.sampled_from([None, True, False]),
)


@given(
    whens=st.lists(WHENS, min_size=1, max_size=5),
    caller=st.sampled_from([None, "+33199006666", "+33199001234", "+33639980101"]),
    at=st.integers(1_790_000_000, 1_790_000_000 + 14 * 86400).map(float),
    waiting=st.integers(0, 4),
    nobody=st.booleans(),
    away=st.booleans(),
)
def test_a_rule_called_covered_takes_no_call_whatever_happens(whens, caller, at, waiting, nobody, away):
    made = tuple(Rule(f"r{n}", when, ()) for n, when in enumerate(whens))
    client = Client(
        "c", "C", "C", "general", (), NIGHTS, (*made, Rule("last", None, ())), absences=AWAY if away else ()
    )
    covered = {one.index for one in covered_rules(made, [True] * len(made), frozenset())}
    now = Circumstances(at=at, caller=caller, anonymous=caller is None, waiting=waiting, nobody=nobody)
    taken = choose(client, now).rule.name
    assert taken == "last" or int(taken[1:]) not in covered


# --- minutes of a week -----------------------------------------------------------------------

TIMES = st.times().map(lambda moment: moment.replace(second=0, microsecond=0, tzinfo=None))


@given(day=st.integers(1, 7), start=TIMES, end=TIMES)
def test_the_minutes_of_a_range_are_as_many_as_it_is_long_and_run_on_over_sunday(day, start, end):
    minutes = minutes_of((day,), (TimeRange(start, end),))
    length = (end.hour * 60 + end.minute - start.hour * 60 - start.minute) % 1440 or 1440
    assert minutes.bit_count() == length
    assert sum(last - first for first, last in runs(minutes)) == length
    assert minutes >> ((day - 1) * 1440 + start.hour * 60 + start.minute) & 1


def test_the_whole_week_is_one_run_and_is_written_by_its_days():
    assert list(runs(WHOLE)) == [(0, MINUTES)]
    assert list(runs(0)) == []
    assert (written(0), written(MINUTES - 1), written(MINUTES)) == ("mon 00:00", "sun 23:59", "mon 00:00")


# --- who can answer --------------------------------------------------------------------------

ZOE = (
    '  - {id: zoe, name: Zoé, extension: "202", password: zoe-demo, teams: {other: 1}, '
    "languages: [fr, de], site: {country: BE, name: x}}\n"
)
STAFF = BUREAU.replace("teams:\n", f"{ZOE}teams:\n  other: {{}}\n", 1).replace(
    "general: {}", "general: {widen: [{after: 20s, to: other}]}"
)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("languages", "§[pt]", "nobody whom team `general` reaches speaks one of these languages"),
        ("countries", "§[PT]", "sits in one of these countries"),
        ("languages", "[§german]", "is not a language"),
        ("countries", "[§Germany]", "is no country"),
        ("vip", "{callers: [§anonymous]}", "cannot be a VIP"),
        ("vip", "{callers: [§platform]}", "cannot be a VIP"),
        ("vip", "{callers: [§doctors]}", "no list"),
        ("vip", "{callers: §[]}", "must not be empty"),
        ("returning", "{within: §0s}", "must be longer than nothing"),
        ("phrases", '{§buzy: "x"}', "is not one of"),
        ("fax", "{do: [{§queue: {team: general}}]}", "a fax machine never rings a secretary"),
        ("on_full", "[{§callback: {}}]", "`callback` keeps a place in a queue"),
    ],
)
def test_a_new_key_of_a_client_with_a_bad_value_is_refused_at_its_place(desk, key, value, words):
    desk.write("bureau.yaml", STAFF)
    desk.client(**{key: value})
    desk.refuses(words)


@pytest.mark.parametrize(
    ("key", "value"),
    [("languages", "[de]"), ("languages", "[pt, fr]"), ("countries", "[BE]"), ("countries", "FR")],
)
def test_languages_and_countries_that_somebody_in_reach_has_are_accepted(desk, key, value):
    desk.write("bureau.yaml", STAFF)
    desk.client(**{key: value})
    assert getattr(desk.load().configuration.clients["cab-lilas"], key)


@pytest.mark.parametrize(
    ("queue", "words"),
    [
        ("team: other, preferred: {secretaries: [§lea]}", "team `other` does not reach `lea`"),
        (
            "team: general, preferred: {secretaries: [§leo]}",
            "there is no secretary `leo`: did you mean `lea`?",
        ),
        ("team: general, preferred: {secretaries: [zoe], for: §0s}", "must be longer than nothing"),
        ("team: general, after_closing: serve, §on_closing: [{hangup: busy}]", "is never taken"),
        ("team: general, after_closing: §stay", "is not one of leave, serve"),
        ("team: general, on_timeout: [{§callback: {}}]", "`callback` keeps a place in a queue"),
        ('team: general, keys: {"1": [{callback: {tries: §11}}]}', "out of range: 1 to 10"),
        ("team: general, announce: {play: §{}}", "needs either `sound` or `say`"),
        ("team: general, announce: {play: {sound: §nobdy}}", "did you mean `nobody`?"),
        ('team: general, keys: {§"12": [{hangup: busy}]}', "is not one key of a telephone"),
    ],
)
def test_a_queue_that_cannot_work_is_refused_at_its_place(desk, queue, words):
    desk.write("bureau.yaml", STAFF)
    desk.client(rules=f"\n  - name: open\n    do: [{{queue: {{{queue}}}}}]")
    desk.refuses(words)


def test_a_preferred_secretary_who_may_not_take_these_calls_is_refused(desk):
    desk.write("bureau.yaml", STAFF)
    desk.client(
        countries="[BE]",
        rules="\n  - name: open\n    do: [{queue: {team: general, preferred: {secretaries: [§lea]}}}]",
    )
    desk.refuses("`lea` may not take these calls")


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ('forward: {to: §"112"}', "`112` is an emergency number"),
        ('forward: {to: §"+33 899 00 00 00"}', "is a premium number"),
        ('forward: {to: §"0199001000"}', "is a number of this bureau"),
        ("on_call: {roster: §nigth}", "there is no roster `nigth`: did you mean `night`?"),
    ],
)
def test_a_call_that_must_not_be_placed_is_refused(desk, step, words):
    desk.write("bureau.yaml", roster(""))
    desk.client(rules=f"\n  - name: open\n    do: [{{{step}}}]")
    desk.refuses(words)


@pytest.mark.parametrize(
    "step",
    [
        'forward: {to: "+33639981011"}',
        "on_call: {roster: night}",
        'queue: {team: general, keys: {"1": [{callback: {}}]}}',
    ],
)
def test_who_calls_outside_without_a_trunk_to_call_over_is_told(desk, step):
    desk.write("bureau.yaml", roster("").replace(", host: sip.operator.example", ""))
    desk.client(rules=f"\n  - name: open\n    do: [{{{step}}}]")
    notes = [note.message for note in desk.load().notes]
    assert any("calls somebody outside, and no trunk has a `host`" in note for note in notes)


@pytest.mark.parametrize(
    ("house", "words"),
    [
        ("pauses: {§brake: {max: 15m}}", "is not one of break, lunch, training, other"),
        ("pauses: {break: {max: 15m, per_day: §10m}}", "is shorter than `max`"),
        ("pauses: {break: {times: §0}}", "out of range"),
        ("breather: §{after: 8}", "key `for` is missing"),
        ("supervisor: {mail: [§nobody]}", "is not a mail address"),
        ("supervisor: {mail: §[]}", "must not be empty"),
    ],
)
def test_a_new_key_of_the_bureau_with_a_bad_value_is_refused_at_its_place(desk, house, words):
    if house.startswith("breather"):
        house = house.replace("§", "").replace("breather", "§breather")
    desk.write("bureau.yaml", BUREAU.replace("  holidays: FR\n", f"  holidays: FR\n  {house}\n"))
    desk.refuses(words)


# --- notes -----------------------------------------------------------------------------------


def notes(desk) -> list[str]:
    return [note.message for note in desk.load().notes]


def test_a_secretary_whom_no_queue_reaches_is_noted(desk):
    desk.write("bureau.yaml", STAFF.replace("general: {widen: [{after: 20s, to: other}]}", "general: {}"))
    assert notes(desk) == ["no queue of any client reaches zoe: she gets no calls"]


def test_closures_and_absences_that_overlap_are_noted(desk):
    one, other = '{from: "2026-12-24", to: "2026-12-27"}', '{from: "2026-12-26 12:00", to: "2026-12-28"}'
    desk.client(closures=f"[{one}, {other}]", absences=f"[{other}, {one}]", openings=f"[{one}]")
    assert notes(desk) == [
        "overlaps the one in line 8, which goes first",
        "overlaps the one in line 9, which goes first",
    ]


@pytest.mark.parametrize(
    ("before", "queue", "noted"),
    [
        ("", "", True),
        ('{play: {say: "Bonjour."}}, ', "", True),
        ('{play: {say: "Pour laisser un message, tapez 1."}}, ', "", False),
        ('{play: {say: "Pour laisser un message, tapez un."}}, ', "", False),
        ("{play: {sound: please-wait}}, ", "", False),
        ("", ', announce: {play: {say: "Tapez étoile."}}', False),
        ("", ", announce: {position: true}", True),
    ],
)
def test_keys_of_a_queue_that_no_message_tells_of_are_noted(desk, before, queue, noted):
    desk.client(
        rules=f'\n  - name: open\n    do: [{before}{{queue: {{team: general, keys: {{"1": [{{hangup: busy}}]}}{queue}}}}}]'
    )
    assert any("no message tells the caller of these keys" in note for note in notes(desk)) == noted


def test_a_number_that_is_not_verified_and_a_voicemail_without_mail_are_noted(desk):
    desk.client(outgoing='{number: "+33261912010"}', rules="\n  - name: open\n    do: [{voicemail: {}}]")
    assert notes(desk) == [
        "no `mail`: the message is only stored, nobody is told",
        "this number is not `verified`: the bureau's number is shown instead",
    ]


def test_a_voicemail_of_a_medical_client_is_noted(desk):
    closed = '{play: {say: "Fermé. Composez le 15.", mode: answered}}, {voicemail: {mail: ["a@example.org"]}}'
    desk.client(
        profile="medical",
        rules=f"\n  - name: c\n    when: {{hours: closed}}\n    do: [{closed}]\n  - name: open\n    do: [{{queue: {{team: general}}}}]",
    )
    assert [note[:30] for note in notes(desk)] == ["a medical client's voicemail: "]


def test_an_announcement_of_nothing_is_noted(desk):
    desk.client(rules="\n  - name: open\n    do: [{queue: {team: general, announce: {every: 30s}}}]")
    assert notes(desk) == ["announces nothing: give `position: true`, `wait: true` or `play`"]


def test_the_same_client_twice_in_other_words_has_no_notes(desk):
    desk.write("clients/other.yaml", CLIENT.replace("cab-lilas", "other").replace("1001", "1002"))
    assert notes(desk) == []
