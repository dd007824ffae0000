"""What Asterisk itself complains about: the errors in its log, since it started.

Elsewhere than beside `autocom up` the log is appended to for ever: an error of last year is nobody's trouble today.
Must not know what an error means.
"""

from __future__ import annotations

import asyncio
import math
import os
from datetime import datetime
from pathlib import Path

from autocom.asterisk.ari.translate import epoch
from autocom.doctor.asking import Answer, ari
from autocom.doctor.findings import Finding, ok, say, warn
from autocom.doctor.patient import Patient

LONGEST_LOG = 1 << 20
BOOT = 60.0
"""Seconds that Asterisk may have been starting when it says that it started."""


async def troubles(patient: Patient) -> Finding | None:
    """What Asterisk itself complained about since its start, as far as the end of its log tells."""
    file = patient.asterisk_state / "log" / "messages"
    try:
        lines = await asyncio.to_thread(_tail, file)
    except OSError:
        return None
    # our own one begins its log anew
    began = 0.0 if patient.private else await _began(patient)
    errors = [line for line in lines if " ERROR[" in line and _instant(line) > began]
    if errors:
        return warn(
            say(
                "{n} erreurs ; la dernière : {line}",
                "{n} errors; the last: {line}",
                n=len(errors),
                line=errors[-1][-120:],
            ),
            say("lisez {file}", "read {file}", file=file),
        )
    return ok(say("aucune erreur dans son journal", "no error in its log"))


def _tail(file: Path) -> list[str]:
    with file.open("rb") as log:
        log.seek(max(0, log.seek(0, os.SEEK_END) - LONGEST_LOG))
        return log.read().decode(errors="replace").splitlines()


async def _began(patient: Patient) -> float:
    """When Asterisk began to start; 0 where that is not known."""
    answer = await ari(patient, "GET", "asterisk/info", {"only": "status"})
    match answer:
        case Answer(200, {"status": {"startup_time": str(told)}}):
            return epoch(told) - BOOT
        case _:
            return 0.0


def _instant(line: str) -> float:
    """Of a line of the log, in Asterisk's own zone; what has none is of any time."""
    try:
        return datetime.fromisoformat(line[1:20]).timestamp()
    except ValueError:
        return math.inf
