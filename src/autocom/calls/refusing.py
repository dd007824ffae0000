"""A secretary dialled what cannot be: she hears why, and her phone is hung up.

Why it cannot be was decided where she dialled (`calls.dialled`); this stage says it. Nothing is dialled.
"""

from __future__ import annotations

from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.core.model import HangupKind, Mode
from autocom.core.stages import Leaving, Refused, Stage
from autocom.core.story import outcome_of_hang_up
from autocom.core.telephony import PlaybackEnded


async def refuse(house: House, line: Line, stage: Refused) -> Stage:
    """Say it to its end, then hang up. A phone that is busy says so itself: nothing is said then."""
    sentences = house.stock.refusals
    spoken = sentences.get(stage.why) or sentences.get("other")
    if stage.kind is HangupKind.BUSY:
        spoken = None
    if spoken is not None:
        await line.play(spoken, Mode.ANSWERED)
        until = line.now() + spoken.seconds + 1.0
        while (note := await line.next(until)) is not None:
            if isinstance(note, PlaybackEnded):
                break
    return Leaving(outcome_of_hang_up(line.story), stage.kind)
