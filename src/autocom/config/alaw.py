"""Any recording as Asterisk plays it to a telephone: 8 kHz, one channel, G.711 A-law.

Loudness is evened out modestly, so that a shouted greeting and a whispered one meet, and never
clipped. Must not know files or caches. Invariant: equal bytes in give equal bytes out, so a
result can be cached by its source's content. The story goes on in `audio`.
"""

from __future__ import annotations

import array
import math
from functools import lru_cache
from operator import mul
from typing import Final

from autocom.config.wording import told

RATE: Final = 8000
_TARGET: Final = 32768 * 10 ** (-20 / 20)  # RMS of what is loud enough to count: -20 dBFS, telephone speech
_PEAK: Final = 32767 * 10 ** (-1 / 20)
_GATE: Final = 32768 * 10 ** (-50 / 20)  # below it a block is a pause and says nothing of loudness
_BLOCK: Final = 400  # 50 ms
_MOST_UP, _MOST_DOWN = 12.0, -12.0  # decibels: more would raise the hiss of a bad recording
_SEGMENT_ENDS: Final = (0x1F, 0x3F, 0x7F, 0xFF, 0x1FF, 0x3FF, 0x7FF, 0xFFF)


class NotAudio(ValueError):  # noqa: N818 - said to the admin as it is
    """The bytes are no recording that can be read."""


def decoded(content: bytes) -> array.array[int]:
    """16-bit samples of a WAV, FLAC or MP3 file, 8 kHz, one channel; NotAudio where it is none or holds no sound."""
    # it loads numpy: who only asks for what is converted already does not wait for it
    import miniaudio  # noqa: PLC0415

    try:
        found = miniaudio.decode(content, miniaudio.SampleFormat.SIGNED16, nchannels=1, sample_rate=RATE)
    except miniaudio.MiniaudioError as error:
        raise NotAudio(told("not a WAV, FLAC or MP3 that can be read ({why})", why=str(error))) from None
    samples: array.array[int] = found.samples
    if not samples:
        raise NotAudio(told("it holds no sound"))
    return samples


def to_alaw(content: bytes) -> bytes:
    """A-law samples of what `decoded` takes; NotAudio."""
    samples = decoded(content)
    table = _table(round(_gain(samples) * 2))
    unsigned = array.array("H", samples.tobytes())
    return bytes(map(table.__getitem__, unsigned))


def _gain(samples: array.array[int]) -> float:
    """Decibels to add."""
    squares = 0
    counted = 0
    for start in range(0, len(samples), _BLOCK):
        block = samples[start : start + _BLOCK]
        power = sum(map(mul, block, block))
        if power > _GATE * _GATE * len(block):
            squares += power
            counted += len(block)
    loudest, lowest = max(samples), min(samples)
    peak = max(loudest, -lowest)
    if not counted or not peak:
        return 0.0
    wanted = 20 * math.log10(_TARGET / math.sqrt(squares / counted))
    headroom = 20 * math.log10(_PEAK / peak)
    # half decibels, rounded down, so that the tables are few and the peak is kept
    return math.floor(2 * min(max(wanted, _MOST_DOWN), _MOST_UP, headroom)) / 2


@lru_cache(maxsize=64)
def _table(half_decibels: int) -> bytes:
    """A-law code of every 16-bit sample (as its unsigned pattern) after that gain."""
    factor = 10 ** (half_decibels / 40)
    codes = bytearray(65536)
    for pattern in range(65536):
        sample = pattern - 65536 if pattern >= 32768 else pattern
        codes[pattern] = encode(max(-32768, min(32767, round(sample * factor))))
    return bytes(codes)


def encode(sample: int) -> int:
    """One 16-bit sample as G.711 A-law (ITU-T G.711, even bits inverted)."""
    value = sample >> 3
    mask = 0xD5
    if value < 0:
        mask = 0x55
        value = -value - 1
    segment = next((index for index, end in enumerate(_SEGMENT_ENDS) if value <= end), 8)
    if segment == 8:
        return 0x7F ^ mask
    mantissa = (value >> 1 if segment < 2 else value >> segment) & 0x0F
    return (segment << 4 | mantissa) ^ mask
