"""Numbers that autocom would call by itself.

Must not know who answers there. Invariant: nothing that passes leads back to the bureau, to an
emergency line or to a number that costs the bureau money. The story goes on in `load`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from autocom.config.wording import told

if TYPE_CHECKING:
    from autocom.config import models
    from autocom.config.document import Document
    from autocom.config.faults import Fault
    from autocom.config.scene import Scene
    from autocom.config.shape import Sheet

# 08: value-added numbers; 0800 to 0805 are free of charge for who calls
_PREMIUM: Final = re.compile(r"\+338(?!0[0-5])")


def check_outside(client: models.Client, sheet: Sheet, scene: Scene) -> Iterator[Fault]:
    """Steps of a client that would call somebody outside and cannot, or must not."""
    for step, route in client.every_step:
        if step.forward is not None and (why := forbidden(step.forward.to, scene.own_numbers)):
            yield sheet.at((*route, "to")).fault(why)
    for index, contact in enumerate(client.contacts):
        if why := forbidden(contact.number, scene.own_numbers):
            yield sheet.at(("contacts", index, "number")).fault(why)


def check_roster_numbers(
    house: models.Bureau, document: Document, own_numbers: frozenset[str]
) -> Iterator[Fault]:
    """The same of everybody on call."""
    for name, roster in house.rosters.items():
        for contact, route in roster.contacts():
            if why := forbidden(contact.number, own_numbers):
                yield document.at(("rosters", name, *route, "number")).fault(why)


def forbidden(number: str, own_numbers: frozenset[str]) -> str | None:
    """Why this number must not be called without anybody deciding it; None where it may."""
    if number in own_numbers:
        return told("{number} is a number of this bureau: the call would come back for ever", number=number)
    if _PREMIUM.match(number):
        return told("{number} is a premium number: calls there are never placed by rule", number=number)
    return None
