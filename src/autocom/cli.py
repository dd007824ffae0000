"""The commands. Each finds the running exchange by its state folder and speaks to it over the API;
the journal is read from PostgreSQL directly, so it can be read while the exchange is away.

Must not decide anything itself. What goes wrong is one line on stderr with what to do, and exit 1.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

import aiohttp
import click
import structlog

from autocom.config import ConfigurationRefused, load, plan_of
from autocom.config import schema as config_schema
from autocom.config.scalars import duration
from autocom.settings import Settings, SettingsError
from autocom.state import Card, NotRunning, StateBusy, read_card

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncEngine

    from autocom.app import Parts

T = TypeVar("T")


def fail(message: str) -> None:
    """One line for the person at the terminal, exit 1."""
    click.echo(f"autocom: {message}", err=True)
    raise SystemExit(1)


def settings() -> Settings:
    """The settings, or one line saying which is wrong."""
    try:
        return Settings.read()
    except SettingsError as error:
        fail(str(error))
        raise


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="autocom")
def main() -> None:
    """autocom, the telephone exchange of a télésecrétariat."""


# --- running ---------------------------------------------------------------------------------


def _run(*, private: bool, calls: int | None) -> None:
    from autocom import app, logs  # noqa: PLC0415 - only who serves loads the whole exchange
    from autocom.asterisk.conf.text import Unwritable  # noqa: PLC0415
    from autocom.asterisk.installation import NoAsterisk  # noqa: PLC0415
    from autocom.asterisk.private import AsteriskFailed  # noqa: PLC0415
    from autocom.asterisk.telephone import Replaced, TooOld  # noqa: PLC0415
    from autocom.foundations import CannotServe  # noqa: PLC0415
    from autocom.journal.postgres import PostgresUnavailable  # noqa: PLC0415

    chosen = settings()
    logs.set_up(chosen.log, chosen.log_format)

    def say(text: str) -> None:
        click.echo(text)
        sys.stdout.flush()

    when_ready = None if calls == 0 else _demonstration(chosen, say, calls)
    expected = (
        CannotServe, Replaced, TooOld, StateBusy, Unwritable, NoAsterisk, AsteriskFailed, PostgresUnavailable, OSError, ValueError
    )  # fmt: skip
    try:
        asyncio.run(app.run(chosen, private=private, say=say, when_ready=when_ready))
    except* (ConfigurationRefused, *expected) as group:
        for error in _flat(group):
            lines = (
                map(str, error.faults) if isinstance(error, ConfigurationRefused) else [f"autocom: {error}"]
            )
            for line in lines:
                click.echo(line, err=True)
        raise SystemExit(1) from None


def _flat(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    """The errors of a group of groups."""
    found: list[BaseException] = []
    for error in group.exceptions:
        found += _flat(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


@main.command()
@click.option("--demo", is_flag=True, help="Place one demonstration call when ready, and tell it live.")
def up(demo: bool) -> None:
    """Start all that is missing (PostgreSQL, Asterisk), migrate, serve."""
    _run(private=True, calls=1 if demo else 0)


@main.command()
def serve() -> None:
    """The service alone, against an Asterisk and a PostgreSQL that run elsewhere."""
    _run(private=False, calls=0)


@main.command()
@click.option(
    "--calls", type=click.IntRange(min=1), help="Stop calling after so many; without: until Ctrl-C."
)
def demo(calls: int | None) -> None:
    """A running bureau with real SIP callers and secretaries, told live in the terminal."""
    _run(private=True, calls=calls)


def _demonstration(
    chosen: Settings, say: Callable[[str], None], calls: int | None
) -> Callable[[Parts], Awaitable[None]]:
    from autocom import demonstration  # noqa: PLC0415

    return lambda parts: demonstration.show(parts, chosen, say, calls=calls)


# --- configuration ---------------------------------------------------------------------------


@main.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
def check(folder: Path | None) -> None:
    """Validate the configuration; every fault as file:line:column: message."""
    folder = folder or settings().config
    try:
        loaded = load(folder, None, datetime.now(tz=ZoneInfo("UTC")).year)
    except ConfigurationRefused as refused:
        for fault in refused.faults:
            click.echo(str(fault), err=True)
        raise SystemExit(1) from None
    for note in loaded.notes:
        click.echo(f"note: {note}")
    configuration = loaded.configuration
    click.echo(
        f"{folder}: {len(configuration.clients)} clients, {len(configuration.secretaries)} secretaries, "
        f"version {configuration.version}: good"
    )


@main.command()
@click.option("--did", required=True, help="The number called.")
@click.option("--from", "caller", help="The caller's number; `anonymous` or left out: withheld.")
@click.option("--forwarded-from", help="The client's line that was forwarded.")
@click.option("--reason", type=click.Choice(["unconditional", "no-answer", "busy", "unavailable", "unknown"]))
@click.option("--at", help="'YYYY-MM-DD HH:MM' in the bureau's time zone; now if left out.")
@click.option("--json", "as_json", is_flag=True)
def explain(
    did: str,
    caller: str | None,
    forwarded_from: str | None,
    reason: str | None,
    at: str | None,
    as_json: bool,
) -> None:
    """What would happen to this call, and why."""
    from autocom import explain as explaining  # noqa: PLC0415

    folder = settings().config
    try:
        configuration = load(folder, None, datetime.now(tz=ZoneInfo("UTC")).year).configuration
    except ConfigurationRefused as refused:
        for fault in refused.faults:
            click.echo(str(fault), err=True)
        raise SystemExit(1) from None
    plan = plan_of(configuration.bureau.country)
    zone = ZoneInfo(configuration.bureau.timezone)
    trail = explaining.explain(
        configuration,
        plan,
        did=did,
        at=_instant(at, zone),
        caller=caller,
        forwarded_from=forwarded_from,
        reason=reason,
    )
    if as_json:
        click.echo(json.dumps(trail, ensure_ascii=False, indent=2))
    else:
        for sentence in explaining.in_words(trail, plan):
            click.echo(sentence)


def _instant(text: str | None, zone: ZoneInfo) -> float:
    if text is None:
        return datetime.now(tz=zone).timestamp()
    for form in ("%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=zone).timestamp()
        except ValueError:
            continue
    fail(f"--at {text!r}: write it as '2026-12-24 09:30'")
    raise AssertionError


@main.command()
def schema() -> None:
    """JSON Schema of the YAML files."""
    click.echo(json.dumps(config_schema(), ensure_ascii=False, indent=2))


@main.command()
def reload() -> None:
    """Apply the configuration now; refused as a whole when `check` would."""
    answer = _ask("POST", "/v1/reload?author=command")
    for fault in answer["faults"]:
        click.echo(fault, err=True)
    if not answer["applied"]:
        click.echo(f"refused: version {answer['version']} stays in force", err=True)
        raise SystemExit(1)
    click.echo(f"version {answer['version']} is in force")


# --- the running exchange --------------------------------------------------------------------


def _card() -> Card:
    try:
        return read_card(settings().state)
    except NotRunning as error:
        fail(str(error))
        raise


def _ask(method: str, path: str) -> dict[str, Any]:
    """Ask the running exchange; an error answer is one line and exit 1."""
    card = _card()

    async def ask() -> dict[str, Any]:
        timeout = aiohttp.ClientTimeout(total=60)
        async with (
            aiohttp.ClientSession(timeout=timeout, headers={"Authorization": f"Bearer {card.token}"}) as http,
            http.request(method, card.http + path) as response,
        ):
            answer: dict[str, Any] = await response.json()
            return answer

    try:
        answer = asyncio.run(ask())
    except (aiohttp.ClientError, TimeoutError, OSError):
        fail(f"no autocom answers at {card.http} (state {settings().state}): start it with `autocom up`")
        raise
    if "error" in answer:
        fail(answer["error"])
    return answer


@main.command()
@click.option("--json", "as_json", is_flag=True)
def status(as_json: bool) -> None:
    """Asterisk, database, trunks, secretaries, calls waiting."""
    answer = _ask("GET", "/v1/status")
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False))
        return
    behind = answer["database"]["behind"]
    click.echo(
        f"Asterisk {answer['asterisk']['state']}, database {answer['database']['state']}"
        + (f" ({behind} facts behind)" if behind else "")
        + f", {answer['calls']} calls, configuration {answer['config_version']}"
    )
    for trunk in answer["trunks"]:
        click.echo(f"trunk {trunk['id']:<12} {trunk['calls']} calls")
    for row in answer["secretaries"]:
        detail = row["reason"] or row["call"] or ""
        click.echo(f"{row['id']:<12} {row['state']:<11} since {row['since']}  {detail}")
    for row in answer["waiting"]:
        click.echo(
            f"waiting {row['call']}  {row['client']:<20} {row['caller'] or 'withheld'}  since {row['since']}"
        )


@main.command()
@click.argument("who", metavar="ID")
@click.argument("verb", type=click.Choice(["login", "logout", "pause", "resume", "done"]))
@click.argument("reason", required=False)
def secretary(who: str, verb: str, reason: str | None) -> None:
    """What a secretary does: login, logout, pause [REASON], resume, done."""
    from urllib.parse import quote  # noqa: PLC0415

    query = f"?reason={quote(reason, safe='')}" if reason else ""
    row = _ask("POST", f"/v1/secretaries/{quote(who, safe='')}/{verb}{query}")
    click.echo(f"{row['id']} is {row['state']}" + (f" ({row['reason']})" if row["reason"] else ""))


# --- the journal -----------------------------------------------------------------------------


@asynccontextmanager
async def _journal() -> AsyncIterator[AsyncEngine]:
    from autocom.journal.database import make_engine  # noqa: PLC0415

    url = settings().database_url
    card = None
    try:
        card = read_card(settings().state)
    except NotRunning:
        if url is None:
            raise
    if card is not None:
        await _flush(card)
    engine = make_engine(url or (card.database if card else None) or "")
    try:
        yield engine
    finally:
        await engine.dispose()


async def _flush(card: Card) -> None:
    """Let the running exchange ship what it just wrote; where none runs there is nothing to wait for."""
    try:
        timeout = aiohttp.ClientTimeout(total=5)
        async with (
            aiohttp.ClientSession(timeout=timeout, headers={"Authorization": f"Bearer {card.token}"}) as http,
            http.post(f"{card.http}/v1/flush"),
        ):
            pass
    except (aiohttp.ClientError, TimeoutError, OSError):
        return


def _query(question: Callable[[AsyncEngine], Awaitable[T]]) -> T:
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    async def ask() -> T:
        async with _journal() as engine:
            return await question(engine)

    try:
        return asyncio.run(ask())
    except NotRunning as error:
        fail(str(error))
    except LookupError as error:
        fail(str(error))
    except (SQLAlchemyError, OSError, ValueError) as error:
        fail(f"the journal cannot be read: {str(error).splitlines()[0]}")
    raise AssertionError


@main.command()
@click.option("--client", help="Only this client's.")
@click.option("--since", help="'YYYY-MM-DD [HH:MM]', or a duration back from now as 2h or 7d.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def calls(client: str | None, since: str | None, limit: int, as_json: bool) -> None:
    """The journal, newest first."""
    from autocom.journal import queries  # noqa: PLC0415

    start = _since(since) if since else None
    rows = _query(lambda engine: queries.calls(engine, client=client, since=start, limit=limit))
    for row in rows:
        click.echo(json.dumps(row, ensure_ascii=False) if as_json else _call_line(row))


def _since(text: str) -> float:
    if re.fullmatch(r"[0-9.]+(ms|s|m|h|d)", text):
        return (datetime.now(tz=ZoneInfo("UTC")) - timedelta(seconds=duration(text))).timestamp()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        fail(f"--since {text!r}: write '2026-11-22', '2026-11-22 08:00', or a duration as 2h")
        raise
    return (moment if moment.tzinfo else moment.astimezone()).timestamp()


def _call_line(row: Mapping[str, Any]) -> str:
    caller = row["caller"] or ("withheld" if row["anonymous"] else "unknown")
    outcome = row["outcome"] or "open"
    wait = f"{row['wait_ms'] / 1000:.1f} s" if row["wait_ms"] is not None else ""
    return (
        f"{row['arrived_at']}  {row['id']}  {row['client'] or '':<20} {caller:<14} {outcome:<10} "
        f"{row['cause'] or row['secretary'] or '':<15} waited {wait}"
    )


@main.command()
@click.argument("id")
@click.option("--json", "as_json", is_flag=True)
def call(id: str, as_json: bool) -> None:  # noqa: A002 - the contract's word
    """One call's timeline: every fact with its time and its why."""
    from autocom import timeline  # noqa: PLC0415
    from autocom.journal import queries  # noqa: PLC0415

    found = _query(lambda engine: queries.call(engine, id))
    if found is None:
        fail(f"there is no call {id!r}")
        return
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    click.echo(_call_line(found))
    zone = _zone()
    for event in found["events"]:  # type: ignore[union-attr]
        assert isinstance(event, dict)
        at = datetime.fromisoformat(str(event["at"])).timestamp()
        click.echo(timeline.line(at, str(event["kind"]), event, zone))


def _zone() -> ZoneInfo:
    """The bureau's, as far as the running exchange said it."""
    try:
        return ZoneInfo(read_card(settings().state).timezone)
    except NotRunning:
        return ZoneInfo("UTC")


# --- the database ----------------------------------------------------------------------------


@main.group()
def db() -> None:
    """Migrations."""


def _database_url() -> str:
    url = settings().database_url
    if url is None:
        url = _card().database
    if url is None:
        fail("no database is known: set AUTOCOM_DATABASE_URL, or start `autocom up` once")
        raise AssertionError
    return url


def _migrate(act: Callable[[str], T]) -> T:
    from alembic.util import CommandError  # noqa: PLC0415
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    try:
        return act(_database_url())
    except (CommandError, SQLAlchemyError, OSError, ValueError) as error:
        fail(f"the database refuses: {str(error).splitlines()[0]}")
        raise


@db.command()
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Migrate up, to the newest revision unless one is named."""
    from autocom.journal import migrate  # noqa: PLC0415

    _migrate(lambda url: migrate.upgrade(url, revision))
    click.echo(f"at {_migrate(migrate.current) or 'nothing'}")


@db.command()
@click.argument("revision", default="-1")
def downgrade(revision: str) -> None:
    """Migrate down, by one revision unless one is named (`base`: everything)."""
    from autocom.journal import migrate  # noqa: PLC0415

    _migrate(lambda url: migrate.downgrade(url, revision))
    click.echo(f"at {_migrate(migrate.current) or 'nothing'}")


@db.command()
def current() -> None:
    """The revision the database is at."""
    from autocom.journal import migrate  # noqa: PLC0415

    click.echo(_migrate(migrate.current) or "nothing")


if __name__ == "__main__":
    structlog.reset_defaults()
    main()
