"""What opens the page in a browser: one-time tickets, signed sessions, and a limit on guesses.

A ticket is a word of chance that works once and for a quarter of an hour; it lives in this process only. A
session is signed, not stored, so it outlives a restart of autocom; it ends after half a day, and at once where
the password is changed. Time is an argument. Must not know HTTP. Who asks is `phone_desk`.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import deque
from collections.abc import Callable
from pathlib import Path

from autocom.core.accounts import same
from autocom.shelf import write_whole

TICKET = 900.0
"""Seconds that a ticket waits to be used."""

SESSION = 12 * 3600.0
"""Seconds of a session."""

MOST_TICKETS = 1000
MOST_REMEMBERED = 10_000


class Tickets:
    """One-time words. What is kept is their digest: who reads memory or a core file opens nothing."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, str, float]] = {}

    def issue(self, who: str, purpose: str, now: float) -> str:
        """A word that `redeem` turns into `who`, once, until `now + TICKET`."""
        self._kept = {key: value for key, value in self._kept.items() if value[2] > now}
        while len(self._kept) >= MOST_TICKETS:
            del self._kept[next(iter(self._kept))]
        word = secrets.token_urlsafe(24)
        self._kept[_digest(word)] = (who, purpose, now + TICKET)
        return word

    def redeem(self, word: str, purpose: str, now: float) -> str | None:
        """Whose it is; None where it is used, too old, unknown, or for something else."""
        key = _digest(word)
        found = self._kept.get(key)
        if found is None or found[1] != purpose:
            return None
        del self._kept[key]
        return found[0] if found[2] > now else None


def _digest(word: str) -> str:
    return hashlib.sha256(word.encode("utf-8", "surrogatepass")).hexdigest()


class Sessions:
    """Signed words that say who somebody is."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def kept_in(cls, path: Path) -> Sessions:
        """With the key in this file, made where it is missing (0600): sessions outlive a restart."""
        try:
            return cls(path.read_bytes())
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, (secrets.token_bytes(32),))
            return cls(path.read_bytes())

    def open(self, who: str, secret: str, now: float) -> str:
        """A session of `who`, bound to `secret` (what changes with the password)."""
        end = str(int(now + SESSION))
        return f"{end}.{self._signature(end, who, secret)}.{who}"

    def who(self, session: str, secret_of: Callable[[str], str | None], now: float) -> str | None:
        """Who it is; None where it is no session of ours, or over."""
        parts = session.split(".", 2)
        if len(parts) != 3:
            return None
        end, signature, who = parts
        secret = secret_of(who)
        if secret is None:
            return None
        good = same(signature, self._signature(end, who, secret))
        return who if good and float(end) > now else None

    def _signature(self, end: str, who: str, secret: str) -> str:
        signed = f"{end}\n{secret}\n{who}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, signed, hashlib.sha256).hexdigest()


class Guesses:
    """How often something was wrong lately: more than `most` in `within` seconds is refused unheard."""

    def __init__(self, most: int, within: float) -> None:
        self.most, self.within = most, within
        self._wrong: dict[str, deque[float]] = {}

    def wait(self, key: str, now: float) -> float:
        """Seconds until the next try may be made; 0: now."""
        wrong = self._wrong.get(key)
        if wrong is None:
            return 0.0
        while wrong and wrong[0] <= now - self.within:
            wrong.popleft()
        if not wrong:
            del self._wrong[key]
            return 0.0
        return wrong[0] + self.within - now if len(wrong) >= self.most else 0.0

    def wrong(self, key: str, now: float) -> None:
        """One more."""
        if key not in self._wrong and len(self._wrong) >= MOST_REMEMBERED:
            del self._wrong[next(iter(self._wrong))]
        self._wrong.setdefault(key, deque(maxlen=self.most)).append(now)

    def right(self, key: str) -> None:
        """It was right this time: forgotten."""
        self._wrong.pop(key, None)
