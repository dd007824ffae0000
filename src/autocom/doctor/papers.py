"""Certificates and keys: TLS until when, and the key of the recordings.

Nothing is made here: a certificate of our own that is missing is made at the start. Must not know phones.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from autocom.doctor.findings import Check, Finding, bad, ok, same, say, warn
from autocom.doctor.patient import Patient
from autocom.phones.certificates import DAY, WARN, CertificateFault, read
from autocom.tape_room import key_file


async def certificate(patient: Patient) -> Finding | None:
    """That of SIP over TLS and of the page: its end, its key."""
    settings = patient.settings
    if settings.sip_tls_bind is None and settings.https_bind is None:
        return None
    if settings.tls_cert is None or settings.tls_key is None:
        files = (settings.state / "tls" / "server.crt", settings.state / "tls" / "server.key")
        if not files[0].exists():
            return ok(say("le nôtre, fait au démarrage", "our own, made at the start"))
    else:
        files = (settings.tls_cert, settings.tls_key)
    try:
        found = await asyncio.to_thread(read, *files)
    except CertificateFault as fault:
        return bad(
            same(str(fault)),
            say(
                "corrigez AUTOCOM_TLS_CERT et AUTOCOM_TLS_KEY", "correct AUTOCOM_TLS_CERT and AUTOCOM_TLS_KEY"
            ),
        )
    left = found.left(patient.now)
    seen = say(
        "{days} jours encore, {names}",
        "{days} more days, {names}",
        days=int(left // DAY),
        names=", ".join(found.names),
    )
    advice = say("renouvelez-le, puis `autocom reload`", "renew it, then `autocom reload`")
    if left <= 0:
        return bad(seen, advice)
    return warn(seen, advice) if left < WARN else ok(seen)


async def recording_key(patient: Patient) -> Finding | None:
    """Whether what was recorded can be opened, and what will be can be encrypted."""
    made = patient.configuration
    recorded = made is not None and any(client.recording != "never" for client in made.clients.values())
    kept = _any_file(patient.settings.state / "recordings")
    if not recorded and not kept:
        return None
    if patient.settings.recording_key is not None:
        return ok(say("donnée par AUTOCOM_RECORDING_KEY", "given by AUTOCOM_RECORDING_KEY"))
    file = key_file(patient.settings.state)
    if file.exists():
        return warn(
            say("la clé est à côté des enregistrements", "the key lies beside the recordings"),
            say(
                "donnez-la par AUTOCOM_RECORDING_KEY, et gardez-en une copie ailleurs : sans elle ils sont perdus",
                "give it by AUTOCOM_RECORDING_KEY, and keep a copy elsewhere: without it they are lost",
            ),
        )
    if kept:
        return bad(
            say("des enregistrements, et pas de clé", "recordings, and no key"),
            say(
                "remettez {file}, ou AUTOCOM_RECORDING_KEY",
                "put {file} back, or AUTOCOM_RECORDING_KEY",
                file=file,
            ),
        )
    return ok(say("faite avec le premier enregistrement", "made with the first recording"))


def _any_file(folder: Path) -> bool:
    return folder.is_dir() and any(entry.is_file() for entry in folder.rglob("*"))


PAPERS: tuple[tuple[str, Check], ...] = (("certificate", certificate), ("recording key", recording_key))
