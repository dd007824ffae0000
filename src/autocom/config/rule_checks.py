"""Whether a client's rules make sense together: reach, jumps, and messages that must be heard.

Must not know other clients or files. Invariant: rules that pass have an end (`jump` never goes
in circles), a last rule that always holds, and no message whose hearing matters is played
before the answer, where some operators let nothing through. The story goes on in `load`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from autocom.config.steps_build import branches, every_step

if TYPE_CHECKING:
    from autocom.config import models
    from autocom.config.document import Route
    from autocom.config.faults import Fault
    from autocom.config.shape import Sheet
    from autocom.config.steps import Step

_CONNECTS: Final = frozenset({"queue", "menu", "forward", "on_call", "voicemail", "jump"})
_ENDS: Final = frozenset({"hangup", "jump"})
_ANSWERS: Final = frozenset({"answer", "menu", "voicemail"})


def check_rules(client: models.Client, sheet: Sheet) -> Iterator[Fault]:
    """Everything that is wrong with the rules as a whole."""
    yield from _names(client, sheet)
    yield from _reach(client, sheet)
    yield from _jumps(client, sheet)
    for index, rule in enumerate(client.rules):
        dismisses = rule.when is not None and (rule.when.hours == "closed" or rule.when.absence is True)
        yield from _Hearing(sheet, dismisses).check(rule.do, ("rules", index, "do"), answered=False)
        yield from _after_the_end(rule.do, ("rules", index, "do"), sheet)
    if client.profile == "medical" and not any(_says_closed(client, rule) for rule in client.rules):
        message = (
            "a medical client needs a rule `when: {hours: closed}` with a `play` in `mode: answered`: "
            "outside its hours callers must be told where to turn"
        )
        yield sheet.key_at(("rules",)).fault(message)


def _names(client: models.Client, sheet: Sheet) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, rule in enumerate(client.rules):
        if rule.name in seen:
            yield sheet.at(("rules", index, "name")).fault(f"a rule `{rule.name}` stands before it already")
        seen.add(rule.name)


def _reach(client: models.Client, sheet: Sheet) -> Iterator[Fault]:
    last = len(client.rules) - 1
    # a rule that another one jumps to is reached that way
    targets = {
        step.jump
        for index, rule in enumerate(client.rules)
        for step, _ in every_step(rule.do, ("rules", index, "do"))
        if step.jump is not None and step.jump != rule.name
    }
    for index, rule in enumerate(client.rules):
        here = sheet.at(("rules", index))
        if rule.when is not None and not rule.when.model_fields_set:
            yield sheet.at(("rules", index, "when")).fault("an empty `when` asks nothing: remove it")
            continue
        before = next((other for other in client.rules[:index] if _covers(other, rule)), None)
        if before is not None and rule.name not in targets:
            why = "has no `when`" if before.when is None else "holds whenever this one does"
            yield here.fault(f"rule `{rule.name}` is never reached: `{before.name}` before it {why}")
        elif index == last and rule.when is not None:
            message = "the last rule must hold always: add one without `when` after it"
            yield sheet.key_at(("rules", index, "when")).fault(message)


def _covers(one: models.Rule, other: models.Rule) -> bool:
    """Whether `one` holds whenever `other` does: it asks the same, or less."""
    if one.when is None:
        return True
    if other.when is None:
        return False
    asked = one.when.model_fields_set
    return asked <= other.when.model_fields_set and all(
        getattr(one.when, name) == getattr(other.when, name) for name in asked
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
                yield sheet.at(route).fault(f"`jump: {target}` goes in circles: it leads back to `{name}`")


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
                f"never reached: `{step.kind}` before it ends the steps"
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
                        "`must_hear` needs `mode: answered`: in early mode some operators let nothing through"
                    )
                elif self.dismisses and not followed:
                    yield place.fault(
                        "the message of a closure needs `mode: answered`: in early mode it may not be heard"
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
