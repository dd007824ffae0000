"""Mails and texts that come of a call: what is written down for the outbox, and in which transaction.

Nothing is sent here: a decision returns rows and entries, which its caller saves together with the
step that it takes. So a mail is wanted exactly once, whatever dies when; `mail.courier` sends it.
Invariant: of a discreet client's callers nothing is written into a letter, no number, name or word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.core.ingress import Identity
from autocom.core.journal import Entry, Json
from autocom.core.letters import Alert, Content, Letter, Note, Voice, VoiceNotice, row_of
from autocom.core.model import Configuration, SendMessage, Step, Voicemail
from autocom.core.naming import letter_id
from autocom.core.numbers import NumberingPlan, national
from autocom.core.references import reference
from autocom.core.sip import clean
from autocom.core.stages import Following

Rows = dict[str, Json]
MAILED_ALERTS = frozenset({"no_answer_pause", "outgoing_limit"})
"""Alerts that the supervisor is mailed."""

_SHOWN = 40


def voice_left(
    house: House, line: Line, voicemail: Voicemail, recording: str, seconds: float | None
) -> tuple[list[Entry], Rows]:
    """A message was recorded: it is kept, and everybody named in the step is told."""
    call, now = line.story.call, line.now()
    client = call.client
    voice = Voice(recording, call.id, client.id, now, now + client.retention_recordings)
    bureau = house.configuration.bureau.name if house.configuration is not None else ""
    notice = VoiceNotice(
        recording=recording,
        reference=reference(recording),
        client="" if client.discreet else client.name,
        house=bureau,
        at=now,
        zone=client.hours.zone,
        seconds=seconds,
        caller=None if client.discreet else shown(call.identity, house.plan),
        discreet=client.discreet,
    )
    entries, rows = _letters(line, recording, voicemail.mail, "voicemail", notice)
    return entries, {**row_of(voice), **rows}


def send(house: House, line: Line, step: SendMessage, rest: tuple[Step, ...]) -> Following:
    """The `message` step: wanted once and saved with the step after it, whatever becomes of it."""
    client, number = line.story.call.client, line.story.letters + 1
    text = step.text
    if not client.discreet:
        local = datetime.fromtimestamp(house.wall(line.now()), ZoneInfo(client.hours.zone))
        for name, value in (
            # a caller's own text last: it may hold a word in braces
            ("{client}", client.name),
            ("{time}", local.strftime("%H:%M")),
            ("{caller}", shown(line.story.call.identity, house.plan) or "—"),
        ):
            text = text.replace(name, value)
    about = letter_id(line.id, number)
    entries, rows = _letters(
        line, about, (step.to,), "message", Note(text, "" if client.discreet else client.name)
    )
    stage = Following(rest)
    line.become_with(rows, stage, *entries, letters=number)
    return stage


def alert_rows(configuration: Configuration | None, told: Iterable[Entry]) -> tuple[list[Entry], Rows]:
    """What to save beside these entries so that the supervisor is mailed the `alert`s among them: one mail
    for each address, however often it is decided."""
    entries: list[Entry] = []
    rows: Rows = {}
    if configuration is None:
        return entries, rows
    bureau = configuration.bureau
    for alert in told:
        key = str(alert.fields.get("alert", ""))
        if alert.kind != "alert" or key not in MAILED_ALERTS:
            continue
        secretary, client = alert.fields.get("secretary"), alert.fields.get("client")
        about = str(secretary or client or "")
        people = configuration.secretaries if secretary else configuration.clients
        known = people.get(about)
        fields = {k: str(v) for k, v in alert.fields.items() if isinstance(v, str | int | float)}
        fields["name"] = known.name if known is not None else about
        content = Alert(key, about, bureau.name, alert.at, bureau.timezone, fields)
        name = f"alert-{key.replace('_', '-')}-{about}-{round(alert.at * 1000)}"
        for number, to in enumerate(bureau.supervisor, start=1):
            letter = Letter(f"{name}-to-{number}", to, alert.at, bureau.language, content, alert.call)
            rows.update(row_of(letter))
            entries.append(_queued(letter, key))
    return entries, rows


def shown(identity: Identity, plan: NumberingPlan) -> str | None:
    """The caller as people write him, None where his number is withheld."""
    if identity.caller:
        return national(identity.caller, plan)
    return None if identity.anonymous else clean(identity.caller_text, _SHOWN) or None


def _letters(
    line: Line, about: str, addresses: Iterable[str], kind: str, content: Content
) -> tuple[list[Entry], Mapping[str, Json]]:
    client = line.story.call.client
    made = [
        Letter(f"{about}-to-{n}", to, line.now(), client.language, content, line.id, client.id)
        for n, to in enumerate(dict.fromkeys(addresses), start=1)
    ]
    rows: Rows = {}
    for letter in made:
        rows.update(row_of(letter))
    return [_queued(letter, kind) for letter in made], rows


def _queued(letter: Letter, about: str) -> Entry:
    fields: dict[str, Json] = {"mail": letter.id, "to": letter.to, "about": about}
    return Entry(letter.at, "mail_queued", letter.call, fields)
