"""Recorded conversations for whoever may hear them: which are kept, and the sound of one.

Builds the vault and its keeper from the settings. Every sound that is handed out is written to the journal first, with
who asked. Must not know who may ask: the API's token says so. The stories that record are in `calls.taping`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

from autocom.calls.ports import Clock, Log, Telephone
from autocom.core.journal import Entry, Json
from autocom.core.references import asked_for, reference
from autocom.core.tapes import ALL, Tape, tapes
from autocom.settings import Settings
from autocom.tapes.keeper import TapeKeeper
from autocom.tapes.keys import KeyFault, made_keys, read_keys
from autocom.tapes.vault import Vault
from autocom.timeline import iso


def key_file(state: Path) -> Path:
    """Where the keys are that no setting names."""
    return state / "recording.key"


def vault(settings: Settings) -> Vault:
    """Where the recordings of a state folder are."""
    where = settings.recording_key, key_file(settings.state)
    return Vault(settings.state / "recordings", partial(read_keys, *where), partial(made_keys, *where))


def keeper(
    settings: Settings,
    journal: Log,
    clock: Clock,
    telephone: Telephone,
    open_calls: Callable[[], Collection[str]],
) -> TapeKeeper:
    """The keeper of one exchange."""
    return TapeKeeper(journal, clock, telephone, vault(settings), open_calls)


class Recorded:
    """Over the running exchange's local log."""

    def __init__(self, journal: Log, clock: Clock, shelf: Vault) -> None:
        self._log, self._clock, self._vault = journal, clock, shelf

    def kept(self, client: str | None) -> list[Json]:
        """Every recording there is (of this client, None: of all), newest first; also those that run."""
        found = reversed(tapes(self._log.rows(ALL))[0])
        return [_row(tape) for tape in found if client in (None, tape.client)]

    async def sound(self, wanted: str, by: str) -> tuple[str, bytes]:
        """The name and the WAV of a recording, by its id or its reference, once it is written down that it was
        asked for. LookupError: there is none, or it cannot be opened."""
        here = tapes(self._log.rows(ALL))[0]
        tape = asked_for(wanted, here, lambda one: one.recording, "recording", "autocom recordings")
        if not tape.kept:
            raise LookupError(f"{tape.recording} is still being recorded, or on its way here")
        try:
            wav = await asyncio.to_thread(self._vault.open, tape.recording)
        except FileNotFoundError:
            raise LookupError(f"the sound of {tape.recording} is not here") from None
        except (KeyFault, OSError) as fault:
            raise LookupError(f"{tape.recording} cannot be opened: {fault}") from None
        # of no call: its own record may be forgotten by now, and must not come back
        fields: dict[str, Json] = {
            "recording": tape.recording,
            "client": tape.client,
            "of": tape.call,
            "by": by[:64],
        }
        self._log.save([Entry(self._clock.now(), "recording_played", None, fields)])
        return tape.recording, wav


def _row(tape: Tape) -> dict[str, Json]:
    return {
        "id": tape.recording,
        "reference": reference(tape.recording),
        "call": tape.call,
        "client": tape.client,
        "secretary": tape.secretary,
        "at": iso(tape.at),
        "seconds": tape.seconds,
        "state": "kept" if tape.kept else "recording" if tape.ended is None else "on its way",
        "erase_at": None if tape.erase_at is None else iso(tape.erase_at),
        "key": tape.key or None,
    }
