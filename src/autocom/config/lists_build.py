"""Lists of numbers, and what `caller` makes of them: entries for ever, and entries with an end and a reason.

Lists are the bureau's, or a client's own. Must not decide who is in a list: `core.routing` does, at the
instant of the call. Invariant: where callers are asked for, something is asked (a list without entries
holds nobody, not everybody); an end is an instant in the bureau's zone, and a day is counted to its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from autocom.config.faults import suggestion
from autocom.config.numbering import normalise_prefix
from autocom.config.scalars import moment
from autocom.config.wording import told
from autocom.core.model import NO_CALLER, Listed
from autocom.core.numbers import FRENCH_PLATFORMS, normalise

if TYPE_CHECKING:
    from autocom.config.document import Document
    from autocom.config.faults import Fault, Place
    from autocom.config.models import ListEntry
    from autocom.config.shape import Sheet
    from autocom.core.numbers import NumberingPlan

# built-in words of `caller`
ANONYMOUS: Final = "anonymous"
PLATFORM: Final = "platform"
PLATFORM_PREFIXES: Final = tuple(f"+33{block[1:]}*" for block in FRENCH_PLATFORMS)

Lists = Mapping[str, tuple[Listed, ...]]
Written = Mapping[str, Sequence["ListEntry"]]


@dataclass(frozen=True, slots=True)
class Callers:
    """What `caller` was written as: `entries` count for ever, `listed` as `When.listed`."""

    entries: tuple[str, ...] = ()
    listed: tuple[Listed, ...] = ()


def build_lists(
    written: Written, zone: str, plan: NumberingPlan, sheet: Document | Sheet, taken: Lists | None = None
) -> tuple[dict[str, tuple[Listed, ...]], list[Fault]]:
    """The lists under the key `lists` of this sheet. `taken`: those of the bureau, whose names a client's own
    may not have."""
    lists: dict[str, tuple[Listed, ...]] = {}
    faults: list[Fault] = []
    for name, entries in written.items():
        if name == PLATFORM or caller(name, plan) is not None:
            message = told("`{name}` cannot name a list: it means something else in `caller`", name=name)
            faults.append(sheet.key_at(("lists", name)).fault(message))
        if taken is not None and name in taken:
            message = told("`{name}` is a list of the bureau already: choose another name", name=name)
            faults.append(sheet.key_at(("lists", name)).fault(message))
        found: list[Listed] = []
        for index, entry in enumerate(entries):
            plain = caller(entry.number, plan)
            if plain is None:
                message = told(
                    "`{entry}` is no number, no prefix ending in * and not `anonymous`", entry=entry.number
                )
                faults.append(sheet.at(("lists", name, index, "number")).fault(message))
            else:
                until = None if entry.until is None else end_of(entry.until, zone)
                found.append(Listed(plain, name, entry.reason, until, entry.until or ""))
        lists[name] = tuple(found)
    return lists, faults


def end_of(text: str, zone: str) -> float:
    """The instant (UTC epoch seconds) at which an entry ends that counts until then; of a day alone its end.
    Of an hour that comes twice the later one."""
    wall = moment(text)
    if " " not in text:
        wall = datetime.combine(wall.date() + timedelta(days=1), time(0))
    return wall.replace(tzinfo=ZoneInfo(zone), fold=1).timestamp()


def expired(written: Written, zone: str, now: float | None, sheet: Document | Sheet) -> Iterator[Fault]:
    """A note for each entry that does not count any more; none where it is not known when this is read."""
    if now is None:
        return
    for name, entries in written.items():
        for index, entry in enumerate(entries):
            if entry.until is not None and end_of(entry.until, zone) <= now:
                message = told(
                    "this entry of list `{name}` is over: it counted until {until}",
                    name=name,
                    until=entry.until,
                )
                yield sheet.at(("lists", name, index)).fault(message)


def callers(
    entries: Sequence[str], lists: Lists | None, plan: NumberingPlan, at: Callable[[int], Place]
) -> tuple[Callers, list[Fault]]:
    """Numbers, prefixes, words and lists as the core asks for them. `lists` is None where they could not be
    read: then a name is believed."""
    found: dict[str, None] = {}
    listed: list[Listed] = []
    faults: list[Fault] = []
    for index, entry in enumerate(entries):
        plain = caller(entry, plan)
        if entry == PLATFORM:
            found.update(dict.fromkeys(PLATFORM_PREFIXES))
        elif plain is not None:
            found[plain] = None
        elif entry in (lists or {}):
            members = (lists or {})[entry]
            # a bare entry has nothing to tell: lists are long, and a client is stored with each of his calls
            listed += [each for each in members if each.reason or each.until is not None]
            found.update(dict.fromkeys(each.entry for each in members if each.until is None))
        elif lists is not None or not entry.islower():
            near = suggestion(entry, [*(lists or {}), ANONYMOUS, PLATFORM])
            message = told(
                "`{entry}` is no number, no prefix ending in * and no list{near}", entry=entry, near=near
            )
            faults.append(at(index).fault(message))
    # an empty tuple would ask nothing: lists without entries hold nobody, not everybody
    return Callers(tuple(found) or ((NO_CALLER,) if entries else ()), tuple(listed)), faults


def caller(entry: str, plan: NumberingPlan) -> str | None:
    """An entry of `caller` or of a list, normalised; None where it is no number, prefix or `anonymous`."""
    if entry == ANONYMOUS:
        return entry
    return normalise_prefix(entry, plan) if entry.endswith("*") else normalise(entry, plan)
