"""Texts (SMS, MMS, SIP MESSAGE) as frozen values: what came, what goes out, and by which providers.

An `Incoming` is a text to one of our numbers, an `Outgoing` one that leaves with such a number. Each is a
row of the local log under its own key until PostgreSQL has it and nothing is left to do for it. Must not
know how anything is sent, shown or stored. Invariants: ids are derived from what the other side calls the
text, so that one that comes twice is one; a text's content and the numbers of people outside stand in the
row alone, never in an entry of the journal. The rules are in `texting`, `texts.ledger` keeps the rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from autocom.core import references
from autocom.core.codec import Codec
from autocom.core.journal import Json
from autocom.core.telephony import RawHeaders

TEXT = "text:"
"""What the keys of the rows begin with."""

_LETTERS = 6

State = Literal["queued", "sent", "delivered", "failed"]
"""Of an outgoing text: to be handed over, handed over, on his phone, not to be delivered."""


# --- how texts come and go: of the configuration -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TextProvider:
    """A gateway for texts. `kind`: `webhook` (HTTP both ways), `smpp` (3.4, one transceiver session) or `trunk`
    (SIP MESSAGE by one of our trunks).

    Webhook: `url` takes what goes out with `token` as bearer (None: it only receives); what comes in is proved
    by `secret` (HMAC-SHA256 of the body in the header `signature`) or by `inbound_token`; `fields` says how
    the provider calls ours; attachments are fetched from `media_hosts` only. SMPP: `host`, `port`, `tls`,
    `user`, `password`. Trunk: its id, and its `host` as the trunk has it."""

    id: str
    kind: str
    url: str | None = None
    token: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)
    signature: str = "X-Signature"
    inbound_token: str | None = field(default=None, repr=False)
    fields: Mapping[str, str] = field(default_factory=dict)
    media_hosts: tuple[str, ...] = ()
    host: str = ""
    port: int = 2775
    tls: bool = False
    user: str = ""
    password: str = field(default="", repr=False)
    trunk: str | None = None

    @property
    def sends(self) -> bool:
        """Whether texts can go out by it."""
        return self.kind != "webhook" or self.url is not None


@dataclass(frozen=True, slots=True)
class Texting:
    """`texts` of bureau.yaml. `per_client`, `per_secretary`: texts in any hour."""

    providers: Mapping[str, TextProvider] = field(default_factory=dict)
    per_client: int = 60
    per_secretary: int = 60


# --- texts -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attachment:
    """Something that came with a text and was kept: its name in the store is `digest` (SHA-256 of the content,
    hexadecimal). `type` is what its bytes say it is, whatever the provider called it. `size` in bytes."""

    digest: str
    type: str
    size: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """A text as a provider, a trunk or a phone handed it over; nothing in it is trusted. `message` is what the
    other side calls it; None where it has no name for it (SMPP). `did_text` and `sender_text` as written.
    `media`: addresses of attachments. `session`: an SMPP session, in which nothing comes twice. `flags`: what
    was lost on the way here."""

    provider: str
    did_text: str
    sender_text: str
    body: str
    message: str | None = None
    media: tuple[str, ...] = ()
    content: tuple[bytes, ...] = ()
    session: str = ""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Spooled:
    """A SIP MESSAGE as Asterisk took it. `name` is unique. `secretary`: whose phone sent it (proved by digest), None
    where a trunk did, from `address` (with port). `others`: headers in which a trunk may put the number called.
    `complete` is False where Asterisk dropped the body (22.10.1: from 1024
    bytes on)."""

    name: str
    secretary: str | None
    headers: RawHeaders
    address: str
    body: str
    others: Mapping[str, str] = field(default_factory=dict)
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Incoming:
    """A text to one of our numbers. `peer` is the sender's number, None where he has none, and then `sender` what
    may be shown of him. `media`: attachments that are still to be fetched; `lost`: how many were refused, `lost_why`: and why.
    `shown`: the secretaries whose phones were told; `answered`: who answered first, and `told`: the others were
    told so. `kept`: PostgreSQL has it as it is now. Instants are UTC epoch seconds."""

    id: str
    reference: str
    provider: str
    client: str
    body: str
    at: float
    forget_at: float
    did: str | None = None
    peer: str | None = None
    sender: str = ""
    discreet: bool = False
    flags: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    media: tuple[str, ...] = ()
    lost: int = 0
    lost_why: str = ""
    tries: int = 0
    due: float = 0.0
    shown: tuple[str, ...] = ()
    answered: str | None = None
    told: bool = False
    session: str = ""
    kept: bool = False

    @property
    def pieces(self) -> int:
        """How many attachments it has or will have."""
        return len(self.attachments) + len(self.media)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A text to somebody outside. `client` None: the bureau's own. `number` is the one he sees; `secretary` or
    else `author` sent it; `answers`: the incoming text's id. `parts`: what the provider calls those parts of it
    that were handed over, in order, of `wanted`; `receipts`: what became of each. `due`: not tried before,
    after `tries` failures with `error` as the last. `since`: when it came into its state. `told`: she was told
    that it failed."""

    id: str
    reference: str
    provider: str
    client: str | None
    number: str
    to: str
    body: str
    at: float
    forget_at: float
    secretary: str | None = None
    author: str = ""
    answers: str | None = None
    discreet: bool = False
    state: State = "queued"
    since: float = 0.0
    wanted: int = 1
    parts: tuple[str, ...] = ()
    receipts: Mapping[str, str] = field(default_factory=dict)
    tries: int = 0
    due: float = 0.0
    error: str = ""
    told: bool = False
    kept: bool = False


Text = Incoming | Outgoing

CODEC = Codec((Incoming, Outgoing))


def row_of(text: Text) -> dict[str, Json]:
    """The row to save: its key and its JSON."""
    return {TEXT + text.id: CODEC.dump(text)}


def texts(rows: Mapping[str, Json]) -> tuple[list[Text], list[str]]:
    """The texts among these rows, oldest first; and the keys of those that cannot be read."""
    found: list[Text]
    found, broken = CODEC.rows(Text, TEXT, rows)
    return sorted(found, key=lambda text: (text.at, text.id)), broken


def incoming_id(provider: str, message: str) -> str:
    """The text that this provider calls so: the same however often it is handed over."""
    return "ti" + _digest(f"{provider}\n{message}")


def outgoing_id(author: str, key: str) -> str:
    """The text that `author` asked for under this key: the same however often he asks."""
    return "to" + _digest(f"{author}\n{key}")


def reference(text: str) -> str:
    """Six letters by which a text is asked for on the telephone: there are many in a few days."""
    return references.reference(text, _LETTERS)


def is_reference(word: str) -> bool:
    """Whether this could be one."""
    return references.is_reference(word, _LETTERS)


def _digest(text: str) -> str:
    return hashlib.blake2s(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
