"""Which messages somebody listened to: that is what lets a message lamp go out.

What is said of a message is kept in its row, beside its sound's, and written to the journal with who said it;
both in one save. Saying it twice changes nothing. A message whose time is over is gone, and so is its lamp.
Asked by `web.messages`; the lamps follow in `calls.lamps`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from autocom.calls.ports import Clock
from autocom.core.journal import Entry, Json
from autocom.core.letters import VOICE, Voice, row_of, voices
from autocom.core.references import asked_for, reference
from autocom.mail.outbox import Outbox
from autocom.timeline import iso


class Listened:
    """Over the running exchange's local log."""

    def __init__(self, log: Outbox, clock: Clock) -> None:
        self._log, self._clock = log, clock

    def left(self) -> list[Json]:
        """Every message that is kept, newest first."""
        return [_row(voice) for voice in reversed(voices(self._log.rows(VOICE))[0])]

    def mark(self, wanted: str, by: str, *, heard: bool) -> Mapping[str, Json]:
        """Say of a message (its id, or its reference) that it was listened to, or that it counts as new again.
        LookupError: there is none, or several have that reference."""
        kept = voices(self._log.rows(VOICE))[0]
        voice = asked_for(wanted, kept, lambda one: one.recording, "message", "autocom voicemail")
        if (voice.heard is not None) == heard:
            return _row(voice)
        now = self._clock.now()
        voice = replace(voice, heard=now if heard else None)
        # of no call: its own record may be forgotten by now, and must not come back
        fields: dict[str, Json] = {
            "recording": voice.recording,
            "client": voice.client,
            "heard": heard,
            "by": by,
        }
        self._log.save([Entry(now, "voicemail_heard", None, fields)], floor=row_of(voice))
        return _row(voice)


def _row(voice: Voice) -> dict[str, Json]:
    return {
        "id": voice.recording,
        "reference": reference(voice.recording),
        "client": voice.client,
        "at": iso(voice.at),
        "heard_at": None if voice.heard is None else iso(voice.heard),
    }
