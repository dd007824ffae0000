"""What is asked of a secretary's conversation from outside it: the words of the API and the command line, and how
her conversation shows in the status.

Looks whether the order fits at this moment, so that who asks is told why not; the conversation looks again when
the order comes to it, and is given refused ones too: it writes them down and tells her phone. Must not carry anything out: `calls.conversing` does.
"""

from __future__ import annotations

from autocom.calling import REFUSED
from autocom.calls.consulting import why_not_rung
from autocom.calls.line import Line
from autocom.calls.switchboard import Switchboard
from autocom.calls.transferring import why_not_there
from autocom.core.conversation import why_not
from autocom.core.journal import Json
from autocom.core.orders import (
    VERBS,
    Consult,
    LeadsNowhere,
    NotPossible,
    Order,
    Park,
    PutThrough,
    Record,
    Resume,
    SendTo,
    by_verb,
)
from autocom.core.parking import free_slot
from autocom.core.sending import staying
from autocom.core.stages import Talking, Third
from autocom.core.story import turned
from autocom.core.tapes import may_not, said
from autocom.core.targets import written
from autocom.timeline import iso


def order(board: Switchboard, who: str, verb: str, argument: str) -> dict[str, Json] | None:
    """Give it to her conversation; the call's id. None where `resume` is not about a conversation (her pause is
    meant). Raises LookupError for an unknown id, ValueError for wrong words, NotPossible with the reason."""
    if verb not in VERBS:
        return None
    if who not in board.house.in_force.secretaries:
        raise LookupError(f"there is no secretary {who!r}")
    line = board.desk.conversation(who)
    stage = line.story.stage if line is not None else None
    if line is None or not isinstance(stage, Talking):
        if verb == "resume":
            return None
        raise NotPossible("she is in no conversation")
    if stage.secretary != who:
        story = turned(line.story, who, board.house.in_force.secretaries)
        if story is None or not isinstance(story.stage, Talking):
            if verb == "resume":
                return None
            raise NotPossible("her colleague has somebody on hold, or somebody else with her")
        stage = story.stage
    wanted = _wanted(board, line, who, verb, argument)
    why = why_not(stage, wanted)
    if why is not None:
        if isinstance(wanted, Resume) and stage.held is None:
            return None
        raise NotPossible(why)
    if isinstance(wanted, Park) and free_slot(line.story for line in board.lines.values()) is None:
        raise NotPossible("every parking slot is taken")
    refused = _refusal(board, line, wanted) if line.story.stage is stage else None
    board.desk.order(who, wanted)  # a refused one too: her phone says why, the journal has it
    if refused is not None:
        raise NotPossible(refused)
    return {"id": who, "verb": verb, "call": line.id}


def _wanted(board: Switchboard, line: Line, who: str, verb: str, argument: str) -> Order:
    """The words as an order. Whom she names and is nobody (an emergency number, a short one) stands in the journal."""
    configuration, client = board.house.in_force, line.story.call.client
    today = configuration.clients.get(client.id, client)
    try:
        return by_verb(verb, argument, configuration, today, board.plan)
    except LeadsNowhere as nowhere:
        named, why = nowhere.dialled, nowhere.why
        refused = (
            line.entry("call_refused", secretary=who, dialled=named, why=why)
            if verb == "consult"
            else line.entry("transfer_failed", secretary=who, to=named, why=why, stays=True)
        )
        line.ports.journal.save([refused])
        raise NotPossible(REFUSED[nowhere.why]) from None


def _refusal(board: Switchboard, line: Line, wanted: Order) -> str | None:
    """Why this will be refused, as far as it is known before it is tried; None where nothing speaks against it."""
    house, story = board.house, line.story
    if not isinstance(story.stage, Talking):
        return None
    match wanted:
        case Record("start" | "toggle") if story.taped is None:
            why = may_not(story.call, house.in_force.clients.get(story.call.client.id))
            return None if why is None else said(why, "en")
        case Record("pause" | "resume") if story.taped is None:
            return "nothing is being recorded"
        case Consult(target):
            why = why_not_rung(house, line, story.stage, target)
            return None if why is None else REFUSED[why]
        case SendTo(target) | PutThrough(target):
            why = why_not_there(house, line, story.stage, target)
            return None if why is None else staying("en", why, written(target, house.in_force))
        case _:
            return None


def conversation(board: Switchboard, who: str) -> dict[str, Json]:
    """What the status shows of her conversation: since when the caller is on hold, and who else is there."""
    line = board.desk.conversation(who)
    stage = line.story.stage if line is not None else None
    if not isinstance(stage, Talking):
        return {"held_since": None, "held_by": None, "third": None}
    held = stage.held
    return {
        "held_since": None if held is None else iso(held.since),
        "held_by": None if held is None else held.by,
        "third": None if stage.third is None else _third(stage.third),
    }


def _third(third: Third) -> dict[str, Json]:
    state = "ringing" if third.answered_at is None else "talking" if third.inside else "on_hold"
    return {"name": third.contact.name, "number": third.contact.number, "state": state}
