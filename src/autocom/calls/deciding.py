"""Asking the client's own system which rule takes a call, within a time budget.

The rule that the files name is the default and is known before anybody is asked, so a system that is
slow, wrong or away costs the caller at most the budget and never his call. Must not know how the
question travels: that is `Ports.advice`. The story goes on in `following`.
"""

from __future__ import annotations

from dataclasses import replace

from autocom.calls.line import Line
from autocom.calls.ports import NoAdvice
from autocom.core.journal import Entry, Json
from autocom.core.model import Hangup, HangupKind, Rule
from autocom.core.routing import ending_outcome, flatten
from autocom.core.stages import Deciding, Following, Stage
from autocom.core.story import Call


async def decide(line: Line, stage: Deciding) -> Stage:
    """The steps of the rule that was named, or of the default. A restart in between takes the default: the
    caller has waited long enough."""
    decision = line.story.call.client.decision
    asked, left = line.now(), stage.until - line.now()
    advice = line.ports.advice
    if decision is None or advice is None or left <= 0:
        return _default(line, stage, asked, "no time left")
    try:
        name = await advice.rule(decision.url, question(line), left)
    except NoAdvice as error:
        return _default(line, stage, asked, str(error))
    if not name:
        return _default(line, stage, asked, None)
    client = line.story.call.client
    rule = next((rule for rule in client.rules if rule.name == name), None)
    if rule is None:
        # what came from outside is not repeated in the journal
        return _default(line, stage, asked, "it names a rule that the client does not have")
    following = Following(flatten(rule, client))
    line.become(following, _entry(line, rule.name, "webhook", asked, None), call=_by(line, rule))
    return following


def question(line: Line) -> dict[str, Json]:
    """What is told about the call: the facts of the journal's `identified`, and the rule that would hold."""
    call = line.story.call
    identity = call.identity
    return {
        "call": call.id,
        "client": call.client.id,
        "did": identity.did,
        "caller": None if identity.anonymous else identity.caller,
        "anonymous": identity.anonymous,
        "forwarded_from": identity.forwarded_from,
        "forward_reason": identity.forward_reason.value if identity.forward_reason else None,
        "flags": list(identity.flags),
        "open": call.open,
        "rule": call.rule,
        "arrived_at": call.arrived_at,
    }


def _default(line: Line, stage: Deciding, asked: float, error: str | None) -> Stage:
    following = Following(stage.steps)
    line.become(following, _entry(line, line.story.call.rule, "default", asked, error))
    return following


def _entry(line: Line, rule: str, by: str, asked: float, error: str | None) -> Entry:
    took = round((line.now() - asked) * 1000)
    return line.entry("decided", rule=rule, by=by, ms=took, error=error)


def _by(line: Line, rule: Rule) -> Call:
    """The call under the rule that was named: its outcome words are that rule's."""
    refused = ending_outcome(rule, Hangup(HangupKind.REJECT))
    call = line.story.call
    return replace(
        call, rule=rule.name, filed=call.rule, by_rule=ending_outcome(rule, None), by_refusal=refused
    )
