"""Asterisk's configuration, generated from the bureau's.

`write` is the way in; `render` is the same without the disk, for tests and for people who run an
Asterisk of their own. The files include the hand-written `dialplan/`.
"""

from __future__ import annotations

from autocom.asterisk.conf.dialplan import GATE, login_variable
from autocom.asterisk.conf.pjsip import phone_endpoint, trunk_endpoint
from autocom.asterisk.conf.text import Unwritable
from autocom.asterisk.conf.values import ChangedFiles, Net, Paths, Secrets, Tls
from autocom.asterisk.conf.write import render, write

__all__ = [
    "GATE",
    "ChangedFiles",
    "Net",
    "Paths",
    "Secrets",
    "Tls",
    "Unwritable",
    "login_variable",
    "phone_endpoint",
    "render",
    "trunk_endpoint",
    "write",
]
