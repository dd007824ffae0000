"""The doors of the exchange itself: do they answer while it runs, and are they free while it does not.

A port that somebody else has is the commonest reason why it cannot start. Must not know what comes in by them.
"""

from __future__ import annotations

from autocom.doctor.asking import IN_USE, can_bind, listens, sip
from autocom.doctor.findings import Check, Finding, bad, ok, say
from autocom.doctor.patient import Patient
from autocom.doctor.telephone import survived
from autocom.settings import Bind

_EVERY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - a setting's word: asked by loopback


def _free(name: str, bind: Bind, *, udp: bool = False) -> Finding:
    """Of an exchange that does not run: whether it could listen there."""
    why = can_bind(bind.host, bind.port, udp=udp)
    if why is None:
        return ok(say("{bind} est libre", "{bind} is free", bind=bind))
    seen = say("{bind} : {why}", "{bind}: {why}", bind=bind, why=why)
    if why != IN_USE:
        return bad(seen, say("donnez à {name} une autre adresse", "give {name} another address", name=name))
    return bad(
        seen,
        say(
            "arrêtez ce qui l'occupe (`ss -lnp`), sauf un Asterisk qui a des appels, ou donnez à {name} une autre adresse",
            "stop what has it (`ss -lnp`), unless that is an Asterisk with calls, or give {name} another address",
            name=name,
        ),
    )


def _of_asterisk(patient: Patient, name: str, bind: Bind, *, udp: bool = False) -> Finding:
    """The same of a door that our own Asterisk opens, and keeps open when the exchange is gone."""
    found = _free(name, bind, udp=udp)
    return survived(patient.survivor) if found.level == "bad" and patient.survivor is not None else found


async def _tcp(patient: Patient, name: str, bind: Bind | None) -> Finding | None:
    if bind is None or patient.blind:
        return None
    if not patient.alive:
        return _free(name, bind)
    if await listens(bind.host, bind.port):
        return ok(say("{bind} répond", "{bind} answers", bind=bind))
    return bad(
        say("{bind} ne répond pas", "{bind} does not answer", bind=bind),
        say(
            "comparez {name} à celui du processus qui tourne, et son journal",
            "compare {name} with that of the running process, and its log",
            name=name,
        ),
    )


async def http(patient: Patient) -> Finding | None:
    """API, metrics, console."""
    return await _tcp(patient, "AUTOCOM_HTTP_BIND", patient.settings.http_bind)


async def https(patient: Patient) -> Finding | None:
    """The page for phones in a browser."""
    return await _tcp(patient, "AUTOCOM_HTTPS_BIND", patient.settings.https_bind)


async def agi(patient: Patient) -> Finding | None:
    """FastAGI."""
    return await _tcp(patient, "AUTOCOM_AGI_BIND", patient.settings.agi_bind)


async def sip_tls(patient: Patient) -> Finding | None:
    """SIP over TLS."""
    bind = patient.settings.sip_tls_bind
    if not patient.private or bind is None or patient.blind:
        return None
    if not patient.alive:
        return _of_asterisk(patient, "AUTOCOM_SIP_TLS_BIND", bind)
    return await _tcp(patient, "AUTOCOM_SIP_TLS_BIND", bind)


async def sip_udp(patient: Patient) -> Finding | None:
    """Where operators and phones send to."""
    bind = patient.settings.sip_bind
    if not patient.private or patient.blind:
        return None
    if not patient.alive:
        return _of_asterisk(patient, "AUTOCOM_SIP_BIND", bind, udp=True)
    answer = await sip(_EVERY.get(bind.host, bind.host), bind.port)
    if answer is not None:
        return ok(say("{bind} répond", "{bind} answers", bind=bind))
    return bad(
        say("{bind} ne répond pas à un OPTIONS", "{bind} does not answer an OPTIONS", bind=bind),
        say(
            "un pare-feu, ou Asterisk est bloqué : regardez {log}",
            "a firewall, or Asterisk hangs: look at {log}",
            log=patient.asterisk_state / "log/messages",
        ),
    )


DOORS: tuple[tuple[str, Check], ...] = (
    ("SIP", sip_udp),
    ("SIP over TLS", sip_tls),
    ("HTTP", http),
    ("HTTPS", https),
    ("FastAGI", agi),
)
