"""What the AGI scripts beside this file have in common: the AGI protocol on standard input and output, files for a spool.

Standard library only, as they. Asterisk sends `agi_*` lines and an empty one, then answers each command with a line;
once the caller has hung up it says HANGUP in between, and SIGHUP, which is no reason to stop.
"""

import json
import os
import re
import signal
import sys


class Gone(Exception):  # noqa: N818 - says what is the case
    """Asterisk says nothing any more."""


def begin(seconds, newline=None):
    """The request's `agi_*` lines; this process has so many seconds."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.alarm(seconds)
    sys.stdin.reconfigure(encoding="utf-8", errors="replace", newline=newline)
    request = {}
    for line in iter(sys.stdin.readline, ""):
        line = line.rstrip("\n")
        if not line:
            break
        key, _, text = line.partition(": ")
        request[key] = text
    return request


def ask(command):
    """The answer's text in parentheses; None where there is none."""
    print(command, flush=True)
    for line in iter(sys.stdin.readline, ""):
        if line.startswith("HANGUP"):
            continue
        found = re.match(r"200 result=1 \((.*)\)$", line.rstrip("\n"), re.DOTALL)
        return found.group(1) if found else None
    raise Gone


def keep(folder, name, record):
    """One JSON file, complete or absent: written aside, then renamed; a leftover of a broken try is in nobody's way."""
    fresh = os.path.join(folder, f".{name}.new")
    with os.fdopen(
        os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as file:
        json.dump(record, file, ensure_ascii=True)
        file.flush()
        os.fsync(file.fileno())
    os.rename(fresh, os.path.join(folder, f"{name}.json"))
