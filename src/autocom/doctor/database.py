"""PostgreSQL: reachable, new enough, migrated, with the rights that are needed and no more, and caught up.

Calls go on without it, so nothing here is the end of the service; but what is written down piles up on the disk.
Must not know what is in the tables.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import psycopg
from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

from autocom.doctor.asking import postgres
from autocom.doctor.findings import Check, Finding, Said, bad, ok, same, say, warn
from autocom.doctor.patient import Patient
from autocom.journal import migrate
from autocom.journal.postgres_programs import PostgresUnavailable, find_programs

OLDEST = 14
MOST_BEHIND = 1000
"""Facts that wait to be copied: a minute of a busy bureau."""


@dataclass(frozen=True, slots=True)
class _Server:
    version: int
    zone: str
    superuser: bool
    writes: bool
    tables: bool


async def program(patient: Patient) -> Finding | None:
    """Whether there is a PostgreSQL that we can start, and that reads the cluster that is there."""
    if patient.settings.database_url is not None:
        return None
    cluster = patient.settings.state / "postgres" / "cluster" / "PG_VERSION"
    made_by = cluster.read_text().strip() if cluster.exists() else None
    try:
        found = await asyncio.to_thread(find_programs, made_by)
    except PostgresUnavailable as error:
        return bad(
            same(str(error)),
            say(
                "`make setup`, ou installez cette version de PostgreSQL, ou donnez AUTOCOM_DATABASE_URL",
                "`make setup`, or install that version of PostgreSQL, or set AUTOCOM_DATABASE_URL",
            ),
        )
    return ok(same(f"PostgreSQL {found.version}"))


async def reachable(patient: Patient) -> Finding | None:
    """Whether it answers, and which one it is."""
    if patient.database is None:
        if not patient.alive and patient.settings.database_url is None:
            return None  # a private one, started with the exchange
        return bad(
            say("aucune base n'est connue", "no database is known"),
            say("donnez AUTOCOM_DATABASE_URL", "set AUTOCOM_DATABASE_URL"),
        )
    try:
        server = await asyncio.to_thread(_look, patient)
    except (psycopg.Error, OSError) as error:
        if not patient.alive and patient.settings.database_url is None:
            return None
        return bad(_first_line(error), _REPAIR)
    seen = say(
        "PostgreSQL {major}, fuseau {zone}",
        "PostgreSQL {major}, zone {zone}",
        major=server.version,
        zone=server.zone,
    )
    if server.version < OLDEST:
        return bad(
            seen, say("passez à PostgreSQL {v} ou plus", "upgrade to PostgreSQL {v} or newer", v=OLDEST)
        )
    return ok(seen)


async def migrated(patient: Patient) -> Finding | None:
    """Whether its tables are those of this version."""
    if patient.database is None:
        return None
    try:
        at, head = await asyncio.to_thread(
            lambda: (migrate.current(patient.database or ""), migrate.newest())
        )
    except (SQLAlchemyError, CommandError, OSError):
        return None  # not reachable: said above
    if at == head:
        return ok(say("révision {head}", "revision {head}", head=head))
    return bad(
        say("révision {at}, il faut {head}", "revision {at}, needed is {head}", at=at or "–", head=head),
        say("`autocom db upgrade` (une sauvegarde d'abord)", "`autocom db upgrade` (a backup first)"),
    )


async def rights(patient: Patient) -> Finding | None:
    """Whether our role can write the journal, and is no more than it must be."""
    if patient.database is None:
        return None
    try:
        server = await asyncio.to_thread(_look, patient)
    except (psycopg.Error, OSError):
        return None
    if server.tables and not server.writes:
        return bad(
            say("notre rôle ne peut pas écrire le journal", "our role cannot write the journal"),
            say(
                "donnez-lui les droits, ou rendez-le propriétaire des tables",
                "grant it, or make it the tables' owner",
            ),
        )
    if server.superuser and patient.settings.database_url is not None:
        return warn(
            say("notre rôle est superutilisateur", "our role is a superuser"),
            say(
                "prenez un rôle à lui, propriétaire de sa base",
                "give autocom a role of its own that owns its database",
            ),
        )
    return ok(say("droits suffisants", "rights suffice"))


async def behind(patient: Patient) -> Finding | None:
    """How much of the journal waits to be copied."""
    if patient.status is None:
        return None
    waiting = int(patient.status["database"]["behind"])
    seen = say("{n} faits en attente", "{n} facts wait", n=waiting)
    if patient.status["database"]["state"] != "up":
        return bad(
            say(
                "la base est absente ; {n} faits en attente",
                "the database is away; {n} facts wait",
                n=waiting,
            ),
            _REPAIR,
        )
    if waiting > MOST_BEHIND:
        return warn(
            seen,
            say(
                "la base est lente : regardez sa charge et son disque",
                "the database is slow: look at its load and disk",
            ),
        )
    return ok(seen)


def _look(patient: Patient) -> _Server:
    with postgres(patient) as database:
        row = database.execute(
            "SELECT current_setting('server_version_num')::int / 10000, current_setting('TimeZone'),"
            " (SELECT rolsuper FROM pg_roles WHERE rolname = current_user), to_regclass('events') IS NOT NULL"
        ).fetchone()
        assert row is not None
        writes = row[3] and database.execute("SELECT has_table_privilege('events', 'INSERT')").fetchone()
        return _Server(int(row[0]), str(row[1]), bool(row[2]), bool(writes and writes[0]), bool(row[3]))


def _first_line(error: Exception) -> Said:
    line = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return say("injoignable : {line}", "not reachable: {line}", line=line)


_REPAIR = say(
    "démarrez PostgreSQL, vérifiez AUTOCOM_DATABASE_URL et pg_hba.conf ; les appels continuent sans elle",
    "start PostgreSQL, check AUTOCOM_DATABASE_URL and pg_hba.conf; calls go on without it",
)

DATABASE: tuple[tuple[str, Check], ...] = (
    ("database program", program),
    ("database", reachable),
    ("migrations", migrated),
    ("database rights", rights),
    ("journal lag", behind),
)
