"""Leaving a message: the prompt, the tone, the recording, and what becomes of it.

What was said is kept however the recording ends: silence, `#`, the longest time, a hang-up, or a
restart of ours in the middle of it. The recording's name is saved before it begins, so a second run
of this stage finds it, running or over. Whom to tell is decided in `calls.messages`, in the same
transaction as the end of this stage. Must not know how a mail is sent.
"""

from __future__ import annotations

from dataclasses import replace

import structlog

from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.messages import voice_left
from autocom.calls.notes import FaxCame, HungUp
from autocom.calls.ports import Gone, TelephoneDown
from autocom.core.journal import Entry
from autocom.core.letters import wav_seconds
from autocom.core.model import Audio, Hangup, Mode, Play, Step
from autocom.core.naming import recording_id
from autocom.core.stages import Following, Leaving, Recording, Stage
from autocom.core.telephony import DigitPressed, PlaybackEnded, RecordingEnded, TelephoneBack

log = structlog.get_logger()

SHORTEST = 1.0
"""Seconds of sound below which nobody left a message."""

SILENCE = 8.0
"""Seconds without speech that end a recording."""

END = "#"
_LATE = 5.0  # so long after the longest time the end of a recording is looked for, not waited for
_GRACE = 1.0  # Asterisk tells the end of a recording a millisecond after the hang-up (22.10)


async def take_message(house: House, line: Line, stage: Recording) -> Stage:
    """Prompt, tone, recording; then the stock thanks and the steps behind it."""
    if stage.recording is None:
        stage = await _begin(house, line, stage)
    assert stage.recording is not None
    await _record(line, stage)
    until = (line.now() if stage.since is None else stage.since) + stage.voicemail.max_seconds + _LATE
    while True:
        match await line.next(until):
            case RecordingEnded(recording) if recording == stage.recording:
                break
            case TelephoneBack():
                await _record(line, stage)  # it may have ended unheard: asked by name, nothing begins anew
            case None:
                log.warning("recording without an end", call=line.id)
                await line.ports.telephone.stop_recording(stage.recording)
                break
            case _:
                pass
    seconds = await _length(line, stage.recording)
    if seconds >= SHORTEST:
        return _left(house, line, stage, seconds)
    # a rule that only takes messages turned nobody away who had none
    way_out = line.story.way_out or ("closed" if line.story.call.by_rule == "closed" else "abandoned")
    nothing = Following(stage.rest) if stage.rest else Leaving(way_out)
    line.become(nothing, _ended(line, stage.recording, seconds), way_out=way_out)
    await _erase(line, stage.recording)
    return nothing


async def keep_recording(house: House, line: Line, stage: Recording) -> None:
    """The caller is gone, which is how most messages end: keep what he said."""
    if stage.recording is None:
        return
    try:
        await _end_of(line, stage.recording)
        seconds: float | None = await _length(line, stage.recording)
    except TelephoneDown as down:
        # whoever fetches it will see whether there is anything
        log.warning("recording not measured", call=line.id, why=str(down))
        seconds = None
    if seconds is None or seconds >= SHORTEST:
        _left(house, line, stage, seconds)
    else:
        # the stage stays: what the outcome is of a caller who says nothing is not this one's to decide
        line.ports.journal.save([_ended(line, stage.recording, seconds)])
        await _erase(line, stage.recording)


async def _begin(house: House, line: Line, stage: Recording) -> Recording:
    await line.answer("voicemail")
    prompt = stage.voicemail.prompt or house.stock.voicemail
    if prompt is None:
        await line.quiet_music()
    else:
        await _say(line, prompt, skipped_by=END)
    if house.stock.beep is not None:
        # Asterisk's own beep is a file of a sound package that is not always there; without it a recording
        # that should begin with one ends at once, "done" and empty (22.10)
        await _say(line, house.stock.beep)
    number = line.story.recordings + 1
    name = recording_id(line.id, number)
    stage = replace(stage, recording=name, since=line.now())
    line.become(stage, line.entry("voicemail_started", recording=name), recordings=number)
    return stage


async def _say(line: Line, audio: Audio, skipped_by: str | None = None) -> None:
    await line.play(audio, Mode.ANSWERED)
    while True:
        match await line.next():
            case PlaybackEnded():
                return
            case DigitPressed(_, digit) if digit == skipped_by:
                await line.quiet_message()
                return
            case _:
                pass


async def _record(line: Line, stage: Recording) -> None:
    assert stage.recording is not None
    try:
        await line.ports.telephone.record(
            line.channel,
            stage.recording,
            longest=stage.voicemail.max_seconds,
            silence=SILENCE,
            until=END,
        )
    except Gone as gone:
        raise HungUp from gone


async def _end_of(line: Line, recording: str) -> None:
    """Wait a moment for its end to be told; then see to it that it is over."""
    until = line.now() + _GRACE
    while True:
        try:
            note = await line.next(until)
        except (HungUp, FaxCame):  # he is gone: neither changes anything
            continue
        if isinstance(note, RecordingEnded) and note.recording == recording:
            return
        if note is None:
            await line.ports.telephone.stop_recording(recording)
            return


async def _length(line: Line, recording: str) -> float:
    """By the file: Asterisk tells whole seconds, and one second of nothing but silence (22.10)."""
    try:
        return wav_seconds(await line.ports.telephone.recorded(recording))
    except Gone:
        return 0.0


def _left(house: House, line: Line, stage: Recording, seconds: float | None) -> Following:
    """Save what was left and who is to be told. From here on the file is the courier's."""
    assert stage.recording is not None
    entries, rows = voice_left(house, line, stage.voicemail, stage.recording, seconds)
    saved = house.stock.voicemail_saved
    thanks: tuple[Step, ...] = () if saved is None else (Play(saved, Mode.ANSWERED),)
    after = Following((*thanks, *(stage.rest or (Hangup(),))))
    line.become_with(rows, after, _ended(line, stage.recording, seconds), *entries, way_out="voicemail")
    return after


def _ended(line: Line, recording: str, seconds: float | None) -> Entry:
    measured = None if seconds is None else round(seconds, 1)
    return line.entry(
        "voicemail_ended",
        recording=recording,
        seconds=measured,
        ok=seconds is None or seconds >= SHORTEST,
    )


async def _erase(line: Line, recording: str) -> None:
    await line.ports.surely(lambda: line.ports.telephone.erase_recording(recording))
