"""The admins' YAML files: read, judged as a whole, and turned into the core's frozen values.

`load` is the one way in. Must not know Asterisk, the journal or the console. Invariant: what
comes out is complete and valid, and what is wrong comes back as faults with file, line and
column. The story goes on in `load`. Names are loaded when they are first used: YAML, pydantic and
holidays take a third of a second, which a command that only asks the exchange need not spend.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autocom.config.audio import AudioShelf, PaperShelf, Shelf
    from autocom.config.faults import ConfigurationRefused, Fault
    from autocom.config.json_schema import schema
    from autocom.config.loaded import Loaded
    from autocom.config.loader import load
    from autocom.config.numbering import plan_of
    from autocom.config.say import SayCommand
    from autocom.config.sounds import stock_folder

_WHERE = {
    "AudioShelf": "audio",
    "ConfigurationRefused": "faults",
    "Fault": "faults",
    "Loaded": "loaded",
    "PaperShelf": "audio",
    "SayCommand": "say",
    "Shelf": "audio",
    "load": "loader",
    "plan_of": "numbering",
    "schema": "json_schema",
    "stock_folder": "sounds",
}

__all__ = [
    "AudioShelf",
    "ConfigurationRefused",
    "Fault",
    "Loaded",
    "PaperShelf",
    "SayCommand",
    "Shelf",
    "load",
    "plan_of",
    "schema",
    "stock_folder",
]


def __getattr__(name: str) -> Any:
    """The name from its module, on first use (PEP 562). No module may have one of these names: importing it
    would put the module in the name's place."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    globals()[name] = found
    return found
