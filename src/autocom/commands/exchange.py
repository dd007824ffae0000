"""`status`, `secretary`: asked of the running exchange over its API."""

from __future__ import annotations

import json
from urllib.parse import quote

import click

from autocom.commands.overrides import line
from autocom.commands.shared import ask_exchange, zone


@click.command()
@click.option("--json", "as_json", is_flag=True)
def status(as_json: bool) -> None:
    """Asterisk, database, trunks, secretaries, calls waiting."""
    answer = ask_exchange("GET", "/v1/status")
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
        detail += ", over its quota" if row["over_quota"] else ""
        click.echo(f"{row['id']:<12} {row['state']:<11} since {row['since']}  {detail}")
    mail = answer.get("mail") or {}
    if mail.get("waiting") or mail.get("failed"):
        click.echo(f"mail {mail['waiting']} waiting, {mail['failed']} given up in the last week")
    for row in answer["overrides"]:
        click.echo(f"override {line(row, zone())}")
    for row in answer["waiting"]:
        how = "  to be called back" if row["callback"] else ""
        click.echo(
            f"waiting {row['call']}  {row['client']:<20} {row['caller'] or 'withheld'}  since {row['since']}{how}"
        )


@click.command()
@click.argument("who", metavar="ID")
@click.argument("verb", type=click.Choice(["login", "logout", "pause", "resume", "done"]))
@click.argument("reason", required=False)
def secretary(who: str, verb: str, reason: str | None) -> None:
    """What a secretary does: login, logout, pause [REASON], resume, done."""
    query = f"?reason={quote(reason, safe='')}" if reason else ""
    row = ask_exchange("POST", f"/v1/secretaries/{quote(who, safe='')}/{verb}{query}")
    click.echo(f"{row['id']} is {row['state']}" + (f" ({row['reason']})" if row["reason"] else ""))
