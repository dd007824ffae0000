"""`autocom alerts`: what is wrong with the exchange now, and what was lately; asked over its API."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from autocom.commands.shared import ask_exchange, clock, speech, zone

if TYPE_CHECKING:
    from autocom.speech import Speech

SENTENCES = {
    "well": ("rien à signaler", "nothing is wrong"),
    "active": (
        "{severity:<10} depuis {since}  {title}\n           {sentence}",
        "{severity:<10} since {since}  {title}\n           {sentence}",
    ),
    "recent": ("terminé    {since} – {over}  {title}", "over       {since} – {over}  {title}"),
    "critical": ("CRITIQUE", "CRITICAL"),
    "warning": ("attention", "warning"),
}


@click.command()
@click.option("--json", "as_json", is_flag=True)
def alerts(as_json: bool) -> None:
    """What is wrong with the exchange now, and what was in the last day."""
    answer = ask_exchange("GET", "/v1/alerts")
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False))
        return
    for line in told(answer, speech(SENTENCES), zone()):
        click.echo(line)


def told(answer: Mapping[str, Sequence[Mapping[str, Any]]], say: Speech, here: ZoneInfo) -> Iterator[str]:
    """For a terminal, times in the bureau's zone."""
    if not answer.get("active"):
        yield say("well")
    for row in answer.get("active", ()):
        words = row["text"][say.language]
        since = clock(row["since"], here)
        yield say("active", severity=say(row["severity"]), since=since, **words)
    for row in answer.get("recent", ()):
        words = row["text"][say.language]
        yield say(
            "recent", since=clock(row["since"], here), over=clock(row["over"], here), title=words["title"]
        )
