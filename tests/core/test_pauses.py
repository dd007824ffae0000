"""Breathers, quotas and pauses of our own making: when they begin, end, and what is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from autocom.core import floor as rules
from autocom.core.features import told
from autocom.core.floor_words import (
    CallerLeft,
    Joined,
    LegAnswered,
    LegEnded,
    LegRang,
    LoggedOut,
    PausedBy,
    PhoneSeen,
    Resumed,
    Ring,
    TalkEnded,
    Tell,
    TimePassed,
)
from autocom.core.model import Breather, Quota, Team
from autocom.core.posts import Offered, Staff, Tally
from tests.core.test_floor import Script, caller, rings

PAIR = Staff(
    levels={"ana": {"medical": 1}, "bea": {"medical": 2}},
    teams={"medical": Team("medical")},
    breather=Breather(2, 60.0),
    quotas={"break": Quota(longest=900.0, a_day=1500.0, times=2)},
    zone="Europe/Paris",
    pause_after=2,
)
NOON = 1_790_000_000.0 // 86400 * 86400 + 36000  # ten in the morning UTC


def talk(script: Script, call: str, start: float, end: float, who: str = "ana") -> None:
    """One conversation of hers."""
    script.at(start, caller(call, joined=start, client="none"))
    engaged = script.floor.posts[who].engaged
    assert isinstance(engaged, Offered)
    script.at(start, LegAnswered(engaged.leg))
    script.at(start, Joined(call))
    script.at(end, TalkEnded(call, who))


def kinds(script: Script) -> list[str]:
    assert script.last is not None
    return [entry.kind for entry in script.last.entries]


# --- breathers -------------------------------------------------------------------------------


def test_after_her_conversations_in_a_row_she_gets_her_rest_and_it_ends_by_itself() -> None:
    script = Script(PAIR, ("ana", "bea"))
    talk(script, "c1", 100, 110)
    assert script.state("ana") == "free"
    talk(script, "c2", 120, 130)
    assert script.state("ana") == "paused"
    assert script.floor.posts["ana"].pause.reason == "breather"
    assert rings(script.at(131, caller("c3", joined=131.0))) == ["bea"]
    script.at(132, CallerLeft("c3"))
    script.at(190, TimePassed())
    assert script.state("ana") == "free"


def test_a_rest_between_them_starts_the_count_anew() -> None:
    script = Script(PAIR, ("ana", "bea"))
    talk(script, "c1", 100, 110)
    talk(script, "c2", 170, 180)
    assert script.state("ana") == "free"
    talk(script, "c3", 190, 200)
    assert script.state("ana") == "paused"


def test_the_code_48_ends_a_breather_and_the_count_starts_anew() -> None:
    script = Script(PAIR, ("ana", "bea"))
    talk(script, "c1", 100, 110)
    talk(script, "c2", 120, 130)
    script.at(135, Resumed("ana"))
    assert script.state("ana") == "free"
    talk(script, "c3", 140, 150)
    assert script.state("ana") == "free"


def test_who_says_in_her_wrap_up_that_she_is_ready_gets_no_breather_after_it() -> None:
    script = Script(replace(PAIR, wrap_up={"none": (0.0, 10.0)}), ("ana", "bea"))
    talk(script, "c1", 100, 110)
    script.at(120, TimePassed())
    talk(script, "c2", 121, 130)
    script.at(132, Resumed("ana"))
    assert script.state("ana") == "free"


def test_a_breather_begins_after_the_wrap_up() -> None:
    script = Script(replace(PAIR, wrap_up={"none": (0.0, 10.0)}), ("ana", "bea"))
    talk(script, "c1", 100, 110)
    script.at(120, TimePassed())
    talk(script, "c2", 121, 130)
    assert script.state("ana") == "wrap_up"
    script.at(140, TimePassed())
    assert script.state("ana") == "paused"


def test_no_breather_while_somebody_waits_for_whom_nobody_else_is_at_work() -> None:
    script = Script(PAIR, ("ana",))
    talk(script, "c1", 100, 110)
    script.at(120, caller("c2", joined=120.0, client="none"))
    script.at(120, LegAnswered("ring-c2-1-ana"))
    script.at(120, Joined("c2"))
    script.at(125, caller("c3", joined=125.0, client="none"))
    assert rings(script.at(130, TalkEnded("c2", "ana"))) == ["ana"]


def test_a_caller_who_has_nobody_else_ends_a_breather_and_the_next_conversation_brings_it_again() -> None:
    script = Script(PAIR, ("ana",))
    talk(script, "c1", 100, 110)
    talk(script, "c2", 120, 130)
    assert script.state("ana") == "paused"
    assert rings(script.at(140, caller("c3", joined=140.0, client="none"))) == ["ana"]
    script.at(140, LegAnswered("ring-c3-1-ana"))
    script.at(140, Joined("c3"))
    script.at(150, TalkEnded("c3", "ana"))
    assert script.floor.posts["ana"].pause.reason == "breather"


def test_a_colleague_who_leaves_ends_the_breather_of_the_one_who_stays() -> None:
    script = Script(PAIR, ("ana", "bea"))
    talk(script, "c1", 100, 110)
    talk(script, "c2", 120, 130)
    script.at(131, caller("cx", joined=131.0, client="none"))
    script.at(131, LegAnswered("ring-cx-1-bea"))
    script.at(131, Joined("cx"))
    assert rings(script.at(132, caller("c3", joined=132.0))) == []
    assert rings(script.at(133, LoggedOut("bea"))) == ["ana"]


def test_when_both_breathe_the_one_who_began_first_is_called_back() -> None:
    staff = replace(PAIR, breather=Breather(1, 60.0))
    script = Script(staff, ("ana", "bea"))
    talk(script, "c1", 100, 110)
    talk(script, "c2", 120, 130, who="bea")
    assert (script.state("ana"), script.state("bea")) == ("paused", "paused")
    assert rings(script.at(140, caller("c3", joined=140.0))) == ["ana"]
    assert script.state("bea") == "paused"


# --- quotas ----------------------------------------------------------------------------------


def exceeded(script: Script) -> list[object]:
    assert script.last is not None
    return [entry.fields["limit"] for entry in script.last.entries if entry.kind == "quota_exceeded"]


def test_a_break_beyond_its_length_goes_on_and_is_written_down_once() -> None:
    script = Script(PAIR, ("ana",))
    script.at(NOON, PausedBy("ana", "break"))
    assert rules.next_deadline(script.floor, NOON) == NOON + 900
    script.at(NOON + 900, TimePassed())
    assert exceeded(script) == ["longest"]
    assert script.state("ana") == "paused"
    assert script.floor.posts["ana"].over_quota == ("longest",)
    script.at(NOON + 1000, TimePassed())
    assert exceeded(script) == []
    script.at(NOON + 1001, Resumed("ana"))
    assert script.floor.posts["ana"].over_quota == ()


def test_breaks_add_up_over_the_day_and_the_third_is_one_too_many() -> None:
    script = Script(PAIR, ("ana",))
    script.at(NOON, PausedBy("ana", "break"))
    script.at(NOON + 800, Resumed("ana"))
    script.at(NOON + 2000, PausedBy("ana", "break"))
    script.at(NOON + 2700, TimePassed())
    assert exceeded(script) == ["a_day"]
    script.at(NOON + 2710, Resumed("ana"))
    script.at(NOON + 5000, PausedBy("ana", "break"))
    assert exceeded(script) == ["times"]


def test_the_next_day_counts_anew_in_the_bureaus_own_zone() -> None:
    script = Script(PAIR, ("ana",))
    for n in range(2):
        script.at(NOON + n * 100, PausedBy("ana", "break"))
        script.at(NOON + n * 100 + 50, Resumed("ana"))
    tomorrow = NOON + 86400
    script.at(tomorrow, PausedBy("ana", "break"))
    assert exceeded(script) == []
    assert script.floor.posts["ana"].pauses["break"].times == 1


def test_a_break_over_midnight_is_the_first_days_and_the_next_day_begins_with_nothing() -> None:
    script = Script(PAIR, ("ana",))
    before = datetime(2026, 10, 24, 21, 55, tzinfo=UTC).timestamp()  # 23:55 in Paris
    script.at(before, PausedBy("ana", "break"))
    script.at(before + 800, Resumed("ana"))
    assert script.floor.posts["ana"].pauses["break"] == Tally("2026-10-24", 1, 800.0)
    script.at(before + 900, PausedBy("ana", "break"))
    assert script.floor.posts["ana"].pauses["break"] == Tally("2026-10-25", 1)


def test_a_break_in_the_hour_that_comes_twice_is_as_long_as_it_lasts() -> None:
    script = Script(PAIR, ("ana",))
    start = datetime(
        2026, 10, 25, 0, 55, tzinfo=UTC
    ).timestamp()  # 02:55, five minutes before it is two again
    script.at(start, PausedBy("ana", "break"))
    assert rules.next_deadline(script.floor, start) == start + 900
    script.at(start + 899.9, TimePassed())
    assert exceeded(script) == []
    script.at(start + 900, TimePassed())
    assert exceeded(script) == ["longest"]


def test_a_pause_asked_for_in_a_call_counts_from_its_end_and_other_reasons_have_no_quota() -> None:
    script = Script(PAIR, ("ana",))
    script.at(NOON, caller("c1", joined=NOON, client="none"))
    script.at(NOON, LegAnswered("ring-c1-1-ana"))
    script.at(NOON, Joined("c1"))
    script.at(NOON + 10, PausedBy("ana", "break"))
    script.at(NOON + 600, TalkEnded("c1", "ana"))
    assert script.floor.posts["ana"].pause.since == NOON + 600
    assert rules.next_deadline(script.floor, NOON + 600) == NOON + 1500
    script.at(NOON + 700, PausedBy("ana", "lunch"))
    assert rules.next_deadline(script.floor, NOON + 700) is None
    assert script.floor.posts["ana"].pauses["break"].seconds == 100


# --- pauses of our own making ----------------------------------------------------------------


def test_after_her_misses_she_and_the_supervisor_are_told_once() -> None:
    script = Script(PAIR, ("ana",))
    script.at(0, caller())
    script.at(0, LegRang("ring-c1-1-ana"))
    script.at(12, TimePassed())
    script.at(13, TimePassed())
    script.at(13, LegRang("ring-c1-2-ana"))
    decisions = script.at(25, TimePassed())
    assert Tell("ana", "no_answer_pause", 2) in decisions
    assert script.last is not None
    alerts = [entry for entry in script.last.entries if entry.kind == "alert"]
    assert [(a.fields["alert"], a.fields["secretary"], a.fields["misses"]) for a in alerts] == [
        ("no_answer_pause", "ana", 2)
    ]
    assert script.state("ana") == "paused"


def test_what_she_is_told_is_in_the_bureaus_language() -> None:
    tell = Tell("ana", "no_answer_pause", 3)
    assert told(tell, "fr") == "autocom : pause, 3 appels sans réponse. *48 pour reprendre."
    assert told(tell, "en") == "autocom: paused, 3 calls not answered. *48 to resume."
    assert told(Tell("ana", "no_answer_pause", 1), "fr").startswith("autocom : pause, 1 appel sans")
    assert told(Tell("ana", "caller_gone"), "fr") == "autocom : l'appelant vient de raccrocher."
    assert told(Tell("ana", "caller_gone"), "en") == "autocom: the caller has just hung up."


def vanished(script: Script) -> list[object]:
    script.at(0, caller("c1", client="none"))
    script.at(1, LegAnswered("ring-c1-1-ana"))
    script.at(1, Joined("c1"))
    script.at(2, caller("c2", joined=2.0, client="none"))
    script.at(30, LegEnded("ring-c1-1-ana", 44))
    return script.at(30, caller("c1", joined=0.0, entered=30.0, head=True, attempts=1, client="none"))


def test_s15_the_caller_of_a_phone_that_vanished_is_the_next_and_she_is_paused() -> None:
    script = Script(PAIR, ("ana", "bea"))
    script.at(0, PausedBy("bea", "lunch"))
    assert rings(vanished(script)) == []
    assert script.state("ana") == "paused"
    assert script.floor.posts["ana"].pause.reason == "vanished"
    decisions = script.at(31, Resumed("bea"))
    assert [(d.call, d.leg) for d in decisions if isinstance(d, Ring)] == [("c1", "ring-c1-2-bea")]


def test_her_phones_coming_back_or_her_word_ends_that_pause() -> None:
    script = Script(PAIR, ("ana",))
    vanished(script)
    script.at(40, PhoneSeen("ana", reachable=False))
    assert rings(script.at(60, PhoneSeen("ana", reachable=True))) == ["ana"]
    script = Script(PAIR, ("ana",))
    vanished(script)
    assert rings(script.at(60, Resumed("ana"))) == ["ana"]
    script.at(61, CallerLeft("c1"))
    assert "c1" not in script.floor.waiters
