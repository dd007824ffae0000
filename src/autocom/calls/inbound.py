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
from autocom.calls.inviting import part_invited, ring_in
from autocom.calls.line import Line
from autocom.calls.notes import FaxCame, HungUp, Moved, TakenBy
from autocom.calls.parking import keep_parked, part_parked
from autocom.calls.parting import part
from autocom.calls.picking import NOTHING_RINGS, SLOT_EMPTY
from autocom.calls.promise import keep_promise, part_promise
from autocom.calls.reaching import part_outside, patched, reach
from autocom.calls.refusing import refuse
from autocom.calls.rooms import leave_room, meet
from autocom.calls.summoning import summon
from autocom.calls.supervising import part_supervision, supervise
from autocom.calls.talking import talk
from autocom.calls.transferring import release
from autocom.calls.voicemail import keep_recording, take_message
from autocom.calls.waiting import wait
from autocom.core.model import HangupKind
from autocom.core.stages import (
    Deciding,
    Following,
    InRoom,
    Invited,
    Leaving,
    Parked,
    Patched,
    Promised,
    Reaching,
    Recording,
    Refused,
    Stage,
    Summoning,
    Supervising,
    Talking,
    Waiting,
)
from autocom.core.telephony import Cause

WithSomebody = Talking | Reaching | Patched | Parked | InRoom | Invited | Supervising | Summoning

ENDED_WITHIN = 5.0
"""Seconds after a hang-up that was taken, in which the end of the channel is told."""
CAUSES = {
    HangupKind.NORMAL: Cause.NORMAL,
    HangupKind.BUSY: Cause.BUSY,
    HangupKind.REJECT: Cause.REJECTED,
    HangupKind.CONGESTION: Cause.CONGESTION,
    HangupKind.NO_ANSWER: Cause.NO_ANSWER,
    HangupKind.UNKNOWN: Cause.UNALLOCATED,
}


async def advance(house: House, line: Line) -> Stage:
    """Run the stage the story is at; the next one."""
    if not isinstance(line.story.stage, Parked | Reaching):
        turn_away(house, line)
    try:
        await release(line)
        return await _run(house, line)
    except Moved:
        return line.story.stage
    except FaxCame:
        return await fax_came(house, line)


async def _run(house: House, line: Line) -> Stage:
    match line.story.stage:
        case Deciding() as stage:
            return await decide(line, stage)
        case Following() as stage:
            return await follow(house, line, stage)
        case Waiting() as stage:
            return await wait(house, line, stage)
        case Recording() as stage:
            return await take_message(house, line, stage)
        case Promised() as stage:
            return await keep_promise(house, line, stage)
        case Refused() as stage:
            return await refuse(house, line, stage)
        case Leaving() as stage:
            return await leave(line, stage)
        case stage:
            return await _with_somebody(house, line, stage)


async def _with_somebody(house: House, line: Line, stage: WithSomebody) -> Stage:
    """The stages in which others have a part."""
    match stage:
        case Talking():
            return await talk(house, line, stage)
        case Reaching():
            return await reach(house, line, stage)
        case Patched():
            return await patched(house, line, stage)
        case Parked():
            return await keep_parked(house, line, stage)
        case InRoom():
            return await meet(house, line, stage)
        case Invited():
            return await ring_in(house, line, stage)
        case Supervising():
            return await supervise(house, line, stage)
        case Summoning():
            return await summon(house, line, stage)
        case _ as unreachable:
            assert_never(unreachable)


async def depart(house: House, line: Line) -> None:
    """The caller is gone: end what his stage had under way with others."""
    turn_away(house, line)
    await release(line, leaving=True)
    match line.story.stage:
        case Talking() as stage:
            await part(line, stage)
        case Reaching() | Patched() as stage:
            await part_outside(line, stage, "caller")
        case Recording() as stage:
            await keep_recording(house, line, stage)
        case Promised() as stage:
            await part_promise(line, stage)
        case InRoom() as stage:
            await leave_room(house, line, stage)
        case Invited() as stage:
            await part_invited(line, stage)
        case Parked() as stage:
            await part_parked(line, stage)
        case Supervising() as stage:
            await part_supervision(house, line, stage)
        case Deciding() | Following() | Waiting() | Summoning() | Refused() | Leaving():
            pass
        case _ as unreachable:
            assert_never(unreachable)
    for channel in line.story.foreign:  # after a restart nobody else would end what this call has taken over
        if channel != line.channel:
            await line.end_leg(channel)


def turn_away(house: House, line: Line) -> None:
    """Secretaries who dialled for him too late hear so."""
    for late in line.taken_out(TakenBy):
        house.turn_away(late, SLOT_EMPTY if late.of is None else NOTHING_RINGS)


async def leave(line: Line, stage: Leaving) -> Stage:
    """Hang up; the fact that he is gone ends the story."""
    await line.ports.telephone.hang_up(line.channel, CAUSES[stage.kind])
    while await line.next(line.now() + ENDED_WITHIN if line.seeing else None) is not None or not line.seeing:
        pass
    raise HungUp  # he was gone before his story began (a restart): nothing will tell its end
