"""The admins' YAML files: read, judged as a whole, and turned into the core's frozen values.

`load` is the one way in. Must not know Asterisk, the journal or the console. Invariant: what
comes out is complete and valid, and what is wrong comes back as faults with file, line and
column. The story goes on in `load`.
"""

from autocom.config.audio import AudioShelf, PaperShelf, Shelf
from autocom.config.faults import ConfigurationRefused, Fault
from autocom.config.load import Loaded, load
from autocom.config.numbering import plan_of
from autocom.config.say import SayCommand
from autocom.config.schema import schema
from autocom.config.sounds import stock_folder

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
