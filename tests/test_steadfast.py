"""A task that fails is begun again, whatever it was; a bug is told."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from autocom.steadfast import LONGEST, PAUSE, steadfast
from tests.support.virtual import run


def told(what: str, kind: str) -> None:
    pytest.fail(f"{what}: {kind} is no bug")


def test_a_task_that_is_refused_a_descriptor_is_begun_again_after_longer_and_longer_pauses() -> None:
    begun: list[float] = []

    async def task() -> None:
        begun.append(asyncio.get_running_loop().time())
        if len(begun) < 8:
            raise OSError(24, "Too many open files")

    run(steadfast("spool", task, told))
    pauses = [after - before for before, after in pairwise(begun)]
    assert pauses == pytest.approx([PAUSE, 2, 4, 8, 16, LONGEST, LONGEST])


def test_also_where_it_is_refused_in_a_group_of_its_own() -> None:
    tries: list[None] = []

    async def refused() -> None:
        tries.append(None)
        if len(tries) == 1:
            raise OSError(24, "Too many open files")

    async def task() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(refused())

    run(steadfast("spool", task, told))
    assert len(tries) == 2


def test_a_task_that_worked_for_a_while_begins_anew_after_a_short_pause() -> None:
    begun: list[float] = []

    async def task() -> None:
        begun.append(asyncio.get_running_loop().time())
        await asyncio.sleep(100)
        if len(begun) < 4:
            raise OSError(24, "Too many open files")

    run(steadfast("spool", task, told))
    assert [round(at) for at in begun] == [0, 101, 202, 303]


def test_a_bug_is_told_by_its_kind_alone_and_the_task_begun_again() -> None:
    tries: list[None] = []
    failed: list[tuple[str, str]] = []

    async def task() -> None:
        tries.append(None)
        if len(tries) < 3:
            raise ValueError("no such number: +33639980101")

    run(steadfast("lamps", task, lambda what, kind: failed.append((what, kind))))
    assert failed == [("lamps", "ValueError")] * 2
    assert len(tries) == 3


async def fails() -> None:
    raise ValueError("no such number: +33639980101")


async def test_a_bug_in_a_group_is_told_by_its_own_kind() -> None:
    told_of = asyncio.Event()
    failed: list[tuple[str, str]] = []

    async def task() -> None:
        async with asyncio.TaskGroup() as tasks, asyncio.TaskGroup() as inner:
            tasks.create_task(asyncio.sleep(60))
            inner.create_task(fails())

    def note(what: str, kind: str) -> None:
        failed.append((what, kind))
        told_of.set()

    running = asyncio.create_task(steadfast("lamps", task, note))
    await told_of.wait()
    running.cancel()
    await asyncio.wait([running])
    assert failed == [("lamps", "ValueError")]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ValueError("a bug")])
async def test_what_fails_while_it_is_cancelled_is_not_begun_again(error: Exception) -> None:
    begun: list[None] = []

    async def child() -> None:
        begun.append(None)
        try:
            await asyncio.sleep(60)
        finally:
            raise error

    async def task() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(child())

    running = asyncio.create_task(steadfast("spool", task, lambda *_: None))
    while not begun:
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running], timeout=0.5 * PAUSE)
    assert running.cancelled()
    assert len(begun) == 1
