"""`rooms`, `room`: the conference rooms, and what is said to one."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import click

from autocom.commands.shared import ask_exchange, clock, speech, zone
from autocom.core.rooms import VERBS

SENTENCES = {
    "nobody": ("aucune conférence en cours", "no conference is under way"),
    "room": ("conférence {room}, ouverte par {by}{locked}", "conference {room}, opened by {by}{locked}"),
    "locked": (", verrouillée", ", locked"),
    "member": ("  {who}  depuis {since}{muted}", "  {who}  since {since}{muted}"),
    "muted": ("  micro coupé", "  muted"),
    "outside": ("de l'extérieur", "from outside"),
    "coming": ("en train d'entrer", "entering"),
    "told": ("conférence {room} : {verb} ({members})", "conference {room}: {verb} ({members})"),
    "invited": ("conférence {room} : appel {call} en cours", "conference {room}: call {call} is under way"),
}


@click.command()
@click.option("--json", "as_json", is_flag=True)
def rooms(as_json: bool) -> None:
    """The conference rooms with somebody in them, and who is there."""
    rows = ask_exchange("GET", "/v1/rooms")
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    say, here = speech(SENTENCES), zone()
    if not rows:
        click.echo(say("nobody"))
    for row in rows:
        by = row["opened_by"] or say("outside")
        click.echo(say("room", room=row["room"], by=by, locked=say("locked") if row["locked"] else ""))
        for member in row["members"]:
            who = member["secretary"] or member["caller"] or say("outside")
            since = clock(member["since"], here) if member["since"] else say("coming")
            click.echo(say("member", who=who, since=since, muted=say("muted") if member["muted"] else ""))


@click.command()
@click.argument("room")
@click.argument("verb", type=click.Choice([*VERBS, "invite"]))
@click.argument("to", required=False)
@click.option("--as", "by", default=None, help="The secretary in whose name; else whoever opened the room.")
def room(room: str, verb: str, to: str | None, by: str | None) -> None:
    """Say something to conference ROOM: mute, unmute, lock, unlock, end, invite TO."""
    if not (room.isascii() and room.isdigit()):
        raise click.BadParameter(room, param_hint="ROOM")
    asked = {key: value for key, value in (("to", to), ("by", by)) if value is not None}
    query = f"?{urlencode(asked)}" if asked else ""
    answer = ask_exchange("POST", f"/v1/rooms/{room}/{verb}{query}")
    say = speech(SENTENCES)
    if verb == "invite":
        click.echo(say("invited", room=answer["room"], call=answer["call"]))
    else:
        click.echo(say("told", room=answer["room"], verb=verb, members=answer["members"]))
