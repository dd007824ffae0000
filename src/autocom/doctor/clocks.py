"""Clocks: this machine's, PostgreSQL's and Asterisk's. Waits, hours and the journal's order hang on them.

Whether the clock is disciplined is asked of the kernel, which every NTP program tells. Must not set anything.
"""

from __future__ import annotations

import asyncio
import ctypes
from collections.abc import Callable
from datetime import datetime

import psycopg

from autocom.asterisk.clock import SteadyClock
from autocom.doctor.asking import ari, postgres
from autocom.doctor.findings import Check, Finding, bad, ok, say, warn
from autocom.doctor.patient import Patient

MOST_APART = 1.0
"""Seconds: more than that, and the journal's facts of two machines stand in the wrong order."""
_UNSYNCHRONISED = 5  # TIME_ERROR of adjtimex(2)


def kernel_state() -> int | None:
    """What adjtimex(2) says of the clock, with nothing to set; None where it cannot be asked."""
    try:
        room = ctypes.create_string_buffer(512)  # struct timex, all zero: modes 0 reads only
        return int(ctypes.CDLL(None).adjtimex(room))
    except (OSError, AttributeError):
        return None


def synchronised(ask: Callable[[], int | None] = kernel_state) -> Check:
    """The check, asking so."""

    async def clock(_: Patient) -> Finding:
        state = ask()
        if state is None or state < 0:
            return ok(say("le noyau ne dit rien de l'horloge", "the kernel says nothing of the clock"))
        if state == _UNSYNCHRONISED:
            return warn(
                say("l'horloge n'est pas synchronisée", "the clock is not synchronised"),
                say(
                    "`timedatectl set-ntp true`, ou installez chrony (dans un conteneur : sur l'hôte)",
                    "`timedatectl set-ntp true`, or install chrony (in a container: on its host)",
                ),
            )
        return ok(say("synchronisée", "synchronised"))

    return clock


async def skew(patient: Patient) -> Finding | None:
    """How far PostgreSQL's and Asterisk's clocks are from ours."""
    found = {"PostgreSQL": await _of_postgres(patient), "Asterisk": await _of_asterisk(patient)}
    known = {name: apart for name, apart in found.items() if apart is not None}
    if not known:
        return None
    seen = ", ".join(f"{name} {apart:+.2f} s" for name, apart in known.items())
    if all(abs(apart) <= MOST_APART for apart in known.values()):
        return ok(say("{seen}", "{seen}", seen=seen))
    return bad(
        say("les horloges diffèrent : {seen}", "the clocks differ: {seen}", seen=seen),
        say("synchronisez toutes les machines par NTP", "synchronise all machines by NTP"),
    )


async def _of_postgres(patient: Patient) -> float | None:
    now = SteadyClock().now

    def ask() -> float:
        with postgres(patient) as database:
            before = now()
            row = database.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
            after = now()
            return float(row[0]) - (before + after) / 2 if row else 0.0

    if patient.database is None:
        return None
    try:
        return await asyncio.to_thread(ask)
    except (psycopg.Error, OSError):
        return None


async def _of_asterisk(patient: Patient) -> float | None:
    now = SteadyClock().now
    before = now()
    answer = await ari(patient, "GET", "asterisk/ping")
    if answer is None or answer.status != 200 or not isinstance(answer.body, dict):
        return None
    if "timestamp" not in answer.body:
        return None  # no Asterisk: `asterisk` says so
    told = datetime.fromisoformat(str(answer.body["timestamp"])).timestamp()
    return told - (before + now()) / 2


CLOCKS: tuple[tuple[str, Check], ...] = (("clock", synchronised()), ("clocks apart", skew))
