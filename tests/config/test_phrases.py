"""The sentences that waiting callers are told: both languages, own recordings first, nothing missing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from autocom.config import PaperShelf, stock_folder
from autocom.config.phrases import BEYOND, LANGUAGES, LONGER, POSITIONS, WAITS
from autocom.core.estimate import LEAST_TOLD
from tests.config.conftest import Desk, tone


def test_every_sentence_comes_with_autocom_in_both_languages() -> None:
    names = (*POSITIONS, BEYOND, *(name for _, name in WAITS), LONGER)
    missing = [
        f"{language}/{name}"
        for language in LANGUAGES
        for name in names
        if not (stock_folder() / language / f"{name}.flac").is_file()
    ]
    assert not missing


def test_both_languages_are_loaded_whatever_the_bureau_speaks(desk: Desk) -> None:
    phrases = desk.load().configuration.stock.phrases
    assert set(phrases) == set(LANGUAGES)
    assert [audio.name for audio in phrases["fr"].positions] == list(POSITIONS)
    assert [audio.name for audio in phrases["en"].positions] == [f"en/{name}" for name in POSITIONS]
    for spoken in phrases.values():
        bounds = [upper for upper, _ in spoken.waits]
        assert bounds == sorted(set(bounds))
        assert bounds[0] > LEAST_TOLD
        assert spoken.beyond is not None
        assert spoken.longer is not None


@pytest.mark.parametrize(("recording", "language"), [("position-1", "fr"), ("en/position-1", "en")])
def test_a_recording_of_the_bureaus_own_is_heard_in_its_language_only(
    desk: Desk, recording: str, language: str
) -> None:
    own = tone(desk.folder / "sounds" / f"{recording}.wav")
    finder = PaperShelf(desk.folder / "sounds", desk.stock).finder
    phrases = desk.load().configuration.stock.phrases
    heard = {name: finder.sound(phrases[name].positions[0].name, name) for name in LANGUAGES}
    assert [name for name, path in heard.items() if path == own] == [language]


def test_a_sentence_that_is_missing_is_a_fault_in_words(desk: Desk, tmp_path: Path, stock: Path) -> None:
    lacking = tmp_path / "lacking"
    shutil.copytree(stock, lacking)
    (lacking / "en" / "wait-longer.wav").unlink()
    desk.stock = lacking
    assert any("en/wait-longer" in line for line in desk.refused())
