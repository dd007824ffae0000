"""Whether the e2e tests would notice: a start that fails, a process left behind, a crash that leaves its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.bureau import Bureau
from tests.support.exchange import Exchange

# stands for `autocom up`: says ready, has a child with the state folder in its environment
TIDY = 'sleep 60 & child=$!; trap "kill $child; wait; exit 0" TERM; echo "ready on $AUTOCOM_SIP_BIND"; wait'
LEAKY = 'setsid sleep 60 & trap "exit 0" TERM; echo "ready"; wait'
FAILING = 'echo "no telephone here"; exit 3'


def program(folder: Path, text: str) -> Path:
    path = folder / "autocom"
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)
    return path


async def test_a_tidy_exchange_is_ready_and_leaves_nothing(bureau: Bureau, tmp_path: Path) -> None:
    async with Exchange(bureau, command=program(tmp_path, TIDY)) as exchange:
        assert exchange.output == f"ready on {bureau.sip}\n"
        assert len(exchange.left_running()) == 2
        assert await exchange.stop() == 0
        assert exchange.left_running() == {}
    assert not bureau.state.exists()


async def test_a_process_left_behind_fails_the_test_and_is_ended(bureau: Bureau, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"left running: \{\d+: 'sleep 60'\}"):
        async with Exchange(bureau, command=program(tmp_path, LEAKY)):
            pass
    assert Exchange(bureau).left_running() == {}


async def test_a_start_that_fails_shows_what_was_printed(bureau: Bureau, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="ended with 3\nno telephone here"):
        async with Exchange(bureau, command=program(tmp_path, FAILING)):
            pass


async def test_a_crash_leaves_the_others_running_and_a_new_start_is_ready_again(
    bureau: Bureau, tmp_path: Path
) -> None:
    async with Exchange(bureau, command=program(tmp_path, TIDY)) as exchange:
        first = exchange.pid
        await exchange.kill9()
        survivors = exchange.left_running()
        assert len(survivors) == 1
        await exchange.start()
        assert exchange.pid != first
        for pid in survivors:
            os.kill(pid, 15)
