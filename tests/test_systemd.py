"""What systemd is told: a PID 1 that does not read holds no call up."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from autocom import systemd


def test_a_watchdog_that_nobody_reads_stops_no_turn_of_the_loop_and_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "15000000")

    def feed() -> None:
        for _ in range(1000):
            systemd.feed_watchdog()

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf, capture_logs() as said:
        deaf.bind(str(tmp_path / "notify"))
        turns = threading.Thread(target=feed, daemon=True)
        turns.start()
        turns.join(20)
        assert not turns.is_alive()
        assert [line["event"] for line in said] == ["systemd cannot be told"]
        while _read(deaf):
            pass
        systemd.notify("READY=1")
        assert deaf.recv(100) == b"READY=1", "it reads again, and is told"


def _read(sock: socket.socket) -> bytes:
    try:
        return sock.recv(100, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return b""
