"""Python, the packages, and whether the exchange runs at all.

Must not know the bureau. The packages are compared with the hashed lock that installations are made from.
"""

from __future__ import annotations

import asyncio
import re
from importlib.metadata import PackageNotFoundError, version

from autocom.doctor.findings import Check, Finding, Said, bad, ok, same, say, warn
from autocom.doctor.patient import Patient, is_locked
from autocom.rescue.card import LOCK
from autocom.rescue.diary import FOLDER

OLDEST = (3, 11)
_LOCKED = re.compile(r"^([A-Za-z0-9][\w.-]*)==(\S+) \\$", re.MULTILINE)


async def python(patient: Patient) -> Finding:
    """The version that autocom needs."""
    spelt = ".".join(map(str, patient.python))
    if patient.python >= OLDEST:
        return ok(same(f"Python {spelt}"))
    return bad(
        same(f"Python {spelt}"),
        say(
            "installez Python 3.11 ou plus récent, puis `make setup`",
            "install Python 3.11 or newer, then `make setup`",
        ),
    )


async def packages(patient: Patient) -> Finding | None:
    """Whether what is installed is what was tested together."""
    lock = patient.root / "requirements" / "run.txt"
    try:
        locked = _LOCKED.findall(lock.read_text())
    except OSError:
        return None  # installed without a checkout: whoever packed it saw to it
    wrong = await asyncio.to_thread(lambda: [each for each in (_differs(*pair) for pair in locked) if each])
    if not wrong:
        return ok(say("{n} paquets, comme verrouillés", "{n} packages, as locked", n=len(locked)))
    shown = ", ".join(wrong[:4]) + (" …" if len(wrong) > 4 else "")
    return bad(
        say("{n} paquets diffèrent : {shown}", "{n} packages differ: {shown}", n=len(wrong), shown=shown),
        say("lancez `make setup`", "run `make setup`"),
    )


def _differs(name: str, wanted: str) -> str | None:
    try:
        found = version(name)
    except PackageNotFoundError:
        return f"{name} –/{wanted}"
    return None if found == wanted else f"{name} {found}/{wanted}"


async def service(patient: Patient) -> Finding:
    """Whether an exchange runs on the state folder, and answers."""
    state = patient.settings.state
    if patient.blind:
        return warn(
            say("on ne voit pas d'ici si autocom tourne", "from here it is not seen whether autocom runs"),
            say("voyez `state folder`", "see `state folder`"),
        )
    if not patient.alive:
        return warn(
            say("aucun autocom ne tourne sur {state}", "no autocom runs on {state}", state=state),
            say(
                "lancez `autocom up`, ou son service (`systemctl start autocom`) ; les lignes marquées ✗ disent ce qui l'en empêche",
                "start `autocom up`, or its service (`systemctl start autocom`); the lines marked ✗ say what keeps it from starting",
            )
            if patient.private
            else say(
                "lancez `systemctl start autocom`, ou le service `autocom` de Docker Compose ; les lignes marquées ✗ disent ce qui l'en empêche",
                "start it by `systemctl start autocom`, or the service `autocom` of Docker Compose; the lines marked ✗ say what keeps it from starting",
            ),
        )
    if patient.status is None:
        return bad(
            say("autocom tourne mais son API ne répond pas", "autocom runs but its API does not answer"),
            say(
                "regardez son journal ; figé, il est relancé par son superviseur",
                "look at its log; where it is frozen, its supervisor starts it again",
            ),
        )
    pid = patient.card.pid if patient.card is not None else 0
    calls = patient.status.get("calls", 0)
    return ok(say("processus {pid}, {n} appels", "process {pid}, {n} calls", pid=pid, n=calls))


async def alerts(patient: Patient) -> Finding | None:
    """What the running exchange itself says is wrong."""
    if patient.status is None:
        return None
    told = patient.status.get("alerts", [])
    if not told:
        return ok(say("aucune alerte", "no alert"))
    french, english = (
        " ; ".join(str(row["text"][language]["title"]) for row in told[:5]) for language in ("fr", "en")
    )
    return warn(
        Said(f"{len(told)} : {french}", f"{len(told)}: {english}"),
        say("`autocom alerts` dit quoi faire de chacune", "`autocom alerts` says what to do about each"),
    )


async def rescuer(patient: Patient) -> Finding | None:
    """Whether somebody watches over a frozen exchange."""
    if not patient.alive:
        return None
    folder = patient.settings.state / FOLDER
    if is_locked(folder / LOCK):
        return ok(say("il veille", "it is awake"))
    seen = say(
        "le secouriste ne tourne pas : un central figé garderait ses appelants dans le silence",
        "the rescuer does not run: a frozen exchange would keep its callers in silence",
    )
    if patient.private:
        log = folder / "rescuer.log"
        return warn(
            seen,
            say(
                "autocom le relance sans cesse : lisez {log}",
                "autocom keeps starting it: read {log}",
                log=log,
            ),
        )
    return warn(
        seen,
        say(
            "`systemctl start autocom-rescue`, ou le service `rescue` de Docker Compose",
            "`systemctl start autocom-rescue`, or the service `rescue` of Docker Compose",
        ),
    )


PROGRAM: tuple[tuple[str, Check], ...] = (
    ("python", python),
    ("packages", packages),
    ("service", service),
    ("alerts", alerts),
    ("rescuer", rescuer),
)
