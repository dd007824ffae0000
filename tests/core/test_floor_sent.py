"""The floor when callers change secretaries: kept for him whom she sent on, asked first when he returns, picked up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autocom.core.floor_words import (
    CallerJoined,
    CallerLeft,
    Joined,
    LegAnswered,
    LegEnded,
    LegRang,
    LoggedIn,
    PausedBy,
    PhoneSeen,
    PhoneUsed,
    PickedUp,
    Resumed,
    Ring,
    Settled,
    StopRinging,
    Take,
    TalkEnded,
    TimePassed,
    TookOver,
)
from autocom.core.posts import InTalk, Waiter, WrapUp
from autocom.core.telephony import Cause
from tests.core.test_floor import Script


def caller(call: str, now: float, **changes: object) -> CallerJoined:
    return CallerJoined(replace(Waiter(call, "azur", "medical", now), **changes))  # type: ignore[arg-type]


def rung(decisions: list[object]) -> list[str]:
    return [d.secretary for d in decisions if isinstance(d, Ring)]


def talking(client: str = "azur", at_work: tuple[str, ...] = ("lea",)) -> Script:
    """Léa talks with c1 since 1."""
    script = Script(at_work=at_work)
    script.at(1, caller("c1", 1.0, client=client))
    script.at(1, LegAnswered("ring-c1-1-lea"))
    script.at(1, Joined("c1", "lea"))
    return script


def returning(now: float, **changes: object) -> CallerJoined:
    return caller("c1", now, head=True, back_to="lea", attempts=1, **changes)


def test_while_he_may_come_back_nothing_else_is_offered_to_her() -> None:
    script = talking()
    script.at(10, TalkEnded("c1", "lea", 40.0))
    assert rung(script.at(11, caller("c2", 11.0))) == []
    assert rung(script.at(39, TimePassed())) == []
    assert rung(script.at(40, TimePassed())) == ["lea"], "nobody came back"


def test_once_he_is_taken_care_of_she_is_free_at_once() -> None:
    script = talking()
    script.at(10, TalkEnded("c1", "lea", 40.0))
    script.at(11, caller("c2", 11.0))
    assert rung(script.at(15, Settled("c1"))) == ["lea"]


def test_her_own_wrap_up_still_counts_from_the_end_of_the_conversation() -> None:
    script = talking(client="lilas")
    script.at(10, TalkEnded("c1", "lea", 70.0))
    script.at(15, Settled("c1"))
    work = script.floor.posts["lea"].engaged
    assert work == WrapUp("c1", 10, 15.0, 30.0)
    script.at(31, TimePassed())
    assert script.floor.posts["lea"].state == "free"


def test_a_caller_who_hung_up_on_the_way_or_was_taken_over_frees_her_as_well() -> None:
    for fact in (CallerLeft("c1"), TookOver("ines", "c1", "out-c1-1", 2, "azur")):
        script = talking(at_work=("lea", "ines"))
        script.at(10, TalkEnded("c1", "lea", 40.0))
        script.at(12, fact)
        assert script.floor.posts["lea"].state == "free"


def test_her_word_that_she_is_ready_ends_it() -> None:
    script = talking()
    script.at(10, TalkEnded("c1", "lea", 40.0))
    assert rung(script.at(11, caller("c2", 11.0))) == []
    assert rung(script.at(12, Resumed("lea"))) == ["lea"]


def test_her_word_still_counts_once_he_is_taken_care_of() -> None:
    script = talking(client="lilas")
    script.at(10, TalkEnded("c1", "lea", 70.0))
    script.at(12, Resumed("lea"))
    script.at(13, Settled("c1"))
    script.at(15, TimePassed())
    assert script.floor.posts["lea"].state == "free", "only the client's minimum is left of her wrap-up"


@pytest.mark.parametrize(
    "fact",
    [PickedUp("ines", "phone-ines-1", "c2"), TookOver("ines", "c3", "phone-ines-1", 1, "azur")],
    ids=["picks up", "takes over"],
)
def test_a_wrap_up_in_which_she_takes_another_caller_is_written_as_over(fact: PickedUp | TookOver) -> None:
    script = Script(at_work=("ines",))
    script.at(1, caller("c1", 1.0))
    script.at(1, LegAnswered("ring-c1-1-ines"))
    script.at(1, Joined("c1", "ines"))
    script.at(2, PhoneSeen("lea", True))
    script.at(2, LoggedIn("lea"))
    script.at(2, caller("c2", 2.0))
    script.at(3, TalkEnded("c1", "ines", 40.0))
    script.at(4, fact)
    assert script.floor.posts["ines"].state == "talking"
    assert script.last is not None
    over = [entry for entry in script.last.entries if entry.kind == "wrap_up_ended"]
    assert [(entry.call, entry.fields["secretary"]) for entry in over] == [("c1", "ines")]


def test_who_returns_rings_at_her_phone_alone_and_then_at_all_before_older_callers() -> None:
    script = talking(at_work=("lea",))
    script.at(10, TalkEnded("c1", "lea", 40.0))
    script.at(11, caller("c2", 11.0))
    assert rung(script.at(20, returning(20.0))) == ["lea"]
    script.at(20, LegRang("ring-c1-2-lea"))
    script.at(21, PhoneSeen("ines", True))
    offers = [d for d in script.at(21, LoggedIn("ines")) if isinstance(d, Ring)]
    assert [(d.call, d.secretary) for d in offers] == [("c2", "ines")], "he is kept for Léa"
    script.at(31, LegEnded("ring-c2-1-ines", Cause.BUSY))
    script.at(32, TimePassed())
    assert script.floor.waiters["c1"].tried == {"lea": 1}
    offers = [d for d in script.at(34.5, TimePassed()) if isinstance(d, Ring)]
    assert [d.call for d in offers] == ["c1", "c2"], "before the older caller"


def test_she_who_refuses_him_is_not_waited_for() -> None:
    script = talking(at_work=("lea", "ines"))
    script.at(10, TalkEnded("c1", "lea", 40.0))
    assert rung(script.at(20, returning(20.0))) == ["lea"]
    assert rung(script.at(21, LegEnded("ring-c1-2-lea", Cause.BUSY))) == ["ines"]


def test_where_she_is_gone_in_a_pause_or_in_another_call_everybody_is_asked_at_once() -> None:
    for away in (PhoneSeen("lea", False), PausedBy("lea", "break")):
        script = talking(at_work=("lea", "ines"))
        script.at(10, TalkEnded("c1", "lea", 40.0))
        script.at(11, away)
        assert rung(script.at(20, returning(20.0))) == ["ines"]


def test_a_phone_that_is_still_hanging_up_is_given_two_seconds() -> None:
    script = talking(at_work=("lea", "ines"))
    script.at(2, PhoneUsed("lea", True))
    script.at(10, TalkEnded("c1", "lea", 40.0))
    assert rung(script.at(10.1, returning(10.1))) == []
    assert rung(script.at(10.5, PhoneUsed("lea", False))) == ["lea"]
    script = talking(at_work=("lea", "ines"))
    script.at(2, PhoneUsed("lea", True))
    script.at(10, TalkEnded("c1", "lea", 40.0))
    script.at(10.1, returning(10.1))
    assert rung(script.at(12.2, TimePassed())) == ["ines"]


def test_he_returns_to_her_whatever_her_team_and_language() -> None:
    script = Script(at_work=("zoe", "lea"))
    fact = caller("c1", 5.0, head=True, back_to="zoe", languages=("pt",))
    assert rung(script.at(5, fact)) == ["zoe"]


def test_nobody_at_work_for_his_team_does_not_send_him_away_while_she_is_asked() -> None:
    script = Script(at_work=("zoe",))
    decisions = script.at(5, caller("c1", 5.0, head=True, back_to="zoe", nobody_from=5.0))
    assert rung(decisions) == ["zoe"]
    assert "c1" in script.floor.waiters


def test_a_ringing_caller_is_picked_up_on_her_own_channel() -> None:
    script = Script(at_work=("lea",))
    assert rung(script.at(1, caller("c1", 1.0))) == ["lea"]
    script.at(2, PhoneSeen("zoe", True))
    decisions = script.at(3, PickedUp("zoe", "phone-7", "c1"))
    assert decisions == [
        StopRinging("ring-c1-1-lea", Cause.ANSWERED_ELSEWHERE),
        Take("c1", "zoe", "phone-7", 2),
    ]
    assert script.floor.posts["zoe"].engaged == InTalk("c1", "phone-7", 2, "azur", 3)
    assert script.at(3, PickedUp("zoe", "phone-7", "c1")) == []
    # her channel ends before the two are joined: he is at his place again
    lost = script.at(4, LegEnded("phone-7"))
    assert "c1" in script.floor.waiters
    assert rung(lost) == ["lea"] or script.floor.waiters["c1"].held is None


def test_where_nothing_rings_or_she_talks_nothing_is_picked_up() -> None:
    script = talking(at_work=("lea", "ines"))
    assert script.at(2, PickedUp("ines", "phone-1", "c1")) == []
    assert script.at(2, PickedUp("ines", "phone-2", "c9")) == []
    script.at(3, caller("c2", 3.0))
    assert script.at(4, PickedUp("lea", "phone-3", "c2")) == []
    assert script.floor.waiters["c2"].ringing == ("ines",)


def test_what_rings_at_her_own_phone_rings_elsewhere_once_she_took_another_call() -> None:
    script = Script(at_work=("lea", "ines"))
    assert rung(script.at(1, caller("c1", 1.0))) == ["lea"]
    assert rung(script.at(1, caller("c2", 1.0))) == ["ines"]
    decisions = script.at(2, PickedUp("ines", "phone-1", "c1"))
    assert StopRinging("ring-c2-1-ines", Cause.ANSWERED_ELSEWHERE) in decisions
    assert rung(decisions) == ["lea"], "whose phone is free now"
