"""A real SMTP server in the test's process (aiosmtpd in a thread of its own), and a gateway for texts.

    async with MailServer() as server:
        bureau.settings |= server.settings
        (mail,) = await server.mails(1)

`refuse` answers every recipient with a line of the test's; `stop` and `start` keep the port, as a server
that is restarted does.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support import PATIENCE
from tests.support.ports import free_port

SENDER = "secretariat@tilleuls.example"


@dataclass
class _Door:
    """What aiosmtpd asks."""

    taken: list[bytes] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    refuse: str | None = None

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.refuse is not None:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        self.recipients.append(list(envelope.rcpt_tos))
        self.taken.append(envelope.content)
        return "250 taken"


class MailServer:
    """`refuse` is the answer to every RCPT, None: taken."""

    def __init__(self, **options: Any) -> None:
        self.port = free_port()
        self._door = _Door()
        self._options = options
        self._controller: Controller | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        self._controller = Controller(self._door, hostname="127.0.0.1", port=self.port, **self._options)
        await asyncio.to_thread(self._controller.start)

    async def stop(self) -> None:
        if self._controller is not None:
            await asyncio.to_thread(self._controller.stop)
            self._controller = None

    @property
    def refuse(self) -> str | None:
        return self._door.refuse

    @refuse.setter
    def refuse(self, answer: str | None) -> None:
        self._door.refuse = answer

    @property
    def settings(self) -> dict[str, str]:
        """For `autocom up`."""
        return {
            "AUTOCOM_SMTP_HOST": "127.0.0.1",
            "AUTOCOM_SMTP_PORT": str(self.port),
            "AUTOCOM_SMTP_TLS": "none",
            "AUTOCOM_SMTP_FROM": SENDER,
        }

    @property
    def taken(self) -> list[EmailMessage]:
        """Every mail that was accepted, in order."""
        return [message_from_bytes(raw, policy=WIRE) for raw in self._door.taken]  # type: ignore[arg-type]

    @property
    def raw(self) -> list[bytes]:
        """As they stood on the wire."""
        return list(self._door.taken)

    @property
    def recipients(self) -> list[list[str]]:
        return list(self._door.recipients)

    async def mails(self, count: int, within: float = PATIENCE) -> list[EmailMessage]:
        """Wait for the first `count`."""
        try:
            async with asyncio.timeout(within):
                while len(self._door.taken) < count:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{len(self._door.taken)} of {count} mails within {within} s") from None
        return self.taken


class Gateway:
    """Takes texts over HTTP, as an operator does. `status`: what it answers."""

    def __init__(self) -> None:
        self.port = free_port()
        self.status = 200
        self.texts: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/send"

    async def __aenter__(self) -> Self:
        server = web.Application()
        server.router.add_post("/send", self._take)
        self._runner = web.AppRunner(server, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        self.headers.append(dict(request.headers))
        if self.status < 300:
            self.texts.append(await request.json())
        return web.Response(status=self.status)
