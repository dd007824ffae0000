"""Builds the courier from the settings: which routes there are, and where recordings are kept.

A route whose settings are missing is left out; what is to go by it waits, or is given up, and the
courier says why. Must not know calls. The story goes on in `mail.courier`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from autocom.calls.ports import Clock, Telephone
from autocom.core.letters import MAIL, TEXT
from autocom.mail.courier import Courier
from autocom.mail.outbox import Outbox
from autocom.mail.route import Route
from autocom.mail.shelf import VoiceShelf
from autocom.mail.smtp import SmtpRoute, SmtpServer
from autocom.mail.text import TextRoute
from autocom.settings import Settings

_PORTS: Final = {"starttls": 587, "tls": 465, "none": 25}


def voice_shelf(state: Path) -> VoiceShelf:
    """Where the recordings of a state folder are."""
    return VoiceShelf(state / "voicemail")


def courier(settings: Settings, outbox: Outbox, clock: Clock, telephone: Telephone, texts: Route) -> Courier:
    """The courier of one exchange. `texts`: the way of texts where no gateway of their own is set."""
    ways = {TEXT: texts, **routes(settings)}
    return Courier(outbox, clock, telephone, voice_shelf(settings.state), ways)


def routes(settings: Settings) -> dict[str, Route]:
    """Those that are set up."""
    found: dict[str, Route] = {}
    if settings.smtp_host and settings.smtp_from:
        server = SmtpServer(
            host=settings.smtp_host,
            port=settings.smtp_port or _PORTS[settings.smtp_tls],
            sender=settings.smtp_from,
            tls=settings.smtp_tls,
            user=settings.smtp_user,
            password=settings.smtp_password,
        )
        found[MAIL] = SmtpRoute(server)
    if settings.sms_url:
        found[TEXT] = TextRoute(settings.sms_url, settings.sms_token)
    return found
