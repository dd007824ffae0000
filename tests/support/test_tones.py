"""What the other tests' proofs rest on: tones are told apart after a telephone line, gaps are measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support import tones


def through_a_line(samples: tones.Samples) -> tones.Samples:
    """G.711 in short: 13 segments of logarithmic precision, and a little noise."""
    x = samples.astype(float) / 32768
    noise = np.random.default_rng(1).normal(0, 0.0005, len(x))
    y = np.sign(x) * np.log1p(255 * np.abs(x)) / np.log1p(255)
    y = np.round(y * 127) / 127
    back = np.sign(y) * (np.exp(np.abs(y) * np.log1p(255)) - 1) / 255
    return np.asarray((back + noise) * 32768, dtype=np.int16)


@pytest.mark.parametrize("hertz", tones.KNOWN)
def test_every_known_tone_is_recognised_after_a_telephone_line(hertz: int) -> None:
    assert tones.heard(through_a_line(tones.sine(hertz, 0.5))) == [(hertz,)]


def test_two_people_in_one_bridge_are_a_chord() -> None:
    assert tones.heard(tones.sine((620, 740), 1)) == [(620, 740)]


@pytest.mark.parametrize("pause", [0.0, 0.1, 0.3, 0.52])
def test_a_gap_is_measured_to_forty_milliseconds(pause: float) -> None:
    silence = np.zeros(int(8000 * pause), dtype=np.int16)
    (gap,) = tones.gaps(np.concatenate([tones.sine(440, 1.03), silence, tones.sine(810, 1)]))
    assert (gap.after, gap.before) == ((440,), (810,))
    assert gap.seconds == pytest.approx(pause, abs=0.04)


def test_speech_and_noise_are_no_tone() -> None:
    noise = np.random.default_rng(2).normal(0, 4000, 8000).astype(np.int16)
    assert tones.heard(noise) == []
    assert {run.chord for run in tones.timeline(noise)} == {tones.OTHER}


def test_silence_is_told_from_nothing_recorded() -> None:
    assert [run.chord for run in tones.timeline(np.zeros(4000, dtype=np.int16))] == [tones.SILENCE]
    assert tones.timeline(np.zeros(10, dtype=np.int16)) == []


def test_a_wav_file_keeps_its_samples(tmp_path: Path) -> None:
    samples = tones.sine(560, 0.25, rate=16000)
    read, rate = tones.read_wav(tones.write_wav(tmp_path / "a" / "x.wav", samples, 16000))
    assert rate == 16000
    assert np.array_equal(read, samples)
