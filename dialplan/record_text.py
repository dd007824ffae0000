#!/usr/bin/env python3
"""Writes down one SIP MESSAGE, so that autocom takes it in now or when it is back (an AGI script).

Usage: record_text.py SPOOL-FOLDER, started by Asterisk on its own host, with the AGI protocol on standard
input and output; the first AGI argument is `phone` or `trunk`, the others are names of headers that may hold
the number called. Standard library only, nothing of autocom: Asterisk (22.10.1) has said "202 Accepted" before
the dialplan runs, so a text that is not on disk is lost. One JSON file, complete or absent (written aside, then
renamed); `autocom.asterisk.text_spool` reads it. Invariant: whatever the sender wrote ends up inside JSON
strings and nowhere else.
"""

import os
import re
import secrets
import sys
import time

# beside this file; `-I` leaves its folder out. Nothing is written there by whoever Asterisk runs as
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from agi_session import begin, keep  # noqa: E402

WANTED = {
    "from": "MESSAGE(from)",
    "to": "MESSAGE(to)",
    "address": "MESSAGE_DATA(PJSIP_RECVADDR)",
    "p_asserted_identity": "MESSAGE_DATA(P-Asserted-Identity)",
    "privacy": "MESSAGE_DATA(Privacy)",
    "p_called_party_id": "MESSAGE_DATA(P-Called-Party-ID)",
    "content_length": "MESSAGE_DATA(Content-Length)",
    "body": "MESSAGE(body)",
}
HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
SECONDS = 10


def say(command):
    print(command, flush=True)
    return sys.stdin.readline()


def variable(name, end):
    """A value, which may have several lines: AGI does not say where it ends. So a second question follows,
    whose answer nobody else can know; it must not be sent before the first has begun to be answered, since
    Asterisk would read both and answer one."""
    text = say(f"GET VARIABLE {name}")
    print("GET VARIABLE AUTOCOM_TEXT_END", flush=True)
    mark = f"200 result=1 ({end})\n"
    while not text.endswith(mark):
        line = sys.stdin.readline()
        if not line:
            return ""
        text += line
    found = re.match(r"200 result=1 \((.*)\)\n$", text[: -len(mark)], re.DOTALL)
    return found.group(1) if found else ""


def main(spool):
    request = begin(SECONDS, "\n")  # all messages wait behind this one
    end = secrets.token_hex(16)
    say(f"SET VARIABLE AUTOCOM_TEXT_END {end}")
    headers = [request[f"agi_arg_{n}"] for n in range(2, 12) if f"agi_arg_{n}" in request]
    name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
    record = {
        "version": 1,
        "kind": request.get("agi_arg_1", ""),
        "at": time.time(),
        "extension": request.get("agi_extension", ""),
        **{key: variable(function, end) for key, function in WANTED.items()},
        "headers": {
            each: variable(f"MESSAGE_DATA({each})", end) for each in headers if HEADER.fullmatch(each)
        },
    }
    keep(spool, name, record)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
