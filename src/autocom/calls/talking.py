"""Talking with a secretary, up to the instant at which the two are joined: whisper to her, put them together.

The bridge is a lease: until it stands, a leg that fails puts the caller back to where he waited. What they do
then is `conversing`, how they part is `parting`. Must not decide who is next: the floor does.
"""

from __future__ import annotations

from dataclasses import replace

from autocom.calls.conversing import converse
from autocom.calls.greeting import greet
from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.notes import Note
from autocom.calls.ports import Gone
from autocom.calls.taping import keep_tape
from autocom.calls.transferring import returned
from autocom.core.floor_words import Joined, LegEnded, Take, TookOver
from autocom.core.naming import bridge_id, leg_of
from autocom.core.stages import Leaving, Stage, Talking, Waiting
from autocom.core.telephony import Cause, ChannelGone, PlaybackEnded

WHISPER_MARGIN = 0.05
"""Seconds that a whisper may take beyond its length: from the command until it is heard."""
LONGEST_WHISPER = 1.5
"""Seconds after which a whisper is cut: the caller waits for her all this time."""


async def talk(house: House, line: Line, stage: Talking) -> Stage:
    """Join the two; until the secretary hangs up. (The caller's hang-up is `HungUp`.)"""
    line.forget(Take)  # told twice where a restart came between
    joined_now = stage.joined_at is None
    if joined_now:
        joined = await _join(house, line, stage)
        if not isinstance(joined, Talking):
            return joined
        stage = joined
    # also on a second run: killed between the line above and this one, the floor has not heard
    line.ports.submit(Joined(line.id, stage.secretary))
    if stage.waiting is not None and leg_of(stage.leg) is None:  # not by an offer of the floor's
        client = line.story.call.client.id
        line.ports.submit(TookOver(stage.secretary, line.id, stage.leg, stage.attempt, client))
    if joined_now:
        await keep_tape(house, line, stage)
    return await converse(house, line, stage, joined_now=joined_now)


async def _join(house: House, line: Line, stage: Talking) -> Talking | Waiting | Leaving:
    """Put the two together; where one of them is gone, what comes instead."""
    if stage.waiting is not None:
        stage = await greet(house, line, stage, stage.waiting)
        stage = await _whisper(house, line, stage)
    if line.lost(stage.leg):
        return await _lease_failed(line, stage)
    await line.quiet_message()
    await line.quiet_ringback()
    if stage.party is not None or (stage.waiting is not None and stage.waiting.music):
        await line.quiet_music()  # also that of the hold, or of the ringing, that he comes from
    await line.answer("secretary")
    try:
        await _connect(house, line, stage)
    except Gone:
        # one of the two is gone. If it is the caller, `next` says so while he "waits" again
        return await _lease_failed(line, stage)
    stage = replace(stage, joined_at=line.now())
    line.become(
        stage,
        line.entry("bridged", secretary=stage.secretary, leg=stage.leg),
        attempts=max(line.story.attempts, house.offers(line.id), stage.attempt),
        known=stage.secretary,
        served=True,
    )
    return stage


async def _connect(house: House, line: Line, stage: Talking) -> None:
    telephone = line.ports.telephone
    if line.story.foreign_leg(stage.leg):
        await telephone.answer(stage.leg)  # she dialled: nobody has answered her yet
    if stage.party is not None:
        await telephone.stop_music(stage.leg)  # a colleague who was consulted may have been put aside
        if line.story.colleague is not None:  # of two colleagues either phone may hold the other
            await telephone.hold_music(stage.leg, house.hold_music(line.story).moh_class)
    # what he hears when her phone holds him: later something may play on his channel, and hold this up
    await telephone.hold_music(line.channel, house.hold_music(line.story).moh_class)
    await telephone.connect(bridge_id(line.id, stage.attempt), [line.channel, stage.leg])
    if line.lost(stage.leg):
        raise Gone(stage.leg)


async def _lease_failed(line: Line, stage: Talking) -> Waiting | Leaving:
    """Her leg ended before the two were joined: he waits on, at his place. One whom she dialled has none."""
    if stage.waiting is not None:
        # Asterisk says that one of the two is gone, not which. Asked of him first: `HungUp`, and no phone rings
        await line.quiet_music()
    await line.end_leg(stage.leg)
    line.ports.submit(LegEnded(stage.leg, Cause.NORMAL))
    await line.part(bridge_id(line.id, stage.attempt))
    if stage.waiting is None:
        return Leaving("failed")
    place = replace(stage.waiting, music=False)  # stopped perhaps: it is begun anew
    # with `party` he was left with a colleague, who was gone in the same instant
    return place if stage.party is None else returned(line, place, "gone")


async def _whisper(house: House, line: Line, stage: Talking) -> Talking:
    """Tell her whose caller it is, while he still hears his music or message."""
    name = house.whisper(stage.secretary, line.story.call.client)
    if name is None or stage.whispered:
        return stage
    stage = replace(stage, whispered=True)
    line.become(stage, line.entry("whispered", secretary=stage.secretary, leg=stage.leg, sound=name.name))
    stage = await _company(house, line, stage)
    playback = await line.tell_secretary(stage.leg, name)
    if playback is None:
        return stage  # her leg is gone: the bridge will say so
    until = line.now() + min(name.seconds + WHISPER_MARGIN, LONGEST_WHISPER)
    later: list[Note] = []
    while (note := await line.next(until)) is not None:
        if isinstance(note, PlaybackEnded):
            stage = await _company(house, line, stage)
            continue
        later.append(note)  # of the floor, or of her leg: for who reads on
        if isinstance(note, ChannelGone) and note.channel == stage.leg:
            break
    line.put_back(later)
    await line.ports.telephone.stop_playback(playback)
    return stage


async def _company(house: House, line: Line, stage: Talking) -> Talking:
    """His message may be over before she has been told: he hears music for that second."""
    waiting = stage.waiting
    if waiting is None or line.sounding is not None or line.story.ringing or waiting.music:
        return stage
    stage = replace(stage, waiting=replace(waiting, music=True))
    line.become(stage)
    await line.music(waiting.queue.music or house.stock.music)
    return stage
