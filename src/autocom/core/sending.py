"""What a secretary is shown about a caller whom she sent on and who comes back, in the bureau's language.

The note travels in the INVITE that brings him back, and as a text to her phone; it says to whom he was sent and
why that failed, never who he is. Pure.
"""

from __future__ import annotations

_WORDS = {
    "fr": {
        "no_answer": "{to} n'a pas répondu",
        "refused": "{to} a refusé ou est occupé",
        "unreachable": "{to} n'est pas joignable",
        "not_accepted": "{to} n'a pas pris l'appel",
        "loop": "{to} renvoie ses appels chez nous",
        "gone": "{to} a raccroché",
        "not_allowed_here": "{to} ne peut pas servir ce client (pays)",
        "room": "personne dans la conférence {to}",
        "room_locked": "la conférence {to} est fermée",
        "room_full": "la conférence {to} est complète",
        "barred": "{to} : numéro non autorisé",
        "limit": "{to} : limite d'appels sortants atteinte",
        "no_line": "{to} : aucune ligne libre",
        "self": "{to} : c'est votre poste",
        "unknown": "{to} : destination inconnue",
        "own": "{to} : c'est un numéro de la maison",
        "failed": "{to} : transfert impossible",
        "return": "Retour : {why}",
        "stays": "Transfert refusé : {why}",
    },
    "en": {
        "no_answer": "{to} did not answer",
        "refused": "{to} refused or is busy",
        "unreachable": "{to} cannot be reached",
        "not_accepted": "{to} did not take the call",
        "loop": "{to} forwards calls back to us",
        "gone": "{to} hung up",
        "not_allowed_here": "{to} may not serve this client (country)",
        "room": "nobody is in conference {to}",
        "room_locked": "conference {to} is locked",
        "room_full": "conference {to} is full",
        "barred": "{to}: not allowed",
        "limit": "{to}: limit of outgoing calls reached",
        "no_line": "{to}: no line free",
        "self": "{to}: that is your own extension",
        "unknown": "{to}: nobody has that extension",
        "own": "{to}: that is a number of the house",
        "failed": "{to}: cannot be transferred",
        "return": "Back: {why}",
        "stays": "Transfer refused: {why}",
    },
}
REASONS = tuple(word for word in _WORDS["en"] if word not in {"return", "stays"})
"""Every word that has a sentence of its own."""
_ALSO = {
    "emergency": "barred",
    "premium": "barred",
    "international": "barred",
    "satellite": "barred",
    "malformed": "unknown",
}


def reason(language: str, why: str, to: str) -> str:
    """Why he is not with whom she sent him to; `why` as in the entry `transfer_failed`."""
    words = _WORDS.get(language, _WORDS["en"])
    return words.get(_ALSO.get(why, why), words["failed"]).format(to=to)


def coming_back(language: str, why: str, to: str) -> str:
    """The text to her phone: he comes back."""
    return _WORDS.get(language, _WORDS["en"])["return"].format(why=reason(language, why, to))


def staying(language: str, why: str, to: str) -> str:
    """The text to her phone: he was not sent on at all."""
    return _WORDS.get(language, _WORDS["en"])["stays"].format(why=reason(language, why, to))
