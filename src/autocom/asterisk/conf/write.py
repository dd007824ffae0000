"""Writes every file of Asterisk's configuration, and says which ones changed.

Each file is replaced whole and atomically, readable by its owner alone (digests and secrets are
in them); a file whose bytes are equal is not touched, so nothing is reloaded without a reason.
Must not know how Asterisk is started or reloaded (`private.py`, `ami.py`). Invariant: either
every value could be expressed, or `Unwritable` was raised before the first file was touched.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from autocom.asterisk.conf import base
from autocom.asterisk.conf.bans import FILE as BANS
from autocom.asterisk.conf.bans import write_bans
from autocom.asterisk.conf.dialplan import ROUTER, TEXT_RECORDER, extensions_conf
from autocom.asterisk.conf.pjsip import pjsip_conf
from autocom.asterisk.conf.queues import queuerules_conf, queues_conf
from autocom.asterisk.conf.text import HEADER
from autocom.asterisk.conf.values import ChangedFiles, Net, Paths, Secrets
from autocom.core.model import Configuration

RECORDER = "record-fallback"
ROUTED_WITHIN = 5
"""Seconds after which the script that finds a caller's client is killed, and he is served as one of the house."""


def render(configuration: Configuration, where: Paths, net: Net, secrets: Secrets) -> dict[str, str]:
    """Every file's content by its name, without touching the disk. Raises Unwritable."""
    files = {
        "asterisk.conf": base.asterisk_conf(where, net),
        "modules.conf": base.modules_conf(),
        "logger.conf": base.logger_conf(),
        "http.conf": base.http_conf(net),
        "ari.conf": base.ari_conf(secrets),
        "manager.conf": base.ami_conf(net, secrets),
        "rtp.conf": base.rtp_conf(net),
        "indications.conf": base.indications_conf(),
        "features.conf": base.features_conf(),
        "musiconhold.conf": base.musiconhold_conf(configuration),
        "pjsip.conf": pjsip_conf(configuration, net),
        "extensions.conf": extensions_conf(configuration, where, net),
        "queues.conf": queues_conf(configuration),
        "queuerules.conf": queuerules_conf(configuration),
    }
    files |= {f"{each}.conf": HEADER for each in base.EMPTY}
    return dict(sorted(files.items()))


def write(configuration: Configuration, where: Paths, net: Net, secrets: Secrets) -> ChangedFiles:
    """Bring the files under `where.etc` up to date. Raises Unwritable (nothing written then) or OSError."""
    files = render(configuration, where, net, secrets)
    _make_folders(where)
    for old in sorted(where.etc.glob("*.conf")):
        if old.name not in files:  # of an older autocom: Asterisk would still read it
            old.unlink()
    if not (where.etc / BANS).exists():
        write_bans(where.etc, ())
    changed = [file for file, content in files.items() if _replace(where.etc / file, content, 0o600)]
    if where.python is not None:
        for name, program, spool, bounded in (
            (RECORDER, "record_fallback.py", where.spool, ""),
            (TEXT_RECORDER, "record_text.py", where.texts, ""),
            # AGI has no limit of its own, and a caller waits for this one
            (ROUTER, "standby_route.py", where.standby, f"timeout -s KILL {ROUTED_WITHIN} "),
        ):
            script = (
                f"#!/bin/sh\nexec {bounded}{shlex.quote(str(where.python))} -I -S"
                f" {shlex.quote(str(where.dialplan / program))} {shlex.quote(str(spool))}\n"
            )
            if _replace(where.scripts / name, script, 0o700):
                changed.append(name)
    return ChangedFiles(tuple(changed))


def _make_folders(where: Paths) -> None:
    for folder in (where.state, where.etc, where.log, where.run, where.spool, where.texts, where.scripts):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for part in ("lib/keys", "spool/recording", "spool/outgoing", "spool/tmp"):
        (where.state / part).mkdir(parents=True, exist_ok=True, mode=0o700)


def _replace(path: Path, content: str, mode: int) -> bool:
    new = content.encode()
    try:
        if path.read_bytes() == new:
            return False
    except FileNotFoundError:
        pass
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(new)
    fresh.replace(path)
    return True
