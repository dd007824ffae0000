from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom.web.sip_frames import LARGEST, Forbidden, check


def frame(
    method: str = "INVITE",
    *,
    sender: str = '"Léa" <sip:lea@web>;tag=a',
    to: str = "<sip:201@web>",
    more: str = "",
    body: str = "",
    length: int | None = None,
) -> str:
    size = len(body.encode()) if length is None else length
    return (
        f"{method} sip:201@web SIP/2.0\r\nVia: SIP/2.0/WS x.invalid;branch=z9hG4bK1\r\n"
        f"To: {to}\r\nFrom: {sender}\r\nCall-ID: c\r\nCSeq: 1 {method}\r\n{more}Content-Length: {size}\r\n\r\n{body}"
    )


@pytest.mark.parametrize(
    "good",
    [
        frame(),
        frame("REGISTER", to="<sip:lea@web>"),
        frame("MESSAGE", body="Rappeler à 15 h ✓"),
        frame("SUBSCRIBE", to="<sip:202@web>;tag=b"),
        frame(sender="<sip:lea@web>;tag=a"),
        frame(sender="Lea <sip:lea@web;transport=ws>;tag=a"),
        # within a call that Asterisk began, her side has the name that Asterisk gave it
        frame("BYE", sender='"Léa" <sip:6ag9m9dd@127.0.0.1>;tag=a', to="<sip:+33639980101@vm>;tag=b"),
        frame("REFER", sender="<sip:x@127.0.0.1>;tag=a", to="<sip:y@vm> ; TAG = b"),
        "SIP/2.0 200 OK\r\nTo: <sip:x@y>;tag=1\r\nFrom: <sip:a@b>\r\nContent-Length: 0\r\n\r\n",
        "SIP/2.0 486 Busy Here\r\nf: <sip:a@b>\r\nl: 0\r\n\r\n",
        "\r\n\r\n",
        "",
    ],
)
def test_what_a_page_says_in_its_own_name_passes(good: str) -> None:
    check(good, "lea")


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (frame(sender="<sip:ines@web>;tag=a"), "somebody else"),
        (frame(sender="<sip:0639980101@operator.example>;tag=a"), "somebody else"),
        (frame(sender='"<sip:lea@web>" <sip:ines@web>;tag=a'), "somebody else"),
        (frame(sender='"\\" <sip:lea@web>" <sip:ines@web>;tag=a'), "somebody else"),
        (frame(sender="<sip:lea@web>, <sip:ines@web>", more="From: <sip:ines@web>\r\n"), "not one From"),
        (frame(more="f: <sip:ines@web>\r\n"), "not one From"),
        (frame(more="FROM : <sip:ines@web>\r\n"), "not one From"),
        (frame(more="t: <sip:1@web>;tag=x\r\n"), "not one From and one To"),
        (frame("MESSAGE", sender="<sip:ines@web>", to="<sip:1@web>;tag=b"), "somebody else"),
        (frame("REGISTER", sender="<sip:ines@web>", to="<sip:lea@web>;tag=b"), "somebody else"),
        (frame(to="<sip:1@web;tag=b>", sender="<sip:ines@web>"), "somebody else"),
        (frame(more="X-A: b\r\n folded: c\r\n"), "no header"),
        (frame(more="X-A: b\nFrom: <sip:ines@web>\r\n"), "stray"),
        (frame(more="X-A: b\0\r\n"), "stray"),
        (frame(body="v=0") + "INVITE sip:1@web SIP/2.0\r\n\r\n", "length of the body"),
        (frame(length=7), "length of the body"),
        (frame(more="Content-Length: 0\r\n"), "length of the body"),
        ("SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\nINVITE sip:1@web SIP/2.0\r\n\r\n", "length of the body"),
        (frame("PUBLISHED"), "a method"),
        (frame("GET").replace("sip:201@web SIP/2.0", "/ari/channels HTTP/1.1"), "neither"),
        (frame().replace("INVITE sip:", "INVITE tel:"), "neither"),
        ("INVITE sip:201@web SIP/2.0\r\n", "end of headers"),
        ("x" * (LARGEST + 1), "too long"),
    ],
)
def test_what_could_be_taken_for_somebody_else_is_not_passed(bad: str, why: str) -> None:
    with pytest.raises(Forbidden, match=why):
        check(bad, "lea")


@given(st.text(max_size=300))
def test_whatever_is_written_between_the_headers_nobody_else_is_let_through(text: str) -> None:
    for said in (text, frame(sender=text), frame(more=f"{text}\r\n")):
        with suppress(Forbidden):
            check(said, "lea")
    with pytest.raises(Forbidden):
        check(frame(sender="<sip:ines@web>;tag=a", more=f"{text}\r\n"), "lea")
