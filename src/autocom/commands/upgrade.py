"""`upgrade`: the program as it is on the disk now takes the running exchange over.

Asks the one that runs to start it, so that it has the same environment, output and supervisor; waits until it
serves. Must not know how calls are handed over (`handover`).
"""

from __future__ import annotations

import time

import click

from autocom.commands.shared import ask_exchange, card, fail, speech

ANSWERED_WITHIN = 90.0
"""Seconds: the exchange gives its successor 60 to prepare, and then says why that took longer."""
READY_WITHIN = 60.0
LOOK_EVERY = 0.1

SENTENCES = {
    "taken over": (
        "le processus {successor} a pris la suite du processus {former}, sans couper d'appel",
        "process {successor} has taken over from process {former}, without ending a call",
    ),
}


@click.command()
def upgrade() -> None:
    """Have the installed version take over from the one that runs, without ending a call."""
    former = card().pid
    successor = ask_exchange("POST", "/v1/upgrade", within=ANSWERED_WITHIN)["successor"]
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        if card().pid == successor:
            click.echo(speech(SENTENCES)("taken over", successor=successor, former=former))
            return
        time.sleep(LOOK_EVERY)
    fail(f"process {successor} has taken over and is not ready after {READY_WITHIN:.0f} s: see its log")
