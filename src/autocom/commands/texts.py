"""`texts`, `text`: which texts came and went, the content of one, and sending one.

Asked of the running exchange over its API, which writes down who read what. A list shows no content.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import click

from autocom.commands.shared import (
    ask_exchange,
    author,
    clock,
    fail,
    fetch,
    language,
    minute,
    speech,
    write_private,
    zone,
)
from autocom.speech import Speech

SENTENCES = {
    "none": ("aucun texto", "no text"),
    "withheld": ("masqué", "withheld"),
    "bureau": ("(bureau)", "(bureau)"),
    "attachments": ("  [{count} p.j.]", "  [{count} att.]"),
    "from": ("De : {peer}   pour {client} ({number})", "From: {peer}   for {client} ({number})"),
    "to": ("À : {peer}   de {client} ({number})", "To: {peer}   of {client} ({number})"),
    "attachment": (
        "pièce jointe {n} : {type}, {size} octets{out}",
        "attachment {n}: {type}, {size} bytes{out}",
    ),
    "written": (" -> {path}", " -> {path}"),
    "sent": ("texto {reference} : à envoyer à {to}", "text {reference}: to be sent to {to}"),
    # states, under the journal's words
    "received": ("reçu", "received"),
    "shown": ("affiché", "shown"),
    "answered": ("répondu", "answered"),
    "queued": ("à envoyer", "queued"),
    "sent_state": ("envoyé", "sent"),
    "delivered": ("remis", "delivered"),
    "failed": ("échec", "failed"),
}
_SUFFIXES = {
    "image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp", "image/heif": ".heic",
    "video/mp4": ".mp4", "video/3gpp": ".3gp", "audio/amr": ".amr", "audio/mpeg": ".mp3", "text/vcard": ".vcf",
    "application/pdf": ".pdf",
}  # fmt: skip


@click.command()
@click.option("--client", help="Only this client's.")
@click.option("--limit", type=click.IntRange(min=1, max=500), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def texts(client: str | None, limit: int, as_json: bool) -> None:
    """Texts that came and went, newest first, without their content."""
    query = urlencode({"limit": limit, **({"client": client} if client else {})})
    rows = ask_exchange("GET", f"/v1/texts?{query}")
    for row in rows:
        click.echo(json.dumps(row, ensure_ascii=False) if as_json else line(row, zone(), language()))
    if not rows and not as_json:
        click.echo(speech(SENTENCES)("none"))


@click.command()
@click.argument("what", metavar="REF|send")
@click.argument("words", required=False, metavar="[TEXT]")
@click.option("--client", help="With `send`: for this client, with its number. Without: for the bureau.")
@click.option("--to", help="With `send`: the number.")
@click.option("--answer", metavar="REF", help="With `send`: answer the text of this reference.")
@click.option("--secretary", help="With `send`: in the name of this secretary.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="With a reference: write the attachments into this folder.",
)
@click.option("--json", "as_json", is_flag=True)
def text(
    what: str,
    words: str | None,
    client: str | None,
    to: str | None,
    answer: str | None,
    secretary: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Read the text with reference REF (who read it is written down), or `send` one; TEXT `-`: from standard input."""
    if what == "send":
        wish = {
            "client": client,
            "to": to,
            "answer": answer,
            "secretary": secretary,
            # standard input keeps it out of the list of processes and of the shell's history
            "text": sys.stdin.read().rstrip("\n") if words == "-" else words,
            "author": author(),
        }
        _send(wish, as_json=as_json)
        return
    if words is not None or any((client, to, answer, secretary)):
        fail('to send a text: `autocom text send --client ID --to NUMBER "…"`')
    row = ask_exchange("GET", f"/v1/texts/{quote(what, safe='')}?{urlencode({'reader': author()})}")
    if as_json:
        click.echo(json.dumps(row, ensure_ascii=False))
    else:
        _show(row)
    for n, each in enumerate(row["attachments"], start=1):
        written = "" if out is None else speech(SENTENCES)("written", path=_fetch(row, n, out))
        if not as_json:
            about = {"n": n, "type": each["type"], "size": each["size"], "out": written}
            click.echo(speech(SENTENCES)("attachment", **about))


def _send(wish: dict[str, str | None], *, as_json: bool) -> None:
    if not wish["text"] or not (wish["to"] or wish["answer"]):
        fail('say to whom and what: `autocom text send --client ID --to NUMBER "…"`')
    row = ask_exchange("POST", "/v1/texts", wish)
    if as_json:
        click.echo(json.dumps(row, ensure_ascii=False))
    else:
        to = wish["to"] or wish["answer"]
        click.echo(speech(SENTENCES)("sent", reference=row["reference"], to=to))


def line(row: dict[str, Any], here: ZoneInfo, spoken: str) -> str:
    """One text for a terminal."""
    say = Speech(SENTENCES, spoken)
    arrow = "<-" if row["direction"] == "in" else "->"
    peer = row["peer"] or row["sender"] or say("withheld")
    count = row["attachments"]
    more = say("attachments", count=count) if count else ""
    failure = f"  {row['failure']}" if row["failure"] else ""
    return (
        f"{minute(row['at'], here)}  {row['reference']}  {row['client'] or say('bureau'):<20} {arrow} {peer:<14} "
        f"{_state(row, say)}{more}{failure}"
    )


def _state(row: dict[str, Any], say: Speech) -> str:
    return say("sent_state" if row["state"] == "sent" else row["state"])


def _show(row: dict[str, Any]) -> None:
    say = speech(SENTENCES)
    click.echo(f"{row['reference']}  {clock(row['at'], zone())}  {_state(row, say)}")
    click.echo(
        say(
            "from" if row["direction"] == "in" else "to",
            peer=row["peer"] or row["sender"] or say("withheld"),
            client=row["client"] or say("bureau"),
            number=row["number"] or "?",
        )
    )
    click.echo()
    click.echo(row["body"])
    if row["failure"]:
        click.echo(row["failure"])


def _fetch(row: dict[str, Any], n: int, out: Path) -> Path:
    """Write the n-th attachment under a name of our own."""
    content = fetch(f"/v1/texts/{row['id']}/attachments/{n}?{urlencode({'reader': author()})}")
    kind = row["attachments"][n - 1]["type"]
    path = out / f"{row['reference']}-{n}{_SUFFIXES.get(kind, '.bin')}"
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(f"cannot write {out}: {error.strerror}")
    write_private(path, content)
    return path
