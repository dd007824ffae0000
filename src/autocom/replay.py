"""`autocom diff --replay`: calls of the journal, decided by two configurations; which would have gone elsewhere.

Runs the same pure functions as a live call (`identify`, `choose`), from what the journal says of each call.
What it does not say is taken as usual: nobody waited already, somebody was at work, no override. Must not
read the journal itself. Invariant: two equal configurations send no call elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from autocom.core.ingress import NumberBook, identify
from autocom.core.journal import Json
from autocom.core.model import Configuration, Enqueue, ForwardReason, Trunk
from autocom.core.numbers import NumberingPlan
from autocom.core.routing import Circumstances, choose, steps_of
from autocom.core.telephony import RawHeaders
from autocom.wordings import in_words, tree


@dataclass(frozen=True, slots=True)
class Way:
    """Where a call goes: the client, the rule, what comes first that is more than a message, every step."""

    client: str
    rule: str
    first: str
    steps: tuple[str, ...]

    def __str__(self) -> str:
        """`cab-lilas, open: queue for team medical …`."""
        return f"{self.client}, {self.rule}: {self.first}"


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many calls were decided twice, and those that differ (`call`, `at`, `old`, `new`)."""

    calls: int
    elsewhere: tuple[Mapping[str, Json], ...]

    def in_words(self, language: str) -> Iterator[str]:
        """For a terminal."""
        count = len(self.elsewhere)
        if language == "en":
            yield f"{self.calls} calls replayed: {count} would have gone elsewhere"
        else:
            yield f"{self.calls} appels rejoués : {count} seraient allés ailleurs"
        for row in self.elsewhere:
            yield f"  {row['at']}  {row['call']}  {row['old']}  ->  {row['new']}"


def replay(
    old: Configuration, new: Configuration, calls: Sequence[Mapping[str, Json]], plan: NumberingPlan
) -> Replayed:
    """Decide each call of the journal (rows of `queries.calls`, newest first) by both."""
    books = NumberBook.of(old), NumberBook.of(new)
    elsewhere: list[Mapping[str, Json]] = []
    decided = 0
    for row in reversed(calls):
        if not isinstance(row.get("arrived_at"), str):
            continue
        decided += 1
        before, after = (
            way(configuration, book, row, plan) for configuration, book in zip((old, new), books, strict=True)
        )
        if before != after:
            elsewhere.append(
                {"call": row["id"], "at": row["arrived_at"], "old": str(before), "new": str(after)}
            )
    return Replayed(decided, tuple(elsewhere))


def way(configuration: Configuration, book: NumberBook, row: Mapping[str, Json], plan: NumberingPlan) -> Way:
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
    )
    language = configuration.bureau.language
    steps = steps_of(choice, client)
    lines = tuple(tree(steps, language))
    queue = next((step for step in steps if isinstance(step, Enqueue)), None)
    first = in_words(queue, language) if queue is not None else lines[0] if lines else ""
    return Way(client.id, choice.rule.name, first, lines)
