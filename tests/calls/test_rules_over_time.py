"""Rules read again while a caller waits, in virtual time: closing, absence, staff, the calendar, overrides.

Virtual time begins on a Monday at 16:13:20 in Paris; every boundary is a whole minute after it, and must be
met within 100 ms.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest

from autocom.core.floor_words import LoggedOut
from autocom.core.model import (
    Audio,
    Callback,
    Client,
    Closure,
    Enqueue,
    Hangup,
    HangupKind,
    Hours,
    Mode,
    Music,
    Play,
    Rule,
    Secretary,
    Team,
    TimeRange,
    Trunk,
    When,
)
from autocom.core.overrides import Override
from autocom.core.ranking import NOBODY_GRACE
from tests.support.exchange_in_memory import CALM, CLOSED, WELCOME, Bench, client, configuration, sounds
from tests.support.fake_telephone import Habit
from tests.support.virtual import EPOCH, run

PARIS = ZoneInfo("Europe/Paris")
AWAY = Audio("nobody", "nobody", 2.0)
NIGHT_MUSIC = Music("night", "music-night")
CLOSES = datetime.fromisoformat("2026-09-21 16:20")
AT_CLOSING = CLOSES.replace(tzinfo=PARIS).timestamp() - EPOCH
OPEN_UNTIL = Hours("Europe/Paris", {1: (TimeRange(time(8), CLOSES.time()),)})
ROUND_THE_CLOCK = Hours("Europe/Paris", dict.fromkeys(range(1, 8), (TimeRange(time(0), time(0)),)))
CLOSED_RULE = Rule("closed", When(open=False), (Play(CLOSED, Mode.ANSWERED), Hangup()))
SILENT = {"lea": Habit(answers=None), "ines": Habit(answers=None)}


class Killed(BaseException):
    """Goes through everything, as kill -9 does."""


def practice(*rules: Rule, hours: Hours = OPEN_UNTIL, **changes: object) -> Client:
    return client("lilas", "+33199001001", rules=rules, hours=hours, **changes)


def queue(**changes: object) -> tuple[Play, Enqueue]:
    return Play(WELCOME), Enqueue("medical", CALM, **changes)  # type: ignore[arg-type]


def play(
    scenario: Callable[[Bench], Awaitable[None]],
    *clients: Client,
    staff: Mapping[str, Mapping[str, int]] | None = None,
    teams: tuple[str, ...] = ("medical",),
    starts: float = 0.0,
) -> Bench:
    """A bench whose clock has run `starts` seconds when the exchange begins; everybody lets it ring."""

    async def whole() -> Bench:
        made = configuration(*clients, **(staff or {"lea": {"medical": 1}}))
        lines = {"operator": Trunk("operator", ("127.0.0.1",), host="sip.operator.example")}
        bench = Bench(replace(made, teams={name: Team(name) for name in teams}, trunks=lines))
        bench.telephone.habits.update(SILENT)
        await bench.pass_time(starts)
        bench.start()
        await bench.pass_time(0.01)
        await scenario(bench)
        assert bench.failure() is None
        await bench.kill()
        return bench

    return run(whole())


def first(bench: Bench, kind: str, call: str = "c1") -> float:
    """Seconds of virtual time at which the call's first such entry was written."""
    return next(e.at for e in bench.of(call) if e.kind == kind) - EPOCH


def why_dequeued(bench: Bench, call: str = "c1") -> list[object]:
    return [e.fields["why"] for e in bench.of(call) if e.kind == "dequeued"]


async def caller_comes(bench: Bench, seconds_before: float, instant: float = AT_CLOSING) -> None:
    await bench.pass_time(instant - seconds_before - (bench.clock.now() - EPOCH))
    bench.telephone.call_in("chan-1", "0199001001")


# --- closing time -----------------------------------------------------------------------------


def test_who_waits_when_the_client_closes_hears_the_closing_rule_to_the_tenth_of_a_second() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        await caller_comes(bench, 60)
        await bench.pass_time(70)

    bench = play(scenario, practice(CLOSED_RULE, Rule("open", None, queue())))
    assert first(bench, "rule_changed") == pytest.approx(AT_CLOSING, abs=0.1)
    told = next(at for at, what in bench.telephone.past["chan-1"].heard if what == "closed")
    assert told - EPOCH == pytest.approx(AT_CLOSING, abs=0.1)
    assert why_dequeued(bench) == ["closed"]
    assert bench.record().outcome == "closed"
    assert bench.state("lea") in {"free", "ringing", "paused"}
    assert not bench.journal.calls


def test_the_queues_own_way_out_at_closing_comes_before_the_closing_rule() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        await caller_comes(bench, 20)
        await bench.pass_time(40)

    out = (Play(AWAY, Mode.ANSWERED), Hangup())
    bench = play(scenario, practice(CLOSED_RULE, Rule("open", None, queue(on_closing=out))))
    assert sounds(bench) == ["welcome", "music:music-calm", "nobody", "end"]
    assert bench.record().outcome == "closed"


def test_a_way_out_at_closing_counts_even_where_one_rule_serves_day_and_night() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        await caller_comes(bench, 20)
        await bench.pass_time(40)

    out = (Play(AWAY, Mode.ANSWERED), Hangup())
    bench = play(scenario, practice(Rule("always", None, queue(on_closing=out))))
    assert bench.record().outcome == "closed"
    assert first(bench, "rule_changed") == pytest.approx(AT_CLOSING, abs=0.1)


def test_who_came_while_it_was_closed_is_not_sent_away_by_the_way_out_at_closing() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        await caller_comes(bench, -60)
        await bench.pass_time(3600)
        assert "chan-1" in bench.telephone.channels

    play(scenario, practice(Rule("always", None, queue(on_closing=(Hangup(),)))))


def test_who_may_be_served_after_closing_stays_and_is_served() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        await caller_comes(bench, 20)
        await bench.pass_time(22)
        assert "chan-1" in bench.telephone.channels
        bench.telephone.habits["lea"] = Habit(answers=1.0)
        await bench.pass_time(15)
        assert bench.telephone.joined
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(1)

    bench = play(scenario, practice(CLOSED_RULE, Rule("open", None, queue(serve_after_closing=True))))
    assert bench.record().outcome == "served"
    assert "rule_changed" not in bench.kinds()


def test_a_phone_that_rings_at_closing_time_is_let_off_and_one_that_was_picked_up_is_not() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.habits["lea"] = Habit(answers=4.5)
        await bench.at_work("lea")
        await caller_comes(bench, 5)
        await bench.pass_time(4.6)  # she picks up 0.4 s before closing; the message is heard to its end
        assert bench.state("lea") == "talking"
        await bench.pass_time(30)
        assert len(bench.telephone.joined) == 1

    steps = (Play(Audio("welcome", "welcome", 6.0), Mode.ANSWERED, must_hear=True), Enqueue("medical", CALM))
    play(scenario, practice(CLOSED_RULE, Rule("open", None, steps)))

    async def rings(bench: Bench) -> None:
        await bench.at_work("lea")
        await caller_comes(bench, 5)
        await bench.pass_time(4)
        leg = bench.telephone.leg_of("lea")
        assert leg is not None
        await bench.pass_time(2)
        assert leg.ended_with is not None
        assert bench.state("lea") == "free"

    play(rings, practice(CLOSED_RULE, Rule("open", None, queue())))


def test_an_exceptional_closure_sends_those_away_who_wait() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        await caller_comes(bench, 30)
        await bench.pass_time(40)

    always = replace(ROUND_THE_CLOCK, closures=(Closure(CLOSES, CLOSES.replace(hour=18), "réunion"),))
    bench = play(scenario, practice(CLOSED_RULE, Rule("open", None, queue()), hours=always))
    assert bench.record().outcome == "closed"
    changed = next(e for e in bench.of("c1") if e.kind == "rule_changed")
    assert "réunion" in str(changed.fields["hours"])


# --- absences -----------------------------------------------------------------------------------


def test_an_absence_that_begins_is_heard_in_its_own_words_and_ends_by_itself() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        await caller_comes(bench, 30)
        await bench.pass_time(45)
        assert bench.record("c1").outcome == "closed"
        await bench.pass_time(600)
        bench.telephone.call_in("chan-2", "0199001001")
        await bench.pass_time(10)
        assert "chan-2" in bench.telephone.channels, "the absence is over"

    absence = Closure(CLOSES, CLOSES.replace(minute=25), "formation", AWAY)
    bench = play(
        scenario,
        practice(CLOSED_RULE, Rule("open", None, queue()), hours=ROUND_THE_CLOCK, absences=(absence,)),
    )
    assert sounds(bench) == ["welcome", "music:music-calm", "nobody", "end"]
    assert first(bench, "rule_changed") == pytest.approx(AT_CLOSING, abs=0.1)


# --- days and times ------------------------------------------------------------------------------


def test_a_night_rule_moves_a_caller_to_another_queue_and_he_keeps_his_waiting_time() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea", "ines")
        bench.telephone.habits["lea"] = Habit(answers=None)
        bench.telephone.habits["ines"] = Habit(answers=None)
        await caller_comes(bench, 60)
        await bench.pass_time(62)
        assert bench.switchboard is not None
        waiter = bench.switchboard.dispatcher.floor.waiters["c1"]
        assert waiter.team == "night"
        assert waiter.joined == pytest.approx(EPOCH + AT_CLOSING - 60, abs=0.2)
        ringing = bench.telephone.leg_of("ines")
        assert ringing is not None
        assert bench.telephone.leg_of("lea") is None
        bench.telephone.habits["ines"] = Habit(answers=1.0)
        await bench.pass_time(20)
        assert len(bench.telephone.joined) == 1

    night = Rule("night", When(time=(TimeRange(CLOSES.time(), time(8)),)), (Enqueue("night", NIGHT_MUSIC),))
    bench = play(
        scenario,
        practice(night, Rule("day", None, queue()), hours=ROUND_THE_CLOCK),
        staff={"lea": {"medical": 1}, "ines": {"night": 1}},
        teams=("medical", "night"),
    )
    assert why_dequeued(bench)[0] == "rule"
    legs = [str(e.fields["leg"]) for e in bench.of("c1") if e.kind == "offered"]
    assert len(set(legs)) == len(legs), "a leg's id came twice"


def test_a_rule_for_certain_days_takes_over_at_local_midnight() -> None:
    midnight = datetime(2026, 9, 22, tzinfo=PARIS).timestamp() - EPOCH

    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        await caller_comes(bench, 90, midnight)
        await bench.pass_time(100)

    tuesday = Rule("tuesday", When(days=(2,)), (Play(CLOSED, Mode.ANSWERED), Hangup()))
    bench = play(scenario, practice(tuesday, Rule("else", None, queue())), starts=midnight - 200)
    assert first(bench, "rule_changed") == pytest.approx(midnight, abs=0.1)
    assert bench.record().outcome == "closed"


@pytest.mark.parametrize(
    ("closes", "joins"),
    [
        # the hour that comes twice: first 02:15 CEST, so closing at 02:30 comes half an hour after the first one
        (datetime(2026, 10, 25, 2, 30, tzinfo=PARIS), 120.0),
        # the hour that is left out: 02:30 does not exist, the clock jumps over it at 02:00
        (datetime(2027, 3, 28, 3, 0, tzinfo=PARIS), 120.0),
    ],
)
@pytest.mark.fault("F33")
def test_closing_in_the_night_of_a_clock_change_is_exact(closes: datetime, joins: float) -> None:
    instant = closes.timestamp() - EPOCH

    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        await caller_comes(bench, joins, instant)
        await bench.pass_time(joins + 10)

    hours = Hours("Europe/Paris", {6: (TimeRange(time(20), time(2, 30)),)})
    bench = play(
        scenario, practice(CLOSED_RULE, Rule("open", None, queue()), hours=hours), starts=instant - 300
    )
    assert first(bench, "rule_changed") == pytest.approx(instant, abs=0.1)
    assert bench.record().outcome == "closed"


# --- who is at work --------------------------------------------------------------------------------


def out(bench: Bench, who: str) -> None:
    assert bench.switchboard is not None
    bench.switchboard.dispatcher.submit(LoggedOut(who))


NOBODY_RULE = Rule("nobody", When(nobody=True), (Play(AWAY, Mode.ANSWERED), Hangup()))


def test_the_last_secretary_in_reach_logs_out_and_the_nobody_rule_takes_who_waits() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea", "paul")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(10)
        out(bench, "lea")
        await bench.pass_time(NOBODY_GRACE - 0.2)
        assert "rule_changed" not in bench.kinds()
        await bench.pass_time(10)

    staff = {"lea": {"medical": 1}, "paul": {"legal": 1}}
    bench = play(
        scenario, practice(NOBODY_RULE, Rule("open", None, queue())), staff=staff, teams=("medical", "legal")
    )
    left = next(
        e.at
        for e in bench.journal.entries
        if e.kind == "secretary_state"
        and e.fields["state"] == "logged_out"
        and e.fields["secretary"] == "lea"
        and e.at > EPOCH + 1
    )
    assert first(bench, "rule_changed") + EPOCH == pytest.approx(left + NOBODY_GRACE, abs=0.1)
    assert bench.record().outcome == "nobody"


def test_a_phone_that_registers_anew_within_seconds_sends_nobody_away() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(10)
        bench.telephone.register("lea", reachable=False)
        await bench.pass_time(NOBODY_GRACE - 1)
        bench.telephone.register("lea")
        await bench.pass_time(60)
        assert "chan-1" in bench.telephone.channels

    bench = play(scenario, practice(NOBODY_RULE, Rule("open", None, queue())))
    assert "rule_changed" not in bench.kinds()


def test_at_the_door_only_the_teams_that_the_client_reaches_count_as_somebody() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("paul")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(10)

    staff = {"lea": {"medical": 1}, "paul": {"legal": 1}}
    bench = play(
        scenario, practice(NOBODY_RULE, Rule("open", None, queue())), staff=staff, teams=("medical", "legal")
    )
    assert bench.record().rule == "nobody"
    assert bench.record().outcome == "nobody"


def test_the_first_secretary_who_logs_in_brings_who_waits_under_the_nobody_rule_back() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(20)
        assert bench.record().rule == "nobody"
        bench.telephone.habits["lea"] = Habit(answers=1.0)
        await bench.at_work("lea")
        await bench.pass_time(10)
        assert len(bench.telephone.joined) == 1

    alone = Rule("nobody", When(nobody=True), (Play(AWAY), Enqueue("medical", NIGHT_MUSIC)))
    bench = play(scenario, practice(alone, Rule("open", None, queue())))
    assert [e.fields["rule"] for e in bench.of("c1") if e.kind == "rule_changed"] == ["open"]


def test_without_a_nobody_rule_the_queues_own_way_out_is_taken() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(10)
        out(bench, "lea")
        await bench.pass_time(20)

    way = (Play(AWAY, Mode.ANSWERED), Hangup())
    bench = play(scenario, practice(Rule("open", None, queue(on_nobody=way))))
    assert bench.record().outcome == "nobody"


# --- overrides -------------------------------------------------------------------------------------


def override(bench: Bench, kind: str, seconds: float, team: str | None = None) -> None:
    assert bench.switchboard is not None
    now = bench.clock.now()
    bench.switchboard.overrides.set(Override("lilas", kind, now + seconds, "chef", now, team))


TWO_TEAMS = {"lea": {"medical": 1}, "ines": {"legal": 1}}


def test_an_override_sends_who_waits_to_another_team_at_his_place_and_its_end_brings_him_back() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea", "ines")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(5)
        assert bench.switchboard is not None
        waiters = lambda: bench.switchboard.dispatcher.floor.waiters["c1"]  # noqa: E731
        joined = waiters().joined
        override(bench, "team", 60, "legal")
        await bench.pass_time(0.2)
        assert (waiters().team, waiters().joined) == ("legal", joined)
        assert bench.telephone.leg_of("ines") is not None
        assert bench.telephone.leg_of("lea") is None
        await bench.pass_time(60)
        assert (waiters().team, waiters().joined) == ("medical", joined)
        bench.telephone.habits["lea"] = Habit(answers=0.5)
        await bench.pass_time(30)
        assert len(bench.telephone.joined) == 1

    bench = play(scenario, practice(Rule("open", None, queue())), staff=TWO_TEAMS, teams=("medical", "legal"))
    moves = [(e.fields["before"], e.fields["team"]) for e in bench.of("c1") if e.kind == "queued_elsewhere"]
    assert moves == [("medical", "legal"), ("legal", "medical")]
    assert sounds(bench)[:2] == ["welcome", "music:music-calm"], "he hears nothing of it"
    ended = next(e for e in bench.journal.entries if e.kind == "override_ended")
    assert ended.fields["by"] == "expiry"


def test_an_override_moves_who_is_to_be_called_back_too() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea", "ines")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(6)
        bench.telephone.presses("chan-1", "1")
        await bench.pass_time(6)
        assert "chan-1" not in bench.telephone.channels
        assert bench.switchboard is not None
        joined = bench.switchboard.dispatcher.floor.waiters["c1"].joined
        override(bench, "team", 600, "legal")
        await bench.pass_time(0.2)
        waiter = bench.switchboard.dispatcher.floor.waiters["c1"]
        assert (waiter.team, waiter.joined) == ("legal", joined)
        bench.telephone.habits["ines"] = Habit(answers=0.5)
        await bench.pass_time(30)
        assert any("out-c1-1" in pair for pair in bench.telephone.joined)

    steps = (Enqueue("medical", CALM, keys={"1": (Callback(),)}),)
    bench = play(scenario, practice(Rule("open", None, steps)), staff=TWO_TEAMS, teams=("medical", "legal"))
    legs = [str(e.fields["leg"]) for e in bench.of("c1") if e.kind == "offered"]
    assert len(set(legs)) == len(legs)


def test_a_new_caller_joins_the_team_of_the_override() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea", "ines")
        override(bench, "team", 600, "legal")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(3)
        assert bench.telephone.leg_of("ines") is not None

    bench = play(scenario, practice(Rule("open", None, queue())), staff=TWO_TEAMS, teams=("medical", "legal"))
    queued = next(e for e in bench.of("c1") if e.kind == "queued")
    assert (queued.fields["team"], queued.fields["instead_of"]) == ("legal", "medical")


def test_closed_by_override_sends_who_waits_to_the_closing_rule_at_once_and_new_callers_too() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(6)
        override(bench, "closed", 3600)
        await bench.pass_time(6)
        assert bench.record().outcome == "closed"
        bench.telephone.call_in("chan-2", "0199001001")
        await bench.pass_time(6)
        assert bench.record("c2").rule == "closed"
        assert bench.switchboard is not None
        assert bench.switchboard.overrides.clear("lilas", "chef") == 1
        bench.telephone.call_in("chan-3", "0199001001")
        await bench.pass_time(6)
        assert bench.record("c3").rule == "open"

    bench = play(scenario, practice(CLOSED_RULE, Rule("open", None, queue())))
    rule = next(e for e in bench.of("c2") if e.kind == "rule")
    assert "override by chef" in str(rule.fields["hours"])


def test_open_by_override_is_stronger_than_hours_and_absence_and_its_end_is_a_closing_time() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        override(bench, "open", 120)
        await bench.pass_time(60)
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(30)
        assert bench.record().rule == "open"
        await bench.pass_time(40)

    never = Hours("Europe/Paris", {})
    away = Closure(CLOSES.replace(day=1), CLOSES.replace(month=10), "vacances", AWAY)
    bench = play(scenario, practice(CLOSED_RULE, Rule("open", None, queue()), hours=never, absences=(away,)))
    assert bench.record().outcome == "closed"
    assert sounds(bench)[-2:] == ["nobody", "end"], "the absence's own message"


def test_an_override_survives_a_kill_and_ends_in_time_also_while_nobody_served() -> None:
    async def scenario(bench: Bench) -> None:
        override(bench, "closed", 100)
        await bench.kill()
        bench.start()
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(6)
        assert bench.record().rule == "closed"
        await bench.kill()
        await bench.pass_time(200)
        bench.start()
        await bench.at_work("lea")
        assert [e.fields["by"] for e in bench.journal.entries if e.kind == "override_ended"] == ["expiry"]
        assert not [key for key in bench.journal.floor if key.startswith("override:")]
        bench.telephone.call_in("chan-2", "0199001001")
        await bench.pass_time(6)
        assert bench.record("c2").rule == "open"

    play(scenario, practice(CLOSED_RULE, Rule("open", None, queue())))


# --- a new configuration -----------------------------------------------------------------------------


def test_who_waits_follows_new_hours_at_once_and_keeps_his_rules() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(6)
        old = bench.configuration
        lilas = old.clients["lilas"]
        new_rules = (Rule("open", None, (Play(AWAY, Mode.ANSWERED), Hangup(HangupKind.BUSY))),)
        assert bench.switchboard is not None
        bench.switchboard.use(replace(old, version="v2", clients={"lilas": replace(lilas, rules=new_rules)}))
        await bench.pass_time(6)
        assert "chan-1" in bench.telephone.channels, "the new version's steps are not for him"
        closed = replace(lilas, rules=new_rules, hours=Hours("Europe/Paris", {}))
        bench.switchboard.use(replace(old, version="v3", clients={"lilas": closed}))
        await bench.pass_time(6)

    bench = play(scenario, practice(CLOSED_RULE, Rule("open", None, queue())))
    assert bench.record().outcome == "closed"
    assert sounds(bench) == ["welcome", "music:music-calm", "closed", "end"], "his own closing rule"


@pytest.mark.fault("F32")
def test_who_waits_for_a_client_that_is_removed_goes_on_under_the_old_rules() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("lea")
        await caller_comes(bench, 60)
        await bench.pass_time(5)
        old = bench.configuration
        other = replace(old.clients["lilas"], id="autre")
        bureau = replace(old.bureau, unknown_client="autre")
        assert bench.switchboard is not None
        bench.switchboard.use(replace(old, version="v2", bureau=bureau, clients={"autre": other}))
        await bench.pass_time(30)
        assert "chan-1" in bench.telephone.channels
        await bench.pass_time(40)

    bench = play(scenario, practice(CLOSED_RULE, Rule("open", None, queue())))
    assert bench.record().outcome == "closed"


def test_a_new_staffing_counts_for_who_waits() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.at_work("ines")
        bench.telephone.habits["ines"] = Habit(answers=1.0)
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(10)
        assert not bench.telephone.joined
        old = bench.configuration
        ines = Secretary("ines", "ines", "201", "x", {"medical": 2})
        assert bench.switchboard is not None
        bench.switchboard.use(replace(old, version="v2", secretaries={**old.secretaries, "ines": ines}))
        await bench.pass_time(3)
        assert len(bench.telephone.joined) == 1

    play(scenario, practice(Rule("open", None, queue())), staff=TWO_TEAMS, teams=("medical", "legal"))


# --- killed in between ---------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("event", ["closing", "override"])
def test_killed_at_every_effect_around_the_change_he_is_told_once_and_nothing_is_left(
    event: str, when: str
) -> None:
    """The exchange is killed around the n-th effect after the caller came, and started again a second later."""

    def once(kill_at: int) -> tuple[Bench, int]:
        counted = 0

        async def whole() -> Bench:
            nonlocal counted
            made = configuration(practice(CLOSED_RULE, Rule("open", None, queue())), **TWO_TEAMS)
            bench = Bench(replace(made, teams={"medical": Team("medical"), "legal": Team("legal")}))
            bench.telephone.habits.update(SILENT)
            bench.start()
            await bench.at_work("lea", "ines")
            await bench.pass_time(AT_CLOSING - 15 - (bench.clock.now() - EPOCH))
            dead = struck = False

            def strike(_: str) -> None:
                nonlocal counted, dead
                if dead and not struck:
                    raise Killed  # the dying process does nothing more
                counted += 1
                if counted - 1 == kill_at:
                    dead = True
                    raise Killed

            setattr(bench.telephone, when, strike)
            bench.telephone.call_in("chan-1", "0199001001")
            for tick in range(600):
                if tick == 80 and event == "override" and not bench.over():
                    override(bench, "team", 3600, "legal")
                await bench.pass_time(0.1)
                if dead and not struck:
                    struck = True
                    await bench.kill()
                    await bench.pass_time(1.0)
                    bench.start()
            assert bench.failure() is None
            await bench.kill()
            return bench

        return run(whole()), counted

    _, effects = once(-1)
    assert effects > 4
    for kill_at in range(effects):
        bench, _ = once(kill_at)
        about = f"killed {when} effect {kill_at}"
        assert not bench.telephone.channels, about
        assert not bench.journal.calls, about
        assert [e.fields["outcome"] for e in bench.of("c1") if e.kind == "ended"] == ["closed"], about
        if event == "override" and any(e.kind == "override_set" for e in bench.journal.entries):
            moved = [e for e in bench.of("c1") if e.kind == "queued_elsewhere"]
            offered = {e.fields["secretary"] for e in bench.of("c1") if e.kind == "offered"}
            assert len(moved) <= 1, about
            assert "ines" in offered, about
