"""What the stories need from the outside, as protocols.

The real ones are `asterisk.telephone.AsteriskTelephone`, `journal.log.LocalLog` and
`asterisk.clock.SteadyClock`; the tests' fakes obey the same words and the same laws, and
`tests/contract` runs both. Commands about a channel that is gone raise `Gone`, never anything
else: that translation happens once, in the adapter.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from autocom.core.journal import Entry, Json
from autocom.core.presence import Lamp
from autocom.core.telephony import CallEntered, Cause, Fact, PhoneDialled


class Gone(Exception):  # noqa: N818 - a fact of life, not an error
    """The channel, bridge or playback is no longer there (ARI 404, or 409/412/422 for a channel
    that left or never was ours). Normal at any time."""


class TelephoneDown(Exception):  # noqa: N818
    """Asterisk could not be reached or did not answer in time. The command may or may not have been
    carried out: ask by id, never repeat blindly."""


def always() -> bool:
    """The ring is wanted, whatever happens."""
    return True


@dataclass(frozen=True, slots=True)
class Outbound:
    """A leg to ring. `endpoint` comes from `Telephone.phone_of` or `trunk_dial`, never from caller data.

    `display` and `number` become the From header (`number` None: anonymous). `headers` are added to
    the INVITE as they are: the adapter strips control characters and applies RFC 3261 quoting.
    `timeout` in seconds is a safety net after which Asterisk gives up by itself. `phone`: it rings a secretary's
    softphone, whose transfer button is ours to obey."""

    channel: str
    endpoint: str
    display: str
    number: str | None
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 60.0
    phone: bool = False


class Fares(Enum):
    """How a transfer that a phone asked for (REFER) fares; told by NOTIFY."""

    UNDER_WAY = "channel_progress"
    DONE = "channel_answered"
    UNREACHABLE = "channel_unavailable"
    REFUSED = "channel_declined"


@dataclass(frozen=True, slots=True)
class ShownText:
    """A text for a softphone. `user` is the user part of its sender's address, which an answer comes back to;
    `display` what the phone shows of him. The adapter strips control characters, except line ends in `body`."""

    user: str
    display: str
    body: str


class Telephone(Protocol):
    """Commands to Asterisk, and its facts. Every id is chosen by the caller of the method; a create
    whose id exists already has been done (409) and returns normally."""

    def facts(self) -> AsyncIterator[Fact]:
        """Every fact, in order, for as long as the service lives; starts with `TelephoneBack`."""
        ...

    def phone_of(self, secretary: str) -> str:
        """The endpoint string of a secretary's softphone."""
        ...

    def outside(self, number: str, trunk: str) -> str:
        """The endpoint string of an outside E.164 number through a trunk; ValueError if either is malformed."""
        ...

    async def ingress(self, channel: str) -> CallEntered:
        """What the door said about a caller's channel that is in our application already."""
        ...

    async def answer(self, channel: str) -> None:
        """Answer. Waits for a running playback on that channel: stop it first."""
        ...

    async def listen_for_fax(self, channel: str, seconds: float) -> None:
        """For so long from now on, the calling tone of a fax machine (CNG) is told as `FaxHeard`. Ends by
        itself before `connect`. Not while a playback is on the channel."""
        ...

    async def play(self, channel: str, playback: str, media: str, *, skip_ms: int = 0) -> None:
        """Play `media` (an `Audio.media`) from `skip_ms` on; `PlaybackEnded` follows, always (a watchdog
        in the adapter sees to it). Opens early media on an unanswered channel."""
        ...

    async def stop_playback(self, playback: str) -> None:
        """Stop it; no error where it is over."""
        ...

    async def start_music(self, channel: str, moh_class: str) -> None:
        """Music until stopped, another sound or a bridge."""
        ...

    async def stop_music(self, channel: str) -> None:
        """Silence; no error where none played."""
        ...

    async def start_ringback(self, channel: str) -> None:
        """Let the caller hear ringing: 180 before the answer, a tone after it."""
        ...

    async def stop_ringback(self, channel: str) -> None:
        """End what `start_ringback` began."""
        ...

    async def record(
        self, channel: str, recording: str, *, longest: float, silence: float, until: str
    ) -> None:
        """Record what comes from the channel, at most `longest` seconds, until `silence` seconds without
        speech or the digit `until`; a hang-up keeps what was said. Answers the channel; no beep. `RecordingEnded`
        follows, also (and at once) where a recording of that name was over before."""
        ...

    async def stop_recording(self, recording: str) -> None:
        """Stop and keep it; no error where it is over."""
        ...

    async def recorded(self, recording: str) -> bytes:
        """The WAV file of a recording that ended. `Gone` where there is none."""
        ...

    async def erase_recording(self, recording: str) -> None:
        """Remove it from Asterisk's store; no error where it is gone."""
        ...

    async def ring(self, leg: Outbound, wanted: Callable[[], bool] = always) -> None:
        """Send the INVITE, if it is still `wanted` when that can be done: Asterisk may take its time, and the caller
        may have gone. Raises `Gone` where the endpoint cannot be dialled at all."""
        ...

    async def hang_up(self, channel: str, cause: Cause = Cause.NORMAL) -> None:
        """End a channel, ringing or up; no error where it is gone."""
        ...

    async def connect(self, bridge: str, channels: Sequence[str]) -> None:
        """Put these channels into one mixing bridge of that id; all or nothing."""
        ...

    async def connect_early(self, bridge: str, caller: str, leg: str) -> None:
        """Let a caller who is not answered hear what a leg sends that has not answered (`EarlyMedia`). What he heard
        of ours ends. `connect` of the same two goes on from there."""
        ...

    async def disconnect(self, bridge: str) -> None:
        """Destroy the bridge; its channels stay. No error where it is gone."""
        ...

    async def take_out(self, bridge: str, channel: str) -> None:
        """Take a channel out of the bridge; it stays ours and hears nothing. No error where it is not in it."""
        ...

    async def hold_music(self, channel: str, moh_class: str) -> None:
        """What this channel hears whenever the other side's phone puts it on hold. Waits for a running playback on
        that channel: stop it first."""
        ...

    async def play_to_all(self, bridge: str, playback: str, media: str) -> None:
        """Play to everybody in a bridge; `PlaybackEnded` follows. Holds nothing up."""
        ...

    async def mute(self, channel: str, *, muted: bool) -> None:
        """Whether what comes from this channel is dropped."""
        ...

    async def overhear(self, ear: str, channel: str, *, whispers: bool, to_all: bool = False) -> None:
        """Make the channel `ear`: it carries what `channel` hears and says; `whispers`: what is played into `ear` is
        heard by `channel` alone; `to_all`: and by everybody whom it talks to. It is ours, up, and ends by itself
        with `channel`."""
        ...

    async def record_talk(self, bridge: str, recording: str, *, longest: float) -> None:
        """Record everybody in a bridge, at most `longest` seconds. `RecordingEnded` follows, as for `record`; the
        bridge's end ends it."""
        ...

    async def recording_runs(self, recording: str) -> bool:
        """Whether it is still being written."""
        ...

    async def stored_recordings(self) -> Sequence[str]:
        """The names of all recordings in Asterisk's store."""
        ...

    async def pause_recording(self, recording: str, *, paused: bool) -> None:
        """Leave out what is said from now on, or take it in again. `Gone` where it is over."""
        ...

    async def transfer_fares(self, channel: str, fares: Fares) -> None:
        """Tell the phone on this channel how the transfer that it asked for fares. No error where it is gone."""
        ...

    async def dialled(self, channel: str) -> PhoneDialled:
        """What a secretary's phone dialled whose channel is in our application already. `Gone` where this is not
        such a channel."""
        ...

    async def tell(self, secretary: str, text: str) -> None:
        """A text on the display of her softphone (SIP MESSAGE). `Gone` where she has none; a phone that
        takes no texts refuses it without our hearing of it."""
        ...

    async def show_state(self, name: str, state: Lamp | None) -> None:
        """Set a lamp that softphones can subscribe to; None: there is no such lamp any more."""
        ...

    async def show_mailbox(self, box: str, new: int, old: int) -> None:
        """How many messages of a client are new, and how many were listened to."""
        ...

    async def taken(self, channel: str) -> None:
        """This caller is in the journal: the dialplan need not write him down when he hangs up."""
        ...

    async def to_fallback(self, channel: str, client: str | None = None, *, heard: bool = False) -> None:
        """Give the channel back to the dialplan's fallback, which serves callers without us. `client`: whose caller he
        is, where that is known; `heard`: he has been told something, and is not told it again."""
        ...


class Messenger(Protocol):
    """SIP MESSAGE through Asterisk. Both raise `TelephoneDown`."""

    async def show_text(self, secretary: str, text: ShownText) -> None:
        """A text of a conversation on her softphone, to which she can answer. `Gone` where she has none; whether
        her phone took it is not heard."""
        ...

    async def text_outside(self, trunk: str, host: str, number: str, sender: str, body: str) -> None:
        """A SIP MESSAGE to an outside E.164 number through a trunk, at its `host`, from our E.164 number `sender`;
        whether the operator took it is not heard. `Gone` where there is no such trunk; ValueError for a malformed
        number or host."""
        ...


class NoAdvice(Exception):  # noqa: N818 - says what is the case
    """The client's own system named no rule; the words say why."""


class Advice(Protocol):
    """The clients' own systems, which may name a rule for a call."""

    async def rule(self, url: str, question: Mapping[str, Json], within: float) -> str | None:
        """A rule's name, None where it has no opinion. Raises `NoAdvice` after `within` seconds at the latest."""
        ...


class Clock(Protocol):
    """Time of the outside. `now` is UTC epoch seconds that never jumps while the process lives."""

    def now(self) -> float:
        """The instant."""
        ...

    async def until(self, instant: float) -> None:
        """Return at `instant`, or at once where it is past."""
        ...


@dataclass(frozen=True, slots=True)
class Stored:
    """What was found at start: open calls by id, and the floor's values by key, as JSON."""

    calls: Mapping[str, Json]
    floor: Mapping[str, Json]


class Saving(Protocol):
    """The local log. One `save` is one transaction on local disk; it does not wait for PostgreSQL."""

    def save(
        self,
        entries: Sequence[Entry] = (),
        *,
        calls: Mapping[str, Json] | None = None,
        floor: Mapping[str, Json] | None = None,
    ) -> None:
        """Append `entries`; set what is known of open calls and of the floor (None deletes the key)."""
        ...


class Journal(Saving, Protocol):
    """The local log, as calls and the floor know it."""

    def stored(self) -> Stored:
        """What the last process knew."""
        ...


class Rows(Saving, Protocol):
    """The local log, as those know it who keep rows of their own in it: letters, recordings, texts."""

    def rows(self, prefix: str) -> Mapping[str, Json]:
        """The floor's rows whose keys begin so, as of the last `save`."""
        ...


class Followed(Protocol):
    """The local log, as those know it who are to notice what others write."""

    def rows(self, prefix: str) -> Mapping[str, Json]:
        """As `Rows`."""
        ...

    def follow(self) -> AsyncIterator[Entry]:
        """Entries as they are saved."""
        ...


class Log(Rows, Followed, Protocol):
    """Both: rows of one's own, and a word of what comes."""
