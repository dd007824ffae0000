"""Whether somebody can answer: preferred secretaries, languages and countries against the teams.

Must not know posts or who is at work today. Invariant: in a set that passes, every queue of a client
whose team has anybody at all has somebody in it who may take that client's calls. The story goes
on in `load`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from autocom.config.faults import suggestion
from autocom.config.wording import told
from autocom.core.reach import suits, teams_of

if TYPE_CHECKING:
    from autocom.config import models
    from autocom.config import steps as written
    from autocom.config.bureau_build import Built
    from autocom.config.document import Route
    from autocom.config.faults import Fault
    from autocom.config.shape import Sheet
    from autocom.core.model import Client, Secretary


def check_staff(client: models.Client, sheet: Sheet, core: Client, house: Built) -> Iterator[Fault]:
    """Queues of this client that nobody may answer, and preferences that cannot be met."""
    wrong: set[str] = set()
    for step, route in client.every_step:
        if step.queue is None or step.queue.team not in house.teams:
            continue
        reached = teams_of((step.queue.team,), house.teams)
        staff = [person for person in house.secretaries.values() if not reached.isdisjoint(person.teams)]
        if staff and (key := _missing(staff, core, house)) and key not in wrong:
            wrong.add(key)
            yield sheet.at((key,)).fault(_nobody(key, step.queue.team))
        yield from _preferred(step.queue, route, sheet, staff, core, house)


def _missing(staff: list[Secretary], client: Client, house: Built) -> str | None:
    """The key of the client that leaves none of these secretaries."""
    if any(suits(person, client, house.bureau) for person in staff):
        return None
    speak = any(set(client.languages) & set(person.languages) for person in staff)
    return "languages" if client.languages and not speak else "countries"


def _nobody(key: str, team: str) -> str:
    if key == "languages":
        return told("nobody whom team `{team}` reaches speaks one of these languages", team=team)
    return told(
        "nobody whom team `{team}` reaches sits in one of these countries (and speaks the client's languages)",
        team=team,
    )


def _preferred(
    queue: written.Queue, route: Route, sheet: Sheet, staff: list[Secretary], client: Client, house: Built
) -> Iterator[Fault]:
    if queue.preferred is None:
        return
    reached = {person.id for person in staff}
    for index, name in enumerate(queue.preferred.secretaries):
        place = sheet.at((*route, "preferred", "secretaries", index))
        if name not in house.secretaries:
            near = suggestion(name, house.secretaries)
            yield place.fault(told("there is no secretary `{name}`{near}", name=name, near=near))
        elif name not in reached:
            yield place.fault(told("team `{team}` does not reach `{name}`", team=queue.team, name=name))
        elif not suits(house.secretaries[name], client, house.bureau):
            yield place.fault(
                told("`{name}` may not take these calls: `languages` or `countries` of the client", name=name)
            )
