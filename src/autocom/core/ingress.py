"""Whose call it is: from the SIP headers of an incoming call to a client, a caller and a forwarded line.

Decides the client (by DID, and by the line that was forwarded where several share a DID), who calls,
and why the client's line sent the call here. Must not know what then happens to the call (`routing`),
nor of Asterisk: the headers come as `RawHeaders`. Invariants: every call gets a client, an unknown or
ambiguous one gets `unknown_client` and a flag; of a caller who withholds his number nothing at all is
left in the result; every choice leaves a sentence in `why`, and no caller's number stands in one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from autocom.core.model import Configuration, ForwardReason, Trunk
from autocom.core.numbers import FRANCE, NumberingPlan, is_platform, normalise
from autocom.core.sip import (
    Diverted,
    Uri,
    clean,
    diversions,
    history,
    is_anonymous,
    parse_address,
    privacy_words,
    split_list,
)
from autocom.core.telephony import RawHeaders

UNKNOWN_DID = "unknown_did"  # the number called is nobody's
NO_DID = "no_did"  # no place of the headers holds a telephone number
AMBIGUOUS = "ambiguous"  # several clients share the number, and no forwarded line tells them apart
DID_ELSEWHERE = "did_elsewhere"  # not in the place that the trunk names
PLATFORM = "platform"  # the caller's number is of a block kept for automated platforms
UNKNOWN_LINE = "unknown_line"  # the DID expects forwarded lines, and another one was forwarded

# RFC 3323 and 3325: whoever asks for one of these does not want his number shown
_PRIVATE = frozenset({"id", "header", "user", "full"})
_ANONYMOUS_NAMES = frozenset(
    {"anonymous", "anonyme", "restricted", "private", "withheld", "masqué", "numéro masqué", "appel masqué"}
)


@dataclass(frozen=True, slots=True)
class NumberBook:
    """The numbers of a configuration, for look-ups that do not grow with the number of clients.

    `plain`: DID → clients that take every call to it. `forwarded`: (DID, forwarded line) → client.
    `sharers`: DID → every client with that DID. `owners`: forwarded line → clients, on whatever DID."""

    unknown_client: str
    plain: Mapping[str, tuple[str, ...]]
    forwarded: Mapping[tuple[str, str], str]
    sharers: Mapping[str, tuple[str, ...]]
    owners: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, configuration: Configuration) -> NumberBook:
        """Index a configuration, once per version."""
        plain: dict[str, tuple[str, ...]] = {}
        forwarded: dict[tuple[str, str], str] = {}
        sharers: dict[str, tuple[str, ...]] = {}
        owners: dict[str, tuple[str, ...]] = {}
        for client in configuration.clients.values():
            for line in client.lines:
                _add(sharers, line.did, client.id)
                if line.forwarded_from is None:
                    _add(plain, line.did, client.id)
                else:
                    forwarded.setdefault((line.did, line.forwarded_from), client.id)
                    _add(owners, line.forwarded_from, client.id)
        return cls(configuration.bureau.unknown_client, plain, forwarded, sharers, owners)

    def clients_of(self, did: str) -> tuple[str, ...]:
        """Every client with this DID, in the configuration's order."""
        return self.sharers.get(did, ())


@dataclass(frozen=True, slots=True)
class Identity:
    """What is known of a call before its first rule is asked.

    `did` is None where no E.164 number was found, `did_text` is what stood there. `caller_text` is what
    may be shown of the caller beside his number: his name, else the user part as written; empty where he
    is anonymous. `forward_reason` is None where nothing was forwarded. `diversions`: oldest first, private
    lines that are no client's without their number. `candidates`: the clients it may be, if ambiguous."""

    client: str
    did: str | None
    did_text: str
    caller: str | None
    caller_text: str
    anonymous: bool
    forwarded_from: str | None = None
    forward_reason: ForwardReason | None = None
    diversions: tuple[Diverted, ...] = ()
    flags: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    why: tuple[str, ...] = ()


def identify(
    raw: RawHeaders, trunk: Trunk | None, book: NumberBook, plan: NumberingPlan = FRANCE
) -> Identity:
    """Who is called, by whom, and by way of which line. Never fails, whatever the headers hold.

    `trunk` None (Asterisk did not say) is read as one that puts the DID into the request URI."""
    called = _called(raw, trunk, plan)
    via = _forwarding(raw, called, book, plan)
    owner = _owner(called, via, book)
    caller = _caller(raw, plan)
    return Identity(
        client=owner.client,
        did=called.did,
        did_text=called.text,
        caller=caller.number,
        caller_text=caller.text,
        anonymous=caller.anonymous,
        forwarded_from=via.line,
        forward_reason=via.reason,
        diversions=via.entries,
        flags=called.flags + owner.flags + caller.flags,
        candidates=owner.candidates,
        why=called.why + via.why + owner.why + caller.why,
    )


# --- the number called -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Called:
    did: str | None
    text: str
    own: frozenset[str] = frozenset()  # the numbers in our places: none of them diverted anything
    elsewhere: tuple[tuple[str, str], ...] = ()  # place and number, of the other places
    flags: tuple[str, ...] = ()
    why: tuple[str, ...] = ()


_PLACES = {
    "request_uri": "Request-URI",
    "to": "To",
    "p_called_party_id": "P-Called-Party-ID",
}


def _called(raw: RawHeaders, trunk: Trunk | None, plan: NumberingPlan) -> _Called:
    """The DID, from the place that the trunk names, else from the request URI, else from To."""
    named = trunk.did_in if trunk else "request_uri"
    texts = {
        "request_uri": clean(parse_address(raw.request_user).uri.user),
        "to": clean(parse_address(raw.to).uri.user),
        "p_called_party_id": clean(parse_address(raw.p_called_party_id).uri.user),
    }
    if named.startswith("header:"):
        texts[named] = clean(parse_address(raw.did_header).uri.user)
    numbers = {place: number for place, text in texts.items() if (number := normalise(text, plan))}
    own = frozenset(numbers[place] for place in ("request_uri", named) if place in numbers)
    place = next((place for place in (named, "request_uri", "to") if place in numbers), None)
    if place is None:
        nowhere = (f"Neither {_place(named)} nor Request-URI nor To holds a telephone number.",)
        text = texts.get(named) or texts["request_uri"] or texts["to"]
        return _Called(None, text, flags=(NO_DID,), why=nowhere)
    why: tuple[str, ...] = (f"The number called, {numbers[place]}, stands in {_place(place)}.",)
    flags: tuple[str, ...] = ()
    if place != named:
        flags, why = (DID_ELSEWHERE,), (f"{_place(named)} holds no telephone number.", *why)
    others = tuple((other, number) for other, number in numbers.items() if other != place)
    return _Called(numbers[place], texts[place], own | {numbers[place]}, others, flags, why)


def _place(name: str) -> str:
    return _PLACES.get(name) or f"Header {clean(name.removeprefix('header:'), 40)}"


# --- the line that was forwarded -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Forwarding:
    line: str | None = None
    reason: ForwardReason | None = None
    entries: tuple[Diverted, ...] = ()
    client: str | None = None  # the client whose line it is on the DID called
    why: tuple[str, ...] = ()


def _forwarding(raw: RawHeaders, called: _Called, book: NumberBook, plan: NumberingPlan) -> _Forwarding:
    """The forwarded line: one that a client of this DID has, whatever its position, else the first.

    Diversion is read before History-Info (networks that send both derive one from the other, RFC 7544).
    Where two lines of the same DID diverted in turn, the older one is the practice that was called."""
    hidden = "history" in privacy_words(raw.privacy)
    found: list[tuple[Diverted, str | None]] = []
    for entry in (*diversions(raw.diversion), *history(raw.history_info)):
        number = normalise(entry.number_text, plan)
        from_history = entry.source == "history-info"
        if number in called.own or (from_history and number is None and not entry.private):
            continue  # the number called here, or the address of a device: neither is a forwarded line
        found.append((replace(entry, private=entry.private or (hidden and from_history)), number))
    if not found:
        return _Forwarding(why=("Nothing says that the call was forwarded.",))
    # what a private entry hides may be kept only where it is the client's own line, which we know anyway
    entries = tuple(
        replace(entry, number_text="") if entry.private and (number or "") not in book.owners else entry
        for entry, number in found
    )
    for entry, number in found:
        client = book.forwarded.get((called.did or "", number or ""))
        if client is not None and number is not None:
            why = f"It was forwarded from {number} ({_source(entry)}), a line of {client} on this number."
            return _Forwarding(number, _reason_of(number, found), entries, client, (why,))
    entry, number = found[0]
    reason = _reason_of(number, found)
    if number is None or (entry.private and number not in book.owners):
        why = f"It was forwarded ({_source(entry)}) from a line that is withheld or is no telephone number."
        return _Forwarding(None, reason, entries, None, (why,))
    why = f"It was forwarded from {number} ({_source(entry)}), which is no client's line on this number."
    return _Forwarding(number, reason, entries, None, (why,))


def _reason_of(number: str | None, found: Iterable[tuple[Diverted, str | None]]) -> ForwardReason:
    """The first reason given for that line; one header often says what the other leaves open."""
    given = (entry.reason for entry, other in found if other == number)
    return next((reason for reason in given if reason is not ForwardReason.UNKNOWN), ForwardReason.UNKNOWN)


def _source(entry: Diverted) -> str:
    return "Diversion" if entry.source == "diversion" else "History-Info"


# --- the client ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Owner:
    client: str
    flags: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    why: tuple[str, ...] = ()


def _owner(called: _Called, via: _Forwarding, book: NumberBook) -> _Owner:
    served = f"It is served as {book.unknown_client}."
    if called.did is None:
        return _Owner(book.unknown_client, (), _owners_of(via, book), (served,))
    sharers = book.clients_of(called.did)
    if not sharers:
        hints = (
            f"{_place(place)} holds {number}, a number of {', '.join(book.clients_of(number))}: "
            "does the trunk's did_in name the right place?"
            for place, number in called.elsewhere
            if book.clients_of(number)
        )
        why = (f"{called.did} is no client's number.", *hints, served)
        return _Owner(book.unknown_client, (UNKNOWN_DID,), _owners_of(via, book), why)
    if via.client is not None:
        return _Owner(via.client, why=(f"So it is a call for {via.client}.",))
    plain = book.plain.get(called.did, ())
    if len(plain) == 1:
        return _Owner(plain[0], why=(f"{plain[0]} has {called.did} whatever line was forwarded.",))
    strange = (UNKNOWN_LINE,) if via.reason is not None else ()
    if len(sharers) == 1:
        return _Owner(sharers[0], strange, why=(f"{sharers[0]} alone has {called.did}.",))
    candidates = plain or sharers
    why = (f"{called.did} is shared by {', '.join(candidates)}, and no forwarded line decides.", served)
    return _Owner(book.unknown_client, (AMBIGUOUS, *strange), candidates, why)


def _owners_of(via: _Forwarding, book: NumberBook) -> tuple[str, ...]:
    return book.owners.get(via.line, ()) if via.line else ()


# --- the caller ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Caller:
    number: str | None
    text: str
    anonymous: bool
    why: tuple[str, ...]
    flags: tuple[str, ...] = ()


def _caller(raw: RawHeaders, plan: NumberingPlan) -> _Caller:
    """Who calls. The network's word (P-Asserted-Identity) counts before the caller's own (From)."""
    if withheld := _withheld(raw):
        return _Caller(None, "", True, (f"The caller withholds his number ({withheld}).",))
    sender = parse_address(raw.from_)
    name = sender.display or clean(raw.caller_name)
    for entry in split_list(raw.p_asserted_identity)[:4]:
        asserted = parse_address(entry)
        if number := normalise(asserted.uri.user, plan):
            text = name or asserted.display or clean(asserted.uri.user)
            return _known(number, text, "that the network asserts")
    for user, source in ((sender.uri.user, "From"), (raw.caller_number, "Asterisk")):
        if number := normalise(user, plan):
            return _known(number, name or clean(user), f"of {source}")
    text = name or clean(sender.uri.user or raw.caller_number)
    return _Caller(None, text, False, ("The caller gives no telephone number.",))


def _known(number: str, text: str, source: str) -> _Caller:
    why: tuple[str, ...] = (f"The caller's number is the one {source}.",)
    if not is_platform(number):
        return _Caller(number, text, False, why)
    return _Caller(number, text, False, (*why, "It is of a block kept for automated platforms."), (PLATFORM,))


def _withheld(raw: RawHeaders) -> str | None:
    """What says that the caller is not to be known; None where nothing does.

    Strict on purpose: a number shown against its owner's will cannot be taken back, one hidden
    needlessly costs a question."""
    if privacy_words(raw.privacy) & _PRIVATE:
        return "Privacy"
    sender = parse_address(raw.from_)
    if is_anonymous(sender.uri) or sender.display.casefold() in _ANONYMOUS_NAMES:
        return "an anonymous From"
    if not sender.uri.user and not (raw.from_ == "" and raw.caller_number.strip()):
        return "no user in From"
    if is_anonymous(_first_asserted(raw)):
        return "an anonymous P-Asserted-Identity"
    if raw.caller_number.strip().casefold() in {"anonymous", "restricted"}:
        return "an anonymous caller number"
    return None


def _first_asserted(raw: RawHeaders) -> Uri:
    return parse_address(next(iter(split_list(raw.p_asserted_identity)), "")).uri


def _add(book: dict[str, tuple[str, ...]], key: str, client: str) -> None:
    if client not in book.get(key, ()):
        book[key] = (*book.get(key, ()), client)
