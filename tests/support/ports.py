"""Ports of 127.0.0.1 that nobody uses, for servers that are told theirs before they start.

Between our look and the server's bind seconds may pass. So nobody else looks there meanwhile: each worker of a test
run has a thousand ports of its own, and gives out each of them once before any of them again. All are below the
kernel's ephemeral range, so no outgoing connection takes one.
"""

from __future__ import annotations

import itertools
import os
import random
import socket

_FIRST, _EACH, _SHARES = 12000, 1000, 7
_run = int(os.environ.get("PYTEST_XDIST_TESTRUNUID", "0"), 16) or os.getpid()
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_start = _FIRST + _EACH * ((_run + _worker) % _SHARES)
_turn = itertools.cycle(range(_start, _start + _EACH))
for _ in range(random.randrange(_EACH)):  # another run on this machine may have the same share
    next(_turn)


def free_ports(count: int) -> list[int]:
    """Ports free for UDP and TCP on 127.0.0.1."""
    return list(itertools.islice(filter(_is_free, _turn), count))


def free_port() -> int:
    """One of them."""
    return free_ports(1)[0]


def rtp_ports() -> tuple[int, int]:
    """The first and the last of two hundred ports for an Asterisk's sound, which looks for free ones among them."""
    first = 27000 + 200 * random.randrange(24)
    return first, first + 199


def few_rtp_ports(count: int) -> tuple[int, int]:
    """The first and the last of so few, an even number, that each has to be free: no other Asterisk of the tests looks
    there."""
    while True:
        first = 31800 + count * random.randrange(900 // count)
        if all(_is_free(port) for port in range(first, first + count)):
            return first, first + count - 1


def _is_free(port: int) -> bool:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
    ):
        try:
            udp.bind(("127.0.0.1", port))
            tcp.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
