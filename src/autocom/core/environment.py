"""What a child process gets of our environment: what programs need to run, and none of our secrets.

Passwords stand in the environment by design (`${LEA_SIP_PASSWORD}`, `AUTOCOM_…`), under names that we cannot know, so
what is given is a list and not what is left. Must not know which programs there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NEEDED: Final = frozenset(
    {
        "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TZDIR", "TMPDIR", "TERM",
        "LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV",
        "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR",
    }
)  # fmt: skip


def needed(environment: Mapping[str, str]) -> dict[str, str]:
    """Of these variables, those that any program may need."""
    return {
        name: value
        for name, value in environment.items()
        if name in NEEDED or name.startswith(("LC_", "ESPEAK"))
    }
