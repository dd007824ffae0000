"""The round: every check beside every other one, each with its own time limit, none able to stop another.

A check that crashes is a finding of its own: it is broken, and so may be what it looked at. Must not know what any
check looks at; the order of the list is that in which people read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from autocom.calls.containment import contained
from autocom.doctor.bureau import BUREAU
from autocom.doctor.clocks import CLOCKS
from autocom.doctor.database import DATABASE
from autocom.doctor.doors import DOORS
from autocom.doctor.findings import Check, Finding, bad, say
from autocom.doctor.folder import FOLDER
from autocom.doctor.letters import LETTERS
from autocom.doctor.papers import PAPERS
from autocom.doctor.patient import Patient
from autocom.doctor.phones import PHONES
from autocom.doctor.program import PROGRAM
from autocom.doctor.telephone import TELEPHONE
from autocom.doctor.trunks import TRUNKS

Named = tuple[str, Check]

CHECKS: tuple[Named, ...] = (
    *PROGRAM, *BUREAU, *FOLDER, *CLOCKS, *DATABASE, *TELEPHONE, *DOORS, *TRUNKS, *PHONES, *PAPERS, *LETTERS
)  # fmt: skip

PATIENCE = 4.0
"""Seconds for one check; each question that it asks takes at most 2."""
PATIENCE_OF = {"mail": 30.0}
"""Of a login (`--mail`), whose server may keep everybody waiting on purpose."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A check by its name, and what it found."""

    name: str
    finding: Finding


async def examine(
    patient: Patient, checks: Sequence[Named] = CHECKS, patience: float = PATIENCE
) -> list[Examined]:
    """Every check, in their order; what does not concern this installation is left out."""
    found = await asyncio.gather(
        *(_one(patient, check, PATIENCE_OF.get(name, patience)) for name, check in checks)
    )
    return [
        Examined(name, finding)
        for (name, _), finding in zip(checks, found, strict=True)
        if finding is not None
    ]


async def _one(patient: Patient, check: Check, patience: float) -> Finding | None:
    broken: list[str] = []
    try:
        with contained("check crashed", broken.append):
            async with asyncio.timeout(patience):
                return await check(patient)
    except TimeoutError:
        pass
    if not broken or broken[0].startswith("TimeoutError"):
        return bad(
            say("pas de réponse en {seconds:g} s", "no answer within {seconds:g} s", seconds=patience),
            say(
                "la machine est surchargée, ou ce qui est interrogé est figé : regardez `top`, puis recommencez",
                "the machine is overloaded, or what was asked is frozen: look at `top`, then try again",
            ),
        )
    return bad(
        say("ce contrôle a échoué : {error}", "this check failed itself: {error}", error=broken[0]),
        say("signalez cette ligne, c'est une erreur d'autocom", "report this line, it is a bug of autocom"),
    )
