"""Logins that Asterisk took or refused, as AMI tells them.

AMI's class `security` tells who answered a challenge (`ChallengeResponseFailed`, `InvalidPassword`, `SuccessfulAuth`).
A wrong answer counts whatever nonce it was made with: Asterisk looks at the nonce only after the password, and tells
by `stale=true` that it was right, so inventing nonces is a way to guess (22.10.1). Hence a forged sender cannot be
told from a guesser, which `core/bans.py` allows for. `ChallengeSent` and `InvalidAccountID` need no answer at all and
say nothing. Must not know what follows from it (`core/bans.py`), or how somebody is shut out (`conf/bans.py`). Invariant:
the account is not looked at, it is whatever a stranger wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from autocom.core.bans import Login, source_of

EVENTS: Final = ("ChallengeResponseFailed", "InvalidPassword", "SuccessfulAuth")
SERVICE: Final = "PJSIP"
FILTERS: Final[tuple[Mapping[str, str], ...]] = tuple(
    {"MatchCriteria": f"name({event}),header(Service),method(exact)", "Filter": SERVICE} for event in EVENTS
)
"""What AMI is asked to send of this."""


def login_of(event: Mapping[str, str]) -> Login | None:
    """A login, from `RemoteAddress: IPV4/UDP/192.0.2.1/5060`; None for any other event."""
    if event.get("Event") not in EVENTS or event.get("Service") != SERVICE:
        return None
    parts = event.get("RemoteAddress", "").split("/")
    source = source_of(parts[2]) if len(parts) == 4 else None
    return None if source is None else Login(source, event["Event"] == "SuccessfulAuth")
