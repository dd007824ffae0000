"""`voicemail`: which messages callers left, their sound as a file, and that somebody listened to one.

The list is the journal's, the sound the state folder's. Only the running exchange notes that a message was
heard, and erases a recording when its time is over.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import click

from autocom.commands.journal import ask_journal
from autocom.commands.shared import (
    ask_exchange,
    author,
    fail,
    language,
    minute,
    settings,
    speech,
    write_private,
    zone,
)
from autocom.speech import Speech
from autocom.timeline import iso

SENTENCES = {
    "gone": ("  (le son n'est plus là)", "  (no sound any more)"),
    "withheld": ("masqué", "withheld"),
    "none": ("aucun message", "no message"),
    "new": ("nouveau", "new"),
    "heard": ("écouté", "heard"),
    "marked_heard": ("{id} : écouté", "{id}: heard"),
    "marked_new": ("{id} : à écouter", "{id}: new again"),
    "written": ("écrit dans {out}", "written to {out}"),
}


@click.command()
@click.argument("id", required=False)
@click.option("--client", help="Only this client's.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Where to write its sound (WAV)."
)
@click.option("--heard", "mark", flag_value="heard", help="Somebody listened to it: its lamp goes out.")
@click.option("--new", "mark", flag_value="new", help="It counts as new again.")
@click.option("--json", "as_json", is_flag=True)
def voicemail(
    id: str | None,  # noqa: A002 - as the other commands say it
    client: str | None,
    limit: int,
    out: Path | None,
    mark: str | None,
    as_json: bool,
) -> None:
    """Messages that callers left, newest first; with ID (or the reference of a notice) and --out, the sound, with
    --heard or --new what its lamp shows."""
    if id is not None:
        if out is not None or mark is None:
            _export(id, out)
        if mark is not None:
            _mark(id, mark)
        return
    if out is not None or mark is not None:
        fail("say which: `autocom voicemail ID --out FILE`, `autocom voicemail ID --heard`")
    rows = _left(client, limit)
    for row in rows:
        click.echo(json.dumps(row, ensure_ascii=False) if as_json else line(row, zone(), language()))
    if not rows and not as_json:
        click.echo(speech(SENTENCES)("none"))


def _left(client: str | None, limit: int) -> list[dict[str, Any]]:
    from autocom.core.references import reference  # noqa: PLC0415
    from autocom.journal import voice  # noqa: PLC0415
    from autocom.post_room import voice_shelf  # noqa: PLC0415

    shelf = voice_shelf(settings().state)
    rows: list[dict[str, Any]] = []
    for row in ask_journal(lambda engine: voice.left(engine, client=client, limit=limit)):
        name, at = str(row["id"]), row["at"]
        assert isinstance(at, float)
        heard = row["heard_at"]
        rows.append(
            {
                **row,
                "at": iso(at),
                "heard_at": iso(heard) if isinstance(heard, float) else None,
                "reference": reference(name),
                "kept": shelf.has(name),
            }
        )
    return rows


def _mark(wanted: str, verb: str) -> None:
    query = urlencode({"by": author()})
    answer = ask_exchange("POST", f"/v1/voicemail/{quote(wanted, safe='')}/{verb}?{query}")
    click.echo(speech(SENTENCES)(f"marked_{verb}", id=answer["id"]))


def line(row: dict[str, Any], here: ZoneInfo, language: str) -> str:
    """One message for a terminal."""
    say = Speech(SENTENCES, language)
    length = "?" if row["seconds"] is None else f"{row['seconds']:.0f} s"
    kept = "" if row["kept"] else say("gone")
    return (
        f"{minute(row['at'], here)}  {row['reference']}  {row['id']}  {row['client'] or '':<20} "
        f"{row['caller'] or say('withheld'):<14} {say('heard' if row['heard_at'] else 'new'):<8} {length}{kept}"
    )


def _export(wanted: str, out: Path | None) -> None:
    from autocom.core.naming import call_of_recording  # noqa: PLC0415
    from autocom.post_room import voice_shelf  # noqa: PLC0415

    if out is None:
        fail("say where its sound is to be written: --out FILE")
    name = wanted
    if call_of_recording(wanted) is None:
        # the words of a notice, as they are read out on the telephone
        found = [row["id"] for row in _left(None, 10_000) if row["reference"] == wanted.strip().upper()]
        if len(found) != 1:
            several = f"several messages have the reference {wanted}: {', '.join(found)}"
            fail(several if found else f"there is no message {wanted!r}: see `autocom voicemail`")
        name = found[0]
    path = voice_shelf(settings().state).path(name)
    try:
        sound = path.read_bytes()
    except FileNotFoundError:
        fail(f"the sound of {name} is not here: not fetched yet, or its time was over")
    except OSError as error:
        fail(f"cannot read {path}: {error.strerror}")
    write_private(out, sound)
    click.echo(speech(SENTENCES)("written", out=out))
