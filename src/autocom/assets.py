"""Where the files beside the code are: the dialplan, the stock sounds, the set-up scripts.

They lie at the root of a checkout; an installation elsewhere names that root in AUTOCOM_HOME.
"""

from __future__ import annotations

import os
from pathlib import Path


def root() -> Path:
    """The checkout."""
    named = os.environ.get("AUTOCOM_HOME")
    return Path(named) if named else Path(__file__).resolve().parents[2]


def dialplan() -> Path:
    """The hand-written dialplan."""
    return root() / "dialplan"


def get_asterisk() -> Path:
    """The script that unpacks a private Asterisk."""
    return root() / "tools" / "get-asterisk.sh"
