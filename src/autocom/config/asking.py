"""Sentences that autocom speaks by itself, made from a client's name: asks and whispers.

Whoever is called outside for a client hears what the call is about before he takes it; a secretary
may hear the client's name before she is joined. Must not know audio: only texts. Invariant: a text
depends on nothing but the client's name, the key and the language, so it is spoken once and kept.
"""

from __future__ import annotations

from typing import Final

_FORWARD: Final = {
    "fr": "Un appel pour {client}. Pour le prendre, {press}.",
    "en": "A call for {client}. To take it, {press}.",
}
_ON_CALL: Final = {
    "fr": "Vous êtes de garde pour {client}. Un appel vous attend. Pour le prendre, {press}.",
    "en": "You are on call for {client}. A caller is waiting. To take the call, {press}.",
}
_PRESS: Final = {"fr": "composez le {key}", "en": "press {key}"}
_KEYS: Final = {
    "fr": {"*": "appuyez sur étoile", "#": "appuyez sur dièse"},
    "en": {"*": "press star", "#": "press hash"},
}


def forward_ask(client: str, key: str, language: str) -> str:
    """What somebody hears to whom a call is forwarded, until he presses `key`."""
    return _FORWARD[language].format(client=client, press=_press(key, language))


def on_call_ask(client: str, key: str, language: str) -> str:
    """What somebody who is on call hears, until he presses `key`."""
    return _ON_CALL[language].format(client=client, press=_press(key, language))


def _press(key: str, language: str) -> str:
    return _KEYS[language].get(key) or _PRESS[language].format(key=key)
