"""Sounds that ought to be heard and were not: said once in a while, and what is heard instead of a silent music.

A file may be gone, unreadable or empty by the time it is played (22.10: no request fails for that; the playback fails,
or is over too soon; music ends as it begins). The call goes on: a message is skipped, another music or ringing takes
the music's place. Must not know calls. Invariant: a music that was silent is tried again after a while, never at once.
Who notices is `line`; whether music ends by itself, `asterisk.music_watch`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from autocom.core.faults import fault
from autocom.core.journal import Entry
from autocom.core.model import Audio

SAY_AGAIN = 600.0
"""Seconds after which the same sound is a fault once more."""
TRY_AGAIN = 30.0
"""Seconds for which nobody is put on a music that was silent."""
LEAST = 0.5
"""Seconds of a sound below which its length proves nothing."""


def too_short(audio: Audio, heard: float) -> bool:
    """Whether it was over so soon that most of the file is not there: what plays lasts as long as it lasts, or longer."""
    return audio.seconds >= LEAST and heard < audio.seconds / 2


@dataclass(slots=True)
class Unheard:
    """One per exchange. `now`: UTC epoch seconds; `save` writes entries; `stock`: the class of the house's music."""

    now: Callable[[], float] = lambda: 0.0
    save: Callable[[list[Entry]], None] = lambda _: None
    stock: str = "default"
    _said: dict[str, float] = field(default_factory=dict)
    _silent: dict[str, float] = field(default_factory=dict)

    def message(self, audio: Audio, why: str) -> None:
        """A message was not heard."""
        self._say(audio.name, f"message {audio.name}: {why}")

    def music(self, moh_class: str) -> None:
        """A music was silent."""
        self._silent[moh_class] = self.now() + TRY_AGAIN
        self._say(moh_class, f"{moh_class}: no music to be heard")

    def instead_of(self, moh_class: str) -> str | None:
        """The class to be played: this one, else the house's; None where both were silent."""
        now = self.now()
        return next((each for each in (moh_class, self.stock) if self._silent.get(each, now) <= now), None)

    def _say(self, name: str, detail: str) -> None:
        now = self.now()
        if self._said.get(name, now) <= now:
            self._said[name] = now + SAY_AGAIN
            self.save([fault(now, "sound_missing", name, detail)])
