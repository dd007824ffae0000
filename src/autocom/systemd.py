"""What systemd is told: that calls are taken, that the loop is alive, that we are about to stop (sd_notify).

One datagram each, and nothing where systemd did not start us. The watchdog is fed by the event loop itself, so a frozen
loop is restarted. Must not know what runs. The unit is `docker/autocom.service`.
"""

from __future__ import annotations

import asyncio
import os
import socket

import structlog

log = structlog.get_logger()


def notify(message: str) -> None:
    """`READY=1`, `STOPPING=1`, `WATCHDOG=1`."""
    path = os.environ.get("NOTIFY_SOCKET")
    if not path:
        return
    address = "\0" + path[1:] if path.startswith("@") else path
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        try:
            sock.sendto(message.encode(), address)
        except OSError as error:
            log.warning("systemd cannot be told", why=str(error))


async def feed_watchdog() -> None:
    """At half the interval that systemd asks for; returns at once where it asks for none."""
    interval = int(os.environ.get("WATCHDOG_USEC", "0")) / 1_000_000
    while interval:
        notify("WATCHDOG=1")
        await asyncio.sleep(interval / 2)
