"""Following a rule: one step, then the rest. Messages, ringing, menus; queues and reaching people
outside are stages of their own that a step leads to.

A step that was interrupted is done again from its beginning. Must not decide which rule holds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.messages import send
from autocom.calls.reaching import reaching
from autocom.core.journal import Entry
from autocom.core.model import (
    Answer,
    Audio,
    Callback,
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
    Voicemail,
)
from autocom.core.stages import Following, Leaving, Recording, Stage, Waiting
from autocom.core.story import in_queue
from autocom.core.telephony import DigitPressed, PlaybackEnded


async def follow(house: House, line: Line, stage: Following) -> Stage:
    """The first of the steps, then the rest."""
    if not stage.steps:
        return Leaving(line.story.way_out or line.story.call.by_rule)
    waiting = in_queue(stage.steps, line.now(), line.story.waiting_since)
    if waiting is not None:
        return _enter_queue(house, line, waiting)
    step, rest = stage.steps[0], stage.steps[1:]
    match step:
        case Play():
            await _message(line, step.audio, step.mode, step.repeat)
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
        case Enqueue() | Jump() | Callback():
            # `in_queue` took the first, the configuration resolved the second, the third belongs to the
            # keys of a queue: none stands here
            line.ports.journal.save([_step(line, step, "not possible here")])
        case Menu():
            return await _menu(line, step, rest)
        case Forward() | OnCall():
            return reaching(house, line, step, rest)
        case Voicemail():
            return Recording(step, rest)
        case SendMessage():
            return send(house, line, step, rest)
        case _ as unreachable:
            assert_never(unreachable)
    return Following(rest)


async def _menu(line: Line, menu: Menu, rest: tuple[Step, ...]) -> Stage:
    """One digit, also while the prompt plays; its steps, then what stands behind the menu. A digit
    that is none of the keys, or none in time: asked again, and after the last time `otherwise`."""
    chosen = None
    for _ in range(max(1, menu.tries)):
        digit = await _digit(line, menu)
        chosen = menu.keys.get(digit) if digit is not None else None
        line.ports.journal.save([_step(line, menu, "no digit" if digit is None else f"digit {digit}")])
        if chosen is not None:
            break
    return Following((*(menu.otherwise if chosen is None else chosen), *rest))


async def _digit(line: Line, menu: Menu) -> str | None:
    """What he presses, None where he presses nothing in time."""
    await line.play(menu.prompt, Mode.ANSWERED)
    until: float | None = None
    digit: str | None = None
    while digit is None:
        note = await line.next(until)
        if note is None:
            break
        match note:
            case DigitPressed(channel, pressed) if channel == line.channel:
                digit = pressed
            case PlaybackEnded():
                until = line.now() + menu.wait
            case _:
                pass
    await line.quiet_message()
    return digit


def _enter_queue(house: House, line: Line, waiting: Waiting) -> Stage:
    if house.full(line.story.call):
        line.become(None, line.entry("dequeued", why="full"), way_out="full")
        on_full = waiting.queue.on_full or line.story.call.client.on_full
        return Following(on_full or (Hangup(HangupKind.BUSY),))
    client = line.story.call.client
    limit = waiting.queue.max_wait
    # whom we promised to call back, and who calls himself, has the place he had
    joined = min((waiting.joined, *house.promises(line.story.call).values()))
    ahead = line.story.ahead and not line.story.served
    waiting = replace(waiting, joined=joined, team=house.team(client, line.now()), head=ahead)
    line.become(
        waiting,
        line.entry(
            "queued",
            team=waiting.reaches,
            priority=client.priority,
            max_wait=limit,
            instead_of=waiting.queue.team if waiting.team else None,
        ),
        waiting_since=waiting.joined,
    )
    return waiting


async def _message(line: Line, audio: Audio, mode: Mode, times: int) -> None:
    for _ in range(max(1, times)):
        await line.play(audio, mode)
        while not isinstance(await line.next(), PlaybackEnded):
            pass


def _step(line: Line, step: Step, result: str) -> Entry:
    return line.entry("step", step=type(step).__name__.lower(), result=result)
