"""A caller who is promised a call back, in virtual time: he keeps his place, and nobody is kept waiting for him."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, time

import pytest

from autocom.core.model import (
    Audio,
    Callback,
    Closure,
    Configuration,
    Enqueue,
    Hangup,
    Hours,
    Mode,
    Play,
    Rule,
    TimeRange,
    Trunk,
    When,
)
from autocom.core.telephony import Cause
from tests.support.exchange_in_memory import CALM, CLOSED, Bench, client, configuration, sounds
from tests.support.fake_telephone import Habit
from tests.support.virtual import EPOCH, run

Scenario = Callable[[Bench], Awaitable[None]]

HIM = "+33639980101"
PROMISED = Audio("callback-promised", "callback-promised", 3.0)
HOLD = Audio("callback-hold", "callback-hold", 2.0)
REFUSED = Audio("callback-refused", "callback-refused", 3.0)
ALL_DAY = TimeRange(time(0), time(0))
OPEN = Hours("Europe/Paris", dict.fromkeys(range(1, 8), (ALL_DAY,)))  # EPOCH is a Monday, 16:13 in Paris
QUEUE = Enqueue("medical", CALM, keys={"1": (Callback(tries=2, retry_after=60.0),)})


def house(queue: Enqueue = QUEUE, *, hours: Hours = OPEN, **changes: object) -> Configuration:
    """A bureau with a way out, whose only client offers to call back."""
    plain = configuration(client("lilas", "+33199001001", queue, hours=hours, **changes))
    stock = replace(plain.stock, callback_promised=PROMISED, callback_hold=HOLD, callback_refused=REFUSED)
    return replace(
        plain,
        stock=stock,
        bureau=replace(plain.bureau, pause_after=0),
        trunks={"operator": Trunk("operator", ("127.0.0.1",), host="telco.test", max_calls=30)},
    )


def play(scenario: Scenario, bureau: Configuration | None = None) -> Bench:
    """Run a scenario; the exchange must still be alive after it."""

    async def whole() -> Bench:
        bench = Bench(bureau or house())
        bench.telephone.lengths |= {a.media: a.seconds for a in (PROMISED, HOLD, REFUSED)}
        bench.start()
        await bench.pass_time(0.01)
        await scenario(bench)
        assert bench.failure() is None
        await bench.kill()
        return bench

    return run(whole())


def waiting(bench: Bench) -> dict[str, float]:
    assert bench.switchboard is not None
    return {call: w.joined for call, w in bench.switchboard.dispatcher.floor.waiters.items()}


def ended(bench: Bench, call: str = "c1") -> list[object]:
    return [e.fields["result"] for e in bench.of(call) if e.kind == "callback_ended"]


async def promised(bench: Bench, *, him: Habit, lea: Habit | None = None) -> None:
    """He waited ten seconds, asked to be called back, and was hung up."""
    bench.telephone.habits = {"lea": Habit(answers=None), HIM: him}
    await bench.at_work("lea")
    bench.telephone.call_in("chan-1", "0199001001")
    await bench.pass_time(10)
    bench.telephone.presses("chan-1", "1")
    bench.telephone.habits["lea"] = lea or Habit(answers=None)
    await bench.pass_time(3.5)


def test_he_is_told_hung_up_called_back_and_served_by_the_secretary_who_picked_up() -> None:
    async def scenario(bench: Bench) -> None:
        await promised(bench, him=Habit(answers=3.0), lea=Habit(answers=2.0))
        assert sounds(bench) == ["music:music-calm", "callback-promised", "end"]
        await bench.pass_time(3)
        leg = bench.telephone.leg_of("lea")
        assert leg is not None
        assert leg.order is not None
        assert leg.order.display.startswith("Rappel Lilas")
        assert leg.order.headers["X-Autocom-Callback"] == "1"
        assert bench.telephone.channels["out-c1-1"].order is not None
        await bench.pass_time(20)
        bench.telephone.phone_hangs_up(leg.id)
        await bench.pass_time(1)

    bench = play(scenario)
    assert sounds(bench, "out-c1-1") == ["bridge:talk-c1-2", "end"]
    assert sounds(bench, "ring-c1-2-lea") == ["callback-hold", "bridge:talk-c1-2", "end"]
    record = bench.record()
    assert (record.outcome, record.secretary, record.offers) == ("served", "lea", 2)
    assert ended(bench) == ["answered"]
    kinds = bench.kinds()
    assert kinds.index("callback_promised") < kinds.index("callback_started") < kinds.index("bridged")
    assert bench.state("lea") == "free"
    assert not bench.telephone.channels
    assert not bench.telephone.bridges
    assert not bench.journal.calls


def test_he_keeps_the_place_he_had_when_he_joined() -> None:
    async def scenario(bench: Bench) -> None:
        await promised(bench, him=Habit(answers=1.0))
        bench.telephone.call_in("chan-2", "0199001001", "0639980102")
        await bench.pass_time(5)
        assert waiting(bench)["c1"] < waiting(bench)["c2"]
        await bench.pass_time(40)

    bench = play(scenario)
    came = next(e.at for e in bench.of("c2") if e.kind == "queued")
    later = [e.call for e in bench.journal.entries if e.kind == "offered" and e.at > came]
    assert later[0] == "c1"
    queued = next(e.at for e in bench.of("c1") if e.kind == "queued")
    assert queued == pytest.approx(EPOCH, abs=0.1)


def test_who_hangs_up_during_the_promise_is_called_back_all_the_same() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.habits = {"lea": Habit(answers=None), HIM: Habit(answers=1.0)}
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(5)
        bench.telephone.presses("chan-1", "1")
        bench.telephone.habits["lea"] = Habit(answers=1.0)
        await bench.pass_time(1)
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(10)
        assert bench.state("lea") == "talking"

    assert play(scenario).telephone.joined == [("out-c1-1", "ring-c1-2-lea")]


def test_who_does_not_answer_frees_the_secretary_at_once_and_is_tried_again_at_his_place() -> None:
    async def scenario(bench: Bench) -> None:
        await promised(bench, him=Habit(refuses=Cause.BUSY), lea=Habit(answers=1.0))
        await bench.pass_time(2)
        assert ended(bench) == ["refused"]
        assert bench.state("lea") == "free"  # no wrap-up: she talked to nobody
        assert not waiting(bench)
        bench.telephone.habits[HIM] = Habit(answers=2.0)
        await bench.pass_time(62)
        assert waiting(bench) == {}
        assert bench.state("lea") == "talking"

    bench = play(scenario)
    assert ended(bench) == ["refused", "answered"]
    assert bench.telephone.joined == [("out-c1-2", "ring-c1-3-lea")]


def test_after_the_last_try_the_promise_ends_as_an_abandon() -> None:
    async def scenario(bench: Bench) -> None:
        await promised(bench, him=Habit(answers=None), lea=Habit(answers=1.0))
        await bench.pass_time(26)
        assert ended(bench) == ["no_answer"]
        await bench.pass_time(100)

    bench = play(scenario)
    assert ended(bench) == ["no_answer", "no_answer", "given_up"]
    assert bench.telephone.told == [], "nobody hung up"
    assert (bench.record().outcome, bench.record().cause) == ("abandoned", "during_music")
    assert bench.state("lea") == "free"
    assert not bench.journal.calls
    assert not bench.telephone.channels


def test_a_secretary_who_hangs_up_while_he_is_rung_loses_him_nothing() -> None:
    async def scenario(bench: Bench) -> None:
        await promised(bench, him=Habit(answers=5.0), lea=Habit(answers=1.0))
        await bench.pass_time(2)
        leg = bench.telephone.leg_of("lea")
        assert leg is not None
        bench.telephone.phone_hangs_up(leg.id)
        await bench.pass_time(0.5)
        assert "out-c1-1" not in bench.telephone.channels
        await bench.pass_time(25)
        assert "out-c1-2" not in bench.telephone.channels, "his phone has just rung"
        await bench.pass_time(20)
        assert bench.state("lea") == "talking"

    bench = play(scenario)
    assert ended(bench) == ["secretary_left", "answered"]
    assert sounds(bench, "out-c1-2")[-1].startswith("bridge")


def test_a_caller_who_is_called_back_and_hangs_up_at_once_frees_the_secretary() -> None:
    async def scenario(bench: Bench) -> None:
        await promised(bench, him=Habit(answers=2.0, talks=0.5), lea=Habit(answers=1.0))
        await bench.pass_time(10)

    bench = play(scenario)
    assert bench.record().outcome == "served"
    assert bench.state("lea") == "free"
    assert not bench.telephone.channels


@pytest.mark.parametrize(
    ("number", "headers"),
    [
        ("anonymous", {"privacy": "id", "p_asserted_identity": "<sip:+33639980101@telco.test>"}),
        ("0899000000", {}),  # premium rate
        ("0199001001", {}),  # a number of the bureau itself
        ("Jean", {}),
    ],
)
def test_who_cannot_be_called_back_hears_so_and_goes_on_waiting(number: str, headers: dict[str, str]) -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.habits = {"lea": Habit(answers=None)}
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001", number, **headers)
        await bench.pass_time(5)
        bench.telephone.presses("chan-1", "1")
        await bench.pass_time(5)
        assert list(waiting(bench)) == ["c1"]

    bench = play(scenario)
    assert sounds(bench) == ["music:music-calm", "callback-refused", "music:music-calm"]
    assert "callback_promised" not in bench.kinds()


def test_a_second_promise_to_the_same_number_is_refused() -> None:
    async def scenario(bench: Bench) -> None:
        await promised(bench, him=Habit(answers=1.0))
        assert bench.switchboard is not None
        bench.telephone.call_in("chan-2", "0199001001")
        await bench.pass_time(0.2)
        assert list(waiting(bench)) == ["c2"]  # the first promise has become this call

    bench = play(scenario)
    assert ended(bench) == ["called_again"]


def test_who_is_promised_and_calls_himself_takes_the_place_he_had() -> None:
    async def scenario(bench: Bench) -> None:
        await promised(bench, him=Habit(answers=1.0))
        bench.telephone.call_in("chan-2", "0199001001", "0639980102")
        await bench.pass_time(5)
        bench.telephone.call_in("chan-3", "0199001001")
        await bench.pass_time(1)
        assert set(waiting(bench)) == {"c2", "c3"}
        assert waiting(bench)["c3"] < waiting(bench)["c2"]
        assert waiting(bench)["c3"] == pytest.approx(EPOCH, abs=0.1)

    bench = play(scenario)
    assert bench.record("c1").outcome == "abandoned"


def test_who_calls_himself_while_he_is_being_called_back_is_not_taken_for_a_loop() -> None:
    async def scenario(bench: Bench) -> None:
        await promised(bench, him=Habit(answers=None), lea=Habit(answers=1.0))
        await bench.pass_time(3)
        assert "out-c1-1" in bench.telephone.channels
        bench.telephone.call_in("chan-3", "0199001001")
        await bench.pass_time(5)
        assert "out-c1-1" not in bench.telephone.channels
        assert bench.state("lea") == "talking"

    bench = play(scenario)
    assert sounds(bench, "chan-3")[-1] == "bridge:talk-c2-1"


def test_a_number_that_forwards_our_call_to_ourselves_is_no_endless_ring() -> None:
    async def scenario(bench: Bench) -> None:
        await promised(bench, him=Habit(returns_to="0199001001"), lea=Habit(answers=1.0))
        await bench.pass_time(3)
        assert ended(bench) == ["loop"]
        assert bench.state("lea") == "free"

    play(scenario)


def evening(until: str) -> Hours:
    """Open from midnight until then."""
    span = TimeRange(time(0), time.fromisoformat(until))
    return Hours("Europe/Paris", dict.fromkeys(range(1, 8), (span,)))


def test_no_promise_is_made_that_closing_would_break() -> None:
    # it is 16:13:20, a call takes two minutes: at 16:15 nobody would get to it
    async def scenario(bench: Bench) -> None:
        await promised(bench, him=Habit(answers=1.0))
        assert sounds(bench)[:2] == ["music:music-calm", "callback-refused"]
        assert list(waiting(bench)) == ["c1"]

    play(scenario, house(hours=evening("16:15")))


def test_closing_ends_a_promise_that_nobody_could_keep() -> None:
    async def scenario(bench: Bench) -> None:
        await promised(bench, him=Habit(answers=1.0))
        assert list(waiting(bench)) == ["c1"]
        await bench.pass_time(400 - 13.7)
        assert "c1" in waiting(bench)
        await bench.pass_time(0.3)
        assert not waiting(bench)

    bench = play(scenario, house(hours=evening("16:20")))
    assert ended(bench) == ["closed"]
    assert bench.record().outcome == "abandoned"
    assert bench.state("lea") == "free"


def test_a_closing_that_the_exchange_slept_through_ends_it_when_it_is_back_in_opening_hours() -> None:
    lunch = (TimeRange(time(0), time(16, 20)), TimeRange(time(16, 30), time(0)))
    hours = Hours("Europe/Paris", dict.fromkeys(range(1, 8), lunch))

    async def scenario(bench: Bench) -> None:
        await promised(bench, him=Habit(answers=1.0))
        await bench.kill()
        await bench.pass_time(1100)  # it is open again
        bench.start()
        await bench.pass_time(1)
        assert not waiting(bench)

    bench = play(scenario, house(hours=hours))
    assert ended(bench) == ["closed"]
    assert bench.record().outcome == "abandoned"


def test_where_no_channel_is_free_the_secretary_is_let_off_and_the_try_does_not_count() -> None:
    async def scenario(bench: Bench) -> None:
        await promised(bench, him=Habit(answers=1.0), lea=Habit(answers=1.0))
        await bench.pass_time(2)
        assert ended(bench) == ["no_line"]
        assert bench.state("lea") == "free"
        assert not waiting(bench)

    one = house()
    trunk = replace(one.trunks["operator"], max_calls=1)  # kept for callers
    bench = play(scenario, replace(one, trunks={"operator": trunk}))
    assert "out-c1-1" not in bench.telephone.past


def test_an_absence_that_begins_ends_a_promise_too() -> None:
    gone = Closure(
        datetime.fromisoformat("2026-09-21T16:20"), datetime.fromisoformat("2026-09-22T00:00"), "formation"
    )
    rules = (
        Rule("absent", When(absence=True), (Play(CLOSED, Mode.ANSWERED), Hangup())),
        Rule("open", None, (QUEUE,)),
    )

    async def scenario(bench: Bench) -> None:
        await promised(bench, him=Habit(answers=1.0))
        assert list(waiting(bench)) == ["c1"]
        await bench.pass_time(400)

    bench = play(scenario, house(absences=(gone,), rules=rules))
    assert ended(bench) == ["closed"]


def test_a_promise_neither_counts_as_a_call_of_the_client_nor_ends_at_the_longest_wait() -> None:
    async def scenario(bench: Bench) -> None:
        await promised(bench, him=Habit(answers=1.0))
        bench.telephone.call_in("chan-2", "0199001001", "0639980102")
        await bench.pass_time(60)
        assert "c1" in waiting(bench)
        assert "ended" not in bench.kinds("c1")

    queue = replace(QUEUE, max_wait=30.0, on_nobody=(Hangup(),))
    bench = play(scenario, house(queue, max_calls=1))
    assert "full" not in [e.fields.get("why") for e in bench.of("c2") if e.kind == "dequeued"]


def test_the_client_may_promise_in_his_own_words() -> None:
    async def scenario(bench: Bench) -> None:
        await promised(bench, him=Habit(answers=1.0))

    own = replace(QUEUE, keys={"1": (Play(CLOSED, Mode.ANSWERED), Callback())})
    assert sounds(play(scenario, house(own))) == ["music:music-calm", "closed", "end"]


@pytest.mark.parametrize("outage", [0.0, 5.0])
@pytest.mark.parametrize("instant", [0.5, 3.2, 4.0, 6.0, 8.0])
def test_a_promise_survives_a_restart_at_any_point(instant: float, outage: float) -> None:
    """During the goodbye, while he is off the line, while she picks up, while he is rung, in conversation."""

    async def scenario(bench: Bench) -> None:
        bench.telephone.habits = {"lea": Habit(answers=None), HIM: Habit(answers=3.0)}
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(10)
        bench.telephone.presses("chan-1", "1")
        bench.telephone.habits["lea"] = Habit(answers=1.5)
        await bench.pass_time(instant)
        await bench.kill()
        await bench.pass_time(outage)
        bench.start()
        await bench.pass_time(30)
        assert bench.state("lea") == "talking"
        leg = bench.telephone.leg_of("lea")
        assert leg is not None
        bench.telephone.phone_hangs_up(leg.id)
        await bench.pass_time(2)

    bench = play(scenario)
    assert bench.record().outcome == "served"
    assert len(bench.telephone.joined) == 1
    assert not bench.telephone.channels
    assert not bench.journal.calls


def test_a_stop_waits_for_a_promise_that_is_being_kept_and_lets_the_secretary_go() -> None:
    async def scenario(bench: Bench) -> None:
        assert bench.switchboard is not None
        await promised(bench, him=Habit(answers=None), lea=Habit(answers=2.0))
        assert bench.switchboard.busy == 0
        await bench.pass_time(3)
        assert bench.state("lea") == "talking"
        assert bench.switchboard.busy == 1
        await bench.switchboard.hang_up_all()
        assert not bench.telephone.channels
        assert bench.switchboard.busy == 0
        assert waiting(bench) or bench.journal.calls, "the promise outlives the stop"

    play(scenario)


def test_who_calls_again_while_he_is_being_told_of_the_promise_has_one_place() -> None:
    async def scenario(bench: Bench) -> None:
        bench.telephone.habits = {"lea": Habit(answers=None), HIM: Habit(answers=None)}
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(10)
        bench.telephone.presses("chan-1", "1")
        await bench.pass_time(1)
        bench.telephone.call_in("chan-2", "0199001001")
        await bench.pass_time(5)
        assert list(waiting(bench)) == ["c2"]

    bench = play(scenario)
    assert ended(bench) == ["called_again"]
