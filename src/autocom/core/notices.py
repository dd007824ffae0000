"""What secretaries read on their phones about callers who were parked or picked up, in the bureau's language.

Short texts (SIP MESSAGE), the client first, as in an offer: a phone shows the first twenty characters. Pure.
"""

from __future__ import annotations

_WORDS = {
    "fr": {
        "parked": "{who} parqué en *5{slot} par {by}{note}",
        "full": "Parking complet : {who} reste en ligne",
        "taken": "{who}{note}",
        "back": "Retour de parking : {who}{note}",
        "picked": "{who} (sonnait chez {of}){phrase}",
        "room": "Conférence {room}",
    },
    "en": {
        "parked": "{who} parked on *5{slot} by {by}{note}",
        "full": "Every parking slot is taken: {who} stays on the line",
        "taken": "{who}{note}",
        "back": "Back from parking: {who}{note}",
        "picked": "{who} (rang at {of}){phrase}",
        "room": "Conference {room}",
    },
}


def notice(language: str, what: str, /, **fields: str) -> str:
    """One of the texts. `note` and `phrase` may be empty; else they follow behind a dot."""
    words = _WORDS.get(language, _WORDS["en"])
    for name in ("note", "phrase"):
        if name in fields:
            fields[name] = f" · {fields[name]}" if fields[name] else ""
    return words[what].format(**fields)
