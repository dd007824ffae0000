"""The secretaries' phones as programs see them: who is parked, who confers, where each phone sends its calls.

Puts the rooms' answers together and gives their words on; decides nothing. Every refusal is told in words.
Asked by `web.posts`, by the codes that forward a phone (over FastAGI), and by the status.
"""

from __future__ import annotations

from collections.abc import Mapping

from autocom.calls import rooms
from autocom.calls.diverting import forward
from autocom.calls.inviting import NotInvited, invite
from autocom.calls.switchboard import Switchboard
from autocom.core.codes import SetForward
from autocom.core.journal import Entry, Json
from autocom.core.orders import NotPossible
from autocom.core.renvoi import WHENS
from autocom.core.rooms import VERBS, Member, open_rooms, opened_by
from autocom.core.stages import Parked
from autocom.core.targets import LONGEST, ROOMS
from autocom.timeline import iso

WHY = {
    "self": "a phone cannot be forwarded to itself",
    "outside": "this bureau lets no phone be forwarded to a number outside (`forwarding: {outside: true}`)",
    "unknown": "nobody has that extension",
    "malformed": "that is no number",
    "own": "that number is one of the bureau's own: the call would come back",
    "emergency": "an emergency number is never dialled from here",
    "premium": "premium numbers are not dialled",
    "international": "that country is not allowed",
    "satellite": "satellite numbers are never dialled",
    "limit": "her limit of calls to the outside is reached",
    "no_line": "no line to the outside is free",
    "barred": "that number may not be dialled",
    "loop": "the call would come back to us",
    "not_allowed_here": "she may not serve this client from the country she sits in (`countries` of the client)",
    "room_locked": "the room is locked",
    "room_full": "the room is full",
    "nobody_there": "nobody is in that room",
}
"""A refusal's word in words."""


class Posts:
    """Over one exchange. LookupError: no such room or secretary; ValueError: wrong words; NotPossible: why not
    now."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board

    def parked(self) -> list[Json]:
        """Who is parked, by slot."""
        stories = (line.story for line in self._board.lines.values())
        found: list[tuple[str, dict[str, Json]]] = []
        for story in stories:
            stage = story.stage
            if isinstance(stage, Parked):
                row: dict[str, Json] = {
                    "slot": f"*5{stage.slot}",
                    "call": story.call.id,
                    "client": story.call.client.id or None,
                    "caller": story.call.identity.caller,
                    "by": stage.by,
                    "since": iso(stage.since),
                    "until": iso(stage.until),
                    "note": stage.note,
                }
                found.append((stage.slot, row))
        return [row for _, row in sorted(found, key=lambda each: each[0])]

    def rooms(self) -> list[Json]:
        """Every conference room with somebody in it."""
        stories = [line.story for line in self._board.lines.values()]
        callers = {story.call.id: story.call.identity.caller for story in stories}
        return [_room(room, inside, callers) for room, inside in open_rooms(stories).items()]

    def room(self, room: str, verb: str, by: str | None, to: str | None) -> Mapping[str, Json]:
        """Mute, unmute, lock, unlock or end a room; or invite somebody to it."""
        if not ROOMS.match(room):
            raise LookupError(f"there is no room {room!r}: rooms are 800 to 899")
        if verb == "invite":
            return self._invite(room, by, to)
        if verb not in VERBS:
            raise ValueError(f"unknown verb {verb!r}: use {', '.join((*VERBS, 'invite'))}")
        told = rooms.command(self._board.house, room, verb, by or "api")
        return {"room": room, "verb": verb, "members": told}

    def _invite(self, room: str, by: str | None, to: str | None) -> Mapping[str, Json]:
        if not to:
            raise ValueError("say whom to invite: an extension or a number")
        try:
            call = invite(self._board.desk, room, to, by)
        except NotInvited as refused:
            why = str(refused)
            raise NotPossible(WHY.get(why, why)) from None
        return {"room": room, "verb": "invite", "call": call}

    def forwards(self, who: str) -> dict[str, Json]:
        """Where her phone sends her calls, by kind."""
        self._known(who)
        hers = self._board.house.forwards.of(who)
        return {when: hers.to(when) for when in WHENS}

    def forward(self, who: str, when: str, to: str | None) -> dict[str, Json]:
        """Set one of her forwards; without `to` it ends."""
        self._known(who)
        if when not in WHENS:
            raise ValueError(f"unknown forward {when!r}: use {', '.join(WHENS)}")
        why = forward(self._board.house, who, when, to or None)
        if why is not None:
            ports, fields = self._board.ports, {"secretary": who, "dialled": (to or "")[:LONGEST], "why": why}
            ports.journal.save([Entry(ports.clock.now(), "call_refused", None, fields)])
            raise NotPossible(WHY.get(why, why))
        return {"id": who, **self.forwards(who)}

    def forward_dialled(self, who: str, meant: SetForward) -> str:
        """A code dialled on her phone; the prompt that confirms it."""
        try:
            self.forward(who, meant.when, meant.to)
        except (LookupError, NotPossible):
            return "forward-refused"
        return "forward-cleared" if meant.to is None else "forward-set"

    def _known(self, who: str) -> None:
        if who not in self._board.house.in_force.secretaries:
            raise LookupError(f"there is no secretary {who!r}")


def _room(room: str, inside: list[Member], callers: Mapping[str, str | None]) -> dict[str, Json]:
    return {
        "room": room,
        "opened_by": opened_by(inside),
        "locked": any(member.stage.locked for member in inside),
        "members": [
            {
                "call": member.call,
                "secretary": member.stage.secretary,
                "caller": callers.get(member.call),
                "since": None if member.stage.joined_at is None else iso(member.stage.joined_at),
                "muted": member.stage.muted,
            }
            for member in inside
        ],
    }
