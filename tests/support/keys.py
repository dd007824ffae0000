"""Keys that the callers of `hasty.py` press, faster than any finger: RFC 4733 events and SIP INFO."""

from __future__ import annotations

import socket
import struct
from typing import Self

from tests.support.hasty import HastyCall

_EVENTS = {digit: n for n, digit in enumerate("0123456789*#ABCD")}


class Keys:
    """Pressed by callers of `Hasty`: as RFC 4733 events (one packet of the key, three of its end), and as SIP INFO."""

    def __enter__(self) -> Self:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._at: dict[str, tuple[int, int]] = {}
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def press(self, call: HastyCall, digit: str) -> None:
        """50 ms long, told at once."""
        assert call.sound is not None, call.number
        sequence, instant = self._at.get(call.call_id, (0, 0))
        for n in range(4):
            marker = 0x80 if n == 0 else 0
            head = struct.pack("!BBHII", 0x80, 101 | marker, sequence + n & 0xFFFF, instant, 4733)
            end = 0x80 if n else 0
            self._socket.sendto(
                head + struct.pack("!BBH", _EVENTS[digit], 10 | end, 400 if n else 80), call.sound
            )
        self._at[call.call_id] = sequence + 4, instant + 800

    def press_by_info(self, call: HastyCall, digit: str) -> None:
        """Not repeated where it is lost."""
        call.throw("INFO", f"Signal={digit}\r\nDuration=50\r\n", ("Content-Type: application/dtmf-relay",))
