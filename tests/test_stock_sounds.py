"""What the house says by itself exists, in both languages, at one loudness, and reaches the stories."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import miniaudio
import numpy as np
import pytest
from ruamel.yaml import YAML

from autocom.config import PaperShelf, load
from autocom.core.model import Audio

ROOT = Path(__file__).resolve().parents[1]
SOUNDS = ROOT / "sounds"
PROMPTS = YAML(typ="safe").load(SOUNDS / "prompts.yaml")


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_prompt_is_recorded_and_every_recording_is_a_prompt(language: str) -> None:
    recorded = {file.stem for file in (SOUNDS / language).glob("*.flac")}
    assert recorded - {"beep"} == set(PROMPTS[language]["prompts"])


def test_both_languages_say_the_same_things() -> None:
    assert list(PROMPTS["fr"]["prompts"]) == list(PROMPTS["en"]["prompts"])


@pytest.mark.parametrize(
    "file", sorted(SOUNDS.glob("??/*.flac")), ids=lambda file: f"{file.parent.name}-{file.stem}"
)
def test_a_prompt_is_as_loud_as_the_others_and_begins_at_once(file: Path) -> None:
    sound = np.array(miniaudio.flac_read_file_s16(str(file)).samples) / 32768
    active = sound[np.abs(sound) > 0.02 * np.abs(sound).max()]
    loudness = 20 * np.log10(np.sqrt(np.mean(active**2)))
    assert -21.5 < loudness < -18.5
    assert np.abs(sound).max() < 10 ** (-1 / 20)
    first = np.flatnonzero(np.abs(sound) > 0.01)[0] / 16000
    assert first < 0.3, "a pause before the first word is one in which a caller wonders"


def test_every_sound_that_the_stories_may_ask_for_is_loaded() -> None:
    stock = load(ROOT / "config", PaperShelf(ROOT / "config" / "sounds", SOUNDS), 2026).configuration.stock
    missing = [
        field.name
        for field in fields(stock)
        if field.type == "Audio | None" and not isinstance(getattr(stock, field.name), Audio)
    ]
    assert missing == []
