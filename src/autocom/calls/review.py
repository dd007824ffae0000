"""Reading the rules again for a caller who waits, and taking his place in the queue.

`waiting.wait` asks at each instant at which another rule may hold, and whenever somebody says so
(`ReadAgain`). He then leaves the queue for the new steps, waits on for another team (an override),
or stays. Law: his place (`joined`) is kept in every case, and the stage is saved before the floor
hears of it: `take_place` makes the floor follow the stage, also after a crash between the two.
"""

from __future__ import annotations

from dataclasses import replace

from autocom.calls.house import House, Reviewed
from autocom.calls.line import Line
from autocom.core.floor_words import CallerJoined, CallerLeft, GiveUp, LeaseFailed, Take
from autocom.core.routing import trials
from autocom.core.stages import Stage, Waiting
from autocom.core.story import waiter


def take_place(house: House, line: Line, stage: Waiting) -> None:
    """Join the floor, for the team that the stage names now."""
    leave_other_team(house, line, stage.reaches)
    line.ports.submit(CallerJoined(waiter(line.story, stage)))


def offers_made(house: House, line: Line) -> int:
    """Offers made for him so far, in all queues: the next one numbers its legs on."""
    out = line.peek(GiveUp)
    return max(line.story.attempts, house.offers(line.id), out.attempts if out is not None else 0)


def leave_other_team(house: House, line: Line, team: str) -> None:
    """Where the floor has him wait for another team than this one, he leaves it, to join anew. For whom a
    secretary has already picked up stays with her."""
    place = house.place(line.id)
    if place is not None and place.team != team and place.held is None:
        line.become(attempts=place.attempts)
        line.ports.submit(CallerLeft(line.id))


async def read_again(house: House, line: Line, stage: Waiting) -> Stage:
    """The stage that follows: another one where he leaves the queue, a `Waiting` where he stays in it."""
    if line.awaits(Take) or line.awaits(GiveUp):
        return stage  # a secretary has picked up for him, or the floor has sent him away
    now = line.now()
    review = house.review(line.story, stage.queue, now)
    if review is not None:
        return await _leave(house, line, review)
    team = house.team(line.story.call.client, now)
    if team == stage.team or stage.sent:
        return stage
    moved = replace(stage, team=team)
    line.become(moved, line.entry("queued_elsewhere", team=moved.reaches, before=stage.reaches))
    take_place(house, line, moved)
    return moved


async def _leave(house: House, line: Line, review: Reviewed) -> Stage:
    choice = review.choice
    line.become(
        review.stage,
        line.entry(
            "rule_changed",
            rule=choice.rule.name,
            open=choice.open,
            hours=choice.hours_why,
            why=trials(choice),
        ),
        line.entry("dequeued", why="closed" if review.closes else "rule"),
        way_out=review.way_out,
        rule=choice.rule.name,
        open=choice.open,
        attempts=offers_made(house, line),
    )
    line.ports.submit(CallerLeft(line.id))
    line.forget(Take, LeaseFailed, GiveUp)  # of this queue; the next one has its own
    await line.quiet_message()
    return review.stage
