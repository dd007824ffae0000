#!/usr/bin/env python3
"""Writes down one call that the dialplan's fallback served, or that autocom never had (an AGI script, run at its end).

Usage: record_fallback.py SPOOL-FOLDER, started by Asterisk on its own host, with the AGI protocol
on standard input and output. Standard library only, nothing of autocom: it must work when
autocom, its environment and PostgreSQL are gone. The record is one JSON file named after the
channel, complete or absent (written aside, then renamed); `autocom.asterisk.spool` reads it.
Invariant: whatever the caller put into his headers ends up inside JSON strings and nowhere else.
"""

import json
import os
import re
import signal
import sys
import time

WANTED = (
    "TRUNK REQUEST_USER FROM TO PAI PRIVACY PCPI DID_VALUE DIVERSIONS HISTORIES ENTERED LEFT "
    "CLIENT RULE SAID SAID_AT SAID_END TEAM QUEUED NUMBER "
    + " ".join(f"DIVERSION_{n} HISTORY_{n}" for n in range(1, 9))
).split()
DIAL = ("DIALSTATUS", "DIALEDPEERNAME", "ANSWEREDTIME", "STASISSTATUS")
QUEUE = ("QUEUESTATUS", "MEMBERNAME", "QEHOLDTIME")
SECONDS = 10


def environment():
    """The request's `agi_*` lines."""
    request = {}
    for line in iter(sys.stdin.readline, ""):
        line = line.rstrip("\n")
        if not line:
            break
        key, _, text = line.partition(": ")
        request[key] = text
    return request


def variable(name):
    """A channel variable's value, None where it is not set or the channel is gone."""
    print(f"GET VARIABLE {name}", flush=True)
    for line in iter(sys.stdin.readline, ""):
        if line.startswith("HANGUP"):
            continue
        found = re.match(r"200 result=1 \((.*)\)$", line.rstrip("\n"), re.DOTALL)
        return found.group(1) if found else None
    return None


def main(spool):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # Asterisk sends it when the caller has hung up
    signal.alarm(SECONDS)
    sys.stdin.reconfigure(encoding="utf-8", errors="replace")
    request = environment()
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
    for name in [*(f"AUTOCOM_{each}" for each in WANTED), *DIAL, *QUEUE]:
        text = variable(name)
        if text is not None:
            record["variables"][name] = text
    fresh = os.path.join(spool, f".{channel}.new")
    with os.fdopen(
        os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as file:
        json.dump(record, file, ensure_ascii=True)
        file.flush()
        os.fsync(file.fileno())
    os.rename(fresh, os.path.join(spool, f"{channel}.json"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
