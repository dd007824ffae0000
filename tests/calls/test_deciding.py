"""A client's own system names the rule, in virtual time: in time, too late, wrong, away, killed in between."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from autocom.calls.ports import NoAdvice
from autocom.core.journal import Json
from autocom.core.model import Client, Decision, Enqueue, Hangup, HangupKind, Mode, Play, Rule
from tests.support.exchange_in_memory import CALM, CLOSED, WELCOME, Bench, client, configuration, heard
from tests.support.virtual import run


class Answers:
    """The client's system: after `seconds` it says `word`, or what it fails with."""

    def __init__(self, word: str | None = None, seconds: float = 0.1, fails: str | None = None) -> None:
        self.word, self.seconds, self.fails = word, seconds, fails
        self.asked: list[Mapping[str, Json]] = []

    async def rule(self, _url: str, question: Mapping[str, Json], within: float) -> str | None:
        self.asked.append(question)
        await asyncio.sleep(min(self.seconds, within))
        if self.seconds >= within:
            raise NoAdvice(f"no answer within {within * 1000:.0f} ms")
        if self.fails:
            raise NoAdvice(self.fails)
        return self.word


def asking() -> Client:
    rules = (
        Rule("open", None, (Play(WELCOME), Enqueue("medical", CALM))),
        Rule("debtor", None, (Play(CLOSED, Mode.ANSWERED), Hangup(HangupKind.NORMAL))),
    )
    return client("lilas", "+33199001001", rules=rules, decision=Decision("https://agenda.example/route"))


def called(advice: Answers, *, stays: float = 10.0) -> Bench:
    async def whole() -> Bench:
        bench = Bench(configuration(asking()))
        bench.advice = advice
        bench.start()
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(stays)
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(1)
        assert bench.failure() is None
        await bench.kill()
        return bench

    return run(whole())


def test_the_rule_that_is_named_takes_the_call() -> None:
    advice = Answers("debtor")
    bench = called(advice)
    assert heard(bench)[0] == "closed"
    assert bench.record().rule == "debtor"
    (entry,) = [e for e in bench.of("c1") if e.kind == "decided"]
    assert dict(entry.fields) == {"rule": "debtor", "by": "webhook", "ms": 100, "error": None}
    assert advice.asked[0]["rule"] == "open"
    assert advice.asked[0]["caller"] == "+33639980101"


@pytest.mark.parametrize(
    ("advice", "error"),
    [
        (Answers(None), None),
        (Answers("nonsense"), "it names a rule that the client does not have"),
        (Answers("debtor", seconds=5.0), "no answer within 800 ms"),
        (Answers(fails="it answered 500"), "it answered 500"),
    ],
)
def test_without_a_usable_answer_the_files_decide(advice: Answers, error: str | None) -> None:
    bench = called(advice)
    assert bench.record().rule == "open"
    assert bench.record().outcome == "served"
    (entry,) = [e for e in bench.of("c1") if e.kind == "decided"]
    assert entry.fields["by"] == "default"
    assert entry.fields["error"] == error


def test_a_caller_who_leaves_while_his_client_is_asked_is_an_abandon() -> None:
    bench = called(Answers("debtor", seconds=5.0), stays=0.3)
    assert bench.record().outcome == "abandoned"


def test_a_restart_while_a_client_is_asked_takes_the_default() -> None:
    async def whole() -> Bench:
        bench = Bench(configuration(asking()))
        bench.advice = Answers("debtor", seconds=0.5)
        bench.start()
        await bench.at_work("lea")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(0.1)
        await bench.kill()
        await bench.pass_time(2)
        bench.start()
        await bench.pass_time(10)
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(1)
        assert bench.failure() is None
        await bench.kill()
        return bench

    bench = run(whole())
    assert bench.record().outcome == "served"
    assert [e.fields["error"] for e in bench.of("c1") if e.kind == "decided"] == ["no time left"]


def test_the_rule_that_was_named_holds_while_he_waits() -> None:
    rules = (
        Rule("urgent", None, (Enqueue("medical", CALM),)),
        Rule("open", None, (Enqueue("medical", CALM, max_wait=100.0),)),
    )

    async def whole() -> Bench:
        decision = Decision("https://agenda.example/route")
        bench = Bench(configuration(client("lilas", "+33199001001", rules=rules, decision=decision)))
        bench.advice = Answers("open")
        bench.start()
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(3)
        await bench.at_work("lea")
        await bench.pass_time(3)
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(1)
        assert bench.failure() is None
        await bench.kill()
        return bench

    bench = run(whole())
    assert "rule_changed" not in bench.kinds()
    assert bench.record().rule == "open"
    assert bench.record().outcome == "served"
