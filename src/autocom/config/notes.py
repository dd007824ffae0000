"""What is allowed and yet looks like an oversight: told by `check`, never a reason to refuse.

Must not repeat what is a fault. Invariant: notes change nothing of what is loaded. The story ends
here; `load` hands them out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from autocom.config.steps import branches, every_step
from autocom.config.wording import told
from autocom.core.reach import queues, suits, teams_of

if TYPE_CHECKING:
    from autocom.config import models
    from autocom.config.bureau_build import Built
    from autocom.config.document import Document, Route
    from autocom.config.faults import Fault
    from autocom.config.shape import Sheet
    from autocom.config.steps import Prompt, Queue, Step
    from autocom.core.model import Client

_CALLS_OUT: Final = frozenset({"forward", "on_call", "callback"})
_EMERGENCY: Final = re.compile(r"\b(?:15|112|116 ?117|quinze)\b")
_NAMES_A_KEY: Final = re.compile(r"[0-9*#]|étoile|dièse|\bstar\b|\bhash\b|\bpound\b", re.IGNORECASE)
_ONE_TO_NINE: Final = re.compile(
    r"\b(?:un|deux|trois|quatre|cinq|six|sept|huit|neuf|zéro|one|two|three|four|five|seven|eight|nine|zero)\b",
    re.IGNORECASE,
)


def notes_on_bureau(
    house: models.Bureau, document: Document, built: Built, clients: Sequence[Client]
) -> Iterator[Fault]:
    """Secretaries whom no call can reach, and teams in which nobody is."""
    staffed = {team for person in house.secretaries for team in person.teams}
    reached = _reached(built, clients)
    for index, person in enumerate(house.secretaries):
        place = document.at(("secretaries", index))
        if not person.teams:
            yield place.fault(told("{id} is in no team and gets no calls", id=person.id))
        elif person.id not in reached:
            yield place.fault(told("no queue of any client reaches {id}: she gets no calls", id=person.id))
    for name in house.teams:
        if staffed.isdisjoint(teams_of((name,), built.teams)):
            yield document.key_at(("teams", name)).fault(
                told("nobody is in team `{name}` or where it widens to", name=name)
            )


def _reached(built: Built, clients: Sequence[Client]) -> set[str]:
    """Every secretary who may be offered a call of some client."""
    reached: set[str] = set()
    for client in clients:
        wide = teams_of((queue.team for queue in queues(client)), built.teams)
        reached.update(
            person.id
            for person in built.secretaries.values()
            if not wide.isdisjoint(person.teams) and suits(person, client, built.bureau)
        )
        if len(reached) == len(built.secretaries):
            break
    return reached


def notes_on_client(client: models.Client, sheet: Sheet, *, calls_out: bool = True) -> Iterator[Fault]:
    """What is odd about one client. `calls_out`: some trunk has a `host`."""
    yield from _closed_message(client, sheet)
    yield from _steps(client, sheet)
    for step, route in client.every_step:
        if step.kind in _CALLS_OUT and not calls_out:
            # no fault: the steps behind it are taken, and an admin may still wait for his operator
            yield sheet.key_at(route).fault(
                told("`{step}` calls somebody outside, and no trunk has a `host`", step=step.kind)
            )
    for key, dated in (
        ("closures", client.closures),
        ("openings", client.openings),
        ("absences", client.absences),
    ):
        yield from _overlaps(key, dated, sheet)
    if client.outgoing is not None and client.outgoing.number and not client.outgoing.verified:
        yield sheet.at(("outgoing",)).fault(
            told("this number is not `verified`: the bureau's number is shown instead")
        )
    for index, rule in enumerate(client.rules):
        over = rule.when.waiting_over if rule.when else None
        if over is not None and client.max_calls is not None and over >= client.max_calls:
            yield sheet.at(("rules", index, "when", "waiting_over")).fault(
                told("can never hold: of {most} calls (`max_calls`) not more can wait", most=client.max_calls)
            )
    lists = (
        *((rule.do, ("rules", index, "do")) for index, rule in enumerate(client.rules)),
        (client.on_full, ("on_full",)),
    )
    for steps, route in lists:
        yield from _silent_keys(steps, route, sheet)


def _closed_message(client: models.Client, sheet: Sheet) -> Iterator[Fault]:
    """A medical client's closed rule whose spoken messages name no emergency number."""
    if client.profile != "medical":
        return
    for index, rule in enumerate(client.rules):
        if rule.when is None or rule.when.hours != "closed":
            continue
        plays = [
            (step.play, route) for step, route in every_step(rule.do, ("rules", index, "do")) if step.play
        ]
        spoken: Sequence[str] = [play.say for play, _ in plays if play.say]
        if spoken and len(spoken) == len(plays) and not any(_EMERGENCY.search(text) for text in spoken):
            yield sheet.at(plays[0][1]).fault(
                told("this message names no emergency number (15, 112, 116 117)")
            )


def _steps(client: models.Client, sheet: Sheet) -> Iterator[Fault]:
    for step, route in client.every_step:
        if step.voicemail is not None:
            if not step.voicemail.mail:
                yield sheet.key_at(route).fault(told("no `mail`: the message is only stored, nobody is told"))
            if client.profile == "medical":
                yield sheet.key_at(route).fault(
                    told(
                        "a medical client's voicemail: patients leave messages that somebody must hear in time"
                    )
                )
        announce = step.queue.announce if step.queue else None
        if announce and not (announce.position or announce.wait or announce.play):
            yield sheet.at((*route, "announce")).fault(
                told("announces nothing: give `position: true`, `wait: true` or `play`")
            )


def _overlaps(key: str, dated: Sequence[models.Closure], sheet: Sheet) -> Iterator[Fault]:
    for index, one in enumerate(dated):
        for other, before in enumerate(dated[:index]):
            if one.from_ < before.to and before.from_ < one.to:
                line = sheet.at((key, other)).line
                yield sheet.at((key, index)).fault(
                    told("overlaps the one in line {line}, which goes first", line=line)
                )
                break


def _silent_keys(steps: Sequence[Step], route: Route, sheet: Sheet) -> Iterator[Fault]:
    """Queues with `keys` of which no message tells the caller."""
    heard: list[Prompt] = []
    for index, step in enumerate(steps):
        here = (*route, index, step.kind)
        if step.play is not None:
            heard.append(step.play)
        if step.queue is not None and step.queue.keys and not _tells(step.queue, heard):
            yield sheet.key_at((*here, "keys")).fault(
                told(
                    "no message tells the caller of these keys: say so before, or in `announce: {{play: …}}`"
                )
            )
        for branch, inner in branches(step):
            yield from _silent_keys(inner, (*here, *branch), sheet)


def _tells(queue: Queue, heard: Sequence[Prompt]) -> bool:
    """Whether some message may name a key: what a recording says is not known, and believed."""
    own = [queue.announce.play] if queue.announce and queue.announce.play else []
    return any(
        prompt.say is None or _NAMES_A_KEY.search(prompt.say) or _ONE_TO_NINE.search(prompt.say)
        for prompt in (*heard, *own)
    )
