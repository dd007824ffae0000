"""In which language a command speaks, and how it counts.

Each module of commands has a small table of its own: a key, the sentence in French, the same in English. Words
of the YAML and of the journal (pause reasons, ids, versions) stay as they are. Must not know what a sentence
is about. Invariant: every key has both languages, with the same places to fill in (a test holds the tables to it).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Sentences = Mapping[str, tuple[str, str]]

COUNTED: Sentences = {
    # one|several; nothing is one in French and several in English
    "call": ("appel|appels", "call|calls"),
    "client": ("client|clients", "client|clients"),
    "secretary": ("secrétaire|secrétaires", "secretary|secretaries"),
    "override": ("consigne|consignes", "override|overrides"),
    "difference": ("différence|différences", "difference|differences"),
    "fact": ("fait|faits", "fact|facts"),
    "fault": ("faute|fautes", "fault|faults"),
    "person": ("personne|personnes", "person|people"),
    "time": ("fois|fois", "time|times"),
}


def counted(number: int, what: str, language: str) -> str:
    """`1 appel`, `2 calls`."""
    english = language == "en"
    one, several = COUNTED[what][english].split("|")
    return f"{number} {one if number == 1 or (number == 0 and not english) else several}"


@dataclass(frozen=True, slots=True)
class Speech:
    """The sentences of one module of commands in one language."""

    sentences: Sentences
    language: str

    def __call__(self, key: str, **values: object) -> str:
        """The sentence of this key, filled in."""
        return self.sentences[key][self.language == "en"].format(**values)

    def count(self, number: int, what: str) -> str:
        """A number of something."""
        return counted(number, what, self.language)
