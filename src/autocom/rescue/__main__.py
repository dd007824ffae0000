"""`python -m autocom.rescue [--beside] STATE VERSION`: the rescuer of one state folder, until SIGTERM.

Exit 0 when it is over or stopped; 3 where another rescuer has the folder. `autocom rescue` becomes this, and
`autocom up` starts it beside its Asterisk.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from autocom.rescue import card
from autocom.rescue.rescuer import Rescuer, say

BUSY = 3


async def _run(state: Path, *, beside: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as tasks:
        work = tasks.create_task(Rescuer(state, beside=beside).run())
        work.add_done_callback(lambda _: stop.set())
        await stop.wait()
        work.cancel()


def main(arguments: list[str]) -> int:
    """The program."""
    beside = arguments[:1] == ["--beside"]
    rest = arguments[beside:]
    if len(rest) != 2:
        sys.stderr.write("usage: python -m autocom.rescue [--beside] STATE VERSION\n")
        return 2
    state = Path(rest[0])
    held = card.lock(state, rest[1])
    if held is None:
        say("rescuer_refused", why="another rescuer runs on this state folder", state=str(state))
        return BUSY
    with held:
        asyncio.run(_run(state, beside=beside))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
