"""What a secretary says of herself (there, away, back) as floor facts, how it is confirmed; and what she is
told in a text on her phone.

Pure words to facts. Her phone brings the words as codes (`core.codes`), the command line and the API as they
are.
"""

from __future__ import annotations

from autocom.core.floor_words import LoggedIn, LoggedOut, PausedBy, Resumed, Tell

REASONS = {"1": "break", "2": "lunch", "3": "training", "4": "other"}
VERBS = ("login", "logout", "pause", "resume", "done")

SecretaryFact = LoggedIn | LoggedOut | PausedBy | Resumed


def by_verb(secretary: str, verb: str, reason: str | None = None) -> SecretaryFact:
    """A word of `VERBS`. A reason is a word or a digit of `REASONS` (None: other); ValueError says what is
    allowed."""
    match verb:
        case "login":
            return LoggedIn(secretary)
        case "logout":
            return LoggedOut(secretary)
        case "pause":
            word = REASONS.get(reason or "4", reason or "")
            if word not in REASONS.values():
                raise ValueError(
                    f"unknown pause reason {word!r}: use {', '.join(REASONS.values())} (or 1 to 4)"
                )
            return PausedBy(secretary, word)
        case "resume" | "done":
            return Resumed(secretary)
        case _:
            raise ValueError(f"unknown verb {verb!r}: use {', '.join(VERBS)}")


def confirmation(fact: SecretaryFact) -> str:
    """The stock prompt that confirms the code."""
    match fact:
        case LoggedIn():
            return "logged-in"
        case LoggedOut():
            return "logged-out"
        case PausedBy():
            return "paused"
        case Resumed():
            return "resumed"


def told(tell: Tell, language: str) -> str:
    """The text she gets, in the bureau's language."""
    match language, tell.what:
        case "fr", "no_answer_pause":
            calls = "1 appel" if tell.misses == 1 else f"{tell.misses} appels"
            return f"autocom : pause, {calls} sans réponse. *48 pour reprendre."
        case _, "no_answer_pause":
            calls = "1 call" if tell.misses == 1 else f"{tell.misses} calls"
            return f"autocom: paused, {calls} not answered. *48 to resume."
        case "fr", "caller_gone":
            return "autocom : l'appelant vient de raccrocher."
        case _, "caller_gone":
            return "autocom: the caller has just hung up."
        case _:
            return f"autocom: {tell.what}"
