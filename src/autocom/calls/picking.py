"""A secretary takes a caller by a code from where he is: ringing at a colleague's phone, or parked.

Her own channel, unanswered, is what he is joined with. Decided where she dials: who rings the longest, who is
parked there; then the one who owns the caller decides (the floor for an offer, his story else), so of two who
want him at once one gets him and the other hears a refusal. Law: a phone that dialled is never left without an
answer. Must not know how two are joined.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.notes import TakenBy
from autocom.calls.phoning import card_of
from autocom.core.codes import PickUp, TakeBack
from autocom.core.floor_words import PickedUp
from autocom.core.model import Configuration
from autocom.core.notices import notice
from autocom.core.posts import InTalk, Offered
from autocom.core.reach import may_serve
from autocom.core.stages import Parked, Reaching, Waiting
from autocom.core.story import Story
from autocom.core.targets import Colleague, target
from autocom.core.telephony import PhoneDialled

if TYPE_CHECKING:
    from autocom.calls.dialled import Desk

NOTHING_RINGS = "nothing_rings"
SLOT_EMPTY = "slot_empty"
ELSEWHERE = "not_allowed_here"


@dataclass(frozen=True, slots=True)
class Ringing:
    """A colleague's phone that rings. `leg` None: by an offer of the floor's, which takes it from there."""

    secretary: str
    call: str
    since: float
    leg: str | None = None


def take(desk: Desk, fact: PhoneDialled, wanted: PickUp | TakeBack) -> None:
    """She dialled the code: she gets the caller, or hears why not."""
    match wanted:
        case TakeBack(slot):
            _take_back(desk, fact, slot)
        case PickUp(extension):
            _pick_up(desk, fact, extension)


def _take_back(desk: Desk, fact: PhoneDialled, slot: str) -> None:
    line = next((line for line in desk.lines.values() if _is_parked(line.story, slot)), None)
    if line is None or line.awaits(TakenBy):
        desk.refuse(fact, SLOT_EMPTY)
        return
    if not _may_have(desk, fact, line):
        desk.refuse(fact, ELSEWHERE)
        return
    _give(desk, line, fact, None)


def _pick_up(desk: Desk, fact: PhoneDialled, extension: str) -> None:
    rings = list(_candidates(desk, fact.secretary, extension))
    mine = [
        each for each in rings if each.call in desk.lines and _may_have(desk, fact, desk.lines[each.call])
    ]
    if rings and not mine:
        desk.refuse(fact, ELSEWHERE)
        return
    found = min(mine, key=lambda each: each.since, default=None)
    line = desk.lines.get(found.call) if found is not None else None
    if found is None or line is None or line.awaits(TakenBy):
        desk.refuse(fact, NOTHING_RINGS)
    elif found.leg is not None:
        _give(desk, line, fact, found.leg)
    else:
        _take_offer(desk, line, fact, found)


def _may_have(desk: Desk, fact: PhoneDialled, line: Line) -> bool:
    """Whether she may serve this caller's client where she sits."""
    return may_serve(fact.secretary, line.story.call.client, desk.house.in_force)


def _give(desk: Desk, line: Line, fact: PhoneDialled, of: str | None) -> None:
    """To his story: from now on it hears of her channel, and turns it away if he is gone."""
    desk.house.take_over(line, fact.channel)
    line.post(TakenBy(fact.secretary, fact.channel, of, fact.dialled))


def _take_offer(desk: Desk, line: Line, fact: PhoneDialled, found: Ringing) -> None:
    """The floor decides at once."""
    desk.house.take_over(line, fact.channel)
    desk.ports.submit(PickedUp(fact.secretary, fact.channel, found.call))
    post = desk.house.post(fact.secretary)
    if post is None or not isinstance(post.engaged, InTalk) or post.engaged.leg != fact.channel:
        desk.refuse(fact, NOTHING_RINGS)
        return
    show(desk.house, line.story, fact.secretary, found.secretary)


def show(house: House, story: Story, secretary: str, of: str) -> None:
    """Whose caller it is and what to say: her phone did not ring, so it shows nothing of him."""
    colleague, call = house.in_force.secretaries.get(of), story.call
    phrase = call.client.phrase if call.direction == "in" and story.colleague is None else ""
    text = notice(
        house.language,
        "picked",
        who=card_of(house, story).display,
        of=of if colleague is None else colleague.name,
        phrase=phrase,
    )
    house.text(secretary, text)


def _candidates(desk: Desk, secretary: str, extension: str) -> Iterator[Ringing]:
    """Phones that ring, but for her own: at this extension, or else of whoever shares a team with her."""
    configuration = desk.house.in_force
    if extension:
        found = target(extension, configuration, desk.house.plan)
        wanted = {found.secretary} if isinstance(found, Colleague) else set()
    else:
        wanted = set(_team_mates(configuration, secretary))
    wanted.discard(secretary)
    return (each for each in ringing(desk.house) if each.secretary in wanted)


def _team_mates(configuration: Configuration, secretary: str) -> Iterable[str]:
    mine = configuration.secretaries.get(secretary)
    teams = set(mine.teams) if mine is not None else set()
    return (each.id for each in configuration.secretaries.values() if teams & set(each.teams))


def ringing(house: House) -> Iterator[Ringing]:
    """Every phone of the house that rings for somebody: by an offer, a call of a colleague, a transfer. Not for
    a promised callback: nobody is on the line yet, and the sentence that says so is told to a phone that rang."""
    waiting = {story.call.id for story in house.stories if isinstance(story.stage, Waiting)}
    for post in house.posts:
        if isinstance(post.engaged, Offered) and post.engaged.call in waiting:
            yield Ringing(post.secretary, post.engaged.call, post.engaged.since)
    for story in house.stories:
        stage = story.stage
        if not isinstance(stage, Reaching) or stage.leg is None or stage.until is None:
            continue
        contact = stage.contact
        if contact is not None and contact.post is not None:
            yield Ringing(contact.post, story.call.id, stage.until - stage.ring_for, stage.leg)


def _is_parked(story: Story, slot: str) -> bool:
    return isinstance(story.stage, Parked) and story.stage.slot == slot
