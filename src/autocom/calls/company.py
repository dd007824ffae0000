"""What a waiting caller hears: the messages before the queue, then music, with announcements between.

Says the next thing whenever nothing sounds; `waiting` decides when to ask. Music does not come back
by itself after a message (Asterisk 22), so it is begun anew after each. What must not be said twice is
in the stage, saved before it is said: a restart repeats the sentence that was cut, no other. Must not
know who rings: it is told whether there may be `news`; once a secretary is taken nothing new is said.
"""

from __future__ import annotations

from dataclasses import replace

from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.core.estimate import telling
from autocom.core.model import Audio, Mode, Phrases
from autocom.core.stages import Waiting

BREATH = 5.0
"""Seconds of music at least between two announcements, however long they are."""


def announcement_due(stage: Waiting) -> float | None:
    """When he is to be told something next; None while a message or an announcement goes on."""
    return None if stage.notice is not None or stage.announcing else stage.announce_at


def held_back(line: Line, stage: Waiting) -> bool:
    """Whether the next message is not yet for him: it is told only to who waits long enough."""
    return stage.notice_at is not None and stage.notice_at > line.now()


async def keep_company(house: House, line: Line, stage: Waiting, *, news: bool) -> Waiting:
    """See to it that he hears something: the next message, an announcement that is due (where there may be
    `news`), else music."""
    if line.sounding is not None:
        return stage
    notice = stage.notice
    if notice is not None and (held_back(line, stage) or (notice.if_waiting is not None and not news)):
        if not line.rings:  # also where a restart, or a request without an answer, came between
            line.ports.journal.save([line.entry("ringback_started")])
            await line.ringback()
        return stage
    if notice is not None:
        await line.play(notice.audio, notice.mode, must_hear=notice.must_hear)
        return stage
    if stage.queue.keys:
        await line.answer("keys")  # digits do not come through an unanswered call
    due = announcement_due(stage)
    if news and due is not None and due <= line.now():
        stage = _announce(house, line, stage)
    if stage.announcing:
        await line.play(stage.announcing[0], Mode.EARLY)
        return stage
    if not stage.music:
        return await _music(house, line, stage)
    if line.story.answered_at is None and not (line.rings if stage.queue.ringing else line.plays):
        # the process before this one began it, and Asterisk (22.10) stops it at an answer that nobody waits for: who
        # answers must know what to begin anew. Begun twice, it goes on from where it is
        await (line.ringback() if stage.queue.ringing else line.music(stage.queue.music or house.stock.music))
    return stage


async def say(line: Line, stage: Waiting, sentence: Audio) -> Waiting:
    """Something to him alone, now; what was being said gives way to it, and does not come again."""
    stage = replace(stage, heard=len(stage.notices), announcing=(sentence,), music=False)
    line.become(stage)
    await line.quiet_message()
    return stage


async def _music(house: House, line: Line, stage: Waiting) -> Waiting:
    if stage.queue.ringing:
        await line.ringback()
        stage = replace(stage, music=True)
        line.become(stage, line.entry("ringback_started"))
        return stage
    music = stage.queue.music or house.stock.music
    await line.music(music)
    stage = replace(stage, music=True)
    line.become(stage, line.entry("music_started", music=music.name))
    return stage


def _announce(house: House, line: Line, stage: Waiting) -> Waiting:
    """Decide what he is told now, and when next: saved before the first word."""
    asked = stage.queue.announce
    if asked is None:
        return stage
    now = line.now()
    phrases = house.stock.phrases.get(line.story.call.client.language, Phrases())
    seen = house.outlook(line.id, now)
    told = telling(asked, seen, phrases, stage.told_position, stage.told_wait)
    lasts = sum(audio.seconds for audio in told.sounds)
    stage = replace(stage, announce_at=now + max(asked.every, lasts + BREATH))
    if not told.sounds:
        line.become(stage)
        return stage
    entries = []
    if seen is not None and (told.position is not None or told.wait is not None):
        lower, upper = told.wait or (None, None)
        entries.append(
            line.entry(
                "announced",
                position=told.position,
                wait_from=lower,
                wait_to=upper,
                estimate_ms=None if seen.wait is None else round(seen.wait * 1000),
                ahead=seen.position - 1,
                staff=seen.staff,
            )
        )
    stage = replace(
        stage,
        announcing=told.sounds,
        music=False,
        told_position=told.position if told.position is not None else stage.told_position,
        told_wait=told.wait[1] if told.wait is not None else stage.told_wait,
    )
    line.become(stage, *entries)
    return stage
