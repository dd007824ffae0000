"""Our private Asterisk on a throw-away state folder, for the tests of what it is told and what it does.

`bureau()` builds a configuration of any size whose prompts and music are tones; `private()` starts the
real Asterisk on it, on free ports, and ends it. `AriApp` is a bare ARI application of forty lines: it
claims calls, reads variables and hangs up, so that the dialplan is tried without our own ARI client.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import pytest

from autocom.asterisk import installation
from autocom.asterisk.private import PrivateAsterisk
from autocom.core.model import Audio, Bureau, Configuration, Music, Secretary, StockSounds, Trunk
from tests.support import PATIENCE, tones
from tests.support.ports import free_port, rtp_ports

DIALPLAN = Path(__file__).parents[2] / "dialplan"
GET_ASTERISK = Path(__file__).parents[2] / "tools" / "get-asterisk.sh"
PLEASE_WAIT, NOBODY, REFUSED, EMERGENCY, MUSIC, CONFIRMED = 440, 500, 560, 970, 810, 890
NAMES = ("lea", "ines", "chloe", "manon", "jade", "louise", "alice", "rose")


def password(secretary: str) -> str:
    return f"p;{secretary}é [#"


def bureau(
    folder: Path = Path("/nowhere"), *, secretaries: int = 2, trunks: Mapping[str, Trunk] | None = None
):
    """A configuration with `secretaries` phones, extensions 201 and up, and a trunk on 127.0.0.1."""
    sounds = {name: folder / name for name in ("please-wait", "nobody", "closed", "unknown", "music")}

    def audio(name: str) -> Audio:
        return Audio(name, str(sounds[name]), 1.0)

    music = Music("calme", "music-calme-1234", (str(sounds["music"]),))
    ids = [NAMES[n] if n < len(NAMES) else f"s{n:03}" for n in range(secretaries)]
    people = {
        each: Secretary(each, f"{each.title()} Éléonore", str(201 + n), password(each))
        for n, each in enumerate(ids)
    }
    return Configuration(
        version="v1",
        bureau=Bureau("Secrétariat", "+33199001000", "FR", "Europe/Paris", "fr", "accueil"),
        trunks=trunks or {"operator": Trunk("operator", ("127.0.0.1",), host="sip.operator.example")},
        secretaries=people,
        teams={},
        clients={},
        stock=StockSounds(audio("nobody"), audio("closed"), audio("please-wait"), audio("unknown"), music),
        music={"calme": music},
    )


def write_sounds(folder: Path) -> dict[str, str]:
    """Every prompt as a tone; the paths of the phones' prompts by name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, hertz, seconds in (
        ("please-wait", PLEASE_WAIT, 1.0),
        ("nobody", NOBODY, 1.5),
        ("refused", REFUSED, 1.5),
        ("emergency-refused", EMERGENCY, 1.5),
        ("confirmed", CONFIRMED, 1.5),
        ("music", MUSIC, 4.0),
    ):
        tones.write_wav(folder / f"{name}.wav", tones.sine(hertz, seconds))
    return {name: str(folder / name) for name in ("refused", "emergency-refused")}


class Folder:
    """A state folder with a short path, its sounds and its ports; `asterisk()` is a new PrivateAsterisk on it,
    as a restarted autocom would make."""

    def __init__(self, home: installation.Installation, agi: tuple[str, int] = ("127.0.0.1", 9)) -> None:
        self.home = home
        self.state = Path(tempfile.mkdtemp(prefix="autocom-"))
        self.sounds = self.state / "sounds"
        self.prompts = write_sounds(self.sounds)
        self.sip = ("127.0.0.1", free_port())
        self.rtp = rtp_ports()
        self.agi = agi
        self.made: list[PrivateAsterisk] = []

    @property
    def server(self) -> str:
        return f"127.0.0.1:{self.sip[1]}"

    def bureau(self, **more: Any) -> Configuration:
        return bureau(self.sounds, **more)

    def asterisk(self, **changed: Any) -> PrivateAsterisk:
        settings: dict[str, Any] = {
            "sip": self.sip,
            "rtp": self.rtp,
            "agi": self.agi,
            "dialplan": DIALPLAN,
            "prompts": self.prompts,
            "python": Path(sys.executable),
        }
        made = PrivateAsterisk(self.home, self.state, **(settings | changed))
        self.made.append(made)
        return made

    async def end(self) -> None:
        for asterisk in self.made[-1:]:
            await asterisk.stop(5)
        shutil.rmtree(self.state, ignore_errors=True)


@asynccontextmanager
async def folder(agi: tuple[str, int] = ("127.0.0.1", 9)) -> AsyncIterator[Folder]:
    home = await installation.require(GET_ASTERISK, print)
    made = Folder(home, agi)
    try:
        yield made
    finally:
        await made.end()


@asynccontextmanager
async def private(
    agi: tuple[str, int] = ("127.0.0.1", 9), **more: Any
) -> AsyncIterator[tuple[Folder, PrivateAsterisk]]:
    """A started Asterisk for one test; `more` goes to `bureau`."""
    async with folder(agi) as place:
        asterisk = place.asterisk()
        await asterisk.start(place.bureau(**more))
        yield place, asterisk


class AriApp:
    """The application `autocom`, connected; claims what is offered and keeps every event."""

    def __init__(self, asterisk: PrivateAsterisk) -> None:
        doors = asterisk.doors
        self._url = doors.ari_url
        self._headers = {"Authorization": aiohttp.encode_basic_auth(doors.ari_user, doors.ari_password)}
        self.events: list[dict[str, Any]] = []
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers=self._headers)
        self._tasks = asyncio.TaskGroup()
        await self._tasks.__aenter__()
        self._socket = await self._session.ws_connect(f"{self._url}/events?app=autocom")
        self._reader = self._tasks.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._socket.close()
        self._reader.cancel()
        try:
            await self._tasks.__aexit__(kind, error, trace)
        finally:
            await self._session.close()

    async def _read(self) -> None:
        async for message in self._socket:
            event = message.json()
            self.events.append(event)
            if event["type"] == "CallBroadcast":
                where = {"channelId": event["channel"]["id"], "application": "autocom"}
                await self.call("POST", "events/claim", **where)
            self._news.set()

    async def call(self, method: str, path: str, **query: str) -> Any:
        async with self._session.request(method, f"{self._url}/{path}", params=query) as reply:
            text = await reply.text()
            return await reply.json() if text else None

    async def event(self, kind: str, within: float = PATIENCE) -> dict[str, Any]:
        """The newest event of that type, waited for."""
        async with asyncio.timeout(within):
            while True:
                found = [event for event in self.events if event["type"] == kind]
                if found:
                    return found[-1]
                self._news.clear()
                await self._news.wait()

    async def variable(self, channel: str, name: str) -> str | None:
        answer = await self.call("GET", f"channels/{channel}/variable", variable=name)
        return answer.get("value")


async def eventually(holds: Any, within: float = PATIENCE, what: str = "") -> Any:
    """The first true value of `holds`, for what nothing tells us about (a file that another process writes)."""
    end = asyncio.get_running_loop().time() + within
    while asyncio.get_running_loop().time() < end:
        found = holds()
        if found:
            return found
        await asyncio.sleep(0.02)
    pytest.fail(f"not within {within} s: {what or holds}")
