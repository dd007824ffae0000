"""Asterisk's own console, asked as an administrator does."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from tests.support.bureau import Bureau


async def asterisk_says(bureau: Bureau, command: str) -> str:
    """A command on the console of the private Asterisk."""
    home = os.environ.get("AUTOCOM_ASTERISK_HOME", str(Path.home() / ".cache" / "autocom" / "asterisk"))
    console = await asyncio.create_subprocess_exec(
        str(Path(home) / "bin" / "asterisk"),
        "-C",
        str(bureau.state / "asterisk" / "etc" / "asterisk.conf"),
        "-rx",
        command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await console.communicate()
    return said.decode(errors="replace")
