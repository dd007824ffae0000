"""What systemd is told: that calls are taken, that the loop is alive, that we are about to stop (sd_notify).

One datagram each, and nothing where systemd did not start us. The watchdog is fed by the event loop itself (`pulse`),
so a frozen loop is restarted. Must not know what runs. The unit is `docker/autocom.service`.
"""

from __future__ import annotations

import os
import socket

import structlog

log = structlog.get_logger()

_said: set[str] = set()  # what was in the way since it was told last: a word each, not four a second


def notify(message: str, within: float = 1.0) -> None:
    """`READY=1`, `STOPPING=1`, `WATCHDOG=1`. `within`: seconds that a PID 1 that does not read is waited for, by the
    loop and all its calls: what is said once must not be lost for an instant's full queue."""
    path = os.environ.get("NOTIFY_SOCKET")
    if not path:
        return
    address = "\0" + path[1:] if path.startswith("@") else path
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.settimeout(within)
        try:
            sock.sendto(message.encode(), address)
        except OSError as error:
            if str(error) not in _said:
                _said.add(str(error))
                log.warning("systemd cannot be told", why=str(error))
        else:
            _said.clear()


def feed_watchdog() -> None:
    """Where systemd asks to be told (WatchdogSec=): all is well for another while. Who knows that is `pulse`."""
    if os.environ.get("WATCHDOG_USEC"):
        notify("WATCHDOG=1", within=0.0)  # four times a second: the next one tells it as well
