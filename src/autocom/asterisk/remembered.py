"""What a private Asterisk must find again after a restart of autocom: its ports, its secrets, how it was started.

Four small files beside its configuration, readable by their owner alone, each replaced whole. HTTP and AMI ports are
chosen once, so that adoption finds the same doors; anew only where another program has taken one. Must not know
what runs: that is `private`.
"""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from autocom.asterisk.conf import Secrets
from autocom.shelf import write_whole


class Remembered:
    """The files of one state folder."""

    def __init__(self, state: Path) -> None:
        self._ports, self._secrets, self._started, self._rescue = (
            state / each for each in ("ports.json", "secrets.json", "started.json", "rescue.json")
        )

    def choose(self) -> None:
        """Make what is missing; choose ports anew where another program has taken one."""
        self._ports.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self._secrets.exists():
            made = Secrets(ari_password=secrets.token_urlsafe(24), ami_password=secrets.token_urlsafe(24))
            _save(self._secrets, asdict(made))
        ports = self.ports()
        if not ports or not all(_free(port) for port in ports.values()):
            _save(self._ports, dict(zip(("http", "ami"), _free_ports(2), strict=True)))

    def ports(self) -> dict[str, int]:
        """`http` and `ami`, on 127.0.0.1."""
        return {key: int(port) for key, port in (_load(self._ports) or {}).items()}

    def secrets(self) -> Secrets:
        """Our users' passwords."""
        known = _load(self._secrets) or {}
        return Secrets(**{**known, "rescue_password": self.rescue_password()})

    def rescue_password(self) -> str:
        """Of the rescuer's users; made where it is missing. Of its own file: an Asterisk that we do not start has it
        too."""
        found = _load(self._rescue)
        if found is None or "password" not in found:
            self._rescue.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            found = {"password": secrets.token_urlsafe(24)}
            _save(self._rescue, found)
        return found["password"]

    def note_start(self, settings: Mapping[str, object]) -> None:
        """Remember the settings that only a restart can change."""
        _save(self._started, settings)

    def started_with(self) -> Mapping[str, object] | None:
        """Those of the last start."""
        return _load(self._started)


def _load(path: Path) -> dict[str, str] | None:
    try:
        found = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _save(path: Path, content: Mapping[str, object]) -> None:
    write_whole(path, (json.dumps(content).encode(),))


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports
