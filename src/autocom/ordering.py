"""What is asked of a secretary's conversation from outside it: the words of the API and the command line, and how
her conversation shows in the status.

Looks whether the order fits at this moment, so that who asks is told why not; the conversation looks again when
the order comes to it. Must not carry anything out: `calls.conversing` does.
"""

from __future__ import annotations

from autocom.calls.switchboard import Switchboard
from autocom.core.conversation import why_not
from autocom.core.journal import Json
from autocom.core.orders import VERBS, NotPossible, Park, Resume, by_verb
from autocom.core.parking import free_slot
from autocom.core.stages import Talking, Third
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
        raise NotPossible(f"{who} is in no conversation")
    configuration, client = board.house.in_force, line.story.call.client
    today = configuration.clients.get(client.id, client)
    wanted = by_verb(verb, argument, configuration, today, board.plan)
    why = why_not(stage, wanted)
    if why is not None:
        if isinstance(wanted, Resume) and stage.held is None:
            return None
        raise NotPossible(why)
    if isinstance(wanted, Park) and free_slot(line.story for line in board.lines.values()) is None:
        raise NotPossible("every parking slot is taken")
    board.desk.order(who, wanted)
    return {"id": who, "verb": verb, "call": line.id}


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
