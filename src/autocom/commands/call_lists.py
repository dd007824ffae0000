"""`list` and `result`: whom the secretaries are to call for a client, and what came of a call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from autocom.commands.shared import ask_exchange, author, clock, fail, speech, zone
from autocom.core.reminders import read_csv

SENTENCES = {
    "open": ("à appeler", "to be called"),
    "under_way": ("en cours d'appel", "being called"),
    "done": ("terminé", "done"),
    "empty": ("{client} : personne sur la liste", "{client}: nobody is on the list"),
    "added": ("{client} : {count} sur la liste", "{client}: {count} on the list"),
    "removed": ("{client} : {count} de moins", "{client}: {count} taken off"),
    "result": ("{secretary} : {result} pour l'appel {call}", "{secretary}: {result} for call {call}"),
}


@click.group("list")
def call_list() -> None:
    """People to be called for a client, one at a time, when a secretary dials *49CODE."""


@call_list.command()
@click.argument("client")
@click.option("--json", "as_json", is_flag=True)
def show(client: str, as_json: bool) -> None:
    """Everybody on CLIENT's list."""
    rows = ask_exchange("GET", f"/v1/lists/{quote(client, safe='')}")
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    say, here = speech(SENTENCES), zone()
    for row in rows:
        at = f" ≥ {clock(row['not_before'], here)}" if row["not_before"] and row["state"] == "open" else ""
        what = say(row["state"]) + (f" ({row['result']})" if row["result"] else "")
        click.echo(
            " ".join(p for p in (row["id"], row["number"], row["name"], f"— {what}{at}", row["note"]) if p)
        )
    if not rows:
        click.echo(say("empty", client=client))


@call_list.command()
@click.argument("client")
@click.argument("number")
@click.option("--name", default="", help="Who it is; she is shown it.")
@click.option(
    "--note", default="", help="What it is about; she is shown it, and it is erased when it is done."
)
@click.option("--at", default="", help="Not before: 11:00, '2026-12-24 09:30' (the client's time) or 2h.")
@click.option("--json", "as_json", is_flag=True)
def add(client: str, number: str, name: str, note: str, at: str, as_json: bool) -> None:
    """Put one person on CLIENT's list."""
    _fill(client, [{"number": number, "name": name, "note": note, "at": at}], as_json)


@call_list.command("import")
@click.argument("client")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True)
def import_(client: str, file: Path, as_json: bool) -> None:
    """Put everybody in FILE on CLIENT's list: CSV with number, name, note, at; all or none."""
    try:
        people = read_csv(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        fail(f"{file}: {error}")
    _fill(client, people, as_json)


@call_list.command()
@click.argument("client")
@click.argument("item", required=False)
@click.option("--all", "everybody", is_flag=True, help="Everybody who is not being called.")
def remove(client: str, item: str | None, everybody: bool) -> None:
    """Take ITEM, or everybody, off CLIENT's list."""
    if (item is None) != everybody:
        fail("say which one: its id from `autocom list show`, or --all")
    path = f"/v1/lists/{quote(client, safe='')}" + (f"/{quote(item, safe='')}" if item else "")
    answer = ask_exchange("DELETE", f"{path}?author={quote(author(), safe='')}")
    click.echo(_counted("removed", client, answer["removed"]))


@click.command("result")
@click.argument("secretary")
@click.argument("result")
def say_result(secretary: str, result: str) -> None:
    """What came of SECRETARY's last call: appointment, message, put_through, information, wrong_number, sales or
    silent (or 1 to 7); of a call from a list: confirmed, cancelled, call_again, left_message, wrong_number or
    refused (or 1 to 6)."""
    answer = ask_exchange("POST", f"/v1/results/{quote(secretary, safe='')}/{quote(result, safe='')}")
    click.echo(speech(SENTENCES)("result", **answer))


def _fill(client: str, people: list[dict[str, str]], as_json: bool) -> None:
    wish: Any = [{key: value for key, value in person.items() if value} for person in people]
    path = f"/v1/lists/{quote(client, safe='')}?author={quote(author(), safe='')}"
    rows = ask_exchange("POST", path, wish)
    click.echo(json.dumps(rows, ensure_ascii=False) if as_json else _counted("added", client, len(rows)))


def _counted(sentence: str, client: str, number: int) -> str:
    say = speech(SENTENCES)
    return say(sentence, client=client, count=say.count(number, "person"))
