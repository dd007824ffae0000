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
from autocom.core.model import MODES
from autocom.core.orders import VERBS
from autocom.core.renvoi import WHENS

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
    "certificate": (
        "certificat de {names} : jusqu'au {end}, dans {days} jours{soon}",
        "certificate of {names}: until {end}, in {days} days{soon}",
    ),
    "soon": (", À RENOUVELER", ", RENEW IT"),
    "forwarded": ("{id} : renvoi {when} vers {to}", "{id} is forwarded {when} to {to}"),
    "not forwarded": ("{id} : plus de renvoi {when}", "{id} is no longer forwarded {when}"),
    "always": ("de tous les appels", "always"),
    "busy": ("si occupée", "when busy"),
    "no_answer": ("sans réponse", "when there is no answer"),
    "parked": (
        "parqué {slot}  {client:<20} {caller}  par {by} jusqu'à {until}  {note}",
        "parked {slot}  {client:<20} {caller}  by {by} until {until}  {note}",
    ),
    "room": ("conférence {room} : {members}", "conference {room}: {members}"),
    "texts": (
        "textos : {waiting} à envoyer, {failed} non remis, {unseen} que personne n'a vus",
        "texts {waiting} waiting, {failed} not delivered, {unseen} seen by nobody",
    ),
    "override": ("consigne {line}", "override {line}"),
    "alert": ("ALERTE {title}, depuis {since}", "ALERT {title}, since {since}"),
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
    "ordered": ("{id} : {verb}, appel {call}", "{id}: {verb}, call {call}"),
    "held": ("en garde depuis {since}", "on hold since {since}"),
    "supervises": (
        "le poste de {lead} sonne pour écouter {secretary}, appel {call}",
        "the phone of {lead} rings to listen to {secretary}, call {call}",
    ),
    "supervised": ("{lead} {how}", "{lead} {how}"),
    "listen": ("écoute", "listens"),
    "whisper": ("lui parle", "talks to her"),
    "barge": ("participe", "takes part"),
    "recorded": ("enregistré", "recorded"),
    "no sound from caller": ("AUCUN SON DE L'APPELANT", "NO SOUND FROM THE CALLER"),
    "no sound from secretary": ("AUCUN SON DE SON POSTE", "NO SOUND FROM HER PHONE"),
    "third": ("avec {who} ({state})", "with {who} ({state})"),
    "third ringing": ("sonne", "ringing"),
    "third talking": ("en ligne", "talking"),
    "third on_hold": ("en garde", "on hold"),
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
        detail = ", ".join(part for part in (detail, *_conversation(row, say, here)) if part)
        since = clock(row["since"], here)
        detail += "".join(f"  → {to} {say(when)}" for when, to in row.get("forwards", {}).items() if to)
        yield say("secretary", id=row["id"], state=say(row["state"]), since=since, detail=detail).rstrip()
    mail = status.get("mail") or {}
    if mail.get("waiting") or mail.get("failed"):
        yield say("mail", waiting=mail["waiting"], failed=mail["failed"])
    if certificate := status.get("certificate"):
        yield say(
            "certificate",
            names=", ".join(certificate["names"]),
            end=clock(certificate["expires"], here),
            days=certificate["days"],
            soon=say("soon") if certificate["soon"] else "",
        )
    for row in status.get("parked", ()):
        caller, until = row["caller"] or say("withheld"), clock(row["until"], here)
        about = {**row, "client": row["client"] or "", "caller": caller, "until": until}
        yield say("parked", **about).rstrip()
    for row in status.get("rooms", ()):
        yield say("room", room=row["room"], members=len(row["members"]))
    texts = status.get("texts") or {}
    if any(texts.values()):
        yield say("texts", **texts)
    for row in status.get("alerts", ()):
        yield say("alert", title=row["text"][say.language]["title"], since=clock(row["since"], here))
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


def _conversation(row: Mapping[str, Any], say: Speech, here: ZoneInfo) -> Iterator[str]:
    """Who is on hold, and who else is there."""
    if row.get("held_since"):
        yield say("held", since=clock(row["held_since"], here))
    if third := row.get("third"):
        who = third["name"] or third["number"]
        yield say("third", who=who, state=say(f"third {third['state']}"))
    if side := row.get("no_sound_from"):
        yield say(f"no sound from {side}")
    if row.get("recorded"):
        yield say("recorded")
    for heard in row.get("supervised") or ():
        yield say("supervised", lead=heard["lead"], how=say(heard["mode"]))


@click.command()
@click.argument("who", metavar="ID")
@click.argument(
    "verb", type=click.Choice(["login", "logout", "pause", "done", "forward", "supervise", *VERBS])
)
@click.argument("argument", required=False)
@click.argument("to", required=False)
@click.option("--as", "lead", help="supervise: the team lead whose phone rings.")
@click.option("--mode", type=click.Choice(MODES), default=MODES[0], help="supervise: how she begins.")
def secretary(who: str, verb: str, argument: str | None, to: str | None, lead: str | None, mode: str) -> None:
    """What a secretary does: login, logout, pause [REASON], resume, done; and with her conversation: hold,
    resume, consult TO, join, drop, leave, transfer TO, patch TO, park [NOTE], record start|pause|resume|stop. And with
    her phone: forward always|busy|no_answer [TO], without TO that forward ends. And her team lead: supervise --as
    LEAD."""
    if verb == "forward":
        _forward(who, argument or "", to)
        return
    if verb == "supervise":
        _supervise(who, lead, mode)
        return
    if to is not None:
        raise click.UsageError(f"unexpected argument {to!r}")
    query = f"?{VERBS.get(verb) or 'reason'}={quote(argument, safe='')}" if argument else ""
    row = ask_exchange("POST", f"/v1/secretaries/{quote(who, safe='')}/{verb}{query}")
    say = speech(SENTENCES)
    if "verb" in row:
        click.echo(say("ordered", **row))
        return
    reason = f" ({row['reason']})" if row["reason"] else ""
    click.echo(say("is", id=row["id"], state=say(row["state"]), reason=reason))


def _supervise(who: str, lead: str | None, mode: str) -> None:
    if lead is None:
        raise click.UsageError("say who listens: --as LEAD")
    row = ask_exchange("POST", "/v1/supervisions", {"lead": lead, "secretary": who, "mode": mode})
    click.echo(speech(SENTENCES)("supervises", **row))


def _forward(who: str, when: str, to: str | None) -> None:
    method, query = ("DELETE", "") if to is None else ("PUT", f"?to={quote(to, safe='')}")
    if when not in WHENS:
        raise click.UsageError(f"forward {' | '.join(WHENS)} [TO]")
    row = ask_exchange(method, f"/v1/forwarding/{quote(who, safe='')}/{when}{query}")
    say = speech(SENTENCES)
    sentence = "not forwarded" if row[when] is None else "forwarded"
    click.echo(say(sentence, id=row["id"], when=say(when), to=row[when]))
