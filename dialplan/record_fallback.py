#!/usr/bin/env python3
"""Writes down one call that the dialplan's fallback served, or that autocom never had (an AGI script, run at its end).

Usage: record_fallback.py SPOOL-FOLDER, started by Asterisk on its own host, with the AGI protocol
on standard input and output. Standard library only, nothing of autocom: it must work when
autocom, its environment and PostgreSQL are gone. The record is one JSON file named after the
channel, complete or absent (written aside, then renamed); `autocom.asterisk.spool` reads it.
Invariant: whatever the caller put into his headers ends up inside JSON strings and nowhere else.
"""

import os
import re
import sys
import time
from contextlib import suppress

# beside this file; `-I` leaves its folder out. Nothing is written there by whoever Asterisk runs as
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from agi_session import Gone, ask, begin, keep  # noqa: E402

WANTED = (
    "TRUNK REQUEST_USER FROM TO PAI PRIVACY PCPI DID_VALUE DIVERSIONS HISTORIES ENTERED LEFT "
    "CLIENT RULE SAID SAID_AT SAID_END TEAM QUEUED NUMBER "
    + " ".join(f"DIVERSION_{n} HISTORY_{n}" for n in range(1, 9))
).split()
DIAL = ("DIALSTATUS", "DIALEDPEERNAME", "ANSWEREDTIME", "STASISSTATUS")
QUEUE = ("QUEUESTATUS", "MEMBERNAME", "QEHOLDTIME")
SECONDS = 10


def main(spool):
    request = begin(SECONDS)
    channel = request.get("agi_uniqueid", "")
    if not re.fullmatch(r"[A-Za-z0-9.\-]{1,100}", channel):
        return 1
    record = {
        "version": 1,
        "channel": channel,
        "ended_at": time.time(),
        "caller_number": request.get("agi_callerid", ""),
        "caller_name": request.get("agi_calleridname", ""),
        "variables": {},
    }
    with suppress(Gone):  # what is known by then is written down
        for name in [*(f"AUTOCOM_{each}" for each in WANTED), *DIAL, *QUEUE]:
            text = ask(f"GET VARIABLE {name}")
            if text is not None:
                record["variables"][name] = text
    keep(spool, channel, record)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
