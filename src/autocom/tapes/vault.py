"""Recordings on disk, encrypted: AES-256-GCM under a key of the file's own, which is wrapped by one of ours.

A file is complete under its name or it is not there. Its first line says what it is, its second (JSON) how it is
opened; the rest is the sound. The name is sealed with the sound, so that two files cannot be exchanged. Folder 0700,
files 0600. Must not know when a recording is due. Invariant: no sound is ever on this disk in clear.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from autocom.core.naming import call_of_tape
from autocom.tapes.keys import LENGTH, KeyFault, KeyRing

SUFFIX = ".tape"
MAGIC = b"autocom recording 1\n"
_NONCE = 12


@dataclass(frozen=True, slots=True)
class _Sealed:
    """A file as it is on disk: its own key, wrapped `under` a key of the ring, and what it locks."""

    under: str
    wrapped: bytes
    nonce: bytes
    sound: bytes

    def dump(self) -> bytes:
        header = {
            "key": self.under,
            "wrapped": base64.b64encode(self.wrapped).decode(),
            "nonce": base64.b64encode(self.nonce).decode(),
        }
        return MAGIC + json.dumps(header).encode() + b"\n" + self.sound


class Vault:
    """The folder. Blocking: not to be called from the calls' own task. `keys` reads the ring anew each time, so that
    a new key is used at once."""

    def __init__(self, folder: Path, keys: Callable[[], KeyRing]) -> None:
        self.folder, self._keys = folder, keys

    def path(self, recording: str) -> Path:
        """Where it is, or would be. ValueError for what is no recording's name."""
        if call_of_tape(recording) is None:
            raise ValueError(f"{recording!r} is no name of a recording")
        return self.folder / (recording + SUFFIX)

    def has(self, recording: str) -> bool:
        """Whether it is here."""
        return self.path(recording).is_file()

    def newest(self) -> str:
        """The id of the key that a recording would be encrypted under now. KeyFault, OSError."""
        return self._keys().newest

    def put(self, recording: str, wav: bytes) -> str:
        """Keep it; it survives a power cut when this returns. The id of the key. KeyFault, OSError."""
        ring = self._keys()
        key, nonce = secrets.token_bytes(LENGTH), secrets.token_bytes(_NONCE)
        sound = AESGCM(key).encrypt(nonce, wav, _seal(recording))
        self._write(recording, _Sealed(ring.newest, ring.wrap(key), nonce, sound))
        return ring.newest

    def open(self, recording: str) -> bytes:
        """The WAV. FileNotFoundError; KeyFault where it is damaged, or its key is not here."""
        sealed = self._read(recording)
        key = self._keys().unwrap(sealed.wrapped, sealed.under)
        try:
            return AESGCM(key).decrypt(sealed.nonce, sealed.sound, _seal(recording))
        except InvalidTag:
            raise KeyFault(f"{recording} is damaged") from None

    def rewrap(self, recording: str) -> str:
        """Put it under the newest key; the sound stays as it is. The id of that key. As `open`."""
        sealed, ring = self._read(recording), self._keys()
        if sealed.under != ring.newest:
            key = ring.unwrap(sealed.wrapped, sealed.under)
            self._write(recording, _Sealed(ring.newest, ring.wrap(key), sealed.nonce, sealed.sound))
        return ring.newest

    def erase(self, recording: str) -> None:
        """Its time is over."""
        self.path(recording).unlink(missing_ok=True)

    def all(self) -> dict[str, float]:
        """What is here, with the instant at which each was put (UTC epoch seconds)."""
        files = {path.stem: path.stat().st_mtime for path in self.folder.glob("*" + SUFFIX)}
        return {name: at for name, at in files.items() if call_of_tape(name) is not None}

    def tidy(self) -> None:
        """Remove what a process that died had written half."""
        for half in self.folder.glob("*.new"):
            half.unlink(missing_ok=True)

    def _write(self, recording: str, sealed: _Sealed) -> None:
        path = self.path(recording)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        fresh = path.with_suffix(".new")
        try:
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
                out.write(sealed.dump())
                out.flush()
                os.fsync(out.fileno())
        except OSError:
            fresh.unlink(missing_ok=True)  # a full disk is not made fuller
            raise
        fresh.replace(path)

    def _read(self, recording: str) -> _Sealed:
        raw = self.path(recording).read_bytes()
        if not raw.startswith(MAGIC):
            raise KeyFault(f"{recording} is no recording of ours, or damaged")
        header, _, sound = raw[len(MAGIC) :].partition(b"\n")
        try:
            said = json.loads(header)
            return _Sealed(
                str(said["key"]), base64.b64decode(said["wrapped"]), base64.b64decode(said["nonce"]), sound
            )
        except (ValueError, KeyError, TypeError, binascii.Error):
            raise KeyFault(f"{recording} is damaged") from None


def _seal(recording: str) -> bytes:
    return MAGIC + recording.encode()
