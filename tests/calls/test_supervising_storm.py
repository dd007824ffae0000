"""Anything at any instant while a lead listens and conversations are recorded: calls, keys, holds, transfers, kills, gaps
and unanswered commands. On the way nobody is recorded who must not be; at the end nothing listens, and no file is lost.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import replace

import pytest

from autocom.calls.ports import TelephoneDown
from autocom.core.floor_words import LoggedIn, Resumed
from autocom.core.model import Audio
from autocom.core.naming import call_of_ear, leg_of
from autocom.core.orders import Consult, Drop, Hold, Join, Order, Record, Resume, SendTo
from autocom.core.stages import Supervising, Talking
from autocom.core.tapes import tapes
from autocom.core.targets import Colleague
from tests.calls.test_supervising import bureau, ears
from tests.support.exchange_in_memory import Bench
from tests.support.fake_telephone import Habit
from tests.support.killing import Killed
from tests.support.virtual import run

NOTICES = {"recording_on": Audio("on", "on", 2.0), "recording_off": Audio("off", "off", 1.5)}
STAFF = ("lea", "ines")
PAUSES = (0.0, 0.001, 0.003, 0.05, 0.7, 2.5)
ORDERS: tuple[Order, ...] = (
    *(Record(verb) for verb in ("start", "start", "toggle", "pause", "resume", "stop")),
    Hold(),
    Resume(),
    Join(),
    Drop(),
    Consult(Colleague("ines")),
    SendTo(Colleague("ines")),
    SendTo(Colleague("lea")),
)


class Storm:
    """One storm, the same for the same seed."""

    def __init__(self, seed: int, *, violent: bool) -> None:
        self.chance, self.violent = random.Random(seed), violent
        made = bureau(recording=self.chance.choice(("on_demand", "always")))
        self.bench = Bench(replace(made, stock=replace(made.stock, notices=NOTICES)))
        telephone = self.bench.telephone
        telephone.lengths |= {"beep": 0.35, "no": 1.5, "on": 2.0, "off": 1.5}
        telephone.habits |= {who: Habit(answers=0.7) for who in STAFF}
        telephone.before = telephone.after = self._spring
        self.dying, self.fuse, self.down_until, self.calls = False, -1, 0.0, 0
        self.troubled_until = 0.0
        self.faults: list[str] = []

    def _spring(self, what: str) -> None:
        if self.dying:
            raise Killed
        if self.fuse == 0:
            self.dying, self.fuse = True, -1
            raise Killed
        self.fuse -= self.fuse > 0
        if self.bench.clock.now() < self.down_until:
            raise TelephoneDown(what)

    # --- the world

    def act(self) -> None:
        telephone, chance = self.bench.telephone, self.chance
        leads = [c for c in telephone.channels if c.startswith("phone-awa")]
        callers = [c for c in telephone.channels if c.startswith("chan-")]
        legs = [c for c in telephone.channels if leg_of(c) or c.startswith("out-")]
        choice = chance.randint(0, 11)
        if choice < 2 and len(callers) < 3:
            self.calls += 1
            telephone.call_in(f"chan-{self.calls}", "0199001001", f"06399801{self.calls:02}")
        elif choice == 2 and not leads:
            telephone.dials("awa", chance.choice(("*3200", "*3201")))
        elif choice in (3, 4) and leads:
            telephone.presses(leads[0], chance.choice("123*4"))
        elif choice == 5 and leads and chance.random() < 0.5:
            telephone.caller_hangs_up(leads[0])
        elif choice == 6 and callers and chance.random() < 0.4:
            telephone.caller_hangs_up(chance.choice(callers))
        elif choice == 7 and legs and chance.random() < 0.4:
            telephone.vanishes(chance.choice(legs), chance.choice((16, 44)))
        elif choice == 8 and legs:
            telephone.holds(chance.choice(legs), held=chance.random() < 0.5)
        elif choice in (9, 10) and self.bench.switchboard is not None and not self.bench.over():
            self.bench.switchboard.desk.order(chance.choice(STAFF), chance.choice(ORDERS))
        elif self.violent and chance.random() < 0.5:
            self._violence()

    def _violence(self) -> None:
        seconds = self.chance.choice((0.001, 0.02, 1.5))
        self.troubled_until = self.bench.clock.now() + seconds + 4.0
        if self.chance.random() < 0.5:
            self.fuse = self.chance.randint(0, 9)
        else:
            self.down_until = self.bench.clock.now() + seconds

    async def restart(self) -> None:
        await self.bench.kill()
        await asyncio.sleep(self.chance.choice((0.0, 0.4, 6.0)))
        self.dying = False
        self.troubled_until = self.bench.clock.now() + 4.0
        self.bench.start()
        await asyncio.sleep(0.01)

    async def gap(self) -> None:
        self.troubled_until = self.bench.clock.now() + 8.0
        with self.bench.telephone.deaf():
            for _ in range(self.chance.randint(0, 3)):
                self.act()
                await asyncio.sleep(self.chance.choice((0.0, 0.2, 1.0)))

    # --- the oracle

    async def watch(self) -> None:
        since: dict[str, float] = {}
        while True:
            await asyncio.sleep(0.1)
            now = self.bench.clock.now()
            calm = not self.bench.over() and now > self.troubled_until and self.fuse < 0
            wrong = self._wrong() if calm else set()
            since = {what: since.get(what, now) for what in wrong}
            self.faults += [f"{now:.1f} {what}" for what, begun in since.items() if now - begun > 1.5]

    def _wrong(self) -> set[str]:
        board, telephone = self.bench.switchboard, self.bench.telephone
        assert board is not None
        found: set[str] = set()
        heard = Counter(call_of_ear(ear.id) for ear in ears(self.bench))
        for call, count in heard.items():
            line = board.lines.get(call or "")
            stage = line.story.stage if line is not None else None
            if not isinstance(stage, Supervising) or stage.of is None:
                found.add(f"{call} has an ear and hears nobody")
            elif count > 1:
                found.add(f"{call} has {count} ears")
        for line in board.lines.values():
            stage, taped = line.story.stage, line.story.taped
            if taped is None:
                continue
            file = telephone.recordings.get(taped.recording)
            writes = file is not None and file.ended is None and not (file.pauses and file.pauses[-1][1])
            if not isinstance(stage, Talking):
                found.add(f"{line.id} is recorded at {type(stage).__name__}")
            elif writes and (stage.held is not None or stage.third is not None):
                found.add(f"{line.id} is recorded though not alone with her")
        return found

    async def whole(self, acts: int = 45) -> Storm:
        bench = self.bench
        bench.start()
        await bench.pass_time(0.01)
        await bench.at_work(*STAFF)
        bench.telephone.register("awa")
        watching = asyncio.ensure_future(self.watch())
        for _ in range(acts):
            self.act()
            await asyncio.sleep(self.chance.choice(PAUSES))
            if self.dying:
                await self.restart()
            elif self.violent and self.chance.random() < 0.05:
                await self.gap()
        await self._calm()
        watching.cancel()
        await bench.kill()
        return self

    async def _calm(self) -> None:
        bench, telephone = self.bench, self.bench.telephone
        self.fuse, self.down_until = -1, 0.0
        for _ in range(12):
            await bench.pass_time(3.0)
            if self.dying:
                await self.restart()
            assert bench.switchboard is not None
            for who in STAFF:
                bench.switchboard.dispatcher.submit(LoggedIn(who))
                bench.switchboard.dispatcher.submit(Resumed(who))
            for channel in list(telephone.channels):
                if not channel.startswith("ear-"):  # two colleagues would go on for ever
                    telephone.caller_hangs_up(channel)
        await bench.pass_time(45.0)

    def judge(self) -> list[str]:
        bench, faults = self.bench, self.faults
        if bench.telephone.channels or bench.telephone.bridges:
            faults.append(f"left: {list(bench.telephone.channels)} {bench.telephone.bridges}")
        if bench.journal.calls:
            faults.append(f"open calls: {list(bench.journal.calls)}")
        faults += [f"crashed: {e.fields}" for e in bench.journal.entries if e.kind == "crashed"]
        counts: Counter[tuple[str | None, str]] = Counter((e.call, e.kind) for e in bench.journal.entries)
        for call in {e.call for e in bench.journal.entries if e.call is not None}:
            for what in ("supervision", "recording"):
                begun, over = counts[call, f"{what}_started"], counts[call, f"{what}_ended"]
                if begun != over:
                    faults.append(f"{call}: {what} began {begun} times and ended {over} times")
        kept, broken = tapes(bench.journal.rows("tape:"))
        if broken or any(tape.ended is None for tape in kept):
            faults.append("a recording that nobody ends")
        if not {tape.recording for tape in kept} >= set(bench.telephone.recordings):
            faults.append("a file that nobody knows of")
        if any(file.ended is None for file in bench.telephone.recordings.values()):
            faults.append("recorded for ever")
        return faults


@pytest.mark.parametrize("violent", [False, True], ids=["calm", "violent"])
@pytest.mark.parametrize("seed", range(40))
def test_nothing_listens_on_and_nothing_is_recorded_that_must_not_be(seed: int, *, violent: bool) -> None:
    storm = run(Storm(seed, violent=violent).whole())
    assert storm.judge() == []


def test_the_storms_reach_what_they_are_about() -> None:
    kinds: Counter[str] = Counter()
    for seed in range(12):
        kinds.update(e.kind for e in run(Storm(seed, violent=True).whole()).bench.journal.entries)
    for kind in ("supervision_mode", "supervision_ended", "recording_paused", "recording_ended", "adopted"):
        assert kinds[kind] > 3, kind
