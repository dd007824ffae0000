"""Which file a sound's name means: the admins' own first, then the stock ones.

A name is looked for in the configuration's `sounds/`, then among the stock sounds: in the
language's folder, at the top, in `music/`. A music may be one file or a folder of them. Must not
know how files are converted. Invariant: a file outside these folders is never found, not by
`..`, an absolute name or a symbolic link. The story goes on in `audio`.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from autocom.config.faults import reason, suggestion
from autocom.config.wording import told

# of several files with one name the first suffix wins: what was least compressed sounds best
SUFFIXES: Final = (".wav", ".flac", ".mp3", ".alaw", ".ulaw", ".g722", ".gsm")


STOCK_MUSIC: Final = "calme-1"  # where nobody chose one


class AudioRefused(Exception):  # noqa: N818 - said to the admin as it is
    """A sound that is missing or cannot be used; the message is for the admin."""


def stock_folder() -> Path:
    """The sounds that come with autocom: of the source tree, or of the installation."""
    source = Path(__file__).resolve().parents[3] / "sounds"
    return source if source.is_dir() else Path(sys.prefix) / "share" / "autocom" / "sounds"


@dataclass(slots=True)
class SoundFinder:
    """Names to files. Looks at the disk once per name and change, so a thousand clients stay cheap."""

    config_sounds: Path
    stock_sounds: Path
    _hashes: dict[tuple[Path, int, int], str] = field(default_factory=dict, repr=False)
    _listed: dict[Path, dict[str, Path]] = field(default_factory=dict, repr=False)

    def refresh(self) -> None:
        """Forget what the folders held: to be called before each reading of the configuration."""
        self._listed.clear()

    def sound(self, name: str, language: str) -> Path:
        """The file of that name, or AudioRefused with a suggestion."""
        for folder in self._folders(language):
            found = self._files(folder).get(name)
            if found is not None:
                return found
        raise AudioRefused(
            told(
                "sound `{name}` is not there{near}{where}",
                name=name,
                near=self._suggestion(name, language),
                where=self._where(),
            )
        )

    def music(self, name: str, language: str) -> tuple[Path, ...]:
        """The files of a music, in the order of their names."""
        for folder in self._folders(language):
            files = self._files(folder)
            if name in files:
                return (files[name],)
            inside = tuple(path for key, path in sorted(files.items()) if key.rpartition("/")[0] == name)
            if inside:
                return inside
        raise AudioRefused(
            told(
                "music `{name}` is not there{near}{where}",
                name=name,
                near=self._suggestion(name, language),
                where=self._where(),
            )
        )

    def stock_names(self, language: str) -> tuple[str, ...]:
        """The prompts that come with autocom in that language."""
        return tuple(sorted(self._files(self.stock_sounds / language)))

    def fingerprint(self, path: Path) -> str:
        """A hash of the file's content."""
        try:
            seen = path.stat()
            key = (path, seen.st_mtime_ns, seen.st_size)
            if key not in self._hashes:
                self._hashes[key] = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise AudioRefused(
                told("sound file {name} cannot be read: {why}", name=path.name, why=reason(error))
            ) from None
        return self._hashes[key]

    def _folders(self, language: str) -> tuple[Path, ...]:
        stock = self.stock_sounds
        return self.config_sounds, stock / language, stock, stock / "music"

    def _files(self, folder: Path) -> dict[str, Path]:
        """Names (without suffix, with sub-folders) to files of one folder."""
        if folder not in self._listed:
            self._listed[folder] = _listing(folder)
        return self._listed[folder]

    def _suggestion(self, name: str, language: str) -> str:
        known: dict[str, None] = {}
        for folder in self._folders(language):
            for key in self._files(folder):
                known[key] = None
                if "/" in key:
                    known[key.rpartition("/")[0]] = None
        return suggestion(name, known)

    def _where(self) -> str:
        return told(
            " (looked for {files} under {folder}/ and the stock sounds)",
            files=name_of(SUFFIXES),
            folder=self.config_sounds.name,
        )


def name_of(suffixes: tuple[str, ...]) -> str:
    """The suffixes in one word for people."""
    return "*{" + ",".join(suffix[1:] for suffix in suffixes) + "}"


def _listing(folder: Path) -> dict[str, Path]:
    root = folder.resolve()
    found: dict[str, Path] = {}
    try:
        paths = sorted(folder.rglob("*"))
    except OSError:
        return {}
    for path in paths:
        if path.suffix not in SUFFIXES or not path.is_file() or not path.resolve().is_relative_to(root):
            continue
        key = path.relative_to(folder).with_suffix("").as_posix()
        other = found.get(key)
        if other is None or SUFFIXES.index(path.suffix) < SUFFIXES.index(other.suffix):
            found[key] = path
    return found
