"""The operators' lines: whether their names resolve and their hosts answer.

Must not know calls. An operator may refuse OPTIONS from strangers: any answer is one.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket

from autocom.doctor.asking import WITHIN, sip
from autocom.doctor.findings import Check, Finding, bad, ok, say, warn
from autocom.doctor.patient import Patient

SIP_PORT = 5060


async def addresses(patient: Patient) -> Finding | None:
    """Whether what each trunk may send from means something."""
    made = patient.configuration
    if made is None:
        return None
    if not made.trunks:
        return warn(
            say("aucun opérateur dans bureau.yaml", "no operator in bureau.yaml"),
            say(
                "aucun appel n'arrive de l'extérieur : décrivez le vôtre sous `trunks`",
                "no call comes in from outside: describe yours under `trunks`",
            ),
        )
    names = sorted({(trunk.id, each) for trunk in made.trunks.values() for each in trunk.match})
    resolved = await asyncio.gather(*(_resolves(each) for _, each in names))
    lost = [f"{trunk}: {each}" for (trunk, each), well in zip(names, resolved, strict=True) if not well]
    if lost:
        return bad(
            say("ne se résout pas : {names}", "does not resolve: {names}", names=", ".join(lost[:5])),
            say(
                "corrigez `match`, ou le DNS : les appels de cet opérateur seraient refusés",
                "correct `match`, or the DNS: this operator's calls would be refused",
            ),
        )
    return ok(say("{n} adresses d'opérateurs", "{n} addresses of operators", n=len(names)))


async def hosts(patient: Patient) -> Finding | None:
    """Whether the operators answer where calls go out."""
    made = patient.configuration
    if made is None:
        return None
    asked = {trunk.id: trunk.host for trunk in made.trunks.values() if trunk.host is not None}
    if not asked:
        return None
    answers = await asyncio.gather(*(sip(*_address(host)) for host in asked.values()))
    silent = [
        f"{trunk} ({asked[trunk]})" for trunk, answer in zip(asked, answers, strict=True) if answer is None
    ]
    if silent:
        return warn(
            say(
                "pas de réponse à un OPTIONS : {names}",
                "no answer to an OPTIONS: {names}",
                names=", ".join(silent),
            ),
            say(
                "vérifiez `host`, le DNS, le pare-feu (UDP) et que l'opérateur connaît cette adresse IP",
                "check `host`, the DNS, the firewall (UDP), and that the operator knows this IP address",
            ),
        )
    return ok(say("{n} opérateurs répondent", "{n} operators answer", n=len(asked)))


def _address(host: str) -> tuple[str, int]:
    name, separator, port = host.rpartition(":")
    if separator and port.isdigit() and ":" not in name.strip("[]").partition("]")[0].replace("[", ""):
        return name.strip("[]"), int(port)
    return host.strip("[]"), SIP_PORT


async def _resolves(name: str) -> bool:
    try:
        ipaddress.ip_network(name, strict=False)
    except ValueError:
        try:
            async with asyncio.timeout(WITHIN):
                await asyncio.get_running_loop().getaddrinfo(name, None)
        except (socket.gaierror, UnicodeError, TimeoutError):
            return False
    return True


TRUNKS: tuple[tuple[str, Check], ...] = (("trunk addresses", addresses), ("trunk hosts", hosts))
