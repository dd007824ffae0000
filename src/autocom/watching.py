"""The two watches that run beside every call: over the agreement with Asterisk, and over the sound.

Puts `calls.inspection` and `calls.quality` beside the running exchange and lets its status see them. Must not know
what they look for.
"""

from __future__ import annotations

import asyncio
import random

from autocom.asterisk.telephone import AsteriskTelephone
from autocom.calls.inspection import Inspection
from autocom.calls.quality import Quality
from autocom.exchange import RunningExchange


async def watch(exchange: RunningExchange, telephone: AsteriskTelephone) -> None:
    """Until cancelled."""
    quality = Quality(exchange.switchboard, telephone)
    exchange.silent_side = quality.silent_side
    inspection = Inspection(exchange.switchboard, telephone, random.random)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(inspection.run())
        tasks.create_task(quality.run())
