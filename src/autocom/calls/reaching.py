"""Reaching somebody outside for a caller: a forward, or whoever is on call.

One number rings at a time, each on a leg of its own id; the caller hears music meanwhile and is
answered only when he is joined (or by his early limit). Where a digit is asked for, picking up is
not enough, so a voicemail never swallows him. The bridge is a lease: until it stands, a leg that
fails makes it the next one's turn. Must not decide who may be dialled (`outgoing`) nor who is on
call (`core.oncall`). Nobody reached: the steps that stand behind, in `following`.
"""

from __future__ import annotations

from dataclasses import replace

from autocom.calls import early
from autocom.calls.house import House
from autocom.calls.line import Line
from autocom.calls.phoning import missed
from autocom.calls.ports import Gone
from autocom.calls.searching import Search, ended, over
from autocom.calls.transferring import come_back
from autocom.core.floor_words import Settled
from autocom.core.journal import Entry
from autocom.core.model import Contact, Forward, Hangup, Mode, OnCall, Play, Step
from autocom.core.naming import patch_of
from autocom.core.oncall import on_duty
from autocom.core.stages import Following, Leaving, Patched, Reaching, Stage, Talking
from autocom.core.story import outcome_of_hang_up
from autocom.core.telephony import ChannelGone


def reaching(house: House, line: Line, step: Forward | OnCall, rest: tuple[Step, ...]) -> Stage:
    """The stage that carries this step out. A roster is read now: who is on call when the caller comes to
    this step stays so for him, however long it takes."""
    if isinstance(step, Forward):
        return Reaching(
            (Contact("", step.to),),
            rest,
            ring_for=step.ring_for,
            present=step.present,
            accept=step.accept,
            ask=step.ask,
            music=step.wait_music,
        )
    configuration = house.in_force
    roster = configuration.rosters.get(step.roster)
    if roster is None:  # taken out of the files while he called; the check refuses it otherwise
        line.ports.journal.save([line.entry("step", step="oncall", result="no such roster")])
        return Reaching((), rest, rounds=0, roster=step.roster)
    contacts = on_duty(roster, line.now(), configuration.bureau.timezone)
    if not contacts:
        line.ports.journal.save([line.entry("step", step="oncall", result="nobody is on call now")])
    return Reaching(
        contacts,
        rest,
        ring_for=roster.ring_for,
        rounds=roster.rounds if contacts else 0,
        pause=roster.pause,
        accept=roster.accept,
        ask=step.ask,
        music=step.wait_music,
        roster=roster.id,
        fallback=roster.fallback,
    )


async def reach(house: House, line: Line, stage: Reaching) -> Stage:
    """Ring one after the other until somebody took the call."""
    at: Reaching | Patched | Talking = stage
    search = Search(house, line, stage)
    while isinstance(at, Reaching) and at.contact is not None:
        at = await search.turn(at)
    if not isinstance(at, Reaching):
        return at
    await line.quiet_message()
    if at.back is not None:
        return come_back(house, line, at, at.back)
    if line.story.dialling:
        return missed(at)
    line.become(way_out=line.story.way_out or "nobody")
    goodbye = house.stock.no_answer or house.stock.nobody
    return Following(at.rest or (Play(goodbye, Mode.ANSWERED), Hangup()))


async def patched(house: House, line: Line, stage: Patched) -> Stage:
    """Join the two; until the other side hangs up. (The caller's hang-up is `HungUp`.)"""
    bridge = stage.bridge or patch_of(stage.leg)
    line.ports.submit(Settled(line.id))  # whoever sent him here is not kept for him any more
    if stage.joined_at is None:
        await line.quiet_message()
        await line.quiet_music()
        await line.answer("outside")
        try:
            if stage.reaching.by is not None:  # he may have been on hold, in her conversation or in another
                await line.ports.telephone.stop_music(stage.leg)
            await line.ports.telephone.connect(bridge, [line.channel, stage.leg])
            if line.lost(stage.leg):
                raise Gone(stage.leg)
        except Gone:
            # one of the two is gone. Where it is the caller, this says so
            await line.music(stage.reaching.music or house.stock.music)
            following = over(line, stage.reaching, "refused", None)
            await line.end_leg(stage.leg)
            await line.part(bridge)
            return following
        stage = replace(stage, joined_at=line.now())
        contact = stage.contact
        line.become(stage, line.entry("patched", name=contact.name, number=contact.number, leg=stage.leg))
    while True:
        note = await line.next()
        if isinstance(note, ChannelGone) and note.channel == stage.leg:
            return await part_outside(line, stage, "outside")


async def part_outside(line: Line, stage: Reaching | Patched, by: str) -> Stage:
    """The caller is gone, or the other side: saved as the stage that follows, so that it is written once."""
    following = Leaving(outcome_of_hang_up(line.story))
    line.become(following, *outside_over(line, stage, by))
    await let_outside_go(line, stage, gone=by == "outside")
    return following


def outside_over(line: Line, stage: Reaching | Patched, by: str) -> tuple[Entry, ...]:
    """What is written of a leg outside that is over for this story."""
    if stage.leg is None:
        return ()
    if isinstance(stage, Patched) and stage.joined_at is not None:
        return (line.entry("patch_ended", leg=stage.leg, by=by),)
    return (ended(line, stage.leg, "withdrawn", None),)


async def let_outside_go(line: Line, stage: Reaching | Patched, *, gone: bool = False) -> None:
    """End the leg, unless it is gone, and take the bridge down."""
    if stage.leg is None:
        return
    if not gone:
        await line.end_leg(stage.leg)
    if isinstance(stage, Patched):
        await line.part(stage.bridge or patch_of(stage.leg))
    else:
        await early.part_early(line, stage)
