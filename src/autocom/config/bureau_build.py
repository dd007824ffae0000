"""bureau.yaml as the core's frozen values: the house, its trunks, secretaries and teams.

Checks what concerns the house alone: doubles, teams that lead nowhere, trunks that cannot be
told apart. Must not know clients. Invariant: where a fault was added the values are never used.
The story goes on in `load`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autocom.config.alerts_build import build_alerts
from autocom.config.faults import doubles, suggestion
from autocom.config.lists_build import ANONYMOUS, Lists, build_lists, callers
from autocom.config.roster_build import build_rosters, check_rosters
from autocom.config.supervision_build import check_supervision, supervision
from autocom.config.wording import told
from autocom.core import model as core
from autocom.core.dialling import EMERGENCY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autocom.config import models
    from autocom.config.document import Document
    from autocom.config.faults import Fault
    from autocom.core.numbers import NumberingPlan


@dataclass(frozen=True, slots=True)
class Built:
    """The house, and what is wrong with its file."""

    bureau: core.Bureau
    trunks: Mapping[str, core.Trunk]
    secretaries: Mapping[str, core.Secretary]
    teams: Mapping[str, core.Team]
    lists: Lists
    blocked: core.Rule | None
    rosters: Mapping[str, core.Roster]
    faults: tuple[Fault, ...]


def build_bureau(written: models.Bureau, document: Document, plan: NumberingPlan) -> Built:
    """The core's values."""
    house = written.bureau
    lists, list_faults = build_lists(written.lists, house.timezone, plan, document)
    blocked, blocked_faults = _blocked(written, document, plan, lists)
    return Built(
        bureau=core.Bureau(
            name=house.name,
            number=house.number,
            country=house.country,
            timezone=house.timezone,
            language=house.language,
            unknown_client=house.unknown_client,
            pause_after=house.no_answer.pause_after,
            quotas={
                reason: core.Quota(pause.max, pause.per_day, pause.times)
                for reason, pause in house.pauses.items()
            },
            breather=core.Breather(house.breather.after, house.breather.for_) if house.breather else None,
            supervisor=tuple(house.supervisor.mail) if house.supervisor else (),
            hold_reminder=house.hold_reminder,
            parking_return=house.parking.return_after,
            forwarding_outside=house.forwarding.outside,
            forwarding_depth=house.forwarding.depth,
            alerts=build_alerts(written.alerts),
        ),
        trunks={
            trunk.id: core.Trunk(
                trunk.id, tuple(trunk.match), trunk.did_in, trunk.host, trunk.max_calls, trunk.qualify
            )
            for trunk in written.trunks
        },
        secretaries={secretary.id: _secretary(secretary) for secretary in written.secretaries},
        teams={
            name: core.Team(
                name,
                tuple(core.Widening(widen.after, widen.to) for widen in team.widen),
                extension=team.extension,
                leads=tuple(team.leads),
                supervision=supervision(team.supervision),
            )
            for name, team in written.teams.items()
        },
        lists=lists,
        blocked=blocked,
        rosters=build_rosters(written),
        faults=(
            *_trunks(written, document),
            *_secretaries(written, document),
            *_teams(written, document),
            *check_supervision(written, document),
            *check_rosters(written, document),
            *_pauses(written, document),
            *list_faults,
            *blocked_faults,
        ),
    )


def _secretary(written: models.Secretary) -> core.Secretary:
    return core.Secretary(
        id=written.id,
        name=written.name,
        extension=written.extension,
        password=written.password,
        teams=dict(written.teams),
        languages=tuple(written.languages),
        country=written.site.country if written.site else None,
        site=written.site.name if written.site else None,
        auto_login=written.auto_login,
        whisper=written.whisper,
    )


def _trunks(written: models.Bureau, document: Document) -> Iterator[Fault]:
    ids = ((trunk.id, document.at(("trunks", index, "id"))) for index, trunk in enumerate(written.trunks))
    yield from doubles(ids, told("trunk"))
    taken: list[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, str]] = []
    for index, trunk in enumerate(written.trunks):
        for position, text in enumerate(trunk.match):
            network = ipaddress.ip_network(text)
            for other, owner in taken:
                if network.version == other.version and network.overlaps(other):
                    place = document.at(("trunks", index, "match", position))
                    yield place.fault(
                        told(
                            "{address} is an address of trunk `{owner}` already ({other})",
                            address=text,
                            owner=owner,
                            other=other,
                        )
                    )
            taken.append((network, trunk.id))


def _secretaries(written: models.Bureau, document: Document) -> Iterator[Fault]:
    people = list(enumerate(written.secretaries))
    yield from doubles(((p.id, document.at(("secretaries", i, "id"))) for i, p in people), told("secretary"))
    hers = [(p.extension, document.at(("secretaries", i, "extension"))) for i, p in people]
    queues = [
        (team.extension, document.at(("teams", name, "extension")))
        for name, team in written.teams.items()
        if team.extension is not None
    ]
    yield from doubles([*hers, *queues], told("extension"))
    for extension, place in (*hers, *queues):
        if extension in EMERGENCY:
            yield place.fault(
                told("`{text}` is an emergency number, never an extension: give another one", text=extension)
            )
    for index, person in people:
        for team in person.teams:
            if team not in written.teams:
                place = document.key_at(("secretaries", index, "teams", team))
                yield place.fault(
                    told("there is no team `{name}`{near}", name=team, near=suggestion(team, written.teams))
                )


def _teams(written: models.Bureau, document: Document) -> Iterator[Fault]:
    for name, team in written.teams.items():
        for index, widen in enumerate(team.widen):
            place = document.at(("teams", name, "widen", index, "to"))
            if widen.to == name:
                yield place.fault(told("team `{name}` cannot widen to itself", name=name))
            elif widen.to not in written.teams:
                yield place.fault(
                    told(
                        "there is no team `{name}`{near}",
                        name=widen.to,
                        near=suggestion(widen.to, written.teams),
                    )
                )


def _pauses(written: models.Bureau, document: Document) -> Iterator[Fault]:
    for reason, pause in written.bureau.pauses.items():
        if pause.max is not None and pause.per_day is not None and pause.per_day < pause.max:
            place = document.at(("bureau", "pauses", reason, "per_day"))
            yield place.fault(told("is shorter than `max`"))


def _blocked(
    written: models.Bureau, document: Document, plan: NumberingPlan, lists: Lists
) -> tuple[core.Rule | None, list[Fault]]:
    """The rule before all rules. A withheld number is nobody's: who calls with one may be anybody."""
    found, faults = callers(written.blocked, lists, plan, lambda index: document.at(("blocked", index)))
    if ANONYMOUS in written.blocked:
        place = document.at(("blocked", written.blocked.index(ANONYMOUS)))
        faults.append(
            place.fault(told("`anonymous` cannot be blocked for every client: write a rule of the client"))
        )
    if not written.blocked:
        return None, faults
    when = core.When(
        caller=tuple(entry for entry in found.entries if entry != ANONYMOUS) or (core.NO_CALLER,),
        listed=tuple(listed for listed in found.listed if listed.entry != ANONYMOUS),
    )
    steps = (core.Hangup(core.HangupKind.BUSY),)
    return core.Rule(core.BLOCKED, when, steps, document.key_at(("blocked",)).line), faults
