"""What came of a call, as the secretary says it with one key.

The digits of `*7N` as words; the journal keeps the words. A call from a list (`core.reminders`) has words of
its own. Pure; who said it and of which call is `calls.results`.
"""

from __future__ import annotations

from autocom.core.journal import Json

RESULTS = {
    "1": "appointment",
    "2": "message",
    "3": "put_through",
    "4": "information",
    "5": "wrong_number",
    "6": "sales",
    "7": "silent",
}
LIST_RESULTS = {
    "1": "confirmed",
    "2": "cancelled",
    "3": "call_again",
    "4": "left_message",
    "5": "wrong_number",
    "6": "refused",
}
ACCEPTED_FOR = 1800.0
"""Seconds after the beginning of her next idle time in which she may still say it: `*7N` is about her last call."""


def result(said: str, *, listed: bool = False) -> str | None:
    """The word for a digit or for the word itself; None where it is neither."""
    words = LIST_RESULTS if listed else RESULTS
    return words.get(said) or (said if said in words.values() else None)


def last_call(row: Json) -> tuple[str, float, bool] | None:
    """What was kept of her last call: its id, when she was joined in it, whether it came from a list."""
    match row:
        case {"call": str(call), "at": float() | int() as at, "listed": bool(listed)}:
            return call, float(at), listed
        case _:
            return None
