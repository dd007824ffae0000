"""The message that a caller hears: how much of it he has heard, and what is written down of that."""

from __future__ import annotations

from dataclasses import dataclass

from autocom.core.journal import Json
from autocom.core.model import Audio

_LONGEST_TEXT = 120


@dataclass(slots=True)
class Sounding:
    """The message that plays now: since when (UTC epoch seconds), from which offset of its file (seconds)."""

    playback: str
    audio: Audio
    started: float
    skipped: float = 0.0

    def heard(self, now: float) -> float:
        """Seconds of it, with those that he heard before it was interrupted."""
        return self.skipped + now - self.started


def spoken(audio: Audio) -> dict[str, Json]:
    """What is spoken, for those who read the journal: the name of a sound made from text says nothing."""
    return {"text": audio.text[:_LONGEST_TEXT]} if audio.text else {}
