"""The last words before a caller and a secretary are joined: the queue's `on_answer`, to him alone.

She has picked up; meanwhile she hears whose caller it is, then that he still hears a message. Said once: a
stage that is run again joins the two at once. Must not join them (`talking` does) nor decide anything: if
her leg ends he stops hearing it and waits on, at his place; if he hangs up the floor lets her off.
"""

from __future__ import annotations

from dataclasses import replace

from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.notes import Note
from autocom.core.model import ON_ANSWER_AT_MOST, Audio, Mode
from autocom.core.stages import Talking, Waiting
from autocom.core.telephony import ChannelGone, PlaybackEnded

MARGIN = 0.5
"""Seconds beyond its length after which his message counts as heard: some playbacks never report their end."""


async def greet(house: House, line: Line, stage: Talking, place: Waiting) -> Talking:
    """Tell him, while she is kept company. Answers the call: she is there, and some operators let nothing
    through before."""
    audio = place.queue.on_answer
    if audio is None or stage.greeted or line.lost(stage.leg):
        return stage
    name = None if stage.whispered else house.whisper(stage.secretary, line.story.call.client)
    stage = replace(stage, greeted=True, whispered=True)
    told = [] if name is None else [
        line.entry("whispered", secretary=stage.secretary, leg=stage.leg, sound=name.name)
    ]  # fmt: skip
    line.become(stage, *told)
    hers = _Hers(house, line, stage.leg)
    await hers.begin(name)
    await line.quiet_message()
    await line.quiet_ringback()
    await line.answer("secretary")
    await line.play(audio, Mode.ANSWERED)
    if place.music:
        # the message took its place (Asterisk 22); should her leg end it is begun anew
        stage = replace(stage, waiting=replace(place, music=False))
        line.become(stage)
    await _to_its_end(line, stage.leg, audio, hers)
    await line.quiet_message()
    await hers.end()
    return stage


async def _to_its_end(line: Line, leg: str, audio: Audio, hers: _Hers) -> None:
    """Until he heard it, or her leg is gone. What else is read is for who reads on."""
    until = line.now() + min(audio.seconds or ON_ANSWER_AT_MOST, ON_ANSWER_AT_MOST) + MARGIN
    later: list[Note] = []
    try:
        while True:
            note = await line.next(until if hers.until is None else min(until, hers.until))
            match note:
                case PlaybackEnded():
                    return
                case None if until <= line.now():
                    return
                case None:
                    await hers.go_on()
                case _:
                    later.append(note)
            if isinstance(note, ChannelGone) and note.channel == leg:
                return
    finally:
        line.put_back(later)


class _Hers:
    """What she hears meanwhile: the client's name where she wants it, then that he hears a message. `until`:
    when the name ends. A leg that is gone hears nothing; `talking` finds out."""

    def __init__(self, house: House, line: Line, leg: str) -> None:
        self._house, self._line, self._leg = house, line, leg
        self._playback: str | None = None
        self.until: float | None = None

    async def begin(self, name: Audio | None) -> None:
        if name is None:
            await self.go_on()
            return
        self._playback = await self._line.tell_secretary(self._leg, name)
        self.until = self._line.now() + name.seconds

    async def go_on(self) -> None:
        """The name is said: from here on the stock sentence."""
        await self.end()
        self.until = None
        in_progress = self._house.stock.in_progress
        if in_progress is not None:
            self._playback = await self._line.tell_secretary(self._leg, in_progress)

    async def end(self) -> None:
        """What plays on a leg holds up its bridge."""
        playback, self._playback = self._playback, None
        if playback is not None:
            await self._line.ports.telephone.stop_playback(playback)
