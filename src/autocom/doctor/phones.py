"""The secretaries' phones: who is registered, and whether phones elsewhere could reach us.

Must not know calls. A phone that is off is nobody's fault; a bureau whose phones are all off is.
"""

from __future__ import annotations

import ipaddress

from autocom.doctor.findings import Check, Finding, bad, ok, say, warn
from autocom.doctor.patient import Patient


async def registered(patient: Patient) -> Finding | None:
    """Who could be rung now."""
    if patient.status is None:
        return None
    rows = patient.status["secretaries"]
    missing = [str(row["id"]) for row in rows if not row["registered"]]
    if not rows:
        return None
    if len(missing) == len(rows):
        return bad(
            say("aucun des {n} postes n'est enregistré", "none of the {n} phones is registered", n=len(rows)),
            say(
                "vérifiez sur un poste serveur, identifiant et mot de passe (`autocom phone ID`), et le pare-feu",
                "check server, user and password on a phone (`autocom phone ID`), and the firewall",
            ),
        )
    working = [row for row in rows if row["logged_in"] and not row["registered"]]
    seen = say(
        "{n} sur {all} enregistrés", "{n} of {all} registered", n=len(rows) - len(missing), all=len(rows)
    )
    if working:
        return warn(
            say(
                "connectés mais sans poste : {ids}",
                "logged in without a phone: {ids}",
                ids=", ".join(str(r["id"]) for r in working),
            ),
            say(
                "leur téléphone est éteint ou coupé du réseau : appelez-les",
                "their phone is off or cut off: call them",
            ),
        )
    return ok(seen)


async def reach(patient: Patient) -> Finding | None:
    """Whether the address that phones are given is one that they can reach."""
    settings = patient.settings
    if not patient.private:
        return None
    address = ipaddress.ip_address(settings.sip_bind.host)
    if address.is_loopback:
        return warn(
            say(
                "SIP n'écoute que sur cette machine ({bind})",
                "SIP listens on this machine only ({bind})",
                bind=settings.sip_bind,
            ),
            say(
                "pour des postes et un opérateur d'ailleurs : AUTOCOM_SIP_BIND=0.0.0.0:5060",
                "for phones and an operator elsewhere: AUTOCOM_SIP_BIND=0.0.0.0:5060",
            ),
        )
    if address.is_unspecified and settings.host is None:
        return warn(
            say("l'adresse publique n'est pas connue", "the public address is not known"),
            say(
                "derrière un NAT le son se perd : donnez AUTOCOM_HOST",
                "behind a NAT the sound gets lost: set AUTOCOM_HOST",
            ),
        )
    return ok(
        say("les postes nous joignent à {host}", "phones reach us at {host}", host=settings.host or address)
    )


PHONES: tuple[tuple[str, Check], ...] = (("phones", registered), ("reach", reach))
