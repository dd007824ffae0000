"""The bureau's configuration and its sounds: as the folder has them, and as the running exchange does.

What is wrong inside a file is `autocom check`'s to say in detail; here stands whether there is anything. Must not
know Asterisk.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import miniaudio

from autocom.config.alaw import NotAudio, decoded
from autocom.config.audio import PaperShelf
from autocom.config.sounds import STOCK_MUSIC, SUFFIXES, AudioRefused, stock_folder
from autocom.core.model import Enqueue
from autocom.core.reach import all_steps
from autocom.doctor.findings import Check, Finding, bad, ok, say, warn
from autocom.doctor.patient import Patient

SHORTEST_MUSIC = 20.0
"""Seconds: a shorter one begins anew more than twice while an ordinary caller waits."""
_RAW = {".alaw": 8000.0, ".ulaw": 8000.0, ".g722": 8000.0, ".gsm": 1650.0}
LOOKS_FOR = 2.5
"""Seconds, of the four that a check has: decoding the recordings of a large bureau takes longer."""


async def configuration(patient: Patient) -> Finding:
    """Whether the folder would be taken."""
    made = patient.configuration
    if made is None:
        return bad(
            say(
                "{n} fautes ; {first}", "{n} faults; {first}", n=len(patient.faults), first=patient.faults[0]
            ),
            say("`autocom check` les dit toutes", "`autocom check` tells them all"),
        )
    return ok(
        say(
            "version {version}, {clients} clients, {secretaries} secrétaires",
            "version {version}, {clients} clients, {secretaries} secretaries",
            version=made.version,
            clients=len(made.clients),
            secretaries=len(made.secretaries),
        )
    )


async def in_force(patient: Patient) -> Finding | None:
    """Whether the running exchange uses what the folder holds."""
    status, made = patient.status, patient.configuration
    if status is None:
        return None
    if status.get("configuration_refused"):
        first = status["configuration_refused"]["first"]
        return warn(
            say(
                "le dernier rechargement a été refusé : {first}",
                "the last reload was refused: {first}",
                first=first,
            ),
            say("corrigez le dossier, puis `autocom reload`", "correct the folder, then `autocom reload`"),
        )
    if made is not None and status.get("config_version") != made.version:
        return warn(
            say(
                "en vigueur {used}, dans le dossier {there}",
                "in force {used}, in the folder {there}",
                used=status.get("config_version"),
                there=made.version,
            ),
            say(
                "`autocom reload` ; `autocom diff` dit ce qui change",
                "`autocom reload`; `autocom diff` says what changes",
            ),
        )
    return ok(say("la version du dossier est en vigueur", "the folder's version is in force"))


async def sounds(patient: Patient) -> Finding | None:
    """Whether every recording of the admins' can be decoded."""
    folder = patient.settings.config / "sounds"
    heard, files, broken = await asyncio.to_thread(_listen, folder, time.monotonic() + LOOKS_FOR)
    if not files:
        return None
    if not broken:
        return ok(
            say(
                "{n} enregistrements lisibles, sur {all}",
                "{n} recordings can be read, of {all}",
                n=heard,
                all=files,
            )
        )
    return bad(
        say(
            "illisibles : {names}",
            "cannot be read: {names}",
            names=", ".join(str(f.relative_to(folder)) for f in broken[:5]),
        ),
        say("enregistrez-les de nouveau en WAV", "record them anew as WAV"),
    )


async def music(patient: Patient) -> Finding | None:
    """Whether every music that callers wait with is there and long enough."""
    made = patient.configuration
    if made is None:
        return None
    shelf = PaperShelf(patient.settings.config / "sounds", stock_folder())
    language = made.bureau.language
    steps = (step for client in made.clients.values() for step in all_steps(client))
    names = {step.music.name for step in steps if isinstance(step, Enqueue) and step.music is not None}
    short: list[str] = []
    for name in sorted(names | {STOCK_MUSIC}):
        try:
            files = shelf.finder.music(name, language)
        except AudioRefused:
            return bad(
                say("la musique {name} manque", "the music {name} is missing", name=name),
                say("remettez-la sous `sounds/`", "put it back under `sounds/`"),
            )
        seconds = sum(await asyncio.gather(*(asyncio.to_thread(_seconds, file) for file in files)))
        if seconds < SHORTEST_MUSIC:
            short.append(f"{name} ({seconds:.0f} s)")
    if short:
        return warn(
            say("trop courte : {names}", "too short: {names}", names=", ".join(short)),
            say(
                "prenez une musique d'au moins {least:.0f} s : l'appelant l'entend en boucle",
                "take a music of at least {least:.0f} s: callers hear it over and over",
                least=SHORTEST_MUSIC,
            ),
        )
    return ok(say("{n} musiques", "{n} musics", n=len(names | {STOCK_MUSIC})))


def _listen(folder: Path, until: float) -> tuple[int, int, list[Path]]:
    """How many recordings were decoded before that monotonic instant, how many there are, and which are broken."""
    files = sorted(f for f in folder.rglob("*") if f.suffix in SUFFIXES and f.is_file())
    heard, broken = 0, []
    for file in files:
        if time.monotonic() > until:
            break
        heard += 1
        if not _plays(file):
            broken.append(file)
    return heard, len(files), broken


def _plays(file: Path) -> bool:
    try:
        if file.suffix in _RAW:
            return file.stat().st_size > 0
        return bool(decoded(file.read_bytes()))
    except (NotAudio, OSError):
        return False


def _seconds(file: Path) -> float:
    try:
        if file.suffix in _RAW:
            return file.stat().st_size / _RAW[file.suffix]
        return float(miniaudio.get_file_info(str(file)).duration)
    except (miniaudio.MiniaudioError, OSError):
        return 0.0


BUREAU: tuple[tuple[str, Check], ...] = (
    ("configuration", configuration),
    ("configuration in force", in_force),
    ("sounds", sounds),
    ("music", music),
)
