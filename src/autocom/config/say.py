"""Text to speech: which program speaks, and asking it.

In this order: the command of `AUTOCOM_SAY`, the system's espeak-ng, the espeak-ng of a wheel
(`espeak`). No shell ever sees a text. Must not know caches or telephone formats. Invariant:
every utterance asked for comes back, with an error or with its file written. The story goes on
in `audio`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from autocom.config.faults import reason
from autocom.config.wording import told
from autocom.core.environment import needed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_TIMEOUT: Final = 60.0  # seconds for one text; a speech program that hangs must not hang a reload
_NOTHING: Final = told("no text to speech here: install espeak-ng, or set AUTOCOM_SAY")


@dataclass(frozen=True, slots=True)
class Utterance:
    """A text to be spoken in a language (`fr`, `en`) into the sound file `out`."""

    text: str
    language: str
    out: Path


class SayCommand:
    """The program that speaks. `template` as `AUTOCOM_SAY`: words with {text}, {out} and {language}; empty
    for espeak-ng. ValueError where the template lacks {text} or {out} or its quotes are broken."""

    def __init__(self, template: str | None = None) -> None:
        """Decide who speaks; nothing runs yet."""
        self._words: tuple[str, ...] = ()
        if template:
            self._words = tuple(shlex.split(template))
            for needed in ("{text}", "{out}"):
                if not any(needed in word for word in self._words):
                    raise ValueError(told("the command needs {needed}", needed=needed))
        self._espeak = None if self._words else shutil.which("espeak-ng")

    @property
    def fingerprint(self) -> str:
        """Changes when another program speaks, so that cached speech is not mistaken for its."""
        return json.dumps(self._words) if self._words else "espeak-ng 155"

    def speak(self, wanted: Sequence[Utterance]) -> list[str | None]:
        """Speak them all; for each an error in words, or None."""
        if not self._words and not self._espeak:
            return _by_library(wanted)
        return [self._one(utterance) for utterance in wanted]

    def _one(self, utterance: Utterance) -> str | None:
        text: str | None = None
        if self._words:
            # one pass, so that a text that says {out} stays a text
            filled = {"{text}": utterance.text, "{out}": str(utterance.out), "{language}": utterance.language}
            command = [_fill(word, filled) for word in self._words]
        else:
            # by standard input: a text beginning with a dash is no option
            command = [str(self._espeak), "-v", utterance.language, "-s", "155", "-b", "1", "--stdin"]
            command += ["-w", str(utterance.out)]
            text = utterance.text
        try:
            done = subprocess.run(
                command,
                input=text,
                capture_output=True,
                text=True,
                timeout=_TIMEOUT,
                check=False,
                env=needed(os.environ),
            )
        except subprocess.TimeoutExpired:
            return told("{program} did not finish in {seconds:.0f} s", program=command[0], seconds=_TIMEOUT)
        except OSError as error:
            return told("{program} cannot be run: {why}", program=command[0], why=reason(error))
        if done.returncode != 0:
            return told(
                "{program} failed ({code}): {why}",
                program=command[0],
                code=done.returncode,
                why=_last_line(done.stderr),
            )
        return None if utterance.out.is_file() else told("{program} wrote no sound file", program=command[0])


def _fill(word: str, values: dict[str, str]) -> str:
    pieces: list[str] = []
    rest = word
    while rest:
        hits = [(rest.find(key), key) for key in values if key in rest]
        if not hits:
            pieces.append(rest)
            break
        at, key = min(hits)
        pieces += [rest[:at], values[key]]
        rest = rest[at + len(key) :]
    return "".join(pieces)


def _by_library(wanted: Sequence[Utterance]) -> list[str | None]:
    if importlib.util.find_spec("espeakng_loader") is None:
        return [_NOTHING] * len(wanted)
    lines = [json.dumps({"text": u.text, "language": u.language, "out": str(u.out)}) for u in wanted]
    try:
        # one process for all texts: starting Python takes longer than speaking
        done = subprocess.run(
            [sys.executable, "-m", "autocom.config.espeak"],
            input="\n".join(lines),
            capture_output=True,
            text=True,
            timeout=_TIMEOUT + 2 * len(wanted),
            check=False,
            env=needed(os.environ),
        )
    except subprocess.TimeoutExpired:
        return [told("espeak-ng did not finish in time")] * len(wanted)
    answers: list[str | None] = [json.loads(line)["error"] for line in done.stdout.splitlines()]
    why = _last_line(done.stderr)
    missing = told("{program} failed ({code}): {why}", program="espeak-ng", code=done.returncode, why=why)
    return answers + [missing] * (len(wanted) - len(answers))


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1][:200] if lines else told("it said nothing")
