"""Where a call's story stands: one frozen value per stage, saved before the stage's first effect.

A stage carries everything needed to run it from its first line again after a crash: the steps
still to do, the place in the queue, the leg that was taken. It never carries a position inside
a coroutine; what must not be repeated (a notice already heard, music already playing, the
bridge already made) is a field. The coroutine of each stage is in `autocom.calls.inbound`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from autocom.core.model import (
    Audio,
    Callback,
    Contact,
    Enqueue,
    HangupKind,
    Music,
    Play,
    Step,
    Voicemail,
)


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
    they were joined. `back_to`: nobody took him where she sent him, so he returns to her; `note`: what she
    is shown then. `sent`: she sent him to this team, so that no override of his client's team moves him."""

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
    back_to: str | None = None
    note: str = ""
    sent: bool = False

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
class Held:
    """The caller is on hold. `by`: phone (her softphone's own hold: he stays in the bridge, where Asterisk
    plays him the music), order (a code or the API: he is out of it), consult (somebody else is rung or talked
    to: he is out of it)."""

    since: float
    by: str


@dataclass(frozen=True, slots=True)
class Third:
    """Somebody whom the secretary brings in. `until`: when his phone stops ringing; `answered_at`: since when he
    is there; `inside`: he is in the bridge (False once answered: on hold himself). `trunk`: the one he was
    dialled through."""

    contact: Contact
    leg: str
    until: float
    trunk: str | None = None
    rang: bool = False
    answered_at: float | None = None
    inside: bool = False


@dataclass(frozen=True, slots=True)
class Talking:
    """With a secretary. `joined_at` is None until the bridge stands; until then `waiting` is where
    he goes back to if her leg fails (None: he came from no queue, and the call is over). `whispered`: she has
    been told whose caller he is. `greeted`: he has been told what the queue says to who is answered.

    `held` and `third` say who is in the bridge: everybody but the caller while he is held by order or for a
    consultation, and but the third one until he answered and while he is put aside. `party`: whom she
    called, where it is no caller from outside but a colleague or a number she dialled. `back_at`: whom she
    wanted to consult cannot be had; she hears so until then, and has the caller back. `private`: the caller hung
    up, and whom she consulted has his part: he was told of no recording."""

    secretary: str
    leg: str
    attempt: int
    waiting: Waiting | None
    joined_at: float | None = None
    whispered: bool = False
    greeted: bool = False
    held: Held | None = None
    third: Third | None = None
    party: Contact | None = None
    back_at: float | None = None
    private: bool = False


@dataclass(frozen=True, slots=True)
class Reaching:
    """People outside are rung for him, one after the other, in rounds: a forward, or a roster.

    `contacts` in order; `fallback` once after the last round. `accept`: the digit that takes the call
    (None: answering is enough). `leg` is the one being rung, None between two; `until` when its turn, or
    the pause before the next, ends; `answered` once it was picked up and hears `ask`; `trunk` is the one
    it was dialled through. `began`: when this round did, so that refusals do not make rounds chase each
    other. `again`: his leg was lost in a gap, so he is rung once more. `rest` are the steps where nobody
    took him.

    `by`: the secretary who sent him there, or who dialled; `back`: where he waits again where nobody took
    him. `ringing`: he hears ringing instead of music. `passed`: the secretaries whose forwards sent the call
    on. `result`, `cause`: how the last turn ended. `early`: a secretary who dialled hears the other side
    already, though it has not answered. `tried`: the trunks whose operator could not put his turn's call through."""

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
    by: str | None = None
    back: Waiting | None = None
    ringing: bool = False
    passed: tuple[str, ...] = ()
    result: str | None = None
    cause: int | None = None
    early: bool = False
    tried: tuple[str, ...] = ()

    @property
    def contact(self) -> Contact | None:
        """Whose turn it is; None once all had theirs."""
        if self.round > self.rounds:
            return self.fallback if self.place == 0 else None
        return self.contacts[self.place]

    def anew(self) -> Reaching:
        """The same turn from its beginning."""
        return replace(self, leg=None, until=None, answered=False, trunk=None, early=False)

    def after(self, began: float, now: float, least: float) -> Reaching:
        """The next turn, once this one is over. A round begins `pause` after the last turn, and not within
        `least` seconds from the beginning of the round before: `until` says when, None at once."""
        over = replace(self.anew(), began=began, again=False, tried=())
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
    he goes back to if the leg fails. `bridge`: its name where the leg is that of another caller, who was in a
    call of his own (None: it is named after the leg)."""

    contact: Contact
    leg: str
    reaching: Reaching
    joined_at: float | None = None
    bridge: str | None = None


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
class Parked:
    """Put aside by `by`, hearing music, for whoever dials his `slot`; at `until` he returns to her. `waiting`: his
    place then. `bridge`: that of the conversation, still to be taken down; `leg`: hers, on which she is told the
    slot before it ends."""

    slot: str
    by: str
    since: float
    until: float
    waiting: Waiting
    note: str = ""
    bridge: str | None = None
    leg: str | None = None


@dataclass(frozen=True, slots=True)
class InRoom:
    """In a conference room. `joined_at` is None until he is in its bridge; `secretary`: whose phone this is,
    None for a caller or somebody outside. `announced`: the others have been told that he came; `left`: that he
    is gone. `locked`: he knows that nobody else is let in. `until`: when he is let go, since no secretary is
    there any more. `back`: where he waits then: a secretary sent him into the room, and none has been in it since."""

    room: str
    secretary: str | None = None
    joined_at: float | None = None
    muted: bool = False
    announced: bool = False
    left: bool = False
    locked: bool = False
    until: float | None = None
    back: Waiting | None = None


@dataclass(frozen=True, slots=True)
class Invited:
    """Rung by `by` for a conference room, until `until`. The leg that rings is this story's own channel. `begun`:
    it is written down that he is rung. `answered`: he has picked up and must press a digit, until `until`."""

    room: str
    contact: Contact
    by: str
    until: float
    begun: bool = False
    rang: bool = False
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Supervising:
    """A team lead hears a secretary's conversation. `mode`: listen, whisper (the secretary hears her) or barge
    (everybody does). `of`: the call that is heard now, None between two, and `leg` the secretary's channel in it;
    `ear`: the number of the last channel that heard; `told`: the secretary knows of it. `ringing`: until when
    the lead's own phone rings, where she did not dial."""

    lead: str
    secretary: str
    mode: str = "listen"
    of: str | None = None
    ear: int = 0
    began: float | None = None
    leg: str | None = None
    told: bool = False
    ringing: float | None = None


@dataclass(frozen=True, slots=True)
class Summoning:
    """The phone of a secretary who asked for a call by a program rings, until `until`. Once she picks up, `then` is
    what comes: she has dialled."""

    secretary: str
    then: Reaching
    until: float


@dataclass(frozen=True, slots=True)
class Refused:
    """A secretary dialled what she may not, or nobody has: she hears why, and is hung up with `kind`. `why` is a
    word of `core.dialling`."""

    why: str
    kind: HangupKind = HangupKind.REJECT


@dataclass(frozen=True, slots=True)
class Leaving:
    """To be hung up, with this outcome."""

    outcome: str
    kind: HangupKind = HangupKind.NORMAL


Stage = (
    Deciding
    | Following
    | Waiting
    | Talking
    | Reaching
    | Patched
    | Recording
    | Promised
    | Parked
    | InRoom
    | Invited
    | Supervising
    | Summoning
    | Refused
    | Leaving
)
