"""Our own Asterisk under the state folder: written, started, adopted, watched, reloaded, stopped.

It runs as whoever runs autocom, in a session of its own, so that it outlives a killed autocom
with every call in it; the next start finds it by its pid file and adopts it. HTTP and AMI ports
are chosen once and remembered, as are the secrets, so adoption finds the same doors. Must not
know about calls. Invariant: at most one Asterisk per state folder, and what `start` returned
answers ARI.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import signal
import socket
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import structlog

from autocom.asterisk.conf import ChangedFiles, Net, Paths, Tls, write
from autocom.asterisk.conf.values import EVERY_FILE
from autocom.asterisk.installation import Installation
from autocom.asterisk.remembered import Remembered
from autocom.core.model import Configuration

log = structlog.get_logger()

_LONGEST_SOCKET = 100  # bytes of a Unix socket's path, below the kernel's 108
_OPEN_FILES = 65536
_ADOPTION = 5.0  # seconds for a running Asterisk to answer, else it is taken for frozen
_QUESTIONS = aiohttp.ClientTimeout(total=2)


class AsteriskFailed(Exception):  # noqa: N818 - reads as what happened
    """Asterisk did not start, died, or cannot use an address; the message says what its log says."""


@dataclass(frozen=True, slots=True)
class Doors:
    """How to reach the running Asterisk."""

    ari_url: str
    ari_user: str
    ari_password: str
    ami_host: str
    ami_port: int
    ami_user: str
    ami_password: str

    @property
    def websocket(self) -> str:
        """Where phones in a browser register: Asterisk's one HTTP server has ARI and them."""
        base = self.ari_url.rstrip("/").removesuffix("/ari")
        return re.sub("^http", "ws", base) + "/ws"


class PrivateAsterisk:
    """One Asterisk on one state folder. Not safe for two users at a time: autocom holds the folder's lock."""

    def __init__(  # noqa: PLR0913 - each is a setting of its own, by keyword
        self,
        home: Installation,
        state_dir: Path,
        *,
        sip: tuple[str, int] = ("127.0.0.1", 5060),
        rtp: tuple[int, int] = (10000, 10999),
        agi: tuple[str, int] = ("127.0.0.1", 4573),
        dialplan: Path,
        prompts: Mapping[str, str] | None = None,
        python: Path | None = None,
        tls: Tls | None = None,
        srtp: bool = False,
    ) -> None:
        """`state_dir` is autocom's state folder; everything of Asterisk lies in its `asterisk/`. `prompts`
        and `python`: see `conf.Paths`; `tls` and `srtp`: `conf.Net`."""
        state = state_dir.resolve() / "asterisk"
        self._home = home
        self._settings: dict[str, object] = {"sip": list(sip), "rtp": list(rtp)}
        if tls is not None:  # a transport is made at the start only; its certificate may change (`reload`)
            self._settings["tls"] = [*tls.bind, str(tls.certificate), str(tls.key)]
        self._remembered = Remembered(state)
        self._sip, self._rtp, self._agi, self._tls, self._srtp = sip, rtp, agi, tls, srtp
        self.paths = Paths(
            state=state,
            modules=home.modules,
            share=home.share,
            dialplan=dialplan.resolve(),
            run=_run_folder(state),
            prompts=dict(prompts or {}),
            python=python,
        )
        self._pid: int | None = None
        self._unread: dict[str, None] = {}
        self._child: asyncio.subprocess.Process | None = None
        self.owed: Configuration | None = None
        """What the adopted one could not be told, where nothing newer was applied (`keepers`)."""
        self.adopted = False
        """Whether there may be callers in it from before: also while `start` looks, and where it fails."""

    @property
    def doors(self) -> Doors:
        """Valid after `start`."""
        ports, keys = self._remembered.ports(), self._remembered.secrets()
        return Doors(
            ari_url=f"http://127.0.0.1:{ports['http']}/ari",
            ari_user=keys.ari_user,
            ari_password=keys.ari_password,
            ami_host="127.0.0.1",
            ami_port=ports["ami"],
            ami_user=keys.ami_user,
            ami_password=keys.ami_password,
        )

    @property
    def rescue_password(self) -> str:
        """Of the rescuer's users in ARI and AMI."""
        return self._remembered.rescue_password()

    @property
    def pid(self) -> int | None:
        """The running Asterisk's process id."""
        return self._pid

    async def start(self, configuration: Configuration, within: float = 20.0) -> Doors:
        """Write the configuration; adopt the Asterisk that runs on this folder (reloading what changed), or
        start one, and wait until it takes calls. Raises AsteriskFailed, conf.Unwritable or OSError."""
        self._pid = self._running()
        self.adopted = self._pid is not None
        if self._pid is not None and self._remembered.started_with() != self._settings:
            log.warning("asterisk.settings_changed", pid=self._pid)
            await self.stop()
        if self._pid is not None and await self._adopt(configuration):
            return self.doors
        self.adopted = False
        began = time.monotonic()
        self._check_free(self._sip)
        self._remembered.choose()
        write(configuration, self.paths, self._net(), self._remembered.secrets())
        await self._launch()
        try:
            await self._answering(began + within)
        except (AsteriskFailed, asyncio.CancelledError):
            await self.stop(1)
            raise
        log.info("asterisk.started", pid=self._pid, seconds=round(time.monotonic() - began, 2))
        return self.doors

    def would_restart(self) -> bool:
        """Whether one runs on this folder that `start` would end for its settings."""
        return self._running() is not None and self._remembered.started_with() != self._settings

    async def _adopt(self, configuration: Configuration) -> bool:
        try:
            await self._answering(time.monotonic() + _ADOPTION)
        except AsteriskFailed as wrong:
            # its callers hear nothing any more: a new one serves the next
            log.error("asterisk.adoption_failed", pid=self._pid, why=str(wrong))
            await self.stop(1)
            return False
        try:
            await self.apply(configuration)
        except (AsteriskFailed, OSError) as wrong:
            # whoever is in it, or comes now, is served by the files that it has
            log.error("asterisk.not_configured", pid=self._pid, why=str(wrong))
            self.owed = configuration
        log.info("asterisk.adopted", pid=self._pid)
        return True

    async def apply(self, configuration: Configuration) -> ChangedFiles:
        """Write a new configuration and reload the modules it concerns; calls and registrations stay.
        Raises AsteriskFailed where a module refuses."""
        self.owed = None
        try:
            changed = write(configuration, self.paths, self._net(), self._remembered.secrets())
        except OSError:
            self._unread |= dict.fromkeys(EVERY_FILE.reloads)  # some files may be new
            raise
        # a module that refused, or was not reached, is asked again with the next change
        self._unread |= dict.fromkeys(changed.reloads)
        for module in list(self._unread):
            await self.reload(module)
            self._unread.pop(module, None)
        if changed.restart:
            log.warning("asterisk.restart_needed", files=changed.names)
        return changed

    async def died(self) -> AsteriskFailed:
        """Return when the running Asterisk is gone, with what its log says. Cancel it before `stop`."""
        assert self._pid is not None, "start first"
        if self._child is not None:
            await self._child.wait()
        else:
            await _gone(self._pid)
        return AsteriskFailed(self._story("Asterisk ended"))

    async def stop(self, within: float = 10.0) -> None:
        """End it: SIGTERM, and SIGKILL after `within` seconds. No error where it is gone."""
        pid = self._pid if self._pid is not None else self._running()
        if pid is None:
            return
        for sign, patience in ((signal.SIGTERM, within), (signal.SIGKILL, 5.0)):
            try:
                os.kill(pid, sign)
                async with asyncio.timeout(patience):
                    await (self._child.wait() if self._child is not None else _gone(pid))
            except ProcessLookupError:
                break
            except TimeoutError:
                continue
            break
        self._pid = self._child = None
        (self.paths.run / "asterisk.pid").unlink(missing_ok=True)
        log.info("asterisk.stopped", pid=pid)

    def troubles(self) -> list[str]:
        """WARNING and ERROR lines of its log since the last start, oldest first."""
        try:
            text = (self.paths.log / "messages").read_text(errors="replace")
        except FileNotFoundError:
            return []
        return [line for line in text.splitlines() if " WARNING[" in line or " ERROR[" in line]

    # --- inside ---------------------------------------------------------------------------------

    def _net(self) -> Net:
        ports = self._remembered.ports()
        doors = (self._sip, self._rtp, ports["http"], ports["ami"], self._agi)
        return Net(*doors, tls=self._tls, srtp=self._srtp)

    async def _launch(self) -> None:
        for stale in (
            self.paths.log / "messages",
            self.paths.run / "asterisk.pid",
            self.paths.run / "asterisk.ctl",
        ):
            stale.unlink(missing_ok=True)
        conf = str(self.paths.etc / "asterisk.conf")
        output = (self.paths.log / "output").open("wb")
        # the limit is set by a shell in between: ours stays as it is, and exec keeps the pid
        raise_limit = 'ulimit -Sn "$0" 2>/dev/null || ulimit -Sn "$(ulimit -Hn)"; exec "$@"'
        command = ("/bin/sh", "-c", raise_limit, str(_OPEN_FILES), str(self._home.program), "-f", "-C", conf)
        with output:
            self._child = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                cwd=self.paths.state,
                env={
                    "PATH": os.environ.get("PATH", os.defpath),
                    "HOME": str(self.paths.state),
                    "LC_ALL": "C.UTF-8",
                },
            )
        self._pid = self._child.pid
        self._remembered.note_start(self._settings)

    async def _answering(self, until: float) -> None:
        doors = self.doors
        who = _authorization(doors)
        # /applications and not /asterisk/ping: ping answers before boot has ended, and in a deadlock
        url = f"{doors.ari_url}/applications"
        async with aiohttp.ClientSession(headers=who, timeout=_QUESTIONS) as session:
            while time.monotonic() < until:
                if not self._is_alive():
                    raise AsteriskFailed(self._story("Asterisk ended while it started"))
                if missing := self._missing_modules():
                    # 22.10 says so on its terminal and runs on, deaf
                    raise AsteriskFailed(f"Asterisk cannot load {', '.join(missing)}; see {self.paths.log}")
                try:
                    async with session.get(url) as reply:
                        if reply.status == 200:
                            return
                        if reply.status == 401:
                            raise AsteriskFailed("ARI refuses our password: another program has its port")
                except (aiohttp.ClientError, TimeoutError):
                    pass  # not listening yet
                await asyncio.sleep(0.02)
        raise AsteriskFailed(self._story("Asterisk does not answer"))

    async def reload(self, module: str) -> None:
        """Have a module (`res_pjsip.so`) read its files again: also a certificate that was replaced. Raises
        AsteriskFailed."""
        doors = self.doors
        who = _authorization(doors)
        url = f"{doors.ari_url}/asterisk/modules/{module}"
        try:
            timeout = aiohttp.ClientTimeout(total=10)
            async with (
                aiohttp.ClientSession(headers=who, timeout=timeout) as session,
                session.put(url) as reply,
            ):
                if reply.status >= 300:
                    raise AsteriskFailed(f"reload of {module}: {reply.status} {(await reply.text())[:200]}")
        except (aiohttp.ClientError, TimeoutError) as wrong:
            raise AsteriskFailed(f"reload of {module}: {str(wrong) or type(wrong).__name__}") from wrong

    def _running(self) -> int | None:
        return running_on(self.paths.state)

    def _check_free(self, address: tuple[str, int]) -> None:
        host, port = address
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((host, port))
            except OSError as wrong:
                raise AsteriskFailed(f"AUTOCOM_SIP_BIND={host}:{port}: {wrong.strerror}") from None

    def _is_alive(self) -> bool:
        # our own child is asked for its exit: /proc shows an empty command line during an exec
        if self._child is not None:
            return self._child.returncode is None
        return self._pid is not None and _alive(self._pid, self.paths.etc)

    def _missing_modules(self) -> list[str]:
        try:
            text = (self.paths.log / "output").read_text(errors="replace")
        except FileNotFoundError:
            return []
        return re.findall(r"Failed to load module (\S+?)(?:\.so)? - Required", text)

    def _story(self, what: str) -> str:
        lines = [line.split("] ", 1)[-1] for line in self.troubles() if " ERROR[" in line][:5]
        if not lines:
            try:
                lines = (self.paths.log / "output").read_text(errors="replace").split("\n")[-5:]
            except FileNotFoundError:
                lines = []
        said = "; ".join(line for line in lines if line.strip())
        return f"{what}: {said}" if said else f"{what}; see {self.paths.log}"


def _authorization(doors: Doors) -> dict[str, str]:
    return {"Authorization": aiohttp.encode_basic_auth(doors.ari_user, doors.ari_password)}


def running_on(state: Path) -> int | None:
    """The process of the Asterisk on this folder (`Paths.state`), whoever started it. Nothing is made; OSError."""
    try:
        pid = int((_run_path(state) / "asterisk.pid").read_text())
    except (FileNotFoundError, ValueError):
        return None
    return pid if _alive(pid, state / "etc") else None


def _run_path(state: Path) -> Path:
    """Beside the rest where the control socket's path fits, else a folder of ours under the temporary one."""
    beside = state / "run"
    if len(os.fsencode(beside / "asterisk.ctl")) <= _LONGEST_SOCKET:
        return beside
    name = hashlib.sha256(os.fsencode(state)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"autocom-{os.getuid()}-{name}"


def _run_folder(state: Path) -> Path:
    short = _run_path(state)
    if short.parent == state:
        return short
    short.mkdir(mode=0o700, exist_ok=True)
    if short.is_symlink() or short.stat().st_uid != os.getuid():
        raise AsteriskFailed(f"{short} belongs to somebody else; use a shorter AUTOCOM_STATE than {state}")
    return short


def _alive(pid: int, etc: Path) -> bool:
    """Whether this process is the Asterisk on these files (a pid may have been given to another)."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return os.fsencode(etc) in command  # a zombie's command line is empty


async def _gone(pid: int) -> None:
    """Return when a process that is not our child has ended."""
    try:
        watch = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(watch, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(watch)
        os.close(watch)
