"""What is allowed and yet looks like an oversight: told by `check`, never a reason to refuse.

Must not repeat what is a fault. Invariant: notes change nothing of what is loaded. The story ends
here; `load` hands them out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from autocom.config.steps_build import every_step

if TYPE_CHECKING:
    from autocom.config import models
    from autocom.config.document import Document
    from autocom.config.faults import Fault
    from autocom.config.shape import Sheet

_EMERGENCY = re.compile(r"\b(?:15|112|116 ?117|quinze)\b")


def notes_on_bureau(house: models.Bureau, document: Document) -> Iterator[Fault]:
    """Secretaries whom no call can reach, and teams in which nobody is."""
    staffed = {team for person in house.secretaries for team in person.teams}
    for index, person in enumerate(house.secretaries):
        if not person.teams:
            yield document.at(("secretaries", index)).fault(
                f"note: {person.id} is in no team and gets no calls"
            )
    for name, team in house.teams.items():
        if staffed.isdisjoint({name, *(widen.to for widen in team.widen)}):
            yield document.key_at(("teams", name)).fault(
                f"note: nobody is in team `{name}` or where it widens to"
            )


def notes_on_client(client: models.Client, sheet: Sheet) -> Iterator[Fault]:
    """A medical client's closed rule whose spoken messages name no emergency number."""
    if client.profile != "medical":
        return
    for index, rule in enumerate(client.rules):
        if rule.when is None or rule.when.hours != "closed":
            continue
        plays = [
            (step.play, route) for step, route in every_step(rule.do, ("rules", index, "do")) if step.play
        ]
        spoken: Sequence[str] = [play.say for play, _ in plays if play.say]
        if spoken and len(spoken) == len(plays) and not any(_EMERGENCY.search(text) for text in spoken):
            yield sheet.at(plays[0][1]).fault(
                "note: this message names no emergency number (15, 112, 116 117)"
            )
