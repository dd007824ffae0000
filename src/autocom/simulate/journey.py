"""What the steps of a rule mean for a simulated caller: a while of listening, a queue, or the end.

The queue that steps lead to is `core.stages.in_queue`'s, as in production; everything else takes its
seconds or ends the call. Three things are assumed, since no file says them: in a menu he presses the
first key that leads to a queue, a forwarded call is taken outside, and a voicemail is used.
Must not change anything: `day` owns the caller.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from autocom.calls.house import House
from autocom.core.model import (
    Client,
    Enqueue,
    Forward,
    Hangup,
    HangupKind,
    Menu,
    OnCall,
    Play,
    Ringback,
    Step,
    Voicemail,
)
from autocom.core.routing import Choice, steps_of
from autocom.core.stages import Waiting
from autocom.core.story import Story, in_queue

_TO_PRESS = 2.0  # seconds from the end of a menu's prompt to the digit

Steps = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class End:
    """His call ends with this outcome."""

    outcome: str


@dataclass(frozen=True, slots=True)
class Pass:
    """He listens for so many seconds; then the rest."""

    seconds: float
    rest: Steps


@dataclass(frozen=True, slots=True)
class Wait:
    """He waits. `hears`: seconds of messages from now; `must_hear`: those after which he may be joined."""

    stage: Waiting
    hears: float
    must_hear: float


def way_out(choice: Choice, client: Client) -> Steps:
    """The steps of the rule that was chosen."""
    return steps_of(choice, client)


def next_move(house: House, story: Story, steps: Steps, now: float) -> End | Pass | Wait:
    """What the first of the steps does with him."""
    if not steps:
        return End(story.way_out or story.call.by_rule)
    waiting = in_queue(steps, now, story.waiting_since)
    if waiting is not None:
        return _queue(house, story, waiting, now)
    step, rest = steps[0], steps[1:]
    match step:
        case Hangup(kind):
            by_rule = story.call.by_rule if kind is HangupKind.NORMAL else story.call.by_refusal
            return End(story.way_out or by_rule)
        case Play():
            return Pass(step.audio.seconds * max(1, step.repeat), rest)
        case Ringback(seconds):
            return Pass(seconds, rest)
        case Menu():
            return Pass(step.prompt.seconds + _TO_PRESS, (*_pressed(step), *rest))
        case Forward() | OnCall() | Voicemail():
            return End("voicemail" if isinstance(step, Voicemail) else "forwarded")
        case _:
            return Pass(0.0, rest)


def _queue(house: House, story: Story, waiting: Waiting, now: float) -> End | Pass | Wait:
    if house.full(story.call):
        # whatever he is told, the call counts as one too many
        return End("full")
    waiting = replace(waiting, team=house.team(story.call.client, now))
    ends = [0.0]
    for play in waiting.notices:
        ends.append(ends[-1] + play.audio.seconds)
    must = [end for end, play in zip(ends[1:], waiting.notices, strict=True) if play.must_hear]
    return Wait(waiting, ends[-1], max(must, default=0.0))


def _pressed(menu: Menu) -> Steps:
    return next((steps for steps in menu.keys.values() if _has_queue(steps)), menu.otherwise)


def _has_queue(steps: Iterable[Step]) -> bool:
    return any(
        isinstance(step, Enqueue) or (isinstance(step, Menu) and _has_queue(_pressed(step))) for step in steps
    )
