"""What the writer of Asterisk's configuration must be told besides the bureau: places, ports, secrets.

Frozen values, made by whoever starts Asterisk (`private.py` for our own one). Must not know the
bureau. The story goes on in `write.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
    """Where everything lies. `state` is our folder for Asterisk; `modules` and `share` belong to the
    Asterisk installation; `dialplan` is the repository's hand-written folder of that name.

    `run` holds the control socket: a Unix socket's path must stay under 108 bytes, so it may lie
    outside `state`. `prompts` maps a stock prompt's name (`refused`, `emergency-refused`) to its
    media path without suffix; where one is missing the dialplan plays a tone instead. `python` runs the
    small script that writes down calls served without us; None: they are not written down."""

    state: Path
    modules: Path
    share: Path
    dialplan: Path
    run: Path
    prompts: Mapping[str, str] = field(default_factory=dict)
    python: Path | None = None

    @property
    def etc(self) -> Path:
        """The generated configuration files."""
        return self.state / "etc"

    @property
    def log(self) -> Path:
        """Asterisk's own log folder."""
        return self.state / "log"

    @property
    def spool(self) -> Path:
        """Records of calls that the dialplan's fallback served; one JSON file each."""
        return self.state / "fallback"

    @property
    def standby(self) -> Path:
        """What the fallback needs to know of every client (`core.standby`), as one file."""
        return self.state / "standby.jsonl"

    @property
    def texts(self) -> Path:
        """Texts (SIP MESSAGE) that Asterisk took; one JSON file each."""
        return self.state / "texts"

    @property
    def scripts(self) -> Path:
        """Where `AGI(name)` finds a local script."""
        return self.state / "agi-bin"


@dataclass(frozen=True, slots=True)
class Tls:
    """SIP over TLS: where, and the PEM files of the certificate (its chain included) and its key."""

    bind: tuple[str, int]
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Net:
    """Addresses and ports. `sip`, `tls` and `rtp` are the outside's; HTTP (ARI and WebSocket phones) and AMI
    are bound to 127.0.0.1; `agi` is where our FastAGI server listens. `srtp`: softphones must encrypt."""

    sip: tuple[str, int]
    rtp: tuple[int, int]
    http_port: int
    ami_port: int
    agi: tuple[str, int]
    http_host: str = "127.0.0.1"
    tls: Tls | None = None
    srtp: bool = False


@dataclass(frozen=True, slots=True)
class Secrets:
    """Credentials of our own users in Asterisk; random, never chosen by people."""

    ari_password: str = field(repr=False)
    ami_password: str = field(repr=False)
    ari_user: str = "autocom"
    ami_user: str = "autocom"
    rescue_password: str = field(default="", repr=False)
    """Of the rescuer's users, in ARI (to read only) and in AMI; empty: there are none."""


# Which modules re-read which file; files that are read only at start are missing on purpose. A phone that
# stays registered keeps the message boxes it had until res_pjsip_mwi looks at its endpoint anew (22.10).
_RELOADS: dict[str, tuple[str, ...]] = {
    "pjsip.conf": ("res_pjsip.so", "res_pjsip_mwi.so"),
    "musiconhold.conf": ("res_musiconhold.so",),
    "extensions.conf": ("pbx_config.so",),
    # after the hints, which their members go by
    "queues.conf": ("app_queue.so",),
    "queuerules.conf": ("app_queue.so",),
}


@dataclass(frozen=True, slots=True)
class ChangedFiles:
    """Names of the files whose content is new. Falsy where nothing changed."""

    names: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.names)

    @property
    def reloads(self) -> tuple[str, ...]:
        """Modules to reload for the changes to take effect, in a fixed order."""
        found = (module for file, modules in _RELOADS.items() if file in self.names for module in modules)
        return tuple(dict.fromkeys(found))

    @property
    def restart(self) -> bool:
        """Whether something changed that Asterisk reads only at its start."""
        return any(file.endswith(".conf") and file not in _RELOADS for file in self.names)


EVERY_FILE = ChangedFiles(tuple(_RELOADS))
"""Where it is not known which ones changed."""
