"""What is done with the clients' call lists from outside (`autocom list`, `/v1/lists`), and with results.

Checks every person before any is put on a list: a number that can be called, a time that can be read. Must not
dial, nor decide whose turn it is (`core.reminders`). Times are read in the client's zone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autocom.calls.results import NoResult
from autocom.calls.switchboard import Switchboard
from autocom.core.dialling import never_dialled
from autocom.core.journal import Json
from autocom.core.model import Client
from autocom.core.numbers import normalise
from autocom.core.overrides import read_until
from autocom.core.reminders import LONGEST_NAME, LONGEST_NOTE, Item
from autocom.timeline import iso
from autocom.wishes import known, text_of

KEYS = frozenset({"number", "name", "note", "at"})


class CallLists:
    """Over one switchboard."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board

    def show(self, client: str) -> list[Json]:
        """Everybody on this client's list, in the order in which they were added. LookupError for an unknown
        client."""
        return [_row(item) for item in self._board.reminders.of(self._client(client).id)]

    def add(self, client: str, people: Sequence[Mapping[str, Json]], author: str) -> list[Json]:
        """Put these on the list, all or none; ValueError names the first that cannot be, by its place."""
        whose = self._client(client)
        items = []
        for place, wish in enumerate(people, start=1):
            try:
                items.append(self._item(whose, wish))
            except ValueError as error:
                raise ValueError(f"person {place}: {error}") from None
        return [_row(item) for item in self._board.reminders.add(items, author)]

    def remove(self, client: str, item: str | None, author: str) -> dict[str, Json]:
        """Take one (None: all) off the list; how many. Who is being called stays."""
        return {
            "client": client,
            "removed": self._board.reminders.remove(self._client(client).id, item, author),
        }

    def say(self, secretary: str, said: str) -> dict[str, Json]:
        """What came of her last call. LookupError where she has had none, or there is no such secretary or result."""
        configuration = self._board.configuration
        known(secretary, {} if configuration is None else configuration.secretaries, "secretary")
        try:
            call, word = self._board.results.say(secretary, said)
        except NoResult as none:
            raise LookupError(str(none)) from None
        return {"secretary": secretary, "call": call, "result": word}

    def _client(self, name: str) -> Client:
        clients = {} if self._board.configuration is None else self._board.configuration.clients
        return clients[known(name, clients, "client")]

    def _moment(self, at: str, client: Client, now: float) -> float:
        try:
            return read_until(at, client.hours.zone, now)
        except ValueError as error:
            raise ValueError(f"`at` {str(error).removeprefix('until ')}") from None

    def _item(self, client: Client, wish: Mapping[str, Json]) -> Item:
        unknown = sorted(set(wish) - KEYS)
        if unknown:
            raise ValueError(f"unknown key {unknown[0]!r}: there are {', '.join(sorted(KEYS))}")
        written = text_of(wish, "number", 40)
        number = normalise(written, self._board.plan)
        if number is None or never_dialled(number, self._board.plan):
            raise ValueError(f"{written!r} is no number that can be called")
        now, at = self._board.ports.clock.now(), text_of(wish, "at", 40)
        return Item(
            id="",
            client=client.id,
            number=number,
            name=text_of(wish, "name", LONGEST_NAME),
            note=text_of(wish, "note", LONGEST_NOTE),
            not_before=self._moment(at, client, now) if at else None,
        )


def _row(item: Item) -> dict[str, Json]:
    return {
        "id": item.id,
        "client": item.client,
        "number": item.number,
        "name": item.name,
        "note": item.note,
        "state": item.state,
        "not_before": None if item.not_before is None else iso(item.not_before),
        "tries": item.tries,
        "result": item.result,
        "call": item.call or item.last_call,
        "added_at": iso(item.added_at),
        "added_by": item.added_by,
    }
