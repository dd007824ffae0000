"""What a secretary wants done with the conversation she is in: by her phone's buttons, by codes, by API.

Frozen values that lie in the call's mailbox like any other note. `how`, where the journal keeps it, says by what
means it was asked: `refer` (her phone's transfer button), `code` (digits in the conversation) or `api`. An order that no longer fits what the call has become changes nothing: orders come late. The story
that follows them is `calls.conversing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from autocom.core.model import Client, Configuration
from autocom.core.numbers import FRANCE, NumberingPlan
from autocom.core.targets import Nobody, Outside, Target, target


@dataclass(frozen=True, slots=True)
class Hold:
    """Put the caller on hold: he hears his client's music, she hears nothing."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Take him out of hold. Somebody who was consulted meanwhile is put on hold himself."""


@dataclass(frozen=True, slots=True)
class Consult:
    """Ring somebody and talk to him while the caller is on hold (the first half of an attended transfer)."""

    target: Target
    how: str = "api"


@dataclass(frozen=True, slots=True)
class Join:
    """All three together: caller, secretary and whoever was consulted."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Let the one who was consulted, or is being rung, go; back to the caller."""


@dataclass(frozen=True, slots=True)
class Leave:
    """She leaves; caller and the one who was consulted stay together. While he still rings: as `SendTo`."""

    how: str = "api"


@dataclass(frozen=True, slots=True)
class SendTo:
    """A blind transfer: she is out at once, the caller is rung through; unanswered, he comes back to her.
    `asked_on`: her channel whose phone waits to be told how its REFER fares."""

    target: Target
    how: str = "api"
    asked_on: str | None = None


@dataclass(frozen=True, slots=True)
class PutThrough:
    """An unattended patch: as `SendTo`, but whoever picks up must press `ACCEPT`, so that no voicemail swallows the
    caller."""

    target: Target
    how: str = "api"


@dataclass(frozen=True, slots=True)
class Park:
    """Put the caller aside for whoever takes him back, with a note for her."""

    note: str = ""
    how: str = "api"


@dataclass(frozen=True, slots=True)
class Record:
    """The recording of the conversation: a word of `RECORD_VERBS`, or `toggle`, the key `*8`: start, then pause and
    resume."""

    verb: str


@dataclass(frozen=True, slots=True)
class Mark:
    """What came of this call, by its digit (`core.results`); `calls.house.House.mark` writes it down."""

    result: str


Order = Hold | Resume | Consult | Join | Drop | Leave | SendTo | PutThrough | Park | Record | Mark


class NotPossible(Exception):  # noqa: N818 - says what is the case
    """What she wants cannot be now; the words say why, for people."""


class LeadsNowhere(ValueError):  # noqa: N818 - says what is the case
    """Whom she named is nobody. `why`: a word of `core.targets.Nobody`."""

    def __init__(self, nobody: Nobody) -> None:
        super().__init__(f"{nobody.dialled!r} leads to nobody ({nobody.why})")
        self.dialled, self.why = nobody.dialled, nobody.why


VERBS: Mapping[str, str | None] = {
    "hold": None,
    "resume": None,
    "consult": "to",
    "join": None,
    "drop": None,
    "leave": None,
    "transfer": "to",
    "patch": "to",
    "park": "note",
    "record": "do",
}
"""What the API and `autocom secretary` may ask of a conversation, and the name of what belongs to it."""
RECORD_VERBS = ("start", "pause", "resume", "stop")
LONGEST_NOTE = 80
ACCEPT = "1"
"""The digit by which somebody outside whom a secretary had rung says that he is there: a voicemail presses none."""

_PLAIN: Mapping[str, Order] = {"hold": Hold(), "resume": Resume(), "join": Join(), "drop": Drop()}


def by_verb(
    verb: str,
    argument: str,
    configuration: Configuration,
    client: Client | None = None,
    plan: NumberingPlan = FRANCE,
    how: str = "api",
) -> Order:
    """The order that a word of `VERBS` (or of `core.keypad`) stands for. `client`: whose contacts are meant by one
    or two digits. ValueError says what is wrong with the words."""
    if verb in _PLAIN:
        return _PLAIN[verb]
    match verb:
        case "leave":
            return Leave(how)
        case "consult":
            return Consult(destination(argument, configuration, client, plan), how)
        case "transfer":
            return SendTo(destination(argument, configuration, client, plan), how)
        case "patch":
            return PutThrough(destination(argument, configuration, client, plan), how)
        case "park":
            return Park(" ".join(argument.split())[:LONGEST_NOTE], how)
        case "record" if argument in RECORD_VERBS:
            return Record(argument)
        case "record":
            raise ValueError(f"say what to do with the recording: {', '.join(RECORD_VERBS)}")
        case "mark":
            return Mark(argument)
        case _:
            raise ValueError(f"unknown verb {verb!r}: use {', '.join(VERBS)}")


def destination(
    words: str, configuration: Configuration, client: Client | None = None, plan: NumberingPlan = FRANCE
) -> Target:
    """Where these digits lead: an extension, a team, a room, a number, or the n-th of the client's contacts.
    ValueError where they are no words at all, LeadsNowhere where they are nobody's."""
    found = target(words, configuration, plan)
    if not isinstance(found, Nobody):
        return found
    text = words.strip()
    contacts = client.contacts if client is not None else ()
    if text.isascii() and text.isdigit() and len(text) <= 2 and 1 <= int(text) <= len(contacts):
        contact = contacts[int(text) - 1]
        return Outside(contact.number, contact.name)
    if not text:
        raise ValueError("say whom: an extension, a number, or the client's contact by its place (1, 2, …)")
    raise LeadsNowhere(found)
