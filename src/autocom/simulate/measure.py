"""How long messages are, without converting or speaking any: enough for callers who listen to them.

A file's length is read from its head; a text's is that of an even voice. Only simulations use this:
the service plays what `config.audio.AudioShelf` made, and knows its length to the millisecond.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import miniaudio

from autocom.config import PaperShelf
from autocom.core.model import Audio

_CHARACTERS_A_SECOND = 17.0
_RAW = {".ulaw": 8000, ".alaw": 8000, ".g722": 8000, ".gsm": 1650}  # bytes a second


class MeasuringShelf(PaperShelf):
    """Says whether everything is there, and about how long it is to hear."""

    def sound(self, name: str, language: str) -> Audio:
        """The file's length; none where the file cannot be read."""
        return replace(super().sound(name, language), seconds=_length(self.finder.sound(name, language)))

    def say(self, text: str, language: str) -> Audio:
        """At the speed of an even voice."""
        return replace(super().say(text, language), seconds=len(text) / _CHARACTERS_A_SECOND)


def _length(path: Path) -> float:
    try:
        if path.suffix in _RAW:
            return path.stat().st_size / _RAW[path.suffix]
        return float(miniaudio.get_file_info(str(path)).duration)
    except (miniaudio.MiniaudioError, OSError):
        return 0.0
