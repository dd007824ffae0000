"""An Asterisk that is not ours to start: `autocom serve`, and beside it whoever reads what it writes."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autocom.asterisk.conf.dialplan import ROUTER
from tests.support.bureau import Bureau


@contextmanager
def running(
    *command: str | Path, environment: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """This program, until the end of the block; the end of what it said is shown with a failure."""
    with log.open("wb") as output:
        started = subprocess.Popen(
            list(map(str, command)), env=environment, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        yield started
    finally:
        started.kill()
        started.wait()
        print(f"--- end of {log.name} ---\n{log.read_text(errors='replace')[-4000:]}")


def written(bureau: Bureau) -> bool:
    """Whether all is there that Asterisk needs: its scripts are written last."""
    return (bureau.state / "asterisk" / "agi-bin" / ROUTER).exists()
