"""`doctor`: looks an installation over and says what to do.

It works while autocom runs, and when it does not. Exit 1 where something is broken; warnings alone are exit 0. The
checks are in `autocom.doctor`.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import click

from autocom.commands.shared import language, settings
from autocom.speech import Speech

if TYPE_CHECKING:
    from autocom.doctor.rounds import Examined

_THREADS = 32
"""So that questions to a dead DNS keep nobody else waiting."""
_MARKS = {"ok": "✓", "warn": "!", "bad": "✗"}
SENTENCES = {
    "well": ("tout va bien : {n} contrôles", "all is well: {n} checks"),
    "end": (
        "{bad} à réparer, {warn} à regarder, {ok} en ordre",
        "{bad} to repair, {warn} to look at, {ok} in order",
    ),
}


@click.command()
@click.option("--json", "as_json", is_flag=True)
@click.option(
    "--mail", is_flag=True, help="Also log in at the mail server (EHLO, STARTTLS, AUTH); nothing is sent."
)
def doctor(as_json: bool, mail: bool) -> None:
    """Look this installation over: what is broken, what may break, and what to do about it."""
    import structlog  # noqa: PLC0415

    from autocom.doctor.patient import meet  # noqa: PLC0415
    from autocom.doctor.rounds import examine  # noqa: PLC0415

    # what the parts log is not for who reads this
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    chosen, said_in = settings(), language()

    async def look() -> bool:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS))
        found = await examine(await meet(chosen, mail=mail))
        # now, and not after the loop: that waits for every thread, also for one that asks a dead DNS
        _tell(found, said_in, as_json=as_json)
        return any(each.finding.level == "bad" for each in found)

    if asyncio.run(look()):
        raise SystemExit(1)


def _tell(found: Sequence[Examined], said_in: str, *, as_json: bool) -> None:
    counts = {level: sum(each.finding.level == level for each in found) for level in _MARKS}
    if as_json:
        rows = [
            {
                "check": each.name,
                "level": each.finding.level,
                "seen": each.finding.seen.in_language(said_in),
                "advice": each.finding.advice.in_language(said_in) if each.finding.advice else None,
            }
            for each in found
        ]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        wide = max(len(each.name) for each in found)
        for each in found:
            click.echo(
                f"{_MARKS[each.finding.level]} {each.name:<{wide}}  {each.finding.seen.in_language(said_in)}"
            )
            if each.finding.advice is not None:
                click.echo(f"  {'':<{wide}}  → {each.finding.advice.in_language(said_in)}")
        say = Speech(SENTENCES, said_in)
        click.echo(say("well", n=len(found)) if counts["ok"] == len(found) else say("end", **counts))
