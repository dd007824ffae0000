"""Whose call it is, from its SIP headers: `autocom.core.sip`, `numbers` and `ingress` once more, for `standby_route.py`.

Standard library only and nothing of autocom, which may be gone; a property test holds the two together, whatever the
headers hold. Must not know the rules of a client. Invariant: every text gives an answer, never an error, in time linear
in its length; of a caller who withholds his number nothing is left in the result.
"""

import re
import unicodedata

LONGEST, ENTRIES, SHOWN, PARAMS = 8_192, 32, 80, 64

# --- SIP headers: as autocom.core.sip --------------------------------------------------------

QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)
ANGLED = re.compile(r"<[^<>]*+>")
ESCAPED = re.compile(r"\\(.)", re.DOTALL)
SCHEME = re.compile(r"\s*(sips?|tel):", re.IGNORECASE)
PORT = re.compile(r":\d{1,5}$")
INDEX = re.compile(r"\d{1,6}(?:\.\d{1,6}){0,31}", re.ASCII)
ANONYMOUS_USERS = {"anonymous", "restricted", "unavailable", "private", "withheld", "anonyme"}
ANONYMOUS_NAMES = {
    "anonymous", "anonyme", "restricted", "private", "withheld", "masqué", "numéro masqué", "appel masqué",
}  # fmt: skip
PRIVATE = {"id", "header", "user", "full"}
DIVERSION_REASONS = {
    "unconditional": "unconditional", "cfu": "unconditional", "time-of-day": "unconditional",
    "follow-me": "unconditional", "do-not-disturb": "unconditional", "dnd": "unconditional",
    "away": "unconditional", "no-answer": "no-answer", "noanswer": "no-answer", "cfnr": "no-answer",
    "user-busy": "busy", "busy": "busy", "cfb": "busy", "deflection": "busy",
    "unavailable": "unavailable", "out-of-service": "unavailable", "out_of_order": "unavailable",
}  # fmt: skip
SIP_CAUSES = {
    "302": "unconditional", "486": "busy", "600": "busy", "603": "busy", "408": "no-answer",
    "487": "no-answer", "480": "unavailable", "503": "unavailable",
}  # fmt: skip
Q850_CAUSES = {
    "17": "busy", "21": "busy", "18": "no-answer", "19": "no-answer", "20": "unavailable",
    "27": "unavailable",
}  # fmt: skip
UNKNOWN = "unknown"


def unquote(text):
    """Percent escapes resolved."""
    if "%" not in text:
        return text
    # its import is half of this script's start, and hardly any header needs it
    from urllib.parse import unquote as resolve  # noqa: PLC0415

    return resolve(text)


def clean(text, limit=SHOWN):
    """Without control, format, surrogate, private-use and unassigned characters; white space is one space."""
    shown = []
    for character in text[:LONGEST]:
        if character.isspace():
            if shown and shown[-1] != " ":
                shown.append(" ")
        elif not unicodedata.category(character).startswith("C"):
            shown.append(character)
        if len(shown) >= limit:
            break
    return "".join(shown).strip()


def split_list(text, separator=","):
    """The elements between top-level separators; quoted strings and `<…>` are kept whole."""
    text = text[:LONGEST]
    special = re.compile(f'["<{re.escape(separator)}]')
    parts = []
    start = at = 0
    quotes_close = True
    while (found := special.search(text, at)) is not None:
        at = found.end()
        if found.group() == separator:
            parts.append(text[start : at - 1])
            start = at
        elif found.group() == "<":
            angled = ANGLED.match(text, at - 1)
            at = angled.end() if angled else at
        elif quotes_close:
            quoted = QUOTED.match(text, at - 1)
            quotes_close = quoted is not None
            at = quoted.end() if quoted else at
    parts.append(text[start:])
    return [stripped for part in parts if (stripped := part.strip())]


def params_of(text, separator=";"):
    """`name=value` pairs, the first of equal names."""
    found = {}
    for part in split_list(text, separator)[:PARAMS] if text else ():
        name, _, value = part.partition("=")
        value = value.strip()
        if len(value) >= 2 and value[0] == value[-1] == '"':
            value = ESCAPED.sub(r"\1", value[1:-1])
        found.setdefault(name.strip().lower(), unquote(value))
    return found


class Uri:
    """Scheme, user, host, parameters and embedded headers of a URI; of a bare text the user."""

    def __init__(self, text):
        found = SCHEME.match(text)
        scheme = found.group(1).lower() if found else ""
        rest = (text[found.end() :] if found else text).strip()
        self.host, self.headers = "", {}
        if scheme == "tel":
            number, _, params = rest.partition(";")
            self.user, self.params = unquote(number).strip(), params_of(params)
            return
        user, at, host = rest.partition("@")
        if not at:
            user, host = ("", rest) if scheme else (rest, "")
        host, _, headers = host.partition("?")
        host, _, params = host.partition(";")
        self.user = unquote(user.partition(";")[0].partition(":")[0]).strip()
        self.host = PORT.sub("", host.strip().lower())
        self.params, self.headers = params_of(params), params_of(headers, "&")

    def anonymous(self):
        """Whether it says that somebody does not want to be known."""
        return self.user.casefold() in ANONYMOUS_USERS or self.host.endswith("anonymous.invalid")


class Address:
    """Display name, URI and parameters of a header."""

    def __init__(self, text):
        text = text[:LONGEST]
        display, inside, after = take_apart(text)
        if inside is None:
            address, _, rest = text.partition(";")
            if "@" in rest and "@" not in address:
                address, rest = text, ""
            self.display, self.uri, self.params = "", Uri(address), params_of(rest)
        else:
            self.display, self.uri, self.params = clean(display), Uri(inside), params_of(after)


def take_apart(text):
    """Display name, what stands in the first `<…>` outside quotes, and the rest."""
    leading = text.lstrip()
    display = ""
    if (quoted := QUOTED.match(leading)) is not None:
        display = ESCAPED.sub(r"\1", quoted.group()[1:-1])
        leading = leading[quoted.end() :]
    opening = leading.find("<")
    if opening < 0:
        return display, (leading if display else None), ""
    display = display or leading[:opening].strip().strip('"')
    closing = leading.find(">", opening)
    if closing < 0:
        return display, leading[opening + 1 :], ""
    return display, leading[opening + 1 : closing], leading[closing + 1 :]


def words(header):
    """The words of a Privacy header."""
    return {word for part in header.split(";") for word in part.replace(",", " ").lower().split()}


def diversions(lines):
    """Number as written, reason and whether it is private, of each diverting line, oldest first."""
    found = []
    for entry in reversed([entry for line in lines for entry in split_list(line)][-ENTRIES:]):
        address = Address(entry)
        reason = address.params.get("reason", "").strip().lower()
        privacy = address.params.get("privacy", "off").strip().lower()
        hidden = privacy not in ("off", "none", "name", "") or address.uri.anonymous()
        found.append((clean(address.uri.user), DIVERSION_REASONS.get(reason, UNKNOWN), hidden))
    return found


def index_of(entry):
    """Its place in a History-Info."""
    written = entry.params.get("index", "")
    return tuple(map(int, written.split("."))) if INDEX.fullmatch(written) else ()


def embedded_reason(entry):
    """Why this target was left, from `?Reason=`."""
    for reason in split_list(entry.uri.headers.get("reason", "")):
        protocol, _, rest = reason.partition(";")
        causes = Q850_CAUSES if protocol.strip().upper() == "Q.850" else SIP_CAUSES
        known = causes.get(params_of(rest).get("cause", "").strip())
        if known is not None:
            return known
    return UNKNOWN


def history(lines):
    """The same for every target of History-Info."""
    texts = [text for line in lines for text in split_list(line)][:ENTRIES]
    entries = [Address(text) for text in texts]
    if all(index_of(entry) for entry in entries):
        entries.sort(key=index_of)
    left = [embedded_reason(entry) for entry in entries]
    for place, following in enumerate(entries[1:]):
        cause = following.uri.params.get("cause") or following.params.get("cause", "")
        if left[place] == UNKNOWN and cause:
            left[place] = SIP_CAUSES.get(cause.strip(), UNKNOWN)
    return [
        (
            clean(entry.uri.user),
            reason,
            entry.uri.anonymous() or "history" in words(entry.uri.headers.get("privacy", "")),
        )
        for entry, reason in zip(entries, left, strict=True)
    ]


# --- numbers: as autocom.core.numbers --------------------------------------------------------

PUNCTUATION = re.compile(r"[\s.\-()/\u00a0\u202f\u2009\u2010-\u2015]+")
URI = re.compile(r"^(?:sips?|tel):", re.IGNORECASE)
E164 = re.compile(r"^\+[1-9][0-9]{5,14}$")


class Plan:
    """How numbers are written in the bureau's country."""

    def __init__(self, row):
        self.code, self.trunk, self.abroad = row["code"], row["trunk"], row["abroad"]
        self.lengths, self.overseas = row["lengths"], row["overseas"]
        self.fiction = tuple(row["fiction"])

    def normalise(self, text):  # noqa: PLR0911 - one return a spelling
        """The E.164 form; None where it is no telephone number."""
        if len(text) > 512:
            return None
        raw = URI.sub("", text.strip()).split("@", 1)[0].split(";", 1)[0]
        raw = PUNCTUATION.sub("", unquote(raw))
        digits = raw.removeprefix("+")
        if not digits.isascii() or not digits.isdigit():
            return None
        if raw.startswith("+"):
            return self.checked(digits)
        if self.abroad and digits.startswith(self.abroad):
            return self.checked(digits[len(self.abroad) :])
        if self.trunk and digits.startswith(self.trunk):
            significant = digits[len(self.trunk) :]
            if len(significant) not in self.lengths:
                return None
            return f"+{self.code_of(digits)}{significant}"
        if digits.startswith(self.code) and len(digits) - len(self.code) in self.lengths:
            return self.checked(digits)
        if not self.trunk and len(digits) in self.lengths:
            return "+" + self.code + digits
        return None

    def code_of(self, digits):
        """The country code that a number in national form really has."""
        if digits.startswith(self.fiction):
            return self.code
        found = (code for prefix, code in self.overseas.items() if digits.startswith(prefix))
        return next(found, self.code)

    def checked(self, digits):
        """An international number, with the mistakes that people and networks make mended."""
        code = self.code
        if self.trunk and digits.startswith(code + self.trunk):
            rest = digits[len(code) + len(self.trunk) :]
            if len(rest) in self.lengths:
                digits = code + rest
        if digits.startswith(code):
            rest = digits[len(code) :]
            if len(rest) not in self.lengths:
                return None
            digits = self.code_of(self.trunk + rest) + rest
        number = "+" + digits
        return number if E164.match(number) else None

    def national(self, number):
        """As people of the country write it; foreign numbers stay as they are."""
        for code in {self.code, *self.overseas.values()}:
            rest = number[1 + len(code) :]
            if number.startswith("+" + code) and len(rest) in self.lengths:
                digits = self.trunk + rest
                if len(digits) % 2:
                    return digits
                return " ".join(digits[i : i + 2] for i in range(0, len(digits), 2))
        return number


# --- whose call it is: as autocom.core.ingress -----------------------------------------------


def identify(raw, head):
    """Client, number called, line forwarded from and why, caller, from the headers in `raw`."""
    plan = Plan(head["plan"])
    trunk = head["trunks"].get(raw["trunk"], {})
    did, own = called(raw, trunk.get("did_in", "request_uri"), plan)
    line, reason, client = forwarding(raw, did, own, head, plan)
    caller, text, anonymous = who_calls(raw, plan)
    return {
        "client": client or owner(did, head),
        "did": did,
        "caller": caller,
        "caller_text": text,
        "anonymous": anonymous,
        "forwarded_from": line,
        "forward_reason": reason,
    }


def called(raw, named, plan):
    """The number called, and the numbers in our places."""
    texts = {
        "request_uri": raw["request_user"],
        "to": raw["to"],
        "p_called_party_id": raw["p_called_party_id"],
    }
    if named.startswith("header:"):
        texts[named] = raw["did_header"]
    numbers = {}
    for place, text in texts.items():
        number = plan.normalise(clean(Address(text).uri.user))
        if number:
            numbers[place] = number
    own = {numbers[place] for place in ("request_uri", named) if place in numbers}
    place = next((place for place in (named, "request_uri", "to") if place in numbers), None)
    if place is None:
        return None, set()
    return numbers[place], own | {numbers[place]}


def forwarding(raw, did, own, head, plan):
    """The forwarded line, why it was, and the client whose line on this number it is."""
    found = []
    hidden = "history" in words(raw["privacy"][:LONGEST])
    every = [(*entry, False) for entry in diversions(raw["diversion"])]
    every += [(*entry, True) for entry in history(raw["history_info"])]
    for text, reason, private, from_history in every:
        number = plan.normalise(text)
        if number in own or (from_history and number is None and not private):
            continue
        found.append((number, reason, private or (hidden and from_history)))
    if not found:
        return None, None, None
    for number, _, _ in found:
        client = head["forwarded"].get(f"{did or ''} {number or ''}")
        if client is not None and number is not None:
            return number, reason_of(number, found), client
    number, _, private = found[0]
    reason = reason_of(number, found)
    if number is None or (private and number not in head["owners"]):
        return None, reason, None
    return number, reason, None


def reason_of(number, found):
    """The first reason given for that line."""
    return next((why for other, why, _ in found if other == number and why != UNKNOWN), UNKNOWN)


def owner(did, head):
    """The client by the number called alone."""
    sharers = head["sharers"].get(did or "", [])
    plain = head["plain"].get(did or "", [])
    if not did or not sharers:
        return head["unknown"]
    if len(plain) == 1:
        return plain[0]
    return sharers[0] if len(sharers) == 1 else head["unknown"]


def who_calls(raw, plan):
    """Number, text and whether he withholds it."""
    if withheld(raw):
        return None, "", True
    sender = Address(raw["from_"])
    name = sender.display or clean(raw["caller_name"])
    for entry in split_list(raw["p_asserted_identity"])[:4]:
        asserted = Address(entry)
        number = plan.normalise(asserted.uri.user)
        if number:
            return number, name or asserted.display or clean(asserted.uri.user), False
    for user in (sender.uri.user, raw["caller_number"]):
        number = plan.normalise(user)
        if number:
            return number, name or clean(user), False
    return None, name or clean(sender.uri.user or raw["caller_number"]), False


def withheld(raw):
    """Whether anything says that the caller is not to be known."""
    if words(raw["privacy"][:LONGEST]) & PRIVATE:
        return True
    sender = Address(raw["from_"])
    if sender.uri.anonymous() or sender.display.casefold() in ANONYMOUS_NAMES:
        return True
    if not sender.uri.user and not (raw["from_"] == "" and raw["caller_number"].strip()):
        return True
    first = next(iter(split_list(raw["p_asserted_identity"])), "")
    if Address(first).uri.anonymous():
        return True
    return raw["caller_number"].strip().casefold() in {"anonymous", "restricted"}
