"""What the stories need from the outside, as protocols.

The real ones are `asterisk.telephone.AsteriskTelephone`, `journal.log.LocalLog` and
`asterisk.clock.SteadyClock`; the tests' fakes obey the same words and the same laws, and
`tests/contract` runs both. Commands about a channel that is gone raise `Gone`, never anything
else: that translation happens once, in the adapter.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from autocom.core.journal import Entry, Json
from autocom.core.telephony import CallEntered, Cause, Fact


class Gone(Exception):  # noqa: N818 - a fact of life, not an error
    """The channel, bridge or playback is no longer there (ARI 404, or 409/412/422 for a channel
    that left or never was ours). Normal at any time."""


class TelephoneDown(Exception):  # noqa: N818
    """Asterisk could not be reached or did not answer in time. The command may or may not have been
    carried out: ask by id, never repeat blindly."""


@dataclass(frozen=True, slots=True)
class Outbound:
    """A leg to ring. `endpoint` comes from `Telephone.phone_of` or `trunk_dial`, never from caller data.

    `display` and `number` become the From header (`number` None: anonymous). `headers` are added to
    the INVITE as they are: the adapter strips control characters and applies RFC 3261 quoting.
    `timeout` in seconds is a safety net after which Asterisk gives up by itself."""

    channel: str
    endpoint: str
    display: str
    number: str | None
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 60.0


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

    async def ring(self, leg: Outbound) -> None:
        """Send the INVITE. Raises `Gone` where the endpoint cannot be dialled at all."""
        ...

    async def hang_up(self, channel: str, cause: Cause = Cause.NORMAL) -> None:
        """End a channel, ringing or up; no error where it is gone."""
        ...

    async def connect(self, bridge: str, channels: Sequence[str]) -> None:
        """Put these channels into one mixing bridge of that id; all or nothing."""
        ...

    async def disconnect(self, bridge: str) -> None:
        """Destroy the bridge; its channels stay. No error where it is gone."""
        ...

    async def tell(self, secretary: str, text: str) -> None:
        """A text on the display of her softphone (SIP MESSAGE). `Gone` where she has none; a phone that
        takes no texts refuses it without our hearing of it."""
        ...

    async def to_fallback(self, channel: str) -> None:
        """Give the channel back to the dialplan's fallback, which serves callers without us."""
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


class Journal(Protocol):
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

    def stored(self) -> Stored:
        """What the last process knew."""
        ...
