"""`voicemail`: which messages callers left, and their sound as a file.

The list is the journal's, the sound the state folder's. Nothing is changed: a recording is erased by
the exchange when its time is over.
"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from autocom.commands.journal import ask_journal
from autocom.commands.shared import fail, language, settings, speech, zone
from autocom.speech import Speech

SENTENCES = {
    "gone": ("  (le son n'est plus là)", "  (no sound any more)"),
    "withheld": ("masqué", "withheld"),
    "none": ("aucun message", "no message"),
    "written": ("écrit dans {out}", "written to {out}"),
}


@click.command()
@click.argument("id", required=False)
@click.option("--client", help="Only this client's.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Where to write its sound (WAV)."
)
@click.option("--json", "as_json", is_flag=True)
def voicemail(id: str | None, client: str | None, limit: int, out: Path | None, as_json: bool) -> None:  # noqa: A002 - as the other commands say it
    """Messages that callers left, newest first; with ID (or the reference of a notice) and --out, the sound."""
    if id is not None:
        _export(id, out)
        return
    if out is not None:
        fail("say which: `autocom voicemail ID --out FILE`")
    rows = _left(client, limit)
    for row in rows:
        click.echo(json.dumps(row, ensure_ascii=False) if as_json else line(row, zone(), language()))
    if not rows and not as_json:
        click.echo(speech(SENTENCES)("none"))


def _left(client: str | None, limit: int) -> list[dict[str, Any]]:
    from autocom.core.letters import reference  # noqa: PLC0415
    from autocom.journal import voice  # noqa: PLC0415
    from autocom.post_room import voice_shelf  # noqa: PLC0415

    shelf = voice_shelf(settings().state)
    rows: list[dict[str, Any]] = []
    for row in ask_journal(lambda engine: voice.left(engine, client=client, limit=limit)):
        name, at = str(row["id"]), row["at"]
        assert isinstance(at, float)
        rows.append({**row, "at": _iso(at), "reference": reference(name), "kept": shelf.has(name)})
    return rows


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def line(row: dict[str, Any], here: ZoneInfo, language: str) -> str:
    """One message for a terminal."""
    say = Speech(SENTENCES, language)
    at = datetime.fromisoformat(row["at"]).astimezone(here).strftime("%Y-%m-%d %H:%M")
    length = "?" if row["seconds"] is None else f"{row['seconds']:.0f} s"
    kept = "" if row["kept"] else say("gone")
    return (
        f"{at}  {row['reference']}  {row['id']}  {row['client'] or '':<20} "
        f"{row['caller'] or say('withheld'):<14} {length}{kept}"
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
        shutil.copyfile(path, out)
    except FileNotFoundError as error:
        if error.filename != str(path):
            fail(f"cannot write {out}: {error.strerror}")
        fail(f"the sound of {name} is not here: not fetched yet, or its time was over")
    except OSError as error:
        fail(f"cannot write {out}: {error.strerror}")
    click.echo(speech(SENTENCES)("written", out=out))
