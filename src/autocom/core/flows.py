"""Whether a side of a conversation sends sound at all, from the number of its RTP packets.

Pure: samples of a counter in, a verdict out. A network that suppresses silence stops sending while nobody speaks, so
a counter that stands still proves nothing of a side whose packets have ever paused; it does of one that never sent
any, or that sent without a pause for as long as we looked. Must not know who asks. Where it goes on: `calls.quality`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from autocom.core.telephony import Flow

LEAST = 4.0
"""Seconds without a packet after which a side that never sent any is called silent: a phone sends 200 in that time,
and the first of them within 100 ms of the answer."""
STEADY = 10.0
"""Seconds over which a side that sends without a pause shows it: a person pauses sooner, who is cut out of his
pauses by silence suppression."""
PROOF = 2
"""Intervals of one and the same rate: a single one may be a pause's chance."""
_RATES = (100.0, 50.0, 100 / 3, 25.0)  # packets a second of 10, 20, 30 and 40 ms
_TOLERANCE = 0.03


@dataclass(frozen=True, slots=True)
class Side:
    """What is known of one side. `at`: the instant of the last sample (seconds of one clock). `rate`: packets a second
    that it sent without a pause in the last `times` long intervals; `dipped`: in the last interval there were fewer,
    as before an end, or in a pause; `pauses`: it was a pause."""

    at: float
    flow: Flow
    rate: float | None = None
    times: int = 0
    dipped: bool = False
    pauses: bool = False


def heard(side: Side | None, flow: Flow, at: float) -> Side:
    """The side, with one more sample of its counters."""
    if side is None or flow.received < side.flow.received:  # the sound began anew
        return Side(at, flow)
    seconds, packets = at - side.at, flow.received - side.flow.received
    if packets == 0 or seconds < STEADY:
        return replace(side, at=at, flow=flow)
    if side.dipped or side.pauses:  # and it goes on: it was a pause
        return replace(side, at=at, flow=flow, pauses=True)
    rate = _without_pause(packets / seconds)
    if rate is None:
        return replace(side, at=at, flow=flow, dipped=True)
    return replace(side, at=at, flow=flow, rate=rate, times=side.times + 1 if rate == side.rate else 1)


def is_silent(side: Side, flow: Flow, at: float) -> bool:
    """Whether nothing came from it since the last sample, though it ought to have."""
    if at - side.at < LEAST or flow.received != side.flow.received:
        return False
    steady = side.times >= PROOF and not side.pauses
    return flow.received == 0 or (steady and at - side.at >= STEADY)


def speaks(side: Side, flow: Flow) -> bool:
    """Whether something came from it since the last sample."""
    return flow.received > side.flow.received


def _without_pause(rate: float) -> float | None:
    return next((each for each in _RATES if abs(rate - each) <= each * _TOLERANCE), None)
