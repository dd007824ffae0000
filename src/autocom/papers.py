"""The certificate of a running instance: which one it is, where it is shown, and that it does not run out unseen.

SIP over TLS and the page share it. Looked at every hour: one of ours is renewed in time, a file that the admins
(or certbot) replaced is taken up without a restart, and three weeks before its end the log says so, once a day. What
makes certificates is `phones.certificates`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable

import structlog

from autocom.asterisk.conf import Tls
from autocom.asterisk.private import AsteriskFailed
from autocom.calls.ports import Clock
from autocom.core.journal import Json
from autocom.phones.certificates import DAY, WARN, Certificate, CertificateFault, own, read
from autocom.reach import names
from autocom.settings import Settings
from autocom.timeline import iso

log = structlog.get_logger()

LOOK_EVERY = 3600.0


class Papers:
    """`certificate` is None where nothing speaks TLS. Raises CertificateFault where the admins' one is no good."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._said = 0.0
        self._context: ssl.SSLContext | None = None
        wanted = settings.sip_tls_bind is not None or settings.https_bind is not None
        self.certificate: Certificate | None = self._find() if wanted else None
        self._seen = self._look()

    @property
    def sip(self) -> Tls | None:
        """For Asterisk's transport."""
        bind, found = self._settings.sip_tls_bind, self.certificate
        return Tls((bind.host, bind.port), found.certificate, found.key) if bind and found else None

    def context(self) -> ssl.SSLContext | None:
        """For the page; the same one for ever, new connections get what it holds then."""
        if self._settings.https_bind is None or self.certificate is None:
            return None
        if self._context is None:
            self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self._context.minimum_version = ssl.TLSVersion.TLSv1_2
            self._context.load_cert_chain(self.certificate.certificate, self.certificate.key)
        return self._context

    def status(self) -> Json:
        """For `autocom status`."""
        found = self.certificate
        if found is None:
            return None
        left = found.left(self._clock.now())
        return {
            "names": list(found.names),
            "own": found.authority is not None,
            "expires": iso(found.expires),
            "days": int(left // DAY),
            "soon": left < WARN,
        }

    async def watch(self, look: Callable[[], Awaitable[None]]) -> None:
        """`look`, for ever; at once, and every hour."""
        while self.certificate is not None:
            await look()
            await asyncio.sleep(LOOK_EVERY)

    async def look(self, reload: Callable[[], Awaitable[None]]) -> None:
        """Once: renew, take up what is new, complain. `reload` has Asterisk read the files again. Also asked for by
        `autocom reload`, as certbot's hook does."""
        if self.certificate is None:
            return
        try:
            self.certificate = await asyncio.to_thread(self._find)
            if (now := self._look()) != self._seen and await self._take_up(reload):
                self._seen = now
        except (CertificateFault, OSError) as fault:  # OSError: the files changed again under our hands
            log.error("the certificate's files are no good, the one before stays in use", why=str(fault))
        self._complain()

    async def _take_up(self, reload: Callable[[], Awaitable[None]]) -> bool:
        """Whether everybody uses it; else they are asked again within the hour."""
        assert self.certificate is not None
        if self._context is not None:
            self._context.load_cert_chain(self.certificate.certificate, self.certificate.key)
        try:
            await reload()
        except AsteriskFailed as failed:
            log.error("Asterisk does not read the new certificate", why=str(failed))
            return False
        log.info("a new certificate is in use", expires=iso(self.certificate.expires))
        return True

    def _complain(self) -> None:
        found, now = self.certificate, self._clock.now()
        if found is None or found.left(now) >= WARN or now - self._said < DAY:
            return
        self._said = now
        days = int(found.left(now) // DAY)
        log.warning(
            "the certificate ends soon: put a new one in its place", days=days, file=str(found.certificate)
        )

    def _find(self) -> Certificate:
        settings = self._settings
        if settings.tls_cert and settings.tls_key:
            return read(settings.tls_cert, settings.tls_key)
        return own(settings.state.resolve() / "tls", names(settings), self._clock.now())

    def _look(self) -> bytes:
        """What the files hold: changed where it differs."""
        found = self.certificate
        return found.certificate.read_bytes() + found.key.read_bytes() if found else b""
