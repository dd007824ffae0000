"""What people had dialled, kept over a restart: the memory behind the limits of `core.dialling`.

Reads what is written down: an entry that says that a number is rung for a secretary begins a use, saved in that
entry's own transaction; Asterisk's word about the leg (it answered, it is gone) goes on with it, whichever call
holds the leg by then. One row of the floor per leg, so that nothing counts twice; those of yesterday are
forgotten. Near a limit the supervisor is told, once a day. Must not refuse anything: `calls.outgoing` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from autocom.calls.kept import read_back
from autocom.calls.messages import alert_rows
from autocom.calls.ports import Clock, Journal
from autocom.core.codec import Codec
from autocom.core.dialling import Alarm, Use, alarms, forgettable, midnight, written_numbers
from autocom.core.journal import Entry, Json
from autocom.core.model import Configuration
from autocom.core.story import Story
from autocom.core.telephony import ChannelAnswered, ChannelGone, Fact, Seen, TelephoneBack

ROW = "tally:"
TOLD = "tally-told:"
_STARTS = frozenset({"forward_started", "consult_started"})
_ENDS = frozenset({"forward_ended", "consult_ended", "patch_ended"})
_STAYS = frozenset({"left", "joined"})
"""Results of a consultation after which its leg goes on: with the caller, or ringing for him."""


class Tally:
    """Uses by leg. `story_of`: the open call of that id; `configuration`: the one in force."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        story_of: Callable[[str], Story | None],
        configuration: Callable[[], Configuration | None],
    ) -> None:
        self._journal, self._clock, self._codec = journal, clock, Codec((Use,))
        self._story_of, self._configuration = story_of, configuration
        self._uses: dict[str, Use] = {}
        self._told: dict[str, float] = {}  # until when this alarm is not given again

    def restore(self, rows: Mapping[str, Json]) -> None:
        """What the last process knew."""
        self._uses = read_back(self._codec, Use, ROW, rows)
        self._told = {
            key.removeprefix(TOLD): float(row)
            for key, row in rows.items()
            if key.startswith(TOLD) and isinstance(row, int | float)
        }

    def uses(self) -> Iterable[Use]:
        """All that may count."""
        return tuple(self._uses.values())

    # --- what is written

    def rows(self, entries: Sequence[Entry]) -> Mapping[str, Json]:
        """What these entries begin or end, to be saved with them."""
        rows: dict[str, Json] = {}
        # one that is over in the same breath was never rung: there was no line, or no leave
        never = {entry.fields.get("leg") for entry in entries if entry.kind in _ENDS}
        for entry in entries:
            leg = entry.fields.get("leg")
            if not isinstance(leg, str):
                continue
            if entry.kind in _STARTS:
                rows |= {} if leg in never else self._begin(leg, entry)
            elif entry.kind in _ENDS and entry.fields.get("result") not in _STAYS:
                rows |= self._end(leg, entry.at)
        return rows

    def _begin(self, leg: str, entry: Entry) -> dict[str, Json]:
        """A number is rung: it counts where a person wanted it, and the files do not name it."""
        by = entry.fields.get("by") or entry.fields.get("secretary")
        number, configuration = entry.fields.get("number"), self._configuration()
        story = self._story_of(entry.call or "")
        if not isinstance(by, str) or not isinstance(number, str) or not number.startswith("+"):
            return {}
        if configuration is None or story is None or leg in self._uses:
            return {}
        client = configuration.clients.get(story.call.client.id)
        if number in written_numbers(configuration, client):
            return {}
        use = Use(by, story.call.client.id, entry.at)
        rows = self._forget(entry.at, configuration.bureau.timezone)
        rows |= self._keep(leg, use)
        self._near(use, entry.at)
        return rows

    def _end(self, leg: str, at: float) -> dict[str, Json]:
        use = self._uses.get(leg)
        if use is None or use.ended is not None:
            return {}
        return self._keep(leg, replace(use, ended=at))

    def _keep(self, leg: str, use: Use) -> dict[str, Json]:
        self._uses[leg] = use
        return {f"{ROW}{leg}": self._codec.dump(use)}

    def _forget(self, now: float, zone: str) -> dict[str, Json]:
        today = midnight(now, zone)
        old = [leg for leg, use in self._uses.items() if forgettable(use, now, today)]
        for leg in old:
            del self._uses[leg]
        silent = [key for key, until in self._told.items() if until <= now]
        for key in silent:
            del self._told[key]
        return {**{f"{ROW}{leg}": None for leg in old}, **{f"{TOLD}{key}": None for key in silent}}

    # --- what happens

    def take(self, fact: Fact) -> None:
        """A leg that counts was answered, or is gone; or the telephone is back after a gap."""
        if isinstance(fact, TelephoneBack):
            self._back(fact.seen)
            return
        use = self._uses.get(fact.channel) if isinstance(fact, ChannelAnswered | ChannelGone) else None
        if use is None or use.ended is not None:
            return
        now = self._clock.now()
        match fact:
            case ChannelAnswered(leg) if use.answered is None:
                self._journal.save(floor=self._keep(leg, replace(use, answered=now)))
            case ChannelGone(leg):
                self._journal.save(floor=self._end(leg, now))
                self._near(self._uses[leg], now)
            case _:
                pass

    def _back(self, seen: Seen) -> None:
        """After a gap: legs that Asterisk does not hold any more are over, those that talk have been answered."""
        rows: dict[str, Json] = {}
        now = self._clock.now()
        for leg, use in list(self._uses.items()):
            if use.ended is not None:
                continue
            channel = seen.channels.get(leg)
            if channel is None:
                rows |= self._end(leg, now)
            elif channel.up and use.answered is None:
                rows |= self._keep(leg, replace(use, answered=now))
        if rows:
            self._journal.save(floor=rows)

    # --- near a limit

    def _near(self, use: Use, now: float) -> None:
        """Tell the supervisor of whoever this use brought near a limit, once a day."""
        configuration = self._configuration()
        if configuration is None:
            return
        zone = configuration.bureau.timezone
        for alarm in alarms(self.uses(), configuration, use, now):
            key = f"{alarm.secretary or ''}:{alarm.client or ''}:{alarm.what}"
            if self._told.get(key, 0.0) > now:
                continue
            until = midnight(now, zone, days=1)
            self._told[key] = until
            entry = Entry(now, "alert", None, _fields(alarm))
            letters, rows = alert_rows(configuration, [entry])
            self._journal.save([entry, *letters], floor={**rows, f"{TOLD}{key}": until})


def _fields(alarm: Alarm) -> dict[str, Json]:
    about: dict[str, Json] = {"secretary": alarm.secretary} if alarm.secretary else {"client": alarm.client}
    return {
        "alert": "outgoing_limit",
        **about,
        "what": alarm.what,
        "used": alarm.used,
        "limit": alarm.limit,
    }
