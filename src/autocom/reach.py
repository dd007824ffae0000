"""By which names and addresses the outside reaches this instance: phones, browsers, certificates.

One place, so that what `autocom phone` prints, what a QR code leads to and what a certificate is made for are the
same. Settings in, values out. Invariant: nothing that listens only here is shown as if others could reach it
(`Reach.local`).
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass

from autocom.core.accounts import Account, at
from autocom.core.model import Secretary
from autocom.settings import Bind, Settings


@dataclass(frozen=True, slots=True)
class Reach:
    """The machine's name for phones. `guessed`: nobody set it; `local`: only this machine can use it."""

    host: str
    guessed: bool
    local: bool


def reach(settings: Settings) -> Reach:
    """`AUTOCOM_HOST`; else the address that SIP is bound to; else the one that this machine calls out from."""
    if settings.host:
        return Reach(settings.host, guessed=False, local=_is_local(settings.host))
    bind = settings.sip_tls_bind or settings.sip_bind
    if not _is_any(bind):
        return Reach(bind.host, guessed=False, local=_is_local(bind.host))
    host = _own_address(bind.host)
    return Reach(host, guessed=True, local=_is_local(host))


def account(settings: Settings, secretary: Secretary) -> Account:
    """Her softphone's settings: over TLS where it is there."""
    host = reach(settings).host
    srtp = settings.srtp == "required"
    if settings.sip_tls_bind is not None:
        return Account.of(secretary, host, settings.sip_tls_bind.port, "tls", srtp=srtp)
    return Account.of(secretary, host, settings.sip_bind.port, srtp=srtp)


def pages(settings: Settings) -> str:
    """Where browsers find our pages: without a slash at the end."""
    if settings.url:
        return settings.url
    host = reach(settings).host
    if settings.https_bind is not None:
        return f"https://{at(host, settings.https_bind.port)}"
    bind = settings.http_bind
    return f"http://{at(host if _is_any(bind) else bind.host, bind.port)}"


def names(settings: Settings) -> tuple[str, ...]:
    """What a certificate of ours is for: the host first, then every address that TLS is bound to, then this machine."""
    binds = [bind for bind in (settings.sip_tls_bind, settings.https_bind) if bind is not None]
    found = [
        reach(settings).host,
        *(bind.host for bind in binds if not _is_any(bind)),
        "localhost",
        "127.0.0.1",
    ]
    return tuple(dict.fromkeys(found))


def _is_any(bind: Bind) -> bool:
    return ipaddress.ip_address(bind.host).is_unspecified


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _own_address(bound: str) -> str:
    """Which of our addresses a packet to the outside would carry; none is sent."""
    six = ":" in bound
    with socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("2001:db8::1" if six else "192.0.2.1", 9))  # addresses of documentation
        except OSError:  # no network at all
            return "::1" if six else "127.0.0.1"
        return str(probe.getsockname()[0])
