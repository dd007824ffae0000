"""What a phone must know to be a secretary's: one account as a value, for every kind of softphone.

Said to people by `autocom phone`, written for programs by `phones`, and checked by Asterisk, which holds
the digest of the same realm. Must not know files, screens or sockets. Invariant: `ha1` is the only form of
the password that leaves for a browser or a phone that fetches its settings by itself.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Literal

from autocom.core.model import Secretary

REALM = "autocom"
"""Of the digest: the same for every phone, whatever name it reaches us by."""

WEB_DOMAIN = "web"
"""The SIP domain by which a phone in a browser is known as such."""

EXPIRES = 60
"""Seconds of a registration: what a phone asks for, and Asterisk's own default. So long a phone may be where nobody
finds it, after its router gave it another address without a word."""

CODECS = ("PCMA", "PCMU")

Transport = Literal["udp", "tls"]


def ha1(user: str, password: str) -> str:
    """RFC 2617 A1 under our realm: as good as the password for this realm, and for nothing else."""
    return hashlib.md5(f"{user}:{REALM}:{password}".encode(), usedforsecurity=False).hexdigest()


def same(given: str, wanted: str) -> bool:
    """Whether what somebody gave is the secret; the time it takes tells nothing. Any string may be given, also one
    that is no valid Unicode (a header's bytes, an escape in JSON)."""
    return hmac.compare_digest(
        given.encode("utf-8", "surrogatepass"), wanted.encode("utf-8", "surrogatepass")
    )


def at(host: str, port: int) -> str:
    """An address and a port as they stand in a URI."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@dataclass(frozen=True, slots=True)
class Account:
    """A softphone's settings. `server` is a name or an address, `srtp`: voice is encrypted, or there is none.
    STUN and ICE stand nowhere: Asterisk sees the address that a packet came from."""

    user: str
    name: str
    extension: str
    password: str = field(repr=False)
    server: str
    port: int
    transport: Transport = "udp"
    srtp: bool = False

    @classmethod
    def of(
        cls, secretary: Secretary, server: str, port: int, transport: Transport = "udp", *, srtp: bool = False
    ) -> Account:
        """Hers, at this server."""
        return cls(
            secretary.id,
            secretary.name,
            secretary.extension,
            secretary.password,
            server,
            port,
            transport,
            srtp,
        )

    @property
    def registrar(self) -> str:
        """`host:port`, as most softphones want it."""
        return at(self.server, self.port)

    @property
    def ha1(self) -> str:
        """Instead of the password, for a softphone that can use it."""
        return ha1(self.user, self.password)
