"""Whether outgoing calls get through a trunk: calls in a row that it could not connect, read from the journal.

A call that rang, was answered or found its line busy proves the trunk; one that was unreachable, never even rang, or
was rejected before it rang (403: the account is blocked) speaks against it. Pure fold. Must not know what an operator
is, nor whether he answers OPTIONS. Invariant: a wrong number or a busy line is no fault of a trunk. `lookout` says how
many are too many.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from autocom.core.journal import Entry
from autocom.core.telephony import Cause

_BEGINS: Final = frozenset({"forward_started", "consult_started"})
_PROVES: Final = frozenset({"forward_ringing", "forward_answered", "consult_answered"})
_ENDS: Final = frozenset({"forward_ended", "consult_ended"})
_ITS_FAULT: Final = frozenset({None, 3, 18, 27, 34, 38, 41, 42, 44, 47, 58, 102})
"""Q.850 causes of a network; None: Asterisk could not dial at all."""

MOST: Final = 4096


class TrunkHealth:
    """`trunk_of`: the trunk of a leg that a call of that id has just begun, None where it needs none."""

    def __init__(self, trunk_of: Callable[[str], str | None]) -> None:
        self._trunk_of = trunk_of
        self._legs: dict[str, tuple[str, bool]] = {}  # trunk, whether it has proved it
        self._failed: dict[str, int] = {}

    @property
    def failed(self) -> Mapping[str, int]:
        """Calls in a row that did not get through, by trunk."""
        return self._failed

    def suspect(self, trunk: str, failed: int) -> None:
        """So many calls in a row did not get through before this process began to count."""
        self._failed.setdefault(trunk, failed)

    def take(self, entry: Entry) -> None:
        """A fact of the journal, in order."""
        leg = entry.fields.get("leg")
        if not isinstance(leg, str):
            return
        if entry.kind in _BEGINS:
            number = str(entry.fields.get("number") or "")
            trunk = self._trunk_of(entry.call or "") if number.startswith("+") else None
            if trunk is not None and len(self._legs) < MOST:
                self._legs[leg] = (trunk, False)
        elif entry.kind in _PROVES and leg in self._legs:
            trunk, _ = self._legs[leg]
            self._legs[leg] = (trunk, True)
            self._failed.pop(trunk, None)
        elif entry.kind in _ENDS and leg in self._legs:
            trunk, proved = self._legs.pop(leg)
            if not proved:
                self._judge(trunk, entry)

    def _judge(self, trunk: str, entry: Entry) -> None:
        cause = entry.fields.get("cause")
        match entry.fields.get("result"):
            case "unreachable" if cause in _ITS_FAULT:
                self._failed[trunk] = self._failed.get(trunk, 0) + 1
            case "refused" if cause != Cause.REJECTED:
                self._failed.pop(trunk, None)
            # it never rang, which of a consultation nobody writes down: nobody answered the INVITE, or the operator
            # rejected it (a person who declines has heard it ring)
            case "no_answer" | "refused" if entry.kind == "forward_ended":
                self._failed[trunk] = self._failed.get(trunk, 0) + 1
            case _:
                pass
