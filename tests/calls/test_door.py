"""What is known at the door reaches the secretary's phone: an absence in force, and the reason of a forward."""

from __future__ import annotations

from datetime import timedelta

from autocom.core.hours import local
from autocom.core.model import Closure, Enqueue, ForwardReason, Mode, Play, Rule, When
from tests.support.exchange_in_memory import CALM, CLOSED, Bench, client, configuration
from tests.support.fake_telephone import Habit
from tests.support.virtual import EPOCH, run

ZONE = "Europe/Paris"
QUEUE = Enqueue("medical", CALM)


def shown(bench: Bench) -> dict[str, str]:
    """The headers of the INVITE at Léa's phone now."""
    leg = bench.telephone.leg_of("lea")
    assert leg is not None
    assert leg.order is not None
    return dict(leg.order.headers)


async def rings_for(bench: Bench, channel: str, **headers: object) -> dict[str, str]:
    """Somebody calls and hangs up again; what her phone showed meanwhile."""
    bench.telephone.call_in(channel, "0199001001", **headers)
    await bench.pass_time(1)
    found = shown(bench)
    bench.telephone.caller_hangs_up(channel)
    await bench.pass_time(5)
    return found


def test_an_absence_declared_once_drives_message_routing_and_the_phone_and_ends_by_itself() -> None:
    now = local(ZONE, EPOCH)
    away = Closure(now - timedelta(hours=1), now + timedelta(minutes=1), "Congés", CLOSED)
    rules = (
        Rule("away", When(absence=True), (Play(CLOSED, Mode.ANSWERED), QUEUE)),
        Rule("open", None, (QUEUE,)),
    )

    async def story() -> None:
        bench = Bench(configuration(client("lilas", "+33199001001", absences=(away,), rules=rules)))
        bench.start()
        bench.telephone.habits["lea"] = Habit(answers=None)
        await bench.at_work("lea")
        during = await rings_for(bench, "chan-1")
        assert during["X-Autocom-Absence"] == f'"Congés";until={away.end:%Y-%m-%dT%H:%M}'
        assert (bench.record("c1").rule, bench.telephone.past["chan-1"].heard[0][1]) == ("away", "closed")
        await bench.pass_time(60)
        after = await rings_for(bench, "chan-2")
        assert "X-Autocom-Absence" not in after
        assert bench.record("c2").rule == "open"
        await bench.kill()

    run(story())


def test_the_phone_shows_the_phrase_for_the_reason_of_the_forward_and_the_reason() -> None:
    phrases = {ForwardReason.NO_ANSWER: "Je prends le relais."}

    async def story() -> None:
        lilas = client("lilas", "+33199001001", QUEUE, phrase="Bonjour.", phrases=phrases)
        bench = Bench(configuration(lilas))
        bench.start()
        bench.telephone.habits["lea"] = Habit(answers=None)
        await bench.at_work("lea")
        told = await rings_for(bench, "chan-1", diversion=("<sip:0261912010@op>;reason=no-answer",))
        assert told["X-Autocom-Phrase"] == '"Je prends le relais."'
        assert told["X-Autocom-Forwarded"] == "no-answer"
        plain = await rings_for(bench, "chan-2")
        assert plain["X-Autocom-Phrase"] == '"Bonjour."'
        assert "X-Autocom-Forwarded" not in plain
        await bench.kill()

    run(story())
