"""What callers and secretaries hear: files that exist, music, and the stock prompts of the house.

Made by `autocom.config` from the admins' files and `sounds/`; played by the stories. Must not know
who hears them, nor when. Invariant: an `Audio` exists and is converted, so playing it cannot fail for
want of a file. The story goes on in `steps`, which say what is played.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Audio:
    """A sound that exists and is converted.

    `media` is what Asterisk plays: an absolute path without suffix, or, for tests of the core,
    any string. `seconds` is its length, known since the file was read at load time. `text` is what is
    spoken, where it was made from a text.
    """

    name: str
    media: str
    seconds: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class Music:
    """A hold-music class of Asterisk; `files` are the absolute paths (without suffix) it plays in turn."""

    name: str
    moh_class: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Phrases:
    """What a waiting caller is told, spoken ahead in one language. `positions`: "you are the first", … in
    order; `beyond`: further back than that. `waits`: upper bound in seconds and its sentence, ascending;
    `longer`: beyond the last."""

    positions: tuple[Audio, ...] = ()
    beyond: Audio | None = None
    waits: tuple[tuple[float, Audio], ...] = ()
    longer: Audio | None = None


@dataclass(frozen=True, slots=True)
class StockSounds:
    """Prompts of the house in the bureau's language that no client has to configure."""

    nobody: Audio
    closed: Audio
    please_wait: Audio
    unknown: Audio
    music: Music
    in_progress: Audio | None = None  # for a secretary who waits for the end of a message
    comfort: Audio | None = None  # "please stay on the line": her phone vanished in the conversation
    no_answer: Audio | None = None  # nobody outside could be reached
    still_trying: Audio | None = None  # "please stay on the line": the next round of a roster begins
    voicemail: Audio | None = None  # "leave a message after the tone"
    voicemail_saved: Audio | None = None
    beep: Audio | None = None  # from here on he is recorded
    callback_promised: Audio | None = None
    callback_hold: Audio | None = None  # to the secretary while the caller is being called back
    callback_refused: Audio | None = None  # no number, closed soon, or one is promised already
    whispers: Mapping[str, Audio] = field(default_factory=dict)  # a client's name by client id
    phrases: Mapping[str, Phrases] = field(default_factory=dict)  # by language
    refusals: Mapping[str, Audio] = field(default_factory=dict)  # why a dialled call is refused, by its word
    # recording on/off, room joined/left, parked, …
    notices: Mapping[str, Audio] = field(default_factory=dict)
