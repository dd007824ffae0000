"""Whether somebody is on call whenever a rule asks for it.

A gap in a roster is a fault where a rule can hold in it, nobody stands behind the roster (`fallback`)
and the rule's steps lead nowhere else: the escalation would end nowhere. Any other gap is a note.
Must not know who is called how (`core.oncall`). Judged over an ordinary week: holidays and closures
are looked at only in a note. The story goes on in `load`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from autocom.config.faults import Fault
from autocom.config.roster_build import gap_of, gap_words, overlap_notes
from autocom.config.steps import every_step
from autocom.config.week import WHOLE, minutes_of
from autocom.config.wording import told

if TYPE_CHECKING:
    from autocom.config import models
    from autocom.config import steps as written
    from autocom.config.document import Document
    from autocom.config.shape import Sheet
    from autocom.config.steps import Step
    from autocom.core import model as core

Member = tuple["models.Client", "Sheet", "core.Client"]
# what still takes a caller further when nobody on call could be reached
_GOES_ON: Final = frozenset({"queue", "menu", "forward", "on_call", "voicemail", "message", "jump"})


def check_duty(house: models.Bureau, members: Sequence[Member]) -> Iterator[Fault]:
    """Rules that would ask a roster at times when nobody is on call and nothing else is left."""
    gaps = {name: gap_of(roster) for name, roster in house.rosters.items() if roster.fallback is None}
    for client, sheet, built in members:
        if not any(step.on_call for step, _ in client.every_step):
            continue
        for step, route, needed in _duties(client, built, house.bureau.timezone):
            gap = gaps.get(step.roster, 0) & needed
            if gap:
                yield sheet.at((*route, "roster")).fault(
                    told(
                        "nobody is on call in roster `{roster}` {when}, it has no `fallback`, and no step "
                        "behind goes on: the escalation ends nowhere",
                        roster=step.roster,
                        when=gap_words(gap),
                    )
                )


def duty_notes(house: models.Bureau, document: Document, members: Sequence[Member]) -> Iterator[Fault]:
    """Gaps, overlaps, and rosters that nothing asks."""
    used = {step.on_call.roster for client, _, _ in members for step, _ in client.every_step if step.on_call}
    for name, roster in house.rosters.items():
        place = document.key_at(("rosters", name))
        if name not in used:
            yield place.fault(told("no rule asks roster `{name}`", name=name))
        if gap := gap_of(roster):
            words = gap_words(gap)
            if roster.fallback is None:
                yield place.fault(told("nobody is on call {when}, and there is no `fallback`", when=words))
            else:
                yield place.fault(
                    told("nobody is on call {when}: then only the `fallback` is rung", when=words)
                )
    yield from overlap_notes(house, document)


def _duties(
    client: models.Client, built: core.Client, zone: str
) -> Iterator[tuple[written.OnCall, tuple[str | int, ...], int]]:
    """Every `on_call` with nothing behind it, and the minutes of a week in which a caller may come to it."""
    jumped_to = {step.jump for step, _ in client.every_step if step.jump}
    for index, (rule, its) in enumerate(zip(client.rules, built.rules, strict=True)):
        needed = WHOLE if rule.name in jumped_to else _minutes(its.when, built.hours, zone)
        for step, route in every_step(rule.do, ("rules", index, "do")):
            if step.on_call and not _goes_on(rule.do, route[3:]):
                yield step.on_call, route, needed


def _minutes(when: core.When | None, hours: core.Hours, zone: str) -> int:
    """When the rule can hold in an ordinary week, in the bureau's time; none where the client's clock
    shows another time, since the difference changes twice a year."""
    if when is None:
        return WHOLE
    if hours.zone != zone:
        return 0
    minutes = minutes_of(when.days, when.time)
    if when.open is not None:
        opened = _open(hours.week)
        minutes &= opened if when.open else WHOLE & ~opened
    return minutes


def _open(week: Mapping[int, Sequence[core.TimeRange]]) -> int:
    opened = 0
    for day, spans in week.items():
        if spans:
            opened |= minutes_of((day,), spans)
    return opened


def _goes_on(steps: Sequence[Step], route: tuple[str | int, ...]) -> bool:
    """Whether a step behind the one at `route` (from its rule's `do` on) takes the caller further."""
    at = route[0]
    assert isinstance(at, int)
    return any(step.kind in _GOES_ON for step in steps[at + 1 :])
