"""The bureau as frozen values: clients, secretaries, teams, rules and their steps.

`autocom.config` builds these from the YAML files; everything else only reads them. They must
not know about files, YAML or pydantic. Invariant: a value here is complete and valid (numbers
are E.164, sounds exist and are converted, every team a queue names exists), so no reader
checks again. Durations are seconds (float), instants are UTC epoch seconds (float), local
times are naive `datetime`/`time` in the zone of the client that owns them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import Enum

from autocom.core.texts import Texting

NO_CALLER = "nobody"
"""The entry of `When.caller` that equals no number: what lists without entries come to."""

BLOCKED = "blocked"
"""The name of the bureau's own rule, asked before those of every client."""

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


class ForwardReason(Enum):
    """Why the client's line sent the call to us (the YAML's `forward_reason` words)."""

    UNCONDITIONAL = "unconditional"
    NO_ANSWER = "no-answer"
    BUSY = "busy"
    UNAVAILABLE = "unavailable"
    UNKNOWN = "unknown"


class HangupKind(Enum):
    """How the caller is dismissed; the telephone room owns the Q.850 cause of each."""

    NORMAL = "normal"
    BUSY = "busy"
    REJECT = "reject"
    CONGESTION = "congestion"
    NO_ANSWER = "no_answer"  # this and the next only for secretaries who dialled
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Audio:
    """A sound that exists and is converted.

    `media` is what Asterisk plays: an absolute path without suffix, or, for tests of the core,
    any string. `seconds` is its length, known since the file was read at load time. `text` is what is
    spoken, where it was made from a text.
    """

    name: str
    media: str
    seconds: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class Music:
    """A hold-music class of Asterisk; `files` are the absolute paths (without suffix) it plays in turn."""

    name: str
    moh_class: str
    files: tuple[str, ...] = ()


# --- steps of a rule -------------------------------------------------------------------------


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


# --- rules, hours, clients -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From `start` to `end` local time; `end <= start` crosses midnight; end 24:00 is `time(0)` with
    `start` earlier, i.e. also a crossing of zero length. Start inclusive, end exclusive."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Closure:
    """A dated interruption of the hours, or an absence with a message of its own.

    Local times in the client's zone, start inclusive, end exclusive."""

    start: datetime
    end: datetime
    name: str = ""
    play: Audio | None = None


@dataclass(frozen=True, slots=True)
class Hours:
    """When a client is open. `week` maps the ISO weekday (1 Monday … 7 Sunday) to its ranges; a
    missing or empty day is closed. `holidays` are closed days by date with their name."""

    zone: str
    week: Mapping[int, tuple[TimeRange, ...]]
    holidays: Mapping[date, str] = field(default_factory=dict)
    closures: tuple[Closure, ...] = ()
    openings: tuple[Closure, ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry of a list of numbers, in the same form as one of `caller`. `until`: the instant from which it
    does not count any more (None: for ever), `last` the same as the admin wrote it."""

    entry: str
    list: str
    reason: str = ""
    until: float | None = None
    last: str = ""


@dataclass(frozen=True, slots=True)
class When:
    """The conditions of a rule; None or empty means "not asked". All that are asked must hold.

    `caller` entries are E.164 numbers, prefixes ending in `*` (already E.164) or `anonymous`; list
    names are expanded by the configuration: what counts for ever stands in `caller` (never empty where
    callers are asked for), and an entry of a list that has an end or a reason in `listed`.
    `days` are ISO weekdays, `dates` inclusive pairs."""

    caller: tuple[str, ...] = ()
    open: bool | None = None
    absence: bool | None = None
    forward_reason: tuple[ForwardReason, ...] = ()
    did: tuple[str, ...] = ()
    days: tuple[int, ...] = ()
    dates: tuple[tuple[date, date], ...] = ()
    time: tuple[TimeRange, ...] = ()
    waiting_over: int | None = None
    nobody: bool | None = None
    listed: tuple[Listed, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """The first rule of a client whose conditions hold decides; `line` is its line in the YAML file."""

    name: str
    when: When | None
    do: tuple[Step, ...]
    line: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A number of a client: the DID, and the forwarded line where several clients share that DID."""

    did: str
    forwarded_from: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """A system of the client's that may name the rule for a call, asked by HTTP for at most `within` seconds."""

    url: str
    within: float = 0.8


@dataclass(frozen=True, slots=True)
class Client:
    """Who pays: a practice with its numbers, greeting, hours and rules."""

    id: str
    name: str
    display: str
    profile: str
    lines: tuple[Line, ...]
    hours: Hours
    rules: tuple[Rule, ...]
    phrase: str = ""
    card: str | None = None
    absences: tuple[Closure, ...] = ()
    language: str = "fr"
    priority: int = 50
    target: float = 20.0
    max_calls: int | None = None
    on_full: tuple[Step, ...] = ()
    early_limit: float = 25.0
    code: str | None = None
    wrap_up_min: float = 0.0
    wrap_up_max: float = 0.0
    outgoing_number: str | None = None
    outgoing_verified: bool = False
    outgoing_international: tuple[str, ...] = ()  # prefixes abroad that may be dialled for it, E.164
    outgoing_limits: Limits | None = None  # its own, else the bureau's for every client
    recording: str = "never"
    recording_beep: float | None = None  # seconds between two tones that say: this is recorded
    retention_calls: float = 90 * 86400.0
    retention_recordings: float = 30 * 86400.0
    retention_texts: float = 30 * 86400.0
    texts_by: str | None = None  # the provider by which its texts go out
    phrases: Mapping[ForwardReason, str] = field(default_factory=dict)
    languages: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    vip: tuple[str, ...] = ()
    vip_advance: float = 60.0
    returning_within: float = 0.0
    on_fax: tuple[Step, ...] = ()
    fax: bool = True
    decision: Decision | None = None
    hold_music: Music | None = None
    contacts: tuple[Contact, ...] = ()  # whom secretaries may consult, by their place: 1, 2, …
    vip_listed: tuple[Listed, ...] = ()  # those of `vip` with an end or a reason, as `When.listed`

    @property
    def discreet(self) -> bool:
        """Whether notices about its calls carry no content: health and legal privilege."""
        return self.profile in {"medical", "legal"}


@dataclass(frozen=True, slots=True)
class Contact:
    """One who can be rung for a caller: somebody outside, or (`post`) a secretary at her own phone, whose
    `number` is then her extension."""

    name: str
    number: str
    post: str | None = None


@dataclass(frozen=True, slots=True)
class Shift:
    """When these are on call, in their order: `days` are ISO weekdays (empty: every day), `span` local
    time of the bureau (None: the whole day; it may cross midnight), `dates` an inclusive pair."""

    order: tuple[Contact, ...]
    days: tuple[int, ...] = ()
    span: TimeRange | None = None
    dates: tuple[date, date] | None = None


@dataclass(frozen=True, slots=True)
class Roster:
    """Who is on call: `shifts`, the first that holds decides; each contact rings `ring_for` seconds, all
    of them up to `rounds` times with `pause` seconds between rounds, until one presses `accept`.
    `fallback`: who is rung last of all, without end of duty (the team lead)."""

    id: str
    shifts: tuple[Shift, ...]
    ring_for: float = 30.0
    rounds: int = 2
    pause: float = 0.0
    accept: str = "1"
    fallback: Contact | None = None


@dataclass(frozen=True, slots=True)
class Secretary:
    """Who answers (the field says agent). `teams` maps a team to her level there, 1 best. `whisper`: she
    hears the client's name before the caller is joined."""

    id: str
    name: str
    extension: str
    password: str = field(repr=False)
    teams: Mapping[str, int] = field(default_factory=dict)
    languages: tuple[str, ...] = ("fr",)
    country: str | None = None
    site: str | None = None
    auto_login: bool = False
    whisper: bool = False


@dataclass(frozen=True, slots=True)
class Widening:
    """After a caller waited `after` seconds, his team reaches `to` as well."""

    after: float
    to: str


MODES = ("listen", "whisper", "barge")
"""How a team lead may take part in a conversation: unheard, heard by the secretary, heard by everybody."""


@dataclass(frozen=True, slots=True)
class Supervision:
    """When and how a team may be listened to by its leads. `week` as in `Hours`, in the bureau's zone; `beep`: the
    secretary hears a soft tone as well; `confidential`: also calls of medical and legal clients."""

    week: Mapping[int, tuple[TimeRange, ...]]
    modes: tuple[str, ...] = MODES
    beep: bool = False
    confidential: bool = False


@dataclass(frozen=True, slots=True)
class Team:
    """A skill group. `extension`: what a secretary dials to send a caller to its queue. `leads`: the secretaries
    who lead it; they may hear its conversations within `supervision` (None: never)."""

    id: str
    widen: tuple[Widening, ...] = ()
    extension: str | None = None
    leads: tuple[str, ...] = ()
    supervision: Supervision | None = None


@dataclass(frozen=True, slots=True)
class Trunk:
    """An operator. `did_in` says where its calls carry the DID: request_uri, to,
    p_called_party_id or header:X-Name."""

    id: str
    match: tuple[str, ...]
    did_in: str = "request_uri"
    host: str | None = None
    max_calls: int | None = None


@dataclass(frozen=True, slots=True)
class Quota:
    """How long and how often a day a pause of one reason may be; None: no limit. Seconds and times."""

    longest: float | None = None
    a_day: float | None = None
    times: int | None = None


@dataclass(frozen=True, slots=True)
class Breather:
    """After `calls` conversations without a rest of `rest` seconds between them, so long a rest."""

    calls: int
    rest: float


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be dialled in one name: numbers at the same time, calls in any hour, seconds of conversation on
    one day."""

    at_once: int = 2
    per_hour: int = 20
    seconds_a_day: float = 3600.0


@dataclass(frozen=True, slots=True)
class Dialling:
    """Which numbers outside people of the bureau may have dialled, and how many. `international`: prefixes abroad
    (E.164); `overseas`: whether the country's overseas departments count as home; `premium_abroad`: of the
    countries that may be dialled, the country code and the expression of numbers that cost more. At `alarm_at`
    of a limit (a part of it) the supervisor is told."""

    international: tuple[str, ...] = ()
    overseas: bool = True
    premium: bool = False
    premium_abroad: tuple[tuple[str, str], ...] = ()
    per_secretary: Limits = Limits()
    per_client: Limits = Limits(4, 60, 4 * 3600.0)
    alarm_at: float = 0.5


@dataclass(frozen=True, slots=True)
class Bureau:
    """The answering service itself."""

    name: str
    number: str
    country: str
    timezone: str
    language: str
    unknown_client: str
    pause_after: int = 3
    quotas: Mapping[str, Quota] = field(default_factory=dict)
    breather: Breather | None = None
    supervisor: tuple[str, ...] = ()  # mail addresses that are told of what needs somebody
    hold_reminder: float = 60.0  # seconds on hold after which she is reminded, again and again; 0: never
    outgoing: Dialling = Dialling()
    parking_return: float = 90.0  # seconds after which who was parked returns to the one who parked him
    forwarding_outside: bool = False  # whether a secretary may forward her phone to a number outside
    forwarding_depth: int = 3  # phones that may send one call on


@dataclass(frozen=True, slots=True)
class Phrases:
    """What a waiting caller is told, spoken ahead in one language. `positions`: "you are the first", … in
    order; `beyond`: further back than that. `waits`: upper bound in seconds and its sentence, ascending;
    `longer`: beyond the last."""

    positions: tuple[Audio, ...] = ()
    beyond: Audio | None = None
    waits: tuple[tuple[float, Audio], ...] = ()
    longer: Audio | None = None


@dataclass(frozen=True, slots=True)
class StockSounds:
    """Prompts of the house in the bureau's language that no client has to configure."""

    nobody: Audio
    closed: Audio
    please_wait: Audio
    unknown: Audio
    music: Music
    in_progress: Audio | None = None  # for a secretary who waits for the end of a message
    comfort: Audio | None = None  # "please stay on the line": her phone vanished in the conversation
    no_answer: Audio | None = None  # nobody outside could be reached
    still_trying: Audio | None = None  # "please stay on the line": the next round of a roster begins
    voicemail: Audio | None = None  # "leave a message after the tone"
    voicemail_saved: Audio | None = None
    beep: Audio | None = None  # from here on he is recorded
    callback_promised: Audio | None = None
    callback_hold: Audio | None = None  # to the secretary while the caller is being called back
    callback_refused: Audio | None = None  # no number, closed soon, or one is promised already
    whispers: Mapping[str, Audio] = field(default_factory=dict)  # a client's name by client id
    phrases: Mapping[str, Phrases] = field(default_factory=dict)  # by language
    refusals: Mapping[str, Audio] = field(default_factory=dict)  # why a dialled call is refused, by its word
    notices: Mapping[str, Audio] = field(
        default_factory=dict
    )  # recording on/off, room joined/left, parked, …


@dataclass(frozen=True, slots=True)
class Configuration:
    """One version of everything. `version` is derived from the content, so equal files are equal versions."""

    version: str
    bureau: Bureau
    trunks: Mapping[str, Trunk]
    secretaries: Mapping[str, Secretary]
    teams: Mapping[str, Team]
    clients: Mapping[str, Client]
    stock: StockSounds
    music: Mapping[str, Music] = field(default_factory=dict)
    rosters: Mapping[str, Roster] = field(default_factory=dict)
    blocked: Rule | None = None  # asked before the rules of every client
    texts: Texting = field(default_factory=Texting)
