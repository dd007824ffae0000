"""An installation to be examined, broken in whatever way a test wants, and servers that answer wrongly."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

from aiohttp import web

from autocom.asterisk.modules import MODULES
from autocom.asterisk.private import Doors
from autocom.doctor.findings import Check, Finding
from autocom.doctor.patient import Patient, meet
from autocom.settings import Settings
from tests.support.bureau import Bureau
from tests.support.ports import free_port

SYSTEM = {"system": {"version": "22.10.1", "entity_id": "x"}}


def settings(bureau: Bureau, **changes: Any) -> Settings:
    """Of this bureau, from nothing else."""
    chosen = {
        name.removeprefix("AUTOCOM_").lower(): value
        for name, value in bureau.environment.items()
        if name.startswith("AUTOCOM_") and name.removeprefix("AUTOCOM_").lower() in Settings.model_fields
    }
    return Settings(_env_file=None, **{**chosen, **changes})  # type: ignore[arg-type]


async def patient(bureau: Bureau, **changes: Any) -> Patient:
    """As `autocom doctor` meets it."""
    return await meet(settings(bureau, **changes))


async def found(check: Check, ill: Patient) -> tuple[str, str]:
    """The level, and what was seen and advised, in English."""
    finding = await check(ill)
    assert isinstance(finding, Finding), "nothing to be seen"
    assert (finding.advice is None) == (finding.level == "ok")
    assert finding.seen.french
    advice = "" if finding.advice is None else finding.advice.english
    return finding.level, f"{finding.seen.english} → {advice}"


class Asterisk:
    """An Asterisk's doors, as ill as a test wants: what each path is answered with, or nothing at all."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, Any]] = {
            "asterisk/info": (200, SYSTEM),
            "asterisk/ping": (200, {"timestamp": "2026-11-22T10:00:00.000+0000", "ping": "pong"}),
            "applications/autocom": (200, {"name": "autocom"}),
            "asterisk/modules": (200, [{"name": f"{m}.so", "status": "Running"} for m in MODULES]),
            "playbacks/doctor-asks-nothing": (404, {"message": "Playback not found"}),
        }
        self.silent: set[str] = set()
        self.login = "Success"
        self.contexts: dict[str, int] = {}  # and how many lines each has
        self.writers: list[asyncio.StreamWriter] = []
        self.doors = Doors("", "", "", "127.0.0.1", 0, "", "")

    async def answer(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        if path in self.silent:
            await asyncio.sleep(60)
        status, body = self.answers[path]
        return web.json_response(body, status=status)

    async def manage(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"Response: {self.login}\r\nMessage: x\r\n\r\n".encode())
        try:
            await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return
        text = "Response: Success\r\nEventList: start\r\n\r\n"
        for name, lines in self.contexts.items():
            block = f"Event: ListDialplan\r\nContext: {name}\r\n"
            text += f"{block}\r\n" + f"{block}Extension: s\r\nPriority: 1\r\n\r\n" * lines
        writer.write(f"{text}Event: ShowDialPlanComplete\r\nEventList: Complete\r\n\r\n".encode())


@asynccontextmanager
async def asterisk() -> AsyncIterator[Asterisk]:
    """One that runs."""
    made = Asterisk()
    app = web.Application()
    app.router.add_route("*", "/ari/{path:.*}", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    ports = free_port(), free_port()
    await web.TCPSite(runner, "127.0.0.1", ports[0]).start()
    server = await asyncio.start_server(made.manage, "127.0.0.1", ports[1])
    made.doors = Doors(f"http://127.0.0.1:{ports[0]}", "u", "p", "127.0.0.1", ports[1], "u", "p")
    try:
        yield made
    finally:
        server.close()
        for writer in made.writers:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
        await runner.cleanup()


@contextmanager
def occupied(kind: int = socket.SOCK_STREAM) -> Iterator[int]:
    """A port that somebody else has."""
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            other.listen()
        yield other.getsockname()[1]


def locked(root: Path, *lines: str) -> Path:
    """A checkout with this lock of packages."""
    (root / "requirements").mkdir(parents=True)
    (root / "requirements" / "run.txt").write_text(
        "".join(f"{line} \\\n    --hash=sha256:0\n" for line in lines)
    )
    return root
