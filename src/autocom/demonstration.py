"""`up --demo` and `demo`: real calls from outside, told live from the journal as they happen.

Logs a secretary in, has `demo.demonstrate` place a call through the exchange's own doors, prints
each journal entry when it is saved, and then what both sides heard. The exchange goes on afterwards.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Collection, Iterator
from contextlib import aclosing
from zoneinfo import ZoneInfo

from autocom.core.journal import Entry
from autocom.core.model import Client, Configuration, Enqueue, Secretary
from autocom.core.routing import Circumstances, choose, flatten
from autocom.demo import DemonstrationFailed, Summary, demonstrate
from autocom.parts import Parts
from autocom.settings import Settings
from autocom.timeline import line

PAUSE = 3.0
"""Seconds between two calls of `autocom demo`."""


async def show(
    parts: Parts, settings: Settings, say: Callable[[str], None], *, calls: int | None = 1
) -> None:
    """Place `calls` calls one after the other (None: until stopped) and tell them. What goes wrong is told
    too, and the exchange goes on. Secretaries whose phones are registered are left alone."""
    for number in itertools.count():
        if number == calls:
            break
        if number:
            await asyncio.sleep(PAUSE)  # between two patients
        configuration = parts.switchboard.configuration
        assert configuration is not None
        posts = parts.switchboard.dispatcher.floor.posts
        at_work = {name for name, post in posts.items() if post.registered}
        scenes = list(pick(configuration, parts.switchboard.ports.clock.now(), at_work))
        if not scenes:
            say(
                "demonstration: no client of this bureau sends its calls to a secretary without phone right now"
            )
            break
        client, secretary = scenes[number % len(scenes)]
        say(f"demonstration: a patient calls {client.name}; {secretary.name} answers")
        was_logged_in = posts[secretary.id].logged_in
        parts.exchange.secretary(secretary.id, "login", None)
        await _one_call(parts, settings, say, client, secretary)
        if not was_logged_in:
            parts.exchange.secretary(secretary.id, "logout", None)
    say("autocom stays up; stop it with Ctrl-C")


async def _one_call(
    parts: Parts, settings: Settings, say: Callable[[str], None], client: Client, secretary: Secretary
) -> None:
    configuration = parts.switchboard.configuration
    assert configuration is not None
    async with asyncio.TaskGroup() as tasks:
        telling = tasks.create_task(_tell(parts, ZoneInfo(configuration.bureau.timezone), say))
        try:
            summary = await demonstrate(
                str(settings.sip_bind),
                client.lines[0].did,
                secretary.id,
                secretary.password,
                lambda text: say(f"   {text}"),
                forwarded_from=client.lines[0].forwarded_from or client.outgoing_number or "+33261912001",
            )
        except DemonstrationFailed as failed:
            say(f"demonstration: {failed}")
        else:
            await asyncio.sleep(0.3)  # the last entries of the call
            for sentence in heard(summary):
                say(sentence)
        telling.cancel()


async def _tell(parts: Parts, zone: ZoneInfo, say: Callable[[str], None]) -> None:
    async with aclosing(parts.exchange.follow()) as entries:  # type: ignore[type-var]
        async for entry in entries:
            if shown(entry):
                say("   " + line(entry.at, entry.kind, entry.fields, zone))


def shown(entry: Entry) -> bool:
    """What belongs to the story of a call."""
    return entry.kind not in {"configuration", "service", "quality"}


def pick(
    configuration: Configuration, now: float, at_work: Collection[str] = ()
) -> Iterator[tuple[Client, Secretary]]:
    """Clients whose rule of this moment is a queue, each with the secretary it reaches first of those
    who are not `at_work`."""
    for client in configuration.clients.values():
        if not client.lines:
            continue
        did = client.lines[0].did
        asked = Circumstances(now, "+33639980101", False, None, did, 0, False)
        rule = choose(client, asked, configuration.blocked).rule
        queue = next((s for s in flatten(rule, client) if isinstance(s, Enqueue)), None)
        members = [
            s
            for s in configuration.secretaries.values()
            if queue is not None and queue.team in s.teams and s.id not in at_work
        ]
        if queue is not None and members:
            yield client, min(members, key=lambda s: (s.teams[queue.team], s.id))


def heard(summary: Summary) -> list[str]:
    """What each side heard, as lines."""
    lines = [f"demonstration: the softphone showed {summary.display!r} after {summary.rang_after:.2f} s"]
    for side, timeline in (("caller", summary.caller_heard), ("secretary", summary.secretary_heard)):
        story = ", ".join(f"{h.what} {h.start:.1f}-{h.end:.1f} s" for h in timeline)
        lines.append(f"demonstration: the {side} heard {story}")
    verdict = "both heard each other" if summary.two_way else "SOUND WAS NOT TWO-WAY"
    lines.append(f"demonstration: {verdict}")
    return lines
