"""A caller who was put aside: music, until somebody takes him back or his time is over.

`park` decides and saves, out of the conversation; `keep_parked` is his time there. At the end of it he returns
to the secretary who parked him, before everybody else. Whoever dials his slot takes him at once: the first
one who does, others are told. Must not know how she asked. Which slots there are is in `core.parking`.
"""

from __future__ import annotations

from dataclasses import replace

from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.notes import TakenBy
from autocom.calls.phoning import card_of
from autocom.calls.review import offers_made
from autocom.calls.transferring import again, place_again, returned
from autocom.core.floor_words import TalkEnded
from autocom.core.model import Audio
from autocom.core.naming import bridge_id
from autocom.core.notices import notice
from autocom.core.orders import LONGEST_NOTE, Park
from autocom.core.parking import free_slot, told_of
from autocom.core.stages import Parked, Stage, Talking
from autocom.core.telephony import PlaybackEnded

SLOT_SOUND = "parked_{slot}"
"""Among the house's notices: "parked under star five three"."""
MARGIN = 0.3


def park(house: House, line: Line, stage: Talking, order: Park) -> Parked | None:
    """Put him aside: saved, and the team told. None where there is no slot left, or no conversation of two:
    she is told why, and nothing has changed."""
    slot = free_slot(house.stories)
    language, who = house.language, card_of(house, line.story).display
    if slot is None:
        house.text(stage.secretary, notice(language, "full", who=who))
        return None
    if stage.joined_at is None or stage.third is not None:
        return None
    now, configuration = line.now(), house.in_force
    note = " ".join(order.note.split())[:LONGEST_NOTE]
    parked = Parked(
        slot,
        stage.secretary,
        now,
        now + configuration.bureau.parking_return,
        place_again(house, line, stage, note),
        note,
        bridge=bridge_id(line.id, stage.attempt),
        leg=stage.leg,
    )
    line.become(
        parked,
        line.entry("talk_ended", secretary=stage.secretary, by="secretary"),
        line.entry(
            "parked",
            secretary=stage.secretary,
            slot=slot,
            until=parked.until,
            note="" if line.story.call.client.discreet else note,  # it may say what nobody needs to keep
            how=order.how,
        ),
    )
    hers = configuration.secretaries.get(stage.secretary)
    by = hers.name if hers is not None else stage.secretary
    for secretary in told_of(parked.waiting, stage.secretary, configuration, house.posts):
        text = notice(language, "parked", who=who, slot=slot, by=by, note=note)
        house.text(secretary, text)
    return parked


async def keep_parked(house: House, line: Line, stage: Parked) -> Stage:
    """Until he is taken, or returns."""
    music = house.hold_music(line.story)
    line.ports.submit(TalkEnded(line.id, stage.by))  # also on a second run: the floor may not have heard
    if stage.bridge is not None:
        await line.part(stage.bridge)
    await line.music(music)
    told_until = await _say_slot(house, line, stage)
    while True:
        deadline = min(stage.until, stage.until if told_until is None else told_until)
        note = await line.next(deadline if line.seeing else None)
        match note:
            case None if told_until is not None and line.now() >= told_until:
                told_until = None
                await _let_go(line, stage)
                stage = replace(stage, bridge=None, leg=None)
                line.become(stage)
            case None if line.now() >= stage.until:
                return await _returns(house, line, stage)
            case TakenBy() if line.lost(note.leg):
                pass  # she has hung up already
            case TakenBy():
                await _let_go(line, stage)
                return await _taken(house, line, stage, note)
            case PlaybackEnded():
                await line.music(music)
            case _:
                pass


async def _say_slot(house: House, line: Line, stage: Parked) -> float | None:
    """Tell her on her line where he is; until when she hears it. None: there is nothing, or nobody, to tell."""
    if stage.leg is None:
        return None
    sound: Audio | None = house.stock.notices.get(SLOT_SOUND.format(slot=stage.slot))
    playback = None if sound is None else await line.tell_secretary(stage.leg, sound)
    if sound is None or playback is None:
        await _let_go(line, stage)
        return None
    return line.now() + sound.seconds + MARGIN


async def part_parked(line: Line, stage: Parked) -> None:
    """He is gone: what was still to be ended of the conversation ends."""
    await _let_go(line, stage)
    if stage.bridge is not None:
        await line.part(stage.bridge)
    line.ports.submit(TalkEnded(line.id, stage.by))


async def _let_go(line: Line, stage: Parked) -> None:
    """Her line ends; told again after a crash, which changes nothing."""
    if stage.leg is not None:
        await line.end_leg(stage.leg)


async def _taken(house: House, line: Line, stage: Parked, taken: TakenBy) -> Talking:
    attempt = offers_made(house, line) + 1
    place = replace(again(stage.waiting, line.now()), music=True)  # the one he hears goes on
    talking = Talking(taken.secretary, taken.leg, attempt, place, whispered=True, greeted=True)
    entry = line.entry("unparked", slot=stage.slot, by=taken.secretary, leg=taken.leg)
    line.become(talking, entry, attempts=attempt, foreign=(*line.story.foreign, taken.leg))
    text = notice(house.language, "taken", who=card_of(house, line.story).display, note=stage.note)
    house.text(taken.secretary, text)
    return talking


async def _returns(house: House, line: Line, stage: Parked) -> Stage:
    await _let_go(line, stage)
    unparked = line.entry("unparked", slot=stage.slot, by=None, leg=None)
    place = returned(line, replace(stage.waiting, music=True), "parked", unparked)
    text = notice(house.language, "back", who=card_of(house, line.story).display, note=stage.note)
    house.text(stage.by, text)
    return place
