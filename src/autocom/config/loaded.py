"""What a reading of the admins' files comes to.

A value of its own, so that who only needs one (the service that starts with what it kept) need not load what reads YAML.
Must not know how it was read (`loader`, `kept`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autocom.config.faults import Fault
    from autocom.core.model import Audio, Configuration


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that holds. `files`: what it was read from, by the name the admin typed, with
    the text, for the record of versions; `prompts`: the stock prompts by name in the bureau's language;
    `notes`: what looks like an oversight and is no reason to refuse (of a kept one: none)."""

    configuration: Configuration
    files: Mapping[str, str]
    prompts: Mapping[str, Audio]
    notes: tuple[Fault, ...] = ()

    @property
    def media(self) -> dict[str, str]:
        """Each stock prompt's media path, without suffix."""
        return {name: audio.media for name, audio in self.prompts.items()}
