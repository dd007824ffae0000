"""What a softphone shows before it is picked up: the contract's section 5 as one pure function.

The display name begins with the client (what the secretary must say first), then the caller.
Of the caller only his number, already E.164, is used; where he sent none, a printable piece of what
he sent. Quoting and UTF-8 on the wire are the telephone adapter's business.
"""

from __future__ import annotations

from dataclasses import dataclass

from autocom.core.model import Closure, ForwardReason
from autocom.core.numbers import FRANCE, NumberingPlan, national
from autocom.core.sip import clean
from autocom.core.story import Call

SHOWN = 24
"""Characters of a caller's own text that a phone gets to show."""

DISPLAY = 20
"""Characters for the client's name, as the configuration allows them."""

BACK = {"fr": "Rappel", "en": "Callback"}

RETURN = {"fr": "Retour", "en": "Back"}

MASKED = {"fr": "Masqué", "en": "Withheld"}


@dataclass(frozen=True, slots=True)
class Invitation:
    """From display name, From user (None: anonymous) and the headers to add to the INVITE."""

    display: str
    number: str | None
    headers: dict[str, str]


def quoted(text: str) -> str:
    """An RFC 3261 quoted-string: UTF-8, with backslash and double quote escaped."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def invitation(
    call: Call,
    language: str = "fr",
    plan: NumberingPlan = FRANCE,
    absence: Closure | None = None,
    *,
    callback: bool = False,
    returned: str | None = None,
) -> Invitation:
    """The INVITE for this call; `absence`: the client's, in force now; `callback`: he is not on the line, and is
    rung once she has picked up; `returned`: she sent him on, and why he comes back. Headers with nothing to say are left out."""
    client, identity = call.client, call.identity
    caller = MASKED.get(language, MASKED["fr"])
    if identity.caller:
        caller = national(identity.caller, plan)
    elif not identity.anonymous:
        # no telephone number: what he sent, printable and short
        caller = clean(identity.caller_text, SHOWN) or caller
    headers = {
        # the usual trick for distinctive ringing: phones match the `info` parameter
        "Alert-Info": f"<http://autocom.invalid/{client.profile}>;info={client.profile}",
        "X-Autocom-Call": call.id,
        "X-Autocom-Client": client.id,
    }
    if identity.candidates:
        # the number is shared and nothing told the clients apart: she must ask, and knows between whom
        headers["X-Autocom-Candidates"] = ", ".join(identity.candidates)
    if client.card:
        headers["Call-Info"] = f"<{client.card}>;purpose=info"
    reason = identity.forward_reason
    phrase = client.phrases.get(reason, client.phrase) if reason else client.phrase
    if phrase:
        headers["X-Autocom-Phrase"] = quoted(phrase)
    if reason is not None and reason is not ForwardReason.UNKNOWN:
        # no-answer: he has heard the practice's own line ring before he came to us
        headers["X-Autocom-Forwarded"] = reason.value
    if absence is not None:
        headers["X-Autocom-Absence"] = f"{quoted(absence.name)};until={absence.end:%Y-%m-%dT%H:%M}"
    display = client.display
    if callback:
        headers["X-Autocom-Callback"] = "1"
        display = f"{BACK.get(language, BACK['fr'])} {display}"[:DISPLAY].rstrip()
    if returned is not None:
        headers["X-Autocom-Returned"] = "1"
        if returned:
            headers["X-Autocom-Note"] = quoted(returned)
        display = f"{RETURN.get(language, RETURN['fr'])} {display}"[:DISPLAY].rstrip()
    return Invitation(f"{display} · {caller}", identity.caller, headers)
