"""Asterisk: the program, its version, its modules, our rights in it, the dialplan that it has loaded.

What runs elsewhere is asked by its doors alone. The floor of versions is that of the advisories that matter here
(docs/security.md); the list of modules is `asterisk.modules`. Must not know calls.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from autocom.asterisk.installation import MINIMUM, NoAsterisk, find
from autocom.asterisk.modules import MODULES, REQUIRED
from autocom.doctor.asking import Answer, ami, ari
from autocom.doctor.complaints import troubles
from autocom.doctor.findings import Check, Finding, bad, ok, same, say, warn
from autocom.doctor.patient import Patient

_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")
_CONTEXT = re.compile(r"^\[([\w.-]+)\](?!\(!)", re.MULTILINE)
FLOOR = ".".join(map(str, MINIMUM))
_LINE = re.compile(r"\s*(?:exten|same)\s*=>?")
_NO_CONTEXT = ("general", "globals")
_LOOPBACK = ("127.", "localhost", "[::1]")


async def program(patient: Patient) -> Finding | None:
    """Whether there is an Asterisk that we can start."""
    if not patient.private:
        return None
    try:
        found = await find()
    except NoAsterisk as error:
        return bad(same(str(error)), _FETCH)
    if found is None:
        return bad(say("aucun Asterisk {v} ou plus", "no Asterisk {v} or newer", v=FLOOR), _FETCH)
    spelt = ".".join(map(str, found.version))
    return ok(same(f"Asterisk {spelt}, {found.program}"))


async def running(patient: Patient) -> Finding | None:
    """Whether it answers ARI as our user, and is new enough."""
    if patient.private and not patient.alive:
        # started with the exchange, which it outlives with every conversation
        return survived(patient.survivor) if patient.survivor is not None else None
    answer = await ari(patient, "GET", "asterisk/info", {"only": "system"})
    if answer is None:
        return bad(
            say("ARI ne répond pas", "ARI does not answer"),
            say(
                "Asterisk tourne-t-il ? vérifiez AUTOCOM_ARI_URL et http.conf (enabled, bindaddr, bindport)",
                "does Asterisk run? check AUTOCOM_ARI_URL and http.conf (enabled, bindaddr, bindport)",
            ),
        )
    if answer.status in (401, 403):
        return bad(
            say(
                "ARI refuse notre utilisateur ({status})",
                "ARI refuses our user ({status})",
                status=answer.status,
            ),
            say(
                "écrivez dans AUTOCOM_ARI_USER et AUTOCOM_ARI_PASSWORD ce que dit ari.conf, et dans ses ACL cette machine",
                "write what ari.conf says into AUTOCOM_ARI_USER and AUTOCOM_ARI_PASSWORD, and this machine into its ACLs",
            ),
        )
    version = _told_version(answer)
    if version is None:
        return bad(
            say(
                "ce qui répond n'est pas ARI (état {status})",
                "what answers is not ARI (status {status})",
                status=answer.status,
            ),
            say(
                "est-ce le serveur HTTP d'Asterisk ? vérifiez AUTOCOM_ARI_URL, et que `res_ari` est chargé",
                "is that Asterisk's HTTP server? check AUTOCOM_ARI_URL, and that `res_ari` is loaded",
            ),
        )
    found = _VERSION.search(version)
    if found is not None and tuple(map(int, found.groups())) < MINIMUM:
        return bad(
            same(f"Asterisk {version}"),
            say(
                "passez à Asterisk {v} ou plus : sécurité et StasisBroadcast",
                "upgrade to Asterisk {v} or newer: security and StasisBroadcast",
                v=FLOOR,
            ),
        )
    return ok(same(f"Asterisk {version}"))


def _told_version(answer: Answer) -> str | None:
    match answer:
        case Answer(200, {"system": {"version": str(version)}}):
            return version
        case _:
            return None


def survived(pid: int) -> Finding:
    """Our own Asterisk lives, and nobody commands it: whoever ends it ends every call."""
    return warn(
        say(
            "l'Asterisk du dernier autocom tourne (processus {pid}), avec ses appels",
            "the last autocom's Asterisk runs (process {pid}), with its calls",
            pid=pid,
        ),
        say(
            "autocom le reprend en démarrant ; n'y touchez pas",
            "autocom takes it over when it starts; leave it alone",
        ),
    )


async def hung(patient: Patient) -> Finding | None:
    """Whether ARI is deadlocked: its ping answers then, and asking for the application does not."""
    if patient.doors is None or (patient.private and not patient.alive):
        return None
    match await ari(patient, "GET", "asterisk/ping"):
        case Answer(200, {"ping": _}):
            pass
        case _:
            return None  # not there at all: said above
    answer = await ari(patient, "GET", "applications/autocom")
    if answer is None:
        return bad(
            say("ARI est bloqué", "ARI is deadlocked"),
            say(
                "redémarrez Asterisk dès que les conversations sont finies",
                "restart Asterisk once the conversations are over",
            ),
        )
    if answer.status == 404 and patient.alive:
        return bad(
            say("autocom n'est pas connecté à ARI", "autocom is not connected to ARI"),
            say(
                "regardez le journal d'autocom : les appels vont au secours",
                "look at autocom's log: calls go to the fallback",
            ),
        )
    return ok(say("les questions ont une réponse", "questions are answered"))


async def modules(patient: Patient) -> Finding | None:
    """Whether everything that we need is loaded, and nothing that could be attacked besides."""
    answer = await ari(patient, "GET", "asterisk/modules")
    if answer is None or answer.status != 200 or not isinstance(answer.body, list):
        return None  # said above
    # without a suffix it is a part of Asterisk itself
    running_now = [str(row["name"]) for row in answer.body if row["status"] == "Running"]
    loaded = {name.removesuffix(".so") for name in running_now if name.endswith(".so")}
    missing = [name for name in MODULES if name not in loaded]
    if missing:
        worse = [name for name in missing if name in REQUIRED]
        told = say("manquent : {names}", "missing: {names}", names=", ".join((worse or missing)[:6]))
        advice = say(
            "ajoutez-les à modules.conf, et redémarrez Asterisk",
            "add them to modules.conf, and restart Asterisk",
        )
        return bad(told, advice)
    extra = sorted(loaded - set(MODULES))
    if extra and patient.private:
        return warn(
            say("en trop : {names}", "not needed: {names}", names=", ".join(extra[:6])),
            say(
                "ce qui n'est pas chargé ne s'attaque pas : `noload` dans modules.conf",
                "what is not loaded cannot be attacked: `noload` in modules.conf",
            ),
        )
    return ok(say("{n} modules chargés", "{n} modules loaded", n=len(loaded)))


async def commands(patient: Patient) -> Finding | None:
    """Whether our ARI user may do something, not only look."""
    answer = await ari(patient, "DELETE", "playbacks/doctor-asks-nothing")
    if answer is None or answer.status == 401 or not isinstance(answer.body, dict):
        return None  # said above
    if answer.status == 403:
        return bad(
            say("notre utilisateur ARI ne peut que lire", "our ARI user may only read"),
            say("`read_only=no` dans ari.conf", "`read_only=no` in ari.conf"),
        )
    return ok(say("l'utilisateur ARI peut commander", "the ARI user may command"))


async def manager(patient: Patient) -> Finding | None:
    """Whether AMI lets us in: without it no registration is heard of."""
    if patient.doors is None or (patient.private and not patient.alive):
        return None
    blocks = await ami(patient)
    if blocks is None:
        return bad(
            say("AMI ne répond pas", "AMI does not answer"),
            say(
                "vérifiez AUTOCOM_AMI_HOST, AUTOCOM_AMI_PORT et manager.conf (enabled, bindaddr, port)",
                "check AUTOCOM_AMI_HOST, AUTOCOM_AMI_PORT and manager.conf (enabled, bindaddr, port)",
            ),
        )
    if blocks[0].get("Response") != ["Success"]:
        return bad(
            say("AMI refuse notre utilisateur", "AMI refuses our user"),
            say(
                "écrivez dans AUTOCOM_AMI_USER et AUTOCOM_AMI_PASSWORD ce que dit manager.conf ; permit doit nommer cette machine",
                "write what manager.conf says into AUTOCOM_AMI_USER and AUTOCOM_AMI_PASSWORD; permit must name this machine",
            ),
        )
    return ok(say("AMI nous connaît", "AMI knows us"))


async def dialplan(patient: Patient) -> Finding | None:
    """Whether the contexts of our files are those that Asterisk has in memory, line for line by their number."""
    if patient.doors is None:
        return None
    try:
        wanted = _contexts(patient)
    except OSError as error:
        return bad(
            say(
                "le plan de numérotation manque : {file}",
                "the dialplan is missing: {file}",
                file=error.filename,
            ),
            say(
                "`dialplan/` doit être à côté d'autocom : AUTOCOM_HOME nomme ce dossier",
                "`dialplan/` must lie beside autocom: AUTOCOM_HOME names that folder",
            ),
        )
    blocks = await ami(patient, {"Action": "ShowDialPlan"})
    listed = [block for block in blocks or () if block.get("Event") == ["ListDialplan"]]
    if not listed:
        return None  # not there, or not our user's right
    loaded = Counter(block["Context"][0] for block in listed if "Context" in block)
    lines = Counter(block["Context"][0] for block in listed if "Priority" in block)
    missing = sorted(wanted.keys() - loaded.keys())
    other = sorted(name for name in wanted if name in loaded and lines[name] != wanted[name])
    if missing or other:
        return bad(
            say(
                "contextes absents d'Asterisk, ou autres : {names}",
                "contexts that Asterisk lacks, or has otherwise: {names}",
                names=", ".join((missing + other)[:6]),
            ),
            say(
                "`autocom reload`, ou faites inclure {etc} par extensions.conf",
                "`autocom reload`, or have extensions.conf include {etc}",
                etc=patient.asterisk_state / "etc/extensions.conf",
            ),
        )
    return ok(say("{n} contextes chargés", "{n} contexts loaded", n=len(wanted)))


async def http(patient: Patient) -> Finding | None:
    """Whether ARI and AMI can be reached from this machine alone."""
    doors = patient.doors
    if doors is None or (patient.private and not patient.alive):
        return None
    ports = {int(m[1]) for m in re.finditer(r":(\d+)(?:/|$)", doors.ari_url)} | {doors.ami_port}
    if not patient.private and not doors.ari_url.split("://", 1)[-1].startswith(_LOOPBACK):
        return warn(
            say("ARI passe par le réseau : {url}", "ARI goes over the network: {url}", url=doors.ari_url),
            say(
                "un réseau privé, une ACL, TLS : qui a ARI a tous les appels",
                "a private network, an ACL, TLS: who has ARI has every call",
            ),
        )
    wide = sorted(ports & _listening_everywhere())
    if wide:
        return bad(
            say(
                "ouvert à tous : port {ports}",
                "open to everybody: port {ports}",
                ports=", ".join(map(str, wide)),
            ),
            say(
                "`bindaddr=127.0.0.1` dans http.conf et manager.conf",
                "`bindaddr=127.0.0.1` in http.conf and manager.conf",
            ),
        )
    return ok(say("ARI et AMI n'écoutent qu'ici", "ARI and AMI listen here only"))


def _contexts(patient: Patient) -> dict[str, int]:
    """Each context of our files, and how many lines (priorities) it has."""
    generated = patient.asterisk_state / "etc" / "extensions.conf"
    files = sorted((patient.root / "dialplan").glob("*.conf"))
    if not files:
        raise FileNotFoundError(2, "no dialplan", str(patient.root / "dialplan"))
    found: dict[str, int] = {}
    for file in (*files, *([generated] if generated.exists() else ())):
        inside = ""
        for line in file.read_text().splitlines():
            if context := _CONTEXT.match(line):
                inside = context[1]
                if inside not in _NO_CONTEXT:
                    found.setdefault(inside, 0)
            elif inside in found and _LINE.match(line):
                found[inside] += 1
    return found


def _listening_everywhere() -> set[int]:
    """TCP ports that listen on all addresses, by the kernel's table."""
    found: set[int] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            address, _, port = fields[1].partition(":")
            if fields[3] == "0A" and not address.strip("0"):
                found.add(int(port, 16))
    return found


async def voice_ports(patient: Patient) -> Finding | None:
    """Whether there are RTP ports for all the calls that were bought."""
    made = patient.configuration
    if made is None or not patient.private:
        return None
    ports = patient.settings.rtp_ports
    there = ports.last - ports.first + 1
    bought = sum(trunk.max_calls or 0 for trunk in made.trunks.values())
    wanted = 4 * (bought + len(made.secretaries))
    seen = say("{n} ports, pour {calls} appels", "{n} ports, for {calls} calls", n=there, calls=there // 4)
    if there < wanted:
        return warn(
            seen,
            say(
                "{bought} appels et {phones} postes en veulent {n} : élargissez AUTOCOM_RTP_PORTS (et le pare-feu)",
                "{bought} calls and {phones} phones want {n}: widen AUTOCOM_RTP_PORTS (and the firewall)",
                bought=bought,
                phones=len(made.secretaries),
                n=wanted,
            ),
        )
    return ok(seen)


_FETCH = say(
    "`make setup` va chercher Asterisk ; ou donnez AUTOCOM_ARI_URL, s'il tourne ailleurs",
    "`make setup` fetches Asterisk; or set AUTOCOM_ARI_URL where it runs elsewhere",
)

TELEPHONE: tuple[tuple[str, Check], ...] = (
    ("asterisk program", program),
    ("asterisk", running),
    ("asterisk answers", hung),
    ("asterisk modules", modules),
    ("asterisk commands", commands),
    ("asterisk AMI", manager),
    ("asterisk dialplan", dialplan),
    ("asterisk doors", http),
    ("voice ports", voice_ports),
    ("asterisk log", troubles),
)
