#!/usr/bin/env python3
"""Finds out whose call it is and what to do with it while autocom is away (an AGI script, run at the call's start).

Usage: standby_route.py STANDBY-FILE, started by Asterisk on its own host, with the AGI protocol on standard input
and output. Standard library only, nothing of autocom: it must work when autocom, its environment and PostgreSQL are
gone. It reads the headers that the dialplan kept on the channel, judges them as `autocom.core.ingress` and
`autocom.core.routing` do (a test compares the two), and writes down what to do as plain variables; AUTOCOM_ROUTE
becomes `ready` last of all. Invariants: it changes nothing else; where the file is missing, broken or too old, or
anything goes wrong, it ends without that word, and the caller is served as one of the house; no number of a caller
is used but as a value.
"""

import json
import os
import re
import sys
import time

# beside this file; `-I` leaves its folder out. Nothing is written there by whoever Asterisk runs as
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from agi_session import Gone, ask, begin  # noqa: E402
from standby_headers import Plan, clean, identify  # noqa: E402

SECONDS = 3
VERSION = 1
LATE = 86_400.0  # so long after its last day the file is believed: yesterday's hours are better than none
MOST = 40
DISPLAY = 120

# --- AGI -------------------------------------------------------------------------------------


def variable(name):
    """A channel variable's text, empty where it is not set."""
    return ask(f"GET VARIABLE {name}") or ""


def tell(name, text):
    """Set a channel variable."""
    line = re.sub(r"[\x00-\x1f\x7f]+", " ", str(text)).replace("\\", "\\\\").replace('"', '\\"')
    ask(f'SET VARIABLE {name} "{line}"')


# --- the file --------------------------------------------------------------------------------


class Unusable(Exception):  # noqa: N818 - says what is the case
    """The file does not say what to do."""


def head_of(file):
    """Its first line."""
    head = json.loads(file.readline())
    if head["standby"] != VERSION:
        raise Unusable(f"version {head['standby']}")
    return head


def row_of(file, client):
    """The line of one client, the others unread; None where there is none."""
    begins = ('{"client": ' + json.dumps(client) + ",").encode()
    for line in file:
        if line.startswith(begins):
            return json.loads(line)
    return None


def now_in(times, now):
    """What stands beside the last instant that has come."""
    if not times or now < times[0][0] - LATE:
        raise Unusable("of another time")
    found = times[0][1]
    for instant, value in times:
        if instant > now:
            break
        found = value
    return found


# --- which rule: as autocom.core.routing -----------------------------------------------------


def holds(condition, who, now, nobody):
    """Whether what only the call can tell is so."""
    if "caller" in condition:
        entries = condition["caller"]
        entries = entries + [entry for entry, until in condition["listed"] if until is None or now < until]
        if not any(is_caller(entry, who) for entry in entries):
            return False
    if "reason" in condition and who["forward_reason"] not in condition["reason"]:
        return False
    if "did" in condition and who["did"] not in condition["did"]:
        return False
    return "nobody" not in condition or condition["nobody"] == nobody()


def is_caller(entry, who):
    """Whether this entry of a list means him."""
    if entry == "anonymous":
        return who["anonymous"]
    if who["caller"] is None or who["anonymous"]:
        return False
    return who["caller"].startswith(entry[:-1]) if entry.endswith("*") else who["caller"] == entry


def rule_of(head, row, who, now, nobody):
    """Name and operations of the first rule that holds, that of whom the bureau blocks before the client's own."""
    if now > row["until"] + LATE:
        raise Unusable("too old")
    blocked = head.get("blocked")  # of a former version: it stands among the rules
    if blocked and holds(blocked["condition"], who, now, nobody):
        return blocked["name"], blocked["program"]
    for name, condition, program in row["states"][now_in(row["times"], now)]:
        if condition < 0 or holds(row["conditions"][condition], who, now, nobody):
            return name, row["programs"][program]
    raise Unusable("no rule")


# --- what to do ------------------------------------------------------------------------------


def written_out(program, head, now, heard):
    """The operations as they are done for this call: rosters read, messages that he knows left out."""
    made, places = [], {}
    # where there is nothing but a message, hearing it twice is better than nothing
    heard = heard and any(what in ("queue", "dial", "roster") for what, *_ in program)
    for place, (what, *with_) in enumerate(program):
        places[place] = len(made)
        if what == "roster":
            roster = head["rosters"].get(with_[0])
            numbers = now_in(roster["times"], now) if roster else []
            if numbers:
                dial = [numbers, head["number"], roster["ring_for"], roster["accept"], with_[1]]
                made.append(("dial", dial))
        elif what == "play" and heard:
            continue
        else:
            heard = heard and what not in ("queue", "dial")  # what comes after it he does not know
            made.append((what, list(with_)))
    for what, with_ in made:
        if what == "queue":
            with_[5:7] = [places[with_[5]], places[with_[6]]]
    return made[:MOST]


def away(secretaries):
    """Whether none of these has a phone that is there, and is at work."""
    batch = 12
    for start in range(0, len(secretaries), batch):
        asked = " ".join(
            f"${{DEVICE_STATE(PJSIP/{who})}}:${{GLOBAL(AUTOCOM_LOGIN_{who})}}"
            for who in secretaries[start : start + batch]
            if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", who)
        )
        for found in (ask(f'GET FULL VARIABLE "{asked}"') or "").split():
            state, _, login = found.partition(":")
            if state not in ("UNAVAILABLE", "INVALID", "UNKNOWN", "") and login != "out":
                return False
    return True


def shown(row, who, head):
    """What her phone shows: the client, then the caller."""
    caller = head["masked"]
    if who["caller"]:
        caller = Plan(head["plan"]).national(who["caller"])
    elif not who["anonymous"]:
        caller = clean(who["caller_text"], 24) or caller
    return f"{row['display']} · {caller}"[:DISPLAY]


def user_part(number):
    """The user of From."""
    return re.sub(r"[^0-9A-Za-z+*#._-]", "", number or "")[:64] or "anonymous"


def quoted(text):
    """A quoted string of SIP, in the bytes that a header may have."""
    inner = text.encode()[:560].decode(errors="ignore").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inner}"'


def way_out(raw, head):
    """The trunk for calls outside: the one he came by, else the first."""
    usable = [name for name, trunk in head["trunks"].items() if trunk["out"]]
    return raw["trunk"] if raw["trunk"] in usable else next(iter(usable), "")


def instructions(made, raw, head, who):
    """Every variable that the dialplan needs for these operations."""
    trunk = way_out(raw, head)
    for place, (what, with_) in enumerate(made):
        yield f"AUTOCOM_DO_{place}", what
        if what == "play":
            yield f"AUTOCOM_WITH_{place}", with_[0]
            yield f"AUTOCOM_HOW_{place}", with_[1]
            yield f"AUTOCOM_NAME_{place}", with_[2]
        elif what == "queue":
            pool, team, music, seconds, ringing, late, empty, members = with_
            yield f"AUTOCOM_WITH_{place}", pool
            yield f"AUTOCOM_NAME_{place}", team
            yield f"AUTOCOM_CLASS_{place}", music
            yield f"AUTOCOM_FOR_{place}", seconds
            yield f"AUTOCOM_HOW_{place}", "r" if ringing else ""
            yield f"AUTOCOM_LATE_{place}", late
            yield f"AUTOCOM_EMPTY_{place}", empty
            yield f"AUTOCOM_AWAY_{place}", "1" if away(members) else ""
        elif what == "dial":
            numbers, present, seconds, accept, question = with_
            if present == "caller":
                present = "" if who["anonymous"] else who["caller"] or head["number"]
            # his own number, or the line that he was sent from, would come in again
            numbers = [each for each in numbers if each not in (who["caller"], who["forwarded_from"])]
            for n, number in enumerate(numbers if trunk else [], start=1):
                yield f"AUTOCOM_NUMBER_{place}_{n}", number
            yield f"AUTOCOM_WITH_{place}", len(numbers) if trunk else 0
            yield f"AUTOCOM_FOR_{place}", seconds
            yield f"AUTOCOM_AS_{place}", user_part(present)
            yield f"AUTOCOM_ACCEPT_{place}", accept
            yield f"AUTOCOM_ASK_{place}", question
            yield "AUTOCOM_VIA", trunk
            yield "AUTOCOM_ROOM", head["trunks"][trunk]["room"] if trunk else 0
        elif with_:
            yield f"AUTOCOM_WITH_{place}", with_[0]


# --- the call --------------------------------------------------------------------------------


def headers(request):
    """What the dialplan kept of the INVITE."""

    def lines(count, each):
        many = variable(f"AUTOCOM_{count}")
        many = min(int(many), 8) if many.isascii() and many.isdigit() else 0
        return [variable(f"AUTOCOM_{each}_{n}") for n in range(1, many + 1)]

    def known(name):
        text = request.get(name, "")
        return "" if text == "unknown" else text

    return {
        "trunk": variable("AUTOCOM_TRUNK"),
        "request_user": variable("AUTOCOM_REQUEST_USER"),
        "from_": variable("AUTOCOM_FROM"),
        "to": variable("AUTOCOM_TO"),
        "p_asserted_identity": variable("AUTOCOM_PAI"),
        "privacy": variable("AUTOCOM_PRIVACY"),
        "p_called_party_id": variable("AUTOCOM_PCPI"),
        "did_header": variable("AUTOCOM_DID_VALUE"),
        "diversion": lines("DIVERSIONS", "DIVERSION"),
        "history_info": lines("HISTORIES", "HISTORY"),
        "caller_number": known("agi_callerid"),
        "caller_name": known("agi_calleridname"),
    }


def route(path, now):
    """Read, judge, write down."""
    raw = headers(begin(SECONDS))
    with open(path, "rb") as file:
        head = head_of(file)
        who = identify(raw, head)
        clients = file.tell()
        # autocom knew him before it went away: he may be another client's by now
        known = variable("AUTOCOM_CLIENT")
        row = row_of(file, known) if known else None
        if row is None:
            file.seek(clients)
            row = row_of(file, who["client"])
        if row is None:
            raise Unusable("no such client")
    name, program = rule_of(head, row, who, now, lambda: away(row["reach"]))
    made = written_out(program, head, now, variable("AUTOCOM_HEARD") != "")
    phrase = row["phrases"].get(who["forward_reason"] or "", row["phrase"])
    tell("__AUTOCOM_CLIENT", row["client"])
    tell("AUTOCOM_RULE", name)
    tell("__AUTOCOM_SHOWN", shown(row, who, head))
    tell("__AUTOCOM_SHOWN_NUMBER", user_part(who["caller"]))
    tell("__AUTOCOM_PHRASE", quoted(phrase) if phrase else "")
    tell("__AUTOCOM_CARD", f"<{row['card']}>;purpose=info" if row["card"] else "")
    for variable_, text in instructions(made, raw, head, who):
        tell(variable_, text)
    tell("AUTOCOM_ROUTE", "ready")


def main(path):
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    try:
        route(path, time.time())
    except (OSError, ValueError, KeyError, IndexError, TypeError, Unusable, Gone) as wrong:
        # Asterisk shows it on its console; no text of the caller's stands in it
        print(f"standby: {type(wrong).__name__}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
