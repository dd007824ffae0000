"""`calls`, `call`: the journal, read from PostgreSQL directly, also while the exchange is away.

A running exchange is first asked to ship what it just wrote.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from autocom.commands.shared import clock, fail, language, settings, speech, zone
from autocom.speech import Speech
from autocom.state import Card, NotRunning, read_card

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from zoneinfo import ZoneInfo

    from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")

SENTENCES = {
    "waited": ("a attendu {seconds}", "waited {seconds}"),
    "under way": ("en cours", "open"),
    "withheld": ("masqué", "withheld"),
    "unknown": ("inconnu", "unknown"),
    "internal": ("interne", "internal"),
    "none": ("aucun appel", "no call"),
}


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
    import aiohttp  # noqa: PLC0415

    try:
        timeout = aiohttp.ClientTimeout(total=5)
        async with (
            aiohttp.ClientSession(timeout=timeout, headers={"Authorization": f"Bearer {card.token}"}) as http,
            http.post(f"{card.http}/v1/flush"),
        ):
            pass
    except (aiohttp.ClientError, TimeoutError, OSError):
        return


def ask_journal(question: Callable[[AsyncEngine], Awaitable[T]]) -> T:
    """Ask the journal; what goes wrong is one line and exit 1."""
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


@click.command()
@click.option("--client", help="Only this client's.")
@click.option("--since", help="'YYYY-MM-DD [HH:MM]', or a duration back from now as 2h or 7d.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True)
@click.option(
    "--direction",
    type=click.Choice(["in", "out", "internal"]),
    help="Only callers' (in), or those that a secretary began, to the outside (out) or to a colleague (internal).",
)
@click.option("--json", "as_json", is_flag=True)
def calls(client: str | None, since: str | None, limit: int, direction: str | None, as_json: bool) -> None:
    """The journal, newest first."""
    from autocom.journal import queries  # noqa: PLC0415

    start = since_when(since) if since else None
    rows = ask_journal(
        lambda engine: queries.calls(engine, client=client, since=start, limit=limit, direction=direction)
    )
    for row in rows:
        click.echo(json.dumps(row, ensure_ascii=False) if as_json else call_line(row, zone(), language()))
    if not rows and not as_json:
        click.echo(speech(SENTENCES)("none"))


def since_when(text: str) -> float:
    """What a person writes for a moment of the past, as UTC epoch seconds; a date is one of the bureau."""
    from autocom.config.scalars import duration  # noqa: PLC0415

    try:
        if re.fullmatch(r"[0-9.]+(ms|s|m|h|d)", text):
            start = datetime.now(tz=UTC).timestamp() - duration(text)
        else:
            moment = datetime.fromisoformat(text)
            start = (moment if moment.tzinfo else moment.replace(tzinfo=zone())).timestamp()
    except (ValueError, OverflowError):
        fail(f"--since {text!r}: write '2026-11-22', '2026-11-22 08:00', or a duration as 2h")
    return max(0.0, start)  # before there were computers there were no calls: from the beginning


def call_line(row: Mapping[str, Any], here: ZoneInfo, language: str) -> str:
    """One call for a terminal, its time in the bureau's zone."""
    from autocom.narrated import Words  # noqa: PLC0415

    say, words = Speech(SENTENCES, language), Words.of(language)
    caller = row["caller"] or say("withheld" if row["anonymous"] else "unknown")
    if row.get("direction") == "out":
        caller = f"→ {row['caller'] or say('unknown')}"
    elif row.get("direction") == "internal":
        caller = f"· {say('internal')}"
    outcome = words.word(row["outcome"]) if row["outcome"] else say("under way")
    about = words.word(row["cause"]) if row["cause"] else row["secretary"] or ""
    if row.get("result"):
        about = f"{about} ({words.word(row['result'])})"
    waited = say("waited", seconds=f"{row['wait_ms'] / 1000:.1f} s") if row["wait_ms"] is not None else ""
    return (
        f"{clock(row['arrived_at'], here)}  {row['id']}  {row['client'] or '':<20} {caller:<14} {outcome:<17} "
        f"{about:<21} {waited}"
    ).rstrip()


@click.command()
@click.argument("id")
@click.option("--json", "as_json", is_flag=True)
def call(id: str, as_json: bool) -> None:  # noqa: A002 - the contract's word
    """One call's timeline: every fact with its time and its why."""
    from autocom import narration  # noqa: PLC0415
    from autocom.journal import queries  # noqa: PLC0415

    found = ask_journal(lambda engine: queries.call(engine, id))
    if found is None:
        fail(f"there is no call {id!r}")
        return
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    click.echo(call_line(found, zone(), language()))
    for sentence in narration.told(found, language(), zone()):
        click.echo(sentence)
