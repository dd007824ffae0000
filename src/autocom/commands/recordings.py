"""`recordings`, `recording`: which conversations are kept, and the sound of one as a file.

Only the running exchange opens a recording, so that nobody hears one without being written down. A new key is made
here: that needs no exchange.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import click

from autocom.commands.shared import (
    ask_exchange,
    author,
    fail,
    fetch,
    minute,
    settings,
    speech,
    write_private,
    zone,
)
from autocom.speech import Speech

SENTENCES = {
    "none": ("aucun enregistrement", "no recording"),
    "kept": ("gardé jusqu'au {until}", "kept until {until}"),
    "recording": ("en cours", "being recorded"),
    "on its way": ("en route", "on its way"),
    "written": ("écrit dans {out} (accès journalisé : {by})", "written to {out} (journalled: {by})"),
    "new key": ("nouvelle clé {newest}, {count} en tout", "new key {newest}, {count} in all"),
}


@click.command()
@click.option("--client", help="Only this client's.")
@click.option("--json", "as_json", is_flag=True)
@click.option("--new-key", is_flag=True, help="Encrypt under a new key from now on; the old ones stay.")
def recordings(client: str | None, as_json: bool, new_key: bool) -> None:
    """Recorded conversations, newest first."""
    if new_key:
        _new_key()
        return
    query = f"?{urlencode({'client': client})}" if client else ""
    rows = ask_exchange("GET", f"/v1/recordings{query}")
    for row in rows:
        click.echo(json.dumps(row, ensure_ascii=False) if as_json else line(row, zone(), speech(SENTENCES)))
    if not rows and not as_json:
        click.echo(speech(SENTENCES)("none"))


def line(row: dict[str, Any], here: ZoneInfo, say: Speech) -> str:
    """One recording for a terminal."""
    length = "?" if row["seconds"] is None else f"{row['seconds']:.0f} s"
    until = minute(row["erase_at"], here) if row["erase_at"] else "?"
    return (
        f"{minute(row['at'], here)}  {row['reference']}  {row['call']}  {row['client']:<20} "
        f"{row['secretary']:<12} {length:<7} {say(row['state'], until=until)}"
    )


@click.command()
@click.argument("ref", metavar="REF")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Where to write its sound (WAV).",
)
@click.option("--by", help="Who listens; the user of this terminal where it says nothing.")
def recording(ref: str, out: Path, by: str | None) -> None:
    """The sound of one recording, by its id or its reference. Who fetched it stands in the journal."""
    who = by or author()
    wav = fetch(f"/v1/recordings/{quote(ref, safe='')}/sound?{urlencode({'by': who})}")
    write_private(out, wav)
    click.echo(speech(SENTENCES)("written", out=out, by=who))


def _new_key() -> None:
    from autocom.tape_room import key_file  # noqa: PLC0415
    from autocom.tapes.keys import KeyFault, add_key  # noqa: PLC0415

    here = settings()
    if here.recording_key:
        fail(
            "the keys stand in AUTOCOM_RECORDING_KEY: put a new one before them, as `openssl rand -base64 32`"
        )
    try:
        ring = add_key(key_file(here.state))
    except (KeyFault, OSError) as fault:
        fail(f"{key_file(here.state)}: {fault}")
    click.echo(speech(SENTENCES)("new key", newest=ring.newest, count=len(ring.ids)))
