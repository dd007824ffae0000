"""The rescuer at work: look, judge, act, in turns of a quarter of a second.

Decide, save, act: a caller is marked in the diary before he is taken out of the exchange. Before each single act the
beat is read again: an exchange that woke up meanwhile finds its callers, and nothing is done against it. Silence is
counted by the rescuer's own turns, of which none counts more than a second: a suspended machine is no frozen exchange.
The numbers are `judge`'s.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from autocom.rescue import ami, beat, canary, card
from autocom.rescue.ami import Ami, AmiAway, AmiRefused
from autocom.rescue.diary import Deed, Diary
from autocom.rescue.judge import GATE_AFTER, MISSES, Look, Stuck, Verdict, callers, entry, inside, judge, legs

TURN = 0.25
CANARY_EVERY = 1.0
LONGEST_TURN = 1.0
RETRY = 0.5
GATE_EVERY = 2.0
"""Seconds between two looks at the gate: an exchange that came back opens it by itself, and may be gone again."""
SETTLED = 1.0
"""Seconds between two looks at the channels while callers are taken out: who comes late is met too."""
APART, ALL_WITHIN = 0.1, 5.0
"""Seconds between two callers, and for all of them at most: the fallback hears of them in the order of their arrival,
though each of them is on a thread of its own there. Their music plays meanwhile."""
GONE_FOR = 10.0
"""Seconds without Asterisk and without an exchange after which a rescuer that lives beside a private Asterisk ends."""
GATE = "AUTOCOM_GATE"
FALLBACK = "autocom-fallback"


class Over(Exception):  # noqa: N818 - the way out of the task group
    """Nothing is left that could be rescued."""


class Rescuer:
    """Of one state folder. `beside`: it ends with the private Asterisk, else it stays for ever."""

    def __init__(self, state: Path, *, beside: bool) -> None:
        self.state, self.beside = state, beside
        self.diary = Diary(state)
        self._last: beat.Beat | None = None
        self._silent = 0.0
        self._absent = 0.0
        self._misses = 0
        self._hung = 0.0
        self._gate: bool | None = None
        self._closed_for = ""
        self._looked = float("-inf")

    async def run(self) -> None:
        """Until cancelled, or over."""
        self.diary.make()
        self._last = beat.read(self.state)
        say("rescuer_started", state=str(self.state), beside=self.beside)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._watch())
                tasks.create_task(self._ask_ari())
                tasks.create_task(self._act())
        except* Over:
            say("rescuer_over", why="neither Asterisk nor an exchange is left")

    # --- what is seen ---

    async def _watch(self) -> None:
        before = time.monotonic()
        while True:
            await asyncio.sleep(TURN)
            now = time.monotonic()
            turn, before = min(now - before, LONGEST_TURN), now
            self._silent += turn
            self._hung += turn if self._misses else 0.0
            self._read_beat()
            gone = self.beside and self._absent > GONE_FOR
            if gone and self._silent > GATE_AFTER:
                raise Over

    def _read_beat(self) -> None:
        found = beat.read(self.state)
        if found is not None and found != self._last:
            self._last = found
            if found.word in (beat.SERVING, beat.DRAINING):
                self._silent = 0.0

    async def _ask_ari(self) -> None:
        while True:
            door = card.read(self.state)
            if door is not None:
                self._take(await canary.look(door.ari_url, door.ari_user, door.ari_password, door.app))
            again = door is not None and 0 < self._misses < MISSES  # a first miss is asked about at once
            if not again:
                await asyncio.sleep(CANARY_EVERY)

    def _take(self, answer: str) -> None:
        self._absent = self._absent + CANARY_EVERY if answer == canary.ABSENT else 0.0
        if answer != canary.HUNG:
            self._misses, self._hung = 0, 0.0
            return
        if self._misses == 0:
            self._hung = canary.WITHIN
        self._misses += 1

    def look(self) -> Look:
        """What is known now."""
        self._read_beat()
        hung = self._hung if self._misses >= MISSES else None
        return Look(self._silent, self._last.word if self._last else "", hung)

    # --- what is done ---

    async def _act(self) -> None:
        """For ever: connect to AMI, and do what each look asks for."""
        said = ""
        while True:
            door = card.read(self.state)
            try:
                if door is None:
                    raise AmiAway("the exchange has not said yet where Asterisk is")
                async with ami.connected(
                    door.ami_host, door.ami_port, door.ami_user, door.ami_password
                ) as wire:
                    await self._take_back_marks(wire)
                    await self._read_gate(wire)
                    if self._gate:
                        self._closed_for = self._closed_for or "gate_closed"
                    said = ""
                    await self._serve(wire)
            except (AmiAway, AmiRefused) as error:
                if said != str(error):  # each reason once, not twice a second
                    said = str(error)
                    say("ami_away", why=said)
                await asyncio.sleep(RETRY)

    async def _serve(self, wire: Ami) -> None:
        looked = time.monotonic()
        while True:
            verdict = judge(self.look())
            # also told open where somebody else opened it, or Asterisk was started anew and knows no gate
            told = verdict.closed is not False or not self._closed_for
            if verdict.closed is not None and (verdict.closed != self._gate or not told):
                await self._set_gate(wire, verdict)
            if verdict.take > 0.0 and time.monotonic() - self._looked > SETTLED:
                await self._take_out(wire, verdict)
                self._looked = time.monotonic()
            if time.monotonic() - looked > GATE_EVERY:
                await self._read_gate(wire)
                looked = time.monotonic()
            await asyncio.sleep(TURN)

    async def _take_back_marks(self, wire: Ami) -> None:
        """Of callers whom no answer said to be taken out, and who were not: they are still in the exchange."""
        for channel in inside(await wire.rows("CoreShowChannels", "CoreShowChannel")):
            with suppress(OSError, ValueError):
                self.diary.unmark(channel)

    async def _read_gate(self, wire: Ami) -> None:
        """Also whether Asterisk still answers."""
        self._gate = (await _variable(wire, GATE)) == "closed"

    async def _set_gate(self, wire: Ami, verdict: Verdict) -> None:
        closed = bool(verdict.closed)
        await wire.do("Setvar", Variable=GATE, Value="closed" if closed else "open")
        self._gate = closed
        what = verdict.what if closed else "gate_opened" if self._closed_for else ""
        self._closed_for = verdict.what if closed else ""
        if what:
            self._note(what, 1, verdict.why)

    async def _take_out(self, wire: Ami, verdict: Verdict) -> None:
        rows = await wire.rows("CoreShowChannels", "CoreShowChannel")
        waiting = callers(rows, verdict.take)
        freed: list[str] = []
        moved: list[str] = []
        try:
            # phones first: the fallback rings only those that are free
            if verdict.take == float("inf"):
                await self._free(wire, legs(rows), freed)
            await self._hand_over(wire, waiting, moved)
        finally:  # what was done before the connection broke was done
            for what, done in (("freed", freed), ("handed_over", moved)):
                if done:
                    self._closed_for = self._closed_for or verdict.what  # its end is told as well
                    self._note(what, len(done), verdict.why)

    def _still(self) -> bool:
        return judge(self.look()).take > 0.0

    async def _free(self, wire: Ami, phones: Sequence[Stuck], done: list[str]) -> None:
        for phone in phones:
            if not self._still():
                break
            with suppress(AmiRefused):  # it has ended by itself
                await wire.do("Hangup", Channel=phone.name, Cause="16")
                done.append(phone.id)

    async def _hand_over(self, wire: Ami, waiting: Sequence[Stuck], done: list[str]) -> None:
        apart = min(APART, ALL_WITHIN / max(1, len(waiting)))
        for caller in waiting:
            if not self._still():
                break
            with suppress(OSError, ValueError):  # a full disk: he is rescued all the same
                self.diary.mark(caller.id)
            try:
                exten = entry(caller, self.look())
                await wire.do("Redirect", Channel=caller.name, Context=FALLBACK, Exten=exten, Priority="1")
                done.append(caller.id)
                await asyncio.sleep(apart)
            except AmiRefused:  # he hung up
                with suppress(OSError, ValueError):
                    self.diary.unmark(caller.id)

    def _note(self, what: str, count: int, why: str) -> None:
        say(what, count=count, why=why)
        with suppress(OSError):
            self.diary.write(Deed(time.time(), what, count, why))  # noqa: TID251 - a label for people


async def _variable(wire: Ami, name: str) -> str:
    with suppress(AmiRefused):  # it was never set
        return (await wire.do("Getvar", Variable=name)).get("Value", "")
    return ""


def say(event: str, **about: object) -> None:
    """One line of JSON on stderr, as the exchange's own log has them. structlog would add half of our size."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    line = {"event": event, **about, "level": "warning", "timestamp": at, "pid": os.getpid()}
    with suppress(OSError):
        sys.stderr.write(json.dumps(line) + "\n")
        sys.stderr.flush()
