"""The steps of a rule: what may be done with a call, one value each, and their union `Step`.

A step is a wish, carried out by `calls.following` and what it calls. Must not know rules or clients:
who comes to a step is decided in `rules`. Invariant: everything a step needs is in it (sounds are
converted, numbers are E.164, teams and rosters exist), so a step that was begun can be finished by the
same value after a reload.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from autocom.core.model.sounds import Audio, Music

ON_ANSWER_AT_MOST = 5.0
"""Seconds that a caller and the secretary who picked up wait for the end of `Enqueue.on_answer`."""


class Mode(Enum):
    """How a message reaches the caller: before the call is answered (free for him), or after."""

    EARLY = "early"
    ANSWERED = "answered"


class Ringing(Enum):
    """Which of the free secretaries of the best level is offered the call first."""

    LONGEST_IDLE = "longest_idle"
    FEWEST_CALLS = "fewest_calls"
    ROUND_ROBIN = "round_robin"
    ALL = "all"


class HangupKind(Enum):
    """How the caller is dismissed; the telephone room owns the Q.850 cause of each."""

    NORMAL = "normal"
    BUSY = "busy"
    REJECT = "reject"
    CONGESTION = "congestion"
    NO_ANSWER = "no_answer"  # this and the next only for secretaries who dialled
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Play:
    """A message. `must_hear`: nobody is joined before it ended. `repeat`: times it is played. `if_waiting`:
    before a queue, only for who is not served within so many seconds; until then he hears ringing."""

    audio: Audio
    mode: Mode = Mode.EARLY
    must_hear: bool = False
    repeat: int = 1
    if_waiting: float | None = None


@dataclass(frozen=True, slots=True)
class Ringback:
    """Let the caller hear ordinary ringing for a while."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer the call now (from here on the caller pays)."""


@dataclass(frozen=True, slots=True)
class Announcements:
    """What a waiting caller is told, and how often (seconds)."""

    position: bool = False
    wait: bool = False
    every: float = 45.0
    first_after: float = 30.0
    play: Audio | None = None  # a message of the client's own, after what is counted


@dataclass(frozen=True, slots=True)
class Enqueue:
    """Wait for a secretary of `team`. The `on_*` steps are the ways out, run in order; empty means
    the house default: the stock message, then hang up.

    `on_closing` is taken where the client closes (or its absence begins) while he waits; empty: the rule
    that holds from then on. `serve_after_closing`: he stays all the same. `keys`: digits that lead out of
    the queue. `prefer`: secretaries who are asked before anybody else for the first `prefer_for` seconds.
    `ringing`: he hears ordinary ringing instead of music. `on_answer`: told to him once a secretary picked
    up, before the two are joined. `nobody_paused`: secretaries who are all paused are nobody as well.
    `on_long_wait` is taken where the wait that is expected for him is longer than `max_expected_wait`."""

    team: str
    music: Music | None = None
    ring_for: float = 12.0
    ring: Ringing = Ringing.LONGEST_IDLE
    announce: Announcements | None = None
    max_wait: float | None = None
    on_timeout: tuple[Step, ...] = ()
    on_full: tuple[Step, ...] = ()
    on_nobody: tuple[Step, ...] = ()
    on_closing: tuple[Step, ...] = ()
    serve_after_closing: bool = False
    keys: Mapping[str, tuple[Step, ...]] = field(default_factory=dict)
    prefer: tuple[str, ...] = ()
    prefer_for: float = 0.0
    ringing: bool = False
    on_answer: Audio | None = None
    nobody_paused: bool = False
    max_expected_wait: float | None = None
    on_long_wait: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Menu:
    """Ask for one digit, up to `tries` times. `otherwise` is taken on a wrong or missing digit of the last."""

    prompt: Audio
    keys: Mapping[str, tuple[Step, ...]]
    wait: float = 6.0
    otherwise: tuple[Step, ...] = ()
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Forward:
    """Send the caller to an outside number. `present`: whose number is shown: client, caller or
    bureau. `accept`: the digit the called person must press, so that a voicemail never swallows him;
    `ask` is what he hears until he does ("a call for …, press 1")."""

    to: str
    ring_for: float = 25.0
    present: str = "client"
    accept: str | None = None
    ask: Audio | None = None
    wait_music: Music | None = None


@dataclass(frozen=True, slots=True)
class OnCall:
    """Reach whoever is on call in this roster; each must acknowledge by a digit, `ask` tells him so."""

    roster: str
    ask: Audio | None = None
    wait_music: Music | None = None


@dataclass(frozen=True, slots=True)
class Voicemail:
    """Take a message of at most `max_seconds` and mail it."""

    prompt: Audio | None = None
    max_seconds: float = 120.0
    mail: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SendMessage:
    """Send a text to a number or mail address."""

    to: str
    text: str


@dataclass(frozen=True, slots=True)
class Callback:
    """Promise to call him back when it is his turn: he hangs up and keeps his place. `tries`: how often
    he is called; `retry_after`: seconds between two tries."""

    tries: int = 3
    retry_after: float = 300.0


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the call."""

    kind: HangupKind = HangupKind.NORMAL


@dataclass(frozen=True, slots=True)
class Jump:
    """Continue with the steps of another rule of the same client."""

    rule: str


Step = (
    Play
    | Ringback
    | Answer
    | Enqueue
    | Menu
    | Forward
    | OnCall
    | Voicemail
    | SendMessage
    | Callback
    | Hangup
    | Jump
)
