"""Where a call's story stands: one frozen value per stage, saved before the stage's first effect.

A stage carries everything needed to run it from its first line again after a crash: the steps
still to do, the place in the queue, the leg that was taken. It never carries a position inside
a coroutine; what must not be repeated (a notice already heard, music already playing, the
bridge already made) is a field. The coroutine of each stage is in `autocom.calls.inbound`.
"""

from __future__ import annotations

from dataclasses import dataclass

from autocom.core.ingress import Identity
from autocom.core.model import Client, Enqueue, HangupKind, Play, Step
from autocom.core.posts import Waiter


@dataclass(frozen=True, slots=True)
class Call:
    """Who called whom and what was decided at the door. Never changes: a call keeps the client,
    rule and configuration version it entered under, whatever is reloaded meanwhile.

    `by_rule`: the outcome where the rule itself ends the call; `by_refusal`: where it does so with
    busy, reject or congestion."""

    id: str
    channel: str
    arrived_at: float
    trunk: str | None
    identity: Identity
    client: Client
    rule: str
    by_rule: str
    by_refusal: str
    config_version: str


@dataclass(frozen=True, slots=True)
class Following:
    """Doing the steps of a rule, the first of `steps` next."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """In the queue: hearing `notices[heard:]`, then music, while phones ring.

    `joined` is his place; `rest` are the steps after the queue (none in a sound configuration)."""

    queue: Enqueue
    notices: tuple[Play, ...]
    joined: float
    max_wait_at: float | None
    heard: int = 0
    music: bool = False

    @property
    def notice(self) -> Play | None:
        """The message he hears now, None once all are over."""
        return self.notices[self.heard] if self.heard < len(self.notices) else None

    @property
    def must_hear(self) -> bool:
        """Whether a message that must be heard is still to come or to end."""
        return any(play.must_hear for play in self.notices[self.heard :])


@dataclass(frozen=True, slots=True)
class Talking:
    """With a secretary. `joined_at` is None until the bridge stands; until then `waiting` is where
    he goes back to if her leg fails."""

    secretary: str
    leg: str
    attempt: int
    waiting: Waiting
    joined_at: float | None = None


@dataclass(frozen=True, slots=True)
class Leaving:
    """To be hung up, with this outcome."""

    outcome: str
    kind: HangupKind = HangupKind.NORMAL


Stage = Following | Waiting | Talking | Leaving


@dataclass(frozen=True, slots=True)
class Story:
    """An open call as it is stored. `answered_at`: since when the caller pays. `early_until`: when a
    call in early media is answered by itself. `sounds`: sounds started so far, so that the next
    playback id is new. `way_out`: timeout, nobody or full once the queue sent him away. `attempts`:
    offers made in queues he has left. `waiting_since`: when he joined his first queue, and so his place in
    any other one."""

    call: Call
    stage: Stage
    answered_at: float | None = None
    early_until: float | None = None
    sounds: int = 0
    way_out: str | None = None
    attempts: int = 0
    waiting_since: float | None = None


def in_queue(steps: tuple[Step, ...], now: float, since: float | None = None) -> Waiting | None:
    """The queue these steps begin with, messages before it included: phones ring *while* they play.
    `since`: when he joined an earlier queue; he keeps that waiting time, `max_wait` counts anew. None where
    something else comes first."""
    notices: list[Play] = []
    for step in steps:
        match step:
            case Play():
                notices.extend([step] * max(1, step.repeat))
            case Enqueue():
                limit = None if step.max_wait is None else now + step.max_wait
                return Waiting(step, tuple(notices), now if since is None else since, limit)
            case _:
                return None
    return None


def waiter(story: Story, stage: Waiting) -> Waiter:
    """This caller as the floor sees him. Where the queue has no way out for an empty floor, he waits."""
    call, client, queue = story.call, story.call.client, stage.queue
    notices = sum(play.audio.seconds for play in stage.notices)
    return Waiter(
        call=call.id,
        client=client.id,
        team=queue.team,
        joined=stage.joined,
        priority=client.priority,
        target=client.target,
        ring_for=queue.ring_for,
        ring=queue.ring,
        max_wait_at=stage.max_wait_at,
        attempts=story.attempts,
        nobody_from=stage.joined + notices if queue.on_nobody else None,
    )


def outcome_of_hang_up(story: Story) -> str:
    """The outcome when the caller hangs up at this stage."""
    match story.stage:
        case Talking(joined_at=float()):
            return "served"
        case Leaving(outcome=outcome):
            return outcome
        case Following() if story.way_out is not None:
            return story.way_out
        case Following() if story.call.by_rule == "closed":
            return "closed"
        case _:
            return "abandoned"
