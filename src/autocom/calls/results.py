"""Whose last call was which, and what the secretary says came of it.

Kept in the floor's rows over a restart, since she may say it minutes later. The latest word holds; every word
is in the journal. Nothing waits for it, and no call depends on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from autocom.calls.ports import Clock, Journal
from autocom.core.journal import Entry, Json
from autocom.core.results import ACCEPTED_FOR, last_call, result

ROW = "last:"


class NoResult(Exception):  # noqa: N818 - says what is the case
    """There is no call of hers, or no such result; the words say which."""


class Results:
    """`listed`: whether this call was made from a list; `told`: hears of a result of such a call."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal, self._clock = journal, clock
        self._last: dict[str, tuple[str, float, bool]] = {}
        self.listed: Callable[[str], bool] = lambda _call: False
        self.told: Callable[[str, str], None] = lambda _call, _result: None

    def restore(self, rows: Mapping[str, Json]) -> None:
        """What the last process knew."""
        for key, row in rows.items():
            found = last_call(row) if key.startswith(ROW) else None
            if found is not None:
                self._last[key.removeprefix(ROW)] = found

    def rows(self, entries: Sequence[Entry]) -> dict[str, Json]:
        """What has to be saved together with these entries: who talks in which call now, or did until now."""
        rows: dict[str, Json] = {}
        for entry in entries:
            secretary = entry.fields.get("secretary")
            if (
                entry.call is None
                or entry.kind not in {"bridged", "talk_ended"}
                or not isinstance(secretary, str)
            ):
                continue
            listed = self.listed(entry.call)
            self._last[secretary] = entry.call, entry.at, listed
            rows[f"{ROW}{secretary}"] = {"call": entry.call, "at": entry.at, "listed": listed}
        return rows

    def say(self, secretary: str, said: str) -> tuple[str, str]:
        """Write down what came of her last call (a digit or a word); that call's id, and the word. Raises
        `NoResult`."""
        now = self._clock.now()
        call, at, listed = self._last.get(secretary, ("", 0.0, False))
        if not call or at + ACCEPTED_FOR < now:
            raise NoResult(f"{secretary} has had no call in the last {round(ACCEPTED_FOR / 60)} minutes")
        word = result(said, listed=listed)
        if word is None:
            raise NoResult(f"there is no result {said!r}")
        self._journal.save([Entry(now, "result", call, {"secretary": secretary, "result": word})])
        if listed:
            self.told(call, word)
        return call, word
