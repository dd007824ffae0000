"""`autocom explain`: what would happen to a call, and why, from the configuration alone.

Runs the same pure functions as a live call (`identify`, `choose`, `in_queue`), so it cannot say
anything else than what the exchange would do. Who is at work is not known here: eligible are the
secretaries whom the queue could reach, in the order of their levels.
"""

from __future__ import annotations

from collections.abc import Iterator

from autocom.core.ingress import NumberBook, identify
from autocom.core.journal import Json
from autocom.core.model import Configuration, Enqueue, ForwardReason, Play, Step, Trunk
from autocom.core.numbers import NumberingPlan, national
from autocom.core.routing import Circumstances, choose, steps_of
from autocom.core.telephony import RawHeaders


def explain(
    configuration: Configuration,
    plan: NumberingPlan,
    *,
    did: str,
    at: float,
    caller: str | None = None,
    forwarded_from: str | None = None,
    reason: str | None = None,
) -> dict[str, Json]:
    """The decision trail for a call to `did` at `at` (UTC epoch seconds). `caller` None: withheld."""
    diversion = (
        (f"<sip:{forwarded_from}@explain.invalid>;reason={reason or 'unknown'}",) if forwarded_from else ()
    )
    withheld = caller is None or caller == "anonymous"
    raw = RawHeaders(
        request_user=did,
        from_="<sip:anonymous@anonymous.invalid>" if withheld else f"<sip:{caller}@explain.invalid>",
        diversion=diversion,
    )
    identity = identify(raw, Trunk("explain", ()), NumberBook.of(configuration), plan)
    forward_reason = identity.forward_reason
    if reason and not forwarded_from:
        forward_reason = ForwardReason(reason)
    client = configuration.clients[identity.client]
    choice = choose(
        client,
        Circumstances(at, identity.caller, identity.anonymous, forward_reason, identity.did, 0, nobody=False),
    )
    steps = steps_of(choice, client)
    queue = next((step for step in steps if isinstance(step, Enqueue)), None)
    return {
        "client": client.id,
        "name": client.name,
        "display": client.display,
        "did": identity.did,
        "caller": identity.caller,
        "anonymous": identity.anonymous,
        "forwarded_from": identity.forwarded_from,
        "forward_reason": forward_reason.value if forward_reason else None,
        "flags": list(identity.flags),
        "candidates": list(identity.candidates),
        "open": choice.open,
        "hours": choice.hours_why,
        "rule": choice.rule.name,
        "line": choice.rule.line,
        "steps": [describe(step) for step in steps],
        "team": queue.team if queue else None,
        "eligible": list(_eligible(configuration, queue)) if queue else [],
        "why": [
            *identity.why,
            *(
                f"rule {t.rule}: " + ("its conditions hold" if t.matched else f"no, {t.failed}")
                for t in choice.trail
            ),
        ],
        "config_version": configuration.version,
    }


def _eligible(configuration: Configuration, queue: Enqueue) -> Iterator[Json]:
    team = configuration.teams[queue.team]
    reach = [(0.0, queue.team), *((step.after, step.to) for step in team.widen)]
    seen: set[str] = set()
    for after, name in reach:
        members = [s for s in configuration.secretaries.values() if name in s.teams and s.id not in seen]
        for secretary in sorted(members, key=lambda s: (s.teams[name], s.id)):
            seen.add(secretary.id)
            yield {"secretary": secretary.id, "team": name, "level": secretary.teams[name], "after_s": after}


def describe(step: Step) -> str:
    """A step in one line for people."""
    match step:
        case Play(audio, mode, must_hear, repeat):
            extra = ", to its end" if must_hear else ""
            times = f" {repeat} times" if repeat > 1 else ""
            return f"play {audio.name} ({mode.value}{extra}){times}"
        case Enqueue(team, music, ring_for, ring, _, max_wait):
            limit = f", at most {max_wait:g} s" if max_wait is not None else ""
            tune = f", music {music.name}" if music else ""
            return f"queue for team {team} ({ring.value}, {ring_for:g} s each{limit}{tune})"
        case _:
            fields = {f: getattr(step, f) for f in step.__slots__}
            shown = ", ".join(
                f"{k} {getattr(v, 'value', v)}"
                for k, v in fields.items()
                if isinstance(v, str | float | int) or hasattr(v, "value")
            )
            return f"{type(step).__name__.lower()} {shown}".strip()


def in_words(trail: dict[str, Json], plan: NumberingPlan) -> Iterator[str]:
    """The same for a terminal."""
    did = trail["did"]
    yield f"{national(str(did), plan) if did else 'no number'}  ->  {trail['name']} ({trail['client']})"
    if trail["flags"]:
        yield f"flags: {', '.join(map(str, trail['flags'] or []))}"  # type: ignore[arg-type]
    yield f"{'open' if trail['open'] else 'closed'}: {trail['hours']}"
    yield f"rule {trail['rule']} (line {trail['line']})"
    for step in trail["steps"] or []:  # type: ignore[union-attr]
        yield f"  {step}"
    for who in trail["eligible"] or []:  # type: ignore[union-attr]
        assert isinstance(who, dict)
        later = f" after {who['after_s']:g} s" if who["after_s"] else ""
        yield f"  rings {who['secretary']} (level {who['level']} of {who['team']}{later})"
    yield "why:"
    for sentence in trail["why"] or []:  # type: ignore[union-attr]
        yield f"  {sentence}"
