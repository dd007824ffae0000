"""A call that a program asks for in a secretary's name: her own phone rings first, then the number is dialled. And
which call she is in, for the status.

Gives the desk's refusals in words; decides nothing. Asked by the API's verb `call` and `autocom call-out`.
"""

from __future__ import annotations

from autocom.calls import summoning
from autocom.calls.switchboard import Switchboard
from autocom.core.journal import Json
from autocom.core.orders import NotPossible
from autocom.core.posts import Post
from autocom.core.stages import Leaving, Talking
from autocom.core.story import Story
from autocom.posts import WHY

REFUSED = {
    **WHY,
    "self": "that is her own extension",
    "offline": "her phone is not registered",
    "busy": "she is in a call, or her phone rings",
}


def call_of(board: Switchboard, post: Post) -> str | None:
    """The call that she is in: one that the floor gave her, else one that she dialled, or talks in."""
    if post.call is not None:
        return post.call
    stories = [line.story for line in board.lines.values()]
    hers = [s for s in stories if s.colleague == post.secretary or _talks(s, post.secretary)]
    return max((s.call.id for s in hers if not isinstance(s.stage, Leaving)), default=None)


def _talks(story: Story, secretary: str) -> bool:
    return isinstance(story.stage, Talking) and story.stage.secretary == secretary


def call_out(board: Switchboard, who: str, to: str, client: str | None) -> dict[str, Json]:
    """Ring her phone, for a client or for the bureau; the call's id. LookupError: nobody of that name; ValueError:
    nobody to call; NotPossible: why not."""
    if not to.strip():
        raise ValueError("say whom to call: an extension or a number")
    if board.draining or not board.connected:
        raise NotPossible("no calls are taken at this moment")
    try:
        call = summoning.call_out(board.desk, who, to, client or None)
    except NotPossible as refused:
        why = str(refused)
        raise NotPossible(REFUSED.get(why, why)) from None
    return {"id": who, "verb": "call", "call": call}
