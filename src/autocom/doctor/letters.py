"""What goes out in writing: mail and texts. Whether there is a way for what the rules want to send.

The mail server is logged in at only where that was asked for (`--mail`): a wrong password may lock the account. No
mail and no text is sent. Must not know what is said.
"""

from __future__ import annotations

import asyncio
import socket
from urllib.parse import urlsplit

import aiosmtplib

from autocom.core.model import Client, SendMessage, Voicemail
from autocom.core.reach import all_steps
from autocom.core.texts import TextProvider
from autocom.doctor.asking import listens
from autocom.doctor.findings import Check, Finding, bad, ok, say, warn
from autocom.doctor.patient import Patient

STEP_WITHIN = 10.0
"""Seconds for a step of a login: many a server keeps its greeting back for five, since who spams does not wait."""
_PORTS = {"starttls": 587, "tls": 465, "none": 25}


async def mail(patient: Patient) -> Finding | None:
    """Whether mail that the rules want to send has a server, and alerts have."""
    settings, made = patient.settings, patient.configuration
    wanted = {c.id for c in made.clients.values() if _mails(c)} if made is not None else set()
    if made is not None:
        wanted |= {*made.bureau.alerts.mail, *made.bureau.supervisor}
    if settings.smtp_host is None:
        if not wanted:
            return None
        return warn(
            say(
                "pas de serveur, et {n} clients ou destinataires d'alertes attendent du courrier",
                "no server, and {n} clients or readers of alerts expect mail",
                n=len(wanted),
            ),
            say(
                "donnez AUTOCOM_SMTP_HOST et AUTOCOM_SMTP_FROM", "set AUTOCOM_SMTP_HOST and AUTOCOM_SMTP_FROM"
            ),
        )
    port = settings.smtp_port or _PORTS[settings.smtp_tls]
    there = f"{settings.smtp_host}:{port}"
    if patient.mail:
        return await _session(patient, there, port)
    if await listens(settings.smtp_host, port):
        return ok(
            say(
                "{there} répond ; `--mail` essaie aussi l'ouverture de session",
                "{there} answers; `--mail` tries the login too",
                there=there,
            )
        )
    return bad(
        say("{there} ne répond pas", "{there} does not answer", there=there),
        say(
            "vérifiez AUTOCOM_SMTP_HOST, AUTOCOM_SMTP_PORT et le pare-feu",
            "check AUTOCOM_SMTP_HOST, AUTOCOM_SMTP_PORT and the firewall",
        ),
    )


async def _session(patient: Patient, there: str, port: int) -> Finding:
    settings = patient.settings
    session = aiosmtplib.SMTP(
        hostname=settings.smtp_host,
        port=port,
        use_tls=settings.smtp_tls == "tls",
        start_tls=settings.smtp_tls == "starttls",
        username=settings.smtp_user,
        password=settings.smtp_password,
        local_hostname=(settings.smtp_from or "localhost").rpartition("@")[2],
        timeout=STEP_WITHIN,
    )
    try:
        await session.connect()
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        line = next(iter(str(error).splitlines()), type(error).__name__)
        return bad(
            say("{there} : {line}", "{there}: {line}", there=there, line=line),
            say(
                "vérifiez AUTOCOM_SMTP_TLS, AUTOCOM_SMTP_USER et AUTOCOM_SMTP_PASSWORD",
                "check AUTOCOM_SMTP_TLS, AUTOCOM_SMTP_USER and AUTOCOM_SMTP_PASSWORD",
            ),
        )
    finally:
        session.close()
    return ok(say("{there} nous ouvre une session", "{there} lets us in", there=there))


async def texts(patient: Patient) -> Finding | None:
    """Whether the providers of texts can be reached."""
    made = patient.configuration
    if made is None or not made.texts.providers:
        return None
    providers = list(made.texts.providers.values())
    reached = await asyncio.gather(*(_reached(provider) for provider in providers))
    lost = [p.id for p, well in zip(providers, reached, strict=True) if not well]
    if lost:
        return bad(
            say("injoignables : {names}", "not reachable: {names}", names=", ".join(lost)),
            say(
                "vérifiez leur adresse dans bureau.yaml, le DNS et le pare-feu",
                "check their address in bureau.yaml, the DNS and the firewall",
            ),
        )
    return ok(say("{n} fournisseurs", "{n} providers", n=len(providers)))


async def _reached(provider: TextProvider) -> bool:
    if provider.kind == "smpp":
        return await listens(provider.host, provider.port)
    if provider.kind == "webhook" and provider.url is not None:
        url = urlsplit(provider.url)
        try:
            port = url.port or (443 if url.scheme == "https" else 80)
            return url.hostname is not None and await listens(url.hostname, port)
        except (ValueError, socket.gaierror):
            return False
    return True  # by a trunk: looked at among the trunks


def _mails(client: Client) -> bool:
    for step in all_steps(client):
        match step:
            case Voicemail(mail=to) if to:
                return True
            case SendMessage(to=to) if "@" in to:
                return True
            case _:
                pass
    return False


LETTERS: tuple[tuple[str, Check], ...] = (("mail", mail), ("texts", texts))
