"""What is to be sent or kept because of a call, as frozen values: the rows of the outbox.

A `Letter` is one mail to one address, or one text to one number; a `Voice` is a recorded message that
is kept. Both are saved in the transaction that decides on them, under keys of the floor's table, and
deleted in the one that says what became of them. Must not know how anything is sent. Invariants: a
letter about a discreet client holds no word, name or number of his callers; ids are derived, so that
a letter is one letter however often it is decided. `calls.messages` decides, `mail.courier` sends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from autocom.core.codec import Codec
from autocom.core.journal import Json

LETTER = "mail:"
VOICE = "voice:"
"""What the keys of the two kinds of rows begin with."""

MAIL, TEXT = "mail", "text"
"""The routes: to a mail address, to a telephone number."""

_WAV_HEADER = 44
_BYTES_A_SECOND = 16_000  # Asterisk's format `wav`: 8 kHz, 16 bits, mono


@dataclass(frozen=True, slots=True)
class VoiceNotice:
    """Somebody left a message. `caller` is how he is shown, None where his number is withheld or the
    client is `discreet`; `seconds` None where its length is not known yet. `house`: the bureau's name."""

    recording: str
    reference: str
    client: str
    house: str
    at: float
    zone: str
    seconds: float | None = None
    caller: str | None = None
    discreet: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """The admin's own words, from a `message` step."""

    text: str
    client: str


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that needs somebody: `key` is its kind, `about` whom or what it concerns."""

    key: str
    about: str
    house: str
    at: float
    zone: str
    fields: Mapping[str, str] = field(default_factory=dict)


Content = VoiceNotice | Note | Alert


@dataclass(frozen=True, slots=True)
class Letter:
    """One recipient's. `at`: when it was decided; `due`: not tried before, after `tries` failures with
    `error` as the last; `given_up`: since when nobody tries any more. All UTC epoch seconds."""

    id: str
    to: str
    at: float
    language: str
    content: Content
    call: str | None = None
    client: str | None = None
    tries: int = 0
    due: float = 0.0
    given_up: float | None = None
    error: str = ""

    @property
    def route(self) -> str:
        """MAIL or TEXT."""
        return MAIL if "@" in self.to else TEXT

    @property
    def recording(self) -> str | None:
        """The recording that goes with it, None where none may or need."""
        match self.content:
            case VoiceNotice(recording=recording, discreet=False):
                return recording
            case _:
                return None


@dataclass(frozen=True, slots=True)
class Voice:
    """A recorded message. Until it is `kept` it lies in Asterisk's store; `erase_at`: when the client's
    retention ends; `heard`: when somebody said that he listened to it, None: nobody yet."""

    recording: str
    call: str
    client: str
    at: float
    erase_at: float
    kept: bool = False
    heard: float | None = None


CODEC = Codec((Letter, Voice))


def row_of(value: Letter | Voice) -> dict[str, Json]:
    """The row to save: its key and its JSON."""
    key = LETTER + value.id if isinstance(value, Letter) else VOICE + value.recording
    return {key: CODEC.dump(value)}


def letters(rows: Mapping[str, Json]) -> tuple[list[Letter], list[str]]:
    """The letters among these rows, oldest first; and the keys of those that cannot be read."""
    found, broken = CODEC.rows(Letter, LETTER, rows)
    return sorted(found, key=lambda letter: (letter.at, letter.id)), broken


def voices(rows: Mapping[str, Json]) -> tuple[list[Voice], list[str]]:
    """The recorded messages among these rows, oldest first; and the keys of those that cannot be read."""
    found, broken = CODEC.rows(Voice, VOICE, rows)
    return sorted(found, key=lambda voice: (voice.at, voice.recording)), broken


def wav_seconds(wav: bytes) -> float:
    """How long a recording of Asterisk's format `wav` is: by its size, since a header that was written
    at the beginning of a recording says nothing of its end."""
    return max(0.0, (len(wav) - _WAV_HEADER) / _BYTES_A_SECOND)


def wav_whole(wav: bytes) -> bytes:
    """With the lengths in its header as they are: Asterisk writes them when a recording ends (22.10), so one
    that it died in says it is empty, and players believe that."""
    if len(wav) < _WAV_HEADER or wav[:4] != b"RIFF" or wav[36:40] != b"data":
        return wav
    sound = len(wav) - _WAV_HEADER
    voice = memoryview(wav)[44:]  # an hour of it: not copied twice
    return b"".join(
        (wav[:4], (sound + 36).to_bytes(4, "little"), wav[8:40], sound.to_bytes(4, "little"), voice)
    )


def waiting(all_letters: Iterable[Letter]) -> dict[str, int]:
    """How many wait to be sent, and how many were given up in the last days."""
    found = list(all_letters)
    lost = sum(letter.given_up is not None for letter in found)
    return {"waiting": len(found) - lost, "failed": lost}
