"""An attended transfer by her phone's own button (REFER with Replaces): two calls of one secretary become one.

What one of them, `kept`, is from here on is saved together with the end of the other one, `over`, in a single
transaction; both stories are moved to it at once, so that whatever she does next (her phone hangs up both calls
as soon as it is told) finds them joined. A caller's call is kept before one that she dialled, a number's before
a colleague's. The party of the other one is taken over: his channel keeps its name, and what happens on it is
told to the call that is kept. Law: only while both stories are at rest (`Line.at_rest`), else what they have
under way would be saved over it. What may not be is refused, and nothing is changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import structlog

from autocom.calls.consulting import parted
from autocom.calls.errands import Errands, fared
from autocom.calls.house import House
from autocom.calls.line import WISHED, Line
from autocom.calls.outside import Ports
from autocom.calls.ports import Fares
from autocom.calls.transferring import BACK_WITHIN, RING_FOR, joining, place_again, towards
from autocom.core.journal import Entry, Json
from autocom.core.model import Contact
from autocom.core.naming import bridge_id, call_of_outside
from autocom.core.reach import may_serve
from autocom.core.rooms import closed_to_more
from autocom.core.sending import staying
from autocom.core.stages import InRoom, Leaving, Patched, Reaching, Stage, Talking, Waiting
from autocom.core.story import Released, Story, turned

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Joined:
    """What becomes of the two: where the call that is kept stands, whom it has taken over, what else of it
    changes, and the outcome of the one that is over."""

    stage: Stage
    taken: str | None
    outcome: str
    to: str
    changes: Mapping[str, object]
    until: float | None = None


class Merger:
    """`lines`: the open calls by id."""

    def __init__(self, house: House, lines: Mapping[str, Line], ports: Ports, errands: Errands) -> None:
        self._house, self._lines, self._ports, self._errands = house, lines, ports, errands

    def join(self, asked: Line, other: Line, secretary: str, channel: str) -> None:
        """Her phone on `channel`, a leg of `asked`, wants the two calls joined: now, or as soon as both stories
        are at rest."""
        deadline = self._ports.clock.now() + WISHED

        def wish() -> bool:
            return self._try(asked, other, secretary, channel, deadline)

        asked.wish = other.wish = wish
        wish()

    def _try(self, asked: Line, other: Line, secretary: str, channel: str, deadline: float) -> bool:
        if all(line.id in self._lines for line in (asked, other)):
            if not (asked.at_rest and other.at_rest):
                if self._ports.clock.now() < deadline:
                    return False
            elif self._joins(asked, other, secretary, channel):
                return True
        asked.stay()
        other.stay()
        log.info("calls not joined", call=asked.id, other=other.id)
        unreachable = fared(self._ports.telephone, channel, Fares.UNREACHABLE)
        self._errands.start(self._errands.until_done(unreachable))
        return False

    def _joins(self, asked: Line, other: Line, secretary: str, channel: str) -> bool:
        """Join them, if that may be: saved and done, or nothing has changed. In a call in which a colleague talks to her
        she has the caller's part: it is taken as hers."""
        before = {line: line.story for line in (asked, other)}
        turns: list[Entry] = []
        for line, story in before.items():
            hers = turned(story, secretary, self._house.in_force.secretaries)
            if hers is not None and isinstance(story.stage, Talking):
                turns.append(line.entry("turned", secretary=secretary, of=story.stage.secretary))
                line.story = hers
        pair = _roles(asked, other, secretary)
        joined = None if pair is None else self._joined(*pair, secretary)
        if pair is None or joined is None:
            for line, story in before.items():
                line.story = story
            return False
        kept, over = pair
        self._save(kept, over, secretary, channel, joined, turns)
        return True

    # --- what becomes of them

    def _joined(self, kept: Line, over: Line, secretary: str) -> Joined | None:
        joined = self._fitting(kept, over)
        post = None if joined is None else _post(joined.stage)
        if joined is None or may_serve(post, kept.story.call.client, self._house.in_force):
            return joined
        why = "not_allowed_here"
        refused = kept.entry("transfer_failed", secretary=secretary, to=joined.to, why=why, stays=True)
        self._ports.journal.save([refused])
        self._house.text(secretary, staying(self._house.language, why, joined.to))
        return None

    def _fitting(self, kept: Line, over: Line) -> Joined | None:
        stage = kept.story.stage
        assert isinstance(stage, Talking)
        back = place_again(self._house, kept, stage)
        match over.story.stage:
            case Talking() as hers:
                return self._with_party(kept, over, hers, back)
            case Reaching(leg=str() as leg) as ringing:
                return self._with_ringing(kept, ringing, leg, back)
            case InRoom(room=room) if closed_to_more(self._house.stories, room) is None:
                return Joined(InRoom(room, kept.story.colleague, back=back), None, "served", room, {})
            case _:
                return None

    def _with_party(self, kept: Line, over: Line, hers: Talking, back: Waiting) -> Joined:
        """The other side of the call that is over: a number, a colleague, or another caller."""
        channel, call = over.channel, over.story.call
        caller = Contact(call.client.display, call.identity.caller or "")
        contact = _called(hers) or over.story.other or caller
        trunk = over.story.trunk_out if over.story.call.direction != "in" else call.trunk
        if contact.post is not None:
            talking = joining(kept.story, contact, channel, back)
            return Joined(talking, channel, "served", contact.number, {"attempts": talking.attempt})
        reaching = towards(self._house, kept, contact, back, leg=channel, until=kept.now(), trunk=trunk)
        if call_of_outside(channel) is not None:
            return Joined(Patched(contact, channel, reaching), channel, "served", contact.number, {})
        number = kept.story.outside + 1  # his channel has no name of ours: the bridge gets one
        bridge = f"patch-{kept.id}-{number}"
        patched = Patched(contact, channel, reaching, bridge=bridge)
        return Joined(patched, channel, "served", contact.number, {"outside": number})

    def _with_ringing(self, kept: Line, ringing: Reaching, leg: str, back: Waiting) -> Joined | None:
        """Whom she dialled has not answered yet: he rings on, for the caller."""
        contact = ringing.contact
        if contact is None:
            return None
        until = min(ringing.until or kept.now() + RING_FOR, kept.now() + RING_FOR)
        stage = towards(self._house, kept, contact, back, leg=leg, until=until, trunk=ringing.trunk)
        return Joined(stage, leg, "forwarded", contact.number, {}, until + BACK_WITHIN)

    # --- saving

    def _save(
        self, kept: Line, over: Line, secretary: str, channel: str, joined: Joined, turns: list[Entry]
    ) -> None:
        stage = kept.story.stage
        assert isinstance(stage, Talking)
        foreign = kept.story.foreign if joined.taken is None else (*kept.story.foreign, joined.taken)
        released = Released(
            secretary,
            stage.leg,
            bridge_id(kept.id, stage.attempt),
            joined.until,
            legs=_thirds(kept, over),
            bridges=_bridges(over),
            told=channel,
        )
        changes = {"stage": joined.stage, "foreign": foreign, "released": released, **joined.changes}
        now_kept: Story = replace(kept.story, **changes)  # type: ignore[arg-type]
        in_room = isinstance(over.story.stage, InRoom)
        now_over = over.story if in_room else _ended(over.story, joined)
        rows: dict[str, Json] = {
            line.id: self._ports.codec.dump(story) for line, story in ((kept, now_kept), (over, now_over))
        }
        self._ports.journal.save([*turns, *_entries(kept, over, secretary, joined)], calls=rows)
        if joined.taken is not None:
            for note in over.notes_about(joined.taken):
                kept.post(note)
            self._house.take_over(kept, joined.taken)
        kept.move(now_kept)
        if in_room:
            # she leaves it; her phone's end is the end of that call, as ever
            over.wish = None
            self._errands.hang_up(over.channel)
        else:
            over.move(now_over)


def _post(stage: Stage) -> str | None:
    """The colleague who would have him."""
    match stage:
        case Talking(secretary=secretary):
            return secretary
        case Reaching(contacts=(Contact(post=post), *_)):
            return post
        case _:
            return None


def _roles(asked: Line, other: Line, secretary: str) -> tuple[Line, Line] | None:
    """The call that is kept and the one that is over; None where the two do not fit together."""
    both = (asked, other)
    if not all(_hers(line.story, secretary) and not _lost(line) for line in both):
        return None
    talking = [line for line in both if isinstance(line.story.stage, Talking)]
    if not talking:
        return None
    kept = min(talking, key=lambda line: _worth(line.story))
    return kept, other if kept is asked else asked


def _worth(story: Story) -> tuple[bool, bool, float]:
    party = _called(story.stage) if isinstance(story.stage, Talking) else None
    colleague = party is not None and party.post is not None
    return story.call.direction != "in", colleague, story.call.arrived_at


def _called(stage: Talking) -> Contact | None:
    """Whom she called herself. Of a caller whom she took over, `party` is she."""
    party = stage.party
    return None if party is None or party.post == stage.secretary else party


def _hers(story: Story, secretary: str) -> bool:
    """Whether she is in this call, and it can be joined with another one."""
    match story.stage:
        case Talking(secretary=who, joined_at=float()):
            return who == secretary
        case Reaching(leg=str()):
            return story.dialling and story.call.dialled_by == secretary
        case InRoom(secretary=who, joined_at=float()):
            return who == secretary
        case _:
            return False


def _lost(line: Line) -> bool:
    """Whether its party, or whoever is rung in it, is gone already: then there is nobody to be joined with. That
    she has hung up herself changes nothing."""
    match line.story.stage:
        case Talking():
            return line.lost(line.channel)
        case Reaching(leg=leg):
            return line.lost(leg)
        case _:
            return line.lost(line.channel)


def _thirds(kept: Line, over: Line) -> tuple[str, ...]:
    """Her other channel, and whoever else was in the two conversations: they end."""
    found: list[str] = []
    for line in (kept, over):
        stage = line.story.stage
        if isinstance(stage, Talking):
            if line is over:
                found.append(stage.leg)
            if stage.third is not None:
                found.append(stage.third.leg)
        elif isinstance(stage, Reaching):
            found.append(line.channel)
    return tuple(found)


def _bridges(over: Line) -> tuple[str, ...]:
    match over.story.stage:
        case Talking(attempt=attempt):
            return (bridge_id(over.id, attempt),)
        case Reaching():
            return (bridge_id(over.id, 0),)  # where she heard him ring
        case _:
            return ()


def _ended(story: Story, joined: Joined) -> Story:
    """The call that is over: what is left of it is her own channel."""
    hers = story.stage.leg if isinstance(story.stage, Talking) else story.call.channel
    foreign = tuple(channel for channel in story.foreign if channel != joined.taken)
    return replace(
        story, stage=Leaving(joined.outcome), called_back=hers, foreign=foreign, trunk_out=None, other=None
    )


def _entries(kept: Line, over: Line, secretary: str, joined: Joined) -> list[Entry]:
    entries: list[Entry] = []
    for line, other in ((kept, over), (over, kept)):
        stage = line.story.stage
        if isinstance(stage, Talking):
            entries += parted(line.entry, stage, "gone", by="secretary")
            entries.append(line.entry("talk_ended", secretary=secretary, by="secretary"))
        if line is over and isinstance(stage, Reaching):
            entries.append(line.entry("forward_ended", leg=stage.leg, result="withdrawn", cause=None))
        entries.append(
            line.entry(
                "transferred", secretary=secretary, to=joined.to, way="attended", how="refer", call=other.id
            )
        )
    return entries
