"""AMI over panoramisk, with its defects closed: what ARI does not tell about phones.

Registrations, phones busy with calls of their own, RTP quality of each leg at its end, and the
reload of generated configuration. It must never be needed: with AMI away calls go on, and it
reconnects by itself. Invariant: after every login everything is read anew, so what was missed is
told; an action fails at once while AMI is away and is never carried out later. The meaning of
events is in `ami_facts.py`.
"""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import structlog
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager

from autocom.asterisk.ami_facts import PhoneBook
from autocom.asterisk.ari.client import Backoff
from autocom.calls.ports import TelephoneDown
from autocom.core.telephony import Fact

log = structlog.get_logger()

ANSWER_WITHIN = 3.0
PING_EVERY = 5.0
SWEEP_EVERY = 60.0
# a phone that registers anew is removed and added within a millisecond: that is no absence
ABSENCE_GRACE = 0.2

# Asterisk sends nothing else: its events are many, and panoramisk reads them slowly
FILTERS: tuple[Mapping[str, str], ...] = (
    {"MatchCriteria": "name(ContactStatus)", "Filter": ""},
    {"MatchCriteria": "name(Newchannel)", "Filter": ""},
    {"MatchCriteria": "name(Hangup)", "Filter": ""},
    {"MatchCriteria": "name(VarSet),header(Variable),method(exact)", "Filter": "RTPAUDIOQOS"},
)
