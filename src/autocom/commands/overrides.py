"""`override`: a team lead's temporary word about one client, said to the running exchange."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import click

from autocom.commands.shared import ask_exchange, author, card, fail


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
        click.echo(json.dumps(answer) if as_json else f"{client}: {answer['cleared']} overrides ended")
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
    click.echo(json.dumps(row, ensure_ascii=False) if as_json else line(row, ZoneInfo(card().timezone)))


def _list(as_json: bool) -> None:
    rows = ask_exchange("GET", "/v1/overrides")
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    zone = ZoneInfo(card().timezone)
    for row in rows:
        click.echo(line(row, zone))
    if not rows:
        click.echo("no override is in force")


def line(row: dict[str, Any], zone: ZoneInfo) -> str:
    """One override for a terminal, in the bureau's time."""
    until = datetime.fromisoformat(row["until"]).astimezone(zone)
    what = f"to team {row['team']}" if row["override"] == "team" else row["override"]
    reason = f" ({row['reason']})" if row["reason"] else ""
    return f"{row['client']}: {what} until {until:%Y-%m-%d %H:%M}, by {row['author']}{reason}"
