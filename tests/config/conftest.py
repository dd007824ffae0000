"""A desk: a small bureau on disk whose files a test changes, and what `load` says to it.

A `§` in a file marks where a fault is expected; it is taken out before the file is written, so a
test shows the exact line and column by eye.
"""

from __future__ import annotations

import math
import struct
import wave
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from autocom import config
from autocom.config import ConfigurationRefused, Loaded, PaperShelf
from autocom.config.phrases import BEYOND, LONGER, POSITIONS, WAITS
from autocom.config.stock import PROMPTS

load = partial(config.load, language="en")  # the words the tests look for

BUREAU = """\
bureau:
  name: Secrétariat des Tilleuls
  number: "+33199001000"
  country: FR
  timezone: Europe/Paris
  language: fr
  holidays: FR
  unknown_client: accueil
trunks:
  - {id: operator, match: ["127.0.0.1"], host: sip.operator.example}
secretaries:
  - {id: lea, name: Léa, extension: "201", password: lea-demo, teams: {general: 1}}
teams:
  general: {}
lists:
  nuisance: ["+33199006666"]
"""
ACCUEIL = """\
id: accueil
name: Accueil
numbers: []
hours: {every-day: ["00:00-24:00"]}
rules:
  - name: open
    do: [{queue: {team: general}}]
"""
CLIENT = """\
id: cab-lilas
name: Cabinet des Lilas
numbers: [{did: "+33199001001"}]
hours: {mon-fri: ["08:00-12:00"]}
rules:
  - name: open
    do: [{queue: {team: general}}]
"""


def tone(
    path: Path, seconds: float = 0.2, hertz: float = 440.0, amplitude: int = 8000, rate: int = 16000
) -> Path:
    """A sine in a WAV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = [
        round(amplitude * math.sin(2 * math.pi * hertz * n / rate)) for n in range(int(seconds * rate))
    ]
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return path


@dataclass
class Desk:
    """The bureau on disk."""

    folder: Path
    stock: Path
    marks: set[tuple[str, int, int]] = field(default_factory=set)
    language: str | None = "en"

    def write(self, name: str, text: str | bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, bytes):
            path.write_bytes(text)
            return
        for number, line in enumerate(text.split("\n"), start=1):
            for count, piece in enumerate(line.split("§")[:-1]):
                column = sum(len(before) for before in line.split("§")[:count]) + len(piece) + 1
                self.marks.add((str(path), number, column))
        path.write_text(text.replace("§", ""), encoding="utf-8")

    def client(self, **changes: str) -> None:
        """Write the client with some keys replaced or added, in the file's order, each on lines of its own."""
        keys = {line.split(":")[0]: line for line in CLIENT.splitlines()[:4]}
        keys["rules"] = "rules:\n  - name: open\n    do: [{queue: {team: general}}]"
        keys |= {key: f"{key}: {value}" for key, value in changes.items()}
        self.write("clients/cab-lilas.yaml", "\n".join(value for value in keys.values()) + "\n")

    def load(self, *, environment: dict[str, str] | None = None) -> Loaded:
        shelf = PaperShelf(self.folder / "sounds", self.stock)
        return load(
            self.folder,
            shelf,
            2026,
            environment=environment or {},
            language=self.language,
        )

    def refused(self) -> list[str]:
        """Every fault as it is printed, without the folder."""
        with pytest.raises(ConfigurationRefused) as refusal:
            self.load()
        return [str(fault).removeprefix(f"{self.folder}/") for fault in refusal.value.faults]

    def refuses(self, *messages: str) -> None:
        """The faults stand exactly at the marks, and each message holds the words, in the order of the places."""
        with pytest.raises(ConfigurationRefused) as refusal:
            self.load()
        faults = refusal.value.faults
        printed = "\n".join(map(str, faults))
        assert [(fault.file, fault.line, fault.column) for fault in faults] == sorted(self.marks), printed
        assert len(faults) == len(messages), printed
        for fault, words in zip(faults, messages, strict=True):
            assert words in fault.message, printed


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stock")
    for language in ("fr", "en"):
        for name in (*PROMPTS, *POSITIONS, BEYOND, *(name for _, name in WAITS), LONGER):
            tone(folder / language / f"{name}.wav", 0.05)
    for name in ("calme-1", "calme-2", "vive-1"):
        tone(folder / "music" / f"{name}.wav", 0.1, 810)
    return folder


@pytest.fixture
def desk(tmp_path: Path, stock: Path) -> Desk:
    made = Desk(tmp_path / "bureau", stock)
    made.write("bureau.yaml", BUREAU)
    made.write("clients/accueil.yaml", ACCUEIL)
    made.write("clients/cab-lilas.yaml", CLIENT)
    return made
