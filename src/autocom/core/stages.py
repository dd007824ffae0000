"""Where a call's story stands: one frozen value per stage, saved before the stage's first effect.

A stage carries everything needed to run it from its first line again after a crash: the steps
still to do, the place in the queue, the leg that was taken. It never carries a position inside
a coroutine; what must not be repeated (a notice already heard, music already playing, the
bridge already made) is a field. The coroutine of each stage is in `autocom.calls.inbound`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from autocom.core.ingress import Identity
from autocom.core.model import (
    Audio,
    Callback,
    Client,
    Contact,
    Enqueue,
    HangupKind,
    Music,
    Play,
    Step,
    Voicemail,
)
from autocom.core.posts import Waiter
from autocom.core.routing import is_among


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
    waiting: int = 0  # this client's callers in the queue when he came: `waiting_over` is asked once
    open: bool = True  # whether the client was, when he came
    filed: str | None = None  # the files' rule, where the client's own system named another one


@dataclass(frozen=True, slots=True)
class Deciding:
    """The client's own system is asked for a rule until `until`; `steps` are those of the default."""

    steps: tuple[Step, ...]
    until: float


@dataclass(frozen=True, slots=True)
class Following:
    """Doing the steps of a rule, the first of `steps` next."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """In the queue: hearing `notices[heard:]`, then music, while phones ring.

    `joined` is his place; `rest` are the steps after the queue (none in a sound configuration). `team`: whom
    he waits for instead of the queue's own team, by a team lead's override. `announce_at`: when the next
    announcement is due; `announcing`: what is still to be said of the one that has begun; `told_position`,
    `told_wait`: the last he was told (the wait as the upper bound of its range), never to be exceeded.
    `entered`: when he joined this queue, `joined` counting what he waited before. `head`: he comes before
    everybody else: the phone of the secretary he talked to vanished. `dropped_by`: or she was gone as soon as
    they were joined."""

    queue: Enqueue
    notices: tuple[Play, ...]
    joined: float
    max_wait_at: float | None
    heard: int = 0
    music: bool = False
    team: str | None = None
    announce_at: float | None = None
    announcing: tuple[Audio, ...] = ()
    told_position: int | None = None
    told_wait: float | None = None
    entered: float | None = None
    head: bool = False
    dropped_by: str | None = None

    @property
    def reaches(self) -> str:
        """The team he waits for now."""
        return self.team or self.queue.team

    @property
    def notice(self) -> Play | None:
        """The message he hears now, None once all are over."""
        return self.notices[self.heard] if self.heard < len(self.notices) else None

    @property
    def notice_at(self) -> float | None:
        """When the next message begins, if it is held back for those who still wait then."""
        if self.notice is None or self.notice.if_waiting is None:
            return None
        return (self.joined if self.entered is None else self.entered) + self.notice.if_waiting

    @property
    def must_hear(self) -> bool:
        """Whether a message that must be heard is still to come or to end."""
        return any(play.must_hear for play in self.notices[self.heard :])


@dataclass(frozen=True, slots=True)
class Talking:
    """With a secretary. `joined_at` is None until the bridge stands; until then `waiting` is where
    he goes back to if her leg fails. `whispered`: she has been told whose caller he is. `greeted`: he has been
    told what the queue says to who is answered."""

    secretary: str
    leg: str
    attempt: int
    waiting: Waiting
    joined_at: float | None = None
    whispered: bool = False
    greeted: bool = False


@dataclass(frozen=True, slots=True)
class Reaching:
    """People outside are rung for him, one after the other, in rounds: a forward, or a roster.

    `contacts` in order; `fallback` once after the last round. `accept`: the digit that takes the call
    (None: answering is enough). `leg` is the one being rung, None between two; `until` when its turn, or
    the pause before the next, ends; `answered` once it was picked up and hears `ask`; `trunk` is the one
    it was dialled through. `began`: when this round did, so that refusals do not make rounds chase each
    other. `again`: his leg was lost in a gap, so he is rung once more. `rest` are the steps where nobody
    took him."""

    contacts: tuple[Contact, ...]
    rest: tuple[Step, ...]
    ring_for: float = 25.0
    rounds: int = 1
    pause: float = 0.0
    present: str = "client"
    accept: str | None = None
    ask: Audio | None = None
    music: Music | None = None
    roster: str | None = None
    fallback: Contact | None = None
    round: int = 1
    place: int = 0
    leg: str | None = None
    until: float | None = None
    answered: bool = False
    trunk: str | None = None
    began: float | None = None
    again: bool = False

    @property
    def contact(self) -> Contact | None:
        """Whose turn it is; None once all had theirs."""
        if self.round > self.rounds:
            return self.fallback if self.place == 0 else None
        return self.contacts[self.place]

    def after(self, began: float, now: float, least: float) -> Reaching:
        """The next turn, once this one is over. A round begins `pause` after the last turn, and not within
        `least` seconds from the beginning of the round before: `until` says when, None at once."""
        over = replace(self, leg=None, until=None, answered=False, trunk=None, began=began, again=False)
        if self.round > self.rounds or self.place + 1 < len(self.contacts):
            return replace(over, place=self.place + 1)
        following = replace(over, round=self.round + 1, place=0, began=None)
        if following.round > self.rounds:
            return following
        at = max(now + self.pause, began + least)
        return replace(following, until=at if at > now else None)


@dataclass(frozen=True, slots=True)
class Patched:
    """With somebody outside. `joined_at` is None until the bridge stands; until then `reaching` is where
    he goes back to if the leg fails."""

    contact: Contact
    leg: str
    reaching: Reaching
    joined_at: float | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """Leaving a message. `recording` is None while the prompt plays; `rest` are the steps after it."""

    voicemail: Voicemail
    rest: tuple[Step, ...]
    recording: str | None = None
    since: float | None = None


@dataclass(frozen=True, slots=True)
class Promised:
    """To be called back: he is not on the line (from `gone` on), his place is `waiting.joined`.

    `said[heard:]` is what he hears before he is hung up. `made`: when it was promised. `not_before`: off the
    floor until then, after a try that failed; `tries` are those made. Once a secretary took him (`secretary`,
    `leg`, `attempt`), `outside` is the leg that rings him, through `trunk`, until `until`. `over`: it ended
    without him."""

    waiting: Waiting
    callback: Callback
    number: str
    said: tuple[Play, ...]
    made: float
    heard: int = 0
    gone: bool = False
    over: bool = False
    tries: int = 0
    not_before: float | None = None
    secretary: str | None = None
    leg: str | None = None
    attempt: int = 0
    outside: str | None = None
    trunk: str | None = None
    until: float | None = None

    @property
    def place(self) -> Waiting:
        """Where he waits on once he is on the line again: with his time, but nothing said before counts."""
        anew = replace(self.waiting, heard=len(self.waiting.notices), announcing=(), music=False)
        return replace(anew, max_wait_at=None, announce_at=None)

    def resting(self, until: float | None) -> Promised:
        """Without secretary and outside leg, not to be tried before `until`."""
        off = replace(self, secretary=None, leg=None, attempt=0, outside=None, trunk=None, until=None)
        return replace(off, not_before=until)


@dataclass(frozen=True, slots=True)
class Leaving:
    """To be hung up, with this outcome."""

    outcome: str
    kind: HangupKind = HangupKind.NORMAL


Stage = Deciding | Following | Waiting | Talking | Reaching | Patched | Recording | Promised | Leaving


@dataclass(frozen=True, slots=True)
class Story:
    """An open call as it is stored. `answered_at`: since when the caller pays. `early_until`: when a
    call in early media is answered by itself. `sounds`: sounds started so far, so that the next
    playback id is new. `way_out`: timeout, nobody or full once the queue sent him away. `attempts`:
    offers made in queues he has left. `waiting_since`: when he joined his first queue, and so his place in
    any other one. `outside`, `recordings`, `letters`: outside legs, recordings and `message` steps so far,
    for the next id. `rule`: the rule in force since his rules were read again, None as long as it is that of
    the door; `open`: whether the client was open then. `fax`: he is a fax machine. `ringing`: he hears
    ringing that we began. `called_back`: the channel he is on since he was called back, as promised.
    `known`: the secretary he talked to a while ago."""

    call: Call
    stage: Stage
    answered_at: float | None = None
    early_until: float | None = None
    sounds: int = 0
    way_out: str | None = None
    attempts: int = 0
    waiting_since: float | None = None
    outside: int = 0
    recordings: int = 0
    letters: int = 0
    rule: str | None = None
    open: bool | None = None
    ringing: bool = False
    fax: bool = False
    called_back: str | None = None
    known: str | None = None

    @property
    def channel(self) -> str:
        """The caller's channel."""
        return self.called_back or self.call.channel

    @property
    def absent(self) -> bool:
        """Not on the line: he was promised a call back and hung up."""
        return isinstance(self.stage, Promised) and self.stage.gone

    @property
    def held(self) -> bool:
        """He is being called back, and a secretary holds the line."""
        return isinstance(self.stage, Promised) and self.stage.secretary is not None

    @property
    def was_open(self) -> bool:
        """Whether the client was open when the rule in force was found."""
        return self.call.open if self.open is None else self.open


def outside_leg(story: Story) -> str | None:
    """The leg of somebody outside that this call holds, or rings."""
    match story.stage:
        case Reaching(leg=leg) | Patched(leg=leg) | Promised(outside=str() as leg):
            return leg
        case _:
            return story.called_back


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
                told_at = None if step.announce is None else now + step.announce.first_after
                joined = now if since is None else since
                return Waiting(step, tuple(notices), joined, limit, announce_at=told_at, entered=now)
            case _:
                return None
    return None


def waiter(story: Story, stage: Waiting) -> Waiter:
    """This caller as the floor sees him. Where the queue has no way out for an empty floor, he waits."""
    call, client, queue = story.call, story.call.client, stage.queue
    notices = sum(play.audio.seconds for play in stage.notices)
    entered = stage.joined if stage.entered is None else stage.entered
    vip = is_among(
        client.vip,
        call.identity.caller,
        anonymous=call.identity.anonymous,
        listed=client.vip_listed,
        at=call.arrived_at,
    )
    return Waiter(
        call=call.id,
        client=client.id,
        team=stage.reaches,
        joined=stage.joined,
        priority=client.priority,
        target=client.target,
        ring_for=queue.ring_for,
        ring=queue.ring,
        max_wait_at=stage.max_wait_at,
        attempts=story.attempts,
        nobody_from=entered + notices if queue.on_nobody else None,
        entered=stage.entered,
        advance=client.vip_advance if vip else 0.0,
        head=stage.head,
        languages=client.languages,
        countries=client.countries,
        prefer=queue.prefer if queue.prefer_for > 0 else (),
        prefer_until=entered + queue.prefer_for,
        known=story.known,
        nobody_paused=queue.nobody_paused,
        tried={} if stage.dropped_by is None else {stage.dropped_by: 1},
        dropped=stage.dropped_by is not None,
    )


def outcome_of_hang_up(story: Story) -> str:
    """The outcome when the caller hangs up at this stage."""
    match story.stage:
        case Talking(joined_at=float()):
            return "served"
        case Patched(joined_at=float()):
            return "forwarded"
        case Leaving(outcome=outcome):
            return outcome
        case Following() | Recording() if story.way_out is not None:
            return story.way_out
        case Following() | Recording() if story.call.by_rule == "closed":
            return "closed"
        case _:
            return "abandoned"
