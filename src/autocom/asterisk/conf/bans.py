"""The file by which Asterisk shuts addresses out: `bans.inc`, which pjsip.conf includes.

Requests from an address in it get 403 before anything of them is looked at; calls that go on stay. It is written apart
from the other files, since it changes with every ban and not with the bureau. Must not know when somebody is shut out
(`core/bans.py`). Invariant: nothing but networks that Python has read as such is written into it.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from autocom.asterisk.conf.text import HEADER, section

FILE: Final = "bans.inc"
"""Beside pjsip.conf. It is always there: Asterisk notices no file that was missing when it last looked (22.10)."""


def bans_inc(sources: Iterable[str]) -> str:
    """The file. ValueError for what is no address or network."""
    networks = sorted({str(ipaddress.ip_network(each)) for each in sources})
    if not networks:
        return HEADER
    return HEADER + "\n" + section("bans", [("type", "acl"), *(("deny", each) for each in networks)])


def write_bans(etc: Path, sources: Iterable[str]) -> bool:
    """Bring the file up to date; whether it changed. OSError, ValueError."""
    path, content = etc / FILE, bans_inc(sources).encode()
    try:
        if path.read_bytes() == content:
            return False
    except FileNotFoundError:
        pass
    fresh = path.with_name(FILE + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    fresh.replace(path)
    return True
