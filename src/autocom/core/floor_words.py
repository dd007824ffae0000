"""The floor's words: the facts it is told, the decisions it returns.

Facts are in the past tense and may come twice, late or about somebody unknown; decisions are
imperatives that `calls.dispatcher` carries out after it saved them. No rule is here: the rules
are `floor.apply`. Every value is JSON-able by `codec`, so a day of facts can be replayed.
"""

from __future__ import annotations

from dataclasses import dataclass

from autocom.core.journal import Entry
from autocom.core.posts import Floor, Staff, Waiter
from autocom.core.telephony import Cause

# --- facts -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Staffed:
    """The configuration is this one now."""

    staff: Staff


@dataclass(frozen=True, slots=True)
class CallerJoined:
    """A caller waits. Joining again (after a restart, or a lease that failed) keeps what is known. At the
    head: the phone of the secretary he talked to vanished, and she is paused."""

    waiter: Waiter


@dataclass(frozen=True, slots=True)
class CallerLeft:
    """He hung up, gave up, or is served elsewhere; a conversation of his that nobody said the end of is over.
    Idempotent. `cause`: for the phones that ring for him. `hung_up`: it was he who ended it, which she is told who
    has just picked up for him."""

    call: str
    cause: Cause = Cause.NORMAL
    hung_up: bool = False


@dataclass(frozen=True, slots=True)
class LegRang:
    """The phone says that it rings."""

    leg: str


@dataclass(frozen=True, slots=True)
class LegAnswered:
    """The secretary picked up."""

    leg: str


@dataclass(frozen=True, slots=True)
class LegEnded:
    """The leg is gone, or could not be made."""

    leg: str
    cause: int = 16
    sip: int | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """Caller and secretary are in one bridge: the queue is done with him. Whoever else had picked up for him
    meanwhile (her leg's end was heard before the bridge was) is let off; None: nobody is named."""

    call: str
    secretary: str | None = None


@dataclass(frozen=True, slots=True)
class TalkEnded:
    """The conversation is over. `until`: the caller may come back to her by then (she sent him on, and nobody
    has taken him yet), so nothing else is offered to her before. `lost`: Asterisk died under them, there is nothing
    to be wrapped up."""

    call: str
    secretary: str
    until: float | None = None
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """Whoever she sent on is taken care of: he will not come back to her."""

    call: str


@dataclass(frozen=True, slots=True)
class TookOver:
    """She talks with a caller whom the floor did not offer to her: transferred, or taken back."""

    secretary: str
    call: str
    leg: str
    attempt: int
    client: str


@dataclass(frozen=True, slots=True)
class PickedUp:
    """She took the caller who rings at a colleague's phone, on this channel of her own."""

    secretary: str
    leg: str
    call: str


@dataclass(frozen=True, slots=True)
class PhoneSeen:
    """Her softphone registered, or cannot be reached any more. `moved`: it was registered before, elsewhere."""

    secretary: str
    reachable: bool
    moved: bool = False


@dataclass(frozen=True, slots=True)
class PhoneUsed:
    """She is in a call that is none of ours, or no longer."""

    secretary: str
    in_use: bool


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """She said so: by phone, command or API."""

    secretary: str


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """She said so."""

    secretary: str


@dataclass(frozen=True, slots=True)
class PausedBy:
    """She asked for a pause; it begins after the call she is in."""

    secretary: str
    reason: str


@dataclass(frozen=True, slots=True)
class Resumed:
    """She takes calls again; also ends her wrap-up."""

    secretary: str


@dataclass(frozen=True, slots=True)
class TimePassed:
    """Nothing happened but the time."""


FloorFact = (
    Staffed
    | CallerJoined
    | CallerLeft
    | LegRang
    | LegAnswered
    | LegEnded
    | Joined
    | TalkEnded
    | Settled
    | TookOver
    | PickedUp
    | PhoneSeen
    | PhoneUsed
    | LoggedIn
    | LoggedOut
    | PausedBy
    | Resumed
    | TimePassed
)


# --- decisions -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ring:
    """Ring this secretary's phone for this caller, until `until`."""

    call: str
    secretary: str
    attempt: int
    leg: str
    until: float


@dataclass(frozen=True, slots=True)
class StopRinging:
    """End this leg; `cause` decides whether the phone shows a missed call."""

    leg: str
    cause: Cause


@dataclass(frozen=True, slots=True)
class Take:
    """The caller's story may join him with this secretary: she picked up first."""

    call: str
    secretary: str
    leg: str
    attempt: int


@dataclass(frozen=True, slots=True)
class LeaseFailed:
    """The leg that was taken is gone before the two were joined; the caller has his place again."""

    call: str
    leg: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The caller's wait ends by rule: `timeout` or `nobody`. `attempts`: offers made so far, so that a
    later queue of the same call numbers its legs on."""

    call: str
    why: str
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Tell:
    """Say to her, on her phone, what became of it: `what` is `no_answer_pause`, after `misses`, or `caller_gone`: he
    hung up as she picked up."""

    secretary: str
    what: str
    misses: int = 0


Decision = Ring | StopRinging | Take | LeaseFailed | GiveUp | Tell


@dataclass(frozen=True, slots=True)
class Outcome:
    """What `apply` returns: the new floor, what to do, what to write down. `posts` and `waiters`: whose
    values may be others now, or gone."""

    floor: Floor
    decisions: tuple[Decision, ...]
    entries: tuple[Entry, ...]
    posts: tuple[str, ...] = ()
    waiters: tuple[str, ...] = ()
