"""What a browser may say to Asterisk over the web socket: one SIP message a frame, in its owner's name.

Asterisk hears every page from one address, this machine's own; who is taken for whom must not be decided there
by that address. So a request that begins something must be From the secretary who is logged in; what belongs to
a call that stands (it has a tag in To) is Asterisk's to judge. Pure. Must not know sockets. Invariant: what is
passed holds exactly one message, whose headers Asterisk reads as they were read here. RFC 3261, RFC 7118.
"""

from __future__ import annotations

import re

LARGEST = 32 * 1024
"""Characters of a frame. The largest there is, an INVITE with many candidates, is under 8 KB."""

_REQUEST = re.compile(r"([A-Z]{3,12}) sip:\S+ SIP/2\.0")
_RESPONSE = re.compile(r"SIP/2\.0 [1-6][0-9]{2}(?: .*)?")
_HEADER = re.compile(r"([A-Za-z0-9.!%*_+`'~-]+)[ \t]*:[ \t]*(.*)")
_USER = re.compile(
    r'(?:"(?:[^"\\]|\\.)*"[ \t]*|[^"<>;]*)?<sip:([^@;:<>"]+)@[A-Za-z0-9.\[\]:-]+(?:;[^>]*)?>.*'
)
_TAG = re.compile(r">.*;[ \t]*tag[ \t]*=[ \t]*[^;\s]", re.IGNORECASE)
_SHORT = {"f": "from", "t": "to", "l": "content-length"}
_ALONE = frozenset({"REGISTER", "MESSAGE", "SUBSCRIBE", "PUBLISH", "OPTIONS"})
_IN_CALLS = frozenset({"INVITE", "ACK", "BYE", "CANCEL", "UPDATE", "INFO", "PRACK", "REFER", "NOTIFY"})


class Forbidden(Exception):  # noqa: N818 - says what is wrong with a frame
    """A frame that is not passed on; the message says why, in words for a log."""


def check(frame: str, who: str) -> None:
    """Raises Forbidden where this frame of the page of `who` must not reach Asterisk."""
    if not frame.strip("\r\n"):
        return  # a keep-alive (RFC 5626)
    if len(frame) > LARGEST:
        raise Forbidden("too long")
    head, blank, body = frame.partition("\r\n\r\n")
    if not blank:
        raise Forbidden("no end of headers")
    first, *lines = head.split("\r\n")
    if any(stray in head.replace("\r\n", "") for stray in "\r\n\0"):
        raise Forbidden("a stray line end")
    found = _headers(lines)
    if found["content-length"] != [str(len(body.encode()))]:
        raise Forbidden("the length of the body is not what it says")
    if _RESPONSE.fullmatch(first):
        return
    request = _REQUEST.fullmatch(first)
    if request is None:
        raise Forbidden("neither a request to a sip address nor a response")
    _check_request(request.group(1), found, who)


def _headers(lines: list[str]) -> dict[str, list[str]]:
    """The values of the three headers that decide something."""
    found: dict[str, list[str]] = {"from": [], "to": [], "content-length": []}
    for line in lines:
        header = _HEADER.fullmatch(line)  # also refuses a folded line
        if header is None:
            raise Forbidden("a line that is no header")
        name = header.group(1).lower()
        name = _SHORT.get(name, name)
        if name in found:
            found[name].append(header.group(2).rstrip())
    return found


def _check_request(method: str, found: dict[str, list[str]], who: str) -> None:
    if method not in _ALONE | _IN_CALLS:
        raise Forbidden("a method that no phone needs")
    if len(found["from"]) != 1 or len(found["to"]) != 1:
        raise Forbidden("not one From and one To")
    if method in _IN_CALLS and _TAG.search(found["to"][0]):
        return
    user = _USER.fullmatch(found["from"][0])
    if user is None or user.group(1) != who:
        raise Forbidden("From somebody else")
