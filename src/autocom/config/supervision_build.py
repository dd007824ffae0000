"""Who leads a team, and when she may listen: `leads` and `supervision` as the core's frozen values.

Must not know whose calls may be heard at all: that is law, and stands in `core.supervision`. Invariant: whoever leads
a team is a secretary, and a window that nobody could use is a fault. The story goes on in `bureau_build`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autocom.config.faults import suggestion
from autocom.config.hours_build import weekly
from autocom.config.wording import told
from autocom.core import model as core

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autocom.config import models
    from autocom.config.document import Document
    from autocom.config.faults import Fault


def supervision(written: models.Supervision | None) -> core.Supervision | None:
    """The team's window; None: never."""
    if written is None:
        return None
    return core.Supervision(
        weekly(written.hours),
        tuple(mode for mode in core.MODES if mode in written.modes),
        beep=written.notice == "beep",
        confidential=written.confidential,
    )


def check_supervision(written: models.Bureau, document: Document) -> Iterator[Fault]:
    """Leads who are nobody, and windows without leads."""
    people = {person.id for person in written.secretaries}
    for name, team in written.teams.items():
        for index, lead in enumerate(team.leads):
            if lead not in people:
                place = document.at(("teams", name, "leads", index))
                yield place.fault(
                    told("there is no secretary `{name}`{near}", name=lead, near=suggestion(lead, people))
                )
        if team.supervision is not None and not team.leads:
            place = document.key_at(("teams", name, "supervision"))
            yield place.fault(told("nobody may use it: the team has no `leads`"))
