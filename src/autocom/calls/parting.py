"""The end of a conversation for one of its sides: she hangs up, her phone vanishes, he is gone.

What it means depends on who else is there: with somebody whom she consulted, her hanging up leaves the two
together; a caller whom she had put on hold by a code comes back to her; a phone that vanished is no goodbye, so
the caller goes to the head of the queue. Must not decide who is asked next: the floor does.
"""

from __future__ import annotations

from dataclasses import replace

from autocom.calls.arranging import Conversation
from autocom.calls.consulting import let_go, parted
from autocom.calls.line import Line
from autocom.calls.taping import end_tape
from autocom.calls.transferring import (
    BACK_WITHIN,
    again,
    at_head,
    leave,
    place_again,
    queued,
    release,
    released,
    stay_together,
)
from autocom.core.conversation import is_conference
from autocom.core.journal import Entry
from autocom.core.model import Audio, Mode, Play
from autocom.core.naming import bridge_id, leg_of
from autocom.core.stages import Leaving, Stage, Talking, Waiting

AT_ONCE = 0.15
"""Seconds: a leg that ends sooner than this after the join was a hand on its way down, or a phone that could
not talk after all. Nobody has said a word, so the caller is not done with."""


async def hung_up(talk: Conversation) -> Stage:
    """She put down."""
    line, stage = talk.line, talk.stage
    await talk.hush()
    if stage.third is not None:
        return await stay_together(talk.house, line, stage, stage.third, "hangup")
    if stage.waiting is None:
        return await _over(line, stage, "secretary")
    if stage.held is not None and stage.held.by != "phone":
        return _recalled(talk)
    talked = line.now() - (stage.joined_at or line.now())
    if talked < AT_ONCE:
        gone = talk.entry("dropped", leg=stage.leg, ms=round(talked * 1000))
        return await _to_the_head(talk, stage.waiting, gone, dropped=True)
    return await _over(line, stage, "secretary")


def _recalled(talk: Conversation) -> Stage:
    """She has forgotten whom she put on hold: he is back at her phone."""
    line, stage = talk.line, talk.stage
    place = again(place_again(talk.house, line, stage), line.now())
    returned = talk.entry("returned", why="on_hold")
    return leave(line, stage, place, returned, queued(line, place), until=line.now() + BACK_WITHIN)


async def vanished(talk: Conversation, cause: int) -> Stage:
    """Her phone is there no more. In a conference the two others go on; else whom she consulted is let go."""
    line, stage = talk.line, talk.stage
    gone = talk.entry("vanished", leg=stage.leg, cause=cause)
    if stage.third is not None and is_conference(stage):
        return await stay_together(talk.house, line, stage, stage.third, "vanished", gone)
    if stage.waiting is None:
        return await _over(line, stage, "vanished", gone)
    return await _to_the_head(talk, stage.waiting, gone)


async def _to_the_head(talk: Conversation, place: Waiting, gone: Entry, *, dropped: bool = False) -> Waiting:
    """She is gone, the caller is not: he hears that somebody will be with him, and is the next."""
    line, stage = talk.line, talk.stage
    comfort: Audio = talk.house.stock.comfort or talk.house.stock.please_wait
    notices = (Play(comfort, Mode.ANSWERED),)
    first = replace(at_head(place), notices=notices, dropped_by=stage.secretary if dropped else None)
    waiting = again(first, line.now())
    line.become(
        waiting,
        *let_go(talk, "gone", by="vanished"),
        gone,
        line.entry("talk_ended", secretary=stage.secretary, by="secretary" if dropped else "vanished"),
        queued(line, waiting),
    )
    # his joining, at the head, tells the floor what became of her
    await end_tape(line)
    if stage.third is not None:
        await line.end_leg(stage.third.leg)
    await line.part(bridge_id(line.id, stage.attempt))
    return waiting


async def part(line: Line, stage: Talking) -> None:
    """The caller is gone: the conversation is over, or never began."""
    if stage.joined_at is not None:
        await _over(line, stage, "pbx" if line.story.lost else "caller")
        return
    if leg_of(stage.leg) is None:  # else the floor offered it, and ends it
        await line.end_leg(stage.leg)
    await line.part(bridge_id(line.id, stage.attempt))


async def _over(line: Line, stage: Talking, by: str, *why: Entry) -> Stage:
    """Nobody goes on in this conversation. Saved as the stage that follows, so that its end is written once."""
    following = Leaving("served")
    line.become(
        following,
        *why,
        *parted(line.entry, stage, "gone", by=by),
        line.entry("talk_ended", secretary=stage.secretary, by=by),
        released=released(line, stage, following),
    )
    await end_tape(line)
    await release(line, leaving=True)
    return following
