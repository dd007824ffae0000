from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom.core.journal import KINDS, CallRecord, Entry, Segment
from autocom.core.record import ABANDON_CAUSES, OUTCOMES, SEGMENT_KINDS, abandon_cause, project, segments

CALL = "c0abc"


def story(*facts: tuple[float, str] | tuple[float, str, dict[str, object]]) -> list[Entry]:
    """Entries of one call, with seconds counted from its arrival at 1000."""
    return [Entry(1000.0 + f[0], f[1], CALL, f[2] if len(f) > 2 else {}) for f in facts]


def record(*facts) -> CallRecord:
    return project(CALL, story(*facts))


SERVED = (
    (0, "arrived", {"trunk": "operator", "channel": "1.1"}),
    (
        0.01,
        "identified",
        {
            "client": "cab-lilas",
            "did": "+33199001001",
            "caller": "+33639980101",
            "anonymous": False,
            "forwarded_from": "+33261912010",
            "forward_reason": "busy",
            "flags": ["shared_did"],
            "config_version": "v7",
        },
    ),
    (0.02, "rule", {"rule": "open"}),
    (0.03, "message_started", {"sound": "lilas-accueil"}),
    (0.04, "queued", {"team": "medical"}),
    (0.05, "offered", {"secretary": "lea", "attempt": 1, "leg": "ring-c0abc-1-lea"}),
    (0.1, "ringing", {"secretary": "lea", "leg": "ring-c0abc-1-lea"}),
    (6, "message_ended", {"sound": "lilas-accueil", "complete": True}),
    (6, "music_started", {"music": "calme-1"}),
    (12, "offer_ended", {"secretary": "lea", "attempt": 1, "result": "no_answer"}),
    (12.01, "offered", {"secretary": "paul", "attempt": 2, "leg": "ring-c0abc-2-paul"}),
    (12.2, "ringing", {"secretary": "paul", "leg": "ring-c0abc-2-paul"}),
    (15, "offer_ended", {"secretary": "paul", "attempt": 2, "result": "answered"}),
    (15.1, "answered", {"why": "a secretary answered"}),
    (15.25, "bridged", {"secretary": "paul", "leg": "ring-c0abc-2-paul"}),
    (75.25, "talk_ended", {"secretary": "paul", "by": "caller"}),
    (75.26, "ended", {"outcome": "served"}),
    (75.27, "wrap_up_started", {"secretary": "paul"}),
    (90, "wrap_up_ended", {"secretary": "paul", "by": "secretary"}),
)


def test_a_served_call_leaves_the_row_of_the_contract():
    assert record(*SERVED) == CallRecord(
        id=CALL,
        client="cab-lilas",
        did="+33199001001",
        caller="+33639980101",
        anonymous=False,
        forwarded_from="+33261912010",
        forward_reason="busy",
        rule="open",
        config_version="v7",
        arrived_at=1000.0,
        answered_at=1015.1,
        queued_at=1000.04,
        bridged_at=1015.25,
        ended_at=1075.26,
        secretary="paul",
        outcome="served",
        cause=None,
        wait_ms=15250,
        talk_ms=60000,
        offers=2,
        trunk="operator",
        flags=("shared_did",),
    )


def test_a_served_call_is_cut_into_its_segments():
    assert segments(story(*SERVED)) == (
        Segment("message", 1000.03, 1006.0),
        Segment("waiting", 1000.04, 1015.25),
        Segment("ringing", 1000.1, 1012.0, "lea"),
        Segment("ringing", 1012.2, 1015.0, "paul"),
        Segment("talk", 1015.25, 1075.25, "paul"),
        Segment("wrap_up", 1075.27, 1090.0, "paul"),
    )


def test_a_fact_written_twice_by_an_adopting_process_changes_nothing():
    twice = [entry for entry in story(*SERVED) for _ in range(2)]

    assert project(CALL, twice) == record(*SERVED)
    assert segments(twice) == segments(story(*SERVED))


def test_a_call_that_goes_on_has_no_outcome_and_open_segments():
    going_on = SERVED[:15]

    assert record(*going_on).outcome is None
    assert record(*going_on).ended_at is None
    assert record(*going_on).talk_ms == 0
    assert segments(story(*going_on))[-1] == Segment("talk", 1015.25, None, "paul")


def test_a_withheld_caller_has_no_number_even_if_one_was_written():
    assert record((0, "identified", {"caller": "+33639980101", "anonymous": True})).caller is None


def test_entries_of_other_calls_do_not_count():
    other = Entry(1001.0, "ended", "c0other", {"outcome": "served"})

    assert project(CALL, [*story((0, "arrived")), other]).ended_at is None


def test_a_conversation_ends_with_the_call_where_its_own_end_is_missing():
    found = record((0, "arrived"), (4, "bridged", {"secretary": "lea"}), (10, "ended", {"outcome": "served"}))

    assert (found.wait_ms, found.talk_ms) == (4000, 6000)


def test_two_conversations_add_up_and_the_last_secretary_counts():
    found = record(
        (0, "arrived"),
        (2, "bridged", {"secretary": "lea"}),
        (3, "talk_ended", {"secretary": "lea"}),
        (3, "queued", {}),
        (8, "bridged", {"secretary": "paul"}),
        (18, "talk_ended", {"secretary": "paul"}),
        (18, "ended", {"outcome": "served"}),
    )

    assert (found.wait_ms, found.talk_ms, found.secretary, found.bridged_at) == (2000, 11000, "paul", 1002.0)


def test_a_new_bridge_ends_a_conversation_whose_end_was_lost():
    parts = segments(story((2, "bridged", {"secretary": "lea"}), (8, "bridged", {"secretary": "paul"})))

    assert parts == (Segment("talk", 1002.0, 1008.0, "lea"), Segment("talk", 1008.0, None, "paul"))


def test_ring_all_counts_every_offer_and_every_ringing_phone():
    facts = [
        (0, "arrived"),
        *((1, "offered", {"secretary": who, "attempt": 1, "leg": f"ring-{who}"}) for who in ("lea", "paul")),
        *((2, "ringing", {"secretary": who, "leg": f"ring-{who}"}) for who in ("lea", "paul")),
        (5, "offer_ended", {"secretary": "lea", "result": "answered"}),
        (5.5, "offer_ended", {"secretary": "paul", "result": "withdrawn"}),
    ]

    assert record(*facts).offers == 2
    assert [(s.secretary, s.end) for s in segments(story(*facts))] == [("lea", 1005.0), ("paul", 1005.5)]


ARRIVED = (0, "arrived", {"trunk": "operator"})
MESSAGE = (0.1, "message_started", {"sound": "bonjour"})
MESSAGE_OVER = (9, "message_ended", {"sound": "bonjour"})
RINGING = (1, "ringing", {"secretary": "lea", "leg": "x"})
NOT_RINGING = (13, "offer_ended", {"secretary": "lea", "result": "no_answer"})


@pytest.mark.parametrize(
    ("facts", "at", "cause"),
    [
        pytest.param([ARRIVED], 3, "short", id="nothing heard, under five seconds"),
        pytest.param([ARRIVED, MESSAGE, RINGING], 4.999, "short", id="short wins over everything"),
        pytest.param([ARRIVED, MESSAGE], 5, "during_message", id="five seconds are not short"),
        pytest.param([ARRIVED, MESSAGE, RINGING], 18, "during_message", id="the message wins over a phone"),
        pytest.param([ARRIVED, MESSAGE, RINGING, MESSAGE_OVER], 12, "while_ringing", id="a phone rings"),
        pytest.param(
            [ARRIVED, MESSAGE, RINGING, MESSAGE_OVER, NOT_RINGING], 14, "during_music", id="none rings"
        ),
        pytest.param(
            [ARRIVED, MESSAGE, MESSAGE_OVER], 9, "during_message", id="the message the hang-up ended"
        ),
        pytest.param(
            [ARRIVED, RINGING, NOT_RINGING], 13, "while_ringing", id="the offer the hang-up withdrew"
        ),
        pytest.param([ARRIVED], 30, "during_music", id="waiting without message"),
        pytest.param([], 30, "short", id="no entry at all"),
    ],
)
def test_the_cause_of_an_abandon_is_what_the_caller_heard_last(facts, at, cause):
    assert abandon_cause(story(*facts), 1000.0 + at) == cause


@pytest.mark.parametrize(
    ("facts", "outcome", "cause"),
    [
        pytest.param([ARRIVED, (9, "ended", {"outcome": "closed"})], "closed", None, id="the writer's word"),
        pytest.param(
            [ARRIVED, (9, "ended", {"outcome": "failed", "cause": "no sound"})],
            "failed",
            "no sound",
            id="with cause",
        ),
        pytest.param(
            [ARRIVED, (9, "ended", {"outcome": "abandoned", "cause": "while_ringing"})],
            "abandoned",
            "while_ringing",
            id="the writer's cause",
        ),
        pytest.param(
            [ARRIVED, (9, "ended", {"outcome": "abandoned"})],
            "abandoned",
            "during_music",
            id="cause left out",
        ),
        pytest.param(
            [ARRIVED, (2, "ended", {"outcome": "abandoned", "cause": "bored"})],
            "abandoned",
            "short",
            id="no such cause",
        ),
        pytest.param([ARRIVED, (9, "ended", {"outcome": "lost"})], "failed", "lost", id="no such outcome"),
        pytest.param(
            [ARRIVED, (4, "bridged", {"secretary": "lea"}), (9, "ended")], "served", None, id="talked"
        ),
        pytest.param(
            [ARRIVED, (4, "dequeued", {"why": "timeout"}), (9, "ended")], "timeout", None, id="timeout"
        ),
        pytest.param([ARRIVED, (4, "dequeued", {"why": "full"}), (9, "ended")], "full", None, id="full"),
        pytest.param(
            [ARRIVED, (4, "dequeued", {"why": "nobody"}), (9, "ended")], "nobody", None, id="nobody"
        ),
        pytest.param([ARRIVED, (4, "crashed", {"error": "x"}), (9, "ended")], "failed", None, id="crashed"),
        pytest.param(
            [ARRIVED, MESSAGE, (9, "ended")], "abandoned", "during_message", id="nothing said: abandoned"
        ),
        pytest.param(
            [ARRIVED, (9, "ended", {"outcome": "closed"}), (10, "ended", {"outcome": "served"})],
            "closed",
            None,
            id="the first of two ends",
        ),
        pytest.param([ARRIVED, (5, "crashed", {"error": "x"})], None, None, id="no end yet"),
    ],
)
def test_the_outcome_is_the_writers_word_or_the_likeliest_one(facts, outcome, cause):
    assert (record(*facts).outcome, record(*facts).cause) == (outcome, cause)


def test_a_call_without_arrival_begins_with_its_first_entry_and_says_so():
    found = record((7, "queued", {}), (9, "ended", {"outcome": "abandoned", "cause": "short"}))

    assert (found.arrived_at, found.wait_ms, found.flags) == (1007.0, 2000, ("no_arrival",))


def test_nothing_known_gives_an_empty_record():
    assert project(CALL, []) == CallRecord(id=CALL)
    assert segments([]) == ()


words = st.sampled_from(["lea", "paul", "served", "abandoned", "timeout", "while_ringing", "", "other"])
anything = st.one_of(st.none(), st.booleans(), st.integers(), words, st.lists(words, max_size=2))
keys = st.sampled_from(
    [
        "secretary",
        "outcome",
        "cause",
        "why",
        "leg",
        "attempt",
        "flags",
        "client",
        "caller",
        "anonymous",
        "rule",
    ]
)
any_entry = st.builds(
    Entry,
    at=st.floats(0, 100, width=32),
    kind=st.sampled_from(sorted(KINDS)),
    call=st.just(CALL),
    fields=st.dictionaries(keys, anything, max_size=5),
)
any_entries = st.lists(any_entry, min_size=1, max_size=25)


@given(any_entries)
def test_whatever_was_written_the_record_is_one_the_database_accepts(entries):
    found = project(CALL, entries)

    assert found.arrived_at is not None
    assert (found.outcome is None) == (found.ended_at is None)
    assert found.outcome is None or found.outcome in OUTCOMES
    assert found.outcome != "abandoned" or found.cause in ABANDON_CAUSES
    assert found.wait_ms is None or found.wait_ms >= 0
    assert found.caller is None or not found.anonymous
    assert all(isinstance(flag, str) for flag in found.flags)


@given(any_entries)
def test_segments_never_run_backwards_and_only_wrap_up_outlives_the_call(entries):
    parts = segments(entries)
    ended = any(e.kind == "ended" for e in entries)

    assert all(p.kind in SEGMENT_KINDS and (p.end is None or p.end >= p.start) for p in parts)
    assert list(parts) == sorted(parts, key=lambda p: p.start)
    if ended:
        last = max(e.at for e in entries if e.kind == "ended")
        assert all(p.end is not None for p in parts if p.kind != "wrap_up" and p.start < last)


@given(any_entries, st.floats(0, 120))
def test_an_abandon_always_has_a_cause_of_the_contract(entries, at):
    assert abandon_cause(entries, at) in ABANDON_CAUSES


@given(any_entries)
def test_talk_time_is_the_length_of_the_finished_talk_segments(entries):
    spoken = {"talk", "patch", "conference"}
    talks = [p for p in segments(entries) if p.kind in spoken and p.end is not None]

    assert project(CALL, entries).talk_ms == sum(round(p.end * 1000) - round(p.start * 1000) for p in talks)


OUTSIDE = (
    (0, "arrived", {"trunk": "operator", "channel": "1.1"}),
    (0.1, "music_started", {"music": "calme-1"}),
    (0.2, "forward_started", {"name": "First", "number": "+33639981021", "leg": "out-c0abc-1"}),
    (1, "forward_ringing", {"leg": "out-c0abc-1"}),
    (6, "forward_ended", {"leg": "out-c0abc-1", "result": "no_answer"}),
    (6.1, "forward_started", {"name": "Second", "number": "+33639981022", "leg": "out-c0abc-2"}),
    (7, "forward_ringing", {"leg": "out-c0abc-2"}),
    (9, "forward_answered", {"leg": "out-c0abc-2"}),
    (11, "forward_accepted", {"leg": "out-c0abc-2", "digit": "1"}),
    (12, "patched", {"name": "Second", "number": "+33639981022", "leg": "out-c0abc-2"}),
    (42, "patch_ended", {"leg": "out-c0abc-2", "by": "outside"}),
    (42.1, "ended", {"outcome": "forwarded"}),
)


def test_a_conversation_with_somebody_outside_is_a_conversation():
    row = record(*OUTSIDE)
    assert (row.outcome, row.cause, row.secretary) == ("forwarded", None, None)
    assert (row.wait_ms, row.talk_ms, row.bridged_at) == (12_000, 30_000, 1012.0)
    assert segments(story(*OUTSIDE)) == (
        Segment("ringing", 1001.0, 1006.0),
        Segment("ringing", 1007.0, 1012.0),
        Segment("patch", 1012.0, 1042.0),
    )


def test_a_patched_call_whose_last_word_is_missing_was_forwarded_and_ends_with_the_call():
    cut = (*OUTSIDE[:-2], (50, "ended", {}))
    assert record(*cut).outcome == "forwarded"
    assert segments(story(*cut))[-1] == Segment("patch", 1012.0, 1050.0)


def test_who_hangs_up_while_somebody_outside_is_rung_gave_up_while_ringing():
    row = record(*OUTSIDE[:7], (8, "ended", {"outcome": "abandoned"}))
    assert (row.outcome, row.cause) == ("abandoned", "while_ringing")
