"""The file that describes a day to simulate: how many calls of whom and when, shifts, habits.

Read as strictly as the configuration: an unknown key, client or secretary is a fault with its line and a
suggestion. Everything is optional; what is not said is the usual (`arrivals`, `presence`). Must not
know how the day is simulated.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import time
from pathlib import Path
from typing import Annotated

from pydantic import Field, PlainValidator

from autocom.config import ConfigurationRefused, Fault
from autocom.config.document import plain, read
from autocom.config.faults import suggestion
from autocom.config.scalars import Count, Id, OneOrMany, Range, SomeTime, clock_time
from autocom.config.shape import Sheet, fit
from autocom.config.steps import Strict
from autocom.core.model import Client, Configuration, TimeRange
from autocom.core.numbers import FRANCE
from autocom.simulate.arrivals import HANDLING, PATIENCE, SHAPE, Load, Profile, identity_of, spread, talk_of
from autocom.simulate.calendar import Day
from autocom.simulate.chance import Exponential, Lognormal
from autocom.simulate.presence import Habits, Intervals, Shift, usual

CALLS = 60.0
"""Calls of a day for each client, where nothing says how many."""

_HALF_HOURS = 48


def _half_hour(value: object) -> time:
    moment = clock_time(str(value))
    if moment.minute % 30:
        raise ValueError(f"`{value}` is no half hour: write 08:00 or 08:30, in quotes")
    return moment


def _share(value: object) -> float:
    text = str(value).strip().removesuffix("%").strip()
    try:
        percent = float(text)
    except ValueError:
        raise ValueError(f"`{value}` is no percentage: write 5 or 5%") from None
    if not 0 <= percent <= 100:
        raise ValueError(f"`{value}` is no percentage: from 0 to 100")
    return percent / 100


HalfHour = Annotated[time, PlainValidator(_half_hour)]
Percent = Annotated[float, PlainValidator(_share)]
Ranges = Annotated[list[Range], OneOrMany()]


class ClientLoad(Strict):
    """One of `clients`: what is special about its callers."""

    calls: Count | None = None
    shape: dict[HalfHour, Count] | None = None
    aht: SomeTime | None = None
    patience: SomeTime | None = None


class Written(Strict):
    """The whole file."""

    calls: Count | None = None
    shape: dict[HalfHour, Count] | None = None
    aht: SomeTime | None = None
    patience: SomeTime | None = None
    variation: Percent = 0.0
    clients: dict[Id, ClientLoad] = Field(default_factory=dict)
    shifts: dict[Id, Ranges] = Field(default_factory=dict)
    breaks: dict[Id, Ranges] = Field(default_factory=dict)
    pick_up: SomeTime | None = None
    no_answer: Percent = 0.0


@dataclass(frozen=True, slots=True)
class Given:
    """What the command line says; it goes before the file."""

    calls: float | None = None
    handling: float | None = None
    patience: float | None = None


def read_profile(path: Path, configuration: Configuration) -> Written:
    """The file, in harmony with the bureau. Raises ConfigurationRefused with every fault."""
    _, document, faults = read(path, str(path))
    if document is None:
        raise ConfigurationRefused(faults)
    values, more, _ = plain(document, os.environ)
    written, shaped = fit(Written, values, Sheet(document), FRANCE)
    faults = [*faults, *more, *shaped]
    if written is not None:
        sheet = Sheet(document)
        for key, names, known in (
            ("clients", written.clients, configuration.clients),
            ("shifts", written.shifts, configuration.secretaries),
            ("breaks", written.breaks, configuration.secretaries),
        ):
            faults += _strangers(sheet, key, names, known)
    if written is None or faults:
        raise ConfigurationRefused(faults)
    return written


def _strangers(sheet: Sheet, key: str, names: Iterable[str], known: Mapping[str, object]) -> Iterator[Fault]:
    what = "client" if key == "clients" else "secretary"
    for name in names:
        if name not in known:
            yield sheet.key_at((key, name)).fault(f"there is no {what} `{name}`{suggestion(name, known)}")


def callers(written: Written, configuration: Configuration, day: Day, given: Given) -> Profile:
    """The callers that are to be expected: the command line's words, then the file's, then the usual. A number
    for the whole bureau is what the clients share that have none of their own."""
    clients = configuration.clients
    own = {name: load.calls for name, load in written.clients.items() if load.calls is not None}
    others = [name for name in clients if name not in own]
    whole = given.calls if given.calls is not None else written.calls
    rest = CALLS if whole is None else max(0.0, whole - sum(own.values())) / max(1, len(others))
    loads = {
        client.id: _load(client, written, day, float(own.get(client.id, rest)), given)
        for client in clients.values()
    }
    return Profile(loads, written.variation)


def _load(client: Client, written: Written, day: Day, calls: float, given: Given) -> Load:
    own = written.clients.get(client.id, ClientLoad())
    handling = own.aht or given.handling or written.aht or HANDLING
    patience = own.patience or given.patience or written.patience or PATIENCE
    shape = own.shape or written.shape
    return Load(
        spread(client, day, calls, SHAPE if shape is None else _weights(shape)),
        talk_of(client, handling),
        Exponential(patience),
        identity_of(client),
    )


def _weights(shape: Mapping[time, int]) -> tuple[float, ...]:
    """Each weight holds until the next one that is named; before the first there are no calls."""
    weights, current = [], 0.0
    for slot in range(_HALF_HOURS):
        current = float(shape.get(time(slot // 2, 30 * (slot % 2)), current))
        weights.append(current)
    return tuple(weights)


def shifts(written: Written, configuration: Configuration, day: Day) -> dict[str, Shift]:
    """The file's shifts and breaks. Where it names shifts, whoever has none is not at work; where it names
    none, everybody works the usual day."""
    found = {} if written.shifts else usual(configuration.secretaries, day)
    for who, ranges in written.shifts.items():
        found[who] = Shift(_instants(ranges, day))
    for who, ranges in written.breaks.items():
        if who in found:
            found[who] = replace(found[who], breaks=_instants(ranges, day))
    return found


def _instants(ranges: Iterable[TimeRange], day: Day) -> Intervals:
    """A range across midnight is what of it lies in the day: its beginning and its end."""
    spans = []
    for span in ranges:
        start, end = day.at(span.start), day.at(span.end, ends=True)
        spans += [(start, end)] if start < end else [(day.start, end), (start, day.end)]
    return tuple(sorted(span for span in spans if span[0] < span[1]))


def habits(written: Written) -> Habits:
    """How secretaries pick up."""
    usual_ones = Habits()
    pick_up = Lognormal(written.pick_up, 0.5) if written.pick_up else usual_ones.pick_up
    return replace(usual_ones, pick_up=pick_up, no_answer=written.no_answer)


def mean_patience(profile: Profile) -> float:
    """For Erlang A: callers leave at the mean of their clients' rates."""
    calls = profile.calls
    if not calls:
        return PATIENCE
    rate = sum(sum(load.calls) / load.patience.mean for load in profile.loads.values()) / calls
    return 1.0 / rate
