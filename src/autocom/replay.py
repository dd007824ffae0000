"""`autocom diff --replay`: calls of the journal, decided by two configurations; which would have gone elsewhere.

Runs the same pure functions as a live call (`identify`, `choose`), from what the journal says of each call.
What it does not say is taken as usual: nobody waited already, somebody was at work, no override. Elsewhere is
another client, rule or team, closed instead of open, another number, voicemail or end, also behind the way out
of the queue that the call took; what is heard on the way, and for how long, is not. Must not read the journal
itself. Invariant: two equal configurations send no call elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from zoneinfo import ZoneInfo

from autocom.core.ingress import NumberBook, identify
from autocom.core.journal import Json
from autocom.core.model import (
    Callback,
    Configuration,
    Enqueue,
    Forward,
    ForwardReason,
    Hangup,
    Menu,
    OnCall,
    SendMessage,
    Step,
    Trunk,
    Voicemail,
)
from autocom.core.numbers import NumberingPlan
from autocom.core.reach import branches
from autocom.core.routing import Circumstances, choose, steps_of
from autocom.core.telephony import RawHeaders
from autocom.speech import counted
from autocom.wordings import in_words

Place = tuple[str, ...]
_OUT = {
    "timeout": ("on_timeout", "on_long_wait"),
    "nobody": ("on_nobody",),
    "full": ("on_full",),
    "closed": ("on_closing",),
}
"""The queue's ways out that a call with this outcome may have taken; after any of them he may have been
forwarded, or have left a message."""


@dataclass(frozen=True, slots=True)
class Way:
    """Where a call goes: the client, the rule, whether he is open, the places that the steps lead to (`places`),
    those behind the way out that it took (`out`); and for people what comes first (`first`, `then`)."""

    client: str
    rule: str
    open: bool
    places: tuple[Place, ...]
    out: tuple[Place, ...]
    first: str
    then: str = ""

    def leads_as(self, other: Way) -> bool:
        """Whether a caller who goes either way comes to the same."""
        mine, others = ((way.client, way.rule, way.open, way.places, way.out) for way in (self, other))
        return mine == others

    def __str__(self) -> str:
        """`cab-lilas, open: queue for team medical …`."""
        return f"{self.client}, {self.rule}: {self.first}" + (f"; {self.then}" if self.then else "")


def places(steps: Sequence[Step]) -> Iterator[Place]:
    """What these steps lead to, in order; messages and music lead nowhere."""
    for step in steps:
        match step:
            case Enqueue(team):
                yield "queue", team
            case Forward(to):
                yield "forward", to
            case OnCall(roster):
                yield "on_call", roster
            case Voicemail():
                yield "voicemail", *step.mail
            case SendMessage(to):
                yield "message", to
            case Callback():
                yield ("callback",)
            case Hangup(kind):
                yield "hangup", kind.value
            case Menu():
                for way, inside in branches(step):
                    yield from (("menu", way, *place) for place in places(inside))
            case _:
                pass


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many calls were decided twice, and those that differ (`call`, `at`, `old`, `new`)."""

    calls: int
    elsewhere: tuple[Mapping[str, Json], ...]

    def in_words(self, language: str, zone: ZoneInfo) -> Iterator[str]:
        """For a terminal, times in the bureau's zone."""
        moved, total = len(self.elsewhere), counted(self.calls, "call", language)
        if language == "en":
            yield f"{total} replayed: {moved} would have gone elsewhere"
        else:
            replayed = "rejoués" if self.calls > 1 else "rejoué"
            yield f"{total} {replayed} : {moved} {'seraient allés' if moved > 1 else 'serait allé'} ailleurs"
        for row in self.elsewhere:
            at = datetime.fromisoformat(str(row["at"])).astimezone(zone)
            yield f"  {at:%Y-%m-%d %H:%M:%S}  {row['call']}  {row['old']}  ->  {row['new']}"


def replay(
    old: Configuration,
    new: Configuration,
    calls: Sequence[Mapping[str, Json]],
    plan: NumberingPlan,
    language: str | None = None,
) -> Replayed:
    """Decide each call of the journal (rows of `queries.calls`, newest first) by both. What differs is told in
    `language`, else the new bureau's."""
    speaks = language or new.bureau.language
    books = NumberBook.of(old), NumberBook.of(new)
    elsewhere: list[Mapping[str, Json]] = []
    decided = 0
    for row in reversed(calls):
        if not isinstance(row.get("arrived_at"), str):
            continue
        decided += 1
        before, after = (
            way(configuration, book, row, plan, speaks)
            for configuration, book in zip((old, new), books, strict=True)
        )
        if not before.leads_as(after):
            elsewhere.append(
                {"call": row["id"], "at": row["arrived_at"], "old": str(before), "new": str(after)}
            )
    return Replayed(decided, tuple(elsewhere))


def way(
    configuration: Configuration,
    book: NumberBook,
    row: Mapping[str, Json],
    plan: NumberingPlan,
    language: str,
) -> Way:
    """Where this configuration would have sent the call."""
    line, reason = row.get("forwarded_from"), str(row.get("forward_reason") or "unknown")
    caller = row.get("caller")
    raw = RawHeaders(
        request_user=str(row.get("did") or ""),
        from_=f"<sip:{caller}@journal.invalid>" if caller else "<sip:anonymous@anonymous.invalid>",
        diversion=(f"<sip:{line}@journal.invalid>;reason={reason}",) if line else (),
    )
    identity = identify(raw, Trunk("journal", ()), book, plan)
    client = configuration.clients[identity.client]
    choice = choose(
        client,
        Circumstances(
            at=datetime.fromisoformat(str(row["arrived_at"])).timestamp(),
            caller=identity.caller,
            anonymous=identity.anonymous,
            forward_reason=ForwardReason(reason) if row.get("forward_reason") else None,
            did=identity.did,
        ),
        configuration.blocked,
    )
    steps = steps_of(choice, client)
    queue = next((step for step in steps if isinstance(step, Enqueue)), None)
    shown = queue or next(iter(steps), None)
    first = in_words(shown, language) if shown is not None else ""
    after = _taken(queue, row) if queue is not None else ()
    then = "; ".join(in_words(step, language) for step in after)
    return Way(
        client.id, choice.rule.name, choice.open, tuple(places(steps)), tuple(places(after)), first, then
    )


def _taken(queue: Enqueue, row: Mapping[str, Json]) -> tuple[Step, ...]:
    """What stands behind the way out of the queue that this call took, as far as its outcome tells."""
    outcome = str(row.get("outcome") or "")
    if outcome in ("forwarded", "voicemail") and row.get("queued_at"):
        return tuple(chain.from_iterable(inside for _, inside in branches(queue)))
    names = _OUT.get(outcome, ())
    return tuple(chain.from_iterable(inside for name, inside in branches(queue) if name in names))
