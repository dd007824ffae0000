"""Which rules can never take a call: what they ask for is always taken by rules before them.

Judged on the built conditions: lists are written out, prefixes hold the numbers under them, days and
times are minutes of a week, and what has two sides only (open or closed, absence or none, somebody at
work or nobody) is looked at from both. Must not know steps. Invariant: a rule that is called covered
truly is; a rule that is covered in a way not looked at here (by dates put together, by callers of
several rules) is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product
from math import inf

from autocom.config.week import minutes_of
from autocom.core.model import NO_CALLER, Rule, When

_ANYTHING = When()
# open, absence, nobody: an absence closes
_SIDES = (True, False)
_STATES = tuple(state for state in product(_SIDES, _SIDES, _SIDES) if not (state[0] and state[1]))
_State = tuple[bool, bool, bool]


@dataclass(frozen=True, slots=True)
class Covered:
    """A rule that takes no call. `by`: the rules before it that take them all; empty: its own conditions
    exclude each other."""

    index: int
    by: tuple[int, ...]


def covered_rules(rules: Sequence[Rule], usable: Sequence[bool], dids: frozenset[str]) -> Iterator[Covered]:
    """Every rule that can take no call. `usable`: whether the conditions of the rule could be read; `dids`:
    all numbers that lead to this client, empty where others lead there too."""
    asked = [rule.when or _ANYTHING for rule in rules]
    for index, when in enumerate(asked):
        if not usable[index]:
            continue
        states = [state for state in _STATES if _agrees(when, state)]
        if not states:
            yield Covered(index, ())
            continue
        before = [i for i in range(index) if usable[i] and _takes(asked[i], when, dids)]
        alone = next((i for i in before if _all_taken(when, states, [asked[i]])), None)
        if alone is not None:
            yield Covered(index, (alone,))
        elif _all_taken(when, states, [asked[i] for i in before]):
            yield Covered(index, tuple(before))


def _all_taken(when: When, states: Sequence[_State], before: Sequence[When]) -> bool:
    wanted = minutes_of(when.days, when.time)
    for state in states:
        left = wanted
        for other in before:
            if _agrees(other, state):
                left &= ~minutes_of(other.days, other.time)
        if left:
            return False
    return True


def _agrees(when: When, state: _State) -> bool:
    pairs = zip((when.open, when.absence, when.nobody), state, strict=True)
    return all(asked is None or asked == is_so for asked, is_so in pairs)


def _takes(one: When, other: When, dids: frozenset[str]) -> bool:
    """Whether `one` holds whenever `other` does, as far as the caller, the line and the dates go."""
    if one.caller and not (other.caller and _every_caller(one, other)):
        return False
    if one.forward_reason and not (
        other.forward_reason and set(other.forward_reason) <= set(one.forward_reason)
    ):
        return False
    called = set(other.did) or dids
    if one.did and not (called and called <= set(one.did)):
        return False
    if one.waiting_over is not None and (other.waiting_over is None or other.waiting_over < one.waiting_over):
        return False
    return not one.dates or bool(other.dates and all(_within(days, one) for days in other.dates))


def _every_caller(one: When, other: When) -> bool:
    """Whether `one` means every caller that `other` means, as long as it does."""
    ending = [listed for listed in other.listed if listed.until is not None]
    for_ever = [entry for entry in other.caller if entry != NO_CALLER or not ending]
    return all(_among(entry, one.caller) for entry in for_ever) and all(
        _among(listed.entry, one.caller)
        or any(
            _among(listed.entry, (wide.entry,)) and (wide.until or inf) >= (listed.until or inf)
            for wide in one.listed
        )
        for listed in ending
    )


def _among(entry: str, entries: Sequence[str]) -> bool:
    """Whether every caller of this entry is one of those."""
    return any(
        entry == wide or (wide.endswith("*") and entry.rstrip("*").startswith(wide[:-1])) for wide in entries
    )


def _within(days: tuple[date, date], one: When) -> bool:
    first, last = days
    return any(start <= first and last <= end for start, end in one.dates)
