"""The story of an incoming call: follow its rule, wait, talk, leave. One function per stage.

Each function runs from its first line whenever its stage is entered, also after a crash or a
gap in the telephone's events; whatever must not happen twice is a field of the stage. It
returns the next stage, or raises `HungUp`. `switchboard.run` is the loop around them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

import structlog

from autocom.calls.line import Line
from autocom.calls.ports import Gone, TelephoneDown
from autocom.core.floor_words import CallerJoined, GiveUp, Joined, LeaseFailed, LegEnded, Take, TalkEnded
from autocom.core.journal import Entry
from autocom.core.model import (
    Answer,
    Audio,
    Enqueue,
    Forward,
    Hangup,
    HangupKind,
    Jump,
    Menu,
    Mode,
    OnCall,
    Play,
    Ringback,
    SendMessage,
    Step,
    StockSounds,
    Voicemail,
)
from autocom.core.naming import bridge_id
from autocom.core.stages import Following, Leaving, Stage, Talking, Waiting, in_queue, waiter
from autocom.core.telephony import Cause, ChannelGone, DigitPressed, PlaybackEnded

log = structlog.get_logger()

CAUSES = {
    HangupKind.NORMAL: Cause.NORMAL,
    HangupKind.BUSY: Cause.BUSY,
    HangupKind.REJECT: Cause.REJECTED,
    HangupKind.CONGESTION: Cause.CONGESTION,
}


class Inbound:
    """The stages of an incoming call. `full` answers whether a client has more calls than he bought."""

    def __init__(self, stock: StockSounds, *, full: bool) -> None:
        self.stock = stock
        self.full = full

    async def advance(self, line: Line) -> Stage:
        """Run the stage the story is at; the next one."""
        match line.story.stage:
            case Following() as stage:
                return await self.follow(line, stage)
            case Waiting() as stage:
                return await self.wait(line, stage)
            case Talking() as stage:
                return await self.talk(line, stage)
            case Leaving() as stage:
                return await self.leave(line, stage)
            case _ as unreachable:
                assert_never(unreachable)

    # --- following the rule ---

    async def follow(self, line: Line, stage: Following) -> Stage:
        """The first of the steps, then the rest."""
        if not stage.steps:
            return Leaving(line.story.way_out or line.story.call.by_rule)
        waiting = in_queue(stage.steps, line.now(), line.story.waiting_since)
        if waiting is not None:
            return self._enter_queue(line, waiting)
        step, rest = stage.steps[0], stage.steps[1:]
        match step:
            case Play():
                await self._message(line, step.audio, step.mode, step.repeat)
            case Ringback(seconds):
                await line.ringback()
                await line.pass_time(line.now() + seconds)
                await line.quiet_ringback()
            case Answer():
                await line.answer("rule")
            case Hangup(kind):
                call = line.story.call
                by_rule = call.by_rule if kind is HangupKind.NORMAL else call.by_refusal
                return Leaving(line.story.way_out or by_rule, kind)
            case Enqueue() | Jump():
                # `in_queue` took the first, the configuration resolved the second: neither stands here
                line.ports.journal.save([_step(line, step, "not possible here")])
            case Menu():
                return await self._menu(line, step, rest)
            case Forward() | OnCall() | Voicemail() | SendMessage():
                return self._cannot(line, step)
            case _ as unreachable:
                assert_never(unreachable)
        return Following(rest)

    async def _menu(self, line: Line, menu: Menu, rest: tuple[Step, ...]) -> Stage:
        """One digit, also while the prompt plays; its steps, then what stands behind the menu. A digit
        that is none of the keys, or none in time, is `otherwise`."""
        await line.play(menu.prompt, Mode.ANSWERED)
        until: float | None = None
        digit: str | None = None
        while digit is None:
            note = await line.next(until)
            if note is None:
                break
            match note:
                case DigitPressed(_, pressed):
                    digit = pressed
                case PlaybackEnded():
                    until = line.now() + menu.wait
                case _:
                    pass
        await line.quiet_message()
        chosen = menu.keys.get(digit) if digit is not None else None
        line.ports.journal.save([_step(line, menu, "no digit" if digit is None else f"digit {digit}")])
        return Following((*(menu.otherwise if chosen is None else chosen), *rest))

    def _cannot(self, line: Line, step: Step) -> Stage:
        """A step this version does not carry out: the caller hears the house's message, never silence."""
        line.ports.journal.save([_step(line, step, "not carried out by this version")])
        goodbye: tuple[Step, ...] = (Play(self.stock.nobody, Mode.ANSWERED), Hangup())
        return Following(goodbye)

    def _enter_queue(self, line: Line, waiting: Waiting) -> Stage:
        if self.full:
            line.become(None, line.entry("dequeued", why="full"), way_out="full")
            on_full = waiting.queue.on_full or line.story.call.client.on_full
            return Following(on_full or (Hangup(HangupKind.BUSY),))
        client = line.story.call.client
        limit = waiting.queue.max_wait
        line.become(
            waiting,
            line.entry("queued", team=waiting.queue.team, priority=client.priority, max_wait=limit),
            waiting_since=waiting.joined,
        )
        return waiting

    async def _message(self, line: Line, audio: Audio, mode: Mode, times: int) -> None:
        for _ in range(max(1, times)):
            await line.play(audio, mode)
            while not isinstance(await line.next(), PlaybackEnded):
                pass

    # --- waiting ---

    async def wait(self, line: Line, stage: Waiting) -> Stage:
        """Keep him company until a secretary takes the call or his way out is reached."""
        if not line.awaits(GiveUp):  # else the floor sent him away before this story began (a restart)
            line.ports.submit(CallerJoined(waiter(line.story, stage)))
        taken: Take | None = None
        hers: str | None = None
        out: GiveUp | None = None
        while True:
            if taken is not None and not stage.must_hear:
                await line.quiet_message()
                if hers is not None:
                    await line.ports.telephone.stop_playback(hers)
                lease = replace(stage, heard=len(stage.notices))
                return Talking(taken.secretary, taken.leg, taken.attempt, lease)
            if out is not None and stage.notice is None:
                return self._way_out(line, stage, out)
            stage = await self._company(line, stage)
            match await line.next():
                case PlaybackEnded():
                    stage = replace(stage, heard=stage.heard + 1)
                    line.become(stage)
                case Take() as take:
                    taken = take
                    if stage.must_hear and self.stock.in_progress is not None:
                        # else she would say "hello" into silence, and hang up
                        hers = await line.tell_secretary(take.leg, self.stock.in_progress)
                case LeaseFailed():
                    taken = None
                case GiveUp() as give_up:
                    out = give_up
                case _:
                    pass

    async def _company(self, line: Line, stage: Waiting) -> Waiting:
        """See to it that he hears something: the next message, else music."""
        if line.sounding is not None or stage.music:
            return stage
        notice = stage.notice
        if notice is not None:
            await line.play(notice.audio, notice.mode, must_hear=notice.must_hear)
            return stage
        music = stage.queue.music or self.stock.music
        await line.music(music)
        stage = replace(stage, music=True)
        line.become(stage, line.entry("music_started", music=music.name))
        return stage

    def _way_out(self, line: Line, stage: Waiting, out: GiveUp) -> Stage:
        steps = stage.queue.on_nobody if out.why == "nobody" else stage.queue.on_timeout
        line.forget(Take, LeaseFailed, GiveUp)  # of this queue; the next one has its own
        line.become(way_out=out.why, attempts=out.attempts)
        return Following(steps or (Play(self.stock.nobody, Mode.ANSWERED), Hangup()))

    # --- talking ---

    async def talk(self, line: Line, stage: Talking) -> Stage:
        """Join the two; until the secretary hangs up. (The caller's hang-up is `HungUp`.)"""
        bridge = bridge_id(line.id, stage.attempt)
        line.forget(Take)  # told twice where a restart came between
        if stage.joined_at is None:
            if stage.waiting.music:
                await line.quiet_music()
            await line.answer("secretary")
            try:
                await line.ports.telephone.connect(bridge, [line.channel, stage.leg])
            except Gone:
                # one of the two is gone. If it is the caller, `next` says so while he "waits" again
                await line.ports.telephone.hang_up(stage.leg)
                line.ports.submit(LegEnded(stage.leg, Cause.NORMAL))
                await line.ports.telephone.disconnect(bridge)
                return replace(stage.waiting, music=False)
            stage = replace(stage, joined_at=line.now())
            line.become(stage, line.entry("bridged", secretary=stage.secretary, leg=stage.leg))
        # also on a second run: killed between the line above and this one, the floor has not heard
        line.ports.submit(Joined(line.id))
        while True:
            note = await line.next()
            if isinstance(note, ChannelGone) and note.channel == stage.leg:
                await self.part(line, stage, "secretary")
                return Leaving("served")

    async def part(self, line: Line, stage: Talking, by: str) -> None:
        """The conversation is over: write it down, free the secretary, take the bridge down."""
        line.ports.journal.save([line.entry("talk_ended", secretary=stage.secretary, by=by)])
        line.ports.submit(TalkEnded(line.id, stage.secretary))
        try:
            if by != "secretary":  # hers is gone
                await line.ports.telephone.hang_up(stage.leg)
            await line.ports.telephone.disconnect(bridge_id(line.id, stage.attempt))
        except TelephoneDown as down:
            # the conversation is over all the same; the next comparison with Asterisk sweeps what is left
            log.warning("parting uncertain", call=line.id, why=str(down))

    # --- leaving ---

    async def leave(self, line: Line, stage: Leaving) -> Stage:
        """Hang up; the fact that he is gone ends the story."""
        await line.ports.telephone.hang_up(line.channel, CAUSES[stage.kind])
        while True:
            await line.next()


def _step(line: Line, step: Step, result: str) -> Entry:
    return line.entry("step", step=type(step).__name__.lower(), result=result)
