"""Whether a client's rules make sense together: reach, jumps, and messages that must be heard.

Must not know other clients or files. Invariant: rules that pass have an end (`jump` never goes
in circles), a last rule that always holds, and no message whose hearing matters is played
before the answer, where some operators let nothing through. The story goes on in `load`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from autocom.config.steps import branches, every_step
from autocom.config.wording import told

if TYPE_CHECKING:
    from autocom.config import models
    from autocom.config.document import Route
    from autocom.config.faults import Fault
    from autocom.config.rule_cover import Covered
    from autocom.config.shape import Sheet
    from autocom.config.steps import Queue, Step

_CONNECTS: Final = frozenset({"queue", "menu", "forward", "on_call", "voicemail", "jump"})
_ENDS: Final = frozenset({"hangup", "jump"})
_ANSWERS: Final = frozenset({"answer", "menu", "voicemail"})


def check_rules(client: models.Client, sheet: Sheet) -> Iterator[Fault]:
    """Everything that is wrong with the rules as a whole."""
    yield from _names(client, sheet)
    yield from _jumps(client, sheet)
    for index, rule in enumerate(client.rules):
        dismisses = rule.when is not None and (rule.when.hours == "closed" or rule.when.absence is True)
        yield from _Hearing(sheet, dismisses).check(rule.do, ("rules", index, "do"), answered=False)
        yield from _after_the_end(rule.do, ("rules", index, "do"), sheet)
        yield from _held_back(rule.do, ("rules", index, "do"), sheet)
    yield from _places(client, sheet)
    if client.profile == "medical" and not any(_says_closed(client, rule) for rule in client.rules):
        message = told(
            "a medical client needs a rule `when: {{hours: closed}}` with a `play` in `mode: "
            "answered`: outside its hours callers must be told where to turn"
        )
        yield sheet.key_at(("rules",)).fault(message)


def _names(client: models.Client, sheet: Sheet) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, rule in enumerate(client.rules):
        if rule.name in seen:
            yield sheet.at(("rules", index, "name")).fault(
                told("a rule `{name}` stands before it already", name=rule.name)
            )
        seen.add(rule.name)


def check_reach(client: models.Client, sheet: Sheet, covered: Iterable[Covered]) -> Iterator[Fault]:
    """Rules that take no call, and a last rule that does not take every call."""
    # a rule that another one jumps to is reached that way
    targets = {step.jump for step, route in client.every_step if step.jump != _rule_at(client, route)}
    last = len(client.rules) - 1
    told_of: set[int] = set()
    for one in covered:
        rule = client.rules[one.index]
        if rule.when is not None and not rule.when.model_fields_set:
            continue
        if not one.by:
            told_of.add(one.index)
            yield sheet.at(("rules", one.index, "when")).fault(
                told("can never hold: during an absence the client is closed, never open")
            )
        elif one.index == last and rule.when is None and len(one.by) > 1:
            continue  # it is demanded, even where the rules before it leave nothing
        elif rule.name not in targets:
            told_of.add(one.index)
            yield sheet.at(("rules", one.index)).fault(_unreached(client, one))
    for index, rule in enumerate(client.rules):
        if rule.when is not None and not rule.when.model_fields_set:
            yield sheet.at(("rules", index, "when")).fault(told("an empty `when` asks nothing: remove it"))
        elif index == last and rule.when is not None and index not in told_of:
            message = told("the last rule must hold always: add one without `when` after it")
            yield sheet.key_at(("rules", index, "when")).fault(message)


def _rule_at(client: models.Client, route: Route) -> str | None:
    return client.rules[route[1]].name if route[0] == "rules" and isinstance(route[1], int) else None


def _unreached(client: models.Client, one: Covered) -> str:
    name = client.rules[one.index].name
    before = [client.rules[index] for index in one.by]
    if len(before) > 1:
        rules = ", ".join(f"`{rule.name}`" for rule in before)
        return told(
            "rule `{name}` is never reached: one of {rules} before it always holds first",
            name=name,
            rules=rules,
        )
    why = told("has no `when`") if before[0].when is None else told("holds whenever this one does")
    return told(
        "rule `{name}` is never reached: `{before}` before it {why}",
        name=name,
        before=before[0].name,
        why=why,
    )


def _held_back(steps: Sequence[Step], route: Route, sheet: Sheet) -> Iterator[Fault]:
    """Messages for who still waits, where nobody waits, or that nobody may miss."""
    for index, step in enumerate(steps):
        here = (*route, index, step.kind)
        if step.play is not None and step.play.if_waiting is not None:
            ahead = next((later for later in steps[index:] if later.play is None), None)
            if ahead is None or ahead.queue is None:
                yield sheet.key_at((*here, "if_waiting")).fault(
                    told("`if_waiting` is for a message before a `queue`: nobody waits here")
                )
            elif step.play.must_hear:
                yield sheet.key_at((*here, "if_waiting")).fault(
                    told("a message with `must_hear` is for every caller: no `if_waiting` here")
                )
        for branch, inner in branches(step):
            yield from _held_back(inner, (*here, *branch), sheet)


def _places(client: models.Client, sheet: Sheet) -> Iterator[Fault]:
    """Steps that stand where they cannot do what they are for."""
    for step, route in client.every_step:
        in_keys = len(route) > 4 and route[-4] == "keys" and route[-5] == "queue"
        if step.callback is not None and not in_keys:
            yield sheet.key_at(route).fault(
                told("`callback` keeps a place in a queue: it stands under the `keys` of a `queue` only")
            )
        if step.queue is not None and route[0] == "fax":
            yield sheet.key_at(route).fault(told("a fax machine never rings a secretary: no `queue` here"))
        if step.queue is not None and step.queue.after_closing == "serve" and step.queue.on_closing:
            yield sheet.key_at((*route, "on_closing")).fault(
                told("is never taken: with `after_closing: serve` who waits at closing time stays")
            )
        if step.queue is not None:
            yield from _unused_keys(step.queue, route, sheet)


def _unused_keys(queue: Queue, route: Route, sheet: Sheet) -> Iterator[Fault]:
    """Keys of a queue that do something only together."""
    if queue.nobody == "paused" and not queue.on_nobody:
        yield sheet.key_at((*route, "nobody")).fault(
            told("says when `on_nobody` is taken, and there is none: he would wait all the same")
        )
    if queue.max_expected_wait is not None and not queue.on_long_wait:
        yield sheet.key_at((*route, "max_expected_wait")).fault(
            told("needs `on_long_wait`: the steps for who would wait longer")
        )
    if queue.on_long_wait and queue.max_expected_wait is None:
        yield sheet.key_at((*route, "on_long_wait")).fault(
            told(
                "is never taken: it needs `max_expected_wait`, the longest wait that is expected of a caller"
            )
        )


def _jumps(client: models.Client, sheet: Sheet) -> Iterator[Fault]:
    edges: dict[str, list[tuple[str, Route]]] = {}
    for index, rule in enumerate(client.rules):
        for step, route in every_step(rule.do, ("rules", index, "do")):
            if step.jump is not None:
                edges.setdefault(rule.name, []).append((step.jump, route))
    for name, ways in edges.items():
        for target, route in ways:
            if name in _reached_from(target, edges):
                yield sheet.at(route).fault(
                    told(
                        "`jump: {target}` goes in circles: it leads back to `{name}`",
                        target=target,
                        name=name,
                    )
                )


def _reached_from(name: str, edges: dict[str, list[tuple[str, Route]]]) -> set[str]:
    reached: set[str] = set()
    open_ends = [name]
    while open_ends:
        current = open_ends.pop()
        if current not in reached:
            reached.add(current)
            open_ends += [target for target, _ in edges.get(current, [])]
    return reached


def _after_the_end(steps: Sequence[Step], route: Route, sheet: Sheet) -> Iterator[Fault]:
    for index, step in enumerate(steps):
        if step.kind in _ENDS and index + 1 < len(steps):
            yield sheet.at((*route, index + 1)).fault(
                told("never reached: `{kind}` before it ends the steps", kind=step.kind)
            )
        for branch, inner in branches(step):
            yield from _after_the_end(inner, (*route, index, step.kind, *branch), sheet)


@dataclass(frozen=True, slots=True)
class _Hearing:
    """Looks for messages that must be heard and would be played before the answer. `dismisses`: the
    rule tells callers that nobody is there."""

    sheet: Sheet
    dismisses: bool

    def check(self, steps: Sequence[Step], route: Route, *, answered: bool) -> Iterator[Fault]:
        for index, step in enumerate(steps):
            here = (*route, index, step.kind)
            if step.play is not None and step.play.mode == "early" and not answered:
                followed = any(later.kind in _CONNECTS for later in steps[index + 1 :])
                place = (
                    self.sheet.at((*here, "mode"))
                    if "mode" in step.play.model_fields_set
                    else self.sheet.at(here)
                )
                if step.play.must_hear:
                    yield place.fault(
                        told(
                            "`must_hear` needs `mode: answered`: in early mode some operators let nothing "
                            "through"
                        )
                    )
                elif self.dismisses and not followed:
                    yield place.fault(
                        told(
                            "the message of a closure needs `mode: answered`: in early mode it may not be heard"
                        )
                    )
            answered = (
                answered or step.kind in _ANSWERS or (step.play is not None and step.play.mode == "answered")
            )
            for branch, inner in branches(step):
                yield from self.check(inner, (*here, *branch), answered=answered)


def _says_closed(client: models.Client, rule: models.Rule) -> bool:
    """Whether this rule catches every call outside the hours and tells the caller something for certain."""
    if rule.when is None or rule.when.hours != "closed" or len(rule.when.model_fields_set) > 1:
        return False
    by_name = {other.name: other for other in client.rules}
    seen: set[str] = set()
    steps = list(rule.do)
    answered = False
    while steps:
        step = steps.pop(0)
        answered = answered or step.kind in _ANSWERS
        if step.play is not None and (answered or step.play.mode == "answered"):
            return True
        if step.kind == "hangup":
            return False
        if step.jump is not None and step.jump not in seen and step.jump in by_name:
            seen.add(step.jump)
            steps = list(by_name[step.jump].do)
    return False
