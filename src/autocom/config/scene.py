"""What a client's file is read against: the teams, lists, numbers and sounds of the whole set.

Built once from bureau.yaml, then read by every client. Must not know clients' rules. Invariant:
a part that bureau.yaml got wrong is None, and whoever needs it keeps silent instead of
complaining about its absence. The story goes on in `client_build`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from autocom.config.audio import Shelf, length_of
from autocom.config.sounds import AudioRefused
from autocom.config.wording import words_of
from autocom.core.model import Audio, Dialling, Music
from autocom.core.numbers import FRANCE, NumberingPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from autocom.config.document import Route
    from autocom.config.faults import Fault
    from autocom.config.lists_build import Lists
    from autocom.config.shape import Sheet
    from autocom.config.steps import Prompt


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Scene:
    """The house as a client sees it. `own_numbers`: every DID of every client and of the bureau; `rosters`:
    the key that accepts a call, by roster; `blocks`: some callers are refused for every client; `dialling`: what
    people may have dialled."""

    shelf: Shelf
    language: str = "fr"
    timezone: str = "Europe/Paris"
    holidays: str = "FR"
    first_year: int = 2020
    last_year: int = 2040
    plan: NumberingPlan = FRANCE
    unknown_client: str | None = None
    teams: frozenset[str] | None = None
    rosters: Mapping[str, str] | None = None
    lists: Lists | None = None
    own_numbers: frozenset[str] = frozenset()
    blocks: bool = False
    dialling: Dialling = field(default_factory=Dialling)


@dataclass(slots=True)
class Ear:
    """Sounds for one sheet: what the shelf refuses becomes a fault there and silence here. The
    sources that were used are remembered for the version."""

    scene: Scene
    sheet: Sheet
    language: str
    faults: list[Fault]
    used: set[str] = field(default_factory=set)

    def prompt(self, prompt: Prompt, route: Route) -> Audio:
        """The audio of `sound` or `say` at `route`."""
        if prompt.say is not None:
            return self.spoken(prompt.say, (*route, "say"))
        name = prompt.sound or ""
        return self._or_fault((*route, "sound"), lambda: self._sound(name)) or Audio(name, "", 0.0)

    def spoken(self, text: str, route: Route) -> Audio:
        """The text in the sheet's language; `route` is the place of the fault where it cannot be spoken."""
        made = self._or_fault(route, lambda: self.scene.shelf.say(text, self.language))
        return made or Audio("", "", 0.0)

    def lasts(self, name: str) -> float:
        """Seconds of a recording, also where nothing is converted; 0 where it cannot be told (its own fault)."""
        try:
            return length_of(self.scene.shelf.finder.sound(name, self.language))
        except AudioRefused:
            return 0.0

    def music(self, name: str, route: Route) -> Music | None:
        """The music of that name."""
        return self._or_fault(route, lambda: self._music(name))

    def _sound(self, name: str) -> Audio:
        finder = self.scene.shelf.finder
        self.used.add(f"{name} {finder.fingerprint(finder.sound(name, self.language))}")
        return self.scene.shelf.sound(name, self.language)

    def _music(self, name: str) -> Music:
        finder = self.scene.shelf.finder
        for path in finder.music(name, self.language):
            self.used.add(f"{name} {finder.fingerprint(path)}")
        return self.scene.shelf.music(name, self.language)

    def _or_fault(self, route: Route, make: Callable[[], T]) -> T | None:
        try:
            return make()
        except AudioRefused as error:
            self.faults.append(self.sheet.at(route).fault(words_of(error)))
            return None
