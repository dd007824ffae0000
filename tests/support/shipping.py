"""A shipper that runs for the length of a block."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from sqlalchemy.ext.asyncio import AsyncEngine

from autocom.journal.log import LocalLog
from autocom.journal.shipper import Shipper


@contextlib.asynccontextmanager
async def shipping(
    log: LocalLog, engine: AsyncEngine, *, linger: float = 0.01, batch: int = 500, patience: float = 15.0
) -> AsyncIterator[Shipper]:
    shipper = Shipper(log, engine, linger=linger, batch=batch, patience=patience)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(shipper.run())
        try:
            yield shipper
        finally:
            task.cancel()
