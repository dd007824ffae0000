"""Recorded conversations: which may be recorded at all, and the row by which one is kept.

A conversation is recorded only while a caller and a secretary talk, for a client who agreed to it, and never where
medical or legal secrecy holds, nor where the call is no client's. A `Tape` is one file: of one secretary's part of
one call. Its row is written before the recording begins, so that no crash leaves a voice that nobody knows of.
Pure. `calls.taping` decides and begins, `tapes.keeper` encrypts and erases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from autocom.core.codec import Codec
from autocom.core.journal import Json
from autocom.core.model import Client
from autocom.core.story import Call

TAPE, KEPT = "tape:", "tape-kept:"
"""What the keys of the rows begin with: of those under way, which are few, and of those that are kept."""

ALL = "tape"
"""What all of them begin with."""

_WORDS = {
    "fr": {
        "started": "Enregistrement en cours.",
        "paused": "Enregistrement en pause.",
        "resumed": "Enregistrement repris.",
        "stopped": "Enregistrement arrêté.",
        "private": "Enregistrement refusé : cet appel n'est celui d'aucun client.",
        "secrecy": "Enregistrement refusé : secret professionnel.",
        "not_agreed": "Enregistrement refusé : ce client ne le prévoit pas.",
        "no_notice": "Enregistrement refusé : l'annonce est introuvable.",
        "failed": "Enregistrement impossible, la conversation continue sans.",
    },
    "en": {
        "started": "Recording.",
        "paused": "Recording paused.",
        "resumed": "Recording resumed.",
        "stopped": "Recording stopped.",
        "private": "Not recorded: this call is no client's.",
        "secrecy": "Not recorded: professional secrecy.",
        "not_agreed": "Not recorded: this client does not have calls recorded.",
        "no_notice": "Not recorded: the notice is missing.",
        "failed": "Recording failed, the conversation goes on without it.",
    },
}


@dataclass(frozen=True, slots=True)
class Tape:
    """One recording. `at`: when it began; `ended`: when it was over, and `seconds` of sound in it; `erase_at`: when the
    client's retention ends (all UTC epoch seconds). Until it is `kept` it lies, in clear, in Asterisk's store.
    `key`: the id of the key that it is encrypted under."""

    recording: str
    call: str
    client: str
    secretary: str
    at: float
    keep_for: float
    ended: float | None = None
    seconds: float | None = None
    erase_at: float | None = None
    kept: bool = False
    key: str = ""


CODEC = Codec((Tape,))


def row_of(tape: Tape) -> dict[str, Json]:
    """The row to save, by its key; None deletes the one it had on its way."""
    if not tape.kept:
        return {TAPE + tape.recording: CODEC.dump(tape)}
    return {TAPE + tape.recording: None, KEPT + tape.recording: CODEC.dump(tape)}


def tapes(rows: Mapping[str, Json]) -> tuple[list[Tape], list[str]]:
    """The recordings among these rows, oldest first; and the keys of those that cannot be read."""
    found, broken = CODEC.rows(Tape, (TAPE, KEPT), rows)
    return sorted(found, key=lambda tape: (tape.at, tape.recording)), broken


def may_not(call: Call, today: Client | None) -> str | None:
    """Why this call's conversations are not recorded: private (no client's), secrecy (medical or legal), not_agreed.
    `today`: the client in the configuration in force; what either of the two forbids is forbidden."""
    if not call.client.id or call.direction == "internal":
        return "private"
    sides = [call.client, today or call.client]
    if any(client.discreet for client in sides):
        return "secrecy"
    if any(client.recording == "never" for client in sides):
        return "not_agreed"
    return None


def wanted(call: Call, today: Client | None, *, asked: bool | None) -> bool:
    """Whether this call's conversations are to be recorded. `asked`: what a secretary last said, None: nothing."""
    if may_not(call, today) is not None or asked is False:
        return False
    return asked is True or (
        call.client.recording == "always" and (today or call.client).recording == "always"
    )


def said(what: str, language: str) -> str:
    """What the secretary reads on her phone: started, paused, resumed, stopped, or why not."""
    return _WORDS["fr" if language == "fr" else "en"][what]
