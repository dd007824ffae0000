"""The pulse of the exchange's own loop: felt from a thread beside it, shown to systemd and to the rescuer.

The loop turns four times a second: each turn is a beat in the state folder, and food for systemd's watchdog where all is
well. A thread looks on: a loop that is late is logged with where it stands (never what is in its variables), and one
that is late for 5 s ends the process, because frozen is worse than dead: a dead one is started again, and takes every
call over. Not so where the thread itself stood still: a stopped or suspended process blocked nothing. Who wakes up
after a gap must believe nothing it knew: `doubt` is called before any timer of a call is acted on. Must not know calls.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from autocom import systemd
from autocom.rescue.beat import BeatFile

log = structlog.get_logger()

TURN = 0.25
LOOK = 0.1
LATE, STALLED, DEADLY = 1.0, 3.0, 5.0
"""Seconds of a loop that does not turn: logged; a stall, after which everything is asked anew; the end."""
CANARY_OLDEST, UNREAD_OLDEST = 5.0, 2.0
EXIT = 75
"""The exit code of a process that ended itself because it was frozen (EX_TEMPFAIL of sysexits.h)."""
STORY = "last-stall.txt"
_ASIDE = 0.3
_DEEPEST = 40


@dataclass(frozen=True, slots=True)
class Health:
    """What the watchdog asks of the telephone. `canary`: seconds since ARI last answered, 0 where the telephone is known
    to be lost; `unread`: seconds that the oldest event has not been read for."""

    canary: float = 0.0
    unread: float = 0.0

    @property
    def well(self) -> bool:
        """Whether the process does what it is there for."""
        return self.canary < CANARY_OLDEST and self.unread < UNREAD_OLDEST


@dataclass(frozen=True, slots=True)
class Stall:
    """A loop that did not turn for `seconds`, and turns again. `stopped`: the whole process stood still; else `place`
    is the innermost line in which the loop stood."""

    seconds: float
    stopped: bool
    place: str = ""

    def __str__(self) -> str:
        why = "the process was stopped" if self.stopped else self.place or "place unknown"
        return f"no turn for {self.seconds:.1f} s: {why}"


class Pulse:
    """Of one process. `word`: what the beat says; `health`: see there; `doubt`: a stall is over, nothing has been acted
    on since; `tell`: the same, to be written down. `end`: ends the process."""

    def __init__(
        self,
        state: Path,
        word: Callable[[], str],
        health: Callable[[], Health],
        doubt: Callable[[Stall], None],
        end: Callable[[int], object] = os._exit,
    ) -> None:
        self.state, self._word, self._health, self._doubt, self._end = state, word, health, doubt, end
        self.armed = False
        """Whether a frozen loop ends the process. Not while it starts: nobody is served yet."""
        self._beats = BeatFile(state)
        self._over = threading.Event()
        self._turned = time.monotonic()
        # a turn, and for how long it stood still by nobody's fault: the thread's alone to write
        self._excused = (0.0, 0.0)
        self._place = ""
        self._told = 0.0
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unwell = False
        self._mute = ""  # why the beat was not written

    def start(self) -> None:
        """From the loop that is watched."""
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._turned = time.monotonic()
        self._due = self._loop.time()
        self._turn()
        threading.Thread(target=self._watch, name="pulse", daemon=True).start()

    def stop(self) -> None:
        """No turn follows, and the thread ends."""
        self._over.set()
        if self._timer is not None:
            self._timer.cancel()
        self._beats.close()

    # --- the loop's side ---

    def _turn(self) -> None:
        """A timer's callback and no task: of all that is due after a stall, tasks run in the round after it."""
        assert self._loop is not None, "start first"
        late = self._loop.time() - self._due
        excused, place = self._excuse(self._turned), self._place
        self._turned, self._place, self._told = time.monotonic(), "", 0.0
        try:
            if late > STALLED:
                self._doubt(Stall(late, stopped=excused > late / 2, place=place))
            self._beat()
            self._feed(late)
        finally:  # what is asked of others may fail; the loop turns all the same, and must not be ended for it
            self._due = self._loop.time() + TURN
            self._timer = self._loop.call_at(self._due, self._turn)

    def _beat(self) -> None:
        try:
            self._beats.say(self._word())
            self._mute = ""
        except OSError as error:
            if self._mute != str(error):
                self._mute = str(error)
                log.error("no beat", why=self._mute)  # the rescuer will close the gate: it must be known why

    def _feed(self, late: float) -> None:
        health = self._health()
        well = late < LATE and health.well
        if well:
            systemd.feed_watchdog()
        if well == self._unwell:
            self._unwell = not well
            log.warning("watchdog", fed=well, late=round(late, 2), canary=round(health.canary, 1), unread=round(health.unread, 1))  # fmt: skip

    # --- the thread's side ---

    def _watch(self) -> None:
        before, worked = time.monotonic(), time.process_time()
        while not self._over.wait(LOOK):
            now, work, turned = time.monotonic(), time.process_time(), self._turned
            asleep, spent = now - before - LOOK, work - worked
            before, worked = now, work
            # stopped, suspended, or without a processor: that is nobody's bug. Who holds the interpreter's lock uses one
            if asleep > LATE / 2 and spent < asleep / 2:
                self._excused = (turned, self._excuse(turned) + asleep)
            self._look(now - turned - TURN - self._excuse(turned))

    def _excuse(self, turn: float) -> float:
        turned, seconds = self._excused
        return seconds if turned == turn else 0.0

    def _look(self, late: float) -> None:
        limit = next((limit for limit in (DEADLY, STALLED, LATE) if late > limit), 0.0)
        if limit <= self._told or self._over.is_set():
            return
        self._told = limit
        frame = sys._current_frames().get(self._loop_thread)  # noqa: SLF001 - the one way to another thread's stack
        stack = [
            f"{Path(each.filename).name}:{each.lineno} {each.name}"
            for each in traceback.StackSummary.extract(
                traceback.walk_stack(frame), limit=_DEEPEST, lookup_lines=False
            )
        ]
        self._place = stack[0] if stack else ""
        if limit < DEADLY or not self.armed or _is_debugged():
            _aside(lambda: log.warning("loop_late", seconds=round(late, 1), frames=stack))
            return
        self._die(late, stack)

    def _die(self, late: float, stack: list[str]) -> None:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        story = f"{at} pid {os.getpid()}: the loop did not turn for {late:.1f} s in {self._place}\n"

        def write() -> None:
            with suppress(OSError):
                (self.state / STORY).write_text(story + "\n".join(stack) + "\n")

        # perhaps it is the disk that the loop hangs on, or the log
        _aside(write)
        _aside(
            lambda: log.critical("frozen, ending at once", seconds=round(late, 1), frames=stack, code=EXIT)
        )
        self._end(EXIT)


def last_stall(state: Path) -> str | None:
    """The first line of what a process that ended itself left behind; told once."""
    story = state / STORY
    try:
        first = story.read_text(errors="replace").partition("\n")[0]
        story.replace(story.with_suffix(".told.txt"))
    except OSError:
        return None
    return first


def _aside(act: Callable[[], object]) -> None:
    """In a thread of its own, which is not waited for longer than a moment: it may hang as the loop does."""
    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    thread.join(_ASIDE)


def _is_debugged() -> bool:
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("TracerPid:"):
                return line.split()[1] != "0"
    return False
