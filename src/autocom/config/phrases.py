"""What waiting callers are told, as sentences spoken ahead: the positions and the ranges of the wait.

One recording for each whole sentence: words put together from pieces sound like a station, and differ by
language. Both languages are loaded, since a client may speak another one than the bureau. A bureau's own
recordings win: `sounds/position-1.*` in its own language, `sounds/en/position-1.*` for the other one.
Must not know when they are said (`core.estimate`, `calls.company`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from autocom.config.sounds import AudioRefused
from autocom.core.model import Audio, Phrases

if TYPE_CHECKING:
    from autocom.config.scene import Scene

LANGUAGES: Final = ("fr", "en")
POSITIONS: Final = tuple(f"position-{place}" for place in range(1, 10))
BEYOND: Final = "position-beyond"

# upper bound of the range in seconds: "about two minutes" is said of a minute and a half to two and a half
WAITS: Final = (
    (60.0, "wait-under-1"),
    (90.0, "wait-1"),
    (150.0, "wait-2"),
    (240.0, "wait-3"),
    (420.0, "wait-5"),
    (600.0, "wait-10"),
)
LONGER: Final = "wait-longer"


def phrases(scene: Scene, refused: Callable[[AudioRefused], None]) -> dict[str, Phrases]:
    """The sentences by language; `refused` hears of every one that is missing."""
    found: dict[str, Phrases] = {}
    for language in LANGUAGES:
        try:
            found[language] = _spoken(scene, language)
        except AudioRefused as error:
            refused(error)
    return found


def _spoken(scene: Scene, language: str) -> Phrases:
    def sentence(name: str) -> Audio:
        known_as = name if language == scene.language else f"{language}/{name}"
        return scene.shelf.sound(known_as, language)

    return Phrases(
        positions=tuple(sentence(name) for name in POSITIONS),
        beyond=sentence(BEYOND),
        waits=tuple((upper, sentence(name)) for upper, name in WAITS),
        longer=sentence(LONGER),
    )
