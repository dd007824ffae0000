"""One client's file as the core's frozen `Client`.

Fills in what `profile` and bureau.yaml decide, resolves names against the scene and checks what
concerns this client alone. Must not know other clients (`set_checks`). Invariant: where a fault
was added the value is never used. The story goes on in `load`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from autocom.config.dialling_build import client_limits
from autocom.config.faults import suggestion
from autocom.config.hours_build import build_absences, build_hours
from autocom.config.lists_build import ANONYMOUS, PLATFORM, Callers, build_lists, callers
from autocom.config.outside_checks import check_outside
from autocom.config.rule_checks import check_reach, check_rules
from autocom.config.rule_cover import covered_rules
from autocom.config.scalars import weekdays
from autocom.config.scene import Ear
from autocom.config.sounds import STOCK_MUSIC
from autocom.config.steps import RINGBACK
from autocom.config.steps_build import StepsBuilder
from autocom.config.wording import told
from autocom.core import model as core

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from autocom.config import models
    from autocom.config.document import Route
    from autocom.config.faults import Fault
    from autocom.config.scene import Scene
    from autocom.config.shape import Sheet

_DAY: Final = 86400.0
# How long calls are kept with clear numbers: health and legal privilege short, others a year.
_CALLS_KEPT: Final = {"medical": 90 * _DAY, "legal": 90 * _DAY, "general": 365 * _DAY}
_RECORDINGS_KEPT: Final = 30 * _DAY
_TEXTS_KEPT: Final = 30 * _DAY
_RECORDINGS_AT_MOST: Final = 180 * _DAY  # CNIL: six months
_EARLY_AT_MOST: Final = 50.0  # networks give up on an unanswered call after one to three minutes; some sooner
_DISPLAY_AT_MOST: Final = 20
_BEEP_AT_LEAST: Final = 5.0
_DECISION_AT_MOST: Final = 3.0


@dataclass(frozen=True, slots=True)
class Built:
    """A client, what is wrong with its file, and the sounds it uses (for the version)."""

    client: core.Client
    faults: tuple[Fault, ...]
    sounds: frozenset[str]


def build_client(written: models.Client, sheet: Sheet, scene: Scene) -> Built:
    """The core's client."""
    faults: list[Fault] = [
        *_check(written, sheet, scene),
        *check_rules(written, sheet),
        *check_outside(written, sheet, scene),
    ]
    language = written.language or scene.language
    own, list_faults = build_lists(written.lists, scene.timezone, scene.plan, sheet, scene.lists)
    faults += list_faults
    if own and scene.lists is not None:
        scene = replace(scene, lists={**own, **scene.lists})
    ear = Ear(scene, sheet, language, faults)
    faults += _taken_name(written, sheet) if scene.blocks else ()
    builder = StepsBuilder(
        ear, written.name, [rule.name for rule in written.rules], _wait_music(written, ear)
    )
    whens: list[core.When | None] = []
    usable: list[bool] = []
    for index, rule in enumerate(written.rules):
        known = len(faults)
        whens.append(_when(rule.when, ("rules", index, "when"), ear, written) if rule.when else None)
        empty = rule.when is not None and not rule.when.model_fields_set
        usable.append(len(faults) == known and not empty)
    rules = tuple(
        core.Rule(
            rule.name,
            when,
            builder.build(rule.do, ("rules", index, "do")),
            sheet.at(("rules", index)).line,
        )
        for index, (rule, when) in enumerate(zip(written.rules, whens, strict=True))
    )
    elsewhere = scene.unknown_client in (None, written.id)
    dids = frozenset[str]() if elsewhere else frozenset(line.did for line in written.numbers)
    faults += check_reach(written, sheet, covered_rules(rules, usable, dids))
    on_full = builder.build(written.on_full, ("on_full",))
    on_fax = builder.build(written.fax.do, ("fax", "do"))
    outgoing = written.outgoing
    returning = written.returning
    vip = _vips(written.vip.callers, ("vip", "callers"), ear) if written.vip else Callers()
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
        outgoing_international=tuple(outgoing.international) if outgoing else (),
        outgoing_limits=client_limits(written, scene.dialling),
        recording=written.recording,
        recording_beep=written.recording_beep,
        retention_calls=written.retention.calls or _CALLS_KEPT[written.profile],
        retention_recordings=written.retention.recordings or _RECORDINGS_KEPT,
        retention_texts=written.retention.texts or _TEXTS_KEPT,
        texts_by=written.texts.provider if written.texts else None,
        phrases={core.ForwardReason(reason): text for reason, text in written.phrases.items()},
        languages=tuple(written.languages),
        countries=tuple(written.countries),
        vip=vip.entries,
        vip_listed=vip.listed,
        vip_advance=written.vip.advance if written.vip else 0.0,
        returning_within=returning.within if returning else 0.0,
        on_fax=on_fax or (core.Hangup(),),
        fax=written.fax.detect,
        decision=core.Decision(written.decision.url, written.decision.within) if written.decision else None,
        hold_music=_hold_music(written, ear),
        contacts=tuple(core.Contact(contact.name, contact.number) for contact in written.contacts),
    )
    return Built(client, tuple(faults), frozenset(ear.used))


def _wait_music(written: models.Client, ear: Ear) -> core.Music | None:
    """What a caller hears while somebody outside is rung for him: the music of the client's first queue."""
    if not any(step.forward or step.on_call for step, _ in written.every_step):
        return None
    return _queue_music(written, ear) or ear.music(STOCK_MUSIC, ("rules",))


def _hold_music(written: models.Client, ear: Ear) -> core.Music | None:
    """What a caller hears on hold; None: the house's own."""
    if written.hold_music is not None:
        return ear.music(written.hold_music, ("hold_music",))
    return _queue_music(written, ear)


def _queue_music(written: models.Client, ear: Ear) -> core.Music | None:
    """That of the client's first queue that has one."""
    for step, route in written.every_step:
        if step.queue and step.queue.music and step.queue.music != RINGBACK:
            return ear.music(step.queue.music, (*route, "music"))
    return None


def _check(written: models.Client, sheet: Sheet, scene: Scene) -> Iterator[Fault]:
    if not written.numbers and scene.unknown_client is not None and written.id != scene.unknown_client:
        yield sheet.at(("numbers",)).fault(told("a client needs at least one number"))
    if written.display is None and len(written.name) > _DISPLAY_AT_MOST:
        message = told(
            "the name has {count} characters: give a `display` of at most {most}",
            count=len(written.name),
            most=_DISPLAY_AT_MOST,
        )
        yield sheet.at(("name",)).fault(message)
    if written.recording != "never" and written.profile != "general":
        message = told(
            "a {profile} client's calls are never recorded: write `recording: never`", profile=written.profile
        )
        yield sheet.at(("recording",)).fault(message)
    if written.recording_beep is not None and written.recording_beep < _BEEP_AT_LEAST:
        yield sheet.at(("recording_beep",)).fault(
            told("at least {least:.0f}s: nobody talks between tones", least=_BEEP_AT_LEAST)
        )
    if written.decision is not None and written.decision.within > _DECISION_AT_MOST:
        message = told("at most {most:.0f}s: the caller hears nothing meanwhile", most=_DECISION_AT_MOST)
        yield sheet.at(("decision", "within")).fault(message)
    if written.outgoing is not None and written.outgoing.verified and written.outgoing.number is None:
        yield sheet.at(("outgoing", "verified")).fault(told("there is no `number` that could be verified"))
    if written.early_limit > _EARLY_AT_MOST:
        yield sheet.at(("early_limit",)).fault(
            told(
                "at most {most:.0f}s: networks give up on unanswered calls",
                most=_EARLY_AT_MOST,
            )
        )
    if (written.retention.recordings or 0.0) > _RECORDINGS_AT_MOST:
        yield sheet.at(("retention", "recordings")).fault(told("recordings may be kept for 180d at most"))
    if written.wrap_up.max < written.wrap_up.min:
        yield sheet.at(("wrap_up", "max")).fault(told("is shorter than `min`"))


def _when(when: models.When, route: Route, ear: Ear, client: models.Client) -> core.When:
    own = {line.did for line in client.numbers}
    for index, did in enumerate(when.did or ()):
        if did not in own:
            message = told(
                "{did} is not one of this client's numbers{near}", did=did, near=suggestion(did, sorted(own))
            )
            ear.faults.append(ear.sheet.at((*route, "did", index)).fault(message))
    for index, dates in enumerate(when.dates or ()):
        if dates.to < dates.from_:
            ear.faults.append(
                ear.sheet.at((*route, "dates", index, "to")).fault(told("ends before it begins"))
            )
    meant = _callers(when.caller or (), (*route, "caller"), ear)
    return core.When(
        caller=meant.entries,
        listed=meant.listed,
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


def _taken_name(written: models.Client, sheet: Sheet) -> Iterator[Fault]:
    """A rule by the name of the bureau's own: the journal could not tell them apart."""
    for index, rule in enumerate(written.rules):
        if rule.name == core.BLOCKED:
            yield sheet.at(("rules", index, "name")).fault(
                told(
                    "`{name}` is the rule of the callers that bureau.yaml blocks: choose another",
                    name=rule.name,
                )
            )


def _vips(entries: Sequence[str], route: Route, ear: Ear) -> Callers:
    for index, entry in enumerate(entries):
        if entry in (ANONYMOUS, PLATFORM):
            message = told("`{entry}` cannot be a VIP: name numbers, prefixes or lists", entry=entry)
            ear.faults.append(ear.sheet.at((*route, index)).fault(message))
    return _callers(entries, route, ear)


def _callers(entries: Sequence[str], route: Route, ear: Ear) -> Callers:
    found, faults = callers(
        entries, ear.scene.lists, ear.scene.plan, lambda index: ear.sheet.at((*route, index))
    )
    ear.faults += faults
    return found


def _first_on_full(rules: tuple[core.Rule, ...]) -> tuple[core.Step, ...]:
    """`on_full` of the client's first queue: what a call over `max_calls` gets where the client says nothing."""
    queues = (step for rule in rules for step in rule.do if isinstance(step, core.Enqueue))
    return next((queue.on_full for queue in queues if queue.on_full), ())
