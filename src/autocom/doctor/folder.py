"""The state folder: whether it can be written, whether others can read its secrets, whether it fills up.

Must not know what the files mean. The limits are those at which calls are still safe, so that there is time to act.
"""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path

from autocom.doctor.findings import Check, Finding, bad, ok, say, warn
from autocom.doctor.patient import Patient
from autocom.state import user_name

LITTLE, LEAST = 1 << 30, 200 << 20
"""Bytes of free disk: a day of calls and recordings of a large bureau; an hour of them."""
LEAST_INODES = 10_000
SECRETS = (
    "service.json",
    "configuration.json",
    "sessions.key",
    "asterisk/secrets.json",
    "asterisk/rescue.json",
    "asterisk/etc/ari.conf",
    "asterisk/etc/manager.conf",
    "asterisk/etc/pjsip.conf",
    "postgres/password",
    "tls/server.key",
    "tls/authority.key",
    "recording.key",
    "tokens.json",
    "asterisk/standby.jsonl",
    "rescue/card.json",
    "journal.sqlite",
    "versions",
    "recordings",
    "voicemail",
    "attachments",
)
"""What nobody else may read, where it is there. Of a folder, its own mode stands for what lies in it."""


async def rights(patient: Patient) -> Finding:
    """Whether we may write there, and nobody else may read the secrets."""
    state = patient.settings.state
    if not state.exists():
        parent = next(p for p in state.absolute().parents if p.exists())
        if os.access(parent, os.W_OK | os.X_OK):
            return ok(
                say(
                    "{state} sera créé au premier démarrage",
                    "{state} is made at the first start",
                    state=state,
                )
            )
        return bad(
            say("{state} ne peut pas être créé", "{state} cannot be made", state=state),
            say(
                "donnez à l'utilisateur d'autocom le dossier {parent}",
                "give autocom's user the folder {parent}",
                parent=parent,
            ),
        )
    if patient.owner:  # of root's own folder autocom cannot be meant to be the owner: see below
        return _not_here(patient.owner, state)
    if not state.is_dir() or not os.access(state, os.R_OK | os.W_OK | os.X_OK):
        return bad(
            say("{state} n'est pas à nous", "{state} is not ours to write", state=state),
            say("`chown -R` à l'utilisateur d'autocom", "`chown -R` it to autocom's user"),
        )
    foreign = [name for name in (".", "lock", "journal.sqlite") if _not_ours(state / name)]
    if foreign:
        return bad(
            say(
                "appartient à un autre utilisateur : {names}",
                "belongs to another user: {names}",
                names=", ".join(foreign),
            ),
            say(
                "autocom a tourné sous un autre compte : `chown -R` le dossier",
                "autocom ran as another user: `chown -R` the folder",
            ),
        )
    open_ = [name for name in SECRETS if _others_read(state / name)]
    if open_:
        return bad(
            say("lisible par d'autres : {names}", "others can read: {names}", names=", ".join(open_)),
            say(
                "`chmod 600` ces fichiers, puis changez les secrets",
                "`chmod 600` these files, then change the secrets",
            ),
        )
    return ok(say("{state}, droits corrects", "{state}, rights as they should be", state=state))


async def disk(patient: Patient) -> Finding:
    """Room for the journal, the recordings and PostgreSQL."""
    place = patient.settings.state.absolute()
    while not place.exists():
        place = place.parent
    free = os.statvfs(place)
    room, inodes = free.f_bavail * free.f_frsize, free.f_favail
    seen = say("{room:.1f} Go libres", "{room:.1f} GB free", room=room / 1e9)
    advice = say(
        "faites de la place sur le disque de {place}, ou raccourcissez `retention`",
        "make room on the disk of {place}, or shorten `retention`",
        place=place,
    )
    if room < LEAST or (free.f_files and inodes < LEAST_INODES // 10):
        return bad(seen, advice)
    if room < LITTLE or (free.f_files and inodes < LEAST_INODES):
        return warn(seen, advice)
    return ok(seen)


def _not_here(owner: int, state: Path) -> Finding:
    """Who looks is not the one who runs autocom: neither knows the other's rights, and nothing is to be changed."""
    return warn(
        say(
            "{state} appartient à {owner}, pas à l'utilisateur de cette commande",
            "{state} belongs to {owner}, not to the user of this command",
            state=state,
            owner=user_name(owner),
        ),
        say(
            "lancez-la comme lui : `sudo -u {owner} …`",
            "run it as that user: `sudo -u {owner} …`",
            owner=shlex.quote(user_name(owner)),
        ),
    )


def _not_ours(path: Path) -> bool:
    try:
        return path.stat().st_uid != os.getuid()
    except OSError:
        return False


def _others_read(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH | stat.S_IWGRP | stat.S_IWOTH))
    except OSError:
        return False


FOLDER: tuple[tuple[str, Check], ...] = (("state folder", rights), ("disk", disk))
