"""`override`: a team lead's temporary word about one client, said to the running exchange."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import click

from autocom.commands.shared import ask_exchange, author, fail, language, minute, speech, zone
from autocom.speech import Speech

SENTENCES = {
    "team": ("vers l'équipe {team}", "to team {team}"),
    "open": ("ouvert", "open"),
    "closed": ("fermé", "closed"),
    "line": (
        "{client} : {what} jusqu'au {until}, par {author}{reason}",
        "{client}: {what} until {until}, by {author}{reason}",
    ),
    "none": ("aucune consigne n'est en vigueur", "no override is in force"),
    "ended one": ("{client} : {count} terminée", "{client}: {count} ended"),
    "ended": ("{client} : {count} terminées", "{client}: {count} ended"),
    "no rule": (
        "attention : aucune règle de {client} ne demande `hours` ; rien ne change pour les nouveaux appels",
        "warning: no rule of {client} asks for `hours`; nothing changes for new calls",
    ),
}


@click.command()
@click.argument("client", required=False)
@click.argument("what", required=False, type=click.Choice(["team", "open", "closed", "clear"]))
@click.argument("team", required=False)
@click.option("--until", help="11:00, '2026-12-24 09:30' (the bureau's time), or a duration as 90m, 2h.")
@click.option("--reason", help="Shown with it, and written down.")
@click.option("--author", "by", help="Who says so; left out: the system's user.")
@click.option("--json", "as_json", is_flag=True)
def override(
    client: str | None,
    what: str | None,
    team: str | None,
    until: str | None,
    reason: str | None,
    by: str | None,
    as_json: bool,
) -> None:
    """CLIENT team TEAM, CLIENT open or CLIENT closed, for a while; CLIENT clear ends it; alone: the list."""
    if client is None:
        _list(as_json)
        return
    if what is None:
        fail(f"say what is to hold for {client}: team TEAM, open, closed or clear")
    if what == "clear":
        path = f"/v1/overrides/{quote(client, safe='')}?author={quote(by or author(), safe='')}"
        answer = ask_exchange("DELETE", path)
        click.echo(json.dumps(answer) if as_json else ended(answer, speech(SENTENCES)))
        return
    if (what == "team") != (team is not None):
        fail(
            f"write: autocom override {client} team TEAM --until …"
            if what == "team"
            else f"{team!r}: not needed"
        )
    if until is None:
        fail("--until is missing: 11:00, '2026-12-24 09:30' or a duration as 2h")
    wish = {"client": client, "override": what, "until": until, "author": by or author()}
    wish |= {key: value for key, value in (("team", team), ("reason", reason)) if value}
    row = ask_exchange("POST", "/v1/overrides", wish)
    click.echo(json.dumps(row, ensure_ascii=False) if as_json else line(row, zone(), language()))
    if row.get("unheard"):
        click.echo(speech(SENTENCES)("no rule", client=client), err=True)


def _list(as_json: bool) -> None:
    rows = ask_exchange("GET", "/v1/overrides")
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        click.echo(line(row, zone(), language()))
    if not rows:
        click.echo(speech(SENTENCES)("none"))


def ended(answer: Mapping[str, Any], say: Speech) -> str:
    """How many were ended."""
    number = answer["cleared"]
    sentence = "ended" if number > 1 else "ended one"
    return say(sentence, client=answer["client"], count=say.count(number, "override"))


def line(row: Mapping[str, Any], here: ZoneInfo, language: str) -> str:
    """One override for a terminal, in the bureau's time."""
    say = Speech(SENTENCES, language)
    return say(
        "line",
        client=row["client"],
        what=say(row["override"], team=row["team"]),
        until=minute(row["until"], here),
        author=row["author"],
        reason=f" ({row['reason']})" if row["reason"] else "",
    )
