"""`call-out`: a secretary's phone rings, and once she picks up the number is dialled."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import click

from autocom.commands.shared import ask_exchange, speech

SENTENCES = {
    "rings": (
        "le poste de {id} sonne ; dès qu'elle décroche, {to} est appelé (appel {call})",
        "the phone of {id} rings; once she picks up, {to} is called (call {call})",
    ),
}


@click.command("call-out")
@click.argument("to", metavar="NUMBER")
@click.option("--as", "who", required=True, metavar="ID", help="The secretary whose phone rings.")
@click.option("--client", help="Call for this client, and show its number where it is verified.")
def call_out(to: str, who: str, client: str | None) -> None:
    """Call NUMBER, or an extension, from a secretary's phone."""
    asked = {"to": to} | ({"client": client} if client else {})
    row = ask_exchange("POST", f"/v1/secretaries/{quote(who, safe='')}/call?{urlencode(asked)}")
    click.echo(speech(SENTENCES)("rings", to=to, **row))
