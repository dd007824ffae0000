"""Callers who would wait too long (`max_expected_wait`), who find everybody paused, or whom the bureau blocks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from autocom.calls.load import LOOK_AGAIN
from autocom.core.floor_words import LoggedOut, PausedBy, Resumed
from autocom.core.model import (
    Audio,
    Client,
    Decision,
    Enqueue,
    Hangup,
    HangupKind,
    Listed,
    Mode,
    Play,
    Rule,
    Voicemail,
    When,
)
from autocom.core.pace import Pace
from autocom.core.ranking import NOBODY_GRACE
from tests.support.exchange_in_memory import CALM, CLOSED, NOBODY, WELCOME, Bench, client, configuration
from tests.support.fake_telephone import Habit
from tests.support.virtual import EPOCH, run

SORRY = Audio("sorry", "sorry", 2.0)
OUT = (Play(SORRY, Mode.ANSWERED), Hangup())
TWO_MINUTES = Pace(handled=20 * 120.0, calls=20.0)  # one secretary: two minutes for who is the next


def waits(limit: float | None = 60.0, *steps: object, **changes: object) -> Client:
    queue = Enqueue("medical", CALM, max_expected_wait=limit, on_long_wait=OUT)
    return client("lilas", "+33199001001", *steps, queue, **changes)


def play(scenario: Callable[[Bench], Awaitable[None]], made: Client, pace: Pace = TWO_MINUTES) -> Bench:
    """Léa is at work and talks to somebody; the pace is known."""

    async def whole() -> Bench:
        bench = Bench(configuration(made))
        bench.telephone.lengths["sorry"] = 2.0
        bench.telephone.habits["lea"] = Habit(answers=1.0)
        bench.start()
        await bench.pass_time(0.01)
        assert bench.switchboard is not None
        bench.switchboard.house.pace = lambda: pace
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001", "0639980101")
        await bench.pass_time(20)
        await scenario(bench)
        assert bench.failure() is None
        await bench.kill()
        return bench

    return run(whole())


def heard(bench: Bench, channel: str = "chan-2") -> list[str]:
    found = bench.telephone.channels.get(channel) or bench.telephone.past[channel]
    return [what for _, what in found.heard if what != "silence"]


async def second(bench: Bench, seconds: float = 5.0, caller: str | None = "0639980102") -> None:
    bench.telephone.call_in("chan-2", "0199001001", *([caller] if caller else []))
    await bench.pass_time(seconds)


def dequeued(bench: Bench, call: str = "c2") -> list[dict[str, object]]:
    return [dict(e.fields) for e in bench.of(call) if e.kind == "dequeued"]


# --- the expected wait -----------------------------------------------------------------------


def test_who_would_wait_too_long_is_led_out_before_he_hears_anything_else() -> None:
    bench = play(second, waits(60.0, Play(WELCOME)))
    assert heard(bench) == ["sorry", "end"]
    assert dequeued(bench) == [{"why": "long_wait", "estimate_ms": 120000, "position": 1, "staff": 1}]
    assert bench.record("c2").outcome == "timeout"
    assert not [e for e in bench.of("c2") if e.kind == "offered"]
    assert "c2" not in bench.journal.rows("waiter:")


def test_who_is_served_at_once_is_not_asked_about() -> None:
    bench = play(second, waits())
    assert bench.record("c1").outcome is None, "he talks"
    assert "bridged" in bench.kinds("c1")


@pytest.mark.parametrize(
    ("limit", "pace"),
    [
        (None, TWO_MINUTES),
        (120.0, TWO_MINUTES),
        (60.0, Pace()),
        (60.0, Pace(handled=9 * 120.0, calls=9.0)),
    ],
    ids=["no limit", "not longer than the limit", "nothing measured yet", "too little measured"],
)
def test_who_stays(limit: float | None, pace: Pace) -> None:
    bench = play(second, waits(limit), pace)
    assert heard(bench)[-1] == "music:music-calm"
    assert dequeued(bench) == []


def test_a_vip_stays_as_long_as_he_is_one() -> None:
    listed = Listed("+33639980102", "vips", "", EPOCH + 10.0, "…")
    for vip, vip_listed, stays in (
        (("+33639980102",), (), True),
        (("+33639980102",), (replace(listed, until=None),), True),
        (("nobody",), (replace(listed, until=EPOCH + 3600.0),), True),
        (("nobody",), (listed,), False),
    ):
        bench = play(second, waits(vip=vip, vip_listed=vip_listed, vip_advance=30.0))
        assert (dequeued(bench) == []) is stays


def test_who_lost_his_secretary_in_the_conversation_stays() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.vanishes("ring-c1-1-lea")
        await bench.pass_time(0.5)
        await bench.at_work("ines")
        bench.telephone.habits["ines"] = Habit(refuses=17)
        await bench.pass_time(40)
        assert "chan-1" in bench.telephone.channels

    bench = play(scenario, waits(1.0))
    assert dequeued(bench, "c1") == []


def test_nobody_at_work_is_no_estimate() -> None:
    async def scenario(bench: Bench) -> None:
        assert bench.switchboard is not None
        bench.switchboard.dispatcher.submit(PausedBy("lea", "break"))
        await second(bench, 40)

    assert dequeued(play(scenario, waits())) == []


def test_the_estimate_is_looked_at_again_while_he_waits() -> None:
    async def scenario(bench: Bench) -> None:
        assert bench.switchboard is not None
        bench.switchboard.house.pace = Pace
        await second(bench, 5)
        assert dequeued(bench) == []
        bench.switchboard.house.pace = lambda: TWO_MINUTES
        await bench.pass_time(LOOK_AGAIN)

    bench = play(scenario, waits())
    assert [row["why"] for row in dequeued(bench)] == ["long_wait"]
    left = next(e.at for e in bench.of("c2") if e.kind == "dequeued")
    joined = next(e.at for e in bench.of("c2") if e.kind == "queued")
    assert left - joined == pytest.approx(LOOK_AGAIN, abs=0.1)


def test_somebody_who_logs_out_renews_the_estimate_at_once() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.habits["ines"] = Habit(answers=1.0)
        await bench.at_work("ines")
        bench.telephone.call_in("chan-3", "0199001001", "0639980103")
        await bench.pass_time(5)
        bench.telephone.call_in("chan-4", "0199001001", "0639980104")
        await bench.pass_time(3)
        assert dequeued(bench, "c3") == [], "a minute, with two at work"
        assert bench.switchboard is not None
        bench.switchboard.dispatcher.submit(LoggedOut("ines"))
        await bench.pass_time(0.1)

    bench = play(scenario, waits(61.0))
    assert [row["why"] for row in dequeued(bench, "c3")] == ["long_wait"]


def test_a_message_that_has_begun_is_heard_to_its_end_first() -> None:
    async def scenario(bench: Bench) -> None:
        assert bench.switchboard is not None
        bench.switchboard.house.pace = Pace
        await second(bench, 1)
        assert heard(bench) == ["welcome"]
        bench.switchboard.house.pace = lambda: TWO_MINUTES
        await bench.pass_time(LOOK_AGAIN + 5)

    long = Audio("welcome", "welcome", 4.0)
    bench = play(scenario, waits(60.0, *[Play(long)] * 5))
    played = [
        e.fields for e in bench.of("c2") if e.kind == "message_ended" and e.fields["sound"] == "welcome"
    ]
    assert all(each["complete"] for each in played)
    assert len(played) == 4
    assert bench.record("c2").outcome == "timeout"


def test_a_voicemail_behind_it_says_its_own_outcome() -> None:
    async def scenario(bench: Bench) -> None:
        await second(bench, 10)
        bench.telephone.caller_hangs_up("chan-2")
        await bench.pass_time(1)

    queue = Enqueue("medical", CALM, max_expected_wait=60.0, on_long_wait=(Voicemail(max_seconds=30.0),))
    bench = play(scenario, client("lilas", "+33199001001", queue))
    assert bench.record("c2").outcome in {"voicemail", "timeout"}
    assert "voicemail_started" in bench.kinds("c2")


def test_a_crash_in_between_leads_him_out_once() -> None:
    async def scenario(bench: Bench) -> None:
        await second(bench, 0.002)
        await bench.kill()
        await bench.pass_time(0.5)
        bench.start()
        assert bench.switchboard is not None
        bench.switchboard.house.pace = lambda: TWO_MINUTES
        await bench.pass_time(8)

    bench = play(scenario, waits())
    assert len(dequeued(bench)) <= 1
    assert bench.record("c2").outcome == "timeout"
    assert not bench.journal.rows("waiter:c2")


# --- everybody paused ------------------------------------------------------------------------


def paused_queue(*, also: bool) -> Client:
    queue = Enqueue("medical", CALM, on_nobody=(Play(NOBODY, Mode.ANSWERED), Hangup()), nobody_paused=also)
    return client("lilas", "+33199001001", queue)


@pytest.mark.parametrize("also", [True, False])
def test_where_all_are_paused_he_waits_or_hears_that_nobody_is_there(also: bool) -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(1)
        assert bench.switchboard is not None
        bench.switchboard.dispatcher.submit(PausedBy("lea", "lunch"))
        await second(bench, 10)

    bench = play(scenario, paused_queue(also=also))
    assert (bench.record("c2").outcome == "nobody") is also
    assert ("nobody" in heard(bench)) is also


def test_a_pause_of_the_last_one_leaves_who_waits_the_same_grace() -> None:
    async def scenario(bench: Bench) -> None:
        await second(bench, 10)
        assert bench.switchboard is not None
        submit = bench.switchboard.dispatcher.submit
        submit(PausedBy("lea", "break"))  # after the call she is in: she takes none after it
        await bench.pass_time(NOBODY_GRACE - 1)
        submit(Resumed("lea"))
        await bench.pass_time(20)
        assert dequeued(bench) == []
        submit(PausedBy("lea", "break"))
        await bench.pass_time(NOBODY_GRACE + 3)

    bench = play(scenario, paused_queue(also=True))
    assert bench.record("c2").outcome == "nobody"


# --- blocked ---------------------------------------------------------------------------------

BLOCKED = Rule(
    "blocked",
    When(
        caller=("nobody",),
        listed=(Listed("+33639980102", "nuisance", "démarchage", EPOCH + 3600.0, "18:00"),),
    ),
    (Hangup(HangupKind.BUSY),),
)


class Advice:
    """A client's system that must not be asked."""

    asked = 0

    async def rule(self, url: str, about: object, within: float) -> str | None:
        Advice.asked += 1
        return None


def blocked(caller: str, after: float = 0.0, *rules: Rule) -> Bench:
    async def whole() -> Bench:
        open_rule = Rule("open", None, (Play(CLOSED), Hangup()))
        made = client("lilas", "+33199001001", rules=(*rules, open_rule), decision=Decision("https://x.test"))
        bench = Bench(replace(configuration(made), blocked=BLOCKED))
        bench.advice = Advice()  # type: ignore[assignment]
        bench.start()
        await bench.pass_time(0.01 + after)
        bench.telephone.call_in("chan-1", "0199001001", caller)
        await bench.pass_time(6)
        assert bench.failure() is None
        await bench.kill()
        return bench

    return run(whole())


def test_who_is_blocked_hears_busy_and_no_client_is_asked() -> None:
    Advice.asked = 0
    bench = blocked("0639980102")
    record = bench.record()
    assert (record.rule, record.outcome) == ("blocked", "rejected")
    assert bench.telephone.past["chan-1"].ended_with == 17
    assert heard(bench, "chan-1") == ["end"]
    assert Advice.asked == 0
    rule = next(e for e in bench.of("c1") if e.kind == "rule")
    assert rule.fields["why"] == [
        {
            "rule": "blocked",
            "matched": True,
            "failed": None,
            "because": "the caller is in list nuisance: démarchage",
        }
    ]


@pytest.mark.parametrize(
    ("caller", "after"), [("0639980101", 0.0), ("anonymous", 0.0), ("0639980102", 3600.0)]
)
def test_anybody_else_a_masked_caller_and_one_whose_time_is_over_are_served(
    caller: str, after: float
) -> None:
    bench = blocked(caller, after)
    assert bench.record().rule == "open"


def test_who_waits_is_not_sent_away_when_his_entry_ends_or_the_bureau_begins_to_block_him() -> None:
    listed = Listed("+33639980102", "friends", "", EPOCH + 60.0, "soon")
    friends = Rule("friends", When(caller=("nobody",), listed=(listed,)), (Enqueue("medical", CALM),))

    async def scenario(bench: Bench) -> None:
        await second(bench, 20)
        assert bench.record("c2").rule == "friends"
        assert bench.switchboard is not None
        bench.switchboard.use(replace(bench.configuration, version="v2", blocked=BLOCKED))
        await bench.pass_time(600)
        assert "chan-2" in bench.telephone.channels

    bench = play(
        scenario,
        client("lilas", "+33199001001", rules=(friends, Rule("open", None, (Enqueue("medical", CALM),)))),
    )
    assert "rule_changed" not in bench.kinds("c2")
