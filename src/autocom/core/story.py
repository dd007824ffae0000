"""An open call as it is stored, and what can be read from it without asking anybody.

A `Story` is the call, the stage it stands at (`core.stages`) and the counters from which the next ids are
derived. It is replaced as a whole by `calls.line.Line.become`, which saves it first. Must not know how a
stage is carried out: that is `autocom.calls`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from autocom.core.ingress import Identity
from autocom.core.model import Client, Contact, Enqueue, Play, Secretary, Step
from autocom.core.posts import Waiter
from autocom.core.routing import is_among
from autocom.core.stages import (
    Following,
    InRoom,
    Invited,
    Leaving,
    Parked,
    Patched,
    Promised,
    Reaching,
    Recording,
    Refused,
    Stage,
    Summoning,
    Supervising,
    Talking,
    Waiting,
)


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
    direction: str = "in"  # in; out: a secretary calls somebody outside; internal: a colleague or a room
    dialled_by: str | None = None  # the secretary whose phone began it: `channel` is hers
    listed: str | None = None  # the item of a call list that it was made for


@dataclass(frozen=True, slots=True)
class Taped:
    """A recording of the conversation: its name, since when; `bridge`: what is recorded, of this `secretary`.
    `paused`: by her; `aside`: because the caller is aside, or somebody is with them who was not told. `told`:
    both have heard that it runs. `quiet_since`: since when it rests; `quiet`: seconds that it rested before.
    `beep_at`: when its next tone is due."""

    recording: str
    since: float
    bridge: str
    paused: bool = False
    secretary: str = ""
    aside: bool = False
    told: bool = False
    quiet_since: float | None = None
    quiet: float = 0.0
    beep_at: float | None = None


@dataclass(frozen=True, slots=True)
class Released:
    """A secretary has left the conversation, he has not: her channel and their bridge are still to be ended,
    and the floor to be told. `until`: he may come back to her by then. `legs`, `bridges`: what else is over
    with it. `told`: her channel whose phone asked for it (REFER) and is to hear that it is done."""

    secretary: str
    leg: str
    bridge: str
    until: float | None = None
    legs: tuple[str, ...] = ()
    bridges: tuple[str, ...] = ()
    told: str | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """An open call as it is stored.

    Of the caller: `answered_at`: since when he pays; `early_until`: when a call in early media is answered by
    itself; `ringing`: he hears ringing that we began; `fax`: he is a fax machine; `waiting_since`: when he
    joined his first queue, and so his place in any other one; `way_out`: timeout, nobody or full once the
    queue sent him away; `known`: the secretary he talked to a while ago; `served`: he has talked with a
    secretary; `ahead`: Asterisk died under his last conversation, so that he comes before everybody until then;
    `lost`: it died under this call.

    `rule`: the rule in force since his rules were read again, None as long as it is that of the door; `open`:
    whether the client was open then.

    Of who is in his part: `called_back`: the channel he is on since he was called back, as promised; for a
    call that a secretary dialled, the other side's once it answered, through `trunk_out`. `other`: who that
    is, where he is neither the caller nor who dialled. `foreign`: channels named after another call that this
    one has taken over.

    Of her who talks with him: `taped`: the recording of the conversation that runs; `taping`: whether she
    wants one (None: as the client says); `released`: a secretary who has left.

    Numbers so far, for the next id: `sounds` played, `attempts` (offers made in queues he has left),
    `outside` legs, `recordings`, `tapes` (recordings of conversations), `letters` (`message` steps)."""

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
    ahead: bool = False
    lost: bool = False
    served: bool = False
    foreign: tuple[str, ...] = ()
    taped: Taped | None = None
    tapes: int = 0
    taping: bool | None = None
    released: Released | None = None
    trunk_out: str | None = None
    other: Contact | None = None

    @property
    def channel(self) -> str:
        """The caller's channel."""
        return self.called_back or self.call.channel

    def foreign_leg(self, leg: str) -> bool:
        """Whether this secretary's channel is one that she dialled herself, not one that we rang."""
        return leg == self.call.channel or leg in self.foreign

    @property
    def colleague(self) -> str | None:
        """The secretary whose phone is in the caller's part: who dialled, or whom another one called."""
        if self.other is not None:
            return self.other.post
        return self.call.dialled_by if self.channel == self.call.channel else None

    @property
    def dialling(self) -> bool:
        """A secretary dialled, and the other side has not answered yet: `channel` is her own."""
        return self.call.dialled_by is not None and self.called_back is None

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


def turned(story: Story, secretary: str, staff: Mapping[str, Secretary]) -> Story | None:
    """Two colleagues talk, and the one in the caller's part wants something: the same call with `secretary`
    in the secretary's part and the other one in the caller's. None where she is not that one, or where the
    other one has somebody on hold or with her: then it is hers to go on."""
    stage = story.stage
    if not isinstance(stage, Talking) or stage.joined_at is None or story.colleague != secretary:
        return None
    if secretary == stage.secretary or (stage.held, stage.third, stage.back_at) != (None, None, None):
        return None
    left = staff.get(stage.secretary)
    extension = "" if left is None else left.extension
    other = Contact(stage.secretary if left is None else left.name, extension, post=stage.secretary)
    hers = replace(stage, secretary=secretary, leg=story.channel, waiting=None, party=other)
    return replace(story, stage=hers, called_back=stage.leg, other=other)


def outside_legs(story: Story) -> tuple[str | None, ...]:
    """The legs of its own that this call holds, or rings, beside those of the floor's offers."""
    match story.stage:
        case Reaching(leg=leg) | Patched(leg=leg) | Promised(outside=str() as leg):
            return leg, story.called_back
        case Talking(leg=leg, third=third):
            return leg, story.called_back, None if third is None else third.leg
        case Summoning():
            return (story.channel,)
        case _:
            return (story.called_back,)


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
        known=None if stage.sent else story.known,  # sent to a team: to whoever is there, not to her again
        nobody_paused=queue.nobody_paused,
        tried={} if stage.dropped_by is None else {stage.dropped_by: 1},
        dropped=stage.dropped_by is not None,
        back_to=stage.back_to,
    )


def outcome_of_hang_up(story: Story) -> str:
    """The outcome when the caller hangs up at this stage."""
    match story.stage:
        case Talking(joined_at=float()) | InRoom(joined_at=float()) | Supervising(began=float()):
            return "served"
        case Patched(joined_at=float()) | Parked():
            return "served" if story.served else "forwarded"
        case Refused(why=why):
            return "full" if why == "no_line" else "rejected"
        case Invited():
            return "timeout"
        case Leaving(outcome=outcome):
            return outcome
        case Following() | Recording() if story.way_out is not None:
            return story.way_out
        case Following() | Recording() if story.call.by_rule == "closed":
            return "closed"
        case _:
            # he has talked with a secretary (contract, section 4), though perhaps not with the next one
            return "served" if story.served else "abandoned"
