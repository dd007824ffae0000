"""Sines to say, and the proof of what was heard.

Every message, music and person of a test is a different sine of `KNOWN` (9 % apart, no DTMF
frequency, so G.711 and a resampler keep them apart). A recording is cut into windows of 40 ms
every 20 ms; a tone counts where it carries a quarter of the window's energy and all tones
together more than 60 %, so two people in one bridge read as a chord. Boundaries are exact to
about 30 ms, which is what "no gap over 500 ms" needs. Must not know of SIP or Asterisk.
"""

from __future__ import annotations

import itertools
import wave
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]
Chord = tuple[int, ...]

KNOWN: Chord = (
    320, 380, 440, 500, 560, 620, 680, 740, 810, 890, 970, 1060, 1160, 1270, 1390, 1520, 1660, 1810, 1980, 2170, 2370, 2590,
)  # fmt: skip
SILENCE: Chord = ()
OTHER: Chord = (-1,)  # speech, noise, a ringing tone, a transition: nothing of KNOWN

WINDOW = 0.04
HOP = 0.02
QUIET_RMS = 100.0


@dataclass(frozen=True, slots=True)
class Run:
    """From `start` to `end` seconds of the recording one thing was heard: a chord, SILENCE or OTHER."""

    start: float
    end: float
    chord: Chord

    @property
    def seconds(self) -> float:
        return self.end - self.start

    def __str__(self) -> str:
        what = {SILENCE: "silence", OTHER: "other"}.get(self.chord) or "+".join(map(str, self.chord))
        return f"{self.start:.2f}-{self.end:.2f} {what}"


def sine(freqs: int | Chord, seconds: float, rate: int = 8000, level: float = 0.3) -> Samples:
    """A sine, or a chord of equal parts; `level` is the peak as a share of full scale."""
    chord = (freqs,) if isinstance(freqs, int) else freqs
    t = np.arange(int(seconds * rate)) / rate
    wave_ = sum(np.sin(2 * np.pi * f * t) for f in chord) / max(1, len(chord))
    return np.asarray(wave_ * 32767 * level, dtype=np.int16)


def write_wav(path: Path, samples: Samples, rate: int = 8000) -> Path:
    """16-bit mono."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples.astype("<i2").tobytes())
    return path


def read_wav(path: Path) -> tuple[Samples, int]:
    """First channel and rate."""
    with wave.open(str(path), "rb") as source:
        raw = np.frombuffer(source.readframes(source.getnframes()), dtype="<i2")
        return raw[:: source.getnchannels()], source.getframerate()


@lru_cache(maxsize=64)
def _basis(length: int, rate: int, freqs: Chord) -> npt.NDArray[np.complex128]:
    basis: npt.NDArray[np.complex128] = np.exp(-2j * np.pi * np.outer(np.arange(length), freqs) / rate)
    return basis


def _chords(windows: npt.NDArray[np.float64], rate: int, freqs: Chord) -> list[Chord]:
    energy = np.einsum("ij,ij->i", windows, windows)
    length = windows.shape[1]
    power = np.abs(windows @ _basis(length, rate, freqs)) ** 2 * 2 / length
    share = power / np.maximum(energy, 1.0)[:, None]
    quiet = np.sqrt(energy / length) < QUIET_RMS
    out: list[Chord] = []
    for silent, row in zip(quiet, share, strict=True):
        loud = row > 0.25
        if silent:
            out.append(SILENCE)
        elif loud.any() and row[loud].sum() > 0.6:
            out.append(tuple(int(f) for f, hit in zip(freqs, loud, strict=True) if hit))
        else:
            out.append(OTHER)
    return out


def timeline(
    samples: Samples, rate: int = 8000, *, freqs: Chord = KNOWN, shortest: float = 0.06
) -> list[Run]:
    """Everything that was heard, in order. A run of OTHER shorter than `shortest` is a transition and
    is given to its neighbours in halves; silence is never dropped."""
    length, hop = int(rate * WINDOW), int(rate * HOP)
    if len(samples) < length:
        return []
    windows = np.lib.stride_tricks.sliding_window_view(samples, length)[::hop].astype(np.float64)
    runs: list[Run] = []
    for i, chord in enumerate(_chords(windows, rate, freqs)):
        # a window speaks for the hop in its middle
        start = i * HOP + (WINDOW - HOP) / 2 if i else 0.0
        end = i * HOP + (WINDOW + HOP) / 2
        if runs and runs[-1].chord == chord:
            runs[-1] = Run(runs[-1].start, end, chord)
        else:
            runs.append(Run(start, end, chord))
    return _without_transitions(runs, shortest)


def _without_transitions(runs: list[Run], shortest: float) -> list[Run]:
    out: list[Run] = []
    start: float | None = None
    for i, run in enumerate(runs):
        begins = run.start if start is None else start
        start = None
        if run.chord == OTHER and run.seconds < shortest and out and i + 1 < len(runs):
            middle = (run.start + run.end) / 2
            out[-1] = Run(out[-1].start, middle, out[-1].chord)
            start = middle
        elif out and out[-1].chord == run.chord:
            out[-1] = Run(out[-1].start, run.end, run.chord)
        else:
            out.append(Run(begins, run.end, run.chord))
    return out


def heard(samples: Samples, rate: int = 8000, *, at_least: float = 0.3, freqs: Chord = KNOWN) -> list[Chord]:
    """The tones and chords that lasted `at_least` seconds, in order, repeats joined."""
    out: list[Chord] = []
    for run in timeline(samples, rate, freqs=freqs):
        is_tone = run.chord not in (SILENCE, OTHER)
        if is_tone and run.seconds >= at_least and (not out or out[-1] != run.chord):
            out.append(run.chord)
    return out


@dataclass(frozen=True, slots=True)
class Gap:
    """Between two tones: how long nothing of KNOWN was heard. A change without a gap has 0 seconds."""

    after: Chord
    before: Chord
    seconds: float


def gaps(samples: Samples, rate: int = 8000, *, at_least: float = 0.3, freqs: Chord = KNOWN) -> list[Gap]:
    """The pauses between consecutive tones of at least `at_least` seconds (also of the same tone)."""
    tones = [
        run
        for run in timeline(samples, rate, freqs=freqs)
        if run.chord not in (SILENCE, OTHER) and run.seconds >= at_least
    ]
    return [Gap(a.chord, b.chord, round(b.start - a.end, 3)) for a, b in itertools.pairwise(tones)]
