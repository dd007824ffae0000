"""SIP messages as text: what stood on the wire, for checks to the letter.

`SipMessage` keeps the raw text and reads headers out of it by name (long or compact, any case,
folded lines joined), without judging them. It is no parser for a service: it trusts that its
peer is a real stack, and it never changes a byte of what it shows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

COMPACT = {
    "i": "call-id", "m": "contact", "f": "from", "t": "to", "v": "via", "l": "content-length", "c": "content-type", "s": "subject", "k": "supported",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SipMessage:
    """One request or response. `at` is the monotonic time it was seen, `sent` whether by the phone."""

    text: str
    at: float = 0.0
    sent: bool = False
    _fields: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @classmethod
    def parse(cls, text: str, at: float = 0.0, *, sent: bool = False) -> SipMessage:
        """Headers up to the first empty line; the rest is the body."""
        head = re.split(r"\r?\n\r?\n", text.lstrip("\r\n"), maxsplit=1)[0]
        lines = re.sub(r"\r?\n[ \t]+", " ", head).splitlines()[1:]
        fields = []
        for line in lines:
            name, _, value = line.partition(":")
            key = name.strip().lower()
            fields.append((COMPACT.get(key, key), value.strip()))
        return cls(text.lstrip("\r\n"), at, sent, tuple(fields))

    @property
    def first_line(self) -> str:
        return self.text.splitlines()[0] if self.text else ""

    @property
    def method(self) -> str | None:
        """The method of a request, None of a response."""
        return None if self.status is not None else self.first_line.split(" ", 1)[0]

    @property
    def status(self) -> int | None:
        """The status code of a response, None of a request."""
        match = re.match(r"SIP/2\.0 (\d{3})", self.first_line)
        return int(match[1]) if match else None

    @property
    def body(self) -> str:
        parts = re.split(r"\r?\n\r?\n", self.text, maxsplit=1)
        return parts[1] if len(parts) > 1 else ""

    def header(self, name: str) -> str:
        """The first header of that name, empty where there is none."""
        return next(iter(self.headers(name)), "")

    def headers(self, name: str) -> list[str]:
        """Every header of that name in the order of the wire."""
        return [value for key, value in self._fields if key == name.lower()]

    @property
    def call_id(self) -> str:
        return self.header("Call-ID")

    @property
    def cseq_method(self) -> str:
        return self.header("CSeq").split(" ")[-1]

    @property
    def transaction(self) -> str:
        """What a request and its answers have in common (RFC 3261, 17.1.3): the topmost branch, and the method of
        CSeq, for a CANCEL has the branch of its INVITE."""
        branch = re.search(r"branch=([^;,\s]+)", self.header("Via"))
        return f"{branch[1] if branch else self.call_id} {self.cseq_method}"

    @property
    def from_display(self) -> str:
        """The display name of From with RFC 3261's quoting undone."""
        value = self.header("From")
        quoted = re.match(r'"((?:[^"\\]|\\.)*)"', value)
        if quoted:
            return re.sub(r"\\(.)", r"\1", quoted[1])
        return value.split("<", 1)[0].strip() if "<" in value else ""

    @property
    def from_user(self) -> str:
        match = re.search(r"sips?:([^@;>]*)@", self.header("From"))
        return match[1] if match else ""

    @property
    def completed_elsewhere(self) -> bool:
        """Whether this CANCEL's Reason says that somebody else answered (RFC 3326: SIP 200, or Q.850 26):
        a phone that reads it shows no missed call."""
        reasons = ", ".join(self.headers("Reason")).lower()
        return bool(re.search(r"q\.850\s*;[^,]*cause=26\b|sip\s*;[^,]*cause=200\b", reasons))
