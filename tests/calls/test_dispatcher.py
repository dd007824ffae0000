"""The dispatcher where something it depends on is broken: what was saved holds, and nothing spins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from autocom.calls.dispatcher import QUIET_WITHIN, Dispatcher
from autocom.calls.notes import Note
from autocom.core.floor_words import (
    CallerJoined,
    CallerLeft,
    GiveUp,
    LoggedIn,
    PhoneSeen,
    Ring,
    Staffed,
    TimePassed,
)
from autocom.core.journal import Entry
from autocom.core.model import Quota, Team
from autocom.core.posts import Floor, Offered, Pause, Post, Staff, Waiter, WrapUp
from autocom.core.telephony import Cause
from tests.support.exchange_in_memory import CODEC, MemoryJournal
from tests.support.fake_telephone import FakeTelephone
from tests.support.virtual import VirtualClock, run

STAFF = Staff({"lea": {"medical": 1}}, {"medical": Team("medical")})


def waiter(call: str, **changes: object) -> Waiter:
    return replace(Waiter(call, "lilas", "medical", joined=0.0), **changes)  # type: ignore[arg-type]


class Room:
    """A dispatcher and what it stands on, without calls."""

    def __init__(self, floor: Floor | None = None) -> None:
        self.journal, clock = MemoryJournal(), VirtualClock()
        self.dispatcher = Dispatcher(FakeTelephone(clock, {}), self.journal, clock, CODEC, floor)

    def kinds(self) -> list[str]:
        return [entry.kind for entry in self.journal.entries]


def test_a_deadline_whose_decision_crashes_is_tried_again_every_second_and_not_for_ever_at_once() -> None:
    async def story() -> None:
        # her break begins with the end of her wrap-up, and cannot be counted: there is no such zone
        staff = replace(STAFF, quotas={"break": Quota(times=1)}, zone="Nowhere/At-All")
        now = VirtualClock().now()
        work = WrapUp("c0", now, now, now + 2.0)
        lea = Post("lea", registered=True, logged_in=True, pause=Pause("break", now), engaged=work)
        room = Room(Floor(staff, {"lea": lea}))
        async with asyncio.TaskGroup() as tasks:
            room.dispatcher.tasks = tasks
            room.dispatcher.see(seeing=True)
            running = tasks.create_task(room.dispatcher.run())
            await asyncio.sleep(10.5)
            running.cancel()
        assert 5 <= room.kinds().count("crashed") <= 10

    run(story())


def test_what_was_saved_is_the_floor_even_if_who_listens_to_the_entries_crashes() -> None:
    async def story() -> None:
        room = Room(Floor(STAFF))

        def broken(_: Sequence[Entry]) -> None:
            raise RuntimeError("a listener's bug")

        room.dispatcher.written = broken
        rung: list[str] = []
        room.dispatcher.invite = lambda ring: rung.append(ring.leg)
        async with asyncio.TaskGroup() as tasks:
            room.dispatcher.tasks = tasks
            room.dispatcher.see(seeing=True)
            for fact in (Staffed(STAFF), PhoneSeen("lea", reachable=True), LoggedIn("lea")):
                room.dispatcher.submit(fact)
            room.dispatcher.submit(CallerJoined(waiter("c1")))
        assert isinstance(room.dispatcher.floor.posts["lea"].engaged, Offered)
        assert rung == ["ring-c1-1-lea"]
        assert CODEC.load(Post, room.journal.floor["post:lea"]) == room.dispatcher.floor.posts["lea"]

    run(story())


def test_a_call_that_cannot_be_told_keeps_no_other_from_hearing_of_the_same_decision() -> None:
    async def story() -> None:
        room = Room(Floor(STAFF))
        told: list[Note] = []

        def deliver(call: str, note: Note) -> None:
            if call == "c1":
                raise RuntimeError("that call's bug")
            told.append(note)

        room.dispatcher.deliver = deliver
        for call in ("c1", "c2"):
            room.dispatcher.submit(CallerJoined(waiter(call, max_wait_at=1.0)))
        room.dispatcher.see(seeing=True)  # both waits are over by now
        assert told == [GiveUp("c2", "timeout")]

    run(story())


def test_a_phone_of_which_no_row_says_that_it_rings_keeps_no_restored_caller_waiting() -> None:
    rows = {
        "post:lea": CODEC.dump(Post("lea", registered=True, logged_in=True)),
        "waiter:c1": CODEC.dump(waiter("c1", ringing=("lea",), attempts=1)),
        "waiter:c2": CODEC.dump(waiter("c2", held="lea", attempts=1)),
        "waiter:over": CODEC.dump(waiter("over")),
    }

    async def story() -> None:
        room = Room()
        room.dispatcher.restore(rows, {"c1", "c2"})
        assert sorted(room.dispatcher.floor.waiters) == ["c1", "c2"]
        rung: list[Ring] = []
        room.dispatcher.invite = rung.append
        async with asyncio.TaskGroup() as tasks:
            room.dispatcher.tasks = tasks
            room.dispatcher.submit(Staffed(STAFF))
            room.dispatcher.see(seeing=True)
            room.dispatcher.submit(TimePassed())
        assert [ring.leg for ring in rung] == ["ring-c1-2-lea"]

    run(story())


def test_rows_of_an_older_version_without_the_newer_fields_are_read_and_waited_by() -> None:
    old_post = {"_": "Post", "secretary": "lea", "registered": True, "logged_in": True}
    old_waiter = {"_": "Waiter", "call": "c1", "client": "lilas", "team": "medical", "joined": 5.0}
    room = Room()
    room.dispatcher.restore({"post:lea": old_post, "waiter:c1": old_waiter}, {"c1"})
    assert room.dispatcher.floor.posts == {"lea": Post("lea", registered=True, logged_in=True)}
    assert room.dispatcher.floor.waiters == {"c1": Waiter("c1", "lilas", "medical", 5.0)}


class SlowToHangUp(FakeTelephone):
    """Asterisk takes its time; `said` is told when it has."""

    def __init__(self, clock: VirtualClock, said: list[str], seconds: float) -> None:
        super().__init__(clock, {})
        self._said, self._seconds = said, seconds

    async def hang_up(self, channel: str, cause: Cause = Cause.NORMAL) -> None:
        await asyncio.sleep(self._seconds)
        self._said.append(f"stopped {channel}")


@asynccontextmanager
async def her_phone(said: list[str], *, hangs_up_in: float) -> AsyncIterator[Dispatcher]:
    """Lea's alone is at work; `said` is told each ring, and each hang-up when Asterisk has answered it."""
    clock = VirtualClock()
    telephone = SlowToHangUp(clock, said, hangs_up_in)
    dispatcher = Dispatcher(telephone, MemoryJournal(), clock, CODEC, Floor(STAFF))
    dispatcher.invite = lambda ring: said.append(f"rings {ring.leg}")
    async with asyncio.TaskGroup() as tasks:
        dispatcher.tasks = tasks
        dispatcher.see(seeing=True)
        for fact in (Staffed(STAFF), PhoneSeen("lea", reachable=True), LoggedIn("lea")):
            dispatcher.submit(fact)
        yield dispatcher


@pytest.mark.parametrize("times", [1, 2])
def test_her_phone_is_not_rung_anew_before_it_was_told_that_the_last_offer_is_over(times: int) -> None:
    async def story() -> None:
        said = list[str]()
        async with her_phone(said, hangs_up_in=0.5) as dispatcher:
            for call in ("c1", "c2", "c3"):
                dispatcher.submit(CallerJoined(waiter(call)))
            await asyncio.sleep(0.1)
            dispatcher.submit(CallerLeft("c1"))
            await asyncio.sleep(0.1)
            for _ in range(times - 1):
                dispatcher.stop("ring-c1-1-lea")  # a comparison with Asterisk finds it there, and nobody's
            dispatcher.submit(CallerLeft("c2"))
        assert said == [
            "rings ring-c1-1-lea",
            "stopped ring-c1-1-lea",
            "stopped ring-c2-1-lea",
            "rings ring-c3-1-lea",
        ]

    run(story())


def test_a_hang_up_that_is_never_answered_does_not_keep_her_phone_from_the_next_caller() -> None:
    async def story() -> None:
        said = list[str]()
        async with her_phone(said, hangs_up_in=3600.0) as dispatcher:
            dispatcher.submit(CallerJoined(waiter("c1")))
            dispatcher.submit(CallerJoined(waiter("c2")))
            await asyncio.sleep(0.1)
            dispatcher.submit(CallerLeft("c1"))
            await asyncio.sleep(QUIET_WITHIN + 0.1)
            assert said == ["rings ring-c1-1-lea", "rings ring-c2-1-lea"]

    run(story())
