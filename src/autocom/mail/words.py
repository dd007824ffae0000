"""What stands in a mail or a text, in French or English.

For a discreet client (health, legal privilege) a notice names nobody and says nothing: how many,
the reference to ask for, when. Must not know how it is sent. Invariant: subject and body follow from
the letter alone, so that a second try says the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import assert_never
from zoneinfo import ZoneInfo

from autocom.core.letters import Alert, Letter, Note, VoiceNotice

_FR: Mapping[str, str] = {
    "voice": "Message vocal pour {client} : {caller}",
    "voice_body": "Un message vocal a été laissé pour {client}.\n\nDe : {caller}\nReçu le : {at}\nDurée : {length}\nRéférence : {reference}\n\n",
    "attached": "L'enregistrement est joint à ce courriel.",
    "lost": "L'enregistrement n'a pas pu être récupéré. Demandez-le à {house} avec la référence ci-dessus.",
    "discreet": "1 message, réf. {reference}",
    "discreet_body": "1 message, réf. {reference}, reçu le {at}.\nPour l'écouter, contactez {house} en donnant cette référence.",
    "withheld": "numéro masqué",
    "unknown_length": "inconnue",
    "note": "Message de {client}",
    "note_discreet": "Message",
    "no_answer_pause": "{name} a été mise en pause : appels sans réponse",
    "no_answer_pause_body": "{name} n'a pas répondu à {misses} appels de suite. Son poste a été mis en pause le {at}, afin que les appels suivants n'attendent pas chez elle.\nElle reprend en composant *48, ou : autocom secretary {about} resume.",
    "outgoing_limit": "{name} : beaucoup d'appels sortants",
    "outgoing_limit_body": "Au nom de {name}, le {at} : {used} sur {limit} ({what}).\nAu-delà de la limite, ses appels sortants sont refusés. Si ces appels ne sont pas les siens, changez le mot de passe du poste.\nper_hour : appels dans l'heure ; minutes_a_day : minutes de conversation du jour. Les appels : autocom calls --direction out.",
    "exchange": "{title}",
    "exchange_body": "{sentence}\n\nDepuis le {at}. Ce qui est en cours : autocom alerts.",
    "alert": "Alerte : {key} ({about})",
    "alert_body": "{key}, le {at} : {about}.\n{fields}",
    "date": "%d/%m/%Y à %H:%M",
    "signature": "\n\n-- \n{house}\n",
}
_EN: Mapping[str, str] = {
    "voice": "Voice message for {client}: {caller}",
    "voice_body": "A voice message was left for {client}.\n\nFrom: {caller}\nReceived: {at}\nLength: {length}\nReference: {reference}\n\n",
    "attached": "The recording is attached.",
    "lost": "The recording could not be retrieved. Ask {house} for it with the reference above.",
    "discreet": "1 message, ref. {reference}",
    "discreet_body": "1 message, ref. {reference}, received on {at}.\nTo hear it, contact {house} and give this reference.",
    "withheld": "number withheld",
    "unknown_length": "unknown",
    "note": "Message from {client}",
    "note_discreet": "Message",
    "no_answer_pause": "{name} was paused: calls not answered",
    "no_answer_pause_body": "{name} did not answer {misses} calls in a row. Her phone was paused on {at}, so that the next calls do not wait there.\nShe resumes by dialling *48, or: autocom secretary {about} resume.",
    "outgoing_limit": "{name}: many outgoing calls",
    "outgoing_limit_body": "In the name of {name}, on {at}: {used} of {limit} ({what}).\nBeyond the limit further outgoing calls are refused. If these calls are not theirs, change the phone's password.\nper_hour: calls within the hour; minutes_a_day: minutes of conversation today. The calls: autocom calls --direction out.",
    "exchange": "{title}",
    "exchange_body": "{sentence}\n\nSince {at}. What is the case now: autocom alerts.",
    "alert": "Alert: {key} ({about})",
    "alert_body": "{key}, on {at}: {about}.\n{fields}",
    "date": "%d %b %Y at %H:%M",
    "signature": "\n\n-- \n{house}\n",
}
_LANGUAGES = {"fr": _FR, "en": _EN}


def words(letter: Letter, *, has_audio: bool) -> tuple[str, str]:
    """Subject and body."""
    said = _LANGUAGES.get(letter.language, _FR)
    match letter.content:
        case VoiceNotice() as notice:
            return _voice(notice, said, has_audio=has_audio)
        case Note(text, client):
            subject = said["note"] if client else said["note_discreet"]
            return one_line(subject.format(client=client)), text
        case Alert() as alert:
            return _alert(alert, said)
        case _ as unreachable:
            assert_never(unreachable)


def _voice(notice: VoiceNotice, said: Mapping[str, str], *, has_audio: bool) -> tuple[str, str]:
    kind = "discreet" if notice.discreet else "voice"
    filled = {
        "client": notice.client,
        "house": notice.house,
        "caller": notice.caller or said["withheld"],
        "at": _date(notice.at, notice.zone, said),
        "length": said["unknown_length"] if notice.seconds is None else _length(notice.seconds),
        "reference": notice.reference,
    }
    body = said[kind + "_body"].format_map(filled)
    if not notice.discreet:
        body += said["attached" if has_audio else "lost"].format_map(filled)
    return one_line(said[kind].format_map(filled)), body + said["signature"].format_map(filled)


def _alert(alert: Alert, said: Mapping[str, str]) -> tuple[str, str]:
    kind = alert.key if alert.key in said and alert.key + "_body" in said else "alert"
    filled = {
        "misses": "?",
        "name": alert.about,
        **alert.fields,
        "key": alert.key,
        "about": alert.about,
        "house": alert.house,
        "at": _date(alert.at, alert.zone, said),
        "fields": "\n".join(f"{name}: {value}" for name, value in alert.fields.items()),
    }
    body = said[kind + "_body"].format_map(filled) + said["signature"].format_map(filled)
    return one_line(said[kind].format_map(filled)), body


def one_line(text: str) -> str:
    """Fit for a header: whatever is no printable character is a space. The mail's policy refuses a line
    break by itself; a mail that is refused would never arrive."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _date(at: float, zone: str, said: Mapping[str, str]) -> str:
    return datetime.fromtimestamp(at, ZoneInfo(zone)).strftime(said["date"])


def _length(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
