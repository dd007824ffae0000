"""What can be wrong with the exchange itself: the names of its faults, and the entry that writes one down.

A fact of the kind `fault` says that something is wrong, or (`over`) that it is right again; what follows from
it (who is told, how often) is decided in `alerts`. Must not know who notices a fault. Invariant: `where` and
`detail` never hold a caller's number; both are short, and of one line.
"""

from __future__ import annotations

from typing import Final

from autocom.core.journal import Entry

FAULTS: Final[dict[str, str]] = {
    "asterisk_hung": "Asterisk answers no request",
    "loop_blocked": "our own program did not turn for too long",
    "database_down": "PostgreSQL is away; calls go on without it",
    "journal_lag": "what is written down reaches PostgreSQL too late",
    "disk_low": "a disk is nearly full",
    "descriptors_low": "the exchange may hardly open a file or a connection more",
    "one_way_audio": "one side of a conversation sends no sound",
    "part_failed": "an error of ours in a part that calls do not wait for; it was begun again",
    "rescued": "the rescuer gave new or waiting callers of an exchange that did not answer to the dialplan",
    "difference_repaired": "what we knew and what Asterisk knew differed, and was mended",
    "banned": "an address is shut out after too many refused registrations",
    "sound_missing": "a sound that a caller should hear is not there",
}
"""Every name that an entry `fault` may have, and what it means."""

LONGEST: Final = 300
"""Characters of `where` and `detail` that are kept."""


def fault(at: float, name: str, where: str, detail: str, *, over: bool = False) -> Entry:
    """The entry. `at`: UTC epoch seconds; `where`: which one of its kind (a trunk, a client, a disk; empty: there is
    only one). A name that is not in `FAULTS` is an error of ours: KeyError."""
    if name not in FAULTS:
        raise KeyError(name)
    return Entry(
        at,
        "fault",
        None,
        {"fault": name, "where": _line(where), "detail": _line(detail), "over": over},
    )


def _line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:LONGEST]
