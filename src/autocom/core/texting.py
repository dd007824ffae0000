"""The rules of texts: whose a text is, who is shown it, what an address means, and what is never sent.

Pure: values in, values out, time as an argument. Whose an incoming text is, is decided as for a call
(`ingress`). Must not know providers' protocols, phones or files. Invariants: every text has a client; of a
discreet client's texts no phone is told a word or a number; nothing goes to an emergency number, to a
number that is paid dearly, or to ourselves, and a client's number is shown only where it was verified.
`texts.reception` and `texts.despatch` ask here, and save what comes of it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from autocom.core.dialling import forbidden, own_numbers, unreadable
from autocom.core.ingress import Identity, NumberBook, identify
from autocom.core.model import Client, Configuration
from autocom.core.numbers import FRANCE, NumberingPlan, normalise
from autocom.core.posts import Post
from autocom.core.reach import in_reach, queues, suits
from autocom.core.sip import ANONYMOUS_USERS, clean
from autocom.core.targets import by_extension, by_short_code
from autocom.core.telephony import RawHeaders
from autocom.core.texts import Arrival, Incoming, Outgoing, Text, is_reference, reference

HOUR = 3600.0
DAY = 86400.0
ANSWERABLE = 3 * DAY
"""Seconds for which a text that came can be answered by its reference, and is known again."""

SHOWABLE = 7 * DAY
"""Seconds after which a text that nobody was there for is shown to nobody any more."""

RECEIPTS = 3 * DAY
"""Seconds for which it is heard what became of a text that was handed over."""

SAME_AGAIN = 600.0
"""Seconds within which an equal text of a new SMPP session is the one that the old session broke off in."""

LONGEST = 10_000
"""Characters of a text that are kept."""

MOST_PARTS = 10
"""Parts (SMS) of one outgoing text."""

_SENDER = 20
_TYPE_OVER = frozenset("\u200c\u200d")  # joiners: without them a family of emoji falls apart

Refusal = Literal[
    "empty", "too_long", "no_number", "emergency", "premium", "satellite", "international", "loop", "no_provider",
    "client_limit", "secretary_limit", "not_hers", "unknown",
]  # fmt: skip


def body_of(text: str) -> str:
    """What somebody wrote, fit to be kept and shown: line ends as they are, no other control, direction or
    broken character, at most `LONGEST` of them."""
    lines = text[: 2 * LONGEST].replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(c for c in lines if c == "\n" or c in _TYPE_OVER or _shown(c))
    return kept[:LONGEST].strip()


def _shown(character: str) -> bool:
    return not unicodedata.category(character).startswith("C") or character == "\t"


# --- what comes in -----------------------------------------------------------------------------------------


def arrived(
    arrival: Arrival,
    id: str,  # noqa: A002 - as the values call it
    now: float,
    configuration: Configuration,
    book: NumberBook,
    plan: NumberingPlan = FRANCE,
    *,
    headers: RawHeaders | None = None,
    trunk: str | None = None,
) -> tuple[Incoming, Identity]:
    """The text, and how it was decided whose it is. `headers`: of a SIP MESSAGE, with the trunk it came by."""
    named = headers if headers is not None else RawHeaders(request_user=arrival.did_text)
    identity = identify(named, configuration.trunks.get(trunk or ""), book, plan)
    client = configuration.clients[identity.client]
    if headers is not None:
        peer, sender = identity.caller, "" if identity.anonymous else identity.caller_text
    else:
        withheld = arrival.sender_text.strip().casefold() in ANONYMOUS_USERS
        peer, sender = normalise(arrival.sender_text, plan), "" if withheld else arrival.sender_text
    is_cut = len(arrival.body.replace("\r\n", "\n")) > LONGEST
    text = Incoming(
        id=id,
        reference=reference(id),
        provider=arrival.provider,
        client=client.id,
        body=body_of(arrival.body),
        at=now,
        forget_at=now + client.retention_texts,
        did=identity.did,
        peer=peer,
        sender="" if peer else clean(sender, _SENDER),
        discreet=client.discreet,
        flags=(*identity.flags, *arrival.flags, *(("incomplete",) if is_cut else ())),
        media=arrival.media,
        session=arrival.session,
    )
    return text, identity


def same_again(arrival: Arrival, text: Text, now: float) -> bool:
    """Whether this arrival, which has no name, is a text that the session before it broke off in: the other
    side had no answer, and says it again."""
    return (
        isinstance(text, Incoming)
        and text.provider == arrival.provider
        and text.session != arrival.session
        and now - text.at <= SAME_AGAIN
        and text.body == body_of(arrival.body)
    )


def audience(configuration: Configuration, client: Client, posts: Mapping[str, Post]) -> tuple[str, ...]:
    """Who is shown a text of this client now: those of its queues' teams who are at work, else those whom the
    teams widen to."""
    wide = in_reach(client, configuration.teams, configuration.secretaries, configuration.bureau)
    present = [name for name in sorted(wide) if name in posts and posts[name].present]
    teams = {queue.team for queue in queues(client)}
    own = [
        name
        for name in present
        if not teams.isdisjoint(configuration.secretaries[name].teams)
        and suits(configuration.secretaries[name], client, configuration.bureau)
    ]
    return tuple(own or present)


def conversation(text: Incoming) -> str:
    """The address that her softphone answers to: the number and the client, or nothing but the reference."""
    if text.discreet or text.peer is None:
        return f"{text.reference}*{text.client}"
    return f"{text.peer}*{text.client}"


# --- what an address means ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """To whoever sent the text with this reference."""

    reference: str
    client: str


@dataclass(frozen=True, slots=True)
class ToNumber:
    """To a number, for a client or (None) for the bureau."""

    number: str
    client: str | None


@dataclass(frozen=True, slots=True)
class ToColleague:
    """To another secretary's softphone."""

    secretary: str


Target = Answer | ToNumber | ToColleague


def target(user: str, configuration: Configuration) -> Target | None:
    """What a secretary's softphone wrote to: `+33…*client`, `REF*client`, `*9CODE*NUMBER`, `0…` or `+…`, or a
    colleague's extension; None: nothing of these."""
    if user.startswith("*9"):
        code, _, number = user[2:].partition("*")
        found = by_short_code(code, configuration)
        return ToNumber(number, found.id) if found is not None and number else None
    number, star, client = user.partition("*")
    if star:
        if client not in configuration.clients:
            return None
        return Answer(number, client) if is_reference(number) else ToNumber(number, client)
    colleague = by_extension(user, configuration)
    if colleague is not None:
        return ToColleague(colleague.id)
    return ToNumber(user, None) if user.startswith(("0", "+")) or user.isdigit() else None


# --- what goes out -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wish:
    """A text that somebody wants sent. `id` as in `texts.outgoing_id`. `client` None: for the bureau. `parts`: how
    many SMS it takes. `answers`: the text that it answers. `written`: the number stands in the admin's files."""

    id: str
    client: str | None
    to: str
    body: str
    parts: int = 1
    secretary: str | None = None
    author: str = ""
    answers: Incoming | None = None
    written: bool = False


def outgoing(
    wish: Wish,
    configuration: Configuration,
    texts: Iterable[Text],
    now: float,
    plan: NumberingPlan = FRANCE,
) -> Outgoing | Refusal:
    """The text to send, or why it is not sent. `texts`: all that are known, for the limits."""
    client = configuration.clients.get(wish.client or "")
    if (why := _unfit(wish, client, configuration)) is not None:
        return why
    to = normalise(wish.to, plan)
    if to is None:
        unread = unreadable(wish.to.strip(), plan)
        return unread if unread in ("emergency", "premium") else "no_number"
    if (why := _forbidden(to, wish, client, configuration, plan)) is not None:
        return why
    provider = provider_for(configuration, client, wish.answers)
    if provider is None:
        return "no_provider"
    if (why := _over(wish, configuration, texts, now)) is not None:
        return why
    verified = client is not None and client.outgoing_verified and client.outgoing_number is not None
    number = client.outgoing_number if client is not None and verified else None
    kept = client.retention_texts if client is not None else 30 * DAY
    return Outgoing(
        id=wish.id,
        reference=reference(wish.id),
        provider=provider,
        client=wish.client,
        number=number or configuration.bureau.number,
        to=to,
        body=body_of(wish.body),
        at=now,
        forget_at=now + kept,
        secretary=wish.secretary,
        author=wish.author,
        answers=wish.answers.id if wish.answers else None,
        discreet=client is not None and client.discreet,
        since=now,
        wanted=wish.parts,
        due=now,
    )


def provider_for(
    configuration: Configuration, client: Client | None, answers: Incoming | None = None
) -> str | None:
    """By which provider: the client's own, else the one that brought what is answered, else the first that sends."""
    providers = configuration.texts.providers
    wanted = [client.texts_by if client is not None else None, answers.provider if answers else None]
    sending = [provider.id for provider in providers.values() if provider.sends]
    return next((name for name in (*wanted, *sending) if name in sending), None)


def _unfit(wish: Wish, client: Client | None, configuration: Configuration) -> Refusal | None:
    """What is wrong with the text itself, and with who wants it sent for whom."""
    if not body_of(wish.body):
        return "empty"
    if wish.parts > MOST_PARTS:
        return "too_long"
    if client is None:
        return None if wish.client is None else "unknown"
    reach = in_reach(client, configuration.teams, configuration.secretaries, configuration.bureau)
    return "not_hers" if wish.secretary is not None and wish.secretary not in reach else None


def _forbidden(
    number: str, wish: Wish, client: Client | None, configuration: Configuration, plan: NumberingPlan
) -> Refusal | None:
    """By the one rule for every number outside; what the admin wrote himself may lie in another country."""
    why = forbidden(number, configuration.bureau.outgoing, client, plan)
    if why is not None and not (why == "international" and wish.written):
        return why
    return "loop" if number in own_numbers(configuration) else None


def _over(wish: Wish, configuration: Configuration, texts: Iterable[Text], now: float) -> Refusal | None:
    """The limits of an hour: a stolen password, or a program gone wild, costs so many texts and no more."""
    if wish.written:
        return None
    recent = [text for text in texts if isinstance(text, Outgoing) and now - text.at < HOUR]
    if sum(text.client == wish.client for text in recent) >= configuration.texts.per_client:
        return "client_limit"
    hers = sum(text.secretary == wish.secretary for text in recent)
    if wish.secretary is not None and hers >= configuration.texts.per_secretary:
        return "secretary_limit"
    return None


# --- what became of it -------------------------------------------------------------------------------------


def receipted(text: Outgoing, part: str, *, delivered: bool, now: float) -> Outgoing:
    """After a delivery receipt for one of its parts: delivered when all of them are, failed when one is."""
    receipts = {**text.receipts, part: "delivered" if delivered else "failed"}
    done = [receipts.get(each) for each in text.parts]
    text = replace(text, receipts=receipts, kept=False)
    if "failed" in done and text.state != "failed":
        return replace(text, state="failed", since=now)
    complete = len(text.parts) >= text.wanted and all(state == "delivered" for state in done)
    return replace(text, state="delivered", since=now) if complete and text.state != "delivered" else text


def rests(text: Text) -> bool:
    """Whether nothing is to be done for it now: it is kept for answers, receipts and limits alone."""
    match text:
        case Incoming():
            seen = bool(text.shown) and (text.answered is None or text.told)
            return text.kept and seen and not text.media
        case Outgoing():
            owed = text.state == "failed" and text.secretary is not None and not text.told
            return text.kept and text.state != "queued" and not owed


def done_with(text: Text, now: float) -> bool:
    """Whether nothing can come of its row any more: PostgreSQL has it."""
    if not text.kept:
        return False
    match text:
        case Incoming():
            seen = bool(text.shown) or now - text.at >= SHOWABLE
            return seen and not text.media and now - text.at >= ANSWERABLE
        case Outgoing(state="queued"):
            return False
        case Outgoing(state="sent"):
            return now - text.since >= RECEIPTS
        case Outgoing():
            return now - text.at >= HOUR
