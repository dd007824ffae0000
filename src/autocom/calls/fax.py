"""The caller is a fax machine: out of whatever he is in, and never to a secretary.

Only an answered call is listened to, and not for long: a calling fax repeats its tone (CNG, ITU-T T.30)
every 3.5 seconds from the moment it is connected. A conversation is left alone. What a client's fax
machine would have done is the client's `fax.do`, else the end. Invariant: from the moment it is
written down, nobody is rung for this call, also after a crash. The steps go on in `following.py`.
"""

from __future__ import annotations

from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.reaching import let_outside_go, outside_over
from autocom.calls.review import offers_made
from autocom.core.floor_words import CallerLeft, GiveUp, LeaseFailed, Take
from autocom.core.model import Hangup
from autocom.core.stages import Following, Reaching, Recording, Stage, Waiting
from autocom.core.telephony import Cause


async def fax_came(house: House, line: Line) -> Stage:
    """End what his stage had under way, and do what the client wants done with faxes."""
    stage = line.story.stage
    following = Following(line.story.call.client.on_fax or (Hangup(),))
    heard = [line.entry("fax_heard")]
    attempts = line.story.attempts
    if isinstance(stage, Waiting):
        heard.append(line.entry("dequeued", why="fax"))
        attempts = offers_made(house, line)
    elif isinstance(stage, Reaching):
        heard += outside_over(line, stage, "service")
    line.become(following, *heard, fax=True, way_out="rejected", attempts=attempts)
    # another has it, so to speak: her phone shows no missed call of a machine
    line.ports.submit(CallerLeft(line.id, Cause.ANSWERED_ELSEWHERE))
    line.forget(Take, LeaseFailed, GiveUp)
    if isinstance(stage, Reaching):
        await let_outside_go(line, stage)
    elif isinstance(stage, Recording) and stage.recording is not None:
        recording, telephone = stage.recording, line.ports.telephone
        await line.ports.surely(lambda: telephone.stop_recording(recording))
        await line.ports.surely(lambda: telephone.erase_recording(recording))
    await line.quiet_message()
    return following
