"""A calling fax machine, as far as it is heard: the tone CNG (ITU-T T.30) as RTP to an answered call.

Half a second of 1100 Hz is sent at once, not in time with a clock: Asterisk counts samples, and a busy
test machine puts no gap into the tone. Must not know of SIP; the port comes from an SDP's text.
"""

from __future__ import annotations

import asyncio
import io
import re
import socket
import struct
import wave

import numpy as np

from autocom.config.alaw import to_alaw
from tests.support import tones

CNG = 1100  # hertz, half a second every 3.5
PACKET = 160  # samples of 20 ms
FIRST = 10


async def say_cng(sdp: str, seconds: float = 0.5) -> None:
    """The tone once, to where this SDP wants its A-law."""
    address, port = re.search(r"c=IN IP4 (\S+)", sdp), re.search(r"m=audio (\d+)", sdp)
    assert address is not None
    assert port is not None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        for n, packet in enumerate(_packets(seconds)):
            if n < FIRST:
                # silence at the pace of speech: Asterisk learns where he sends from (strictrtp)
                await asyncio.sleep(0.02)
            head = struct.pack("!BBHII", 0x80, 8, n, n * PACKET, 0xFA)
            line.sendto(head + packet, (address[1], int(port[1])))


def _packets(seconds: float) -> list[bytes]:
    held = io.BytesIO()
    with wave.open(held, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        silence = np.zeros(PACKET * FIRST, dtype=np.int16)
        out.writeframes(np.concatenate([silence, tones.sine(CNG, seconds)]).astype("<i2").tobytes())
    sound = to_alaw(held.getvalue())
    return [sound[at : at + PACKET] for at in range(0, len(sound), PACKET)]
