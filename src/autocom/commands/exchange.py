"""`status`, `secretary`: asked of the running exchange over its API."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import click

from autocom.commands.overrides import line
from autocom.commands.shared import ask_exchange, clock, speech, zone

if TYPE_CHECKING:
    from autocom.speech import Speech

SENTENCES = {
    "head": (
        "Asterisk {asterisk}, base de données {database}{behind}, {calls}, configuration {version}",
        "Asterisk {asterisk}, database {database}{behind}, {calls}, configuration {version}",
    ),
    "up": ("en marche", "up"),
    "down": ("absent", "down"),
    "database up": ("en marche", "up"),
    "database down": ("absente", "down"),
    "behind": (" ({facts} de retard)", " ({facts} behind)"),
    "trunk": ("ligne opérateur {id:<12} {calls}", "trunk {id:<12} {calls}"),
    "secretary": (
        "{id:<12} {state:<11} depuis {since}  {detail}",
        "{id:<12} {state:<11} since {since}  {detail}",
    ),
    "over": (", plus que permis", ", over its quota"),
    "mail": (
        "courrier : {waiting} à envoyer, {failed} abandonnés cette semaine",
        "mail {waiting} waiting, {failed} given up in the last week",
    ),
    "override": ("consigne {line}", "override {line}"),
    "waiting": (
        "attend {call}  {client:<20} {caller}  depuis {since}{how}",
        "waiting {call}  {client:<20} {caller}  since {since}{how}",
    ),
    "refused": (
        "REFUSÉE : la configuration du dossier, à {at} ({author}, {faults}) : {first}",
        "REFUSED: the configuration in the folder, at {at} ({author}, {faults}): {first}",
    ),
    "withheld": ("masqué", "withheld"),
    "callback": ("  sera rappelé", "  to be called back"),
    "is": ("{id} : {state}{reason}", "{id} is {state}{reason}"),
    # states, under the journal's words
    "offline": ("sans poste", "offline"),
    "logged_out": ("déconnectée", "logged_out"),
    "free": ("libre", "free"),
    "ringing": ("sonne", "ringing"),
    "talking": ("en ligne", "talking"),
    "wrap_up": ("post-appel", "wrap_up"),
    "paused": ("en pause", "paused"),
}


@click.command()
@click.option("--json", "as_json", is_flag=True)
def status(as_json: bool) -> None:
    """Asterisk, database, trunks, secretaries, calls waiting."""
    answer = ask_exchange("GET", "/v1/status")
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False))
        return
    for sentence in told(answer, speech(SENTENCES), zone()):
        click.echo(sentence)


def told(status: Mapping[str, Any], say: Speech, here: ZoneInfo) -> Iterator[str]:
    """The status for a terminal, times in the bureau's zone."""
    behind = status["database"]["behind"]
    yield say(
        "head",
        asterisk=say(status["asterisk"]["state"]),
        database=say(f"database {status['database']['state']}"),
        behind=say("behind", facts=say.count(behind, "fact")) if behind else "",
        calls=say.count(status["calls"], "call"),
        version=status["config_version"],
    )
    refused = status.get("configuration_refused")
    if refused:
        yield say(
            "refused",
            at=clock(refused["at"], here),
            author=refused["author"],
            faults=say.count(refused["faults"], "fault"),
            first=refused["first"],
        )
    for trunk in status["trunks"]:
        yield say("trunk", id=trunk["id"], calls=say.count(trunk["calls"], "call"))
    for row in status["secretaries"]:
        detail = row["reason"] or row["call"] or ""
        detail += say("over") if row["over_quota"] else ""
        since = clock(row["since"], here)
        yield say("secretary", id=row["id"], state=say(row["state"]), since=since, detail=detail).rstrip()
    mail = status.get("mail") or {}
    if mail.get("waiting") or mail.get("failed"):
        yield say("mail", waiting=mail["waiting"], failed=mail["failed"])
    for row in status["overrides"]:
        yield say("override", line=line(row, here, say.language))
    for row in status["waiting"]:
        yield say(
            "waiting",
            call=row["call"],
            client=row["client"],
            caller=row["caller"] or say("withheld"),
            since=clock(row["since"], here),
            how=say("callback") if row["callback"] else "",
        )


@click.command()
@click.argument("who", metavar="ID")
@click.argument("verb", type=click.Choice(["login", "logout", "pause", "resume", "done"]))
@click.argument("reason", required=False)
def secretary(who: str, verb: str, reason: str | None) -> None:
    """What a secretary does: login, logout, pause [REASON], resume, done."""
    query = f"?reason={quote(reason, safe='')}" if reason else ""
    row = ask_exchange("POST", f"/v1/secretaries/{quote(who, safe='')}/{verb}{query}")
    say = speech(SENTENCES)
    reason = f" ({row['reason']})" if row["reason"] else ""
    click.echo(say("is", id=row["id"], state=say(row["state"]), reason=reason))
