"""The clients' call lists, kept over a restart: filled from outside, emptied one by one by who asks.

What an item is and whose turn it is stands in `core.reminders`; here it is saved before a call is made for it,
so that no two secretaries call the same person, also after a crash. Must not dial (`calls.dialled` does).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from autocom.calls.kept import read_back
from autocom.calls.ports import Clock, Journal
from autocom.core.codec import Codec
from autocom.core.journal import Entry, Json
from autocom.core.reminders import MOST, Item, after_call, after_result, forgotten, in_hours, next_item

ROW = "reminder:"


class Reminders:
    """Every item by id. `new_id` makes ids that sort by time; `ahead`: see `house.House`."""

    def __init__(self, journal: Journal, clock: Clock, new_id: Callable[[], str]) -> None:
        self._journal, self._clock, self._new_id = journal, clock, new_id
        self._codec = Codec((Item,))
        self._items: dict[str, Item] = {}
        self.ahead = 0.0

    def restore(self, rows: Mapping[str, Json], live: Iterable[str]) -> None:
        """What the last process knew; an item whose call was never opened, or is over, is open again."""
        open_calls = frozenset(live)
        for item in read_back(self._codec, Item, ROW, rows).values():
            if item.call is not None and item.call not in open_calls:
                self._items[item.id] = replace(item, call=None)
            else:
                self._items[item.id] = item

    def of(self, client: str) -> list[Item]:
        """This client's, in the order in which they were added."""
        return sorted(
            (i for i in self._items.values() if i.client == client), key=lambda i: (i.added_at, i.id)
        )

    def add(self, items: Iterable[Item], author: str) -> list[Item]:
        """Put these on their client's list, all or none; with their ids. ValueError where a list would be too
        long."""
        now = self._clock.now()
        added = [replace(item, id=self._new_id(), added_at=now, added_by=author) for item in items]
        counts = Counter(item.client for item in added)
        for client, more in counts.items():
            number = sum(i.state != "done" for i in self.of(client)) + more
            if number > MOST:
                raise ValueError(f"the list of {client} would have {number} people: at most {MOST}")
        entries = [
            Entry(now, "list_filled", None, {"client": client, "people": n, "author": author})
            for client, n in sorted(counts.items())
        ]
        self._keep(added, entries)
        return added

    def remove(self, client: str, item: str | None, author: str) -> int:
        """Take one off this client's list, or all that are not under way; how many."""
        gone = [i for i in self.of(client) if i.call is None and item in (None, i.id)]
        if gone:
            fields: dict[str, Json] = {"client": client, "people": -len(gone), "author": author}
            entry = Entry(self._clock.now(), "list_filled", None, fields)
            self._journal.save([entry], floor={f"{ROW}{i.id}": None for i in gone})
        for each in gone:
            del self._items[each.id]
        return len(gone)

    def take(self, client: str, zone: str, call: str) -> Item | str:
        """Whose turn it is, for this call, which is about to be opened; or why nobody's: list_empty, list_late."""
        now = self._clock.now()
        if not in_hours(now + self.ahead, zone):
            return "list_late"
        item = next_item(self.of(client), now)
        if item is None:
            return "list_empty"
        taken = replace(item, call=call, result=None)
        self._keep([taken])
        return taken

    def ended(self, call: str, outcome: str) -> None:
        """A call is over."""
        now = self._clock.now()
        for item in [i for i in self._items.values() if i.call == call]:
            over = after_call(item, outcome, now)
            fields: dict[str, Json] = {"item": item.id, "tries": over.tries, "result": over.result}
            self._keep([over], [Entry(now, "list_called", call, fields)])
        old = [i for i in self._items.values() if forgotten(i, now)]
        if old:
            self._journal.save(floor={f"{ROW}{i.id}": None for i in old})
            for each in old:
                del self._items[each.id]

    def said(self, call: str, result: str) -> None:
        """What came of a call from a list, during it or afterwards."""
        for item in list(self._items.values()):
            if call in (item.call, item.last_call):
                self._keep([after_result(item, result, self._clock.now())])

    def _keep(self, items: Iterable[Item], entries: Iterable[Entry] = ()) -> None:
        listed = list(items)
        self._journal.save(list(entries), floor={f"{ROW}{i.id}": self._codec.dump(i) for i in listed})
        for item in listed:
            self._items[item.id] = item
