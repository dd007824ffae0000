"""`check`, `explain`, `schema`, `reload`: the admins' commands.

`check` and `explain` read the folder themselves and need no running exchange; `explain` asks the one that
runs, if one does, for what the files cannot say.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote
from zoneinfo import ZoneInfo

import click

from autocom.commands.shared import ask_exchange, ask_if_running, author, fail, settings

if TYPE_CHECKING:
    from autocom.config import Loaded


def read_folder(folder: Path) -> Loaded:
    """The folder's configuration; where it is refused, every fault on stderr and exit 1."""
    from autocom.config import ConfigurationRefused, load  # noqa: PLC0415

    try:
        return load(folder, None, datetime.now(tz=UTC).year, language=settings().language)
    except ConfigurationRefused as refused:
        for fault in refused.faults:
            click.echo(str(fault), err=True)
        raise SystemExit(1) from None


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
def check(folder: Path | None) -> None:
    """Validate the configuration; every fault as file:line:column: message."""
    folder = folder or settings().config
    loaded = read_folder(folder)
    for note in loaded.notes:
        click.echo(f"note: {note}")
    configuration = loaded.configuration
    click.echo(
        f"{folder}: {len(configuration.clients)} clients, {len(configuration.secretaries)} secretaries, "
        f"version {configuration.version}: good"
    )


@click.command()
@click.option("--did", required=True, help="The number called.")
@click.option("--from", "caller", help="The caller's number; `anonymous` or left out: withheld.")
@click.option("--forwarded-from", help="The client's line that was forwarded.")
@click.option("--reason", type=click.Choice(["unconditional", "no-answer", "busy", "unavailable", "unknown"]))
@click.option("--at", help="'YYYY-MM-DD HH:MM' in the bureau's time zone; now if left out.")
@click.option("--now", "at_once", is_flag=True, help="Now, as the running exchange would: it must run.")
@click.option("--offline", is_flag=True, help="From the files alone, also where an exchange runs.")
@click.option("--json", "as_json", is_flag=True)
def explain(
    did: str,
    caller: str | None,
    forwarded_from: str | None,
    reason: str | None,
    at: str | None,
    at_once: bool,
    offline: bool,
    as_json: bool,
) -> None:
    """What would happen to this call, and why: asks the exchange that runs who is at work and what is overridden."""
    from autocom import explain as explaining  # noqa: PLC0415
    from autocom import explained  # noqa: PLC0415
    from autocom.config import plan_of  # noqa: PLC0415

    if at_once and (at or offline):
        fail("--now goes with neither --at nor --offline")
    configuration = read_folder(settings().config).configuration
    bureau = configuration.bureau
    plan = plan_of(bureau.country)
    asked = explaining.Asked(did, _instant(at, ZoneInfo(bureau.timezone)), caller, forwarded_from, reason)
    status = None if offline else (ask_exchange if at_once else ask_if_running)("GET", "/v1/status")
    live = None if status is None else explaining.Live(status, now=at is None)
    language = settings().language or bureau.language
    trail = explaining.explain(configuration, plan, asked, live, language)
    if as_json:
        click.echo(json.dumps(trail, ensure_ascii=False, indent=2))
        return
    for sentence in explained.lines(trail, plan, language):
        click.echo(sentence)


def _instant(text: str | None, zone: ZoneInfo) -> float:
    if text is None:
        return datetime.now(tz=zone).timestamp()
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()
    except ValueError:
        fail(f"--at {text!r}: write it as '2026-12-24 09:30'")


@click.command()
def schema() -> None:
    """JSON Schema of the YAML files."""
    from autocom.config import schema as files  # noqa: PLC0415

    click.echo(json.dumps(files(), ensure_ascii=False, indent=2))


@click.command()
def reload() -> None:
    """Apply the configuration now; refused as a whole when `check` would."""
    answer = ask_exchange("POST", f"/v1/reload?author={quote(author(), safe='')}")
    for fault in answer["faults"]:
        click.echo(fault, err=True)
    if not answer["applied"]:
        click.echo(f"refused: version {answer['version']} stays in force", err=True)
        raise SystemExit(1)
    click.echo(f"version {answer['version']} is in force")
