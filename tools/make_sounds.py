"""Make the stock sounds again: the prompts of sounds/prompts.yaml, spoken by espeak-ng, and the hold music.

The music is written here as notes and synthesised as a ring: every note and its reverberation wrap
around the end, so the loop has no seam. It is composed for the telephone: fundamentals from 170 Hz,
little above 2.5 kHz, no noise (codecs turn it into gravel), even loudness. Everything is made at 16 kHz
mono, brought to -20 dBFS RMS with peaks under -1 dBFS, and checked before it is written.
Writing FLAC takes `soundfile`, which nothing else needs: `make sounds` installs it.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import espeakng_loader
import numpy as np
import numpy.typing as npt
import soundfile
from ruamel.yaml import YAML

Wave = npt.NDArray[np.float64]

RATE = 16000
LOUDNESS = 10 ** (-20 / 20)
CEILING = 10 ** (-1.5 / 20)
SOUNDS = Path(__file__).resolve().parent.parent / "sounds"


# --- speech ----------------------------------------------------------------------------------


def speaker() -> Callable[[str, str, int], tuple[Wave, int]]:
    """espeak-ng in this process: (text, voice, words a minute) -> samples and their rate."""
    espeak = ctypes.CDLL(espeakng_loader.get_library_path())
    chunks: list[npt.NDArray[np.int16]] = []
    callback_type = ctypes.CFUNCTYPE(
        ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
    )

    def collect(samples: ctypes._Pointer[ctypes.c_short], count: int, _events: int | None) -> int:
        if samples and count > 0:
            chunks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    callback = callback_type(collect)
    synchronous, utf8, rate_parameter = 2, 1, 1  # AUDIO_OUTPUT_SYNCHRONOUS, espeakCHARS_UTF8, espeakRATE
    rate = espeak.espeak_Initialize(synchronous, 0, espeakng_loader.get_data_path().encode(), 0)
    if rate <= 0:
        sys.exit("espeak-ng does not start")
    espeak.espeak_SetSynthCallback(callback)

    def speak(text: str, voice: str, words: int) -> tuple[Wave, int]:
        chunks.clear()
        if espeak.espeak_SetVoiceByName(voice.encode()) != 0:
            sys.exit(f"espeak-ng has no voice {voice}")
        espeak.espeak_SetParameter(rate_parameter, words, 0)
        raw = text.encode() + b"\0"
        espeak.espeak_Synth(raw, len(raw), 0, 1, 0, utf8, None, None)
        return np.concatenate(chunks) / 32768, rate

    speak.callback = callback  # type: ignore[attr-defined]  # C holds a pointer to it
    return speak


def resample(samples: Wave, rate: int, low: float = 180.0) -> Wave:
    """To RATE, without what lies under `low` hertz (a telephone would only rumble)."""
    spectrum = np.fft.rfft(samples)
    frequencies = np.fft.rfftfreq(len(samples), 1 / rate)
    spectrum *= np.clip((frequencies - low / 2) / (low / 2), 0, 1)
    length = round(len(samples) * RATE / rate)
    return np.asarray(np.fft.irfft(spectrum[: length // 2 + 1], length) * length / len(samples))


def trim(samples: Wave, floor: float = 0.004, pause: float = 0.15) -> Wave:
    """Without the silence around it, but for a short pause on both sides."""
    loud = np.flatnonzero(np.abs(samples) > floor)
    quiet = np.zeros(int(pause * RATE))
    return np.concatenate([quiet, samples[loud[0] : loud[-1] + 1], quiet])


# --- music -----------------------------------------------------------------------------------

NAMES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def pitch(note: str) -> float:
    """Hertz of `A4`, `Bb3`, `F#5`."""
    step = NAMES[note[0]] + note.count("#") - note[1:].count("b")
    return float(440 * 2 ** ((step - 9) / 12 + int(note[-1]) - 4))


@dataclass
class Ring:
    """A loop under construction: whatever runs over the end is heard at the beginning."""

    seconds: float

    def __post_init__(self) -> None:
        self.samples: Wave = np.zeros(round(self.seconds * RATE))

    def add(self, at: float, sound: Wave, level: float) -> None:
        """Lay `sound` at `at` seconds."""
        start = round(at * RATE)
        np.add.at(self.samples, (start + np.arange(len(sound))) % len(self.samples), sound * level)

    def in_room(self, seconds: float, share: float, seed: int) -> Wave:
        """With the reverberation of a room (circular: the tail of the end is heard at the beginning)."""
        count = len(self.samples)
        t = np.arange(int(seconds * 2 * RATE)) / RATE
        response = np.random.default_rng(seed).standard_normal(len(t)) * np.exp(-t * 6.9 / seconds)
        shape = np.fft.rfft(response, count)
        frequencies = np.fft.rfftfreq(count, 1 / RATE)
        shape *= np.exp(-((frequencies / 1800) ** 2)) / np.sqrt(np.sum(response**2))
        wet = np.fft.irfft(np.fft.rfft(self.samples) * shape, count)
        return self.samples * (1 - share) + wet * share


def pad(hertz: float, seconds: float, attack: float = 1.2) -> Wave:
    """A soft string-like tone: three voices a few cents apart, slow beginning and end."""
    t = np.arange(int((seconds + attack) * RATE)) / RATE
    voices = sum(
        np.sin(2 * np.pi * hertz * 2 ** (cents / 1200) * n * t + n * cents) / n**1.8
        for cents in (-6.0, 0.0, 5.0)
        for n in (1, 2, 3, 4)
    )
    envelope = np.clip(t / attack, 0, 1) * np.clip((seconds + attack - t) / attack, 0, 1)
    return np.asarray(voices * np.sin(envelope * np.pi / 2) ** 2 / 4)


def bell(hertz: float, seconds: float) -> Wave:
    """An electric piano in the manner of the seventies: a sine with a quickly fading overtone."""
    t = np.arange(int(seconds * RATE)) / RATE
    tine = np.sin(2 * np.pi * hertz * 4 * t) * np.exp(-t * 14) * 0.12
    body = np.sin(2 * np.pi * hertz * t + tine * 3) + 0.28 * np.sin(2 * np.pi * hertz * 2 * t) * np.exp(
        -t * 3
    )
    return np.asarray(
        body
        * np.exp(-t * 3.4 / seconds * 1.6)
        * np.clip(t / 0.008, 0, 1)
        * np.clip((seconds - t) / 0.05, 0, 1)
    )


def marimba(hertz: float, seconds: float) -> Wave:
    """Wood: the fourth partial is gone at once."""
    t = np.arange(int(seconds * RATE)) / RATE
    tone = np.sin(2 * np.pi * hertz * t) * np.exp(-t * 5) + 0.22 * np.sin(2 * np.pi * hertz * 4 * t) * np.exp(
        -t * 22
    )
    return np.asarray(tone * np.clip(t / 0.004, 0, 1) * np.clip((seconds - t) / 0.03, 0, 1))


def arpeggio(
    ring: Ring,
    chords: Sequence[str],
    bar: float,
    pattern: Sequence[int],
    voice: Callable[[float, float], Wave],
    *,
    length: float,
    level: float,
) -> None:
    """One chord a bar, its notes in the order of `pattern` (-1: a rest), in equal steps."""
    for i, chord in enumerate(chords):
        notes = chord.split()
        for k, index in enumerate(pattern):
            if index >= 0:
                # the first of the bar a little firmer, as a hand plays
                touch = 1.0 if k == 0 else 0.78 + 0.08 * ((i + k) % 3)
                ring.add(
                    i * bar + k * bar / len(pattern),
                    voice(pitch(notes[index % len(notes)]), length),
                    level * touch,
                )


def calme_1() -> Wave:
    """F major, 60 to the minute, a slow arpeggio over strings."""
    bar = 4.0
    chords = [
        "F3 A3 C4 E4",
        "D3 F3 A3 C4",
        "Bb3 D4 F4 A4",
        "C4 E4 G4 Bb4",
        "A3 C4 E4 G4",
        "D3 F3 A3 E4",
        "G3 Bb3 D4 F4",
        "C4 F4 G4 Bb4",
    ]
    ring = Ring(bar * len(chords))
    for i, chord in enumerate(chords):
        for note in chord.split():
            ring.add(i * bar, pad(pitch(note), bar), 0.20)
    high = [" ".join(n[:-1] + str(int(n[-1]) + 1) for n in c.split()) for c in chords]
    arpeggio(ring, high, bar, (0, 1, 2, 3, 2, 1, 3, -1), bell, length=2.2, level=0.42)
    return ring.in_room(1.8, 0.35, 1)


def calme_2() -> Wave:
    """A minor, a waltz at 72, electric piano alone with a low string."""
    bar = 2.5
    chords = [
        "A3 C4 E4 B4",
        "F3 A3 C4 E4",
        "C4 E4 G4 D5",
        "G3 B3 D4 A4",
        "D3 F3 A3 E4",
        "A3 C4 E4 G4",
        "F3 A3 C4 G4",
        "E3 G#3 B3 D4",
    ]
    melody = [
        "E5",
        "-",
        "D5",
        "C5",
        "-",
        "B4",
        "G4",
        "-",
        "A4",
        "B4",
        "-",
        "D5",
        "F5",
        "-",
        "E5",
        "C5",
        "-",
        "E5",
        "A4",
        "-",
        "C5",
        "B4",
        "-",
        "G#4",
    ]
    ring = Ring(bar * len(chords) * 1)
    for i, chord in enumerate(chords):
        ring.add(i * bar, pad(pitch(chord.split()[0]), bar, 0.8), 0.30)
    arpeggio(ring, chords, bar, (0, 2, 1, 3, 2, 1), bell, length=1.8, level=0.36)
    for k, note in enumerate(melody):
        if note != "-":
            ring.add(k * bar / 3, bell(pitch(note), 2.6), 0.55)
    return ring.in_room(2.2, 0.4, 2)


def vive_1() -> Wave:
    """G major, 100 to the minute, marimba in eighths."""
    bar = 2.4
    chords = ["G4 B4 D5 G5", "E4 G4 B4 E5", "C4 E4 G4 C5", "D4 F#4 A4 D5", "G4 B4 D5 A5", "B3 D4 F#4 B4", "C4 E4 A4 C5", "D4 G4 A4 C5",
              "E4 G4 B4 D5", "A3 C4 E4 A4", "D4 F#4 A4 C5", "G3 B3 D4 G4"]  # fmt: skip
    ring = Ring(bar * len(chords))
    arpeggio(ring, chords, bar, (0, 2, 1, 3, 2, 1, 3, 2), marimba, length=0.9, level=0.8)
    for i, chord in enumerate(chords):
        root = chord.split()[0]
        low = root[:-1] + str(max(3, int(root[-1]) - 1))
        for beat, firm in ((0.0, 0.5), (1.5, 0.34), (2.0, 0.4)):
            ring.add(i * bar + beat * bar / 4, bell(pitch(low), 0.9), firm)
        for note in chord.split()[1:3]:
            ring.add(i * bar, pad(pitch(note), bar, 0.3), 0.09)
    return ring.in_room(0.9, 0.22, 3)


def sobre_1() -> Wave:
    """E flat major, 66 to the minute, few notes: block chords and a line above."""
    bar = 60 / 66 * 4
    chords = [
        "Eb3 G3 Bb3 D4",
        "C3 Eb3 G3 Bb3",
        "Ab3 C4 Eb4 G4",
        "Bb3 D4 F4 Ab4",
        "G3 Bb3 D4 F4",
        "C4 Eb4 G4 Bb4",
        "F3 Ab3 C4 Eb4",
        "Bb3 Eb4 F4 Ab4",
    ]
    line = [("Bb4", 0.0), ("G4", 2.5), ("F4", 4.0), ("Eb4", 6.0), ("C5", 8.0), ("Bb4", 10.5), ("Ab4", 12.0), ("F4", 14.0),
            ("D5", 16.0), ("C5", 18.5), ("Bb4", 20.0), ("G4", 22.0), ("Ab4", 24.0), ("G4", 26.5), ("F4", 28.0), ("Eb4", 30.0)]  # fmt: skip
    ring = Ring(bar * len(chords))
    for i, chord in enumerate(chords):
        for k, note in enumerate(chord.split()):
            ring.add(i * bar + k * 0.035, bell(pitch(note), bar * 0.95), 0.34)
            ring.add(i * bar, pad(pitch(note), bar, 1.0), 0.16)
    for note, beat in line:
        ring.add(beat * bar / 4, bell(pitch(note), 2.8), 0.6)
    return ring.in_room(1.6, 0.3, 4)


MUSIC = {"calme-1": calme_1, "calme-2": calme_2, "vive-1": vive_1, "sobre-1": sobre_1}


def beep() -> Wave:
    """The tone from which on a caller is recorded: 1400 Hz, a third of a second, without clicks."""
    t = np.arange(int(0.35 * RATE)) / RATE
    fade = np.clip(np.minimum(t, t[-1] - t) / 0.02, 0, 1)
    return np.asarray(np.sin(2 * np.pi * 1400 * t) * fade)


# --- loudness, checks, files ------------------------------------------------------------------


def level(samples: Wave) -> Wave:
    """At LOUDNESS over what is not silence, peaks bent under CEILING."""
    samples = samples - samples.mean()
    for _ in range(4):  # bending peaks lowers the loudness a little: approach it
        active = samples[np.abs(samples) > 0.02 * np.abs(samples).max()]
        samples = samples * LOUDNESS / np.sqrt(np.mean(active**2))
        knee = CEILING * 0.6
        over = np.abs(samples) > knee
        bent = knee + (CEILING - knee) * np.tanh((np.abs(samples) - knee) / (CEILING - knee))
        samples = np.where(over, np.sign(samples) * bent, samples)
    return samples


def write(path: Path, samples: Wave, *, loop: bool) -> str:
    """Check and write; one line of what was made."""
    samples = level(samples)
    peak = float(np.abs(samples).max())
    rms = float(np.sqrt(np.mean(samples**2)))
    if peak >= 10 ** (-1 / 20):
        sys.exit(f"{path.name}: peak {20 * np.log10(peak):.1f} dBFS")
    steps = np.abs(np.diff(samples))
    if loop and abs(samples[0] - samples[-1]) > np.percentile(steps, 99.9):
        sys.exit(f"{path.name}: the loop has a seam")
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, RATE, subtype="PCM_16", format="FLAC", compression_level=1.0)
    size = path.stat().st_size // 1024
    return f"{path.relative_to(SOUNDS)}: {len(samples) / RATE:.2f} s, RMS {20 * np.log10(rms):.1f} dBFS, peak {20 * np.log10(peak):.1f} dBFS, {size} kB"


def main() -> None:
    """Every file of sounds/, with a line each."""
    speak = speaker()
    for language, spoken in YAML(typ="safe").load(SOUNDS / "prompts.yaml").items():
        for name, text in spoken["prompts"].items():
            samples, rate = speak(text, spoken["voice"], spoken["rate"])
            print(write(SOUNDS / language / f"{name}.flac", trim(resample(samples, rate)), loop=False))
        print(write(SOUNDS / language / "beep.flac", beep(), loop=False))
    for name, compose in MUSIC.items():
        print(write(SOUNDS / "music" / f"{name}.flac", compose(), loop=True))


if __name__ == "__main__":
    main()
