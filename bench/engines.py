"""The two exchanges that are measured: autocom as its users run it, and Asterisk's own app_queue.

Both run the same Asterisk binary with the same PJSIP, RTP and music configuration: app_queue's
instance is a copy of the one that autocom generated, with another dialplan, `app_queue` loaded and ports of its
own. Its queues are tuned (autofill, ringinuse off, the shortest pause between two tries: 1 s, since
app_queue 22.10 reads `retry=0` as its default, 5 s), so that it shows its best.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Protocol, Self

import aiohttp

from autocom.asterisk.modules import MODULES
from autocom.config.alaw import encode
from autocom.state import read_card
from bench.sip import HOST, now
from tests.support import tones
from tests.support.bureau import Bureau, client, play, queue
from tests.support.exchange import Exchange
from tests.support.ports import free_ports

# DIDs, and what each of them is for
PLAIN, THREE, WRAP, HOP, SOLO = "0199001001", "0199001002", "0199001003", "0199001004", "0199001005"
WRAP_UP = 1.0
RING_FOR = 1.0
SECRETARIES = 8


class Engine(Protocol):
    """What the scenarios need of an exchange."""

    name: str
    server: tuple[str, int]

    def cpu(self) -> dict[str, float]:
        """CPU seconds used so far, by part."""
        ...

    async def pause(self, who: str, *, paused: bool) -> int:
        """The instant the order was sent."""
        ...


def cpu_seconds(pid: int) -> float:
    """User and system time of a process with all the threads it ever had."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    """Of any thread of this process."""
    threads = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(word) for file in threads for word in file.read_text().split()]


def bureau_to_measure(folder: Path) -> Bureau:
    """Five clients that differ in what is measured with them; message, music and journal are on."""
    made = Bureau.at(folder, secretaries=SECRETARIES)
    names = [account.id for account in made.secretaries]
    made.bureau["teams"] = {"general": {}, "three": {}, "solo": {}}
    for row in made.bureau["secretaries"]:
        row["teams"] = {"general": 1}
        if row["id"] in names[:3]:
            row["teams"]["three"] = 1
        if row["id"] == names[0]:
            row["teams"]["solo"] = 1

    def rules(team: str, ring_for: str = "15s") -> list[dict[str, object]]:
        return [{"name": "open", "do": [play("message"), queue(team=team, ring_for=ring_for)]}]

    wrap_up = {"min": f"{WRAP_UP:.0f}s", "max": f"{WRAP_UP:.0f}s"}
    made.clients.pop("lilas")
    made.add(client("plain", "+33199001001", rules=rules("general")))
    made.add(client("three", "+33199001002", rules=rules("three")))
    made.add(client("wrap", "+33199001003", rules=rules("three"), wrap_up=wrap_up))
    made.add(client("hop", "+33199001004", rules=rules("general", f"{RING_FOR:.0f}s")))
    made.add(client("solo", "+33199001005", rules=rules("solo")))
    made.settings["AUTOCOM_LOG"] = "info"
    made.write()
    return made


class Autocom:
    """A running `autocom up`."""

    name = "autocom"

    def __init__(self, exchange: Exchange, session: aiohttp.ClientSession) -> None:
        self.exchange, self._session = exchange, session
        host, _, port = exchange.bureau.sip.rpartition(":")
        self.server = (host, int(port))
        self._card = read_card(exchange.bureau.state)
        others = {pid: command for pid, command in exchange.left_running().items() if pid != exchange.pid}
        self._asterisk = next(pid for pid, command in others.items() if "asterisk.conf" in command)
        state = exchange.bureau.state
        self._postgres = int(next(state.glob("postgres/**/postmaster.pid")).read_text().split()[0])

    def cpu(self) -> dict[str, float]:
        # its processes write titles over the environment that `left_running` knows them by
        postgres = [self._postgres, *children(self._postgres)]
        return {
            "autocom": cpu_seconds(self.exchange.pid),
            "asterisk": cpu_seconds(self._asterisk),
            "postgresql": sum(map(cpu_seconds, postgres)),
        }

    async def pause(self, who: str, *, paused: bool) -> int:
        at = now()
        await self._ask("POST", f"/v1/secretaries/{who}/{'pause' if paused else 'resume'}")
        return at

    async def _ask(self, method: str, path: str) -> dict[str, object]:
        headers = {"Authorization": f"Bearer {self._card.token}"}
        async with self._session.request(method, self._card.http + path, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            found: dict[str, object] = await answer.json()
            return found


QUEUES = """[general]
persistentmembers=no
autofill=yes
shared_lastcall=yes
log_membername_as_agent=no

[tuned](!)
strategy=rrmemory
autofill=yes
ringinuse=no
retry=1
timeout=15
timeoutrestart=yes
timeoutpriority=conf
wrapuptime=0
announce-frequency=0
joinempty=yes
leavewhenempty=no
musicclass=default
"""

DIALPLAN = """[autocom-inbound]
exten => _X.,1,Progress()
 same => n,Queue(${EXTEN})
 same => n,Hangup()

[autocom-phone]
exten => _X.,1,Hangup()
"""


class AppQueue:
    """A private Asterisk that queues by itself. `async with`: it is started and ended."""

    name = "app_queue"

    def __init__(self, bureau: Bureau, program: Path) -> None:
        self._bureau, self._program = bureau, program
        self._folder = Path(tempfile.mkdtemp(prefix="bench-queue-", dir="/tmp"))
        sip, http, self._ami_port = free_ports(3)
        self.server = (HOST, sip)
        self._http_port = http
        self._child: asyncio.subprocess.Process | None = None
        self._ami: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        try:
            await asyncio.to_thread(self._write)
            with (self._folder / "output").open("wb") as output:
                self._child = await asyncio.create_subprocess_exec(
                    str(self._program),
                    "-f",
                    "-C",
                    str(self._folder / "etc/asterisk.conf"),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
            await self._connect()
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()

    async def _end(self) -> None:
        if self._ami is not None:
            self._ami.close()
        if self._child is not None and self._child.returncode is None:
            self._child.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(10):
                    await self._child.wait()
            except TimeoutError:
                self._child.kill()
                await self._child.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def cpu(self) -> dict[str, float]:
        assert self._child is not None
        return {"asterisk": cpu_seconds(self._child.pid)}

    async def pause(self, who: str, *, paused: bool) -> int:
        assert self._ami is not None
        word = "true" if paused else "false"
        order = f"Action: QueuePause\r\nInterface: PJSIP/{who}\r\nPaused: {word}\r\n\r\n"
        at = now()
        self._ami.write(order.encode())
        await self._ami.drain()
        return at

    # --- making it

    def _write(self) -> None:
        theirs = self._bureau.state / "asterisk"
        etc = self._folder / "etc"
        shutil.copytree(theirs / "etc", etc)
        for name in ("lib/keys", "spool", "run", "log", "agi-bin"):
            (self._folder / name).mkdir(parents=True)
        _replace(etc / "asterisk.conf", str(theirs), str(self._folder))
        text = (etc / "asterisk.conf").read_text()
        kept = [line for line in text.splitlines() if not line.startswith("astrundir")]
        kept.insert(kept.index("[directories]") + 1, f"astrundir = {self._folder / 'run'}")
        (etc / "asterisk.conf").write_text("\n".join(kept) + "\n")
        loads = "".join(f"load = {module}.so\n" for module in (*MODULES, "app_queue"))
        (etc / "modules.conf").write_text(f"[modules]\nautoload = no\n{loads}")
        _replace(etc / "pjsip.conf", self._bureau.sip, f"{HOST}:{self.server[1]}")
        first = int(self._bureau.rtp.partition("-")[0]) + 200
        (etc / "rtp.conf").write_text(f"[general]\nrtpstart={first}\nrtpend={first + 199}\n")
        (etc / "http.conf").write_text("[general]\nenabled=no\n")
        (etc / "manager.conf").write_text(
            f"[general]\nenabled=yes\nbindaddr={HOST}\nport={self._ami_port}\n\n"
            "[bench]\nsecret=bench\nread=\nwrite=agent\n"
        )
        (etc / "extensions.conf").write_text(DIALPLAN)
        names = [account.id for account in self._bureau.secretaries]
        (etc / "queues.conf").write_text(
            QUEUES
            + _queue(PLAIN, names)
            + _queue(THREE, names[:3])
            + _queue(WRAP, names[:3], f"wrapuptime={WRAP_UP:.0f}")
            + _queue(HOP, names, f"timeout={RING_FOR:.0f}")
            + _queue(SOLO, names[:1])
        )
        music = bytes(encode(int(sample)) for sample in tones.sine(810, 4))
        (self._folder / "music.alaw").write_bytes(music)
        (etc / "musiconhold.conf").write_text(f"[default]\nmode=playlist\nentry={self._folder / 'music'}\n")

    async def _connect(self) -> None:
        async with asyncio.timeout(20):
            while True:
                assert self._child is not None
                assert self._child.returncode is None, (self._folder / "output").read_text()[-2000:]
                try:
                    reader, self._ami = await asyncio.open_connection(HOST, self._ami_port)
                    break
                except OSError:
                    await asyncio.sleep(0.05)
            self._ami.write(b"Action: Login\r\nUsername: bench\r\nSecret: bench\r\nEvents: off\r\n\r\n")
            while b"Success" not in await reader.readline():
                pass


def _queue(name: str, members: list[str], *options: str) -> str:
    lines = [f"\n[{name}](tuned)", *options, *(f"member => PJSIP/{m},0,{m},PJSIP/{m}" for m in members)]
    return "\n".join(lines) + "\n"


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, f"{path.name} does not name {old}"
    path.write_text(text.replace(old, new))
