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

from autocom.commands.shared import ask_exchange, ask_if_running, author, fail, settings, speech
from autocom.speech import Speech

if TYPE_CHECKING:
    from autocom.config import Loaded
    from autocom.core.numbers import NumberingPlan

_FIRST, _LAST = 1970, 9990  # years
SENTENCES = {
    "note": ("remarque : {note}", "note: {note}"),
    "good": (
        "{folder} : {clients}, {secretaries}, version {version} : bon",
        "{folder}: {clients}, {secretaries}, version {version}: good",
    ),
    "refused": (
        "refusé : la version {version} reste en vigueur",
        "refused: version {version} stays in force",
    ),
    "applied": ("la version {version} est en vigueur", "version {version} is in force"),
}


def read_folder(folder: Path) -> Loaded:
    """The folder's configuration; where it is refused, every fault on stderr and exit 1."""
    from autocom.config import ConfigurationRefused, load  # noqa: PLC0415

    try:
        now = datetime.now(tz=UTC)
        return load(folder, None, now.year, language=settings().language, now=now.timestamp())
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
    configuration = loaded.configuration
    say = Speech(SENTENCES, settings().language or configuration.bureau.language)
    for note in loaded.notes:
        click.echo(say("note", note=note))
    click.echo(
        say(
            "good",
            folder=folder,
            clients=say.count(len(configuration.clients), "client"),
            secretaries=say.count(len(configuration.secretaries), "secretary"),
            version=configuration.version,
        )
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
    shown = None if caller == "anonymous" else caller
    _must_be_numbers(plan, **{"did": did, "from": shown, "forwarded_from": forwarded_from})
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
        moment = datetime.fromisoformat(text)
        instant = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()
    except (ValueError, OverflowError):
        fail(f"--at {text!r}: write it as '2026-12-24 09:30'")
    # hours are looked up weeks around it, and the calendar of this language has an end
    if not _FIRST <= moment.year <= _LAST:
        fail(f"--at {text!r}: a year from {_FIRST} to {_LAST} is expected")
    return instant


def _must_be_numbers(plan: NumberingPlan, **options: str | None) -> None:
    """A mistyped number would be explained as a call without one."""
    from autocom.core.numbers import normalise  # noqa: PLC0415

    for option, text in options.items():
        if text is not None and normalise(text, plan) is None:
            fail(
                f"--{option.replace('_', '-')} {text!r} is no telephone number: write it as 0199001001 or +33199001001"
            )


@click.command()
def schema() -> None:
    """JSON Schema of the YAML files."""
    from autocom.config import schema as files  # noqa: PLC0415

    click.echo(json.dumps(files(), ensure_ascii=False, indent=2))


@click.command()
def reload() -> None:
    """Apply the configuration now; refused as a whole when `check` would."""
    answer = ask_exchange("POST", f"/v1/reload?author={quote(author(), safe='')}")
    say = speech(SENTENCES)
    for fault in answer["faults"]:
        click.echo(fault, err=True)
    if not answer["applied"]:
        click.echo(say("refused", version=answer["version"]), err=True)
        raise SystemExit(1)
    click.echo(say("applied", version=answer["version"]))
