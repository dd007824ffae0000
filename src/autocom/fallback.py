"""The dialplan's fallback, which serves callers without us: what it is told, and what it did meanwhile.

It is told who may be rung, for the day we are away, and its calls are brought into the journal as `fallback`. Their headers
are read by the same rules as those of a live call, so the journal says whose call it was. A file is forgotten only
after its call is saved; one that is read twice after a crash is the same call under the same id, since the id is
derived from its channel, and not told twice, since a mark is saved with it. Who runs it is `app`.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import structlog

from autocom.asterisk import spool
from autocom.asterisk.spool import FallbackCall
from autocom.asterisk.telephone import AsteriskTelephone
from autocom.calls.living import FALLBACK, LEFT
from autocom.calls.opening import met
from autocom.calls.ports import Gone, Rows, TelephoneDown
from autocom.core.ingress import NumberBook, identify
from autocom.core.journal import Entry, Json
from autocom.core.model import Configuration, Trunk
from autocom.core.numbers import NumberingPlan
from autocom.core.posts import Post, Staff
from autocom.core.telephony import CallEntered
from autocom.exchange import RunningExchange

log = structlog.get_logger()

IMPORT_EVERY = 2.0
SWEPT_EVERY = 60.0
FALLBACK_LASTS = 86_400.0
"""Seconds after which no call is in the fallback any more: its record never came, Asterisk died with it."""


async def keep_told(exchange: RunningExchange, telephone: AsteriskTelephone) -> None:
    """Until cancelled: who is at work, as far as the telephone can be reached."""
    told: dict[str, bool] = {}
    async for entry in exchange.follow():
        if entry.kind == "secretary_state":
            await _tell(exchange, telephone, [str(entry.fields.get("secretary"))], told)
        elif entry.kind == "service" and entry.fields.get("event") == "telephone_back":
            told.clear()  # perhaps another Asterisk, which knows nothing
            await tell_all(exchange, telephone, told)


async def tell_all(exchange: RunningExchange, telephone: AsteriskTelephone, told: dict[str, bool]) -> None:
    """Of everybody who is at work and who is not; `told`: what it knows already."""
    await _tell(exchange, telephone, list(exchange.switchboard.dispatcher.floor.posts), told)


async def _tell(
    exchange: RunningExchange, telephone: AsteriskTelephone, names: Sequence[str], told: dict[str, bool]
) -> None:
    dispatcher = exchange.switchboard.dispatcher
    for name in names:
        post = dispatcher.floor.posts.get(name)
        if post is None:
            continue
        at_work = takes_calls(post, dispatcher.floor.staff)
        if told.get(name) == at_work:
            continue  # her state changes three times a call, this one twice a day
        try:
            await telephone.tell_fallback(name, at_work=at_work)
            told[name] = at_work
        except (Gone, TelephoneDown) as error:
            log.info("fallback not told", secretary=name, why=str(error))


def takes_calls(post: Post, staff: Staff) -> bool:
    """Whether she may be rung without us. Whose registration is enough may come to work while we are away."""
    comes = not post.registered and post.secretary in staff.auto_login
    return post.pause is None and (post.logged_in or comes)


def _nobody(_: str) -> bool:
    return False


async def keep_imported(
    folder: Path,
    journal: Rows,
    configuration: Callable[[], Configuration],
    plan: NumberingPlan,
    is_open: Callable[[str], bool] = _nobody,
) -> None:
    """Until cancelled: calls that it served while we were away or frozen, or still talked in when we came."""
    swept = 0.0
    since: dict[str, float] = {}
    looked_at: set[str] = set()
    while True:
        await take_in(folder, journal, configuration, plan, is_open, looked_at)
        if time.monotonic() - swept >= SWEPT_EVERY:
            swept = time.monotonic()
            journal.save(floor=dict.fromkeys(stale(journal, since, swept)))
        await asyncio.sleep(IMPORT_EVERY)


def stale(journal: Rows, since: dict[str, float], now: float) -> list[str]:
    """The marks whose record does not come any more. `since`: when each was seen first, to be given again."""
    marks = {**journal.rows(LEFT), **journal.rows(FALLBACK)}
    for gone in since.keys() - marks.keys():
        del since[gone]
    # who left: the dialplan knew all the same that he had a record
    lasts = {mark: SWEPT_EVERY if mark.startswith(LEFT) else FALLBACK_LASTS for mark in marks}
    return sorted(mark for mark in marks if now - since.setdefault(mark, now) >= lasts[mark])


async def take_in(
    folder: Path,
    journal: Rows,
    configuration: Callable[[], Configuration],
    plan: NumberingPlan,
    is_open: Callable[[str], bool] = _nobody,
    looked_at: set[str] | None = None,
) -> int:
    """Write every call of the spool into the journal; how many were served. `is_open`: whether a channel still has a
    call of its own, which will say itself that it ended with the fallback. `looked_at`: who hung up before anybody had
    him, as far as Asterisk knows, is written down at the second look."""
    calls = await asyncio.to_thread(spool.read, folder)
    if looked_at is not None:
        looked_at.intersection_update(found.channel for found in calls)
    if not calls:
        return 0
    done = 0
    in_force = configuration()
    book = NumberBook.of(in_force)
    for found in calls:
        await asyncio.sleep(0)  # there may be a night's calls, and others are talking
        if found.left and looked_at is not None and found.channel not in looked_at:
            looked_at.add(found.channel)  # next time nobody can be about to write him down himself
            continue
        if is_open(found.channel):
            if found.left:
                spool.forget(folder, found)  # his story is here
            continue
        mark = (LEFT if found.left else FALLBACK) + found.channel
        # else its story crashed and gave it to the fallback, or we were killed here. Looked at now and not before the loop:
        # a story that ends meanwhile leaves its mark in the same instant
        if mark not in journal.rows(mark):
            entries = _entries(found, in_force, book, plan)
            journal.save(entries, floor={mark: entries[0].call})
        spool.forget(folder, found)
        journal.save(floor={mark: None})
        done += not found.left
    if done:
        log.warning("calls were served without us", calls=done)
    return done


def _entries(
    found: FallbackCall, configuration: Configuration, book: NumberBook, plan: NumberingPlan
) -> list[Entry]:
    """What is known of the call, as a live one would have told it."""
    trunk = configuration.trunks.get(found.trunk or "") or Trunk(found.trunk or "unknown", ())
    identity = identify(found.headers, trunk, book, plan)
    if found.client is not None and found.client in configuration.clients:
        # whom he was served as is what happened, though the files say otherwise by now
        identity = replace(identity, client=found.client)
    call = "cf" + hashlib.blake2s(f"{found.channel} {found.entered_at}".encode(), digest_size=8).hexdigest()
    came = CallEntered(found.channel, found.entered_at, found.trunk, found.headers)
    entries = [*met(call, came, identity, configuration, came.at)]
    if found.rule is not None:
        entries.append(Entry(found.entered_at, "rule", call, {"rule": found.rule}))
    if found.message is not None:
        sound, began, over = found.message
        entries.append(Entry(began, "message_started", call, {"sound": sound}))
        if over is not None:
            heard: dict[str, Json] = {
                "sound": sound,
                "heard_ms": round((over - began) * 1000),
                "complete": True,
            }
            entries.append(Entry(over, "message_ended", call, heard))
    if found.queued_at is not None:
        queued: dict[str, Json] = {"team": found.team, "priority": 0, "max_wait": None}  # strictly in order
        entries.append(Entry(found.queued_at, "queued", call, queued))
    started = max(found.entered_at, found.ended_at - found.talk_seconds)
    if found.secretary is not None:
        entries.append(Entry(started, "bridged", call, {"secretary": found.secretary}))
        entries.append(Entry(found.ended_at, "talk_ended", call, {"secretary": found.secretary}))
    elif found.number is not None:
        entries.append(Entry(started, "patched", call, {"name": "", "number": found.number}))
        entries.append(Entry(found.ended_at, "patch_ended", call, {}))
    entries.append(
        Entry(found.ended_at, "ended", call, {"outcome": "abandoned" if found.left else "fallback"})
    )
    return entries
