"""Fixtures for every folder of tests; what stands behind them is in `tests/support`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.bureau import Bureau
from tests.support.exchange import Exchange

# `make properties`: the laws of the floor with twenty times as many examples
settings.register_profile("properties", deadline=None)


@pytest.fixture
def bureau(tmp_path: Path) -> Iterator[Bureau]:
    """A bureau of two secretaries, written; change it and `write()` before an exchange starts on it."""
    made = Bureau.at(tmp_path)
    yield made
    made.tidy()


@pytest.fixture
async def exchange(bureau: Bureau) -> AsyncIterator[Exchange]:
    """`autocom up` on `bureau`, ready for calls."""
    async with Exchange(bureau) as running:
        yield running


@pytest.fixture
async def start_exchange() -> AsyncIterator[Callable[..., object]]:
    """Starts `autocom up` on a bureau of the test's own making: `await start_exchange(bureau)`."""
    async with AsyncExitStack() as running:

        async def start(bureau: Bureau, *arguments: str) -> Exchange:
            return await running.enter_async_context(Exchange(bureau, *arguments))

        yield start
