"""The keys that recordings are encrypted under: each file has one of its own, wrapped by one of these.

They stand in `AUTOCOM_RECORDING_KEY`, the newest first, or in a file of the state folder that is made with the first
one (mode 0600). A key has an id, which says nothing about it, so that a file knows which one opens it when a newer
one is in use. Must not know recordings. Invariant: a key never shows in a message, a log or a `repr`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from autocom.shelf import write_whole

LENGTH = 32
"""Bytes: AES-256."""


class KeyFault(Exception):  # noqa: N818 - says what is the case
    """A key that cannot be used, or that is not here; the message says which, by its id."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Every key at hand, the newest first. Make it with `read_keys`."""

    keys: tuple[bytes, ...] = field(repr=False)

    @property
    def newest(self) -> str:
        """The id of the one that new recordings are encrypted under."""
        return key_id(self.keys[0])

    @property
    def ids(self) -> tuple[str, ...]:
        """Of all, the newest first."""
        return tuple(map(key_id, self.keys))

    def wrap(self, key: bytes) -> bytes:
        """A file's own key under the newest one (RFC 3394)."""
        return aes_key_wrap(self.keys[0], key)

    def unwrap(self, wrapped: bytes, under: str) -> bytes:
        """The file's own key. KeyFault where the key of that id is not here, or is another one."""
        for key in self.keys:
            if key_id(key) == under:
                try:
                    return aes_key_unwrap(key, wrapped)
                except (InvalidUnwrap, ValueError) as error:
                    raise KeyFault(f"key {under} does not open this recording: it is damaged") from error
        raise KeyFault(f"key {under} is not here: put it behind the newest one")


def key_id(key: bytes) -> str:
    """Eight characters that tell two keys apart."""
    return hashlib.sha256(b"autocom recording key " + key).hexdigest()[:8]


def parse_keys(text: str) -> KeyRing:
    """Keys in base64, separated by commas, spaces or lines. KeyFault says what is wrong, never the text."""
    found: list[bytes] = []
    for number, word in enumerate(text.replace(",", " ").split(), start=1):
        try:
            key = base64.b64decode(word, validate=True)
        except (binascii.Error, ValueError):
            raise KeyFault(f"key {number} is not base64") from None
        if len(key) != LENGTH:
            raise KeyFault(f"key {number} has {len(key)} bytes: {LENGTH} are needed")
        found.append(key)
    if not found:
        raise KeyFault("no key")
    return KeyRing(tuple(found))


def read_keys(setting: str | None, file: Path) -> KeyRing:
    """The keys of the setting, else of the file. KeyFault, OSError."""
    if setting:
        return parse_keys(setting)
    try:
        return parse_keys(file.read_text(encoding="ascii"))
    except FileNotFoundError:
        raise KeyFault(f"{file} is not there: put it back from the backup") from None
    except UnicodeDecodeError:
        raise KeyFault(f"{file} holds something else than keys") from None


def made_keys(setting: str | None, file: Path) -> KeyRing:
    """The same, for something new to encrypt: the file is made where it is missing. KeyFault, OSError."""
    if not setting and not file.exists():
        _write(file, (_fresh(),))
    return read_keys(setting, file)


def add_key(file: Path) -> KeyRing:
    """A new key before those of the file; what was encrypted before stays readable. KeyFault, OSError."""
    ring = made_keys(None, file)
    _write(file, (_fresh(), *ring.keys))
    return read_keys(None, file)


def _fresh() -> bytes:
    return secrets.token_bytes(LENGTH)


def _write(file: Path, keys: tuple[bytes, ...]) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(file, (base64.b64encode(key) + b"\n" for key in keys))
