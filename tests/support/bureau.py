"""A small answering service to test with, whose every sound is a tone of its own.

    bureau = Bureau.at(tmp_path, secretaries=2)
    bureau.client("lilas")["rules"][0]["do"][1]["queue"]["ring_for"] = "3s"
    bureau.write()

`bureau` and `clients` are the YAML as plain dicts: change them and `write()` again. The files are
written as JSON, which is YAML with every string in quotes. The state folder is a short path (a UNIX
socket's may have 107 bytes) of its own; `tidy()` removes it. Ports are free ones below the kernel's
ephemeral range, so no outgoing connection takes them meanwhile.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support import tones
from tests.support.ports import free_ports, rtp_ports

# what is heard: hertz of `tones.KNOWN`
MESSAGE, MUSIC, CLOSED, UNKNOWN, OTHER_MUSIC = 440, 810, 500, 560, 970
VOICES = (620, 1060, 1160, 1270, 1390, 1520, 1660, 1810)  # the secretaries' in their order
CALLER = 740

NAMES = ("lea", "ines", "chloe", "manon", "jade", "louise", "alice", "rose")
ALWAYS = {"every-day": ["00:00-24:00"]}


@dataclass(frozen=True, slots=True)
class Account:
    """A secretary's phone and the tone she speaks."""

    id: str
    password: str
    extension: str
    voice: int


@dataclass
class Bureau:
    """A configuration folder, a state folder, ports, and what is needed to call."""

    config: Path
    state: Path
    sip: str
    http: str
    agi: str
    rtp: str
    secretaries: tuple[Account, ...]
    bureau: dict[str, Any]
    clients: dict[str, dict[str, Any]]
    settings: dict[str, str] = field(default_factory=dict)

    @classmethod
    def at(cls, folder: Path, *, secretaries: int = 2) -> Bureau:
        """A bureau with the client `lilas` (always open: message, queue with music) and `accueil`, written
        under `folder`."""
        accounts = tuple(_account(i) for i in range(secretaries))
        sip, http, agi = free_ports(3)
        low, high = rtp_ports()
        made = cls(
            config=folder / "config",
            state=Path(tempfile.mkdtemp(prefix="autocom-", dir="/tmp")),
            sip=f"127.0.0.1:{sip}",
            http=f"127.0.0.1:{http}",
            agi=f"127.0.0.1:{agi}",
            rtp=f"{low}-{high}",
            secretaries=accounts,
            bureau=_bureau(accounts),
            clients={
                "lilas": client("lilas", "+33199001001"),
                "accueil": client("accueil", "+33199001009", message="unknown"),
            },
        )
        made.write()
        return made

    def client(self, name: str) -> dict[str, Any]:
        """The client's YAML, to be changed."""
        return self.clients[name]

    def add(self, made: dict[str, Any]) -> dict[str, Any]:
        """One client more; `write()` makes it count."""
        self.clients[made["id"]] = made
        return made

    def write(self) -> None:
        """The whole folder anew, with its sounds."""
        folder = self.config / "clients"
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.yaml"):
            if old.stem not in self.clients:
                old.unlink()
        _write(self.config / "bureau.yaml", self.bureau)
        for name, made in self.clients.items():
            _write(folder / f"{name}.yaml", made)
        sounds = self.config / "sounds"
        for name, hertz, seconds in (
            ("message", MESSAGE, 2),
            ("closed-tone", CLOSED, 1.5),
            ("unknown", UNKNOWN, 1.5),
            ("music", MUSIC, 4),
            ("other-music", OTHER_MUSIC, 4),
        ):
            if not (sounds / f"{name}.wav").exists():
                tones.write_wav(sounds / f"{name}.wav", tones.sine(hertz, seconds))

    def sound(self, name: str, hertz: int, seconds: float) -> str:
        """One tone more under the configuration's sounds/; returns its name."""
        tones.write_wav(self.config / "sounds" / f"{name}.wav", tones.sine(hertz, seconds))
        return name

    @property
    def environment(self) -> dict[str, str]:
        """The settings of contract section 2 for an instance of its own, over this process's environment."""
        mine = {
            k: v
            for k, v in os.environ.items()
            if not k.startswith("AUTOCOM_") or k == "AUTOCOM_ASTERISK_HOME"
        }
        return {
            **mine,
            "AUTOCOM_CONFIG": str(self.config),
            "AUTOCOM_STATE": str(self.state),
            "AUTOCOM_SIP_BIND": self.sip,
            "AUTOCOM_HTTP_BIND": self.http,
            "AUTOCOM_AGI_BIND": self.agi,
            "AUTOCOM_RTP_PORTS": self.rtp,
            "AUTOCOM_LANGUAGE": "en",  # the words the tests look for
            "AUTOCOM_LOG": "debug",
            "AUTOCOM_LOG_FORMAT": "json",
            **self.settings,
        }

    def uri(self, did: str) -> str:
        """Where a caller from the operator dials `did`."""
        return f"sip:{did}@{self.sip}"

    def tidy(self) -> None:
        """Remove the state folder."""
        shutil.rmtree(self.state, ignore_errors=True)


def client(
    name: str,
    did: str,
    *,
    message: str = "message",
    music: str = "music",
    forwarded_from: str | None = None,
    **keys: Any,
) -> dict[str, Any]:
    """A client's YAML: always open, a message in early media, then the queue of team `general`.

    `keys` replaces or adds top-level keys (`rules=[…]`, `hours={…}`)."""
    line = {"did": did} if forwarded_from is None else {"did": did, "forwarded_from": forwarded_from}
    made: dict[str, Any] = {
        "id": name,
        "name": f"Cabinet {name}",
        "display": f"Cab. {name.capitalize()}"[:20],
        "profile": "general",
        "numbers": [line],
        "phrase": f"Cabinet {name}, bonjour.",
        "card": f"https://agenda.example/{name}",
        "hours": ALWAYS,
        "wrap_up": {"min": "0s", "max": "0s"},
        "rules": [{"name": "open", "do": [play(message), queue(music=music)]}],
    }
    made.update(keys)
    return made


def play(sound: str, *, mode: str = "early", must_hear: bool = False) -> dict[str, Any]:
    """A `play` step."""
    return {"play": {"sound": sound, "mode": mode, "must_hear": must_hear}}


def queue(
    *, team: str = "general", music: str = "music", ring_for: str = "6s", **keys: Any
) -> dict[str, Any]:
    """A `queue` step; `keys` as max_wait="3s", on_timeout=[…]."""
    return {"queue": {"team": team, "music": music, "ring_for": ring_for, **keys}}


def _account(index: int) -> Account:
    turn, position = divmod(index, len(NAMES))
    name = NAMES[position] + (str(turn + 1) if turn else "")
    return Account(name, f"{name}-fiction", str(201 + index), VOICES[position])


def _bureau(accounts: tuple[Account, ...]) -> dict[str, Any]:
    return {
        "bureau": {
            "name": "Secrétariat des essais",
            "number": "+33199001000",
            "country": "FR",
            "timezone": "Europe/Paris",
            "language": "fr",
            "holidays": "FR",
            "unknown_client": "accueil",
            "no_answer": {"pause_after": 0},
        },
        "trunks": [{"id": "operator", "match": ["127.0.0.1"], "did_in": "request_uri"}],
        "secretaries": [
            {
                "id": a.id,
                "name": a.id.capitalize(),
                "extension": a.extension,
                "password": a.password,
                "teams": {"general": 1},
                "auto_login": True,
            }
            for a in accounts
        ],
        "teams": {"general": {}},
    }


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
