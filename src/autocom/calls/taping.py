"""The recording of a conversation: begun with a notice to both, paused, resumed, ended, handed over.

`keep_tape` makes the recording what the conversation asks for at this moment and may be called at any time;
whoever changes who is in the bridge calls it afterwards. Invariants: nobody is recorded who was not told; nothing is
recorded while the caller is aside or a third one is there; a recording that fails costs nobody a word of the
conversation. Whether it is lawful is `core.tapes`; what becomes of the file is not known here (`tapes.keeper`).
"""

from __future__ import annotations

from dataclasses import replace

import structlog

from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.ports import Gone
from autocom.core.journal import Entry
from autocom.core.model import Client
from autocom.core.naming import bridge_id, tape_id
from autocom.core.orders import Record
from autocom.core.stages import Stage, Talking
from autocom.core.story import Story, Taped
from autocom.core.tapes import Tape, may_not, row_of, said, wanted
from autocom.core.telephony import RecordingEnded

log = structlog.get_logger()

LONGEST = 3600.0
"""Seconds after which a recording goes on in a new file: nobody holds two hours of sound in memory."""
TOO_SHORT = 60.0
"""Seconds: a recording that ended by itself sooner than this failed, and is not begun again."""


async def on_record(house: House, line: Line, stage: Talking, order: Record) -> None:
    """Do what she wants of the recording. What does not fit changes nothing."""
    taped = line.story.taped
    verb = order.verb
    if verb == "toggle":
        verb = "start" if taped is None else "resume" if taped.paused else "pause"
    match verb:
        case "start" if taped is None:
            await _wish(house, line, stage)
        case "pause" if taped is not None and not taped.paused:
            await _pause(house, line, taped, paused=True)
        case "resume" if taped is not None and taped.paused:
            await _pause(house, line, taped, paused=False)
        case "stop" if taped is not None:
            await end_tape(line, taping=False)
            _tell(house, stage.secretary, "stopped")
            await _to_both(house, line, stage, "recording_off")
        case "stop":
            line.become(taping=False)  # of a client who has every call recorded: not this one
        case _:
            pass


async def keep_tape(house: House, line: Line, stage: Talking) -> None:
    """See to it that what is to be recorded is, and nothing else. Changes nothing where all is well."""
    taped = line.story.taped
    if taped is not None and taped.bridge != bridge_id(line.id, stage.attempt):
        await end_tape(line)
        taped = None
    if taped is None:
        if stage.joined_at is None or _aside(stage) or not _wanted(house, line.story):
            return
        taped = await _begin(house, line, stage)
        if taped is None:
            return
    try:
        if not taped.told:
            await _to_both(house, line, stage, "recording_on")
            _tell(house, stage.secretary, "started")
        await line.ports.telephone.record_talk(taped.bridge, taped.recording, longest=LONGEST)
        aside = _aside(stage)
        if not taped.told or aside != taped.aside:
            taped = _rests(line, replace(taped, told=True), aside=aside, paused=taped.paused)
        if taped.paused or taped.aside or taped.quiet:
            await line.ports.telephone.pause_recording(taped.recording, paused=taped.paused or taped.aside)
        if stage.held is not None and stage.held.by == "phone":
            # Asterisk (22.10) plays its own hold music in bridges of two only, and a recorder is a third
            await line.music(house.hold_music(line.story))
    except Gone:
        await _failed(house, line, stage)


async def tape_over(house: House, line: Line, stage: Talking, ended: RecordingEnded) -> None:
    """Asterisk says that a recording ended. Of its own accord: its longest time is over, or the disk is full."""
    taped = line.story.taped
    if taped is None or ended.recording != taped.recording:
        return
    if ended.ok and line.now() - taped.since > TOO_SHORT:
        await end_tape(line)
        await _begin(house, line, stage, told=True)
        await keep_tape(house, line, stage)
    else:
        await _failed(house, line, stage)


async def end_tape(line: Line, *why: Entry, **changes: object) -> None:
    """The recording is over, if one runs; its file is the keeper's from here on. With it is saved `why`, and what
    else changes."""
    taped = line.story.taped
    if taped is None:
        return
    now = line.now()
    resting = 0.0 if taped.quiet_since is None else now - taped.quiet_since
    seconds = round(max(0.0, now - taped.since - taped.quiet - resting), 1)
    tape = replace(
        _row(line, taped), ended=now, seconds=seconds, erase_at=now + _client(line).retention_recordings
    )
    entry = line.entry("recording_ended", recording=taped.recording, seconds=seconds, kept=True)
    line.become_with(row_of(tape), None, *why, entry, taped=None, **changes)
    await line.ports.surely(lambda: line.ports.telephone.stop_recording(taped.recording))


async def settle(line: Line, stage: Stage) -> None:
    """End a recording whose conversation is not this stage's: she is gone, or he is with somebody else."""
    taped = line.story.taped
    if taped is None:
        return
    if not isinstance(stage, Talking) or bridge_id(line.id, stage.attempt) != taped.bridge:
        await end_tape(line)


def next_tone(story: Story) -> float | None:
    """When the tone that says "this is recorded" is due, None where there is none."""
    taped = story.taped
    return None if taped is None or taped.paused or taped.aside else taped.beep_at


async def sound_tone(house: House, line: Line, stage: Talking) -> None:
    """Let both hear it, if it is due."""
    taped, due = line.story.taped, next_tone(line.story)
    if taped is None or due is None or due > line.now():
        return
    every = _client(line).recording_beep
    line.become(taped=replace(taped, beep_at=None if every is None else line.now() + every))
    if house.stock.beep is not None:
        await line.tell_all(bridge_id(line.id, stage.attempt), house.stock.beep.media)


async def _wish(house: House, line: Line, stage: Talking) -> None:
    why = may_not(line.story.call, _today(house, line.story))
    if why is not None:
        line.ports.journal.save([line.entry("recording_refused", secretary=stage.secretary, why=why)])
        _tell(house, stage.secretary, why)
        return
    line.become(taping=True)
    await keep_tape(house, line, stage)


async def _begin(house: House, line: Line, stage: Talking, *, told: bool = False) -> Taped | None:
    """Save that a recording begins, and its row; None where nobody could be told of it."""
    notice = house.stock.notices.get("recording_on")
    if notice is None:
        line.become(
            None,
            line.entry("recording_refused", secretary=stage.secretary, why="no_notice"),
            taping=False,
        )
        _tell(house, stage.secretary, "no_notice")
        return None
    number, now = line.story.tapes + 1, line.now()
    every = _client(line).recording_beep
    taped = Taped(
        tape_id(line.id, number),
        now,
        bridge_id(line.id, stage.attempt),
        secretary=stage.secretary,
        told=told,
        beep_at=None if every is None else now + every,
    )
    entry = line.entry(
        "recording_started",
        recording=taped.recording,
        secretary=stage.secretary,
        by="order" if line.story.taping else "always",
        notice=notice.name,
    )
    line.become_with(row_of(_row(line, taped)), None, entry, taped=taped, tapes=number)
    return taped


async def _pause(house: House, line: Line, taped: Taped, *, paused: bool) -> None:
    taped = _rests(line, taped, aside=taped.aside, paused=paused)
    try:
        await line.ports.telephone.pause_recording(taped.recording, paused=taped.paused or taped.aside)
    except Gone:
        return  # it ended: Asterisk tells so
    _tell(house, taped.secretary, "paused" if paused else "resumed")


def _rests(line: Line, taped: Taped, *, aside: bool, paused: bool) -> Taped:
    """Save whether it rests, by her wish or because somebody must not be heard; and for how long it did."""
    rested, rests, now = taped.paused or taped.aside, paused or aside, line.now()
    changed = replace(taped, paused=paused, aside=aside)
    if rests and not rested:
        changed = replace(changed, quiet_since=now)
    elif rested and not rests:
        before = now if taped.quiet_since is None else taped.quiet_since
        changed = replace(changed, quiet_since=None, quiet=taped.quiet + now - before)
    kind = "recording_paused" if rests else "recording_resumed"
    word = [] if rests == rested else [line.entry(kind, recording=taped.recording, secretary=taped.secretary)]
    line.become(None, *word, taped=changed)
    return changed


async def _failed(house: House, line: Line, stage: Talking) -> None:
    """Nothing can be written: the conversation goes on, and nothing is tried again."""
    if line.lost(stage.leg) or line.lost(line.channel):
        return  # it was the conversation that ended: whoever reads that note sees to it
    log.warning("conversation not recorded", call=line.id)
    refused = line.entry("recording_refused", secretary=stage.secretary, why="failed")
    await end_tape(line, refused, taping=False)
    _tell(house, stage.secretary, "failed")


async def _to_both(house: House, line: Line, stage: Talking, name: str) -> None:
    notice = house.stock.notices.get(name)
    if notice is not None:
        await line.tell_all(bridge_id(line.id, stage.attempt), notice.media)


def _tell(house: House, secretary: str, what: str) -> None:
    house.text(secretary, said(what, house.language))


def _aside(stage: Talking) -> bool:
    """Whether the two are not alone with each other: the caller on hold, or a third one who was not told."""
    return stage.held is not None or stage.third is not None


def _wanted(house: House, story: Story) -> bool:
    return wanted(story.call, _today(house, story), asked=story.taping)


def _today(house: House, story: Story) -> Client | None:
    return house.in_force.clients.get(story.call.client.id)


def _client(line: Line) -> Client:
    return line.story.call.client


def _row(line: Line, taped: Taped) -> Tape:
    client = _client(line)
    return Tape(
        taped.recording, line.id, client.id, taped.secretary, taped.since, client.retention_recordings
    )
