"""`token add`, `token list`, `token remove`: who else may use the API. They work on the state folder, whether an
exchange runs on it or not."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import click

from autocom.commands.shared import fail, settings, speech
from autocom.state import owned_by_another, user_name

if TYPE_CHECKING:
    from autocom.tokens import TokenFile
    from autocom.web.roles import Role

SENTENCES = {
    "line": ("{name:<20} {role:<7} {clients}", "{name:<20} {role:<7} {clients}"),
    "all": ("tous les clients", "all clients"),
    "none": ("aucun jeton", "no token"),
    "once": (
        "montré cette fois seulement ; rien d'autre que son empreinte n'est gardé",
        "shown this once; nothing but its digest is kept",
    ),
    "removed": ("{name} : retiré", "{name}: removed"),
}
CHOICES = ("metrics", "reader", "lead", "admin")


@click.group()
def token() -> None:
    """Named tokens of the API, with a role each."""


def _file() -> TokenFile:
    from autocom.tokens import TokenFile  # noqa: PLC0415 - a command starts in a fraction of a second

    state = settings().state
    owner = owned_by_another(state)
    if owner is not None:
        # the exchange could not read our file: no named token would be good
        fail(f"{state} belongs to {user_name(owner)}: run it as {user_name(owner)}")
    return TokenFile(state)


@token.command()
@click.argument("name")
@click.option("--role", required=True, type=click.Choice(CHOICES))
@click.option("--client", "clients", multiple=True, help="Good for this client only; may be said again.")
def add(name: str, role: Role, clients: tuple[str, ...]) -> None:
    """Make a token and print it."""
    try:
        made = _file().add(name, role, clients, time.time())
    except (ValueError, OSError) as error:
        fail(str(error))
    click.echo(made)
    click.echo(speech(SENTENCES)("once"), err=True)


@token.command("list")
@click.option("--json", "as_json", is_flag=True)
def list_(as_json: bool) -> None:
    """The tokens there are: names, roles, clients."""
    try:
        rows = _file().rows()
    except (ValueError, OSError) as error:
        fail(str(error))
    say = speech(SENTENCES)
    if as_json:
        click.echo(json.dumps([{key: row.get(key) for key in _SHOWN} for row in rows]))
        return
    for row in rows:
        clients = row["clients"]
        named = ", ".join(map(str, clients)) if isinstance(clients, list) else say("all")
        click.echo(say("line", name=row["name"], role=row["role"], clients=named))
    if not rows:
        click.echo(say("none"))


_SHOWN = ("name", "role", "clients", "made_at")


@token.command()
@click.argument("name")
def remove(name: str) -> None:
    """Take a token away; the next request with it is refused."""
    try:
        _file().remove(name)
    except LookupError as error:
        fail(str(error.args[0]))
    except (ValueError, OSError) as error:
        fail(str(error))
    click.echo(speech(SENTENCES)("removed", name=name))
