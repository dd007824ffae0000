"""`up --demo` and `demo`: one real call from outside, told live from the journal as it happens.

Logs a secretary in, has `demo.demonstrate` place the call through the exchange's own doors, prints
each journal entry when it is saved, and then what both sides heard. The exchange goes on afterwards.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from zoneinfo import ZoneInfo

from autocom.app import Parts
from autocom.core.journal import Entry
from autocom.core.model import Client, Configuration, Enqueue, Secretary
from autocom.core.routing import Circumstances, choose, flatten
from autocom.demo import DemonstrationFailed, Summary, demonstrate
from autocom.settings import Settings
from autocom.timeline import line


async def show(parts: Parts, settings: Settings, say: Callable[[str], None]) -> None:
    """Place one call and tell it. What goes wrong is told too, and the exchange goes on."""
    configuration = parts.switchboard.configuration
    assert configuration is not None
    found = pick(configuration, parts.switchboard.ports.clock.now())
    if found is None:
        say("demonstration: no client of this bureau sends its calls to a secretary right now")
        return
    client, secretary = found
    say(f"demonstration: a patient calls {client.name}; {secretary.name} answers")
    parts.exchange.secretary(secretary.id, "login", None)
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
    parts.exchange.secretary(secretary.id, "logout", None)
    say("autocom stays up; stop it with Ctrl-C")


async def _tell(parts: Parts, zone: ZoneInfo, say: Callable[[str], None]) -> None:
    async with aclosing(parts.exchange.follow()) as entries:  # type: ignore[type-var]
        async for entry in entries:
            if shown(entry):
                say("   " + line(entry.at, entry.kind, entry.fields, zone))


def shown(entry: Entry) -> bool:
    """What belongs to the story of a call."""
    return entry.kind not in {"configuration", "service", "quality"}


def pick(configuration: Configuration, now: float) -> tuple[Client, Secretary] | None:
    """A client whose rule of this moment is a queue, and the secretary it reaches first."""
    for client in configuration.clients.values():
        if not client.lines:
            continue
        rule = choose(
            client, Circumstances(now, "+33639980101", False, None, client.lines[0].did, 0, False)
        ).rule
        queue = next((s for s in flatten(rule, client) if isinstance(s, Enqueue)), None)
        if queue is None:
            continue
        members = [s for s in configuration.secretaries.values() if queue.team in s.teams]
        if members:
            return client, min(members, key=lambda s: (s.teams[queue.team], s.id))
    return None


def heard(summary: Summary) -> list[str]:
    """What each side heard, as lines."""
    lines = [f"demonstration: the softphone showed {summary.display!r} after {summary.rang_after:.2f} s"]
    for side, timeline in (("caller", summary.caller_heard), ("secretary", summary.secretary_heard)):
        story = ", ".join(f"{h.what} {h.start:.1f}-{h.end:.1f} s" for h in timeline)
        lines.append(f"demonstration: the {side} heard {story}")
    verdict = "both heard each other" if summary.two_way else "SOUND WAS NOT TWO-WAY"
    lines.append(f"demonstration: {verdict}")
    return lines
