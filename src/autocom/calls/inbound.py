"""The story of an incoming call: follow its rule, wait, talk, leave. One function per stage.

Each function runs from its first line whenever its stage is entered, also after a crash or a
gap in the telephone's events; whatever must not happen twice is a field of the stage. It
returns the next stage, or raises `HungUp`. `switchboard` holds the loop around `advance`; the
stages are in `following`, `waiting`, `talking`, `reaching` and `voicemail`.
"""

from __future__ import annotations

from typing import assert_never

from autocom.calls.deciding import decide
from autocom.calls.fax import fax_came
from autocom.calls.following import follow
from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.notes import FaxCame
from autocom.calls.promise import keep_promise, part_promise
from autocom.calls.reaching import part_outside, patched, reach
from autocom.calls.talking import part, talk
from autocom.calls.voicemail import keep_recording, take_message
from autocom.calls.waiting import wait
from autocom.core.model import HangupKind
from autocom.core.stages import (
    Deciding,
    Following,
    Leaving,
    Patched,
    Promised,
    Reaching,
    Recording,
    Stage,
    Talking,
    Waiting,
)
from autocom.core.telephony import Cause

CAUSES = {
    HangupKind.NORMAL: Cause.NORMAL,
    HangupKind.BUSY: Cause.BUSY,
    HangupKind.REJECT: Cause.REJECTED,
    HangupKind.CONGESTION: Cause.CONGESTION,
}


async def advance(house: House, line: Line) -> Stage:
    """Run the stage the story is at; the next one."""
    try:
        return await _run(house, line)
    except FaxCame:
        return await fax_came(house, line)


async def _run(house: House, line: Line) -> Stage:
    following: Stage
    match line.story.stage:
        case Deciding() as stage:
            following = await decide(line, stage)
        case Following() as stage:
            following = await follow(house, line, stage)
        case Waiting() as stage:
            following = await wait(house, line, stage)
        case Talking() as stage:
            following = await talk(house, line, stage)
        case Reaching() as stage:
            following = await reach(house, line, stage)
        case Patched() as stage:
            following = await patched(house, line, stage)
        case Recording() as stage:
            following = await take_message(house, line, stage)
        case Promised() as stage:
            following = await keep_promise(house, line, stage)
        case Leaving() as stage:
            following = await leave(line, stage)
        case _ as unreachable:
            assert_never(unreachable)
    return following


async def depart(house: House, line: Line) -> None:
    """The caller is gone: end what his stage had under way with others."""
    match line.story.stage:
        case Talking() as stage:
            await part(line, stage, "caller")
        case Reaching() | Patched() as stage:
            await part_outside(line, stage, "caller")
        case Recording() as stage:
            await keep_recording(house, line, stage)
        case Promised() as stage:
            await part_promise(line, stage)
        case Deciding() | Following() | Waiting() | Leaving():
            pass
        case _ as unreachable:
            assert_never(unreachable)


async def leave(line: Line, stage: Leaving) -> Stage:
    """Hang up; the fact that he is gone ends the story."""
    await line.ports.telephone.hang_up(line.channel, CAUSES[stage.kind])
    while True:
        await line.next()
