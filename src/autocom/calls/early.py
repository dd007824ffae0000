"""A secretary who dialled hears the other side before it answers: ringing abroad, announcements, busy tones.

The operator says so by sound of his own (183): then her channel and his are joined at once, in the bridge that they
will talk in; Asterisk opens early media to her phone. She is answered, and it counts as a conversation, only once
he answers. Must not decide what becomes of the call: `reaching` does.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from autocom.calls.line import Line
from autocom.calls.ports import Gone
from autocom.core.naming import bridge_id
from autocom.core.stages import Reaching


async def listen(line: Line, stage: Reaching) -> Reaching:
    """He can be heard: saved, then she hears him instead of our ringing. Only a number outside has something to
    say; a colleague's phone rings."""
    contact = stage.contact
    if stage.early or not line.story.dialling or contact is None or contact.post is not None:
        return stage
    stage = replace(stage, early=True)
    line.become(stage)
    await join(line, stage)
    return stage


async def join(line: Line, stage: Reaching) -> None:
    """Put the two together, also again after a restart. Where his leg is gone its end is told soon."""
    if stage.leg is None:
        return
    await line.quiet_ringback()
    with suppress(Gone):
        await line.ports.telephone.connect_early(bridge_id(line.id, 0), line.channel, stage.leg)


async def part_early(line: Line, stage: Reaching) -> None:
    """His turn is over, or she is gone."""
    if stage.early:
        await line.part(bridge_id(line.id, 0))
