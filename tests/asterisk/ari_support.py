"""What the tests of ARI and AMI stand on: a throw-away Asterisk, a listener, and two impostors.

`throwaway_asterisk` starts a real Asterisk 22 with a minimal configuration of its own on free
loopback ports and ends it. It is not the configuration that autocom generates: these tests are
about ARI and AMI, whatever the rest looks like. `Impostor` speaks just enough ARI to misbehave in
ways that a healthy Asterisk does not.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import numpy as np
from aiohttp import web

from autocom.asterisk.ami import Ami
from autocom.asterisk.clock import SteadyClock
from autocom.asterisk.telephone import AsteriskTelephone
from autocom.core.telephony import Fact, TelephoneBack
from tests.support import PATIENCE, tones
from tests.support.ports import free_port, rtp_ports

PASSWORD = "fiction"

MODULES = """
res_pjproject res_sorcery_config res_sorcery_memory res_sorcery_astdb res_pjsip res_pjsip_session
res_pjsip_pubsub chan_pjsip res_pjsip_authenticator_digest res_pjsip_endpoint_identifier_ip
res_pjsip_endpoint_identifier_user res_pjsip_registrar res_pjsip_sdp_rtp res_pjsip_nat
res_pjsip_caller_id res_pjsip_diversion res_pjsip_refer res_pjsip_rfc3326 res_pjsip_header_funcs
res_pjsip_outbound_authenticator_digest res_pjsip_acl res_pjsip_logger func_pjsip_endpoint
res_http_websocket res_crypto res_srtp res_rtp_asterisk res_timing_timerfd res_musiconhold
codec_ulaw codec_alaw codec_a_mu codec_resample format_wav format_pcm format_sln
bridge_simple bridge_native_rtp bridge_softmix bridge_holding bridge_builtin_features
res_stasis res_stasis_answer res_stasis_playback res_stasis_recording res_stasis_snoop
res_stasis_device_state app_stasis app_stasis_broadcast res_stasis_broadcast chan_bridge_media res_websocket_client res_ari res_ari_model
res_ari_applications res_ari_asterisk res_ari_bridges res_ari_channels res_ari_device_states
res_ari_endpoints res_ari_events res_ari_playbacks res_ari_recordings res_ari_sounds
res_fax pbx_config app_dial app_playback app_verbose app_stack func_callerid func_channel func_strings
func_logic func_global func_math app_echo app_exec
""".split()

EMPTY = """acl aeap ccss cdr cel cli cli_aliases cli_permissions codecs dnsmgr dsp extconfig features
geolocation hep pjproject pjsip_notify sorcery stasis statsd stir_shaken udptl websocket_client""".split()

DIALPLAN = """
[autocom-inbound]
exten => _[+0-9a-z].,1,Set(AUTOCOM_TRUNK=operator)
 same => n,Set(AUTOCOM_REQUEST_USER=${EXTEN})
 same => n,Set(AUTOCOM_FROM=${PJSIP_HEADER(read,From)})
 same => n,Set(AUTOCOM_TO=${PJSIP_HEADER(read,To)})
 same => n,Set(AUTOCOM_PAI=${PJSIP_HEADER(read,P-Asserted-Identity)})
 same => n,Set(AUTOCOM_PRIVACY=${PJSIP_HEADER(read,Privacy)})
 same => n,Set(AUTOCOM_PCPI=)
 same => n,Set(AUTOCOM_DID_VALUE=)
 same => n,Set(AUTOCOM_DIVERSIONS=0)
 same => n,Set(AUTOCOM_HISTORIES=0)
 same => n,Set(D=${PJSIP_HEADER(read,Diversion,1)})
 same => n,ExecIf($[${LEN(${D})}]?Set(AUTOCOM_DIVERSION_1=${D}))
 same => n,ExecIf($[${LEN(${D})}]?Set(AUTOCOM_DIVERSIONS=1))
 same => n,StasisBroadcast(1000,^autocom$,inbound)
 same => n,Goto(autocom-fallback,s,1)
exten => fax,1,Stasis(autocom,fax)
 same => n,Goto(autocom-fallback,s,1)
[autocom-fallback]
exten => s,1,Answer()
 same => n,Playback(SOUNDS/fallback)
 same => n,Hangup()
[autocom-phone]
exten => 600,1,Answer()
 same => n,Echo()
"""

PJSIP_HEAD = """[global]
type=global
endpoint_identifier_order=username,ip
[udp]
type=transport
protocol=udp
bind=127.0.0.1:{sip}
[trunk-operator]
type=endpoint
context=autocom-inbound
transport=udp
disallow=all
allow=alaw,ulaw
direct_media=no
aors=trunk-operator
[trunk-operator]
type=identify
endpoint=trunk-operator
match=127.0.0.0/8
[trunk-operator]
type=aor
contact=sip:127.0.0.1:{gone}
"""

PJSIP_PHONE = """[{id}]
type=endpoint
context=autocom-phone
transport=udp
disallow=all
allow=ulaw,alaw
direct_media=no
rtp_symmetric=yes
force_rport=yes
rewrite_contact=yes
from_domain=autocom.test
auth={id}
aors={id}
[{id}]
type=auth
auth_type=userpass
username={id}
password={password}
[{id}]
type=aor
max_contacts=1
remove_existing=yes
minimum_expiration=5
"""


def asterisk_root() -> Path:
    """Where the set-up unpacked Asterisk."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("AUTOCOM_ASTERISK_ROOT") or cache / "autocom" / "asterisk")


def rest_api() -> Path:
    """The Swagger files of that Asterisk."""
    return _data() / "rest-api"


def _data() -> Path:
    unpacked = asterisk_root() / "root/usr/share/asterisk"
    return unpacked if unpacked.exists() else Path("/usr/share/asterisk")


def _modules() -> Path:
    found = sorted((asterisk_root() / "root/usr/lib").glob("*/asterisk/modules"))
    return found[0] if found else min(Path("/usr/lib").glob("*/asterisk/modules"))


def _program() -> str:
    unpacked = asterisk_root() / "bin/asterisk"
    return str(unpacked) if unpacked.exists() else str(shutil.which("asterisk"))


@dataclass
class Throwaway:
    """One Asterisk: where it listens and lives; `pid` while it runs."""

    folder: Path
    secretaries: tuple[str, ...]
    http: int = field(default_factory=free_port)
    ami: int = field(default_factory=free_port)
    sip: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http}"

    @property
    def server(self) -> str:
        return f"127.0.0.1:{self.sip}"

    @property
    def log(self) -> str:
        return (self.folder / "log/full").read_text("utf-8", "replace")

    def sound(self, name: str) -> str:
        return str(self.folder / "sounds" / name)

    def write(self) -> None:
        etc = self.folder / "etc"
        for name in ("etc", "lib", "run", "log", "spool/recording", "sounds", "moh", "agi", "keys"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for name in EMPTY:
            (etc / f"{name}.conf").write_text("")
        tones.write_wav(Path(self.sound("welcome.wav")), tones.sine((440,), 2.0))
        tones.write_wav(Path(self.sound("long.wav")), tones.sine((440,), 30.0))
        tones.write_wav(Path(self.sound("fallback.wav")), tones.sine((500,), 1.0))
        two = np.concatenate([tones.sine((560,), 2.0), tones.sine((680,), 2.0)])
        tones.write_wav(Path(self.sound("two, halves.wav")), two)
        tones.write_wav(self.folder / "moh/music.wav", tones.sine((810,), 4.0))
        low, high = rtp_ports()
        files = {
            "asterisk": "[directories]\n"
            f"astetcdir => {etc}\nastmoddir => {_modules()}\nastdatadir => {_data()}\n"
            + "".join(
                f"{key} => {self.folder}/{name}\n"
                for key, name in (
                    ("astvarlibdir", "lib"),
                    ("astdbdir", "lib"),
                    ("astkeydir", "."),
                    ("astagidir", "agi"),
                    ("astspooldir", "spool"),
                    ("astrundir", "run"),
                    ("astlogdir", "log"),
                    ("astcachedir", "lib"),
                )
            )
            + "[options]\nverbose = 3\nnocolor = yes\n",
            "modules": "[modules]\nautoload=no\n" + "".join(f"load => {m}.so\n" for m in MODULES),
            "logger": "[general]\ndateformat=%F %T.%3q\n[logfiles]\nfull => notice,warning,error,verbose\n",
            "http": "[general]\nenabled=yes\nbindaddr=127.0.0.1\nsessionlimit=1000\n"
            f"session_keep_alive=60000\nbindport={self.http}\n",
            "ari": f"[general]\nenabled=yes\n[autocom]\ntype=user\npassword={PASSWORD}\nread_only=no\n",
            "manager": f"[general]\nenabled=yes\nport={self.ami}\nbindaddr=127.0.0.1\n"
            f"[autocom]\nsecret={PASSWORD}\nread=all\nwrite=all\n",
            "indications": "[general]\ncountry=fr\n[fr]\ndescription=France\nringcadence=1500,3500\n"
            "dial=440\nbusy=440/500,0/500\nring=440/1500,0/3500\ncongestion=440/250,0/250\n",
            "rtp": f"[general]\nrtpstart={low}\nrtpend={high}\nstrictrtp=yes\nicesupport=no\n",
            "musiconhold": f"[general]\n[default]\nmode=files\ndirectory={self.folder}/moh\n",
            "pjsip": PJSIP_HEAD.format(sip=self.sip, gone=free_port())
            + "".join(PJSIP_PHONE.format(id=s, password=PASSWORD) for s in self.secretaries),
            "extensions": DIALPLAN.replace("SOUNDS", str(self.folder / "sounds")),
        }
        for name, text in files.items():
            (etc / f"{name}.conf").write_text(text)

    async def start(self) -> None:
        self.write_once()
        config = str(self.folder / "etc/asterisk.conf")
        with (self.folder / "stdout").open("ab") as output:
            self.process = subprocess.Popen(
                [_program(), "-f", "-C", config],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
            )
        deadline = time.monotonic() + 20
        async with aiohttp.ClientSession(
            headers={"Authorization": aiohttp.encode_basic_auth("autocom", PASSWORD)}
        ) as session:
            while time.monotonic() < deadline:
                assert self.process.poll() is None, (self.folder / "stdout").read_text()
                try:
                    async with session.get(f"{self.url}/ari/asterisk/info") as answer:
                        if answer.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.02)
        raise AssertionError(f"Asterisk did not start: {self.log}")

    def write_once(self) -> None:
        if not (self.folder / "etc").exists():
            self.write()

    async def stop(self) -> None:
        if self.process is None:
            return
        self.process.kill()
        await asyncio.to_thread(self.process.wait)
        self.process = None

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)


@asynccontextmanager
async def throwaway_asterisk(folder: Path, *secretaries: str) -> AsyncIterator[Throwaway]:
    """A running Asterisk with these secretaries, gone afterwards."""
    asterisk = Throwaway(folder, secretaries)
    await asterisk.start()
    try:
        yield asterisk
    finally:
        await asterisk.stop()


# --- listening -------------------------------------------------------------------------------

F = TypeVar("F", bound=Fact)


class Listener:
    """Every fact of a telephone in order; `fact` waits for the next that fits."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self._read = 0
        self._news = asyncio.Event()

    async def listen(self, facts: AsyncIterator[Fact]) -> None:
        async for fact in facts:
            self.hear(fact)

    def hear(self, fact: Fact) -> None:
        self.facts.append(fact)
        self._news.set()

    async def fact(self, kind: type[F], within: float = PATIENCE, **fields: object) -> F:
        """The next fact of this kind with these fields; those before it are skipped."""
        try:
            async with asyncio.timeout(within):
                while True:
                    while self._read < len(self.facts):
                        found = self.facts[self._read]
                        self._read += 1
                        if isinstance(found, kind) and all(getattr(found, k) == v for k, v in fields.items()):
                            return found
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"no {kind.__name__} {fields} within {within} s: {self.facts}") from None

    def all(self, kind: type[F], **fields: object) -> list[F]:
        """All that were heard until now."""
        return [
            f
            for f in self.facts
            if isinstance(f, kind) and all(getattr(f, k) == v for k, v in fields.items())
        ]


@dataclass
class Line:
    """A telephone that runs, and what it says."""

    telephone: AsteriskTelephone
    ear: Listener
    ami: Ami | None


@asynccontextmanager
async def telephone_at(url: str, ami_port: int | None = None) -> AsyncIterator[Line]:
    """A running telephone whose first `TelephoneBack` was heard."""
    ami = Ami("127.0.0.1", ami_port, "autocom", PASSWORD) if ami_port else None
    line = Line(AsteriskTelephone(url, "autocom", PASSWORD, clock=SteadyClock(), ami=ami), Listener(), ami)
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(line.telephone.run()),
            tasks.create_task(line.ear.listen(line.telephone.facts())),
        ]
        try:
            await line.ear.fact(TelephoneBack)
            yield line
        finally:
            for task in running:
                task.cancel()


# --- an ARI that misbehaves ------------------------------------------------------------------

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Impostor:
    """An ARI server: the answers that a connection needs, others by `answers[method, path]`. `sockets` are
    the event sockets; `requests` everything that was asked."""

    def __init__(self) -> None:
        self.version = "22.10.1"
        self.channels: list[dict[str, Any]] = []
        self.application: list[str] = []
        self.answers: dict[tuple[str, str], Answer] = {}
        self.requests: list[tuple[str, str]] = []
        self.sockets: list[web.WebSocketResponse] = []
        self.port = free_port()
        self._connected = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix("/ari")
        self.requests.append((request.method, path))
        made = self.answers.get((request.method, path))
        if made is not None:
            return await made(request)
        match path:
            case "/events":
                return await self._events(request)
            case "/asterisk/info":
                return web.json_response({"system": {"version": self.version, "entity_id": ""}})
            case "/asterisk/ping":
                return web.json_response({"asterisk_id": "", "ping": "pong", "timestamp": ""})
            case "/channels":
                return web.json_response(self.channels)
            case "/bridges":
                return web.json_response([])
            case "/applications/autocom" | "/applications/autocom/eventFilter":
                return web.json_response(
                    {
                        "name": "autocom",
                        "channel_ids": self.application,
                        "bridge_ids": [],
                        "endpoint_ids": [],
                        "device_names": [],
                        "events_allowed": [],
                        "events_disallowed": [],
                    }
                )
            case _:
                return web.json_response({"message": "not found"}, status=404)

    async def _events(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        self._connected.set()
        async for _ in socket:
            pass
        return socket

    async def say(self, kind: str, **fields: Any) -> None:
        """An event on the newest socket."""
        event = {"type": kind, "application": "autocom", "timestamp": "2026-11-22T08:00:00.000+0000"} | fields
        await self.sockets[-1].send_json(event)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Impostor]:
        server = web.Application()
        server.router.add_route("*", "/{path:.*}", self.handle)
        runner = web.AppRunner(server, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        try:
            yield self
        finally:
            await runner.cleanup()


def channel_json(
    channel: str, *, state: str = "Ring", argument: str = "inbound", **more: Any
) -> dict[str, Any]:
    """A channel as ARI shows it."""
    who = {"name": "", "number": "0261912010"}
    place = {
        "context": "autocom-inbound",
        "exten": "+33199001001",
        "priority": 14,
        "app_name": "Stasis",
        "app_data": f"autocom,{argument}",
    }
    return {
        "id": channel,
        "protocol_id": "",
        "name": f"PJSIP/trunk-operator-{channel}",
        "state": state,
        "caller": who,
        "connected": {"name": "", "number": ""},
        "accountcode": "",
        "dialplan": place,
        "creationtime": "2026-11-22T08:00:00.000+0000",
        "language": "en",
    } | more
