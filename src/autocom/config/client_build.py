"""One client's file as the core's frozen `Client`.

Fills in what `profile` and bureau.yaml decide, resolves names against the scene and checks what
concerns this client alone. Must not know other clients (`set_checks`). Invariant: where a fault
was added the value is never used. The story goes on in `load`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from autocom.config.faults import suggestion
from autocom.config.hours_build import build_absences, build_hours
from autocom.config.numbering import normalise_prefix
from autocom.config.rule_checks import check_rules
from autocom.config.scalars import weekdays
from autocom.config.scene import Ear
from autocom.config.steps_build import StepsBuilder
from autocom.core import model as core
from autocom.core.numbers import normalise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from autocom.config import models
    from autocom.config.document import Route
    from autocom.config.faults import Fault
    from autocom.config.scene import Scene
    from autocom.config.shape import Sheet
    from autocom.core.numbers import NumberingPlan

_DAY: Final = 86400.0
# How long calls are kept with clear numbers: health and legal privilege short, others a year.
_CALLS_KEPT: Final = {"medical": 90 * _DAY, "legal": 90 * _DAY, "general": 365 * _DAY}
_RECORDINGS_KEPT: Final = 30 * _DAY
_RECORDINGS_AT_MOST: Final = 180 * _DAY  # CNIL: six months
_EARLY_AT_MOST: Final = 50.0  # networks give up on an unanswered call after one to three minutes; some sooner
_DISPLAY_AT_MOST: Final = 20


@dataclass(frozen=True, slots=True)
class Built:
    """A client, what is wrong with its file, and the sounds it uses (for the version)."""

    client: core.Client
    faults: tuple[Fault, ...]
    sounds: frozenset[str]


def build_client(written: models.Client, sheet: Sheet, scene: Scene) -> Built:
    """The core's client."""
    faults: list[Fault] = [*_check(written, sheet, scene), *check_rules(written, sheet)]
    language = written.language or scene.language
    ear = Ear(scene, sheet, language, faults)
    builder = StepsBuilder(ear, [rule.name for rule in written.rules])
    rules = tuple(_rule(rule, index, ear, builder, written) for index, rule in enumerate(written.rules))
    on_full = builder.build(written.on_full, ("on_full",))
    outgoing = written.outgoing
    client = core.Client(
        id=written.id,
        name=written.name,
        display=written.display or written.name,
        profile=written.profile,
        lines=tuple(core.Line(line.did, line.forwarded_from) for line in written.numbers),
        hours=build_hours(written, ear),
        rules=rules,
        phrase=written.phrase,
        card=written.card,
        absences=build_absences(written, ear),
        language=language,
        priority=written.priority,
        target=written.target,
        max_calls=written.max_calls,
        on_full=on_full or _first_on_full(rules),
        early_limit=written.early_limit,
        code=written.code,
        wrap_up_min=written.wrap_up.min,
        wrap_up_max=written.wrap_up.max,
        outgoing_number=outgoing.number if outgoing else None,
        outgoing_verified=outgoing.verified if outgoing else False,
        recording=written.recording,
        retention_calls=written.retention.calls or _CALLS_KEPT[written.profile],
        retention_recordings=written.retention.recordings or _RECORDINGS_KEPT,
    )
    return Built(client, tuple(faults), frozenset(ear.used))


def _check(written: models.Client, sheet: Sheet, scene: Scene) -> Iterator[Fault]:
    if not written.numbers and scene.unknown_client is not None and written.id != scene.unknown_client:
        yield sheet.at(("numbers",)).fault("a client needs at least one number")
    if written.display is None and len(written.name) > _DISPLAY_AT_MOST:
        message = (
            f"the name has {len(written.name)} characters: give a `display` of at most {_DISPLAY_AT_MOST}"
        )
        yield sheet.at(("name",)).fault(message)
    if written.recording != "never" and written.profile != "general":
        message = f"a {written.profile} client's calls are never recorded: write `recording: never`"
        yield sheet.at(("recording",)).fault(message)
    if written.early_limit > _EARLY_AT_MOST:
        yield sheet.at(("early_limit",)).fault(
            f"at most {_EARLY_AT_MOST:.0f}s: networks give up on unanswered calls"
        )
    if (written.retention.recordings or 0.0) > _RECORDINGS_AT_MOST:
        yield sheet.at(("retention", "recordings")).fault("recordings may be kept for 180d at most")
    if written.wrap_up.max < written.wrap_up.min:
        yield sheet.at(("wrap_up", "max")).fault("is shorter than `min`")


def _rule(rule: models.Rule, index: int, ear: Ear, builder: StepsBuilder, client: models.Client) -> core.Rule:
    route: Route = ("rules", index)
    when = _when(rule.when, (*route, "when"), ear, client) if rule.when else None
    return core.Rule(rule.name, when, builder.build(rule.do, (*route, "do")), ear.sheet.at(route).line)


def _when(when: models.When, route: Route, ear: Ear, client: models.Client) -> core.When:
    own = {line.did for line in client.numbers}
    for index, did in enumerate(when.did or ()):
        if did not in own:
            message = f"{did} is not one of this client's numbers{suggestion(did, sorted(own))}"
            ear.faults.append(ear.sheet.at((*route, "did", index)).fault(message))
    for index, dates in enumerate(when.dates or ()):
        if dates.to < dates.from_:
            ear.faults.append(ear.sheet.at((*route, "dates", index, "to")).fault("ends before it begins"))
    return core.When(
        caller=_callers(when.caller or (), (*route, "caller"), ear),
        open=None if when.hours is None else when.hours == "open",
        absence=when.absence,
        forward_reason=tuple(core.ForwardReason(reason) for reason in when.forward_reason or ()),
        did=tuple(when.did or ()),
        days=tuple(sorted({day for word in when.days or () for day in weekdays(word)})),
        dates=tuple((dates.from_, dates.to) for dates in when.dates or ()),
        time=tuple(when.time or ()),
        waiting_over=when.waiting_over,
        nobody=when.nobody,
    )


def _callers(entries: tuple[()] | list[str], route: Route, ear: Ear) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for index, entry in enumerate(entries):
        lists: Mapping[str, tuple[str, ...]] = ear.scene.lists or {}
        plain = caller(entry, ear.scene.plan)
        if plain is not None:
            found[plain] = None
        elif entry in lists:
            found.update(dict.fromkeys(lists[entry]))
        elif ear.scene.lists is not None or not entry.islower():
            near = suggestion(entry, [*lists, "anonymous"])
            message = f"`{entry}` is no number, no prefix ending in * and no list{near}"
            ear.faults.append(ear.sheet.at((*route, index)).fault(message))
    return tuple(found)


def caller(entry: str, plan: NumberingPlan) -> str | None:
    """An entry of `caller` or of a list, normalised; None where it is no number, prefix or `anonymous`."""
    if entry == "anonymous":
        return entry
    return normalise_prefix(entry, plan) if entry.endswith("*") else normalise(entry, plan)


def _first_on_full(rules: tuple[core.Rule, ...]) -> tuple[core.Step, ...]:
    """`on_full` of the client's first queue: what a call over `max_calls` gets where the client says nothing."""
    queues = (step for rule in rules for step in rule.do if isinstance(step, core.Enqueue))
    return next((queue.on_full for queue in queues if queue.on_full), ())
