"""The shelf of sounds: every name or text of the configuration as something Asterisk plays.

Recordings are converted once to A-law, texts are spoken once, both cached by content under the
state folder; a name of the cache never changes its content, so calls in progress are safe from
a reload. Must not know clients or rules. Invariant: what comes back exists on disk and plays; a
missing or broken file is `AudioRefused`, never a crash. The story goes on in `build`.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from autocom.config.alaw import NotAudio, to_alaw
from autocom.config.faults import reason
from autocom.config.say import SayCommand, Utterance
from autocom.config.sounds import AudioRefused, SoundFinder
from autocom.config.wording import told, words_of
from autocom.core.model import Audio, Music

if TYPE_CHECKING:
    from collections.abc import Iterable

_CONVERSION: Final = (
    "1"  # raise it when the conversion changes: cached files of the older one are left behind
)
_MAX_BYTES: Final = 100 * 1024 * 1024
_BYTES_PER_SECOND: Final = {".alaw": 8000, ".ulaw": 8000, ".g722": 8000, ".gsm": 1650}


class Shelf(Protocol):
    """Where the configuration gets its sounds; all raise AudioRefused with words for the admin."""

    finder: SoundFinder

    def prepare(self, texts: Iterable[tuple[str, str]]) -> None:
        """Announce (text, language) pairs that will be asked for, so that they are spoken in one go."""
        ...

    def sound(self, name: str, language: str) -> Audio:
        """A sound by its name."""
        ...

    def say(self, text: str, language: str) -> Audio:
        """A text, spoken."""
        ...

    def music(self, name: str, language: str) -> Music:
        """A hold music by its name."""
        ...


class PaperShelf:
    """For `check`: says whether everything is there, converts and speaks nothing."""

    def __init__(self, config_sounds: Path, stock_sounds: Path) -> None:
        self.finder = SoundFinder(config_sounds, stock_sounds)

    def prepare(self, texts: Iterable[tuple[str, str]]) -> None:
        """Nothing to do."""

    def sound(self, name: str, language: str) -> Audio:
        """The name, without medium."""
        self.finder.sound(name, language)
        return Audio(name, "", 0.0)

    def say(self, text: str, language: str) -> Audio:
        """The text's name, without medium."""
        return Audio(_spoken_name(text, language), "", 0.0, text)

    def music(self, name: str, language: str) -> Music:
        """The class, without files."""
        return Music(name, _moh_class(name, self.finder, self.finder.music(name, language)))


class AudioShelf:
    """For the service: sounds that play. `cache_dir` is made where missing; one shelf serves every
    reload of a process, two processes may share a cache."""

    def __init__(self, cache_dir: Path, config_sounds: Path, stock_sounds: Path, say: SayCommand) -> None:
        self.finder = SoundFinder(config_sounds, stock_sounds)
        self._cache = cache_dir.absolute()
        self._say = say
        self._unspeakable: dict[Path, str] = {}
        self.given: dict[Path, int] = {}
        """The files that were handed out since somebody last cleared this, with their sizes."""

    @property
    def fingerprint(self) -> str:
        """Changes when the same names and texts would become other files."""
        return f"{_CONVERSION} {self._cache} {self._say.fingerprint}"

    def prepare(self, texts: Iterable[tuple[str, str]]) -> None:
        """Speak what is not in the cache yet."""
        missing = {self._spoken_path(text, language): (text, language) for text, language in texts}
        missing = {path: wanted for path, wanted in missing.items() if not path.is_file()}
        if missing:
            self._speak(missing)

    def sound(self, name: str, language: str) -> Audio:
        """The converted file."""
        return self._audio(name, self._converted(self.finder.sound(name, language)))

    def say(self, text: str, language: str) -> Audio:
        """The spoken text."""
        path = self._spoken_path(text, language)
        if not path.is_file() and path not in self._unspeakable:
            self._speak({path: (text, language)})
        if path in self._unspeakable and not path.is_file():
            raise AudioRefused(told("cannot be spoken: {why}", why=self._unspeakable[path]))
        return replace(self._audio(_spoken_name(text, language), path), text=text)

    def music(self, name: str, language: str) -> Music:
        """The converted files and the class that plays them."""
        sources = self.finder.music(name, language)
        converted = [self._converted(source) for source in sources]
        self.given.update((path, path.stat().st_size) for path in converted)
        files = tuple(str(path.with_suffix("")) for path in converted)
        return Music(name, _moh_class(name, self.finder, sources), files)

    def _audio(self, name: str, path: Path) -> Audio:
        size = self.given[path] = path.stat().st_size
        return Audio(name, str(path.with_suffix("")), size / _BYTES_PER_SECOND[path.suffix])

    def _converted(self, source: Path) -> Path:
        raw = source.suffix in _BYTES_PER_SECOND
        digest = self.finder.fingerprint(source)
        suffix = source.suffix if raw else ".alaw"
        target = self._cache / f"{_slug(source.stem)}-{digest[:16]}-{_CONVERSION}{suffix}"
        if target.is_file():
            return target
        try:
            if source.stat().st_size > _MAX_BYTES:
                raise AudioRefused(
                    told(
                        "sound file {name} is larger than {limit} MB",
                        name=source.name,
                        limit=_MAX_BYTES // 2**20,
                    )
                )
            content = source.read_bytes()
        except OSError as error:
            raise AudioRefused(
                told("sound file {name} cannot be read: {why}", name=source.name, why=reason(error))
            ) from None
        if not content:
            raise AudioRefused(told("sound file {name} is empty", name=source.name))
        try:
            self._store(target, content if raw else to_alaw(content))
        except NotAudio as error:
            raise AudioRefused(
                told("sound file {name}: {why}", name=source.name, why=words_of(error))
            ) from None
        return target

    def _speak(self, wanted: dict[Path, tuple[str, str]]) -> None:
        with tempfile.TemporaryDirectory(prefix="autocom-say-") as folder:
            utterances = [
                Utterance(text, language, Path(folder) / f"{index}.wav")
                for index, (text, language) in enumerate(wanted.values())
            ]
            for path, utterance, error in zip(wanted, utterances, self._say.speak(utterances), strict=True):
                self._unspeakable.pop(path, None)
                if error is not None:
                    self._unspeakable[path] = error
                    continue
                try:
                    self._store(path, to_alaw(utterance.out.read_bytes()))
                except (NotAudio, AudioRefused, FileNotFoundError) as refused:
                    self._unspeakable[path] = words_of(refused)

    def _spoken_path(self, text: str, language: str) -> Path:
        whole = f"{_CONVERSION}\0{self._say.fingerprint}\0{language}\0{text}"
        return self._cache / f"say-{hashlib.sha256(whole.encode()).hexdigest()[:24]}.alaw"

    def _store(self, target: Path, content: bytes) -> None:
        # under its final name only when whole: another process, or Asterisk, may read it at once
        try:
            self._cache.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._cache, prefix=".new-")
            try:
                with os.fdopen(handle, "wb") as out:
                    out.write(content)
                Path(name).chmod(0o644)
                Path(name).replace(target)
            finally:
                Path(name).unlink(missing_ok=True)
        except OSError as error:
            raise AudioRefused(
                told("cannot be kept in {folder}: {why}", folder=self._cache, why=reason(error))
            ) from None


def length_of(path: Path) -> float:
    """Seconds of a recording as it will be played; 0 where it cannot be read."""
    try:
        if path.suffix in _BYTES_PER_SECOND:
            return path.stat().st_size / _BYTES_PER_SECOND[path.suffix]
        if path.stat().st_size > _MAX_BYTES:
            return 0.0
        return len(to_alaw(path.read_bytes())) / _BYTES_PER_SECOND[".alaw"]
    except (OSError, NotAudio):
        return 0.0


def _moh_class(name: str, finder: SoundFinder, sources: tuple[Path, ...]) -> str:
    digest = hashlib.sha256("".join(finder.fingerprint(source) for source in sources).encode()).hexdigest()
    return f"music-{_slug(name)}-{digest[:8]}"


def _spoken_name(text: str, language: str) -> str:
    return f"say-{hashlib.sha256(f'{language} {text}'.encode()).hexdigest()[:8]}"


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "sound"
