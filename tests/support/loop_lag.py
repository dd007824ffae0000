"""How late an exchange's event loop was between two instants, by its own metrics.

    lag = await Lag.since(bureau)
    …
    assert await lag.now(0.99) <= 0.05        # 99 of 100 looks at the clock were at most that late

The figure is the upper bound of a bucket, infinite above the last one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

import aiohttp

from tests.support.bureau import Bureau

_BUCKET = re.compile(r'^autocom_loop_lag_seconds_bucket\{le="([^"]+)"\} (\S+)$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Lag:
    """Counts from one instant on."""

    bureau: Bureau
    before: dict[float, float]

    @classmethod
    async def since(cls, bureau: Bureau) -> Self:
        """From now on."""
        return cls(bureau, await _buckets(bureau))

    async def now(self, part: float) -> float:
        """Seconds by which this part of all looks was late at most, until now."""
        counts = {le: count - self.before[le] for le, count in (await _buckets(self.bureau)).items()}
        assert counts[float("inf")] > 0, "the loop never looked at the clock"
        return min(le for le, count in counts.items() if count >= part * counts[float("inf")])


async def _buckets(bureau: Bureau) -> dict[float, float]:
    async with aiohttp.ClientSession() as http, http.get(f"http://{bureau.http}/metrics") as answer:
        found = {float(le): float(count) for le, count in _BUCKET.findall(await answer.text())}
    assert found, "no loop lag in /metrics"
    return found
