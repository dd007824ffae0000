"""`phone`: what a secretary's softphone must be told, for people, for programs, and as a QR code.

Reads the configuration and the settings; only QR codes and links need the exchange that runs, which gives out
one-time tickets. The password is masked unless it is asked for; files that hold it are readable by their owner
alone.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import click

from autocom.commands.configuration import read_folder
from autocom.commands.shared import ask_exchange, ask_if_running, fail, language, settings, speech
from autocom.phones.files import CLIENTS, Unwritable, encoded, sheet
from autocom.phones.files import settings as values_of
from autocom.shelf import write_whole

if TYPE_CHECKING:
    from autocom.core.accounts import Account
    from autocom.reach import Reach
    from autocom.speech import Speech

MASK = "********"
SENTENCES = {
    "head": ("{name}, poste {extension}", "{name}, extension {extension}"),
    "page": ("page web", "web page"),
    "qr": (
        "Linphone : Assistant, « Scanner un QR code » (une seule fois, dans les {minutes} minutes) :",
        'Linphone: Assistant, "Scan a QR code" (once, within {minutes} minutes):',
    ),
    "no exchange": (
        "QR code pour Linphone : seulement quand autocom est en marche",
        "QR code for Linphone: only while autocom runs",
    ),
    "guessed": (
        "l'adresse {host} est devinée : réglez AUTOCOM_HOST",
        "the address {host} is a guess: set AUTOCOM_HOST",
    ),
    "local": (
        "{host} n'est joignable que depuis cette machine : réglez AUTOCOM_SIP_BIND ou AUTOCOM_HOST",
        "{host} can be reached from this machine only: set AUTOCOM_SIP_BIND or AUTOCOM_HOST",
    ),
    "clear": (
        "les réglages passent en clair : réglez AUTOCOM_HTTPS_BIND ou AUTOCOM_URL",
        "the settings travel in the clear: set AUTOCOM_HTTPS_BIND or AUTOCOM_URL",
    ),
    "written": ("écrit : {file}", "written: {file}"),
    "authority": (
        "certificat d'autocom, à faire approuver par le poste : {file}",
        "autocom's own certificate, which the phone must be told to trust: {file}",
    ),
}


@click.command()
@click.argument("who", metavar="ID")
@click.option("--show-password", is_flag=True, help="In clear on the screen, instead of stars.")
@click.option("--for", "client", type=click.Choice(sorted(CLIENTS)), help="This softphone's file on stdout.")
@click.option(
    "--write",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the softphones' files there.",
)
@click.option("--link", is_flag=True, help="A one-time address of the page in a browser, and nothing else.")
@click.option("--no-qr", is_flag=True, help="Without the QR code.")
@click.option("--json", "as_json", is_flag=True)
def phone(
    who: str,
    *,
    show_password: bool,
    client: str | None,
    folder: Path | None,
    link: bool,
    no_qr: bool,
    as_json: bool,
) -> None:
    """A secretary's softphone: its settings, a QR code for Linphone, files for other softphones."""
    from autocom.reach import account, pages  # noqa: PLC0415 - as all that reads settings

    if link:
        click.echo(_ticket(who, "page", needed=True)["url"])
        return
    chosen = settings()
    secretary = read_folder(chosen.config).configuration.secretaries.get(who)
    if secretary is None:
        fail(f"there is no secretary {who!r}")
    hers = account(chosen, secretary)
    try:
        if folder is not None:
            _write(hers, folder, client, chosen.state / "tls" / "authority.crt")
        elif client is not None:
            click.echo("".join(CLIENTS[client](hers).values()), nl=False)
        elif as_json:
            shown: dict[str, Any] = values_of(hers, password=None if show_password else MASK)
            click.echo(json.dumps({"id": who, **shown, "page": f"{pages(chosen)}/phone"}, ensure_ascii=False))
        else:
            _tell(hers, show_password=show_password, qr=not no_qr)
    except Unwritable as wrong:
        fail(str(wrong))


def _tell(hers: Account, *, show_password: bool, qr: bool) -> None:
    from autocom.reach import pages, reach  # noqa: PLC0415

    say, chosen = speech(SENTENCES), settings()
    click.echo(say("head", name=hers.name, extension=hers.extension))
    click.echo()
    click.echo(sheet(hers, language(), password=None if show_password else MASK), nl=False)
    click.echo(f"{say('page'):<32} {pages(chosen)}/phone")
    for note in _notes(say, reach(chosen)):
        click.echo(f"  ! {note}")
    if qr:
        click.echo()
        _show_qr(say, hers)


def _notes(say: Speech, here: Reach) -> list[str]:
    notes = []
    if here.guessed:
        notes.append(say("guessed", host=here.host))
    if here.local:
        notes.append(say("local", host=here.host))
    return notes


def _show_qr(say: Speech, hers: Account) -> None:
    import segno  # noqa: PLC0415

    ticket = _ticket(hers.user, "linphone", needed=False)
    if ticket is None:
        click.echo(say("no exchange"))
        return
    click.echo(say("qr", minutes=round(ticket["seconds"] / 60)))
    drawn = io.StringIO()
    segno.make(ticket["url"], micro=False).terminal(drawn, compact=True)
    click.echo(drawn.getvalue(), nl=False)
    click.echo(ticket["url"])
    if urlsplit(ticket["url"]).scheme == "http":
        click.echo(f"  ! {say('clear')}")


def _ticket(who: str, purpose: str, *, needed: bool) -> Any:
    path = f"/v1/phones/{quote(who, safe='')}/{purpose}"
    return (ask_exchange if needed else ask_if_running)("POST", path)


def _write(hers: Account, folder: Path, client: str | None, authority: Path) -> None:
    """Each client's files in a folder of its own under `folder`."""
    say = speech(SENTENCES)
    for name in [client] if client else sorted(CLIENTS):
        for file, content in CLIENTS[name](hers).items():
            path = folder / name / file
            _save(path, encoded(file, content))
            click.echo(say("written", file=path))
    if hers.transport == "tls" and settings().tls_cert is None and authority.exists():
        path = folder / "autocom-authority.crt"
        _save(path, authority.read_bytes())
        click.echo(say("authority", file=path))


def _save(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, (content,))
