"""Where whoever notices that something is wrong with the exchange itself says so, once for all listeners.

One line in the log and one entry `fault` in the journal, which `alerting` follows. Must not know what is done
about it. Never raises but for a name that is not in `core.faults.FAULTS`. The words: `core.faults`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from autocom.core.faults import fault

if TYPE_CHECKING:
    from autocom.calls.ports import Clock, Saving

log = structlog.get_logger()


def note(journal: Saving, clock: Clock, name: str, where: str, detail: str, over: bool = False) -> None:  # noqa: FBT001, FBT002 - read as a word by its many callers
    """Write down that `name` is the case at `where` (empty: there is only one), or is `over`. No caller's number may
    stand in `where` or `detail`. Say it when it begins and when it ends, not at every look."""
    entry = fault(clock.now(), name, where, detail, over=over)
    if over:
        log.warning("fault is over", fault=name, where=entry.fields["where"], detail=entry.fields["detail"])
    else:
        log.error("fault", fault=name, where=entry.fields["where"], detail=entry.fields["detail"])
    journal.save([entry])
