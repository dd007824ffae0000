"""queues.conf and queuerules.conf: the queues that serve callers while autocom is away, one a pool.

Asterisk's own (`app_queue`), entered by `dialplan/standby.conf` alone: order of arrival, music, one phone at a time,
best level first, in turn. A member is a Local channel to her extension, which finds the
phone that she registered; whether she is free is read from a hint of her two endpoints and of what autocom last
said of her, so a queue rings nobody who talks, is logged out or pauses. Must not know clients. Invariant: equal
configurations give equal bytes, and no number or name of people stands here.
"""

from __future__ import annotations

from collections.abc import Iterable

from autocom.asterisk.conf.text import HEADER, Option, digits, name, section
from autocom.core.model import Configuration
from autocom.core.standby_pools import FIRST, Pool, pools

STATES = "autocom-standby-state"
MEMBERS = "autocom-standby-member"
RING_FOR = 15
"""Seconds of one secretary's turn."""
EQUAL_AFTER = RING_FOR + 1
"""Seconds after which the levels of his own team count no more: else a phone of level 1 that nobody answers would be
rung for ever, and level 2 never."""
_NOBODY = "unavailable,invalid,unknown"


def away_device(secretary: str) -> str:
    """The device of Asterisk that says she takes no calls; it outlives a restart of Asterisk's."""
    return f"Stasis:away-{secretary}"


def queues_conf(configuration: Configuration) -> str:
    """The whole file. Raises Unwritable where an id cannot be expressed."""
    general: list[Option] = [
        ("persistentmembers", "no"),
        ("autofill", "yes"),
        ("shared_lastcall", "yes"),
        ("log_membername_as_agent", "yes"),
    ]
    parts = [HEADER, section("general", general)]
    parts += [section(pool.name, _queue(pool, configuration)) for pool in pools(configuration).values()]
    return "\n".join(parts)


def _queue(pool: Pool, configuration: Configuration) -> Iterable[Option]:
    # not `leastrecent`: whoever has taken no call yet and does not answer is rung again and again, and nobody else (22.10)
    yield "strategy", "rrmemory"
    yield "timeout", str(RING_FOR)
    yield "retry", "1"
    yield "timeoutpriority", "conf"
    yield "ringinuse", "no"
    yield "autopause", "no"
    yield "wrapuptime", "3"
    yield "reportholdtime", "no"
    yield "announce-frequency", "0"
    yield "periodic-announce-frequency", "0"
    # nobody whose phone is there: the client's way out for that, at once and while he waits
    yield "joinempty", _NOBODY
    yield "leavewhenempty", _NOBODY
    # who served him, and after how long: for the record that is brought into the journal
    yield "setinterfacevar", "yes"
    yield "setqueueentryvar", "yes"
    yield "defaultrule", name(pool.name, "team id")
    for who, penalty in pool.members:
        extension = digits(configuration.secretaries[who].extension, f"extension of {who}")
        yield (
            "member",
            f"Local/{extension}@{MEMBERS}/n,{penalty},{name(who, 'secretary id')},hint:{who}@{STATES}",
        )


def queuerules_conf(configuration: Configuration) -> str:
    """How far each queue reaches after how long."""
    parts = [HEADER, section("general", [("realtime_rules", "no")])]
    for pool in pools(configuration).values():
        steps: list[Option] = [("penaltychange", f"{EQUAL_AFTER},,,{FIRST}")]
        steps += [("penaltychange", f"{after},{highest}") for after, highest in pool.widening]
        # ascending, as app_queue wants them
        steps.sort(key=lambda step: int(step[1].split(",", 1)[0]))
        parts.append(section(name(pool.name, "team id"), steps))
    return "\n".join(parts)


def standby_hints(configuration: Configuration) -> str:
    """For each secretary the state that a queue goes by. No phone can subscribe to these."""
    found: list[Option] = []
    for who in sorted(configuration.secretaries):
        phone = name(who, "secretary id")
        found.append(("exten", f"{phone},hint,PJSIP/{phone}&PJSIP/{phone}@web&{away_device(phone)}"))
    return section(STATES, found)
