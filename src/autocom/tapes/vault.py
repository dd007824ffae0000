"""Recordings on disk, encrypted: AES-256-GCM under a key of the file's own, which is wrapped by one of ours.

A file is complete under its name or it is not there. Its first line says what it is, its second (JSON) how it is
opened; the rest is the sound. The name is sealed with the sound, so that two files cannot be exchanged. Folder 0700,
files 0600. Must not know when a recording is due. Invariant: no sound is ever on this disk in clear.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM

from autocom.core.naming import call_of_tape
from autocom.shelf import Shelf
from autocom.tapes.keys import LENGTH, KeyFault, KeyRing

SUFFIX = ".tape"
MAGIC = b"autocom recording 1\n"
_NONCE = 12
_PIECE = 1 << 20
_HEADER_AT_MOST = 1000


@dataclass(frozen=True, slots=True)
class _Lock:
    """What stands before the sound: the file's own key, wrapped `under` a key of the ring, and the nonce."""

    under: str
    wrapped: bytes
    nonce: bytes

    def dump(self) -> bytes:
        header = {
            "key": self.under,
            "wrapped": base64.b64encode(self.wrapped).decode(),
            "nonce": base64.b64encode(self.nonce).decode(),
        }
        return MAGIC + json.dumps(header).encode() + b"\n"


class Vault(Shelf):
    """The folder. Blocking: not to be called from the calls' own task. `keys` reads the ring anew each time, so that
    a new key is used at once; `made` does so for a new recording, and makes the first key."""

    def __init__(
        self, folder: Path, keys: Callable[[], KeyRing], made: Callable[[], KeyRing] | None = None
    ) -> None:
        super().__init__(folder, SUFFIX, call_of_tape)
        self._keys, self._made = keys, made or keys

    def newest(self) -> str:
        """The id of the key that a recording would be encrypted under now. KeyFault, OSError."""
        return self._keys().newest

    def put(self, recording: str, wav: bytes) -> str:
        """Keep it; it survives a power cut when this returns. The id of the key. KeyFault, OSError."""
        ring = self._made()
        key, nonce = secrets.token_bytes(LENGTH), secrets.token_bytes(_NONCE)
        lock = _Lock(ring.newest, ring.wrap(key), nonce)
        self._write(recording, _sealed(lock, key, wav, _seal(recording)))
        return ring.newest

    def open(self, recording: str) -> bytes:
        """The WAV. FileNotFoundError; KeyFault where it is damaged, or its key is not here."""
        lock, sound = self._read(recording)
        key = self._keys().unwrap(lock.wrapped, lock.under)
        try:
            return AESGCM(key).decrypt(lock.nonce, sound, _seal(recording))
        except (InvalidTag, ValueError):  # ValueError: a nonce of another length
            raise KeyFault(f"{recording} is damaged") from None

    def rewrap(self, recording: str) -> str:
        """Put it under the newest key; the sound stays as it is. The id of that key. As `open`."""
        (lock, sound), ring = self._read(recording), self._keys()
        if lock.under != ring.newest:
            key = ring.unwrap(lock.wrapped, lock.under)
            self._write(recording, (_Lock(ring.newest, ring.wrap(key), lock.nonce).dump(), sound))
        return ring.newest

    def _read(self, recording: str) -> tuple[_Lock, bytes]:
        with self.path(recording).open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise KeyFault(f"{recording} is no recording of ours, or damaged")
            header, sound = file.readline(_HEADER_AT_MOST), file.read()
        try:
            said = json.loads(header)
            lock = _Lock(str(said["key"]), base64.b64decode(said["wrapped"]), base64.b64decode(said["nonce"]))
        except (ValueError, KeyError, TypeError, binascii.Error):
            raise KeyFault(f"{recording} is damaged") from None
        return lock, sound


def _sealed(lock: _Lock, key: bytes, wav: bytes, seal: bytes) -> Iterator[bytes]:
    """The file, piece by piece: an hour of sound is not held twice. `AESGCM` reads it, so the tag stands last."""
    made = Cipher(AES(key), GCM(lock.nonce)).encryptor()
    made.authenticate_additional_data(seal)
    yield lock.dump()
    whole = memoryview(wav)
    for at in range(0, len(wav), _PIECE):
        yield made.update(whole[at : at + _PIECE])
    yield made.finalize() + made.tag


def _seal(recording: str) -> bytes:
    return MAGIC + recording.encode()
