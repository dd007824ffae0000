"""`bans`: addresses that are shut out after wrong passwords, as the running exchange knows them."""

from __future__ import annotations

import json
from urllib.parse import quote

import click

from autocom.commands.shared import ask_exchange, author, clock, fail, speech, zone

SENTENCES = {
    "line": ("{address:<20} jusqu'au {until}, {times}e fois", "{address:<20} until {until}, time {times}"),
    "none": ("aucune adresse n'est bannie", "no address is banned"),
    "cleared": ("{address} peut revenir", "{address} is let in again"),
}


@click.command()
@click.argument("what", required=False, type=click.Choice(["clear"]))
@click.argument("address", required=False)
@click.option("--json", "as_json", is_flag=True)
def bans(what: str | None, address: str | None, as_json: bool) -> None:
    """Addresses shut out after wrong SIP passwords; clear ADDRESS lets one in again."""
    say = speech(SENTENCES)
    if what is None:
        rows = ask_exchange("GET", "/v1/bans")
        if as_json:
            click.echo(json.dumps(rows))
            return
        for row in rows:
            until = clock(row["until"], zone())
            click.echo(say("line", address=row["address"], until=until, times=row["times"]))
        if not rows:
            click.echo(say("none"))
        return
    if address is None:
        fail("say which: autocom bans clear ADDRESS")
    path = f"/v1/bans/{quote(address, safe='')}?author={quote(author(), safe='')}"
    answer = ask_exchange("DELETE", path)
    click.echo(json.dumps(answer) if as_json else say("cleared", address=answer["address"]))
