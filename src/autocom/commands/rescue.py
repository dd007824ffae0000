"""`rescue`: the rescuer of a state folder, beside `autocom serve`.

`autocom up` starts its own. The command becomes the small program of `autocom.rescue`, so that nothing of the exchange
stays in its memory.
"""

from __future__ import annotations

import os
import sys

import click

from autocom.commands.shared import settings


@click.command()
def rescue() -> None:
    """Watch the exchange of AUTOCOM_STATE, and give its callers to the dialplan when it does not answer."""
    from importlib.metadata import version  # noqa: PLC0415

    state = settings().state.resolve()
    arguments = [sys.executable, "-P", "-m", "autocom.rescue", str(state), version("autocom")]
    sys.stdout.flush()
    os.execv(sys.executable, arguments)  # noqa: S606 - our own interpreter, no shell
