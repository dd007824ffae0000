"""The route for mail: one SMTP session for each, encrypted unless the settings say otherwise.

The Message-ID is derived from the letter, so that a server which took a mail whose answer was lost
can tell the second try from a second mail (RFC 5322, 3.6.4). Headers are built by the standard
library's policy, which refuses line breaks. Must not know what is said, nor when.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime

import aiosmtplib

from autocom.lane import Later, Refused, Unreachable, plain
from autocom.mail.route import Parcel

PATIENCE = 30.0
GOODBYE = 1.0


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Whom to give mail to. `tls`: `starttls` (must be offered), `tls` (from the first byte) or `none`."""

    host: str
    port: int
    sender: str
    tls: str = "starttls"
    user: str | None = None
    password: str | None = field(default=None, repr=False)


class SmtpRoute:
    """`patience`: seconds for each answer of the server."""

    def __init__(self, server: SmtpServer, patience: float = PATIENCE) -> None:
        self._server, self._patience = server, patience

    async def send(self, parcel: Parcel) -> None:
        """See `Route`."""
        try:
            # the recording is read from disk
            message = await asyncio.to_thread(compose, parcel, self._server.sender)
        except (ValueError, MessageError, OSError) as error:
            raise Refused(f"cannot be written: {plain(error)}") from error
        server = self._server
        session = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.tls == "tls",
            start_tls=server.tls == "starttls",
            username=server.user,
            password=server.password,
            # asked for, the machine's full name is a blocking look-up
            local_hostname=_domain(server.sender),
            timeout=self._patience,
        )
        try:
            await session.connect()
            await session.send_message(message, sender=server.sender, recipients=[parcel.letter.to])
            await _goodbye(session)
        except aiosmtplib.SMTPRecipientsRefused as refused:
            raise _of(refused.recipients[0].code, refused.recipients[0].message) from refused
        except aiosmtplib.SMTPDataError as refused:
            raise _of(refused.code, refused.message) from refused
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise Unreachable(plain(f"{type(error).__name__}: {error}")) from error
        finally:
            session.close()


def compose(parcel: Parcel, sender: str) -> EmailMessage:
    """The mail. ValueError where a header cannot be written."""
    letter = parcel.letter
    message = EmailMessage(policy=WIRE)
    message["From"] = sender
    message["To"] = letter.to
    message["Subject"] = parcel.subject
    message["Date"] = format_datetime(datetime.fromtimestamp(letter.at, UTC))
    message["Message-ID"] = f"<{letter.id}@{_domain(sender)}>"
    # no absence note answers it (RFC 3834)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(parcel.body)
    if parcel.audio is not None:
        message.add_attachment(
            parcel.audio.read_bytes(), maintype="audio", subtype="x-wav", filename=parcel.audio.name
        )
    return message


def _domain(address: str) -> str:
    return address.rpartition("@")[2]


async def _goodbye(session: aiosmtplib.SMTP) -> None:
    """It was taken: whatever goes wrong from here on changes nothing, and nobody waits long for it."""
    with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
        await session.quit(timeout=GOODBYE)


def _of(code: int, said: str) -> Exception:
    why = plain(f"{code} {said}")
    return Refused(why) if 500 <= code < 600 else Later(why)
