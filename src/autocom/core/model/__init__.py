"""The bureau as frozen values: clients, secretaries, teams, rules and their steps.

`autocom.config` builds these from the YAML files; everything else only reads them, by the names below. They must
not know about files, YAML or pydantic. Invariant: a value here is complete and valid (numbers
are E.164, sounds exist and are converted, every team a queue names exists), so no reader
checks again. Durations are seconds (float), instants are UTC epoch seconds (float), local
times are naive `datetime`/`time` in the zone of the client that owns them.
"""

from __future__ import annotations

from autocom.core.model.bureau import (
    Breather,
    Bureau,
    Configuration,
    Quota,
    Trunk,
)
from autocom.core.model.clients import (
    Client,
    Decision,
    Line,
)
from autocom.core.model.outgoing import (
    Dialling,
    Limits,
)
from autocom.core.model.people import (
    MODES,
    Contact,
    Roster,
    Secretary,
    Shift,
    Supervision,
    Team,
    Widening,
)
from autocom.core.model.rules import (
    BLOCKED,
    NO_CALLER,
    ForwardReason,
    Listed,
    Rule,
    When,
)
from autocom.core.model.sounds import (
    Audio,
    Music,
    Phrases,
    StockSounds,
)
from autocom.core.model.steps import (
    ON_ANSWER_AT_MOST,
    Announcements,
    Answer,
    Callback,
    Enqueue,
    Forward,
    Hangup,
    HangupKind,
    Jump,
    Menu,
    Mode,
    OnCall,
    Play,
    Ringback,
    Ringing,
    SendMessage,
    Step,
    Voicemail,
)
from autocom.core.model.times import (
    Closure,
    Hours,
    TimeRange,
)

__all__ = [
    "BLOCKED",
    "MODES",
    "NO_CALLER",
    "ON_ANSWER_AT_MOST",
    "Announcements",
    "Answer",
    "Audio",
    "Breather",
    "Bureau",
    "Callback",
    "Client",
    "Closure",
    "Configuration",
    "Contact",
    "Decision",
    "Dialling",
    "Enqueue",
    "Forward",
    "ForwardReason",
    "Hangup",
    "HangupKind",
    "Hours",
    "Jump",
    "Limits",
    "Line",
    "Listed",
    "Menu",
    "Mode",
    "Music",
    "OnCall",
    "Phrases",
    "Play",
    "Quota",
    "Ringback",
    "Ringing",
    "Roster",
    "Rule",
    "Secretary",
    "SendMessage",
    "Shift",
    "Step",
    "StockSounds",
    "Supervision",
    "Team",
    "TimeRange",
    "Trunk",
    "Voicemail",
    "When",
    "Widening",
]
