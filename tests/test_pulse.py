"""The pulse: a loop that stands still is seen, logged, and in the end ended; a stopped process is nobody's fault."""

from __future__ import annotations

import asyncio
import os
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from autocom import pulse
from autocom.pulse import Health, Pulse, Stall, last_stall
from autocom.rescue import beat


class Watched:
    """A pulse with its ears: what it doubted, with which code it would have ended."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.stalls: list[Stall] = []
        self.codes: list[int] = []
        self.ended = threading.Event()
        self.health = Health()
        self.pulse = Pulse(state, lambda: beat.SERVING, lambda: self.health, self.stalls.append, self._end)

    def _end(self, code: int) -> None:
        self.codes.append(code)
        self.ended.set()


@pytest.fixture
async def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    """Ten times as fast as in the house."""
    for name, seconds in {"TURN": 0.025, "LOOK": 0.01, "LATE": 0.15, "STALLED": 0.3, "DEADLY": 0.6}.items():
        monkeypatch.setattr(pulse, name, seconds)
    made = Watched(tmp_path)
    made.pulse.start()
    yield made
    made.pulse.stop()


def block(watched: Watched, seconds: float) -> None:
    """The loop's thread waits, as in a call that blocks; released when the process would have ended."""
    watched.ended.wait(seconds)


async def until_beaten(watched: Watched, times: int) -> beat.Beat:
    first = beat.read(watched.state)
    async with asyncio.timeout(5):
        while True:
            found = beat.read(watched.state)
            if found is not None and found.number >= (first.number if first else 0) + times:
                return found
            await asyncio.sleep(0.01)


async def test_a_loop_that_turns_beats_and_is_left_alone(watched: Watched) -> None:
    watched.pulse.armed = True
    found = await until_beaten(watched, 5)
    assert found.word == beat.SERVING
    assert watched.codes == []


async def test_after_a_stall_everything_is_doubted_before_any_task_goes_on(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "LATE", 10)  # no thread is excused here that had no processor for a moment
    await until_beaten(watched, 2)
    order: list[str] = []
    doubt = watched.pulse._doubt
    watched.pulse._doubt = lambda stall: (order.append("doubt"), doubt(stall))[1]

    async def story() -> None:
        await asyncio.sleep(0.01)
        order.append("story")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(story())
        await asyncio.sleep(0)
        order.clear()  # a stall before this one was the machine's
        watched.stalls.clear()
        block(watched, 1.0)
    assert order == ["doubt", "story"]
    (stall,) = watched.stalls
    assert stall.seconds > 0.3
    assert not stall.stopped
    assert "test_pulse.py" in str(stall) or "threading.py" in str(stall)
    assert watched.codes == []


async def test_a_loop_that_stands_for_long_ends_the_process_and_says_where_it_stood(watched: Watched) -> None:
    watched.pulse.armed = True
    await until_beaten(watched, 2)
    block(watched, 20)
    assert watched.codes == [pulse.EXIT]
    story = (watched.state / pulse.STORY).read_text()
    assert "block" in story
    assert "0639980101" not in story
    first = last_stall(watched.state)
    assert first is not None
    assert "did not turn" in first
    assert last_stall(watched.state) is None, "told once"


async def test_a_disk_that_hangs_keeps_no_frozen_process_alive(watched: Watched) -> None:
    os.mkfifo(watched.state / pulse.STORY)  # whoever writes to it waits for a reader
    watched.pulse.armed = True
    await until_beaten(watched, 2)
    block(watched, 10)
    try:
        assert watched.codes == [pulse.EXIT]
    finally:
        os.close(os.open(watched.state / pulse.STORY, os.O_RDONLY | os.O_NONBLOCK))


async def test_while_it_starts_nothing_ends_it(watched: Watched) -> None:
    await until_beaten(watched, 2)
    block(watched, 0.9)
    await until_beaten(watched, 1)
    assert watched.codes == []


async def test_a_thread_that_stood_still_itself_excuses_the_loop(watched: Watched) -> None:
    watched.pulse.armed = True
    await until_beaten(watched, 2)
    # as after SIGSTOP and SIGCONT: by the clock both are late, the thread finds that it was
    watched.pulse._excused = (watched.pulse._turned, 20.0)
    block(watched, 0.9)
    await until_beaten(watched, 1)
    assert watched.codes == []
    assert [stall.stopped for stall in watched.stalls] == [True]
    assert "the process was stopped" in str(watched.stalls[0])


@pytest.mark.parametrize(("works", "stopped"), [(True, False), (False, True)])
async def test_who_holds_the_interpreter_was_not_stopped(
    works: bool, stopped: bool, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a clock of its own: this machine may have no processor to spare, which looks the same
    monkeypatch.setattr(time, "process_time", time.monotonic if works else lambda: 0.0)
    await until_beaten(watched, 2)
    began, length = time.monotonic(), 16
    while time.monotonic() - began < 0.6:
        length += 1
        re.match(r"(a+)+$", "a" * length + "b")  # no thread goes on meanwhile
    block(watched, 0.05)
    await until_beaten(watched, 1)
    assert watched.stalls
    assert {stall.stopped for stall in watched.stalls} == {stopped}


async def test_an_excuse_of_one_turn_is_none_of_the_next(watched: Watched) -> None:
    watched.pulse.armed = True
    await until_beaten(watched, 2)
    watched.pulse._excused = (watched.pulse._turned, 20.0)
    await until_beaten(watched, 2)
    block(watched, 20)
    assert watched.codes == [pulse.EXIT]


async def test_a_health_that_cannot_be_asked_does_not_end_the_process(watched: Watched) -> None:
    watched.pulse.armed = True
    heard: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: heard.append(str(about["exception"])))
    healthy, watched.health = watched.health, None
    await asyncio.sleep(1.0)
    watched.health = healthy
    await until_beaten(watched, 2)
    assert watched.codes == []
    assert len(heard) > 1


async def test_a_beat_that_cannot_be_written_is_told_once_and_the_loop_turns_on(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = asyncio.Semaphore(0)

    def refuse(_: str) -> None:
        refused.release()
        raise OSError("Input/output error")

    with capture_logs() as said, monkeypatch.context() as broken:
        broken.setattr(watched.pulse._beats, "say", refuse)
        for _ in range(5):
            await refused.acquire()
    await until_beaten(watched, 2)
    assert [line["why"] for line in said if line["event"] == "no beat"] == ["Input/output error"]


async def test_systemd_is_fed_only_while_the_telephone_is_well(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    fed: list[float] = []
    monkeypatch.setattr("autocom.systemd.feed_watchdog", lambda: fed.append(time.monotonic()))
    await until_beaten(watched, 3)
    assert fed
    for ill in (Health(canary=6.0), Health(unread=2.5)):
        watched.health = ill
        await until_beaten(watched, 2)
        fed.clear()
        await until_beaten(watched, 3)
        assert fed == []
    watched.health = Health(canary=4.0, unread=1.0)
    await until_beaten(watched, 3)
    assert fed
