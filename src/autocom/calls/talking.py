"""Talking with a secretary: whisper to her, join the two, and part them.

The bridge is a lease: until it stands, a leg that fails puts the caller back to where he waited. A phone
that vanishes in the conversation (its voice stopped, its answers to SIP ran out) is no goodbye: the caller
goes back to the queue, before everybody else. Must not decide who is next: the floor does.
"""

from __future__ import annotations

from dataclasses import replace

from autocom.calls.greeting import greet
from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.notes import Note
from autocom.calls.ports import Gone
from autocom.core.floor_words import Joined, LegEnded, Take, TalkEnded
from autocom.core.journal import Entry
from autocom.core.model import Audio, Mode, Play
from autocom.core.naming import bridge_id
from autocom.core.stages import Leaving, Stage, Talking, Waiting
from autocom.core.telephony import VANISHED, Cause, ChannelGone, PlaybackEnded

WHISPER_MARGIN = 0.05
"""Seconds that a whisper may take beyond its length: from the command until it is heard."""
AT_ONCE = 0.15
"""Seconds: a leg that ends sooner than this after the join was a hand on its way down, or a phone that could
not talk after all. Nobody has said a word, so the caller is not done with."""
LONGEST_WHISPER = 1.5
"""Seconds after which a whisper is cut: the caller waits for her all this time."""


async def talk(house: House, line: Line, stage: Talking) -> Stage:
    """Join the two; until the secretary hangs up. (The caller's hang-up is `HungUp`.)"""
    bridge = bridge_id(line.id, stage.attempt)
    line.forget(Take)  # told twice where a restart came between
    if stage.joined_at is None:
        stage = await greet(house, line, stage)
        stage = await _whisper(house, line, stage)
        if line.lost(stage.leg):
            return await _lease_failed(line, stage)
        await line.quiet_message()
        await line.quiet_ringback()
        if stage.waiting.music:
            await line.quiet_music()
        await line.answer("secretary")
        try:
            await line.ports.telephone.connect(bridge, [line.channel, stage.leg])
            if line.lost(stage.leg):
                raise Gone(stage.leg)
        except Gone:
            # one of the two is gone. If it is the caller, `next` says so while he "waits" again
            return await _lease_failed(line, stage)
        stage = replace(stage, joined_at=line.now())
        line.become(
            stage,
            line.entry("bridged", secretary=stage.secretary, leg=stage.leg),
            attempts=max(line.story.attempts, house.offers(line.id), stage.attempt),
            known=stage.secretary,
        )
    # also on a second run: killed between the line above and this one, the floor has not heard
    line.ports.submit(Joined(line.id, stage.secretary))
    while True:
        note = await line.next()
        if isinstance(note, ChannelGone) and note.channel == stage.leg:
            talked = line.now() - (stage.joined_at or line.now())
            if note.cause in VANISHED:
                gone = line.entry("vanished", secretary=stage.secretary, leg=stage.leg, cause=note.cause)
                return await _back_to_the_head(house, line, stage, gone)
            if talked < AT_ONCE:
                gone = line.entry(
                    "dropped", secretary=stage.secretary, leg=stage.leg, ms=round(talked * 1000)
                )
                return await _back_to_the_head(house, line, stage, gone, dropped=True)
            await part(line, stage, "secretary")
            return Leaving("served")


async def _lease_failed(line: Line, stage: Talking) -> Waiting:
    """Her leg ended before the two were joined: he waits on, at his place."""
    await line.end_leg(stage.leg)
    line.ports.submit(LegEnded(stage.leg, Cause.NORMAL))
    await line.part(bridge_id(line.id, stage.attempt))
    return replace(stage.waiting, music=False)  # stopped perhaps: it is begun anew


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
    if line.sounding is not None or line.story.ringing or stage.waiting.music:
        return stage
    stage = replace(stage, waiting=replace(stage.waiting, music=True))
    line.become(stage)
    await line.music(stage.waiting.queue.music or house.stock.music)
    return stage


async def _back_to_the_head(
    house: House, line: Line, stage: Talking, gone: Entry, *, dropped: bool = False
) -> Waiting:
    """She is gone, the caller is not: he hears that somebody will be with him, and is the next."""
    now, queue = line.now(), stage.waiting.queue
    comfort: Audio = house.stock.comfort or house.stock.please_wait
    waiting = replace(
        stage.waiting,
        notices=(Play(comfort, Mode.ANSWERED),),
        heard=0,
        music=False,
        announcing=(),
        announce_at=None if queue.announce is None else now + queue.announce.first_after,
        max_wait_at=None if queue.max_wait is None else now + queue.max_wait,
        entered=now,
        head=True,
        dropped_by=stage.secretary if dropped else None,
    )
    line.become(
        waiting,
        gone,
        line.entry("talk_ended", secretary=stage.secretary, by="secretary" if dropped else "vanished"),
        line.entry(
            "queued", team=waiting.reaches, priority=line.story.call.client.priority, max_wait=queue.max_wait
        ),
    )
    # his joining, at the head, tells the floor what became of her
    await line.part(bridge_id(line.id, stage.attempt))
    return waiting


async def part(line: Line, stage: Talking, by: str) -> None:
    """The conversation is over, or never began: write it down, free the secretary, take the bridge down."""
    if stage.joined_at is not None:
        line.ports.journal.save([line.entry("talk_ended", secretary=stage.secretary, by=by)])
        line.ports.submit(TalkEnded(line.id, stage.secretary))
    if by != "secretary" and stage.joined_at is not None:  # hers is gone
        await line.end_leg(stage.leg)
    await line.part(bridge_id(line.id, stage.attempt))
