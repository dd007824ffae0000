"""A client's call list: people whom his secretaries call, one at a time, when one of them asks for the next.

Nothing here ever dials: `next_item` answers a secretary who asked (never an automatic dialler), and an item
that is under way is given to nobody else. What became of a call decides what becomes of the item. Pure; the
items are kept by `calls.reminders`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

TRIES = 3
"""Calls that nobody answered, after which an item is given up."""
AGAIN_AFTER = 1800.0
"""Seconds until an item that nobody answered, or that asked for it, comes up again."""
KEPT_FOR = 30 * 86400.0
"""Seconds for which an item that is done is kept."""
HOURS = (8, 20)
"""Local hours of the client between which people are called from a list."""
MOST = 500
LONGEST_NAME = 80
LONGEST_NOTE = 300


@dataclass(frozen=True, slots=True)
class Item:
    """One to be called. Instants are UTC epoch seconds. `not_before`: not earlier; `call`: the call that is under
    way for him, `last_call` the one before; `result`: a word of `core.results.LIST_RESULTS`, reached, or given_up."""

    id: str
    client: str
    number: str
    name: str = ""
    note: str = ""
    added_at: float = 0.0
    added_by: str = ""
    not_before: float | None = None
    tries: int = 0
    call: str | None = None
    last_call: str | None = None
    result: str | None = None
    done_at: float | None = None

    @property
    def state(self) -> str:
        """open, under_way or done."""
        if self.done_at is not None:
            return "done"
        return "under_way" if self.call is not None else "open"


def next_item(items: Iterable[Item], now: float) -> Item | None:
    """Whose turn it is: the one that is due the longest."""
    due = [
        item for item in items if item.state == "open" and (item.not_before is None or item.not_before <= now)
    ]
    return min(due, key=lambda item: (item.not_before or item.added_at, item.added_at, item.id), default=None)


def in_hours(now: float, zone: str) -> bool:
    """Whether people may be called at this instant."""
    return HOURS[0] <= datetime.fromtimestamp(now, ZoneInfo(zone)).hour < HOURS[1]


def after_call(item: Item, outcome: str, now: float) -> Item:
    """The item once its call is over. What the secretary said of it counts more than that he answered."""
    over = replace(item, call=None, last_call=item.call)
    if outcome == "served":
        return after_result(over, item.result or "reached", now)
    tries = item.tries + 1
    if tries >= TRIES:
        return replace(over, tries=tries, result="given_up", done_at=now, note="")
    return replace(over, tries=tries, not_before=now + AGAIN_AFTER)


def after_result(item: Item, result: str, now: float) -> Item:
    """The item once she said what came of it; also a second time, where she corrects herself."""
    if item.call is not None:
        return replace(item, result=result)  # she said it during the call, whose end settles it
    if result == "call_again":
        return replace(item, result=None, done_at=None, not_before=now + AGAIN_AFTER)
    # the note said what the call was about: it is of no more use
    return replace(item, result=result, done_at=now, note="")


def forgotten(item: Item, now: float) -> bool:
    """Whether it has been done for so long that it is removed."""
    return item.done_at is not None and item.done_at + KEPT_FOR <= now


def read_csv(text: str) -> list[dict[str, str]]:
    """Lines of `number`, `name`, `note`, `at`, with comma or semicolon, in the order that the first line says, or
    in this one where it says nothing. ValueError names the line that cannot be read."""
    text = text.lstrip("\ufeff")
    mark = ";" if ";" in text and text.count(";") >= text.count(",") else ","
    # "" leaves the ends of lines to the reader: else a lone carriage return (an old spreadsheet) is an error
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from error
    if not rows:
        raise ValueError("the list is empty")
    columns = ["number", "name", "note", "at"]
    first = [cell.strip().lower() for cell in rows[0][1]]
    if "number" in first:
        unknown = sorted(set(first) - set(columns))
        if unknown:
            raise ValueError(f"line 1: unknown column {unknown[0]!r}: there are {', '.join(columns)}")
        columns, rows = first, rows[1:]
    found = []
    for number, row in rows:
        if len(row) > len(columns):
            raise ValueError(f"line {number}: {len(row)} columns, at most {len(columns)} are expected")
        found.append({name: cell.strip() for name, cell in zip(columns, row, strict=False)})
    return found
